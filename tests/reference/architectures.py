"""Reference values of BatchNorm architectures, from torchvision (and, for Keras' MobileNetV2, from
torchvision's modules with Keras' padding and epsilon).

Weights and images are given by a formula that both sides compute, see `formula`; all else is in
double precision. Images are drawn anew until PyTorch's own single precision agrees with double, that
is, until no relu is so near its kink that its gradient is a matter of rounding. Run:
    /usr/bin/python3 tests/reference/architectures.py
Writes architectures.json (names and shapes) and architectures-values.json beside itself.
"""
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

NAMES = {"mobilenetv2": "mobilenet_v2"}


def formula(count, salt):
    """Integer hash of index and salt: values in [-0.5, 0.5)."""
    with np.errstate(over="ignore"):
        x = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(salt)
        x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
        x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
        x = x ^ (x >> np.uint32(16))
    return (x.astype(np.float64) / 2**32 - 0.5).astype(np.float32)


def value(name, shape, salt, shift):
    """Weights of about unit gain; BatchNorm's scale around 1/2, its variance around 1, its shift and
    mean within half of `shift`."""
    v = formula(int(np.prod(shape)), salt).reshape(shape)
    if name.endswith("running_var"):
        return 1 + v * np.float32(0.5)
    if len(shape) > 1:
        fan_in = int(np.prod(shape[1:]))
        return v * np.float32(4 / np.sqrt(fan_in))
    is_scale = name.endswith(".weight")
    return np.float32(0.5) + v * np.float32(0.25) if is_scale else v * np.float32(shift)


def entries(model):
    state = model.state_dict().items()
    return [(k, list(v.shape)) for k, v in state if not k.endswith("num_batches_tracked")]


class KerasPad(nn.Module):
    """Keras' correct_pad for a 3x3 filter, before a strided convolution."""

    def forward(self, x):
        before = [1 - (1 - side % 2) for side in x.shape[2:]]
        return F.pad(x, (before[1], 1, before[0], 1))


def to_keras(model):
    """Pads as Keras does and sets its epsilon; names stay torchvision's."""
    for parent in list(model.modules()):
        for child in parent.children():
            if isinstance(child, nn.BatchNorm2d):
                child.eps = 1e-3
            if isinstance(child, nn.Conv2d) and child.stride == (2, 2):
                child.padding = (0, 0)
                pad = KerasPad()
                child.register_forward_pre_hook(lambda _, inputs, pad=pad: (pad(inputs[0]),))
    return model


def build(case):
    name, width, classes = case["name"], case["width"], case["classes"]
    make = getattr(torchvision.models, NAMES.get(name, name))
    if name == "mobilenetv2":
        model = make(num_classes=classes, width_mult=width / 32, dropout=0)
        if case.get("dialect") == "keras":
            to_keras(model)
    elif name == "densenet121":
        model = torchvision.models.DenseNet(
            width // 2, (6, 12, 24, 16), width, num_classes=classes
        )
    else:
        model = make(num_classes=classes)
    first = next(m for m in model.modules() if isinstance(m, nn.Conv2d))
    if case["channels"] == 1:
        weight = torch.empty(first.out_channels, 1, *first.kernel_size)
        first.weight, first.in_channels = nn.Parameter(weight), 1
    load(model, case["shift"])
    return model


def load(model, shift):
    state = model.state_dict()
    names = sorted(name for name, _ in entries(model))
    for salt, name in enumerate(names):
        state[name] = torch.from_numpy(value(name, tuple(state[name].shape), salt, shift))
    model.load_state_dict(state)


def images_of(case, salt):
    shape = (case["batch"], case["channels"], case["image"], case["image"])
    values = formula(int(np.prod(shape)), salt).reshape(shape) * np.float32(4)
    return torch.from_numpy(values)


def labels_of(case):
    return torch.tensor([(i * 7) % case["classes"] for i in range(case["batch"])])


def summary(tensor):
    flat = tensor.detach().flatten().double()
    return {"norm": flat.norm().item(), "first": flat[0].item(), "last": flat[-1].item()}


def numbers(tensor):
    return [round(v, 7) for v in tensor.detach().flatten().tolist()]


def forward_backward(model, case):
    model.zero_grad()
    images = images_of(case, case["salt"])
    logits = model(images.to(next(model.parameters()).dtype))
    loss = F.cross_entropy(logits, labels_of(case))
    loss.backward()
    picked = [(k, p) for i, (k, p) in enumerate(model.named_parameters()) if i % case["every"] == 0]
    return {
        "logits": numbers(logits),
        "loss": loss.item(),
        "gradients": {k: summary(p.grad) for k, p in picked},
    }


def picked_statistics(model, case):
    found = [(k, v) for k, v in model.state_dict().items() if "running" in k]
    return {k: summary(v) for i, (k, v) in enumerate(found) if i % case["every"] == 0}


def recalibrated(case):
    """Cumulative average of the moments of three batches, the last of them smaller."""
    model = build(case).double()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
            module.reset_running_stats()
    model.train()
    with torch.no_grad():
        for step in range(3):
            images = images_of(case, 2000 + step).double()
            model(images[: case["batch"] - 1] if step == 2 else images)
    return picked_statistics(model, case)


def disagreement(a, b):
    """The largest difference of two passes' gradients, relative to their norms (or a hundredth of
    the largest norm)."""
    largest = max(g["norm"] for g in a["gradients"].values())
    norms = {k: max(g["norm"], largest / 100) for k, g in a["gradients"].items()}
    differences = (
        abs(a["gradients"][k][part] - b["gradients"][k][part]) / norm
        for k, norm in norms.items()
        for part in ("norm", "first", "last")
    )
    return max(differences)


def smooth(case):
    """The case with the first images that are on no kink."""
    for salt in range(1000, 1100):
        drawn = {**case, "salt": salt}
        single = forward_backward(build(drawn).train(), drawn)
        double = forward_backward(build(drawn).double().train(), drawn)
        if disagreement(double, single) < 2e-4:
            return drawn
    raise RuntimeError(f"{case}: every draw is on a kink")


def values(case):
    case = smooth(case)
    model = build(case).double()
    out = dict(case)
    out["evaluation"] = forward_backward(model.eval(), case)
    out["training"] = forward_backward(model.train(), case)
    out["statistics"] = picked_statistics(model, case)
    if case["name"] == "resnet18":
        out["recalibrated"] = recalibrated(case)
    return out


def main():
    here = pathlib.Path(__file__).parent
    names = {}
    for name in ("resnet18", "resnet34", "resnet50", "mobilenetv2", "densenet121"):
        model = getattr(torchvision.models, NAMES.get(name, name))()
        names[name] = dict(entries(model))
    common = {"classes": 5, "channels": 3, "batch": 4, "every": 7, "shift": 4}
    cases = [
        {"name": "resnet18", "width": 64, "image": 48},
        {"name": "resnet34", "width": 64, "image": 33, "channels": 1},
        {"name": "resnet50", "width": 64, "image": 40},
        {"name": "mobilenetv2", "width": 32, "image": 64, "shift": 0.25},
        {"name": "mobilenetv2", "width": 16, "image": 48, "shift": 0.25, "dialect": "keras"},
        {"name": "mobilenetv2", "width": 16, "image": 45, "shift": 0.25, "dialect": "keras"},
        {"name": "densenet121", "width": 64, "image": 38},
    ]
    write = {
        "architectures.json": names,
        "architectures-values.json": [values({**common, **case}) for case in cases],
    }
    for file, content in write.items():
        out = {"torch": torch.__version__, "torchvision": torchvision.__version__}
        (here / file).write_text(json.dumps({**out, "cases": content}) + "\n")


if __name__ == "__main__":
    main()
