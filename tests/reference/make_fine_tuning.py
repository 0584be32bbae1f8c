"""Writes fine-tuning.json: some steps of fine-tuning torchvision's networks, with frozen stages
(no gradients, BatchNorm as in evaluation), rates by stage, running statistics and a smaller last
batch; in double precision, with which PyTorch's own single precision must agree.

Usage: /usr/bin/python3 tests/reference/make_fine_tuning.py
"""
import json
import pathlib

import torch
from torch import nn
from torch.nn import functional

from architectures import build, images_of, numbers, summary

RESNET = [["conv1", "bn1"], ["layer1"], ["layer2"], ["layer3"], ["layer4"], ["fc"]]
CASES = [
    {
        "name": "resnet18",
        "width": 64,
        "image": 32,
        "stages": RESNET,
        "frozen": 2,
        "training": {
            "optimiser": {"kind": "sgd", "nesterov": True, "weight-decay": 0.01},
            "loss": {"label-smoothing": 0.1},
            "fine-tuning": {"freeze-to": "layer1", "rate-factor": 2},
            "clip-norm": 0.5,
        },
        "rate": 0.01,
    },
    {
        "name": "resnet18",
        "width": 64,
        "image": 64,
        "stages": RESNET,
        "frozen": 0,
        "training": {
            "optimiser": {"kind": "adamw", "epsilon": 1e-3, "weight-decay": 0.05},
        },
        "rate": 0.0001,
        "batch": 8,
        "sizes": [8, 8, 5],
    },
]
COMMON = {"classes": 5, "channels": 3, "batch": 4, "sizes": [4, 4, 3]}


def train(case, precision):
    model = build(case).to(precision).train()
    modules, stages = dict(model.named_modules()), case["stages"]

    def stage_of(name):
        return next(i for i, starts in enumerate(stages) if name.startswith(tuple(starts)))

    for name, module in modules.items():
        if isinstance(module, nn.BatchNorm2d) and stage_of(name) < case["frozen"]:
            module.eval()
    before = {k: v.clone() for k, v in model.state_dict().items() if "num_batches" not in k}
    training, groups = case["training"], []
    factor = training.get("fine-tuning", {}).get("rate-factor", 1)
    for name, parameter in model.named_parameters():
        stage = stage_of(name)
        parameter.requires_grad_(stage >= case["frozen"])
        if parameter.requires_grad:
            rate = case["rate"] / factor ** (len(stages) - 1 - stage)
            groups.append({"params": [parameter], "lr": rate})
    given = training["optimiser"]
    decay = given["weight-decay"]
    if given["kind"] == "sgd":
        optimiser = torch.optim.SGD(groups, 1, momentum=0.9, nesterov=True, weight_decay=decay)
    else:
        optimiser = torch.optim.AdamW(groups, eps=given["epsilon"], weight_decay=decay)
    trained = [p for p in model.parameters() if p.requires_grad]
    weight = torch.tensor(case["classWeights"]).to(trained[0])
    smoothing = training.get("loss", {}).get("label-smoothing", 0.0)
    trace = []
    for step, size in enumerate(case["sizes"]):
        labels = torch.tensor([(i * 7 + step) % case["classes"] for i in range(size)])
        optimiser.zero_grad()
        logits = model(images_of({**case, "batch": size}, 1000 + step).to(precision))
        loss = functional.cross_entropy(logits, labels, weight, label_smoothing=smoothing)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(trained, training.get("clip-norm", 1e9))
        optimiser.step()
        trace.append({"loss": loss.item(), "gradientNorm": norm.item()})
    after = model.state_dict()
    moved = {k: summary(after[k] - v) for i, (k, v) in enumerate(before.items()) if i % 3 == 0}
    with torch.no_grad():
        logits = model.eval()(images_of(case, 3000).to(precision))
    return {**case, "trace": trace, "moved": moved, "logits": numbers(logits)}


def main():
    weights = [1.0, 0.5, 2.0, 1.5, 1.0]
    cases = []
    for case in CASES:
        given = {**COMMON, **case, "classWeights": weights}
        exact, single = train(given, torch.float64), train(given, torch.float32)
        # else the case would tell rounding from rounding
        for a, b in zip(exact["trace"], single["trace"]):
            assert all(abs(b[key] / a[key] - 1) < 1e-4 for key in a), (case["name"], a, b)
        cases.append(exact)
    out = {"torch": torch.__version__, "cases": cases}
    pathlib.Path(__file__).with_name("fine-tuning.json").write_text(json.dumps(out) + "\n")


if __name__ == "__main__":
    main()
