#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Make layers.h5 and training.h5: what PyTorch makes of layers, of whole nets, and of ten training steps.

Run from any folder with a Python that has torch and h5py (made with torch 1.13, h5py 3.7; convs.h5, norms.h5
and activations.h5 with torch 2.13), with the names of the files to make, or without: all. Other versions of torch move
last bits of what is rounded. The files are committed; tests read them, so no test needs PyTorch. Everything is worked out in double from inputs and weights
that float32 holds exactly, and stored as float32: the goldens have no rounding of their own to speak of.

layers.h5, a group per case: attributes `layers` (model.layers as a user writes it), `training`; datasets x
[n, c, h, w], y [n, features], dy, dx; and for every tensor, such as block1.conv1.weight, in PyTorch's layout:
params.TENSOR, grads.TENSOR, buffers.TENSOR (before), running.TENSOR (a buffer after the step). Whole nets, and
the loss by itself, have `labels` and attributes `loss` (mean) and `smoothing` too: dy is the loss's gradient.

graphs.h5, the same of layers that name their inputs. convs.h5, the same of convolutions in groups, dilated, and
with kernels and paddings that are not square, and of pooling likewise; norms.h5 and activations.h5, of more kinds of layers.

training.h5, a group per net: attribute `layers`; inputs [steps, n, c, h, w], labels [steps, n], params.TENSOR,
buffers.TENSOR; a group per optimizer: attribute `optimizer` (train.optimizer as a user writes it); losses
[steps] (means, before the step's update), params.TENSOR and buffers.TENSOR afterwards, large ones rounded to 2^-18.
"""
import json
import os
import sys

import h5py
import numpy
import torch
from torch import nn
from torch.nn import functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
STEPS = 10
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


# ---- models, from the same words as in a configuration ----

def pair(value):
    return list(value) if isinstance(value, list) else [value, value]


class Border(nn.Module):
    """`pad` around images: four numbers, or `same` of Keras: ceil(in / stride) outputs, the odd one at the end."""

    def __init__(self, pad, kernel, stride, dilation=1, value=0.0):
        super().__init__()
        self.pad, self.value = pad, value
        self.sides = list(zip(pair(kernel), pair(stride), pair(dilation)))

    def forward(self, x):
        if self.pad != "same":
            top, bottom, left, right = self.pad
            return F.pad(x, [left, right, top, bottom], value=self.value)
        pads = []
        for size, (kernel, stride, dilation) in zip((x.shape[3], x.shape[2]), reversed(self.sides)):
            total = max((-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
            pads += [total // 2, total - total // 2]
        return F.pad(x, pads, value=self.value)


class ImageMean(nn.Module):
    """Mean over the pixels of each window that are in the image."""

    def __init__(self, border, pool):
        super().__init__()
        self.border, self.pool = border, pool

    def forward(self, x):
        return self.pool(self.border(x)) / self.pool(self.border(torch.ones_like(x)))


class Residual(nn.Module):
    def __init__(self, body, shortcut):
        super().__init__()
        self.body, self.past = body, shortcut

    def forward(self, x):
        return self.body(x) + self.past(x)


class Graph(nn.Module):
    """Layers in the order of their list, each with the positions of its inputs; -1: the list's own."""

    def __init__(self, layers, inputs):
        super().__init__()
        self.layers, self.inputs = nn.ModuleList(layers), inputs

    def forward(self, x):
        outputs = []
        for layer, inputs in zip(self.layers, self.inputs):
            outputs.append(layer(*(x if i < 0 else outputs[i] for i in inputs)))
        return outputs[-1] if outputs else x


class Image(nn.Module):
    """A vector is an image of one pixel."""

    def forward(self, x):
        return x if x.dim() == 4 else x[:, :, None, None]


class Merge(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(inputs)


class Norm(nn.BatchNorm2d):
    """Of images and of vectors."""

    def forward(self, x):
        return super().forward(x) if x.dim() == 4 else super().forward(x[:, :, None, None])[:, :, 0, 0]


class PerSample(nn.Module):
    """A normalization of images and of vectors, over the channels, last, of each pixel if `by_pixel`."""

    def __init__(self, norm, by_pixel=False):
        super().__init__()
        self.norm, self.by_pixel = norm, by_pixel

    def forward(self, x):
        return self.norm(x.movedim(1, -1)).movedim(-1, 1) if self.by_pixel else self.norm(x)


def make_layernorm(o, shape):
    by_pixel = o.get("axes") == "channels"
    norm = nn.LayerNorm(shape[1] if by_pixel else list(shape[1:]), o.get("epsilon", 1e-5), o.get("affine", True))
    return norm, PerSample(norm, by_pixel)


def has_border(pad):
    """A padding that PyTorch's modules do not have."""
    return pad == "same" or isinstance(pad, list) and len(pad) == 4


def make_conv(o, shape):
    k, s, pad, dilation = o["kernel"], o.get("stride", 1), o.get("pad", 0), o.get("dilation", 1)
    conv = nn.Conv2d(shape[1], o["filters"], pair(k), pair(s), 0 if has_border(pad) else pair(pad), pair(dilation),
                     o.get("groups", 1), bias=o.get("bias", True))
    border = [Border(pad, k, s, dilation)] if has_border(pad) else []
    return conv, nn.Sequential(Image(), *border, conv)


def make_maxpool(o, shape):
    k, s, pad = pair(o["size"]), pair(o.get("stride", o["size"])), o.get("pad", 0)
    pool = nn.MaxPool2d(k, s, 0 if has_border(pad) else pair(pad), ceil_mode=o.get("ceil_mode", False))
    return nn.Sequential(Border(pad, k, s, value=float("-inf")), pool) if has_border(pad) else pool


def make_avgpool(o, shape):
    k, s, pad = pair(o["size"]), pair(o.get("stride", o["size"])), o.get("pad", 0)
    counts = o.get("count_include_pad", True)
    pool = nn.AvgPool2d(k, s, 0 if has_border(pad) else pair(pad), o.get("ceil_mode", False), counts)
    if not has_border(pad):
        return pool
    border = Border(pad, k, s)
    return nn.Sequential(border, pool) if counts else ImageMean(border, pool)


def plain(make):
    def both(o, shape):
        module = make(o, shape)
        return module, module
    return both


KINDS = {  # options and input shape -> the module with the tensors, the module to run
    "conv": make_conv,
    "dense": plain(lambda o, s: nn.Linear(s[1], o["units"], bias=o.get("bias", True))),
    "maxpool": plain(make_maxpool),
    "avgpool": plain(make_avgpool),
    "globalavgpool": plain(lambda o, s: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())),
    "batchnorm": plain(lambda o, s: Norm(s[1], o.get("epsilon", 1e-5), o.get("momentum", 0.1))),
    "dropout": plain(lambda o, s: nn.Dropout(o.get("rate", 0.5))),
    "relu": plain(lambda o, s: nn.ReLU()),
    "leaky_relu": plain(lambda o, s: nn.LeakyReLU(o.get("slope", 0.01))),
    "tanh": plain(lambda o, s: nn.Tanh()),
    "sigmoid": plain(lambda o, s: nn.Sigmoid()),
    "gelu": plain(lambda o, s: nn.GELU()),
    "groupnorm": plain(lambda o, s: nn.GroupNorm(o["groups"], s[1], o.get("epsilon", 1e-5), o.get("affine", True))),
    "layernorm": make_layernorm,
    "instancenorm": plain(lambda o, s: nn.InstanceNorm2d(s[1], o.get("epsilon", 1e-5), affine=o.get("affine", False))),
    "lrn": plain(lambda o, s: nn.LocalResponseNorm(o["size"], o.get("alpha", 1e-4), o.get("beta", 0.75),
                                                   o.get("k", 1))),
    "relu6": plain(lambda o, s: nn.ReLU6()),
    "silu": plain(lambda o, s: nn.SiLU()),
    "hardsigmoid": plain(lambda o, s: nn.Hardsigmoid()),
    "hardswish": plain(lambda o, s: nn.Hardswish()),
    "elu": plain(lambda o, s: nn.ELU(o.get("alpha", 1.0))),
    "prelu": plain(lambda o, s: nn.PReLU(s[1] if o.get("per_channel") else 1, o.get("slope", 0.25))),
    "softplus": plain(lambda o, s: nn.Softplus(o.get("beta", 1), o.get("threshold", 20))),
    "flatten": plain(lambda o, s: nn.Flatten()),
    "add": plain(lambda o, s: Merge(sum)),
    "concat": plain(lambda o, s: Merge(lambda xs: torch.cat(xs, 1))),
    "multiply": plain(lambda o, s: Merge(multiply)),
}


def multiply(inputs):
    """A vector has one value per channel."""
    product = inputs[0]
    for x in inputs[1:]:
        product = product * (x[:, :, None, None] if x.dim() < product.dim() else x)
    return product


def find_inputs(o, names):
    """Positions of a layer's inputs among those before it."""
    words = o.get("inputs") or [o.get("input", "previous")]
    return [{"previous": len(names) - 1, "input": -1}.get(w, names.index(w) if w in names else None) for w in words]


def build(specs, shape, tensors, prefix=""):
    """The module of a list of layers; their modules with tensors go into `tensors` under lockstep's names."""
    modules, inputs, names, shapes, seen = [], [], [], [], {}
    for spec in specs:
        o = dict(spec)
        kind = o["type"]
        seen[kind] = seen.get(kind, 0) + 1
        own = o.get("name", "%s%d" % (kind, seen[kind]))
        name = prefix + own
        inputs.append(find_inputs(o, names))
        given = [shape if i < 0 else shapes[i] for i in inputs[-1]]
        if kind == "residual":
            body = build(o["body"], given[0], tensors, name + ".")
            past = build(o.get("shortcut", []), given[0], tensors, name + ".shortcut.")
            module = Residual(body, past)
        else:
            tensors[name], module = KINDS[kind](o, given[0])
        modules.append(module)
        names.append(own)
        state = [b.clone() for m in module.modules() for b in m.buffers(recurse=False)]
        module.eval()
        shapes.append(module(*(torch.zeros(s) for s in given)).shape)
        module.train()
        for buffer, kept in zip([b for m in module.modules() for b in m.buffers(recurse=False)], state):
            buffer.copy_(kept)
    return Graph(modules, inputs)


def yaml(value):
    """As a user writes it: no word here needs quotes."""
    return json.dumps(value).replace('"', "")


def coarse(shape, levels, scale):
    """Normal numbers on a coarse grid: exact in float32, and small when compressed."""
    return torch.round(torch.randn(shape) * levels) / levels * scale


def set_weights(tensors, random_buffers):
    for module in tensors.values():
        for name, p in module.named_parameters():
            if isinstance(module, (Norm, nn.GroupNorm, nn.LayerNorm, nn.InstanceNorm2d)):
                p.data = coarse(p.shape, 32, 0.25) + (1.0 if name == "weight" else 0.0)
            elif name == "bias":
                p.data = coarse(p.shape, 32, 0.125)
            else:  # the power of two next to He's deviation
                fan_in = p[0].numel()
                p.data = coarse(p.shape, 32, 2.0 ** round(0.5 * numpy.log2(2.0 / fan_in)))
        if isinstance(module, Norm) and random_buffers:
            module.running_mean.copy_(coarse(module.running_mean.shape, 32, 0.5))
            module.running_var.copy_(0.5 + coarse(module.running_var.shape, 32, 0.25).abs())


# ---- files ----

def write(group, name, tensor, dtype="<f4"):
    array = tensor.detach().numpy() if isinstance(tensor, torch.Tensor) else numpy.asarray(tensor)
    array = array.astype(dtype)
    small = array.nbytes < 4096  # chunks and their index would take more than they save
    packing = {} if small else dict(compression="gzip", compression_opts=9, shuffle=True)
    group.create_dataset(name, data=array, **packing)


def write_tensors(group, tensors, what, prefix, grid=None):
    for name, module in tensors.items():
        if what == "buffers":
            items = [(n, b) for n, b in module.named_buffers() if n.startswith("running")]
        else:
            items = [(n, p.grad if what == "grads" else p) for n, p in module.named_parameters()]
        for tensor_name, tensor in items:
            if grid and tensor.numel() >= 4096:
                tensor = torch.round(tensor / grid) * grid
            write(group, "%s.%s.%s" % (prefix, name, tensor_name), tensor)


def add_case(file, name, layers, shape, training=True, smoothing=None, spread=1.0):
    """shape: [n, c, h, w], or [n, features]; spread: of the inputs, a power of two."""
    tensors = {}
    net = build(layers, shape, tensors)
    set_weights(tensors, random_buffers=True)
    x = coarse(shape, 64, spread).requires_grad_()
    group = file.create_group(name)
    group.attrs["layers"] = yaml(layers)
    group.attrs["training"] = int(training)
    write(group, "x", x if len(shape) == 4 else x[:, :, None, None])
    write_tensors(group, tensors, "params", "params")
    write_tensors(group, tensors, "buffers", "buffers")
    net.train(training)
    y = net(x)
    y.retain_grad()
    if smoothing is None:
        dy = coarse(y.shape, 16, 1.0)
        y.backward(dy)
    else:
        labels = torch.randint(0, y.shape[1], (y.shape[0],))
        loss = F.cross_entropy(y, labels, label_smoothing=smoothing)
        loss.backward()
        dy = y.grad
        write(group, "labels", labels, "<u2")
        group.attrs["loss"], group.attrs["smoothing"] = loss.item(), smoothing
    for key, tensor in (("y", y), ("dy", dy), ("dx", x.grad)):
        write(group, key, tensor.reshape(y.shape) if key != "dx" else tensor.reshape(group["x"].shape))
    write_tensors(group, tensors, "grads", "grads")
    write_tensors(group, tensors, "buffers", "running")


def conv(filters, kernel, **more):
    return dict(type="conv", filters=filters, kernel=kernel, **more)


def lenet5():
    act, flat = {"type": "relu"}, {"type": "flatten"}
    pool = {"type": "maxpool", "size": 2}
    return [conv(6, 5, name="conv1", pad=2), act, pool, conv(16, 5, name="conv2"), act, pool, flat,
            {"type": "dense", "name": "fc1", "units": 120}, act,
            {"type": "dense", "name": "fc2", "units": 84}, act, {"type": "dense", "name": "fc3", "units": 10}]


def residual_net():
    norm, act = {"type": "batchnorm"}, {"type": "relu"}

    def block(name, filters, stride):
        body = [norm, act, conv(filters, 3, name="conv1", stride=stride, pad=1, bias=False),
                norm, act, conv(filters, 3, name="conv2", pad=1, bias=False)]
        spec = {"type": "residual", "name": name, "body": body}
        if stride > 1:
            spec["shortcut"] = [conv(filters, 1, name="conv", stride=stride, bias=False)]
        return spec
    return [conv(8, 3, name="conv0", pad=1, bias=False), block("block1", 8, 1), block("block2", 16, 2), norm, act,
            {"type": "globalavgpool"}, {"type": "dense", "name": "fc", "units": 10}]


def make_layers(path):
    flat = {"type": "flatten"}
    with h5py.File(path, "w") as file:
        def image(name, layer, shape, **more):
            add_case(file, name, [layer, flat], shape, **more)

        image("conv_5x5_pad", conv(6, 5, pad=2), [2, 1, 12, 12])
        image("conv_5x5", conv(16, 5), [2, 6, 14, 14])
        image("conv_3x3_same", conv(16, 3, pad="same"), [2, 16, 8, 8])
        image("conv_stride_2_pad", conv(4, 3, stride=2, pad=1), [3, 3, 9, 7])
        image("conv_stride_2_same", conv(8, 4, stride=2, pad="same"), [2, 4, 9, 9])
        image("conv_stride_2_same_even", conv(5, 3, stride=2, pad="same"), [2, 4, 8, 10])
        image("conv_even_same", conv(5, 2, pad="same", bias=False), [3, 4, 8, 8])
        image("conv_4x4_pad", conv(7, 4, pad=1), [2, 3, 7, 9])
        image("conv_pad_beyond", conv(3, 3, pad=3), [2, 3, 5, 4])
        image("conv_stride_3", conv(5, 3, stride=3), [3, 2, 8, 7])
        image("conv_stride_beyond", conv(5, 2, stride=3), [3, 2, 8, 9])
        image("conv_1x1", conv(9, 1), [3, 5, 7, 7])
        image("conv_1x1_stride_2", conv(32, 1, stride=2, bias=False), [2, 16, 7, 7])
        image("conv_whole", conv(12, 5), [3, 8, 5, 5])
        image("conv_wide", conv(33, 3, pad=1), [1, 17, 6, 5])
        for units, inputs in ((7, 20), (10, 84), (33, 40), (1, 3), (16, 1)):
            add_case(file, "dense_%d_%d" % (inputs, units), [{"type": "dense", "units": units}], [5, inputs])
        add_case(file, "dense_no_bias", [{"type": "dense", "units": 12, "bias": False}], [4, 30])
        for kind in ("maxpool", "avgpool"):
            for name, options, shape in (("2", dict(size=2), [3, 3, 6, 8]), ("2_odd", dict(size=2), [2, 5, 7, 5]),
                                         ("3_stride_2_pad", dict(size=3, stride=2, pad=1), [2, 4, 7, 9]),
                                         ("3_stride_1", dict(size=3, stride=1), [2, 3, 6, 5]),
                                         ("2_stride_3_pad", dict(size=2, stride=3, pad=1), [2, 17, 8, 7]),
                                         ("whole", dict(size=4), [2, 8, 4, 4])):
                image("%s_%s" % (kind, name), dict(type=kind, **options), shape)
        add_case(file, "globalavgpool", [{"type": "globalavgpool"}], [3, 6, 5, 4])
        norm = {"type": "batchnorm"}
        image("batchnorm", norm, [4, 6, 5, 3])
        image("batchnorm_options", dict(norm, epsilon=0.01, momentum=0.3), [3, 17, 4, 4])
        image("batchnorm_evaluation", norm, [4, 6, 5, 3], training=False)
        add_case(file, "batchnorm_vector", [norm], [8, 11])
        image("dropout_evaluation", {"type": "dropout"}, [2, 3, 4, 4], training=False)
        for kind, options in (("relu", {}), ("leaky_relu", {}), ("leaky_relu", dict(slope=0.25)), ("tanh", {}),
                              ("sigmoid", {}), ("gelu", {})):
            image(kind + "".join("_slope" for _ in options), dict(type=kind, **options), [3, 4, 5, 6])
        add_case(file, "flatten_dense", [flat, {"type": "dense", "units": 5}], [3, 4, 3, 5])
        image("residual_identity", {"type": "residual", "body": [conv(3, 3, pad=1), {"type": "relu"}]}, [3, 3, 6, 6])
        image("residual_shortcut",
              {"type": "residual",
               "body": [conv(8, 3, stride=2, pad=1, bias=False), norm, {"type": "relu"}, conv(8, 3, pad=1)],
               "shortcut": [{"type": "avgpool", "size": 2}, conv(8, 1, bias=False), norm]}, [3, 4, 6, 6])
        inner = {"type": "residual", "body": [norm, {"type": "tanh"}, conv(5, 3, pad=1)]}
        image("residual_nested", {"type": "residual", "name": "outer", "body": [conv(5, 3, pad=1), inner,
                                                                                {"type": "gelu"}],
                                  "shortcut": [conv(5, 1)]}, [3, 2, 5, 5])
        image("residual_chain", {"type": "residual", "body": [{"type": "relu"}, {"type": "dropout"}]}, [2, 3, 4, 4],
              training=False)
        add_case(file, "net_lenet5", lenet5(), [3, 1, 28, 28], smoothing=0.0)
        add_case(file, "net_residual", residual_net(), [6, 3, 8, 8], smoothing=0.1)
        add_case(file, "net_residual_evaluation", residual_net(), [6, 3, 8, 8], training=False, smoothing=0.0)
        image("conv_stride_3_pad", conv(3, 3, stride=3, pad=1), [1, 32, 7, 7])
        for name, classes, smoothing in (("loss", 10, 0.0), ("loss_smoothing", 10, 0.1), ("loss_wide", 100, 0.3)):
            add_case(file, name, [flat], [3, classes], smoothing=smoothing)


# ---- windows of any shape ----

def make_convs(path):
    flat = {"type": "flatten"}
    with h5py.File(path, "w") as file:
        def image(name, layer, shape):
            add_case(file, name, [layer, flat], shape)

        image("groups_2", conv(8, 3, pad=1, groups=2), [2, 6, 7, 6])
        image("groups_3_stride_2", conv(9, 3, stride=2, pad=1, groups=3, bias=False), [3, 12, 8, 7])
        image("groups_8", conv(64, 3, pad=1, groups=8), [2, 64, 6, 6])
        image("groups_2_winograd", conv(48, 3, pad=1, groups=2), [2, 32, 9, 8])
        image("groups_1x1", conv(12, 1, groups=4), [3, 20, 5, 4])
        image("groups_whole", conv(6, 4, groups=2), [3, 8, 4, 4])
        image("groups_dilation", conv(10, 3, pad=2, dilation=2, groups=5), [2, 15, 8, 7])
        image("depthwise", conv(16, 3, pad=1, groups=16), [2, 16, 7, 9])
        image("depthwise_24", conv(24, 3, pad=1, groups=24, bias=False), [2, 24, 6, 10])
        image("depthwise_stride_2", conv(32, 3, stride=2, pad=1, groups=32), [2, 32, 8, 9])
        image("depthwise_same", conv(8, 3, stride=2, pad="same", groups=8), [2, 8, 8, 10])
        image("depthwise_5x5", conv(16, 5, pad=2, groups=16), [2, 16, 9, 12])
        image("depthwise_5x5_stride_2_same", conv(8, 5, stride=2, pad="same", groups=8), [2, 8, 14, 13])
        image("depthwise_7x7", conv(8, 7, pad=3, groups=8), [2, 8, 7, 8])
        image("depthwise_few", conv(3, 3, pad=1, groups=3), [3, 3, 6, 5])
        image("depthwise_multiplier_2", conv(10, 3, pad=1, groups=5), [3, 5, 6, 7])
        image("depthwise_multiplier_2_stride_2", conv(32, 3, stride=2, pad=1, groups=16), [2, 16, 7, 7])
        image("depthwise_dilation_2", conv(16, 3, pad=2, dilation=2, groups=16), [2, 16, 8, 7])
        image("depthwise_dilation_2_stride_2", conv(8, 3, stride=2, pad=2, dilation=2, groups=8), [2, 8, 9, 10])
        image("depthwise_1x7", conv(8, [1, 7], pad=[0, 3], groups=8), [2, 8, 5, 9])
        image("depthwise_small", conv(8, 5, pad=2, groups=8), [2, 8, 2, 1])
        image("dilation_2", conv(6, 3, pad=2, dilation=2), [2, 5, 8, 7])
        image("dilation_2_stride_2", conv(6, 3, stride=2, pad=2, dilation=2), [2, 17, 9, 8])
        image("dilation_2_stride_3", conv(5, 3, stride=3, pad=3, dilation=2), [2, 4, 11, 10])
        image("dilation_3_stride_2", conv(7, 4, stride=2, pad=4, dilation=3), [2, 8, 12, 11])
        image("dilation_4_stride_6", conv(4, 3, stride=6, pad=4, dilation=4), [2, 5, 13, 12])
        image("dilation_pair", conv(6, [2, 3], dilation=[3, 1], pad=[1, 1]), [2, 6, 7, 6])
        image("dilation_same", conv(6, 3, stride=2, dilation=3, pad="same"), [2, 6, 9, 10])
        image("dilation_planar", conv(7, 3, pad=3, dilation=3), [2, 3, 9, 10])
        image("kernel_1x7", conv(9, [1, 7], pad=[0, 3]), [2, 6, 5, 9])
        image("kernel_7x1", conv(9, [7, 1], pad=[3, 0]), [2, 16, 9, 5])
        image("kernel_3x2_stride_1x2", conv(6, [3, 2], stride=[1, 2]), [2, 7, 6, 7])
        image("kernel_5x3_stride_2x1", conv(3, [5, 3], stride=[2, 1], pad=[2, 1]), [2, 3, 9, 6])
        image("kernel_whole_4x6", conv(10, [4, 6]), [3, 5, 4, 6])
        image("pads_of_four", conv(6, 3, pad=[0, 1, 2, 0]), [2, 5, 6, 7])
        image("pads_of_four_stride_2", conv(6, 3, stride=2, pad=[0, 1, 0, 1]), [2, 8, 8, 8])
        image("pads_of_four_winograd", conv(16, 3, pad=[2, 0, 1, 2]), [2, 16, 8, 9])
        image("pads_of_four_planar", conv(6, 5, pad=[1, 2, 3, 0]), [2, 1, 9, 8])
        image("same_1x4", conv(6, [1, 4], stride=[1, 3], pad="same"), [2, 5, 4, 10])
        for kind in ("maxpool", "avgpool"):
            for name, options, shape in (
                    ("ceil_2", dict(size=2, ceil_mode=True), [2, 8, 5, 7]),
                    ("ceil_3_stride_2", dict(size=3, stride=2, ceil_mode=True), [2, 3, 8, 6]),
                    ("ceil_3_stride_2_pad", dict(size=3, stride=2, pad=1, ceil_mode=True), [2, 5, 6, 7]),
                    ("ceil_2_stride_3_pad", dict(size=2, stride=3, pad=1, ceil_mode=True), [2, 4, 5, 4]),
                    ("2x3", dict(size=[2, 3]), [2, 4, 6, 7]),
                    ("3x1_stride_2x1", dict(size=[3, 1], stride=[2, 1], pad=[1, 0]), [2, 4, 7, 3]),
                    ("same_3_stride_2", dict(size=3, stride=2, pad="same"), [2, 5, 8, 7]),
                    ("same_2_stride_1", dict(size=2, stride=1, pad="same"), [2, 8, 4, 5]),
                    ("pads_of_four", dict(size=3, stride=2, pad=[0, 1, 2, 1]), [2, 4, 6, 7])):
                image("%s_%s" % (kind, name), dict(type=kind, **options), shape)
        for name, options in (("pad", dict(size=3, stride=1, pad=1)), ("same", dict(size=3, stride=2, pad="same")),
                              ("ceil", dict(size=3, stride=2, pad=1, ceil_mode=True)),
                              ("pads_of_four", dict(size=3, stride=2, pad=[0, 1, 2, 1]))):
            image("avgpool_exclude_" + name, dict(type="avgpool", count_include_pad=False, **options), [2, 5, 8, 6])


# ---- graphs ----

def named(layer, name, *inputs):
    """A layer with a name that takes what others give."""
    more = {} if not inputs else {"input": inputs[0]} if len(inputs) == 1 else {"inputs": list(inputs)}
    return dict(layer, name=name, **more)


def merge(kind, *inputs):
    return {"type": kind, "inputs": list(inputs)}


def inception():
    """Four branches of one input (Szegedy et al. 2015), the pooled one of stride 1."""
    act = {"type": "relu"}
    return [named(conv(6, 3, pad=1), "stem"), named(act, "x"),
            named(conv(4, 1), "a", "x"),
            named(conv(3, 1), "b1", "x"), act, named(conv(5, 3, pad=1), "b"),
            named(conv(2, 1), "c1", "x"), act, named(conv(4, 5, pad=2), "c"),
            named({"type": "avgpool", "size": 3, "stride": 1, "pad": 1}, "p", "x"), named(conv(3, 1), "d"),
            merge("concat", "a", "b", "c", "d"), act]


def dense_block(layers, growth):
    """Each layer takes all before it (Huang et al. 2017)."""
    specs, taken = [named(conv(5, 3, pad=1, bias=False), "x0")], "x0"
    for i in range(1, layers + 1):
        specs += [named({"type": "batchnorm"}, "n%d" % i, taken), {"type": "relu"},
                  named(conv(growth, 3, pad=1, bias=False), "f%d" % i),
                  named({"type": "concat"}, "x%d" % i, taken, "f%d" % i)]
        taken = "x%d" % i
    return specs


def squeeze_and_excite():
    return [named(conv(8, 3, pad=1), "x"), {"type": "globalavgpool"}, conv(2, 1), {"type": "relu"}, conv(8, 1),
            named({"type": "sigmoid"}, "gate"), merge("multiply", "x", "gate")]


def make_graphs(path):
    flat, act = {"type": "flatten"}, {"type": "relu"}
    with h5py.File(path, "w") as file:
        def graph(name, layers, shape, **more):
            add_case(file, name, layers + [flat], shape, **more)

        graph("inception", inception(), [3, 3, 7, 6])
        graph("densenet", dense_block(3, 4), [3, 3, 6, 5])
        graph("densenet_evaluation", dense_block(3, 4), [2, 3, 6, 5], training=False)
        graph("squeeze_and_excite", squeeze_and_excite(), [3, 5, 6, 6])
        graph("spatial_gate", [named(conv(6, 3, pad=1), "x"), conv(1, 3, pad=1), named({"type": "sigmoid"}, "gate"),
                               merge("multiply", "x", "gate")], [2, 4, 5, 6])
        add_case(file, "vector_gate", [named({"type": "dense", "units": 5}, "x"),
                                       named({"type": "dense", "units": 1}, "g", "input"), merge("multiply", "x", "g")],
                 [3, 4])
        graph("product_of_three", [named(conv(4, 3, pad=1), "a"), named(conv(4, 1), "b", "input"),
                                   named({"type": "tanh"}, "c", "b"), merge("multiply", "a", "b", "c")], [2, 3, 5, 4])
        graph("square", [named({"type": "tanh"}, "t"), merge("multiply", "t", "t")], [2, 3, 4, 4])
        graph("twice", [named(conv(3, 3, pad=1), "c"), merge("add", "c", "c")], [2, 3, 4, 4])
        graph("input_everywhere", [named(conv(3, 3, pad=1), "a", "input"), named({"type": "tanh"}, "b", "input"),
                                   named({"type": "add"}, "s", "a", "b", "input"), merge("concat", "s", "input", "a")],
              [3, 3, 5, 5])
        graph("add_of_three", [named(conv(4, 3, pad=1), "a"), named(act, "b"), named(conv(4, 3, pad=1), "c"),
                               merge("add", "c", "b", "a"), act], [3, 2, 5, 6])
        graph("shared_relu", [named(conv(4, 3, pad=1), "a"), named(act, "r", "a"),
                              named({"type": "avgpool", "size": 2}, "q", "r"),
                              named({"type": "maxpool", "size": 2}, "p", "r"),
                              named({"type": "maxpool", "size": 2}, "o", "a"), merge("concat", "p", "q", "o")],
              [2, 2, 6, 6])
        graph("shared_pool", [named(conv(4, 3, pad=1), "a"), named({"type": "maxpool", "size": 2}, "p"),
                              named(act, "r", "p"), merge("concat", "r", "p")], [2, 2, 6, 6])
        add_case(file, "relu_last", [conv(4, 3, pad=1), {"type": "maxpool", "size": 4}, act], [3, 2, 4, 4])
        graph("sums_in_place", [named(conv(4, 3, pad=1), "a"), named({"type": "batchnorm"}, "b"),
                                named({"type": "add"}, "s", "a", "b"), named(act, "r"),
                                named(conv(4, 1), "d"), named({"type": "add"}, "t", "r", "d"), act,
                                merge("add", "relu2", "s")], [3, 2, 4, 5])
        graph("graph_in_block", [{"type": "residual", "body": [
            named({"type": "batchnorm"}, "n"), named(conv(2, 1), "a"), named(conv(3, 3, pad=1), "b", "n"),
            merge("concat", "a", "b")], "shortcut": [conv(5, 1)]}], [3, 3, 5, 4])
        graph("block_in_graph", [named(conv(4, 3, pad=1), "a"), {"type": "residual", "name": "r", "body": [
            conv(4, 3, pad=1), act]}, named(conv(4, 1), "s", "a"), merge("add", "r", "s", "a")], [3, 3, 5, 4])


FLATTEN = {"type": "flatten"}


def make_norms(path):
    with h5py.File(path, "w") as file:
        def image(name, options, shape=(3, 6, 5, 4), **more):
            add_case(file, name, [dict(options), FLATTEN], list(shape), **more)

        group, layer, instance = {"type": "groupnorm"}, {"type": "layernorm"}, {"type": "instancenorm"}
        image("groupnorm", dict(group, groups=3))
        image("groupnorm_one", dict(group, groups=1), (2, 17, 9, 8))
        image("groupnorm_each", dict(group, groups=6))
        image("groupnorm_options", dict(group, groups=2, epsilon=0.01, affine=False))
        image("groupnorm_evaluation", dict(group, groups=2), training=False)
        image("groupnorm_one_sample", dict(group, groups=2), (1, 6, 5, 4))
        add_case(file, "groupnorm_vector", [dict(group, groups=5)], [4, 30])
        image("layernorm", layer)
        image("layernorm_options", dict(layer, epsilon=0.01, affine=False))
        image("layernorm_channels", dict(layer, axes="channels"), (2, 19, 9, 8))
        image("layernorm_channels_plain", dict(layer, axes="channels", affine=False))
        add_case(file, "layernorm_vector", [dict(layer)], [5, 40])
        add_case(file, "layernorm_vector_channels", [dict(layer, axes="channels")], [5, 12])
        image("instancenorm", instance)
        image("instancenorm_affine", dict(instance, affine=True, epsilon=0.001), (3, 9, 9, 8))
        image("instancenorm_evaluation", instance, training=False)
        image("lrn", {"type": "lrn", "size": 5}, (2, 11, 4, 3))
        image("lrn_alexnet", {"type": "lrn", "size": 5, "alpha": 0.0005, "beta": 0.75, "k": 2}, (2, 32, 3, 3),
              spread=8.0)
        image("lrn_strong", {"type": "lrn", "size": 3, "alpha": 2.0, "beta": 0.5}, (2, 6, 4, 3))
        image("lrn_even", {"type": "lrn", "size": 4, "alpha": 3.0, "beta": 1.25}, (2, 9, 4, 3))
        image("lrn_one", {"type": "lrn", "size": 1, "alpha": 1.0}, (2, 3, 4, 3))
        image("lrn_beyond", {"type": "lrn", "size": 9, "alpha": 4.0}, (2, 3, 4, 3))


def make_activations(path):
    """Inputs are multiples of 1/16 up to about 16: many are at kinks."""
    with h5py.File(path, "w") as file:
        def image(name, options, **more):
            add_case(file, name, [options, FLATTEN], [3, 5, 6, 7], spread=4.0, **more)

        for kind in ("relu6", "silu", "hardsigmoid", "hardswish", "elu", "prelu", "softplus"):
            image(kind, {"type": kind})
        image("elu_alpha", {"type": "elu", "alpha": 0.5})
        image("prelu_per_channel", {"type": "prelu", "per_channel": True, "slope": 0.5})
        image("softplus_options", {"type": "softplus", "beta": 2.0, "threshold": 3.0})
        image("softplus_sharp", {"type": "softplus", "beta": 16.0})
        add_case(file, "prelu_vector", [{"type": "prelu", "per_channel": True}], [4, 19], spread=2.0)
        gate = [named(conv(5, 3, pad=1, bias=False), "x"), named({"type": "groupnorm", "groups": 5}, "n"),
                named({"type": "hardswish"}, "h"), named({"type": "globalavgpool"}, "pool"),
                named(conv(2, 1), "squeeze"), named({"type": "silu"}, "bend"), named(conv(5, 1), "excite"),
                named({"type": "hardsigmoid"}, "gate"), merge("multiply", "h", "gate"), FLATTEN]
        add_case(file, "squeeze_and_excite", gate, [3, 4, 6, 5], spread=4.0)


# ---- ten steps ----

def make_optimizer(options, tensors):
    """Weight decay is for weight matrices only, lockstep's default."""
    weights = [m.weight for m in tensors.values() if isinstance(m, (nn.Conv2d, nn.Linear))]
    others = [p for m in tensors.values() for p in m.parameters() if all(p is not w for w in weights)]
    o = dict(options)
    kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[o.pop("type")]
    return kind([{"params": weights}, {"params": others, "weight_decay": 0.0}], **o)


OPTIMIZERS = [
    {"type": "sgd", "lr": 0.005, "momentum": 0.9, "nesterov": True, "weight_decay": 0.001},
    {"type": "adam", "lr": 0.002, "weight_decay": 0.01},
    {"type": "adamw", "lr": 0.002, "weight_decay": 0.05},
]


def train(group, net, tensors, inputs, labels, options):
    optimizer = make_optimizer(options, tensors)
    losses = []
    net.train()
    for x, target in zip(inputs, labels):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    group.attrs["optimizer"] = yaml(options)
    write(group, "losses", losses, "<f8")
    for what in ("params", "buffers"):
        write_tensors(group, tensors, what, what, 2.0 ** -18)
    return losses


def add_training(file, name, layers, shape):
    tensors = {}
    net = build(layers, shape, tensors)
    set_weights(tensors, random_buffers=False)
    # Each class has a pattern, so that there is something to learn.
    patterns = coarse([10] + shape[1:], 8, 1.0)
    labels = torch.randint(0, 10, (STEPS, shape[0]))
    inputs = patterns[labels] + coarse([STEPS] + shape, 8, 0.5)
    group = file.create_group(name)
    group.attrs["layers"] = yaml(layers)
    write(group, "inputs", inputs)
    write(group, "labels", labels, "<u2")
    for what in ("params", "buffers"):
        write_tensors(group, tensors, what, what)
    start = {k: v.clone() for k, v in net.state_dict().items()}
    for options in OPTIMIZERS:
        net.load_state_dict(start)
        losses = train(group.create_group(options["type"]), net, tensors, inputs, labels, options)
        print("%s, %s: loss %s" % (name, options["type"], " ".join("%.4f" % l for l in losses)))


def make_training(path):
    with h5py.File(path, "w") as file:
        add_training(file, "lenet5", lenet5(), [8, 1, 28, 28])
        add_training(file, "residual", residual_net(), [8, 3, 8, 8])


FILES = [(make_layers, 1, "layers.h5"), (make_training, 2, "training.h5"), (make_graphs, 3, "graphs.h5"),
         (make_convs, 4, "convs.h5"), (make_norms, 4, "norms.h5"), (make_activations, 5, "activations.h5")]

if __name__ == "__main__":
    for make, seed, file_name in FILES:
        if file_name in sys.argv[1:] or len(sys.argv) == 1:
            torch.manual_seed(seed)
            make(os.path.join(HERE, file_name))
