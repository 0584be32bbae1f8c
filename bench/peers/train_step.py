"""PyTorch's side of `bench train-step`: a child process that does one timed training step per line.

Reads one JSON line (architecture, sizes, recipe, files of float32 weights and images, threads),
answers {"version", "threads"}, then answers every further line with {"seconds", "loss"} of a step.
"""
import json
import pathlib
import sys
import time

import numpy as np
import torch
from torch.nn import functional

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tests" / "reference"))
from fixup_resnet import build, role  # noqa: E402


def answer(message):
    print(json.dumps(message), flush=True)


def main():
    job = json.loads(sys.stdin.readline())
    if job["threads"]:
        torch.set_num_threads(job["threads"])
    model = build(job["architecture"], job["width"], "small", 3, job["classes"])
    weights = np.fromfile(job["weights"], np.float32)
    named = dict(model.named_parameters())
    offset = 0
    with torch.no_grad():
        for name in job["names"]:
            count = named[name].numel()
            values = weights[offset : offset + count].reshape(named[name].shape)
            named[name].copy_(torch.from_numpy(values))
            offset += count
    side = job["image"]
    images = torch.from_numpy(np.fromfile(job["images"], np.float32).reshape(-1, 3, side, side))
    labels = torch.tensor(job["labels"])
    factors = {"weight": 1, **job["multipliers"]}
    groups = [
        {"params": [p for n, p in named.items() if role(n) == kind], "lr": job["rate"] * factor}
        for kind, factor in factors.items()
    ]
    optimiser = torch.optim.SGD(
        groups, lr=job["rate"], momentum=job["momentum"], weight_decay=job["weightDecay"]
    )
    answer({"version": torch.__version__, "threads": torch.get_num_threads()})
    for _ in sys.stdin:
        start = time.perf_counter()
        optimiser.zero_grad()
        loss = functional.cross_entropy(model(images), labels)
        loss.backward()
        optimiser.step()
        answer({"seconds": time.perf_counter() - start, "loss": float(loss)})


main()
