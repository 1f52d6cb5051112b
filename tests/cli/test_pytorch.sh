#!/usr/bin/env bash
# A network from PyTorch gives here what it gives there, and one that was trained here gives there what it gives here, by
# README's pieces of Python as they stand there. PYTHON: a Python with torch, h5py, safetensors and NumPy; skipped without.
source "$(dirname "$0")/lib.sh"
python=${PYTHON:-python3}

snippet 'Into PyTorch' h5py into.py
snippet 'Weights for other programs' safetensors by-safetensors.py
snippet 'Weights for other programs' numpy by-npz.py
"$python" -c 'import h5py, numpy, safetensors, torch' 2>/dev/null || {
  [[ $failures -eq 0 ]] || finish
  echo "skipped: $python has not all of torch, h5py, safetensors and NumPy (PYTHON names another one)"
  exit 77
}

toy toy 333 101
cat >net.yaml <<'Y'
data: {source: toy, validation: 50}
model:
  layers:
    - {type: conv, name: conv1, filters: 6, kernel: 3, pad: 1, bias: false}
    - {type: batchnorm, name: bn1}
    - {type: relu}
    - type: residual
      name: layer1_0
      body:
        - {type: conv, name: conv1, filters: 9, kernel: 3, stride: 2, pad: 1, bias: false}
        - {type: batchnorm, name: bn1}
        - {type: relu}
        - {type: conv, name: conv2, filters: 9, kernel: 3, pad: 1, bias: false}
        - {type: batchnorm, name: bn2}
      shortcut:
        - {type: conv, name: "0", filters: 9, kernel: 1, stride: 2, bias: false}
        - {type: batchnorm, name: "1"}
    - {type: relu}
    - {type: globalavgpool}
    - {type: dense, name: fc, units: 4}
train: {epochs: 2, batch: 40, optimizer: {type: sgd, lr: 0.1, momentum: 0.9}}
Y
cat >net.py <<'P'
import gzip, torch
from torch import nn
class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(6, 9, 3, 2, 1, bias=False), nn.BatchNorm2d(9)
        self.conv2, self.bn2 = nn.Conv2d(9, 9, 3, 1, 1, bias=False), nn.BatchNorm2d(9)
        self.downsample = nn.Sequential(nn.Conv2d(6, 9, 1, 2, bias=False), nn.BatchNorm2d(9))
    def forward(self, x):
        return self.downsample(x) + self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(1, 6, 3, 1, 1, bias=False), nn.BatchNorm2d(6)
        self.layer1 = nn.Sequential(Block())
        self.fc = nn.Linear(9, 4)
    def forward(self, x):
        x = torch.relu(self.layer1(torch.relu(self.bn1(self.conv1(x)))))
        return self.fc(x.mean((2, 3)))
def toy(prefix):
    bytes_of = gzip.open(f"toy/{prefix}-images-idx3-ubyte.gz").read()[16:]
    return torch.frombuffer(bytearray(bytes_of), dtype=torch.uint8).reshape(-1, 1, 12, 12)
def write_png(path, image):
    import struct, zlib
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + bytes(row.tolist()) for row in image)
    open(path, "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 12, 12, 8, 0, 0, 0, 0)) +
                           chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
def compare(logits, document):
    """Logits are known up to a constant: the logarithms of the probabilities."""
    import json
    there = torch.tensor([p["probabilities"] for p in json.load(open(document))["predictions"]]).double().log()
    worst = (logits.double().log_softmax(1) - there).abs().max().item()
    assert worst < 1e-4 and there.shape == logits.shape, f"{document}: logits differ by {worst}"
images = toy("t10k")[:12]
P

# One that PyTorch has: its running statistics are of some images, and its normalization is its own.
"$python" - <<'P' || fail 'PyTorch does not make a network'
from net import *
torch.manual_seed(1)
net = Net()
for i in range(9): net((toy("train")[30 * i:30 * i + 30] / 255 - 0.3) / 0.2)
net.eval()
torch.save(net.state_dict(), "model.pt")
with torch.no_grad(): torch.save(net((images / 255 - 0.3) / 0.2), "logits.pt")
for i, image in enumerate(images): write_png(f"image-{i:02}.png", image[0])
P
run 0 "$lockstep" train net.yaml model.init_from=model.pt train.epochs=0 'data.mean=[0.3]' 'data.std=[0.2]' -o runs/imported
grep -q 'lacks tensors' err && fail 'a layer has found no weights'
run 0 "$lockstep" predict runs/imported/checkpoint-0.h5 image-*.png --raw --json
cp out imported.json
"$python" -c 'from net import *; compare(torch.load("logits.pt"), "imported.json")' || fail 'not what it gives in PyTorch'

# into RUN: what README's Python gives with the best network of a run, compared with lockstep.
into() {
  run 0 "$lockstep" predict "runs/$1/best.h5" image-*.png --raw --json
  cp out "$1.json"
  { echo 'from net import *; model = Net()'; sed "s#runs/first/#runs/$1/#" into.py; echo "compare(logits, '$1.json')"; } >"$1.py"
  "$python" "$1.py" || fail "README's Python into PyTorch fails with runs/$1"
}
grep -q runs/first/best.h5 into.py || fail 'README names another file than its first run leaves'
run 0 "$lockstep" train net.yaml -o runs/first
into first
run 0 "$lockstep" train net.yaml train.ema=0.8 data.normalize=unit -o runs/averaged
into averaged

# By the files that are exported, with the names of PyTorch's modules.
for run in first averaged; do
  for format in safetensors npz; do
    run 0 "$lockstep" export runs/$run -o model.$format
    { echo 'from net import *; model = Net()'; cat by-$format.py; echo "compare(logits, '$run.json')"; } >$run-$format.py
    "$python" $run-$format.py || fail "README's Python fails with runs/$run as $format"
  done
done
finish
