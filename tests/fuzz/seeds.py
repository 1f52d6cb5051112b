#!/usr/bin/env python3
"""Seeds for the fuzz targets: sound inputs of every kind, in the form that each target reads.

usage: seeds.py FOLDER    makes FOLDER/<target>/<name>
"""
import glob
import os
import re
import struct
import sys

here = os.path.dirname(os.path.abspath(__file__))
words = re.findall(r'^    "(\w+)",$', open(f"{here}/hdf5_script.h").read(), re.M)
dims = [0, 1, 2, 3, 4, 5, 7, 8, 10, 28, 784, 65535, 65536, 1 << 20, 1 << 40, 1 << 62]
U8, U16, U32, U64, I32, F32, F64, U16BE, LONG, VARIABLE, SHORT, TEXT = range(12)


def counted(data):
    return struct.pack(">H", len(data)) + data


def name(word):
    return bytes([words.index(word)])


def shape(*sizes):
    return bytes([len(sizes)] + [dims.index(size) for size in sizes])


def group(word):
    return b"\0" + name(word)


UP = b"\1"


def dataset(word, kind, sizes, layout, data=b""):
    return b"\2" + name(word) + bytes([kind]) + shape(*sizes) + bytes([layout]) + data


def attribute(word, kind, data, *sizes):
    if kind == VARIABLE:
        return b"\3" + name(word) + bytes([kind, 0]) + shape(*sizes) + counted(data)
    if kind == SHORT:
        return b"\3" + name(word) + bytes([kind, max(len(data), 1) - 1]) + shape(*sizes) + data
    return b"\3" + name(word) + bytes([kind]) + shape(*sizes) + data


def configs():
    for path in sorted(glob.glob(f"{here}/../../configs/*.yaml")):
        text = open(path, "rb").read()
        yield os.path.basename(path), text
        yield os.path.basename(path) + ".overrides", text + b"\0train.epochs=3\0model.layers[0].filters=4\0" \
            b"train.optimizer={type: adam, lr: 0.001}\0data.validation=0.1"


def idx():
    def images(count, rows, columns):
        return struct.pack(">IIII", 0x803, count, rows, columns) + bytes(i % 256 for i in range(count * rows * columns))

    def labels(count):
        return struct.pack(">II", 0x801, count) + bytes(i % 3 for i in range(count))
    files = b"".join(map(counted, (images(5, 4, 3), labels(5), images(2, 4, 3), labels(2))))
    for flags in (0x00, 0xff, 0x33, 0x0f):
        yield f"flags{flags:02x}", bytes([flags]) + files
    yield "huge", b"\0" + counted(struct.pack(">IIII", 0x803, 1 << 31, 1 << 15, 1 << 15)) + counted(labels(5))


def cifar():
    names = b"\n".join(b"airplane automobile bird cat deer dog frog horse ship truck".split()) + b"\n"
    heads = b"".join(bytes([i % 10]) + bytes(range(7)) for i in range(6))
    yield "whole", counted(names) + b"\1" + heads
    yield "short", counted(names) + b"\0\5" + heads


def h5_datasets():
    def split(word, count, layout):
        return group(word) + dataset("images", U8, (count, 1, 4, 3), layout, bytes(range(count * 12))) + \
            dataset("labels", U8, (count,), layout, bytes(i % 3 for i in range(count))) + UP
    head = attribute("format", SHORT, b"lockstep-dataset") + attribute("classes", U32, struct.pack("<I", 3))
    for layout in (0, 1, 3, 7):
        yield f"layout{layout}", head + split("train", 5, layout) + split("test", 2, layout)
    yield "huge", head + group("train") + dataset("images", U8, (1 << 40, 1, 28, 28), 1) + \
        dataset("labels", U16, (1 << 40,), 1) + UP
    yield "loop", head + group("train") + b"\5" + name("train") + b"\4" + name("images") + name("labels") + UP


def checkpoints():
    config = open(f"{here}/../../configs/lenet5.yaml", "rb").read()

    def count(value):
        return struct.pack("<Q", value)
    head = attribute("format", SHORT, b"lockstep-checkpoint") + attribute("format_version", U64, count(1)) + \
        attribute("lockstep_version", SHORT, b"0.1.0") + attribute("config", VARIABLE, config) + \
        attribute("weights_digest", SHORT, b"0123456789abcdef0123456789abcdef")
    data = group("data") + b"".join(attribute(word, U64, count(value)) for word, value in (
        ("channels", 1), ("height", 28), ("width", 28), ("classes", 10))) + attribute("dataset", SHORT, b"mnist") + \
        attribute("mean", F64, struct.pack("<d", 33), 1) + attribute("deviation", F64, struct.pack("<d", 78), 1) + UP
    model = group("model") + attribute("parameters", U64, count(2)) + attribute("buffers", U64, count(0)) + \
        group("conv1") + dataset("weight", F32, (2, 1, 3, 3), 8, bytes(72) + b"\0") + \
        dataset("bias", F32, (2,), 8, bytes(8) + b"\1") + UP + UP
    optimizer = group("optimizer") + attribute("step", U64, count(7)) + group("momentum_buffer") + group("conv1") + \
        dataset("weight", F32, (2, 1, 3, 3), 3, bytes(72)) + UP + UP + UP
    progress = group("progress") + b"".join(attribute(word, U64, count(1)) for word in (
        "epoch", "step", "epoch_step", "epoch_correct", "epoch_samples", "best_epoch", "bad_epochs",
        "schedule_epochs", "schedule_bad")) + b"".join(attribute(word, F64, bytes(8)) for word in (
            "epoch_seconds", "epoch_loss", "best_metric", "schedule_factor", "schedule_best", "seconds")) + UP
    yield "whole", head + data + model + optimizer + progress
    yield "loop", head + data + group("model") + b"\5" + name("conv1") + b"\6" + name("fc") + UP


def main():
    for target, make in (("config", configs), ("idx", idx), ("cifar", cifar), ("dataset", h5_datasets),
                         ("checkpoint", checkpoints)):
        folder = f"{sys.argv[1]}/fuzz_{target}"
        os.makedirs(folder, exist_ok=True)
        for seed, data in make():
            with open(f"{folder}/{seed}", "wb") as file:
                file.write(data)


main()
