#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Make attacks.h5: what PyTorch makes of FGSM and PGD on small nets in evaluation mode.

Run from any folder with a Python that has torch and h5py. Worked out in double, stored as float32. A group per net:
attributes `layers`, `epsilon`, `step_size`, `steps`; pixels [n, c, h, w] 0 .. 255, mean and deviation [c] (pixel
units), labels [n], params.TENSOR, buffers.TENSOR; offsets [n, c, h, w] in -1 .. 1, where PGD starts in epsilons; and
the attacks' outcomes in raw pixel units: gradient (of the loss, with respect to the raw pixels), fgsm, targeted
(towards the class label + 1), pgd. Pixels whose gradient all but vanishes on PGD's way are kept out: seeds are tried
until the smallest magnitude is far from rounding.
"""
import os

import h5py
import torch
from torch.nn import functional as F

from make_goldens import HERE, build, set_weights, yaml

NETS = {
    "grey": (1, [{"type": "conv", "name": "conv1", "filters": 4, "kernel": 3, "pad": 1}, {"type": "batchnorm"},
                 {"type": "tanh"}, {"type": "dropout"}, {"type": "flatten"},
                 {"type": "dense", "name": "fc", "units": 5}]),
    "colour": (3, [{"type": "conv", "name": "conv1", "filters": 6, "kernel": 3}, {"type": "sigmoid"},
                   {"type": "avgpool", "size": 2}, {"type": "flatten"},
                   {"type": "dense", "name": "fc", "units": 5}]),
}
EPSILON, STEP_SIZE, STEPS, SIDE, COUNT = 0.1, 0.04, 5, 6, 3


def attack(net, channels):
    pixels = torch.randint(0, 256, (COUNT, channels, SIDE, SIDE)).double()
    pixels[:, :, 0] = 0.0
    pixels[:, :, 1] = 255.0
    mean, deviation = torch.linspace(30, 90, channels), torch.linspace(60, 80, channels)
    labels = torch.arange(COUNT)
    raw, smallest = pixels / 255, []

    def gradient(x, y):
        x = x.clone().requires_grad_(True)
        scaled = (x * 255 - mean.view(1, -1, 1, 1)) / deviation.view(1, -1, 1, 1)
        g, = torch.autograd.grad(F.cross_entropy(net(scaled), y, reduction="sum"), x)
        smallest.append((g.abs().min() / g.abs().max()).item())
        return g

    def limit(x):
        return torch.min(torch.max(x, raw - EPSILON), raw + EPSILON).clamp(0, 1)

    offsets = torch.rand_like(raw) * 2 - 1
    x = limit(raw + EPSILON * offsets)
    for _ in range(STEPS):
        x = limit(x + STEP_SIZE * gradient(x, labels).sign())
    found = {"pixels": pixels, "mean": mean, "deviation": deviation, "labels": labels, "offsets": offsets,
             "gradient": gradient(raw, labels), "fgsm": limit(raw + EPSILON * gradient(raw, labels).sign()),
             "targeted": limit(raw - EPSILON * gradient(raw, labels + 1).sign()), "pgd": x}
    return found, min(smallest)


def main():
    with h5py.File(os.path.join(HERE, "attacks.h5"), "w") as f:
        for name, (channels, layers) in NETS.items():
            for seed in range(1000):
                torch.manual_seed(seed)
                tensors = {}
                net = build(layers, (COUNT, channels, SIDE, SIDE), tensors)
                set_weights(tensors, True)
                net.eval()
                found, smallest = attack(net, channels)
                if smallest > 1e-4:
                    break
            else:
                raise SystemExit("no seed keeps off the kinks")
            group = f.create_group(name, track_order=True)
            group.attrs.update({"layers": yaml(layers), "epsilon": EPSILON, "step_size": STEP_SIZE, "steps": STEPS})
            for key, value in found.items():
                group[key] = value.numpy().astype("u2" if key == "labels" else "f4")
            for layer, module in tensors.items():
                for key, value in module.named_parameters():
                    group["params.%s.%s" % (layer, key)] = value.detach().numpy().astype("f4")
                for key, value in module.named_buffers():
                    if value.dim() > 0:
                        group["buffers.%s.%s" % (layer, key)] = value.numpy().astype("f4")
            print(name, "seed", seed, "smallest gradient", smallest)


main()
