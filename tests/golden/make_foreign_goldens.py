#!/usr/bin/env python3
"""Makes weights_*.{pt,pth,safetensors,npz}: one small network's weights, as PyTorch, safetensors and NumPy write
them, and weights.txt: the values of each tensor in float32. Needs torch, safetensors and NumPy."""
import io
import os
import zipfile

import numpy
import torch
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))


def path(name):
    return os.path.join(HERE, "weights_" + name)


def zipped_again(source, target):
    """The same archive, deflated."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, old.read(member))


torch.manual_seed(5)
net = torch.nn.Sequential()
net.add_module("conv", torch.nn.Conv2d(1, 2, 3))
net.add_module("bn", torch.nn.BatchNorm2d(2))
net.add_module("flatten", torch.nn.Flatten())
net.add_module("fc", torch.nn.Linear(8, 3))
net.train()
for _ in range(3):
    net(torch.randn(8, 1, 4, 4))
with torch.no_grad():
    for tensor in net.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(torch.round(tensor * 64) / 64)     # all types but bfloat16 hold them
state = {name: tensor.clone() for name, tensor in net.state_dict().items()}
torch.save(state, path("zip.pt"))
zipped_again(path("zip.pt"), path("deflated.pt"))
torch.save(state, path("old.pth"), _use_new_zipfile_serialization=False)
torch.save(state, path("protocol4.pth"), _use_new_zipfile_serialization=False, pickle_protocol=4)
torch.save({k: v.half() if v.is_floating_point() else v for k, v in state.items()}, path("half.pt"))
torch.save({k: v.double() if v.is_floating_point() else v for k, v in state.items()}, path("double.pt"))
# One storage that all share; the dense layer's weight transposed in it, so that its strides are another order.
flat = torch.cat([state["fc.weight"].t().reshape(-1), state["conv.weight"].reshape(-1)])
shared = dict(state)
shared["fc.weight"] = flat[:24].view(8, 3).t()
shared["conv.weight"] = flat[24:].view(2, 1, 3, 3)
torch.save(shared, path("views.pt"))
torch.save(shared, path("views.pth"), _use_new_zipfile_serialization=False)
other = {"module." + k: v + 1 if v.is_floating_point() else v for k, v in state.items()}
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
net(torch.randn(8, 1, 4, 4)).sum().backward()
optimizer.step()
torch.save({"epoch": 3, "state_dict": {"module." + k: v for k, v in state.items()}, "loss": 0.5, "done": True,
            "optimizer": optimizer.state_dict()}, path("nested.pt"))
torch.save({"model": state, "ema": other}, path("two.pt"))
torch.save(torch.nn.ParameterDict({k.replace(".", "_"): torch.nn.Parameter(v) for k, v in state.items()
                                   if v.is_floating_point()}).state_dict(), path("parameters.pt"))
torch.save(net, path("module.pt"))
contiguous = {k: v.contiguous() for k, v in state.items()}
save_file(contiguous, path("plain.safetensors"), metadata={"format": "pt"})
save_file({k: v.bfloat16() if v.is_floating_point() else v for k, v in contiguous.items()},
          path("bfloat16.safetensors"))
arrays = {k: v.numpy() for k, v in state.items()}
arrays["fc.weight"] = numpy.asfortranarray(arrays["fc.weight"])
numpy.savez(path("plain.npz"), **arrays)
numpy.savez_compressed(path("packed.npz"), **{k: v.astype("float64") for k, v in arrays.items()})
with open(path("values.txt"), "w") as out:
    for name, tensor in state.items():
        if tensor.is_floating_point():
            out.write(name + " " + " ".join("%.9g" % x for x in tensor.reshape(-1).tolist()) + "\n")
