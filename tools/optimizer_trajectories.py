#!/usr/bin/env python3
"""Writes tests/optimizers/trajectories.txt: what each optimizer makes of one parameter and a row of gradients.

The rules are written here once more, one number at a time and in Python's doubles, from the papers and from the
documentation of PyTorch 2.x (torch.optim), so that an error in chalkgrad's graphs cannot hide. Run it after adding an
optimizer here; the test of the room `optimizers` reads the file.
"""
import math
import pathlib

GRADIENTS = [0.5, -0.25, 1.5, 0.0, -2.0, 0.125, 1e-3, -1e-3, 3.0, 0.75, 0.0, -0.6]
FIRST = 0.8


def sgd(w, grads, lr=0.05, momentum=0.9, nesterov=False, weight_decay=0.0, ascends=False):
    sign, v = (-1 if ascends else 1), 0.0
    for g in grads:
        g = sign * g + weight_decay * w  # downhill on −J is uphill on J
        if momentum:
            v = momentum * v + g
            g = g + momentum * v if nesterov else v
        w -= lr * g
        yield w


def adagrad(w, grads, lr=0.01, lr_decay=0.0, initial_accumulator=0.0, epsilon=1e-10, weight_decay=0.0, ascends=False):
    sign, total = (-1 if ascends else 1), initial_accumulator
    for t, g in enumerate(grads):
        g = sign * g + weight_decay * w
        total += g * g
        w -= lr / (1 + lr_decay * t) * g / (math.sqrt(total) + epsilon)
        yield w


CASES = [
    (sgd, {"lr": 0.1, "momentum": 0.0}),
    (sgd, {}),
    (sgd, {"nesterov": True, "weight_decay": 0.01}),
    (sgd, {"weight_decay": 0.1, "ascends": True}),
    (adagrad, {"lr": 0.1}),
    (adagrad, {"lr": 0.1, "initial_accumulator": 0.1, "epsilon": 1e-3, "weight_decay": 0.05}),
    (adagrad, {"lr": 0.5, "lr_decay": 0.25}),
    (adagrad, {"lr": 0.1, "weight_decay": 0.05, "ascends": True}),
]


def main():
    lines = ["# Written by tools/optimizer_trajectories.py: optimizer, options : parameter | gradients | parameter after each step"]
    for rule, options in CASES:
        words = [rule.__name__] + [f"{k}={int(v) if isinstance(v, bool) else v!r}" for k, v in options.items()]
        values = list(rule(FIRST, GRADIENTS, **options))
        row = " | ".join([repr(FIRST), " ".join(map(repr, GRADIENTS)), " ".join(map(repr, values))])
        lines.append(f"{' '.join(words)} : {row}")
    target = pathlib.Path(__file__).resolve().parent.parent / "tests/optimizers/trajectories.txt"
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
