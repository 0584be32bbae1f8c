"""Small files of weights in many formats, and the values that PyTorch and NumPy see in them.

Needs Debian's python3-torch (1.13) and python3-numpy. Writes tests/reference/formats/:
    /usr/bin/python3 tests/reference/make_formats.py
Values are float32, little-endian, in base64.
"""
import argparse
import base64
import io
import json
import os
import pickle
import struct
import tarfile
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch

OUT = Path(__file__).parent / "formats"
OUT.mkdir(exist_ok=True)
torch.manual_seed(0)
expected = {}


def described(array):
    values = np.ascontiguousarray(array, dtype="<f4")
    return {"shape": list(array.shape), "values": base64.b64encode(values.tobytes()).decode()}


def expect(name, tensors):
    expected[name] = {
        key: {"dtype": str(t.dtype).replace("torch.", ""), **described(t.detach().float().numpy())}
        for key, t in tensors.items()
    }


base = torch.randn(4, 6)
tensors = OrderedDict(
    plain=torch.randn(2, 3, 2),
    transposed=torch.randn(3, 4).t(),
    permuted=torch.randn(2, 3, 4).permute(2, 0, 1),
    shared=base,
    part=base[1:3, 2:5],
    expanded=torch.randn(3, 1).expand(3, 4),
    channels_last=torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last),
    double=torch.randn(3, dtype=torch.float64),
    half=torch.tensor([1.5, -2**-24, 65504, float("inf"), -0.0, 2**-14, 1 / 3]).half(),
    brain=torch.tensor([1.5, -3e38, 1e-40, float("-inf"), 1 / 3]).bfloat16(),
    long=torch.tensor([2**40 + 1, -3]),
    int=torch.tensor([1, -(2**31)], dtype=torch.int32),
    short=torch.tensor([-32768, 7], dtype=torch.int16),
    char=torch.tensor([-128, 127], dtype=torch.int8),
    byte=torch.tensor([0, 255], dtype=torch.uint8),
    bool=torch.tensor([True, False, True]),
    scalar=torch.tensor(0.25),
    empty=torch.zeros(0, 3),
    parameter=torch.nn.Parameter(torch.randn(2)),
)

for name, options in {
    "zip.pth": {},
    "legacy.pth": {"_use_new_zipfile_serialization": False},
    "zip-protocol4.pth": {"pickle_protocol": 4},
    "legacy-protocol4.pth": {"pickle_protocol": 4, "_use_new_zipfile_serialization": False},
}.items():
    torch.save(tensors, OUT / name, **options)
    expect(name, torch.load(OUT / name))

# As a training script saves it: DataParallel's prefix, an optimiser, a Namespace, ImageFolder's index.
layer = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
optimizer = torch.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9)
layer(torch.randn(2, 1, 5, 5)).sum().backward()
optimizer.step()
state = torch.nn.DataParallel(layer).state_dict()
checkpoint = {
    "epoch": 90,
    "arch": "resnet18",
    "best_acc1": torch.tensor(0.5),
    "lr": np.float64(0.1),
    "state_dict": state,
    "state_dict_ema": {key: value * 2 for key, value in state.items()},
    "optimizer": optimizer.state_dict(),
    "args": argparse.Namespace(data="somewhere", seed=3),
    "class_to_idx": {"dog": 1, "cat": 0},
}
torch.save(checkpoint, OUT / "checkpoint.pth")
expect("checkpoint.pth", state)

# A class that does not move between versions of PyTorch, whole.
torch.save(layer, OUT / "module.pth")
# Without source text, which the old format would copy into the file.
exec("class Net(torch.nn.Module):\n def __init__(self):\n  super().__init__()\n  self.w = torch.nn.Parameter(torch.ones(2))")
whole = {"args": argparse.Namespace(seed=3), "model": Net()}
torch.save(whole, OUT / "module-legacy.pth", _use_new_zipfile_serialization=False)
torch.jit.script(torch.nn.Linear(1, 1)).save(str(OUT / "script.pt"))


class Hostile:
    def __reduce__(self):
        return os.system, ("echo hostile",)


torch.save({"state_dict": {"w": torch.ones(1)}, "extra": Hostile()}, OUT / "hostile.pth")

# The same as zip.pth, deflated, and as a big-endian machine would have written it.
with zipfile.ZipFile(OUT / "zip.pth") as given:
    entries = {info.filename: given.read(info) for info in given.infolist()}
with zipfile.ZipFile(OUT / "deflated.pth", "w", zipfile.ZIP_DEFLATED) as packed:
    for name, data in entries.items():
        packed.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
expected["deflated.pth"] = expected["zip.pth"]

torch.save({"a": torch.arange(3.0), "b": torch.arange(2)}, OUT / "swapped.pth")
expect("swapped.pth", torch.load(OUT / "swapped.pth"))
with zipfile.ZipFile(OUT / "swapped.pth") as given:
    entries = {info.filename: given.read(info) for info in given.infolist()}
os.remove(OUT / "swapped.pth")
widths = {"swapped/data/0": 4, "swapped/data/1": 8}
with zipfile.ZipFile(OUT / "swapped.pth", "w", zipfile.ZIP_STORED) as packed:
    for name, data in entries.items():
        if width := widths.get(name):
            data = np.frombuffer(data, f"<u{width}").byteswap().tobytes()
        packed.writestr(zipfile.ZipInfo(name), data)
    packed.writestr(zipfile.ZipInfo("swapped/byteorder"), "big")


# The format of PyTorch 0.1: what torch.load's legacy_load reads back is what counts.
def dumped(*values):
    return b"".join(pickle.dumps(value, protocol=2) for value in values)


class Ids(pickle.Pickler):
    def persistent_id(self, value):
        return getattr(value, "number", None)


class Numbered:
    def __init__(self, number):
        self.number = number


def bare(shape, stride, offset):
    rank = len(shape)
    return struct.pack(f"<ii{2 * rank + 1}q", rank, 0, *shape, *stride, offset)


class FloatStorage:
    """Stands in for torch.FloatStorage, so that the pickle names it."""


FloatStorage.__module__ = "torch"
FloatStorage.__qualname__ = "FloatStorage"
true_storage, torch.FloatStorage = torch.FloatStorage, FloatStorage
numbers = torch.arange(8, dtype=torch.float32) / 4
storages = dumped(1, (11, "cpu", FloatStorage)) + struct.pack("<q", 8) + numbers.numpy().tobytes()
storages += dumped([(12, 11, 2, 6)])
torch.FloatStorage = true_storage
tables = dumped(2, (21, 11, None)) + bare([2, 4], [4, 1], 0)
tables += dumped((22, 12, None)) + bare([3, 2], [1, 3], 0)
buffer = io.BytesIO()
Ids(buffer, 2).dump(OrderedDict(whole=Numbered(21), view=Numbered(22)))
with tarfile.open(OUT / "tar.pth", "w:", format=tarfile.PAX_FORMAT) as tar:
    for name, data in {"storages": storages, "tensors": tables, "pickle": buffer.getvalue()}.items():
        info = tarfile.TarInfo(name)
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
expect("tar.pth", torch.load(OUT / "tar.pth"))

# safetensors, by the words of its README.
NAMES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64",
    "int32": "I32", "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL",
}
header, body = {"__metadata__": {"format": "pt", "täg": "ü"}}, b""
for name, tensor in tensors.items():
    dtype = str(tensor.dtype).replace("torch.", "")
    rows = tensor.detach().contiguous()
    data = (rows.view(torch.int16) if dtype == "bfloat16" else rows).numpy().tobytes()
    place = [len(body), len(body) + len(data)]
    header[name] = {"dtype": NAMES[dtype], "shape": list(tensor.shape), "data_offsets": place}
    body += data
for dtype, code in {"uint16": "U16", "uint32": "U32", "uint64": "U64"}.items():
    array = np.array([0, np.iinfo(dtype).max], dtype=dtype)
    place = [len(body), len(body) + array.nbytes]
    header[dtype] = {"dtype": code, "shape": [2], "data_offsets": place}
    body += array.tobytes()
text = json.dumps(header).encode()
(OUT / "all.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + body)
expect("all.safetensors", tensors)
for name, entry in expected["all.safetensors"].items():
    entry["dtype"] = header[name]["dtype"]
for dtype, code in {"uint16": "U16", "uint32": "U32", "uint64": "U64"}.items():
    values = np.array([0, np.iinfo(dtype).max], dtype=dtype)
    expected["all.safetensors"][dtype] = {"dtype": code, **described(values)}

# ONNX as PyTorch exports it: BatchNorm kept, and folded.
network = torch.nn.Sequential(
    OrderedDict(conv1=torch.nn.Conv2d(3, 2, 3, bias=False), bn1=torch.nn.BatchNorm2d(2), act=torch.nn.ReLU6())
)
network.bn1.running_mean += 0.5
network.eval()
for name, mode in {"kept": torch.onnx.TrainingMode.PRESERVE, "folded": torch.onnx.TrainingMode.EVAL}.items():
    torch.onnx.export(network, torch.zeros(1, 3, 32, 32), str(OUT / f"{name}.onnx"), training=mode)
learned = {key: value for key, value in network.state_dict().items() if value.dim() > 0}
expect("kept.onnx", learned)

# NumPy's arrays.
array = np.random.RandomState(0).randn(2, 3, 4)
expected["npy"] = {}
for name, (value, version) in {
    "float32": (array.astype("<f4"), (1, 0)),
    "float64-columns": (np.asfortranarray(array), (2, 0)),
    "big-endian": (array.astype(">f4"), (3, 0)),
    "half": (array.astype("<f2"), (1, 0)),
    "int64": (np.arange(5), (1, 0)),
    "bool": (array > 0, (1, 0)),
    "scalar": (np.float32(3.5), (1, 0)),
    "empty": (np.zeros((0, 3), "<f4"), (1, 0)),
}.items():
    with open(OUT / f"{name}.npy", "wb") as file:
        np.lib.format.write_array(file, np.asanyarray(value), version=version)
    expected["npy"][name] = described(np.load(OUT / f"{name}.npy").astype("<f4"))
with open(OUT / "complex.npy", "wb") as file:
    np.lib.format.write_array(file, np.zeros(1, "<c8"))

(OUT / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
