#!/usr/bin/env python3
"""Training speed of PyTorch on the nets of configs/ and bench/nets/: forward, backward and SGD on data in memory, in the
better of its two layouts of images.

usage: /usr/bin/python3 tests/bench/torch_train.py [NET ...] [--threads N] [--processes P] [--batch B] [--seconds S]
Prints one line per net: samples per second, median of windows. With several processes (DistributedDataParallel,
gloo) each takes its share of the batch.
"""
import argparse
import os
import statistics
import time

import torch
from torch import distributed, multiprocessing, nn

torch.manual_seed(1)


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Dropout(0.2), nn.Linear(512, 256),
                         nn.ReLU(), nn.Dropout(0.2), nn.Linear(256, 10))


def lenet5():
    return nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84),
                         nn.ReLU(), nn.Linear(84, 10))


def fast_cnn():
    return nn.Sequential(nn.Conv2d(1, 24, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(24, 32, 3), nn.MaxPool2d(2),
                         nn.ReLU(), nn.Flatten(), nn.Linear(800, 256), nn.ReLU(), nn.Linear(256, 10))


def keras_cnn():
    return nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Dropout(0.25), nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5),
                         nn.Linear(128, 10))


def deotte_cnn():
    def stage(channels, filters, kernel, stride=1, padding=0):
        return [nn.Conv2d(channels, filters, kernel, stride, padding), nn.ReLU(), nn.BatchNorm2d(filters)]
    return nn.Sequential(*stage(1, 32, 3), *stage(32, 32, 3), *stage(32, 32, 5, 2, 2), nn.Dropout(0.4),
                         *stage(32, 64, 3), *stage(64, 64, 3), *stage(64, 64, 5, 2, 2), nn.Dropout(0.4),
                         *stage(64, 128, 4), nn.Flatten(), nn.Dropout(0.4), nn.Linear(128, 10))


class Block(nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        self.body = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(),
                                  nn.Conv2d(channels, filters, 3, stride, 1, bias=False), nn.BatchNorm2d(filters),
                                  nn.ReLU(), nn.Conv2d(filters, filters, 3, 1, 1, bias=False))
        same = channels == filters and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv2d(channels, filters, 1, stride, bias=False)

    def forward(self, x):
        return self.body(x) + self.shortcut(x)


def resnet20():
    layers = [nn.Conv2d(1, 16, 3, 1, 1, bias=False)]
    channels = 16
    for filters in (16, 32, 64):
        for index in range(3):
            layers.append(Block(channels, filters, 2 if filters > 16 and index == 0 else 1))
            channels = filters
    return nn.Sequential(*layers, nn.BatchNorm2d(64), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(64, 10))


class Inverted(nn.Module):
    def __init__(self, channels, filters, expansion, stride):
        super().__init__()
        inner = channels * expansion
        expand = [] if expansion == 1 else [nn.Conv2d(channels, inner, 1, bias=False), nn.BatchNorm2d(inner), nn.ReLU()]
        self.body = nn.Sequential(*expand, nn.Conv2d(inner, inner, 3, stride, 1, groups=inner, bias=False),
                                  nn.BatchNorm2d(inner), nn.ReLU(), nn.Conv2d(inner, filters, 1, bias=False),
                                  nn.BatchNorm2d(filters))
        self.adds = channels == filters and stride == 1

    def forward(self, x):
        return x + self.body(x) if self.adds else self.body(x)


def mobilenet_like():
    layers = [nn.Conv2d(1, 32, 3, 1, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU()]
    channels = 32
    for expansion, filters, count, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2)):
        for index in range(count):
            layers.append(Inverted(channels, filters, expansion, stride if index == 0 else 1))
            channels = filters
    return nn.Sequential(*layers, nn.Conv2d(32, 192, 1, bias=False), nn.BatchNorm2d(192), nn.ReLU(),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(192, 10))


class Growth(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.body = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, 12, 3, 1, 1, bias=False))

    def forward(self, x):
        return torch.cat([x, self.body(x)], 1)


def densenet_like():
    layers, channels = [nn.Conv2d(1, 24, 3, 1, 1, bias=False)], 24
    for block in range(3):
        for _ in range(4):
            layers.append(Growth(channels))
            channels += 12
        layers += [nn.BatchNorm2d(channels), nn.ReLU()]
        if block < 2:
            layers += [nn.Conv2d(channels, channels, 1, bias=False), nn.AvgPool2d(2)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


NETS = [mlp, lenet5, fast_cnn, keras_cnn, deotte_cnn, resnet20, mobilenet_like, densenet_like]


def measure(make, arguments, memory_format):
    batch = arguments.batch // arguments.processes
    net = make().to(memory_format=memory_format)
    if arguments.processes > 1:
        net = nn.parallel.DistributedDataParallel(net)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, nesterov=True)
    loss = nn.CrossEntropyLoss()
    x, y = torch.rand(batch, 1, 28, 28).contiguous(memory_format=memory_format), torch.randint(10, (batch,))

    def run(steps):
        start = time.monotonic()
        for _ in range(steps):
            optimizer.zero_grad(set_to_none=True)
            loss(net(x), y).backward()
            optimizer.step()
        return steps * arguments.batch / (time.monotonic() - start)
    run(3)
    steps = torch.tensor(max(1, int(arguments.seconds / 7 * run(5) / arguments.batch)))
    if arguments.processes > 1:
        distributed.broadcast(steps, 0)
    return statistics.median(run(int(steps)) for _ in range(7))


def work(rank, arguments):
    torch.set_num_threads(arguments.threads)
    if arguments.processes > 1:
        distributed.init_process_group("gloo", rank=rank, world_size=arguments.processes)
    for make in NETS:
        if make.__name__ in arguments.nets:
            formats = (torch.contiguous_format, torch.channels_last)
            rate = max(measure(make, arguments, memory_format) for memory_format in formats)
            if rank == 0:
                print(f"{make.__name__:10s} {rate:9.0f} samples/s", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("nets", nargs="*", default=[make.__name__ for make in NETS])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=7)
    arguments = parser.parse_args()
    if arguments.processes == 1:
        work(0, arguments)
        return
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=os.environ.get("MASTER_PORT", "29511"))
    multiprocessing.spawn(work, (arguments,), arguments.processes)


if __name__ == "__main__":
    main()
