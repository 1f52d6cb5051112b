#!/usr/bin/env bash
# Weights out and in again: what is exported in each format is the same network when a run starts from it.
source "$(dirname "$0")/lib.sh"
toy toy 333 101
cat >net.yaml <<'Y'
data: {source: toy, validation: 50}
model:
  layers:
    - {type: conv, name: conv1, filters: 6, kernel: 3, pad: 1, bias: false}
    - {type: batchnorm, name: bn1}
    - type: residual
      name: layer1_0
      body: [{type: conv, name: conv1, filters: 9, kernel: 3, pad: 1}, {type: batchnorm, name: bn1}]
      shortcut: [{type: conv, name: first, filters: 9, kernel: 1}, {type: relu}, {type: batchnorm, name: second}]
    - {type: globalavgpool}
    - {type: dense, name: fc_1, units: 4}
train: {epochs: 2, batch: 40, optimizer: {type: sgd, lr: 0.1, momentum: 0.9}}
Y
run 0 "$lockstep" train net.yaml train.ema=0.9 -o run
run 0 "$lockstep" eval run/best.h5 --json
cp out first.json
names='import json, struct, sys
f = open("model.safetensors", "rb"); n, = struct.unpack("<Q", f.read(8)); h = json.loads(f.read(n))
about = h.pop("__metadata__")
assert about["classes"] == "4" and about["dataset"] == "toy" and len(about["weights_digest"]) == 32, about
assert 0 < float(about["mean"]) < 255 and float(about["deviation"]) > 0 and about["channels"] == "1", about
want = {"conv1.weight": [6, 1, 3, 3], "bn1.running_var": [6], "layer1.0.conv1.weight": [9, 6, 3, 3],
        "layer1.0.downsample.0.weight": [9, 6, 1, 1], "layer1.0.downsample.2.running_mean": [9], "fc_1.weight": [4, 9]}
for name, shape in want.items():
    assert h[name]["shape"] == shape and h[name]["dtype"] == "F32", (name, h)
assert len(h) == 1 + 4 + 2 + 4 + 2 + 4 + 2 and n % 8 == 0, sorted(h)
import zipfile
z = zipfile.ZipFile("model.npz")
assert json.loads(z.comment) == about and sorted(x[:-4] for x in z.namelist()) == sorted(h) and z.testzip() is None, z.namelist()'
for format in safetensors npz; do
  run 0 "$lockstep" export run -o model.$format
  out_has "parameters of run/best.h5 to model.$format"
  cp model.$format before
  run 0 "$lockstep" export run/best.h5 -o model.$format
  cmp -s before model.$format || fail "the same network gives another model.$format"
  run 0 "$lockstep" train net.yaml train.epochs=0 model.init_from=model.$format -o again-$format
  grep -q 'lacks tensors' err && fail "a layer finds no weights in model.$format"
  run 0 "$lockstep" eval again-$format/checkpoint-0.h5 --json
  holds "the network of model.$format" 'd[0]["test"] == d[1]["test"]' out first.json
done
python3 -c "$names" || fail 'not the names, shapes and metadata that they should be'

# What is asked of a file that has several networks, or other names.
run 2 "$lockstep" train net.yaml -o none model.init_from=model.npz#layer1
err_has 'none of its tensors has the name of one of the model.s'
run 0 "$lockstep" train net.yaml --dry-run model.init_from=model.npz model.layers.fc_1.name=head 'model.rename={"^fc_(.)": "head"}'
grep -q 'lacks tensors' err && fail 'a renamed layer finds no weights'
run 0 "$lockstep" train net.yaml --dry-run model.init_from=model.npz model.layers.fc_1.name=head model.layers.layer1_0.name=other
err_has 'lacks tensors of 4 layers'
run 2 "$lockstep" train net.yaml -o none model.init_from=model.npz 'model.rename={"(": x}'
err_has "model.rename: '[(]' is no extended regular expression"
run 2 "$lockstep" train net.yaml -o none model.init_from=model.npz model.rename=x
err_has 'model.rename: expected {TEXT: TEXT, ...}'
run 0 "$lockstep" train net.yaml model.init_from=model.npz 'model.rename={"^fc_1": fc_1, "x": ""}' train.epochs=0 -o renamed
grep -qF 'rename: {"^fc_1": fc_1, x: ""}' renamed/config.yaml || { fail 'the resolved configuration has lost model.rename'; grep rename renamed/config.yaml; }

# Nothing that a file asks for is run.
printf 'cos\nsystem\n(S"touch was_run"\ntR.' >evil.pt
run 2 "$lockstep" train net.yaml -o none model.init_from=evil.pt
err_has "model.init_from: cannot take weights from 'evil.pt': its pickle, byte 0: it asks to run os.system: nothing is run"
ranks 2 2 "$lockstep" train net.yaml -o none model.init_from=evil.pt
one_error
[[ ! -e was_run && ! -e none ]] || fail 'a file has run something, or a refused run has left a folder'

run 2 "$lockstep" export run -o model.txt
err_has "'model.txt': the extension says the format; expected one of: .onnx, .safetensors, .npz"
run 2 "$lockstep" export run
run 2 "$lockstep" export run run -o model.npz
run 2 "$lockstep" export nothing.h5 -o model.npz
run 2 "$lockstep" export model.npz -o other.npz
run 1 "$lockstep" export run -o nowhere/model.npz
[[ ! -e other.npz ]] || fail 'a refused export has left a file'
finish
