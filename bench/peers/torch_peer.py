"""PyTorch's side of the benches: a child process that does one timed thing per line.

Reads one JSON line, the job (architecture, recipe, files of float32 weights and images, device,
threads), answers {"version", "threads"} or {"error"}, then answers every further line:
"step" with {"seconds", "loss"} of a training step, "infer" with {"seconds", "logits"} (the first
ones) of an evaluation without gradients, "memory" with {"bytes"}, the most that was in memory.
"""
import json
import resource
import sys
import time

import numpy as np
import torch
from torch.nn import functional

import models


def answer(message):
    print(json.dumps(message), flush=True)


def floats(file):
    return torch.from_numpy(np.fromfile(file, np.float32))


class Peer:
    def __init__(self, job):
        if job["threads"]:
            torch.set_num_threads(job["threads"])
        # As ours: float32 throughout.
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        self.device = torch.device(job["device"])
        spec = job["architecture"]
        model = models.build(spec, spec["channels"], job["classes"])
        load(model, job["names"], floats(job["weights"]))
        self.model = model.to(self.device)
        shape = (-1, spec["channels"], spec["image"], spec["image"])
        # They come from the processor's memory in every step, as ours do.
        self.images = floats(job["images"]).reshape(shape)
        self.labels = torch.tensor(job["labels"])
        self.optimiser = self.optimiser_of(job)

    def optimiser_of(self, job):
        factors = {"weight": 1, **job["multipliers"]}
        named = dict(self.model.named_parameters())
        groups = [
            {"params": [p for n, p in named.items() if job["roles"][n] == role], "lr": job["rate"] * factor}
            for role, factor in factors.items()
        ]
        return torch.optim.SGD(
            [group for group in groups if group["params"]],
            lr=job["rate"],
            momentum=job["momentum"],
            weight_decay=job["weightDecay"],
        )

    def step(self):
        self.model.train()
        self.optimiser.zero_grad()
        loss = functional.cross_entropy(self.model(self.images.to(self.device)), self.labels.to(self.device))
        loss.backward()
        self.optimiser.step()
        return {"loss": float(loss)}

    def infer(self):
        self.model.eval()
        with torch.no_grad():
            logits = self.model(self.images.to(self.device))
        return {"logits": logits.flatten()[:16].tolist()}

    def timed(self, what):
        self.wait()
        start = time.perf_counter()
        result = what()
        self.wait()
        return {"seconds": time.perf_counter() - start, **result}

    def wait(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def load(model, names, values):
    state = model.state_dict()
    offset = 0
    for name in names:
        count = state[name].numel()
        state[name].copy_(values[offset : offset + count].reshape(state[name].shape))
        offset += count
    missing = [n for n in state if n not in names and not n.endswith("num_batches_tracked")]
    if missing or offset != values.numel():
        raise ValueError(f"the networks differ: {missing[:5]} are not among the weights")


def peak_bytes():
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main():
    job = json.loads(sys.stdin.readline())
    peer = None
    try:
        if job["architecture"]:
            peer = Peer(job)
        else:
            torch.zeros(2, 2).matmul(torch.zeros(2, 2))
    except ValueError as error:
        return answer({"error": str(error)})
    answer({"version": torch.__version__, "threads": torch.get_num_threads()})
    for line in sys.stdin:
        order = json.loads(line)["do"]
        if order == "memory":
            answer({"bytes": peak_bytes()})
        else:
            answer(peer.timed({"step": peer.step, "infer": peer.infer}[order]))


main()
