#!/usr/bin/env python3
"""Writes tests/averages/pytorch.txt: PyTorch's averages of the weights of a small network with batch normalisation.

Needs PyTorch (2.15 wrote the file). A step takes all six samples and so is an epoch; every case trains in double with
torch.optim.SGD and updates an AveragedModel as chalkgrad's text says: "ema:DECAY,from=…" with get_ema_multi_avg_fn and
use_buffers=True, "swa:FROM,every=…" with get_swa_multi_avg_fn and then update_bn. Each line has the average's text, how
many steps were taken, and the averages: parameters, then running statistics. The test of the room `train`
(src/train/average_test.cc) takes the same steps.
"""
import copy
import pathlib

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, get_swa_multi_avg_fn, update_bn

SAMPLES = 6
torch.set_default_dtype(torch.float64)


def network():
    net = torch.nn.Sequential(torch.nn.Linear(3, 4, bias=False), torch.nn.BatchNorm1d(4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    with torch.no_grad():
        for k, p in enumerate(net.parameters()):
            p.copy_(torch.tensor([((5 * j + 3 * k + 2) % 13) / 6 - 1 for j in range(p.numel())]).reshape(p.shape))
    return net


def data():
    x = torch.tensor([[((7 * i + 3 * k) % 11) / 5 - 1 for k in range(3)] for i in range(SAMPLES)])
    return x, torch.tensor([i % 2 for i in range(SAMPLES)])


def train(steps, decay=None, start=0, every=1):
    """`decay`: of an exponential average; without it, the mean."""
    net, (x, labels) = network(), data()
    net.train()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    if decay is None:
        average = AveragedModel(net, multi_avg_fn=get_swa_multi_avg_fn())
    else:
        average = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
    updated = False
    for step in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(x), labels).backward()
        optimizer.step()
        if decay is not None and step >= start or decay is None and step + 1 > start and (step + 1 - start) % every == 0:
            average.update_parameters(net)
            updated = True
    shown = average.module if updated else copy.deepcopy(net)
    if updated and decay is None:
        update_bn([x], average)
    norm = shown[1]
    return [v for p in [*shown.parameters(), norm.running_mean, norm.running_var] for v in p.detach().flatten().tolist()]


CASES = [
    ("ema:0.9", 1, {"decay": 0.9}),  # a copy of the weights after the first step
    ("ema:0.9", 2, {"decay": 0.9}),
    ("ema:0.9", 20, {"decay": 0.9}),
    ("ema:0.9999", 100, {"decay": 0.9999}),
    ("ema:0.3,from=5", 20, {"decay": 0.3, "start": 5}),
    ("ema:0.3,from=6", 7, {"decay": 0.3, "start": 6}),
    ("swa:0", 1, {}),
    ("swa:0", 20, {}),
    ("swa:5", 6, {"start": 5}),
    ("swa:5", 20, {"start": 5}),
    ("swa:4,every=3", 12, {"start": 4, "every": 3}),  # the last step is not averaged
    ("swa:4,every=3", 13, {"start": 4, "every": 3}),
]


def main():
    lines = [f"# Written by tools/average_trajectories.py with PyTorch {torch.__version__.partition('+')[0]}: average, steps : parameters, running "
             "statistics"]
    for text, steps, options in CASES:
        lines.append(f"{text} {steps} : {' '.join(map(repr, train(steps, **options)))}")
    target = pathlib.Path(__file__).resolve().parent.parent / "tests/averages/pytorch.txt"
    target.parent.mkdir(exist_ok=True)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
