#!/usr/bin/env python3
"""Writes tests/averages/pytorch.txt: PyTorch's averages of the weights of a small network with batch normalisation.

Needs PyTorch (2.15 wrote the file). A step takes all six samples and so is an epoch; every case trains in double with
an optimizer of torch.optim and updates an AveragedModel as chalkgrad's text says: "ema:DECAY,from=…" with
get_ema_multi_avg_fn and use_buffers=True, "swa:FROM,every=…" with get_swa_multi_avg_fn and then update_bn. PyTorch has
no Lookahead: that is written here as in the paper's algorithm 1, around the same optimizers. Each line has the options,
how many steps were taken, and what the network has then: parameters, then running statistics. The test of the room
`train` (src/train/average_test.cc) takes the same steps.
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


def train(steps, average=None, decay=None, start=0, every=1, k=0, alpha=0.5, adam=False):
    """`average`: "ema" of that decay, or "swa"; `k`, `alpha`: Lookahead."""
    net, (x, labels) = network(), data()
    net.train()
    slow = copy.deepcopy(net)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.05) if adam else torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    if average == "swa":
        averaged = AveragedModel(net, multi_avg_fn=get_swa_multi_avg_fn())
    elif average == "ema":
        averaged = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
    updated = False
    for step in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(x), labels).backward()
        optimizer.step()
        if k and (step + 1) % k == 0:
            with torch.no_grad():
                for phi, theta in zip(slow.parameters(), net.parameters()):
                    phi += alpha * (theta - phi)
                    theta.copy_(phi)
        now = slow if k else net
        for to, of in zip(now.buffers(), net.buffers()):
            to.copy_(of)
        if average == "ema" and step >= start or average == "swa" and step + 1 > start and (step + 1 - start) % every == 0:
            averaged.update_parameters(now)
            updated = True
    shown = averaged.module if updated else now
    if updated and average == "swa":
        update_bn([x], averaged)
    norm = shown[1]
    return [v for p in [*shown.parameters(), norm.running_mean, norm.running_var] for v in p.detach().flatten().tolist()]


def ema(decay, start=0):
    return {"average": "ema", "decay": decay, "start": start}


def swa(start, every=1):
    return {"average": "swa", "start": start, "every": every}


CASES = [
    ("average=ema:0.9", 1, ema(0.9)),  # a copy of the weights after the first step
    ("average=ema:0.9", 2, ema(0.9)),
    ("average=ema:0.9", 20, ema(0.9)),
    ("average=ema:0.9999", 100, ema(0.9999)),
    ("average=ema:0.3,from=5", 20, ema(0.3, 5)),
    ("average=ema:0.3,from=6", 7, ema(0.3, 6)),
    ("average=swa:0", 1, swa(0)),
    ("average=swa:0", 20, swa(0)),
    ("average=swa:5", 6, swa(5)),
    ("average=swa:5", 20, swa(5)),
    ("average=swa:4,every=3", 12, swa(4, 3)),  # the last step is not averaged
    ("average=swa:4,every=3", 13, swa(4, 3)),
    ("lookahead=5,0.5", 4, {"k": 5}),  # the first weights
    ("lookahead=5,0.5", 5, {"k": 5}),
    ("lookahead=5,0.5", 33, {"k": 5}),
    ("lookahead=3,0.8", 100, {"k": 3, "alpha": 0.8}),
    ("lookahead=1,0.25", 20, {"k": 1, "alpha": 0.25}),
    ("lookahead=4,1", 20, {"k": 4, "alpha": 1.0}),
    ("optimizer=adam lookahead=5,0.5", 20, {"k": 5, "adam": True}),
    ("optimizer=adam average=ema:0.9 lookahead=4,0.5", 18, {"k": 4, "adam": True, **ema(0.9)}),
    ("average=swa:2 lookahead=2,0.5", 9, {"k": 2, **swa(2)}),
]


def main():
    lines = [f"# Written by tools/average_trajectories.py with PyTorch {torch.__version__.partition('+')[0]}: options and steps : parameters, "
             "running statistics"]
    for text, steps, options in CASES:
        lines.append(f"{text} steps={steps} : {' '.join(map(repr, train(steps, **options)))}")
    target = pathlib.Path(__file__).resolve().parent.parent / "tests/averages/pytorch.txt"
    target.parent.mkdir(exist_ok=True)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
