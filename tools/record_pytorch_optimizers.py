#!/usr/bin/env python3
"""Writes tests/optimizers/pytorch.txt: the trajectories of PyTorch's own optimizers in float64, over 100 steps.

pip install torch==2.15.0 --index-url https://download.pytorch.org/whl/cpu, then run this; the test of the room
`optimizers` compares chalkgrad's rules with what it writes. Options are chalkgrad's names; a bias is a parameter that
PyTorch is given in a group without weight decay. foreach=False: the other implementations differ in the last bit.
"""
import math
import pathlib
import random
import types

import torch

STEPS, ELEMENTS = 100, 6
SHOWN = [1, 2, 3, 4, 5, 6, 7, 10, 20, 50, 99, 100]  # steps after which the parameter is written down


def gradients():
    """Some elements begin with zeros, one step has nothing else; one element is tiny, one step far away."""
    draw = random.Random(1)
    rows = [[round(draw.gauss(0.3, 1) * (1e-4 if i == 4 else 1), 7 if i == 4 else 3) for i in range(ELEMENTS)]
            for _ in range(STEPS)]
    for t, row in enumerate(rows):
        row[0] = 0.0 if t < 3 or t % 4 == 3 else row[0]
        row[5] = 0.5  # always the same: its variance is 0
    rows[6] = [0.0] * ELEMENTS
    rows[40][1] = 50.0
    return rows


FIRST = [0.5, -1.25, 0.0, 2.0, 1e-3, -0.75]

# What an option of chalkgrad is called in PyTorch.
NAMES = {"epsilon": "eps", "initial_accumulator": "initial_accumulator_value", "ascends": "maximize"}
# What PyTorch does if nothing is said, where chalkgrad does something else.
DEFAULTS = {"sgd": {"lr": 0.001, "momentum": 0.0}, "muon": {"lr": 0.001}}
CLASSES = {"sgd": "SGD", "adagrad": "Adagrad", "adadelta": "Adadelta", "rmsprop": "RMSprop", "adam": "Adam", "adamw": "AdamW",
           "adamax": "Adamax", "nadam": "NAdam", "radam": "RAdam", "muon": "Muon"}

DECAY = {"weight_decay": 0.1}
DECOUPLED = {**DECAY, "decoupled_weight_decay": True}
CASES = [
    ("sgd", {}),
    ("sgd", {"lr": 0.05, "momentum": 0.9}),
    ("sgd", {"lr": 0.05, "momentum": 0.9, **DECAY}),
    ("sgd", {"lr": 0.05, "momentum": 0.9, **DECAY, "shape": "6"}),  # a bias
    ("sgd", {"lr": 0.05, "momentum": 0.9, "dampening": 0.5, **DECAY}),
    ("sgd", {"lr": 0.05, "momentum": 0.9, "dampening": 1.0}),
    ("sgd", {"lr": 0.05, "momentum": 0.9, "nesterov": True, **DECAY}),
    ("sgd", {"lr": 0.05, "momentum": 0.9, **DECAY, "ascends": True}),
    ("adagrad", {}),
    ("adagrad", {"lr": 0.5, "lr_decay": 0.1, "initial_accumulator": 0.1, "epsilon": 1e-3, **DECAY}),
    ("adagrad", {"lr": 0.1, **DECAY, "ascends": True}),
    ("adadelta", {}),
    ("adadelta", {"lr": 0.5, "rho": 0.8, "epsilon": 1e-3, **DECAY}),
    ("adadelta", {**DECAY, "ascends": True}),
    ("rmsprop", {}),
    ("rmsprop", {"alpha": 0.9, "momentum": 0.9, "epsilon": 1e-3, **DECAY}),
    ("rmsprop", {"alpha": 0.9, "centered": True, "epsilon": 1e-3}),
    ("rmsprop", {"centered": True, "momentum": 0.5, "epsilon": 1e-2, **DECAY, "ascends": True}),
    ("adam", {}),
    ("adam", {"lr": 0.1, "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3, **DECAY}),
    ("adam", {"lr": 0.1, **DECAY, "shape": "6"}),
    ("adam", {"lr": 0.1, "beta2": 0.9, "amsgrad": True}),
    ("adam", {"lr": 0.1, **DECAY, "amsgrad": True, "ascends": True}),
    ("adamw", {}),
    ("adamw", {"lr": 0.1, "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3, **DECAY}),
    ("adamw", {"lr": 0.1, **DECAY, "shape": "6"}),
    ("adamw", {"lr": 0.1, "beta2": 0.9, "amsgrad": True, "ascends": True}),
    ("adamax", {}),
    ("adamax", {"lr": 0.1, "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3, **DECAY}),
    ("adamax", {"lr": 0.1, **DECAY, "ascends": True}),
    ("nadam", {}),
    ("nadam", {"lr": 0.1, "beta1": 0.8, "beta2": 0.9, "momentum_decay": 0.5, "epsilon": 1e-3, **DECAY}),
    ("nadam", {"lr": 0.1, **DECOUPLED, "ascends": True}),
    ("radam", {}),
    ("radam", {"lr": 0.1, "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3, **DECAY}),
    ("radam", {"lr": 0.1, **DECOUPLED, "ascends": True}),
    ("radam", {"lr": 0.1, "beta2": 0.5}),  # no step is rectified
    ("muon", {}),
    ("muon", {"shape": "3x2", "lr": 0.02, "momentum": 0.8, "nesterov": False, "weight_decay": 0.0}),
    ("muon", {"shape": "2x1x3", "lr": 0.02, "adjust_lr_fn": "match_rms_adamw"}),  # a kernel, which PyTorch must see as a matrix
    ("muon", {"shape": "3x2", "adjust_lr_fn": "spectral_unclamped", "ns_steps": 3, "ns_a": 2.0, "ns_b": -1.5, "ns_c": 0.5, "epsilon": 1.0}),
    ("muon", {"lr": 0.02, "tolerance": 0.05}),  # in bfloat16, as PyTorch computes it
    # The momentum moved, and the rate, by OneCycleLR.
    ("sgd", {"lr": 0.05, "momentum": 0.9, "cycle": True, **DECAY}),
    ("sgd", {"lr": 0.05, "momentum": 0.5, "nesterov": True, "cycle": True}),
    ("rmsprop", {"cycle": True}),  # which switches momentum on
    ("adam", {"lr": 0.1, "cycle": True, **DECAY}),
    ("adam", {"lr": 0.1, "cycle": True, "amsgrad": True}),
    ("adamw", {"lr": 0.1, "cycle": True, "ascends": True}),
    ("adamax", {"lr": 0.1, "cycle": True}),
    ("nadam", {"lr": 0.1, "cycle": True}),
    ("nadam", {"lr": 0.1, "momentum_decay": 0.5, "cycle": True, **DECOUPLED}),
    ("radam", {"lr": 0.1, "cycle": True}),
    ("muon", {"shape": "3x2", "lr": 0.02, "cycle": True}),
]
CYCLE = {"base_momentum": 0.85, "max_momentum": 0.95, "total_steps": STEPS}
# Optimizers whose momentum cannot be moved.
STILL = ["adagrad", "adadelta"]
# Nesterov's momentum with dampening, and without momentum.
REFUSED = [("sgd", {"lr": 0.1, "momentum": 0.9, "dampening": 0.5, "nesterov": True}),
           ("sgd", {"lr": 0.1, "momentum": 0.0, "nesterov": True})]


def make(name, parameter, options):
    options = dict(options)
    for pair, parts in {"betas": ("beta1", "beta2"), "ns_coefficients": ("ns_a", "ns_b", "ns_c")}.items():
        if parts[-1] in options:
            usual = {"beta1": 0.9, "beta2": 0.999}
            options[pair] = tuple(options.pop(part, usual.get(part)) for part in parts)
    options = {NAMES.get(key, key): value for key, value in options.items()}
    if name != "muon":
        options["foreach"] = False
    group = {"params": [parameter], **({"weight_decay": 0.0} if parameter.ndim == 1 else {})}
    return getattr(torch.optim, CLASSES[name])([group], **options)


def cycle(optimizer):
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, optimizer.param_groups[0]["lr"], **CYCLE)


def cycled():
    """The factors of the rate, and the momenta, of each step."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0, momentum=0.5)
    schedule = cycle(optimizer)
    factors, momenta = [], []
    for t in range(STEPS):
        factors.append(float(optimizer.param_groups[0]["lr"]))
        momenta.append(float(optimizer.param_groups[0]["momentum"]))
        optimizer.step()
        if t + 1 < STEPS:
            schedule.step()
    return factors, momenta


def trajectory(name, options, rows):
    options = dict(options)
    extents = [int(extent) for extent in options.pop("shape", "2x3").split("x")]
    exact = options.pop("tolerance", None) is None
    cycles = options.pop("cycle", False)
    shape = [extents[0], math.prod(extents[1:])] if len(extents) > 1 else extents
    parameter = torch.nn.Parameter(torch.tensor(FIRST).reshape(shape))
    module = torch.optim._muon
    module.torch = types.SimpleNamespace(**{**vars(torch), "bfloat16": torch.float64}) if exact else torch
    optimizer = make(name, parameter, options)
    schedule = cycle(optimizer) if cycles else None
    shown = []
    for t, row in enumerate(rows, 1):
        parameter.grad = torch.tensor(row).reshape(shape)
        optimizer.step()
        if schedule and t < len(rows):
            schedule.step()
        if t in SHOWN:
            shown += parameter.detach().reshape(-1).tolist()
    return shown


def words(name, options):
    options = {**DEFAULTS.get(name, {}), **options}
    return " ".join([name, *(f"{k}={int(v) if isinstance(v, bool) else v}" for k, v in options.items())])


def numbers(values):
    return " ".join(map(repr, values))


def main():
    torch.set_default_dtype(torch.float64)  # of the states, too
    rows = gradients()
    lines = [f"# Written by tools/record_pytorch_optimizers.py: PyTorch {torch.__version__.split('+')[0]}, float64. First the "
             "parameter, the gradients of all steps, and the steps",
             "# after which the parameter is shown; factors of the rate and momenta where OneCycleLR moves them (cycle=1); then",
             "# optimizer, options : parameter. Without a shape it is 2×3.",
             f"parameter : {numbers(FIRST)}", f"gradients : {numbers(sum(rows, []))}", f"steps : {numbers(SHOWN)}"]
    factors, momenta = cycled()
    lines += [f"factors : {numbers(factors)}", f"momenta : {numbers(momenta)}"]
    for name, options in CASES:
        lines.append(f"{words(name, options)} : {numbers(trajectory(name, options, rows))}")
    for name, options in REFUSED:
        try:
            make(name, torch.nn.Parameter(torch.tensor(FIRST).reshape(2, 3)), options)
            raise SystemExit(f"{words(name, options)} is not refused")
        except ValueError as error:
            lines.append(f"refused {words(name, options)} : {error}")
    for name in STILL:
        try:
            cycle(make(name, torch.nn.Parameter(torch.tensor(FIRST).reshape(2, 3)), {}))
            raise SystemExit(f"{name} has a momentum that can be moved")
        except ValueError as error:
            lines.append(f"still {name} : {error}")
    target = pathlib.Path(__file__).resolve().parent.parent / "tests/optimizers/pytorch.txt"
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
