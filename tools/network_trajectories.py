#!/usr/bin/env python3
"""Writes tests/optimizers/networks.txt: what PyTorch makes of a small network whose gradients are limited.

Needs PyTorch (2.15 wrote the file). Each line is a case's options, and all parameters after six steps on the same six
samples, in double. The test of the room `train` (src/train/limits_test.cc) takes the same steps.
"""
import pathlib

import torch

SAMPLES, STEPS = 6, 6
torch.set_default_dtype(torch.float64)


def network():
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    with torch.no_grad():
        for k, p in enumerate(net.parameters()):
            p.copy_(torch.tensor([((5 * j + 3 * k + 2) % 13) / 6 - 1 for j in range(p.numel())]).reshape(p.shape))
    return net


def data():
    x = torch.tensor([[((7 * i + 3 * k) % 11) / 5 - 1 for k in range(3)] for i in range(SAMPLES)])
    return x, torch.tensor([i % 2 for i in range(SAMPLES)])


def train(lr=0.1, momentum=0.9, nesterov=False, weight_decay=0.0, clip_value=0.0, clip_norm=0.0, l1=0.0, scale=1.0):
    net, (x, labels) = network(), data()
    x = x * scale
    weights = [p for p in net.parameters() if p.dim() > 1]
    biases = [p for p in net.parameters() if p.dim() == 1]
    optimizer = torch.optim.SGD([{"params": weights, "weight_decay": weight_decay}, {"params": biases}], lr=lr, momentum=momentum,
                                nesterov=nesterov)
    for _ in range(STEPS):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(x), labels).backward()
        if clip_value:
            torch.nn.utils.clip_grad_value_(net.parameters(), clip_value)
        if clip_norm:
            torch.nn.utils.clip_grad_norm_(net.parameters(), clip_norm)
        for w in weights:
            w.grad.add_(l1 * torch.sign(w.detach()))
        optimizer.step()
    return [v for p in net.parameters() for v in p.detach().flatten().tolist()]


CASES = [
    {},
    {"clip_value": 0.01},
    {"clip_value": 0.05, "momentum": 0.0, "weight_decay": 0.1},
    {"clip_norm": 0.1},
    {"clip_norm": 0.1, "weight_decay": 0.5, "nesterov": True},  # which comes after the limit
    {"clip_norm": 100.0},  # no limit
    {"clip_norm": 1e-6, "lr": 1000.0},  # where the 1e-6 counts
    {"clip_value": 0.03, "clip_norm": 0.1},  # the norm is of limited values
    {"clip_norm": 0.2, "scale": 50.0},
    {"l1": 0.02},
    {"l1": 0.05, "clip_norm": 0.1, "weight_decay": 0.1},
]


def main():
    lines = ["# Written by tools/network_trajectories.py with PyTorch: options : all parameters after the last step"]
    for options in CASES:
        words = " ".join(f"{k}={int(v) if isinstance(v, bool) else v!r}" for k, v in options.items())
        lines.append(f"{words} : {' '.join(map(repr, train(**options)))}")
    target = pathlib.Path(__file__).resolve().parent.parent / "tests/optimizers/networks.txt"
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
