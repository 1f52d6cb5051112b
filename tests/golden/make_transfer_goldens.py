#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Make lenet5_state.h5, resnet20_state.h5 and transfer.h5: nets as PyTorch users write them, and what they give.

Run from any folder with a Python that has torch and h5py (made with torch 1.13, h5py 3.7). The files are
committed; tests read them, so no test needs PyTorch. The state dicts are saved as README says. transfer.h5 has a
group for each net: attribute `layers` (model.layers with names that fit), x [n, c, h, w], y [n, classes], worked out
in double in evaluation. The ResNet-20 is that of He et al. 2016 for CIFAR-10 with projection shortcuts, its modules
named as in the widely used implementation by Y. Idelbayev.
"""
import json
import os

import h5py
import torch
from torch import nn
from torch.nn import functional as F

HERE = os.path.dirname(os.path.abspath(__file__))


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2).flatten(1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


class Block(nn.Module):
    def __init__(self, inputs, filters, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, filters, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        self.shortcut = nn.Sequential()
        if stride > 1:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, filters, 1, stride, bias=False),
                                          nn.BatchNorm2d(filters))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x))


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        for stage, inputs, filters in ((1, 16, 16), (2, 16, 32), (3, 32, 64)):
            blocks = [Block(inputs, filters, 1 if stage == 1 else 2), Block(filters, filters, 1),
                      Block(filters, filters, 1)]
            setattr(self, "layer%d" % stage, nn.Sequential(*blocks))
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
        return self.linear(F.adaptive_avg_pool2d(x, 1).flatten(1))


RELU = {"type": "relu"}


def conv(name, filters, kernel, **more):
    return dict(type="conv", name=name, filters=filters, kernel=kernel, **more)


def lenet_layers():
    pool = {"type": "maxpool", "size": 2}
    layers = [conv("conv1", 6, 5, pad=2), RELU, pool, conv("conv2", 16, 5), RELU, pool, {"type": "flatten"}]
    for name, units in (("fc1", 120), ("fc2", 84), ("fc3", 10)):
        layers += [{"type": "dense", "name": name, "units": units}, RELU]
    return layers[:-1]


def resnet_layers():
    def norm(name):
        return {"type": "batchnorm", "name": name}
    layers = [conv("conv1", 16, 3, pad=1, bias=False), norm("bn1"), RELU]
    for stage, filters in ((1, 16), (2, 32), (3, 64)):
        for block in range(3):
            stride = 2 if stage > 1 and block == 0 else 1
            spec = {"type": "residual", "name": "layer%d_%d" % (stage, block),
                    "body": [conv("conv1", filters, 3, stride=stride, pad=1, bias=False), norm("bn1"), RELU,
                             conv("conv2", filters, 3, pad=1, bias=False), norm("bn2")]}
            if stride > 1:
                spec["shortcut"] = [conv("0", filters, 1, stride=stride, bias=False), norm("1")]
            layers += [spec, RELU]
    return layers + [{"type": "globalavgpool"}, {"type": "dense", "name": "linear", "units": 10}]


def prepare(net, shape):
    """Weights on a coarse grid, so that git packs them well, and running statistics of some images."""
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(torch.round(p * 256) / 256)
    net.train()
    for _ in range(20):
        net(torch.randn([16] + shape))
    net.eval()


def add(file, name, net, layers, shape):
    prepare(net, shape)
    with h5py.File(os.path.join(HERE, name + "_state.h5"), "w") as out:
        for key, tensor in net.state_dict().items():
            out[key] = tensor.numpy()
    x = torch.round(torch.randn([4] + shape) * 64) / 64
    with torch.no_grad():
        y = net.double()(x.double())
    group = file.create_group(name)
    group.attrs["layers"] = json.dumps(layers).replace('"', "")
    group["x"], group["y"] = x.numpy(), y.float().numpy()
    print("%s: outputs %.3g to %.3g" % (name, y.min(), y.max()))


torch.set_num_threads(1)
torch.manual_seed(3)
with h5py.File(os.path.join(HERE, "transfer.h5"), "w") as goldens:
    add(goldens, "lenet5", LeNet(), lenet_layers(), [1, 28, 28])
    add(goldens, "resnet20", ResNet20(), resnet_layers(), [3, 32, 32])
