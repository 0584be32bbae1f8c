"""Writes training.json: PyTorch's losses and optimisers, NumPy's beta.

Usage: /usr/bin/python3 tests/reference/make_training.py
"""
import json
import pathlib

import numpy as np
import torch
from torch.nn import functional

STAGES = ["stem", "layer1", "head"]
SHAPES = {
    "conv.weight": ([2, 3], "weight", "stem"),
    "conv.bias": ([2], "bias", "stem"),
    "block.weight": ([4], "weight", "layer1"),
    "block.scale": ([1], "scale", "layer1"),
    "fc.weight": ([3, 2], "weight", "head"),
    "fc.bias": ([3], "bias", "head"),
}
STEPS = 5


def numbers(tensor):
    return [float(v) for v in tensor.detach().double().reshape(-1)]


def optimiser_case(name, training, make, decoupled=0.0, joins=None):
    """`joins`: steps after which a stage is trained; its gradients are None before."""
    random = np.random.RandomState(7)
    factor = training.get("fine-tuning", {}).get("rate-factor", 1)
    multipliers = training.get("lr-multipliers", {"bias": 0.1, "scale": 0.1})
    start, groups, parameters = {}, [], {}
    for key, (shape, role, stage) in SHAPES.items():
        start[key] = random.standard_normal(shape).astype(np.float32)
        parameters[key] = torch.nn.Parameter(torch.from_numpy(start[key].copy()))
        below = len(STAGES) - 1 - STAGES.index(stage)
        share = multipliers.get(role, 1) / factor**below
        groups.append({"params": [parameters[key]], "lr": 1.0, "share": share})
    optimiser = make(groups)
    steps = []
    for step in range(STEPS):
        rate = 0.1 / (step + 1)
        gradients = {}
        for key, (shape, _, stage) in SHAPES.items():
            gradients[key] = random.standard_normal(shape).astype(np.float32)
            waits = (joins or {}).get(stage, 0)
            given = None if step < waits else torch.from_numpy(gradients[key].copy())
            parameters[key].grad = given
        trained = [p for p in parameters.values() if p.grad is not None]
        clip = training.get("clip-norm")
        norm = torch.nn.utils.clip_grad_norm_(trained, clip if clip else 1e9)
        for group in optimiser.param_groups:
            group["lr"] = rate * group["share"]
            if decoupled:
                with torch.no_grad():
                    for p in group["params"]:
                        p.mul_(1 - group["lr"] * decoupled)
        optimiser.step()
        steps.append(
            {
                "rate": rate,
                "gradients": {k: numbers(torch.from_numpy(v)) for k, v in gradients.items()},
                "norm": float(norm),
                "after": {k: numbers(p) for k, p in parameters.items()},
            }
        )
    return {
        "name": name,
        "training": training,
        "joins": joins or {},
        "start": {k: numbers(torch.from_numpy(v)) for k, v in start.items()},
        "steps": steps,
    }


def sgd(**options):
    return lambda groups: torch.optim.SGD(groups, **{"lr": 1.0, **options})


def adamw(**options):
    return lambda groups: torch.optim.AdamW(groups, **{"lr": 1.0, **options})


def optimiser_cases():
    yield optimiser_case(
        "plain SGD", {"optimiser": {"momentum": 0, "weight-decay": 0}}, sgd()
    )
    yield optimiser_case(
        "momentum and coupled decay",
        {"optimiser": {"momentum": 0.9, "weight-decay": 0.05}},
        sgd(momentum=0.9, weight_decay=0.05),
    )
    yield optimiser_case(
        "Nesterov, clipped",
        {"optimiser": {"momentum": 0.8, "nesterov": True, "weight-decay": 0.02}, "clip-norm": 1.5},
        sgd(momentum=0.8, nesterov=True, weight_decay=0.02),
    )
    # PyTorch has no decoupled SGD; its AdamW multiplies the parameters first, as is done here
    yield optimiser_case(
        "decoupled decay, rates by stage",
        {
            "optimiser": {"momentum": 0.9, "weight-decay": 0.3, "decay": "decoupled"},
            "fine-tuning": {"rate-factor": 2.6},
        },
        sgd(momentum=0.9),
        decoupled=0.3,
    )
    yield optimiser_case("AdamW", {"optimiser": {"kind": "adamw"}}, adamw(weight_decay=1e-2))
    yield optimiser_case(
        "AdamW, all options",
        {
            "optimiser": {
                "kind": "adamw",
                "betas": [0.8, 0.95],
                "epsilon": 1e-3,
                "weight-decay": 0.2,
            },
            "fine-tuning": {"rate-factor": 3},
            "lr-multipliers": {"bias": 0.5, "scale": 2},
            "clip-norm": 2,
        },
        adamw(betas=(0.8, 0.95), eps=1e-3, weight_decay=0.2),
    )
    yield optimiser_case(
        "AdamW, stages join later",
        {"optimiser": {"kind": "adamw", "weight-decay": 0}},
        adamw(weight_decay=0.0),
        joins={"layer1": 2, "stem": 3},
    )


def softmax_case(name, smoothing, weights, partner=None, mix=1.0):
    random = np.random.RandomState(11)
    logits = torch.tensor(random.standard_normal((5, 4)) * 3, dtype=torch.float64).float()
    logits.requires_grad_()
    labels = torch.tensor([3, 0, 1, 1, 2])
    weight = torch.tensor(weights) if weights else None

    def loss_of(target):
        return functional.cross_entropy(logits, target, weight, label_smoothing=smoothing)

    loss = loss_of(labels)
    if partner:
        loss = mix * loss + (1 - mix) * loss_of(labels[torch.tensor(partner)])
    loss.backward()
    return {
        "name": name,
        "smoothing": smoothing,
        "classWeights": weights,
        "mix": {"partner": partner, "lambda": mix} if partner else None,
        "labels": labels.tolist(),
        "logits": numbers(logits),
        "loss": float(loss),
        "gradient": numbers(logits.grad),
    }


def sigmoid_case(name, mask, scale):
    random = np.random.RandomState(13)
    logits = torch.tensor(random.standard_normal((4, 3)) * scale).float().requires_grad_()
    targets = torch.tensor(random.randint(0, 2, (4, 3))).float()
    mask = torch.tensor(mask).float()
    loss = functional.binary_cross_entropy_with_logits(logits, targets, mask, reduction="sum")
    loss = loss / mask.sum()
    loss.backward()
    return {
        "name": name,
        "logits": numbers(logits),
        "targets": numbers(targets),
        "mask": numbers(mask),
        "loss": float(loss),
        "gradient": numbers(logits.grad),
    }


def rate_sweep(curvatures, start, low, high, count):
    """A rate sweep on 1/2 sum a w^2 with plain SGD: losses, fastai's stop, means and fitted lines."""
    a, w = np.array(curvatures), np.array(start)
    rates = np.geomspace(low, high, count)
    losses, running, average = [], [], 0.0
    for i, rate in enumerate(rates):
        losses.append(0.5 * float(np.sum(a * w * w)))
        average = 0.98 * average + 0.02 * losses[-1]
        running.append(average / (1 - 0.98 ** (i + 1)))
        if running[-1] > 4 * min(running):
            break
        w = w * (1 - rate * a)
    n = len(losses)
    half = [min(max(1, int(n / 40 + 0.5)), i, n - 1 - i) for i in range(n)]
    smoothed = [float(np.mean(losses[i - h : i + h + 1])) for i, h in enumerate(half)]
    reach = max(1, int(n / 8 + 0.5))
    best, suggestion = 0.0, None
    for i in range(reach, int(np.argmin(smoothed)) - reach + 1):
        x, y = np.log(rates[i - reach : i + reach + 1]), losses[i - reach : i + reach + 1]
        (slope, _), covariance = np.polyfit(x, y, 1, cov=True)
        if slope < min(best, -3 * covariance[0, 0] ** 0.5):
            best, suggestion = slope, float(rates[i])
    sweep = {"from": low, "to": high, "steps": count}
    given = {"curvatures": curvatures, "start": start, "sweep": sweep}
    return {**given, "losses": losses, "smoothed": smoothed, "suggestion": suggestion}


def main():
    weights = [0.5, 2.0, 1.0, 3.0]
    out = {
        "torch": torch.__version__,
        "numpy": np.__version__,
        "stages": STAGES,
        "parameters": {k: {"shape": s, "role": r, "stage": t} for k, (s, r, t) in SHAPES.items()},
        "optimisers": list(optimiser_cases()),
        "softmax": [
            softmax_case("plain", 0.0, None),
            softmax_case("smoothed", 0.1, None),
            softmax_case("weighted", 0.0, weights),
            softmax_case("smoothed and weighted", 0.2, weights),
            softmax_case("mixed, smoothed and weighted", 0.2, weights, [2, 0, 4, 1, 3], 0.3),
        ],
        "sigmoid": [
            sigmoid_case("all labels", [[1, 1, 1]] * 4, 2),
            sigmoid_case("masked", [[1, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0]], 2),
            sigmoid_case("large logits", [[1, 1, 0], [1, 1, 1], [0, 1, 1], [1, 1, 1]], 150),
        ],
        "sweeps": [
            rate_sweep([0.7], [1.0], 1e-4, 70.0, 90),
            rate_sweep([0.02, 3.0, 0.5], [4.0, -1.0, 2.0], 1e-6, 10.0, 100),
            # ends before it explodes
            rate_sweep([1.0, 0.1], [1.0, 5.0], 1e-4, 0.5, 40),
        ],
        "beta": [
            {"seed": seed, "a": a, "b": b, "values": np.random.RandomState(seed).beta(a, b, 20).tolist()}
            for seed, a, b in [
                (0, 0.2, 0.2),
                (3, 0.7, 0.7),
                (5, 1e-3, 1e-3),
                (1, 1.0, 1.0),
                (2, 1.5, 1.5),
                (4, 10.0, 10.0),
                (6, 0.5, 3.0),
                (7, 1.0, 4.0),
            ]
        ],
    }
    pathlib.Path(__file__).with_name("training.json").write_text(json.dumps(out) + "\n")


main()
