"""Writes logits.json: logits of torchvision's networks whose weights anyone can draw again.

Element i of a tensor is a hash of the tensor's name and i, so nothing but the logits is stored
(tests/integration/drawn-weights.ts is the other side). Usage: /usr/bin/python3 tests/reference/make_logits.py
"""
import json
import pathlib

import numpy as np
import torch
from torchvision import models

CLASSES, IMAGES, SIDE = 10, 2, 64


def draw(name, shape):
    """Values in [-1, 1): FNV-1a of the name, plus the index, through a 32-bit mixer."""
    seed = 2166136261
    for byte in name.encode():
        seed = (seed ^ byte) * 16777619 % 2**32
    x = (np.arange(np.prod(shape, dtype=np.int64), dtype=np.uint64) * 2654435769 + seed) % 2**32
    x = x.astype(np.uint32)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B), (16, 1)):
        x = (x ^ (x >> np.uint32(shift))) * np.uint32(factor)
    return (x.astype(np.float64) / 2**31 - 1).reshape(shape)


def weights_of(model):
    state = {}
    for name, tensor in model.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        shape = tuple(tensor.shape)
        u = draw(name, shape)
        if len(shape) > 1:
            value = u * np.sqrt(3 / np.prod(shape[1:]))
        elif name.endswith("running_var"):
            value = 1 + 0.5 * u
        elif name.endswith(".weight"):
            value = 1 + 0.2 * u
        else:
            value = 0.1 * u
        state[name] = torch.from_numpy(value.astype(np.float32))
    return state


def case(name, channels=3):
    model = getattr(models, name)(num_classes=CLASSES)
    state = weights_of(model)
    model.load_state_dict(state, strict=False)
    images = (2 * draw("images", (IMAGES, channels, SIDE, SIDE))).astype(np.float32)
    if channels == 1:
        model.conv1 = torch.nn.Conv2d(1, 64, 7, 2, 3, bias=False)
        model.conv1.weight = torch.nn.Parameter(state["conv1.weight"].sum(1, keepdim=True))
    with torch.no_grad():
        logits = model.eval()(torch.from_numpy(images))
    shapes = {key: list(value.shape) for key, value in state.items()}
    assert len(shapes) == len(state)
    return {"architecture": name, "channels": channels, "logits": logits.tolist()}


if __name__ == "__main__":
    torch.set_num_threads(1)
    cases = [case(name) for name in ("resnet18", "resnet34", "resnet50", "mobilenet_v2", "densenet121")]
    cases.append(case("resnet18", channels=1))
    for each in cases:
        print(each["architecture"], each["channels"], np.abs(each["logits"]).max())
    out = {"classes": CLASSES, "images": IMAGES, "side": SIDE, "cases": cases}
    file = pathlib.Path(__file__).with_name("logits.json")
    file.write_text(json.dumps(out, indent=1) + "\n")
