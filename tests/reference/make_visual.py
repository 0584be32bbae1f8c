"""Writes visual.json: Grad-CAM, slopes along images and deconvnet signals, by PyTorch.

Weights and images are given by the formula of architectures.py and fixup_resnet.py; all else is in
double precision. Grad-CAM and slopes are autograd's. The deconvnet of the plain ConvNet is replayed
layer by layer with max_unpool2d and conv_transpose2d; that of the others is autograd's with the
relu's backward pass replaced. Images are drawn anew until single precision agrees: until nothing is
on a kink. Usage: /usr/bin/python3 tests/reference/make_visual.py
"""
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import architectures
import fixup_resnet


class SentBackRelu(torch.autograd.Function):
    """Cuts the signal off where it is negative, whatever the input was."""

    @staticmethod
    def forward(ctx, x, most):
        return x.clamp(0, most)

    @staticmethod
    def backward(ctx, dy):
        return dy.clamp(min=0), None


class SwitchedPool(torch.autograd.Function):
    """Sends the signal to each window's maximum; through no window in which nothing is active."""

    @staticmethod
    def forward(ctx, x, size, stride, pad):
        y, at = MAX_POOL(x, size, stride, pad, return_indices=True)
        ctx.save_for_backward(y, at)
        ctx.shape = x.shape
        return y

    @staticmethod
    def backward(ctx, dy):
        y, at = ctx.saved_tensors
        n, c, h, w = ctx.shape
        dx = torch.zeros(n, c, h * w, dtype=dy.dtype)
        dx.scatter_add_(2, at.flatten(2), (dy * (y > 0)).flatten(2))
        return dx.reshape(ctx.shape), None, None, None


MAX_POOL = F.max_pool2d
OWN = {"relu": F.relu, "hardtanh": F.hardtanh, "max_pool2d": F.max_pool2d}
OWN_RELU = torch.relu


def as_deconvnet(on):
    relu = lambda x, inplace=False: SentBackRelu.apply(x, float("inf"))
    F.relu = relu if on else OWN["relu"]
    torch.relu = relu if on else OWN_RELU
    F.hardtanh = (
        (lambda x, low, high, inplace=False: SentBackRelu.apply(x, high)) if on else OWN["hardtanh"]
    )
    F.max_pool2d = (
        (lambda x, size, stride=None, pad=0, *_, **__: SwitchedPool.apply(x, size, stride, pad))
        if on
        else OWN["max_pool2d"]
    )


class Block(nn.Module):
    def __init__(self, depth, filters):
        super().__init__()
        self.conv = nn.Conv2d(depth, filters, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(filters)

    def forward(self, x):
        return F.max_pool2d(F.relu(self.bn(self.conv(x))), 2, 2)


class ConvNet(nn.Module):
    def __init__(self, width, channels, classes):
        super().__init__()
        self.block1 = Block(channels, width)
        self.block2 = Block(width, 2 * width)
        self.block3 = Block(2 * width, 4 * width)
        self.fc = nn.Linear(4 * width, classes)

    def forward(self, x):
        return self.fc(self.block3(self.block2(self.block1(x))).mean((2, 3)))


def replayed(model, images, start):
    """Zeiler and Fergus: unpool by the switches, cut off at zero, transposed filters."""
    blocks, kept, x = [model.block1, model.block2, model.block3], [], images
    for block in blocks:
        active = F.relu(block.bn(block.conv(x)))
        x, at = MAX_POOL(active, 2, 2, return_indices=True)
        kept.append((active.shape, x, at))
    signal = start
    for block, (shape, pooled, at) in reversed(list(zip(blocks, kept))):
        signal = F.max_unpool2d(signal * (pooled > 0), at, 2, 2, output_size=shape)
        signal = F.relu(signal)
        gain = block.bn.weight / (block.bn.running_var + block.bn.eps).sqrt()
        signal = signal * gain[None, :, None, None]
        signal = F.conv_transpose2d(signal, block.conv.weight, padding=1)
    return signal


def build(case):
    name, width, classes = case["name"], case["width"], case["classes"]
    if name == "convnet":
        model = ConvNet(width, case["channels"], classes)
        architectures.load(model, case["shift"])
    elif name.startswith("fixup"):
        model = fixup_resnet.build(name, width, case["stem"], case["channels"], classes)
        with torch.no_grad():
            for salt, (key, p) in enumerate(sorted(model.named_parameters())):
                p.copy_(torch.from_numpy(fixup_resnet.start(key, p.shape, salt)))
    else:
        model = architectures.build(case)
    return model.eval()


def tap_of(model, name):
    for part in name.replace("denseblock", "features.denseblock").split("."):
        model = model[int(part)] if part.isdigit() else getattr(model, part)
    return model


def forward(model, case, images):
    kept = {}
    hook = tap_of(model, case["tap"]).register_forward_hook(
        lambda _, __, out: kept.update(map=out)
    )
    logits = model(images)
    hook.remove()
    return logits, kept["map"]


def peaks(case, maps):
    """For each image a channel, and the position of its largest value."""
    found = []
    for i in range(case["batch"]):
        channel = int(maps[i].flatten(1).max(1).values.argmax())
        found.append({"channel": channel, "position": int(maps[i, channel].argmax())})
    return found


def measured(model, case, at=None):
    dtype = next(model.parameters()).dtype
    images = architectures.images_of(case, case["salt"]).to(dtype).requires_grad_()
    as_deconvnet(False)
    logits, maps = forward(model, case, images)
    explained = logits.gather(1, architectures.labels_of(case)[:, None]).sum()
    slope, weights = torch.autograd.grad(explained, [images, maps])
    cam = (maps * weights.mean((2, 3), keepdim=True)).sum(1).clamp(min=0)
    at = at or peaks(case, maps)
    as_deconvnet(True)
    _, maps = forward(model, case, images)
    start = torch.zeros_like(maps)
    for i, peak in enumerate(at):
        start[i, peak["channel"]].view(-1)[peak["position"]] = 1
    (signal,) = torch.autograd.grad((maps * start).sum(), [images])
    as_deconvnet(False)
    if case["name"] == "convnet":
        signal = replayed(model, images, start)
    answer = maps.mean((2, 3))[:, at[0]["channel"]]
    return at, {"cam": cam, "slope": slope, "signal": signal, "answer": answer}


def kept(tensor):
    """The norm and some values, far apart."""
    flat = tensor.detach().double().reshape(-1)
    every = max(1, flat.numel() // 24)
    some = [[i, float(flat[i])] for i in range(every // 2, flat.numel(), every)]
    return {"size": flat.numel(), "norm": float(flat.norm()), "values": some}


def agrees(a, b):
    return all((a[k] - b[k].double()).norm() < 1e-4 * a[k].norm() for k in a)


def values(case):
    for salt in range(3000, 3200):
        drawn = {**case, "salt": salt}
        at, double = measured(build(drawn).double(), drawn)
        _, single = measured(build(drawn).float(), drawn, at)
        lively = all(v.norm() > 0 for v in double.values())
        if lively and agrees(double, single):
            return {**drawn, "peaks": at, **{k: kept(v) for k, v in double.items()}}
    raise RuntimeError(f"{case}: every draw is on a kink")


def correlations():
    from scipy.stats import spearmanr

    random = np.random.RandomState(5)
    pairs = [
        (random.standard_normal(9), random.standard_normal(9)),
        (random.randint(0, 4, 30), random.randint(0, 4, 30)),
        (np.maximum(random.standard_normal(49), 0), np.maximum(random.standard_normal(49), 0)),
    ]
    return [
        {"a": a.tolist(), "b": b.tolist(), "rho": float(spearmanr(a, b).correlation)}
        for a, b in pairs
    ]


def main():
    common = {"classes": 5, "channels": 3, "batch": 3, "shift": 1, "stem": "imagenet"}
    cases = [
        {"name": "convnet", "width": 16, "image": 32, "tap": "block3", "stem": "small"},
        {"name": "fixup-resnet10", "width": 16, "image": 48, "tap": "layer4.0", "stem": "small"},
        {"name": "fixup-resnet10", "width": 4, "image": 48, "tap": "layer3.0", "channels": 1},
        {"name": "fixup-resnet50", "width": 4, "image": 64, "tap": "layer2.3"},
        {"name": "resnet18", "width": 64, "image": 64, "tap": "layer3.1"},
        {"name": "mobilenetv2", "width": 16, "image": 64, "tap": "features.13", "shift": 0.25},
        {"name": "densenet121", "width": 16, "image": 64, "tap": "denseblock2"},
    ]
    out = {
        "torch": torch.__version__,
        "cases": [values({**common, **case}) for case in cases],
        "correlations": correlations(),
    }
    here = pathlib.Path(__file__).parent
    (here / "visual.json").write_text(json.dumps(out) + "\n")


if __name__ == "__main__":
    main()
