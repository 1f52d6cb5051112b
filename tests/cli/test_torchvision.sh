#!/usr/bin/env bash
# The configurations that have torchvision's names are its networks: with its weights, random ones, they give what they give
# there. DenseNet-40 is none of torchvision's: it is built here. Skipped where PYTHON (default python3) has no torchvision.
source "$(dirname "$0")/lib.sh"
python=${PYTHON:-python3}
"$python" -c 'import torch, torchvision' 2>/dev/null || { echo "skipped: $python has no torch and torchvision (PYTHON names another)"; exit 77; }

cat >make.py <<'P'
import json, sys, torch, torchvision
from torch import nn

class DenseNet40(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv0, width = nn.Conv2d(3, 24, 3, padding=1, bias=False), 24
        for block in (1, 2, 3):
            for layer in range(1, 13):
                self.add_module(f"bn{block}_{layer}", nn.BatchNorm2d(width))
                self.add_module(f"conv{block}_{layer}", nn.Conv2d(width, 12, 3, padding=1, bias=False))
                width += 12
            self.add_module(f"bn{block}", nn.BatchNorm2d(width))
            if block < 3:
                self.add_module(f"conv{block}", nn.Conv2d(width, width, 1, bias=False))
        self.fc = nn.Linear(width, classes)

    def forward(self, x):
        x = self.conv0(x)
        for block in (1, 2, 3):
            for layer in range(1, 13):
                y = getattr(self, f"bn{block}_{layer}")(x).relu()
                x = torch.cat([x, getattr(self, f"conv{block}_{layer}")(y)], 1)
            x = getattr(self, f"bn{block}")(x).relu()
            if block < 3:
                x = nn.functional.avg_pool2d(getattr(self, f"conv{block}")(x), 2)
        return self.fc(x.mean((2, 3)))

torch.manual_seed(3)
picture = torch.randint(0, 256, (3, 9, 9)).float()
picture = nn.functional.interpolate(picture[None], 64, mode="bilinear")[0].round().to(torch.uint8)
torchvision.io.write_png(picture, "picture.png")
x = (picture.double()[None] / 255 - 0.5) / 0.25
made = {"resnet18": torchvision.models.resnet18, "resnet50": torchvision.models.resnet50,
        "mobilenetv2": torchvision.models.mobilenet_v2, "squeezenet": torchvision.models.squeezenet1_1,
        "densenet40": lambda num_classes: DenseNet40(num_classes)}
logits = {}
for name, make in made.items():
    net = make(num_classes=10)
    for _ in range(3):                                  # running statistics as a training leaves them
        net.train()(torch.rand(8, 3, 64, 64) * 4 - 2)
    torch.save(net.state_dict(), f"{name}.pt")
    logits[name] = net.double().eval()(x)[0].tolist()
json.dump(logits, open("logits.json", "w"))
P
run 0 "$python" make.py
for net in resnet18 resnet50 mobilenetv2 squeezenet densenet40; do
  sed -e 's/^  source: .*/  source: none\n  shape: [3, 64, 64]/' -e 's/^  normalize: .*/  normalize: {mean: [0.5], deviation: [0.25]}/' \
    "$root/configs/$net.yaml" >"$net.yaml"
  run 0 "$lockstep" predict "$net.pt" --raw picture.png --json
  cp out "$net.json"
  "$python" - "$net" <<'P' || fail "$net is not PyTorch's"
import json, math, sys
net = sys.argv[1]
expected = json.load(open("logits.json"))[net]
found = [math.log(p) for p in json.load(open(net + ".json"))["predictions"][0]["probabilities"]]
differences = [abs((a - expected[0]) - (b - found[0])) for a, b in zip(expected, found)]
print(net, "logits", [round(v, 3) for v in expected[:3]], "apart at most", max(differences))
sys.exit(max(differences) > 1e-5 or len(found) != 10)
P
done
finish
