#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""torch_zip.py IN.safetensors OUT.pt: float32 tensors as torch.save() writes a state_dict(), without PyTorch: a zip
archive of a pickle and of a file for each storage."""
import collections
import json
import pickle
import struct
import sys
import types
import zipfile


def stand_in(module, name):
    """What the pickle calls by its name; never called here."""
    function = types.FunctionType((lambda *arguments: None).__code__, {}, name)
    function.__module__, function.__qualname__ = module, name
    sys.modules.setdefault(module, types.ModuleType(module))
    setattr(sys.modules[module], name, function)
    return function


rebuild = stand_in("torch._utils", "_rebuild_tensor_v2")
float_storage = stand_in("torch", "FloatStorage")


class Storage:
    def __init__(self, key, count):
        self.key, self.count = key, count


class Tensor:
    def __init__(self, key, shape):
        self.key, self.shape = key, tuple(shape)

    def __reduce__(self):
        strides, count = [], 1
        for extent in reversed(self.shape):
            strides.insert(0, count)
            count *= extent
        return rebuild, (Storage(self.key, count), 0, self.shape, tuple(strides), False, collections.OrderedDict())


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        return ("storage", float_storage, value.key, "cpu", value.count) if isinstance(value, Storage) else None


data = open(sys.argv[1], "rb").read()
length, = struct.unpack("<Q", data[:8])
header = json.loads(data[8:8 + length])
header.pop("__metadata__", None)
with zipfile.ZipFile(sys.argv[2], "w") as archive:
    tensors = collections.OrderedDict()
    for key, (name, tensor) in enumerate(header.items()):
        begin, end = tensor["data_offsets"]
        tensors[name] = Tensor(str(key), tensor["shape"])
        archive.writestr("model/data/%d" % key, data[8 + length + begin:8 + length + end])
    with archive.open("model/data.pkl", "w") as out:
        Pickler(out, protocol=2).dump(tensors)
    archive.writestr("model/byteorder", "little")
    archive.writestr("model/version", "3\n")
