#!/usr/bin/env bash
# onnxruntime gives what lockstep gives, to 1e-5 (2e-6 of logits beyond 5), with a network of every kind of layer and with
# each configuration that has a stand-in for its data, and onnx.checker has nothing to say. PYTHON: a Python with onnx, onnxruntime and NumPy; skipped without.
source "$(dirname "$0")/lib.sh"
python=${PYTHON:-python3}
"$python" -c 'import numpy, onnx, onnxruntime' 2>/dev/null || {
  echo "skipped: $python has not all of onnx, onnxruntime and NumPy (PYTHON names another one)"
  exit 77
}
cat >net.py <<'P'
import json, struct, sys, zlib
import numpy, onnx, onnxruntime

def write_png(path, image):
    """image [c, h, w]"""
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    c, h, w = image.shape
    rows = b"".join(b"\0" + row.tobytes() for row in image.transpose(1, 2, 0))
    open(path, "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 2 if c == 3 else 0, 0, 0, 0)) +
                           chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))

def images_of(*shape):
    """Blots, so that the network has something to see."""
    random, (c, h, w) = numpy.random.default_rng(1), shape
    rows, columns = numpy.mgrid[:h, :w]
    images = []
    for i in range(8):
        centre = random.uniform(2, h - 2, (c, 2, 1, 1))
        blot = numpy.exp(-((rows - centre[:, 0]) ** 2 + (columns - centre[:, 1]) ** 2) / (h * w / 30))
        images.append(numpy.clip(230 * blot + random.normal(15, 20, shape), 0, 255))
    return numpy.array(images).astype(numpy.uint8)

def run(path, images):
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    what, = session.get_inputs()
    assert what.name == "input" and what.shape[0] == "N" and what.shape[1:] == list(images.shape[1:]), what.shape
    return session.run(None, {"input": images.astype(numpy.float32)})[0].astype(numpy.float64)

def compare(y, document, are_logits=True):
    there = numpy.array([p["probabilities"] for p in json.load(open(document))["predictions"]])
    digits = 1e-5 * max(1, abs(y).max() / 5)    # of float32's seven: logits of deep untrained networks are large
    if are_logits: y = numpy.exp(y - y.max(1, keepdims=True))
    if are_logits: y /= y.sum(1, keepdims=True)
    worst = abs(y - there).max()
    assert y.shape == there.shape and worst < digits, f"outputs differ by {worst}, more than {digits}"
    assert abs(there - there[0]).max() > 1e-5, f"all images have the same outputs: {abs(there - there[0]).max()}"
P

toy toy 333 101
cp "$root/tests/cli/every_kind.yaml" net.yaml
"$python" -c 'from net import *
for i, image in enumerate(images_of(1, 12, 12)): write_png(f"image-{i}.png", image)'
run 0 "$lockstep" train net.yaml train.ema=0.9 -o run
run 0 "$lockstep" predict run/best.h5 image-*.png --raw --json
cp out there.json
for option in '' --softmax --fold-batchnorm --normalized; do
  # shellcheck disable=SC2086
  run 0 "$lockstep" export run -o model.onnx $option
  "$python" - $option <<'P' || fail "onnxruntime gives something else: '$option'"
from net import *
model, images = onnx.load("model.onnx"), images_of(1, 12, 12).astype(numpy.float32)
about = {p.key: p.value for p in model.metadata_props}
norms = sum(n.op_type == "BatchNormalization" for n in model.graph.node)
assert norms == (1 if "--fold-batchnorm" in sys.argv else 4), norms
assert about["classes"] == "4" and about["dataset"] == "toy" and len(about["weights_digest"]) == 32, about
assert model.opset_import[0].version >= 17 and model.producer_name == "lockstep"
if "--normalized" in sys.argv: images = (images - float(about["mean"])) / float(about["deviation"])
compare(run("model.onnx", images), "there.json", "--softmax" not in sys.argv)
P
done

# README's Python.
run 0 "$lockstep" export run -o model.onnx
sed -n '/^### ONNX$/,/^### /p' "$root/README.md" | awk '/^```/ {inside = $0 == "```python"; next} inside' >snippet.py
grep -q onnxruntime snippet.py || fail "README has no Python with onnxruntime"
{ echo 'from net import *; images = images_of(1, 12, 12)'; cat snippet.py; echo 'compare(logits.astype(float), "there.json")'; } >snippet-run.py
"$python" snippet-run.py || fail "README's Python fails"

python3 "$root/tests/cli/stand_ins.py" stand-ins 100 100 50
export LOCKSTEP_DATA_PATH=$work/stand-ins
for config in "$root"/configs/*.yaml; do
  name=$(basename "$config" .yaml)
  shape=1,28,28
  case $(sed -n 's/^  source: //p' "$config") in
    cifar10) shape=3,32,32 ;;
    imagenet) continue ;; # no stand-in has its images
  esac
  run 0 "$lockstep" train "$config" train.epochs=0 ensemble.members=0 data.validation=0 -o "$name"
  "$python" -c "from net import *
for i, image in enumerate(images_of($shape)): write_png(f'image-{i}.png', image)"
  run 0 "$lockstep" predict "$name" image-*.png --raw --json
  cp out there.json
  run 0 "$lockstep" export "$name" -o model.onnx
  "$python" -c "from net import *
compare(run('model.onnx', images_of($shape)), 'there.json')" || fail "onnxruntime gives something else with $name"
done
finish
