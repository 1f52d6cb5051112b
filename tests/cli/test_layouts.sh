#!/usr/bin/env bash
# Data whose files can be read in two ways are read as they say themselves, or asked for; classes that do not fit are reported.
source "$(dirname "$0")/lib.sh"
toy toy 200 80
toy_config
data_digest() { run 0 "$lockstep" data info "$@" --json && json out 'd["digest"]'; }

# emnist FOLDER NAME FIRST: the toy dataset as EMNIST's publishers write theirs: by columns, labels from FIRST on.
emnist() {
  python3 - "$@" <<'P'
import gzip, os, sys
folder, name, first = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.makedirs(folder, exist_ok=True)
for split, own in (("train", "train"), ("t10k", "test")):
    images = gzip.open(f"toy/{split}-images-idx3-ubyte.gz").read()
    labels = open(f"toy/{split}-labels-idx1-ubyte", "rb").read()
    turned = bytearray(images)
    for i in range(16, len(images), 144):
        for y in range(12):
            for x in range(12):
                turned[i + 12 * x + y] = images[i + 12 * y + x]
    with gzip.open(f"{folder}/{name}{own}-images-idx3-ubyte.gz", "wb", 1) as f:
        f.write(turned)
    with open(f"{folder}/{name}{own}-labels-idx1-ubyte", "wb") as f:
        f.write(labels[:8] + bytes(b + first for b in labels[8:]))
P
}

# ---- EMNIST by its files' names: the same samples by any way ----
emnist gzip emnist-digits- 0
emnist gzip emnist-letters- 1
mkdir letters found
cp gzip/emnist-letters-* letters
ln -s ../gzip found/emnist
want=$(data_digest toy)
for place in letters gzip/emnist-letters gzip/emnist-digits; do
  [[ $(data_digest "$place") == "$want" ]] || fail "$place holds other samples than the toy dataset"
done
[[ $(LOCKSTEP_DATA_PATH=found data_digest emnist-letters) == "$want" ]] || fail "emnist-letters by name holds other samples"
run 0 "$lockstep" data info letters
out_has 'the files hold them by columns'
out_has 'the files number them from 1'
out_has '^name +emnist-letters'
run 0 "$lockstep" data import letters -o letters.h5
[[ $(data_digest letters.h5) == "$want" ]] || fail 'the import of letters holds other samples'
json out '(d["transposed"], d["first_label"], d["classes"])' | grep -q '(False, 0, 26)' || fail 'letters.h5 is turned twice'
run 2 "$lockstep" data info gzip
one_error
err_has 'holds files of emnist-digits, emnist-letters.* data.source=gzip/emnist-digits'

# A training by folder is that of the plain files, and what it leaves is evaluated on the same samples.
small=(data.classes=4 train.epochs=1)
run 0 "$lockstep" train toy.yaml "${small[@]}" -o plain
run 0 "$lockstep" train toy.yaml "${small[@]}" data.source=letters -o by-folder
run 0 "$lockstep" train toy.yaml "${small[@]}" data.source=letters.h5 -o by-import
for other in by-folder by-import; do
  holds "$other is the run on the plain files" 'd[0]["weights_digest"] == d[1]["weights_digest"]' plain/summary.json $other/summary.json
done
run 0 "$lockstep" eval by-folder/best.h5 --json
cp out eval.json
holds 'eval finds what training found' 'd[0]["test"]["confusion"] == d[1]["test"]["confusion"]' eval.json by-folder/summary.json

# ---- files that do not say it ----
emnist bare '' 1
run 2 "$lockstep" train toy.yaml data.source=bare -o asked
one_error
err_has 'labels go from 1 to 4, and none is 0: .*data.first_label=1.*data.first_label=0'
[[ ! -e asked ]] || fail 'a run directory was made for a dataset with two readings'
keys=(data.source=bare data.transpose=true data.first_label=1)
run 0 "$lockstep" train toy.yaml "${small[@]}" "${keys[@]}" -o by-keys
holds 'the keys decide it' 'd[0]["weights_digest"] == d[1]["weights_digest"]' plain/summary.json by-keys/summary.json
run 0 "$lockstep" eval by-keys/best.h5 --data bare --json
cp out eval.json
holds 'eval reads as training did' 'd[0]["test"]["confusion"] == d[1]["test"]["confusion"]' eval.json by-keys/summary.json
cp -r bare elsewhere
for data in "$PWD/bare" "elsewhere --transpose true --first-label 1"; do
  run 0 "$lockstep" eval by-keys/best.h5 --data $data --json
  cp out eval.json
  holds "eval reads $data as training did" 'd[0]["test"]["confusion"] == d[1]["test"]["confusion"]' eval.json by-keys/summary.json
done
run 2 "$lockstep" eval by-keys/best.h5 --data elsewhere
err_has 'there is no 0: if they start at 1'
run 0 "$lockstep" attack by-keys/best.h5 --data elsewhere --transpose true --first-label 1 --method fgsm --epsilon 0 --json
cp out attack.json
holds 'attack reads as eval does' 'd[0]["results"][0]["accuracy"] == d[1]["test"]["accuracy"]' attack.json by-keys/summary.json
run 2 "$lockstep" train toy.yaml "${small[@]}" "${keys[@]}" data.first_label=0 data.classes=5 -o by-keys --resume model.layers.fc.units=5
run 2 "$lockstep" train toy.yaml "${small[@]}" "${keys[@]}" data.transpose=false -o by-keys --resume
err_has 'data.transpose'
[[ $(data_digest bare --transpose true --first-label 1) == "$want" ]] || fail 'the options of data do not decide it'
run 0 "$lockstep" data import bare --transpose=true --first-label=1 -o bare.h5
[[ $(data_digest bare.h5) == "$want" ]] || fail 'bare.h5 holds other samples'
run 2 "$lockstep" data info bare.h5 --transpose true
err_has 'data.transpose: .* is HDF5.* the key is for IDX files'
run 2 "$lockstep" train toy.yaml data.source=bare.h5 data.first_label=1
err_has 'data.first_label: .*says itself that it has 4 classes'
[[ $(data_digest bare.h5 --transpose false --first-label 0) == "$want" ]] || fail 'bare.h5 may not be read as it says itself'
run 2 "$lockstep" data info bare --transpose maybe
err_has 'expected true or false'
run 2 "$lockstep" train toy.yaml data.transpose=yes
err_has 'data.transpose.*auto, true or false|data.transpose'
run 0 "$lockstep" train toy.yaml data.source=bare data.first_label=0 model.layers.fc.units=5 --dry-run
err_has "no training samples of class 0: labels go from 0 to 4"
ranks 2 0 "$lockstep" train toy.yaml "${small[@]}" "${keys[@]}" -o two-ranks
holds 'two ranks read alike' 'd[0]["weights_digest"] == d[1]["weights_digest"]' plain/summary.json two-ranks/summary.json

# ---- batches of CIFAR-10 ----
cifar() { # cifar FOLDER NAME...: two batches, and ten classes of such names
  local folder=$1
  shift
  mkdir -p "$folder"
  python3 - "$folder" <<'P'
import random, sys
r = random.Random(1)
for name, count in (("data_batch_1", 30), ("data_batch_2", 30), ("test_batch", 20)):
    with open(f"{sys.argv[1]}/{name}.bin", "wb") as f:
        for i in range(count):
            f.write(bytes([i % 10]) + bytes(r.randrange(40) + 20 * (i % 10) for _ in range(3072)))
P
  printf '%s\n' "$@" >"$folder/batches.meta.txt"
}
cifar one a b c d e f g h i j
cifar two k l m n o p q r s t
cat >cifar.yaml <<'Y'
data: {source: one}
model: {layers: [{type: avgpool, size: 8}, {type: flatten}, {type: dense, name: fc, units: 10}]}
train: {epochs: 1, batch: 20}
Y
run 0 "$lockstep" train cifar.yaml -o cifar
network=$(ls cifar/checkpoint-*.h5)
run 0 "$lockstep" eval "$network"
[[ ! -s err ]] || fail "an evaluation on the network's own data warns: $(cat err)"
run 0 "$lockstep" eval "$network" --data two
err_has "was trained on 'one', whose classes are 'a', 'b', 'c', ...; those of 'two' are 'k', 'l', 'm', ...: class k"
out_has '\bk\b'
run 0 "$lockstep" eval "$network" --data two --json
json out 'd["test"]["accuracy"]' >/dev/null
run 0 "$lockstep" attack "$network" --data two --method fgsm --epsilon 0.1
err_has "was trained on 'one', whose classes are 'a'"
run 0 "$lockstep" train cifar.yaml data.source=two -o cifar-two
run 0 "$lockstep" eval "$network" cifar-two/checkpoint-*.h5
err_has "cifar-two/.*was trained on 'two'"
cp one/data_batch_1.bin 'one/data_batch_1 (1).bin'
run 2 "$lockstep" train cifar.yaml -o doubled
one_error
err_has "one/data_batch_1 \(1\)\.bin' looks like a batch of CIFAR-10, or a copy of one"
rm one/*\(1\)*
mv one/data_batch_2.bin one/data_batch_4.bin
run 0 "$lockstep" train cifar.yaml --dry-run
missing='data_batch_2, data_batch_3 are missing: it has 2 of 4 train batches'
err_has "^lockstep: warning: .*$missing"

# Every command that reads them reports it, once.
while read -r -a command; do
  run 0 "$lockstep" "${command[@]}"
  [[ $(grep -c "^lockstep: warning: .*$missing" err) -eq 1 ]] || fail "'$last' reports not once: $missing: $(<err)"
done <<T
eval $network
eval $network --json
attack $network --method fgsm --epsilon 0.1
bench cifar.yaml --seconds 0.1
bench cifar.yaml --seconds 0.1 --json
data info one
data preview one -o one.png
data import one -o one.h5
train cifar.yaml -o few
T
ranks 2 0 "$lockstep" scale cifar.yaml --mode strong --seconds 0.05
[[ $(grep -c "^lockstep: warning: .*$missing" err) -eq 1 ]] || fail "'$last' reports not once: $missing: $(<err)"

# Of an ensemble's members, each that reads them: the first has other data.
printf '%s\n' 'ensemble: {members: 2, overrides: ["data.source=two", "data.source=one"]}' >>cifar.yaml
run 0 "$lockstep" train cifar.yaml -o members
[[ $(grep -c "^lockstep: warning: .*$missing" err) -eq 1 ]] || fail "'$last' reports not once: $missing: $(<err)"
err_has "^lockstep: warning: member 2: .*$missing"

# ---- what has no effect ----
run 2 "$lockstep" bench toy.yaml ensemble.members=4
one_error
err_has 'ensemble.members: 4, but bench measures the training of one network.*ensemble.members=0.*lockstep train'
ranks 2 2 "$lockstep" scale toy.yaml ensemble.members=4
err_has 'ensemble.members: 4, but scale measures'
finish
