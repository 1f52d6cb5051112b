#!/usr/bin/env bash
# Weights of another program with a configuration beside them: eval, attack, predict, export and bench do with them what
# they do with the checkpoint that the weights came from.
source "$(dirname "$0")/lib.sh"
toy toy 200 60
printf 'zero\none\ntwo\nthree\n' >names.txt
cat >net.yaml <<'Y'
data: {source: toy, class_names: names.txt}
model:
  layers:
    - {type: conv, name: conv1, filters: 6, kernel: 3, pad: 1}
    - {type: batchnorm, name: bn1}
    - {type: relu}
    - {type: flatten}
    - {type: dense, name: fc, units: 4}
train: {epochs: 1, batch: 40}
Y
run 0 "$lockstep" train net.yaml -o run
run 0 "$lockstep" export run -o model.safetensors
cp net.yaml model.yaml
python3 - <<'P' || fail 'no picture'
import struct, zlib
def chunk(kind, data): return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
rows = b"".join(b"\0" + bytes((x * 9 + y * 5) % 256 for x in range(40)) for y in range(30))
open("p.png", "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 40, 30, 8, 0, 0, 0, 0)) +
                          chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
P

# both COMMAND... : the same JSON document of the checkpoint and of the weights.
both() {
  local word=$1
  shift
  run 0 "$lockstep" "$word" run/checkpoint-*.h5 "$@" --json
  cp out first.json
  ranks 2 0 "$lockstep" "$word" model.safetensors "$@" --json
}
both eval
err_has 'standard takes mean and deviation of the training split of .toy.'
holds 'eval' 'd[0]["test"] == d[1]["test"] and d[0]["test"]["per_class"][2]["label"] == "two"' out first.json
both attack --method fgsm --epsilon 0.1
holds 'attack' 'd[0]["results"] == d[1]["results"]' out first.json
both predict p.png
holds 'predict' 'd[0]["predictions"] == d[1]["predictions"] and d[0]["predictions"][0]["label"] in ("zero", "one", "two", "three")' out first.json
run 0 "$lockstep" bench model.safetensors --seconds 0.1
out_has 'samples/s'

# With shape and normalization no dataset is needed, and what would take one says so.
sed 's/source: toy/source: nowhere, shape: [1, 12, 12], picture: photo, normalize: {mean: [0.25]}/' net.yaml >model.yaml
run 0 "$lockstep" predict model.safetensors p.png
out_has '^pictures: photo'
run 0 "$lockstep" export model.safetensors -o again.safetensors
grep -aq '"mean": *"63.75"' again.safetensors || fail 'not the mean that was given'
run 2 "$lockstep" eval model.safetensors
err_has "'nowhere'"
one_error
run 2 "$lockstep" train net.yaml 'data.shape=[1, 12, 13]' --dry-run
err_has "data.shape: 1x12x13, but the images of 'toy' are 1x12x12"

# What is not whole is refused, by one message.
sed 's/name: fc/name: other/' net.yaml >model.yaml
ranks 2 2 "$lockstep" eval model.safetensors
err_has 'lacks weights of the configured network: other.weight, other.bias'
one_error
printf 'zero\none\n' >names.txt
run 2 "$lockstep" train net.yaml -o never
err_has "data.class_names: 'names.txt': 2 lines, a name each, but there are 4 classes"
one_error
[[ ! -e never ]] || fail 'a run directory was made'

# Without a network there is nothing to compare.
run 77 env LOCKSTEP="$lockstep" PIP_NO_INDEX=1 bash "$root/jobs/imagenet.sh" "$work/imagenet"
err_has '^skipped: '
finish
