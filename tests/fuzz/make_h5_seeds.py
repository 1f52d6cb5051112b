#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Small sound HDF5 files as people write them with h5py, for sweep.sh and fuzz_h5_bytes.c to damage.

    make_h5_seeds.py FOLDER [CHECKPOINT.h5]

Between them they have every structure of the format: both versions of superblocks, object headers, groups and
B-trees, local, global and fractal heaps, all chunk indexes, dense attributes. With a checkpoint, copies of it without
its seal.
"""
import pathlib
import sys

import h5py
import numpy as np

IMAGES, LABELS, SIDE = 12, [0, 1, 2] * 4, 5
TEXT = h5py.string_dtype()


def put_split(group, **how):
    pixels = np.arange(IMAGES * SIDE * SIDE, dtype=np.uint8).reshape(IMAGES, 1, SIDE, SIDE)
    group.create_dataset("images", data=pixels, **how)
    group.create_dataset("labels", data=np.array(LABELS, dtype=np.uint8))


def put_names(file):
    file.attrs["name"] = "seed"
    file.attrs["classes"] = 3
    file.attrs.create("class_names", ["zero", "one", "two"], dtype=TEXT)


def dataset(path, libver, **how):
    with h5py.File(path, "w", libver=libver) as file:
        put_names(file)
        put_split(file.create_group("train"), **how)
        put_split(file.create_group("test"))


def crowded(path, libver):
    """More attributes and links than an object header holds, groups in groups, links of every kind."""
    with h5py.File(path, "w", libver=libver) as file:
        put_names(file)
        for i in range(12):
            file.attrs[f"number{i}"] = i
        put_split(file.create_group("train", track_order=True), chunks=(4, 1, SIDE, SIDE), compression="gzip")
        for i in range(20):
            file.create_group(f"deep/group{i}")
        file["soft"] = h5py.SoftLink("/train")
        file["outer"] = h5py.ExternalLink("other.h5", "/")
        file["again"] = file["train"]
        file["type"] = np.dtype("f4")
        file.create_dataset("table", data=np.zeros(2, dtype=[("a", "i4"), ("b", "S3")]))
        file.create_dataset("texts", data=["x", "yy"], dtype=TEXT)


def copy(old, new):
    for name, value in old.attrs.items():
        new.attrs[name] = value
    for name, item in old.items():
        if isinstance(item, h5py.Group):
            copy(item, new.create_group(name))
        else:
            array = new.create_dataset(name, data=item[()])
            for attribute, value in item.attrs.items():
                array.attrs[attribute] = value


def checkpoint(path, libver, sealed):
    """What the sealed one holds, put into a new file; its first 512 bytes are the seal."""
    with h5py.File(sealed) as old, h5py.File(path, "w", libver=libver) as new:
        copy(old, new)


def main():
    folder = pathlib.Path(sys.argv[1])
    for libver in ("earliest", "latest"):
        chunk = (4, 1, SIDE, SIDE)
        packed = {"chunks": chunk, "compression": "gzip", "shuffle": True, "fletcher32": True}
        dataset(folder / f"packed-{libver}.h5", libver, **packed)
        dataset(folder / f"plain-{libver}.h5", libver)
        dataset(folder / f"growing-{libver}.h5", libver, chunks=chunk, maxshape=(None, 1, SIDE, SIDE))
        dataset(folder / f"growing2-{libver}.h5", libver, chunks=chunk, maxshape=(None, None, SIDE, SIDE))
        dataset(folder / f"single-{libver}.h5", libver, chunks=(IMAGES, 1, SIDE, SIDE), compression="gzip")
        crowded(folder / f"crowded-{libver}.h5", libver)
        if len(sys.argv) > 2:
            checkpoint(folder / f"checkpoint-{libver}.h5", libver, sys.argv[2])


main()
