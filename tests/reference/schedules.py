"""Learning rates by PyTorch's schedulers, for tests/unit/schedule.test.ts: python3 schedules.py > schedules.json"""
import json
import torch


def rates(make, steps, every=1):
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.05)
    scheduler = make(optimiser)
    out = []
    for step in range(steps):
        out.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        if (step + 1) % every == 0:
            scheduler.step()
    return out


S = torch.optim.lr_scheduler
print(json.dumps({
    "oneCycle": rates(lambda o: S.OneCycleLR(o, max_lr=0.05, total_steps=60), 60),
    "cosine": rates(lambda o: S.CosineAnnealingLR(o, T_max=60), 60),
    "multistep": rates(lambda o: S.MultiStepLR(o, milestones=[3, 5], gamma=0.1), 60, every=10),
}))
