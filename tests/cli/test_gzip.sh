#!/usr/bin/env bash
# Datasets in gzip files: one rank decompresses them for all, each file is opened once, and whatever is wrong with one is
# said before anything is written.
source "$(dirname "$0")/lib.sh"
toy toy 6000 1000 # images of 600 kB and more: several reads
toy_config
gzip toy/*-labels-idx1-ubyte
cp -r toy plain
gunzip plain/*.gz

# counted NAME RANKS COMMAND...: what each rank opens and reads of the data, in NAME.0, NAME.1, ...
counted() {
  local name=$1 count=$2
  shift 2
  rm -f "$name".[0-9]
  ranks "$count" 0 env LD_PRELOAD="$(preloaded reads)" ASAN_OPTIONS=verify_asan_link_order=0 LS_READS_OF="${part:--ubyte}" \
    LS_READS="$work/$name" "$lockstep" "$@"
}

# reads NAME RANKS EXPRESSION: a Python expression over opens[rank][file], bytes[rank][file] and size[file], files called by
# the beginnings of their names: train-images, ...
reads() {
  python3 - "$@" <<'P' || fail "reads of $1: not $3"
import os, sys
name, ranks, expression = sys.argv[1], int(sys.argv[2]), sys.argv[3]
opens, bytes, size = [], [], {}
for rank in range(ranks):
    opens.append({}), bytes.append({})
    for line in open(f"{name}.{rank}"):
        times, count, path = line.rstrip("\n").split(" ", 2)
        file = os.path.basename(path).split("-idx")[0]
        opens[rank][file], bytes[rank][file], size[file] = int(times), int(count), os.path.getsize(path)
print(name, opens, bytes, size)
sys.exit(not eval(expression))
P
}
once='len(size) == 4 and all(set(opens[r].values()) == {1} and len(opens[r]) == 4 for r in range(ranks))'
block=$((1 << 16)) # what a rank reads at once
for count in 1 2 4; do
  counted gzip-$count $count train toy.yaml train.epochs=1 -o gzip-run-$count
  reads gzip-$count $count "$once"
  for images in train-images t10k-images; do
    # Rank 0 goes through it at the opening, and once more for the samples of all.
    reads gzip-$count $count "bytes[0]['$images'] <= 2 * size['$images'] + 2 * $block"
    reads gzip-$count $count "size['$images'] > $block + 2 and all(b['$images'] <= $block + 2 for b in bytes[1:])"
  done
  counted plain-$count $count train toy.yaml train.epochs=1 data.source=plain -o plain-run-$count
  reads plain-$count $count "$once"
  reads plain-$count $count "sum(b['train-images'] for b in bytes) <= size['train-images'] + 64 * ranks"
done
holds 'the same weights' 'len({r["weights_digest"] for r in d}) == 1' {gzip,plain}-run-{1,2,4}/summary.json
ranks 3 0 "$lockstep" eval gzip-run-1/best.h5 --json
cp out gzip.json
ranks 2 0 "$lockstep" eval gzip-run-1/best.h5 --data plain --json
holds 'the same figures' 'd[0]["test"] == d[1]["test"]' gzip.json out

# Where NAME and NAME.gz lie side by side, rank 0 compares them.
cp -r plain twins
cp toy/train-images-idx3-ubyte.gz twins
counted twins 2 train toy.yaml train.epochs=1 data.source=twins -o twins-run
[[ $(grep -c '^1 ' twins.0) -eq 5 && $(grep -c '^1 ' twins.1) -eq 4 ]] || { fail 'a file is opened twice'; cat twins.[01]; }
cp toy/t10k-images-idx3-ubyte.gz twins/train-images-idx3-ubyte.gz

# Whatever is wrong with a file.
damaged() { # damaged NAME PATTERN: the dataset NAME is refused on one rank and on two, and leaves nothing
  local count
  for count in 1 2; do
    ranks $count 2 "$lockstep" train toy.yaml data.source="$1" -o never
    one_error
    err_has "^lockstep: input error: data.source: '$1/train-images-idx3-ubyte.*$2"
    [[ ! -e never ]] || fail "'$last' left a folder"
  done
}
spoil() { # spoil NAME PYTHON: a copy of the dataset, in which the bytes b of the training images are changed
  cp -r toy "$1"
  python3 -c "
import gzip
name = '$1/train-images-idx3-ubyte.gz'
b = bytearray(open(name, 'rb').read())
$2
open(name, 'wb').write(b)"
}
damaged twins 'lie side by side and should hold the same .*they differ'
spoil cut 'b = b[:len(b) // 2]'
damaged cut "is truncated: the gzip data end in the middle; get it again"
spoil checksum 'b[-8] ^= 1'
damaged checksum 'the checksum \(CRC-32\) does not match'
spoil middle 'b[len(b) // 2] ^= 255'
damaged middle 'the gzip data are damaged'
spoil tail 'b += b"tail"'
damaged tail '4 bytes follow the end of the gzip data'
spoil short 'd = bytearray(gzip.decompress(b)); d[7] += 1; b = gzip.compress(d, 1)'
damaged short 'or its header is wrong: the header promises 6001 images of 12x12, 864144 bytes, but only 864000 follow'
spoil wide 'd = bytearray(gzip.decompress(b)); d[12] = 127; b = gzip.compress(d, 1)' # rows of two thousand million pixels
damaged wide 'or its header is wrong'
spoil members 'd = gzip.decompress(b); b = b"".join(gzip.compress(d[i:i + 100000], 1) for i in range(0, len(d), 100000))'
ranks 2 0 "$lockstep" train toy.yaml data.source=members train.epochs=1 -o members-run
holds 'several members are one file' 'd[0]["weights_digest"] == d[1]["weights_digest"]' {gzip,members}-run*/summary.json

# Batches of CIFAR-10, whose labels lie between the images.
python3 - <<'P'
import gzip, os, random
r = random.Random(3)
for folder, end, create in (("cifar", "", open), ("cifar-gzip", ".gz", gzip.open)):
    os.mkdir(folder)
    r.seed(3)
    for name, count in (("data_batch_1", 60), ("data_batch_2", 40), ("test_batch", 30)):
        with create(f"{folder}/{name}.bin{end}", "wb") as f:
            for _ in range(count):
                f.write(bytes([r.randrange(10)]) + r.randbytes(3072))
P
part=_batch
for folder in cifar cifar-gzip; do
  counted $folder 3 train toy.yaml data.source=$folder train.epochs=1 'model.layers=[{type: flatten}, {type: dense, units: 10}]' \
    -o $folder-run
done
# Rank 0 goes through each file for the labels, and once more for the images; the others look at its beginning.
reads cifar-gzip 3 "len(size) == 3 and all(size[f] <= bytes[0][f] <= 2 * size[f] + 2 * $block for f in size)"
reads cifar-gzip 3 "all($block + 4 < size[f] and b[f] <= $block + 4 for b in bytes[1:] for f in size)"
holds 'batches in gzip' 'd[0]["weights_digest"] == d[1]["weights_digest"]' cifar-run/summary.json cifar-gzip-run/summary.json
# All ranks check the labels that rank 0 has read, and one reports them.
cp -r cifar-gzip wrong
python3 -c "
import gzip
name = 'wrong/data_batch_2.bin.gz'
b = bytearray(gzip.open(name).read())
b[4 * 3073] = 200
gzip.open(name, 'wb').write(b)"
ranks 3 2 "$lockstep" train toy.yaml data.source=wrong -o never
one_error
err_has "'wrong/data_batch_2.bin.gz', record 5 of 40: label 200 found, but there are 10 classes"
finish
