"""Writes fixup-resnet-training.json and fixup-resnet-parameters.json: PyTorch on our networks.

The modules are those of the authors' code (hongyi-zhang/Fixup, ImageNet version), written anew at
any width and with either stem. Usage: /usr/bin/python3 tests/reference/fixup_resnet.py
"""
import json
import math
import pathlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional


def bias():
    return nn.Parameter(torch.zeros(1))


def conv(depth, filters, side, stride=1):
    return nn.Conv2d(depth, filters, side, stride, padding=side // 2, bias=False)


class Basic(nn.Module):
    expansion = 1

    def __init__(self, depth, width, stride):
        super().__init__()
        self.bias1a, self.conv1, self.bias1b = bias(), conv(depth, width, 3, stride), bias()
        self.bias2a, self.conv2 = bias(), conv(width, width, 3)
        self.scale, self.bias2b = nn.Parameter(torch.ones(1)), bias()
        self.downsample = conv(depth, width, 1, stride) if stride != 1 or depth != width else None

    def forward(self, x):
        out = torch.relu(self.conv1(x + self.bias1a) + self.bias1b)
        out = self.conv2(out + self.bias2a) * self.scale + self.bias2b
        identity = self.downsample(x + self.bias1a) if self.downsample else x
        return torch.relu(out + identity)


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, depth, width, stride):
        super().__init__()
        out = width * 4
        self.bias1a, self.conv1, self.bias1b = bias(), conv(depth, width, 1), bias()
        self.bias2a, self.conv2, self.bias2b = bias(), conv(width, width, 3, stride), bias()
        self.bias3a, self.conv3 = bias(), conv(width, out, 1)
        self.scale, self.bias3b = nn.Parameter(torch.ones(1)), bias()
        self.downsample = conv(depth, out, 1, stride) if stride != 1 or depth != out else None

    def forward(self, x):
        out = torch.relu(self.conv1(x + self.bias1a) + self.bias1b)
        out = torch.relu(self.conv2(out + self.bias2a) + self.bias2b)
        out = self.conv3(out + self.bias3a) * self.scale + self.bias3b
        identity = self.downsample(x + self.bias1a) if self.downsample else x
        return torch.relu(out + identity)


class FixupResNet(nn.Module):
    def __init__(self, block, stages, width, stem, channels, classes):
        super().__init__()
        self.stem = stem
        side = 5 if stem == "small" else 7
        self.conv1, self.bias1 = conv(channels, width, side, 2), bias()
        depth = width
        for stage, count in enumerate(stages):
            blocks = []
            for index in range(count):
                stride = 2 if stage > 0 and index == 0 else 1
                blocks.append(block(depth, width * 2**stage, stride))
                depth = width * 2**stage * block.expansion
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.bias2, self.fc = bias(), nn.Linear(depth, classes)

    def forward(self, x):
        x = torch.relu(self.conv1(x) + self.bias1)
        if self.stem == "imagenet":
            x = functional.max_pool2d(x, 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)) + self.bias2)


DEPTHS = {
    "fixup-resnet10": (Basic, (1, 1, 1, 1)),
    "fixup-resnet18": (Basic, (2, 2, 2, 2)),
    "fixup-resnet34": (Basic, (3, 4, 6, 3)),
    "fixup-resnet50": (Bottleneck, (3, 4, 6, 3)),
}


def build(name, width, stem, channels, classes):
    return FixupResNet(*DEPTHS[name], width, stem, channels, classes)


def formula(count, salt):
    """`count` numbers in [-0.5, 0.5): a 32-bit integer hash, the same in any language."""
    mask = np.uint64(0xFFFFFFFF)
    x = (np.arange(count, dtype=np.uint64) * np.uint64(0x9E3779B1) + np.uint64(salt)) & mask
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        x = ((x ^ (x >> np.uint64(shift))) * np.uint64(factor)) & mask
    x ^= x >> np.uint64(16)
    return (x.astype(np.float64) / 2**32 - 0.5).astype(np.float32)


def role(name):
    last = name.split(".")[-1]
    return "scale" if last == "scale" else "bias" if last.startswith("bias") else "weight"


def start(name, shape, salt):
    """The formula, scaled so that activations keep their size; no parameter is zero."""
    values = formula(int(np.prod(shape)), salt)
    if role(name) == "scale":
        return (np.float32(1) + values * np.float32(0.5)).reshape(shape)
    if role(name) == "bias":
        return (values * np.float32(0.25)).reshape(shape)
    fan_in = int(np.prod(shape[1:]))
    return (values * np.float32(4.0 / math.sqrt(fan_in))).reshape(shape)


def summary(tensor):
    flat = tensor.detach().double().reshape(-1)
    return {"norm": float(flat.norm()), "first": float(flat[0]), "last": float(flat[-1])}


def training_case(config):
    model = build(*(config[k] for k in ("name", "width", "stem", "channels", "classes")))
    named = list(model.named_parameters())
    with torch.no_grad():
        for salt, (name, parameter) in enumerate(sorted(named)):
            parameter.copy_(torch.from_numpy(start(name, parameter.shape, salt)))
    rate, training = config["rate"], config["training"]
    groups = [
        {"params": [p for n, p in named if role(n) == kind], "lr": rate * factor}
        for kind, factor in (("weight", 1), *training["multipliers"].items())
    ]
    optimiser = torch.optim.SGD(
        groups, lr=rate, momentum=training["momentum"], weight_decay=training["weightDecay"]
    )
    batch, channels, side = config["batch"], config["channels"], config["image"]
    steps = []
    for step in range(config["steps"]):
        images = formula(batch * channels * side * side, 1000 + step) * np.float32(4)
        images = torch.from_numpy(images.reshape(batch, channels, side, side))
        labels = torch.tensor([(i * 7 + step) % config["classes"] for i in range(batch)])
        optimiser.zero_grad()
        logits = model(images)
        # the last `batch - size` examples are padding
        loss = functional.cross_entropy(logits[: config["size"]], labels[: config["size"]])
        loss.backward()
        gradients = {n: summary(p.grad) for n, p in named} if step == 0 else None
        norm = nn.utils.clip_grad_norm_(model.parameters(), training["clipNorm"])
        optimiser.step()
        steps.append({"loss": float(loss), "gradientNorm": float(norm)})
        if step == 0:
            first = {"gradients": gradients, "logits": logits[0].tolist()}
    return {**config, **first, "trace": steps, "after": {n: summary(p) for n, p in named}}


def parameters_case(name, stem, classes):
    model = build(name, 64, stem, 3, classes)
    shapes = {n: list(p.shape) for n, p in model.named_parameters()}
    total = sum(p.numel() for p in model.parameters())
    return {"name": name, "stem": stem, "classes": classes, "total": total, "shapes": shapes}


def main():
    torch.manual_seed(0)
    here = pathlib.Path(__file__).parent
    training = {
        "momentum": 0.9,
        "weightDecay": 0.01,
        "clipNorm": 0.5,
        "multipliers": {"bias": 0.1, "scale": 0.25},
    }
    common = {"batch": 6, "size": 5, "classes": 7, "rate": 0.2, "steps": 3, "training": training}
    cases = [
        {"name": "fixup-resnet10", "width": 8, "stem": "small", "channels": 3, "image": 33},
        {"name": "fixup-resnet10", "width": 4, "stem": "imagenet", "channels": 1, "image": 48},
        {"name": "fixup-resnet50", "width": 2, "stem": "imagenet", "channels": 3, "image": 32},
    ]
    write = {
        "fixup-resnet-training.json": [training_case({**c, **common}) for c in cases],
        "fixup-resnet-parameters.json": [
            parameters_case("fixup-resnet18", "small", 10),
            parameters_case("fixup-resnet50", "imagenet", 1000),
        ],
    }
    for file, content in write.items():
        out = {"torch": torch.__version__, "cases": content}
        (here / file).write_text(json.dumps(out) + "\n")


if __name__ == "__main__":
    main()
