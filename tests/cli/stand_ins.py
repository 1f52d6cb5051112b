#!/usr/bin/env python3
"""Small datasets under the names that documents use: mnist and fashion-mnist (IDX), cifar10 (binary batches).

    stand_ins.py FOLDER TRAIN FASHION TEST      TRAIN training samples, of fashion-mnist FASHION; TEST test samples

A class is a bright block at a place of its own, and noise.
"""
import os
import random
import struct
import sys


def image(generator, label, side):
    top, left, size = side // 5 * (label % 5), side // 2 * (label // 5), side // 4
    pixels = bytearray(generator.randbytes(side * side))
    for i, pixel in enumerate(pixels):
        inside = top <= i // side < top + size and left <= i % side < left + size
        pixels[i] = 200 + pixel // 8 if inside else pixel // 4
    return bytes(pixels)


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def write_idx(folder, prefix, count, seed):
    generator = random.Random(seed)
    labels = bytes(i % 10 for i in range(count))
    images = b"".join(image(generator, label, 28) for label in labels)
    write(f"{folder}/{prefix}-images-idx3-ubyte", struct.pack(">IIII", 0x803, count, 28, 28) + images)
    write(f"{folder}/{prefix}-labels-idx1-ubyte", struct.pack(">II", 0x801, count) + labels)


def write_cifar(folder, name, count, seed):
    generator = random.Random(seed)
    records = (bytes([i % 10]) + 3 * image(generator, i % 10, 32) for i in range(count))
    write(f"{folder}/{name}", b"".join(records))


root, (train, fashion, test) = sys.argv[1], map(int, sys.argv[2:])
for name, count in (("mnist", train), ("fashion-mnist", fashion)):
    os.makedirs(f"{root}/{name}")
    write_idx(f"{root}/{name}", "train", count, name + "train")
    write_idx(f"{root}/{name}", "t10k", test, name + "test")
os.makedirs(f"{root}/cifar10")
write_cifar(f"{root}/cifar10", "data_batch_1.bin", train, "train")
write_cifar(f"{root}/cifar10", "test_batch.bin", test, "test")
