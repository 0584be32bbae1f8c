"""Checks an exported safetensors file against PyTorch: torchvision loads it, and both give the same logits.

Usage: /usr/bin/python3 tests/reference/check_export.py resnet18 FILE.safetensors INPUT.npy LOGITS.npy
(FILE from `carryover weights export`, LOGITS from `carryover weights logits FILE --input INPUT.npy`)
"""
import json
import struct
import sys

import numpy as np
import torch
from torchvision import models


def read_safetensors(path):
    data = open(path, "rb").read()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    body = data[8 + length :]
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        assert entry["dtype"] == "F32"
        tensors[name] = torch.from_numpy(np.frombuffer(body[begin:end], "<f4").reshape(entry["shape"]).copy())
    return tensors


if __name__ == "__main__":
    name, file, images, logits = sys.argv[1:]
    state = read_safetensors(file)
    classes = list(state.values())[-1].shape[0]
    model = getattr(models, name)(num_classes=classes)
    result = model.load_state_dict(state, strict=False)
    assert not result.unexpected_keys, result.unexpected_keys
    assert all(key.endswith("num_batches_tracked") for key in result.missing_keys), result.missing_keys
    with torch.no_grad():
        theirs = model.eval()(torch.from_numpy(np.load(images))).numpy()
    difference = np.abs(theirs - np.load(logits)).max()
    print(f"{name}: {len(state)} tensors, {len(theirs)} images, largest difference {difference:.1e}")
    sys.exit(int(difference > 1e-4))
