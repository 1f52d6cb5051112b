# SPDX-License-Identifier: BSD-3-Clause
"""The table of bench_layers, measured with PyTorch on one thread, each layer in the better of PyTorch's two layouts.

    /usr/bin/python3 tests/bench/torch_layers.py [NETWORK] [seconds per layer]
"""
import sys
import time

import torch
from torch import nn

REPEATS = 10
BATCH = 256
SAME = -1


def conv(height, channels, filters, kernel, stride=1, pad=0, times=1, first=False, bias=True, groups=1):
    return dict(kind="conv", shape=(channels, height, height), filters=filters, kernel=kernel, stride=stride,
                pad=pad, times=times, first=first, bias=bias, groups=groups)


def depthwise(height, channels, kernel, stride=1, times=1):
    return conv(height, channels, channels, kernel, stride, kernel // 2, times, groups=channels)


def dense(inputs, units, first=False):
    return dict(kind="dense", shape=(inputs,), units=units, times=1, first=first)


def pool(height, channels):
    return dict(kind="maxpool", shape=(channels, height, height), times=1, first=False)


NETWORKS = {
    "mlp": [dense(784, 512, True), dense(512, 256), dense(256, 10)],
    "lenet5": [conv(28, 1, 6, 5, pad=2, first=True), pool(28, 6), conv(14, 6, 16, 5), pool(10, 16),
               dense(400, 120), dense(120, 84), dense(84, 10)],
    "fast_cnn": [conv(28, 1, 24, 5, first=True), pool(24, 24), conv(12, 24, 32, 3), pool(10, 32),
                 dense(800, 256), dense(256, 10)],
    "keras_cnn": [conv(28, 1, 32, 3, first=True), conv(26, 32, 64, 3), pool(24, 64), dense(9216, 128),
                  dense(128, 10)],
    "deotte_cnn": [conv(28, 1, 32, 3, first=True), conv(26, 32, 32, 3), conv(24, 32, 32, 5, 2, SAME),
                   conv(12, 32, 64, 3), conv(10, 64, 64, 3), conv(8, 64, 64, 5, 2, SAME), conv(4, 64, 128, 4),
                   dense(128, 10)],
    "resnet20": [conv(28, 1, 16, 3, pad=1, first=True, bias=False), conv(28, 16, 16, 3, pad=1, times=6, bias=False),
                 conv(28, 16, 32, 3, 2, 1, bias=False), conv(28, 16, 32, 1, 2, bias=False),
                 conv(14, 32, 32, 3, pad=1, times=5, bias=False), conv(14, 32, 64, 3, 2, 1, bias=False),
                 conv(14, 32, 64, 1, 2, bias=False), conv(7, 64, 64, 3, pad=1, times=5, bias=False),
                 dense(64, 10)],
    "mobilenet": [depthwise(32, 32, 3), depthwise(32, 96, 3), depthwise(32, 144, 3), depthwise(32, 144, 3, 2),
                  depthwise(16, 192, 3, times=2), depthwise(16, 192, 3, 2), depthwise(8, 384, 3, times=4),
                  depthwise(8, 576, 3, 2), depthwise(4, 960, 3, times=3)],
    "depthwise5": [depthwise(56, 72, 5, 2), depthwise(28, 120, 5), depthwise(14, 480, 5), depthwise(14, 96, 7)],
    "grouped": [conv(32, 64, 64, 3, 1, 1, groups=2), conv(32, 64, 64, 3, 1, 1, groups=8),
                conv(16, 128, 128, 3, 1, 1, groups=32), conv(16, 256, 256, 3, 2, 1, groups=32),
                conv(16, 128, 128, 1, groups=4)],
}


def build(layer):
    """A module; `same` with a stride pads by hand, as Keras does, outside the measured layer."""
    if layer["kind"] == "dense":
        return nn.Linear(layer["shape"][0], layer["units"])
    if layer["kind"] == "maxpool":
        return nn.MaxPool2d(2)
    pad = 2 if layer["pad"] == SAME else layer["pad"]
    return nn.Conv2d(layer["shape"][0], layer["filters"], layer["kernel"], layer["stride"], pad, groups=layer["groups"],
                     bias=layer["bias"])


def measure(operation, seconds):
    operation()
    best = float("inf")
    for _ in range(REPEATS):
        calls = 0
        start = time.thread_time()
        while True:
            operation()
            calls += 1
            now = time.thread_time()
            if now - start >= seconds / REPEATS:
                break
        best = min(best, (now - start) / calls)
    return best


def multiply_adds(layer, y):
    if layer["kind"] == "dense":
        return layer["shape"][0] * layer["units"]
    if layer["kind"] == "maxpool":
        return 0
    return y[0].numel() * layer["shape"][0] // layer["groups"] * layer["kernel"] ** 2


def time_layer(layer, seconds, memory_format):
    """Seconds of a forward and of a backward pass, and the output."""
    module = build(layer).to(memory_format=memory_format)
    x = torch.rand(BATCH, *layer["shape"])
    if x.dim() == 4:
        x = x.contiguous(memory_format=memory_format)
    x.requires_grad_(not layer["first"])
    y = module(x)
    dy = torch.rand_like(y)
    parameters = list(module.parameters())
    inputs = parameters + ([] if layer["first"] else [x])

    def forward():
        with torch.no_grad():
            module(x)

    def both():
        torch.autograd.grad(module(x), inputs, dy)

    forward_s = measure(forward, seconds)
    return forward_s, measure(both, seconds) - forward_s, y


def run_layer(name, layer, seconds):
    """The better of the two layouts."""
    formats = (torch.contiguous_format, torch.channels_last)
    forward_s, backward_s, y = min((time_layer(layer, seconds, f) for f in formats), key=lambda times: sum(times[:2]))
    work = 2e-9 * multiply_adds(layer, y) * BATCH
    rates = "" if work == 0 else f" {work / forward_s:7.1f} {(1 if layer['first'] else 2) * work / backward_s:7.1f}"
    print(f"{name:11} {layer['kind']:8} {'x'.join(map(str, layer['shape'])):10} "
          f"{1e6 * forward_s / BATCH:9.2f} {1e6 * backward_s / BATCH:9.2f}{rates}", flush=True)
    return layer["times"] * (forward_s + backward_s) / BATCH


def main():
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 0.5
    torch.set_num_threads(1)
    print(f"PyTorch {torch.__version__}, one thread, batches of {BATCH}")
    print(f"{'network':11} {'layer':8} {'input':10} {'fwd us':>9} {'bwd us':>9} {'fwd GF':>7} {'bwd GF':>7}")
    for name, layers in NETWORKS.items():
        if only and name != only:
            continue
        total = sum(run_layer(name, layer, seconds) for layer in layers)
        print(f"{name:11} {1e6 * total:.1f} us per sample in these layers: {1 / total:.0f} samples/s", flush=True)


if __name__ == "__main__":
    main()
