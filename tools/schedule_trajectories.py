#!/usr/bin/env python3
"""Writes tests/schedules/trajectories.txt: the factors that PyTorch's schedulers give over a run.

Each case is a schedule as chalkgrad writes it, and the schedulers of torch.optim.lr_scheduler that mean the same. Where
both change from step to step, PyTorch's is stepped at each step, with lengths in steps; where they change from epoch to
epoch, after each epoch. Cases of the plateau have a loss for each epoch. Run it with PyTorch 2.15.0 after adding a
schedule here; the test of the room `schedules` reads the file.
"""
import math
import pathlib
import warnings

import torch
from torch.optim import lr_scheduler as s

STEPS, EPOCH = 100, 10


def warm(rise, then):
    """chalkgrad's warm-up, and `then(optimizer)` after it."""
    return lambda o: s.SequentialLR(o, [s.LinearLR(o, 1 / (rise + 1), 1, rise), then(o)], [rise])


LOSSES = [1.0, 0.8, 0.785, 0.785, 0.78499, 0.7, 0.7, 0.7, 0.7, 0.7]
GROWING = [0.1, 0.2, 0.2, 0.2, 0.3, 0.29, 0.28, 0.27, 0.26, 0.25]

# text, "step" or "epoch": when PyTorch's scheduler is stepped, the scheduler, and losses if it looks at them
CASES = [
    ("constant", "step", lambda o: s.ConstantLR(o, 1.0, 1)),
    ("constant+warmup:2", "step", lambda o: s.LinearLR(o, 1 / 21, 1, 20)),
    ("step:3,0.5", "epoch", lambda o: s.StepLR(o, 3, 0.5)),
    ("step:1", "epoch", lambda o: s.StepLR(o, 1)),
    ("multi-step:2,3,7,factor=0.3", "epoch", lambda o: s.MultiStepLR(o, [2, 3, 7], 0.3)),
    ("multi-step:5", "epoch", lambda o: s.MultiStepLR(o, [5])),
    ("exponential:0.8", "step", lambda o: s.ExponentialLR(o, 0.8 ** (1 / EPOCH))),
    ("exponential:0.01,epochs=2.5", "step", lambda o: s.ExponentialLR(o, 0.01 ** (1 / 25))),
    ("exponential:1.1+warmup:1", "step", warm(10, lambda o: s.LambdaLR(o, lambda t: 1.1 ** ((t + 10) / EPOCH)))),
    ("anneal:0.8", "epoch", lambda o: s.ExponentialLR(o, 0.8)),
    ("polynomial", "step", lambda o: s.PolynomialLR(o, STEPS)),
    ("polynomial:2.5", "step", lambda o: s.PolynomialLR(o, STEPS, 2.5)),
    ("polynomial:2,epochs=4", "step", lambda o: s.PolynomialLR(o, 40, 2)),
    ("polynomial:0.5,to=0.1", "step", lambda o: s.LambdaLR(o, lambda t: 0.1 + 0.9 * (1 - t / STEPS) ** 0.5)),
    ("linear", "step", lambda o: s.LinearLR(o, 1, 0, STEPS)),
    ("linear:from=0.25,to=1,epochs=3", "step", lambda o: s.LinearLR(o, 0.25, 1, 30)),
    ("linear:to=0.2+warmup:1", "step", warm(10, lambda o: s.LinearLR(o, 1, 0.2, 90))),
    ("inverse-sqrt+warmup:3", "step", warm(30, lambda o: s.LambdaLR(o, lambda t: math.sqrt(31 / (t + 31))))),
    ("cosine", "step", lambda o: s.CosineAnnealingLR(o, STEPS)),
    ("cosine:to=0.1+warmup:1", "step", warm(10, lambda o: s.CosineAnnealingLR(o, 90, 0.1))),
    ("cosine:to=0.05,epochs=10", "step", lambda o: s.CosineAnnealingLR(o, 100, 0.05)),
    ("cosine-restarts:2.5", "step", lambda o: s.CosineAnnealingWarmRestarts(o, 25)),
    ("cosine-restarts:1,growth=2,to=0.01", "step", lambda o: s.CosineAnnealingWarmRestarts(o, 10, 2, 0.01)),
    ("one-cycle", "step", lambda o: s.SequentialLR(o, [s.LinearLR(o, 1 / 21, 1, 20), s.LinearLR(o, 1, 0, 80)], [20])),
    ("one-cycle:rise=0.5", "step",
     lambda o: s.SequentialLR(o, [s.LinearLR(o, 1 / 51, 1, 50), s.LinearLR(o, 1, 0, 50)], [50])),
    ("one-cycle+warmup:4", "step", warm(40, lambda o: s.LinearLR(o, 1, 0, 60))),
    ("one-cycle-cosine", "step", lambda o: s.OneCycleLR(o, 1.0, STEPS, cycle_momentum=False)),
    ("one-cycle-cosine:rise=0.45,from=0.1,to=0.001", "step",
     lambda o: s.OneCycleLR(o, 1.0, STEPS, pct_start=0.45, div_factor=10, final_div_factor=100, cycle_momentum=False)),
    ("plateau:1", "epoch", lambda o: s.ReduceLROnPlateau(o, patience=1), LOSSES),
    ("plateau:0,factor=0.5,threshold=0.02,cooldown=2,to=0.2", "epoch",
     lambda o: s.ReduceLROnPlateau(o, factor=0.5, patience=0, threshold=0.02, cooldown=2, min_lr=0.2), LOSSES),
    ("plateau:1,factor=0.7", "epoch", lambda o: s.ReduceLROnPlateau(o, "max", 0.7, 1), ["maximised", *GROWING]),
]


MOMENTA = [
    ("one-cycle-cosine:momentum_low=0.85,momentum_high=0.95", lambda o: s.OneCycleLR(o, 1.0, STEPS)),
    ("one-cycle-cosine:rise=0.45,momentum_low=0.2,momentum_high=0.9",
     lambda o: s.OneCycleLR(o, 1.0, STEPS, pct_start=0.45, base_momentum=0.2, max_momentum=0.9)),
]


def factors(when, scheduler, losses=()):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = scheduler(optimizer)
    losses = [value for value in losses if value != "maximised"]
    for step in range(STEPS):
        yield optimizer.param_groups[0]["lr"]
        optimizer.step()
        if when == "step" or (step + 1) % EPOCH == 0:
            schedule.step(*([losses[step // EPOCH]] if losses else []))


def momenta(scheduler):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0, momentum=0.5)
    schedule = scheduler(optimizer)
    for _ in range(STEPS):
        yield optimizer.param_groups[0]["momentum"]
        optimizer.step()
        schedule.step()


def main():
    warnings.simplefilter("ignore")  # of SequentialLR, about itself
    lines = [f"# Written by tools/schedule_trajectories.py with PyTorch {torch.__version__.partition('+')[0]}:",
             f"# schedule | factor at each of {STEPS} steps, {EPOCH} an epoch | loss of each epoch (likelihood: after the word \"maximised\")",
             "# momentum of schedule | momentum at each of the steps"]
    for text, when, scheduler, *losses in CASES:
        row = " ".join(repr(float(f)) for f in factors(when, scheduler, *losses))
        lines.append(f"{text} | {row} | {' '.join(map(str, losses[0] if losses else []))}".rstrip())
    for text, scheduler in MOMENTA:
        lines.append(f"momentum of {text} | {' '.join(repr(float(m)) for m in momenta(scheduler))} |")
    target = pathlib.Path(__file__).resolve().parent.parent / "tests/schedules/trajectories.txt"
    target.parent.mkdir(exist_ok=True)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
