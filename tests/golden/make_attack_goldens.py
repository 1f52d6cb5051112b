#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Make attacks.h5: what PyTorch makes of FGSM and PGD on small nets in evaluation mode.

Run from any folder with a Python that has torch and h5py. Worked out in double, stored as float32. A group per net:
attributes `layers`, `epsilon`, `step_size`, `steps`; pixels [n, c, h, w] 0 .. 255, mean and deviation [c] (pixel
units), labels [n], params.TENSOR, buffers.TENSOR; offsets [n, c, h, w] in -1 .. 1, where PGD starts in epsilons; and
the attacks' outcomes in raw pixel units: gradient (of log((1 - p) / p), p the label's probability, which has the
direction of the loss's and does not vanish; with respect to the raw pixels), fgsm, targeted (towards the class
label + 1), pgd. Pixels whose gradient all but vanishes on PGD's way are kept out: seeds are tried until the smallest
magnitude is far from rounding.

Nets of `sure` are right and sure of their images, black ones with bright rectangles: p is 1 in float32, and all windows
of what is black are equal. Their gradients may be 0, and have the direction of the loss's where the logits are as far
apart as the network has them; PGD is left out.
"""
import os

import h5py
import torch
from torch.nn import functional as F

from make_layer_goldens import HERE, build, conv, set_weights, yaml

NETS = {
    "grey": (1, [{"type": "conv", "name": "conv1", "filters": 4, "kernel": 3, "pad": 1}, {"type": "batchnorm"},
                 {"type": "tanh"}, {"type": "dropout"}, {"type": "flatten"},
                 {"type": "dense", "name": "fc", "units": 5}]),
    "colour": (3, [{"type": "conv", "name": "conv1", "filters": 6, "kernel": 3}, {"type": "sigmoid"},
                   {"type": "avgpool", "size": 2}, {"type": "flatten"},
                   {"type": "dense", "name": "fc", "units": 5}]),
}
RELU, FLAT, POOL = {"type": "relu"}, {"type": "flatten"}, {"type": "maxpool", "size": 2}
NORM, LAST = {"type": "batchnorm"}, {"type": "dense", "name": "last", "units": 5}
SURE = {
    "sure_dense": [FLAT, {"type": "dense", "units": 24}, RELU, LAST],
    "sure_norm": [conv(8, 3, pad=1), NORM, RELU, POOL, FLAT, LAST],
    "sure_smooth": [conv(6, 3), {"type": "tanh"}, {"type": "avgpool", "size": 2}, conv(8, 3), {"type": "gelu"}, FLAT,
                    LAST],
    "sure_residual": [conv(8, 3, pad=1),
                      {"type": "residual", "body": [conv(8, 3, pad=1), NORM, RELU, conv(8, 3, pad=1)]}, RELU,
                      {"type": "globalavgpool"}, LAST],
    "sure_equal": [conv(16, 3, pad=1), conv(16, 3, pad=1), POOL, RELU, conv(24, 3, pad=1), POOL, RELU, FLAT, LAST],
}
EPSILON, STEP_SIZE, STEPS, SIDE, COUNT = 0.1, 0.04, 5, 6, 3
SURE_SIDE, CANDIDATES, APART, MARGIN = 12, 100, 90, 18


def unlikelihood(logits, labels):
    """log((1 - p) / p) of the labels."""
    own = F.one_hot(labels, logits.shape[1]).bool()
    return torch.logsumexp(logits.masked_fill(own, -torch.inf), 1) - logits[own]


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
        g, = torch.autograd.grad(unlikelihood(net(scaled), y).sum(), x)
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


def rectangles():
    pixels = torch.zeros(CANDIDATES, 1, SURE_SIDE, SURE_SIDE)
    for image in pixels[:, 0]:
        top, left = torch.randint(1, SURE_SIDE - 6, (2,)).tolist()
        height, width = torch.randint(3, 6, (2,)).tolist()
        image[top:top + height, left:left + width] = torch.randint(120, 256, (height, width)).double()
    return pixels


def attack_sure(net, last):
    """The images that the net is surest of, its logits at most APART apart; None if it is not sure enough."""
    pixels, mean, deviation = rectangles(), torch.tensor([33.0]), torch.tensor([79.0])
    with torch.no_grad():
        logits = net((pixels - mean) / deviation)
        apart = (logits.max(1).values - logits.min(1).values).max()
        scale = 2.0 ** torch.floor(torch.log2(APART / apart))
        last.weight *= scale
        last.bias *= scale
        logits *= scale
        labels = logits.argmax(1)
        margins = -unlikelihood(logits, labels)
    surest = margins.argsort(descending=True)[:COUNT]
    if margins[surest].min() < MARGIN:
        return None
    pixels, labels, smallest = pixels[surest], labels[surest], []
    raw, found = pixels / 255, {"pixels": pixels, "mean": mean, "deviation": deviation, "labels": labels}
    for name, towards, sign in (("fgsm", labels, 1), ("targeted", (labels + 1) % 5, -1)):
        x = raw.clone().requires_grad_(True)
        g, = torch.autograd.grad(unlikelihood(net((x * 255 - mean) / deviation), towards).sum(), x)
        size = g.abs() / g.abs().amax((1, 2, 3), keepdim=True)
        smallest.append(size[size > 0].min().item())
        found[name] = (raw + sign * EPSILON * g.sign()).clamp(0, 1)
        found.setdefault("gradient", g)
    return found if min(smallest) > 1e-5 else None


def write_group(file, name, layers, tensors, found):
    group = file.create_group(name, track_order=True)
    group.attrs.update({"layers": yaml(layers), "epsilon": EPSILON, "step_size": STEP_SIZE, "steps": STEPS})
    for key, value in found.items():
        group[key] = value.numpy().astype({"labels": "u2", "pixels": "u1"}.get(key, "f4"))
    for layer, module in tensors.items():
        for key, value in module.named_parameters():
            group["params.%s.%s" % (layer, key)] = value.detach().numpy().astype("f4")
        for key, value in module.named_buffers():
            if value.dim() > 0:
                group["buffers.%s.%s" % (layer, key)] = value.numpy().astype("f4")


def make(layers, shape, seed):
    torch.manual_seed(seed)
    tensors = {}
    net = build(layers, shape, tensors)
    set_weights(tensors, True)
    return net.eval(), tensors


def main():
    with h5py.File(os.path.join(HERE, "attacks.h5"), "w") as f:
        for name, (channels, layers) in NETS.items():
            for seed in range(1000):
                net, tensors = make(layers, (COUNT, channels, SIDE, SIDE), seed)
                found, smallest = attack(net, channels)
                if smallest > 1e-4:
                    break
            else:
                raise SystemExit("no seed keeps off the kinks")
            write_group(f, name, layers, tensors, found)
            print(name, "seed", seed, "smallest gradient", smallest)
        for name, layers in SURE.items():
            for seed in range(1000):
                net, tensors = make(layers, (COUNT, 1, SURE_SIDE, SURE_SIDE), seed)
                found = attack_sure(net, tensors["last"])
                if found:
                    break
            else:
                raise SystemExit("no seed makes %s sure" % name)
            write_group(f, name, layers, tensors, found)
            print(name, "seed", seed)


main()
