#!/usr/bin/env python3
"""configs/fast_cnn.yaml in PyTorch: train on MNIST by the same recipe, then evaluate on the test split.

usage: /usr/bin/python3 tests/bench/torch_accuracy.py MNIST_FOLDER [--epochs E] [--seed S] [--threads T]
Prints the accuracy in percent.
"""
import argparse
import gzip
import os

import numpy
import torch
from torch import nn
from torch.nn import functional


def read(folder, name):
    path = os.path.join(folder, name)
    opener = gzip.open if os.path.exists(path + ".gz") else open
    with opener(path + (".gz" if opener is gzip.open else ""), "rb") as file:
        data = file.read()
    if "labels" in name:
        return torch.from_numpy(numpy.frombuffer(data, numpy.uint8, offset=8).astype(numpy.int64))
    return torch.from_numpy(numpy.frombuffer(data, numpy.uint8, offset=16).reshape(-1, 1, 28, 28).copy())


def make_net():
    net = nn.Sequential(nn.Conv2d(1, 24, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(24, 32, 3), nn.MaxPool2d(2),
                        nn.ReLU(), nn.Flatten(), nn.Linear(800, 256), nn.ReLU(), nn.Linear(256, 10))
    for module in net:
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)
    return net


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    images, labels = (read(arguments.folder, f"train-{kind}-ubyte") for kind in ("images-idx3", "labels-idx1"))
    mean, deviation = images.double().mean().item(), images.double().std().item()
    images = (images.float() - mean) / deviation
    net = make_net()
    weights = [p for p in net.parameters() if p.dim() > 1]
    biases = [p for p in net.parameters() if p.dim() == 1]
    optimizer = torch.optim.SGD([{"params": weights, "weight_decay": 5e-4}, {"params": biases}], lr=0.1, momentum=0.9,
                                nesterov=True)
    batch = 256
    steps = -(-len(images) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=arguments.epochs * steps, pct_start=0.2,
                                                   cycle_momentum=False)
    for _ in range(arguments.epochs):
        for index in torch.randperm(len(images)).split(batch):
            optimizer.zero_grad(set_to_none=True)
            functional.cross_entropy(net(images[index]), labels[index]).backward()
            optimizer.step()
            schedule.step()
    test, answers = (read(arguments.folder, f"t10k-{kind}-ubyte") for kind in ("images-idx3", "labels-idx1"))
    test = (test.float() - mean) / deviation
    with torch.no_grad():
        right = sum((net(x).argmax(1) == y).sum().item() for x, y in zip(test.split(1000), answers.split(1000)))
    print(f"{100 * right / len(answers):.2f}")


if __name__ == "__main__":
    main()
