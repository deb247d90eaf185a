#!/usr/bin/env python3
"""Writes tests/layers/values.txt: what PyTorch makes of a layer's input, and of a cotangent of its output.

Run it in an environment with PyTorch (the file says which version) after adding a layer that PyTorch has, too. The
test tests/layer_values_test.cc reads the file. Everything is in double. A case is

    layer: the network in a line, or TOML with ; for line breaks
    shape: of one sample
    x: the samples
    param NAME: …        the parameters, if it has any
    dy: / y: / dx:       cotangent of the output, output, gradients
    d NAME: …
"""
import pathlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
GRID = [-1e4, -100.0, -20.5, -6.0, -5.0, -3.0, -2.5, -1.0, -0.5, -1e-3, -1e-10, -0.0,
        0.0, 1e-10, 1e-3, 0.3, 0.5, 1.0, 2.0, 3.0, 4.5, 6.0, 7.0, 20.5, 100.0, 1e4]
WITHOUT_20 = [x for x in GRID if abs(x) != 20.5]  # from 20 on, PyTorch's softplus is x


def numbers(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def on_grid(layer, function, grid=GRID):
    return layer, [len(grid)], torch.tensor([grid]), {}, lambda x: function(x)


ACTIVATIONS = [
    on_grid("relu", F.relu),
    on_grid("leaky-relu", F.leaky_relu),
    on_grid("leaky-relu0.2", lambda x: F.leaky_relu(x, 0.2)),
    on_grid("relu6", F.relu6),
    on_grid("elu", F.elu),
    on_grid("elu0.5", lambda x: F.elu(x, 0.5)),
    on_grid("elu2", lambda x: F.elu(x, 2.0)),
    on_grid("celu", F.celu),
    on_grid("celu0.5", lambda x: F.celu(x, 0.5)),
    on_grid("celu2", lambda x: F.celu(x, 2.0)),
    on_grid("selu", F.selu),
    on_grid("hard-tanh", F.hardtanh),
    on_grid("hard-sigmoid", lambda x: F.relu6(x + 3) / 6),  # F.hardsigmoid's gradient has a float's 1/6
    on_grid("hard-swish", F.hardswish),
    on_grid("gelu", F.gelu),
    on_grid("gelutanh", lambda x: F.gelu(x, approximate="tanh")),
    on_grid("silu", F.silu),
    on_grid("mish", F.mish),
    on_grid("log-sigmoid", F.logsigmoid),
    on_grid("softsign", F.softsign),
    on_grid("softplus", F.softplus, WITHOUT_20),
    on_grid("scaled-tanh", lambda x: 1.7159 * torch.tanh(2 * x / 3)),
    on_grid("sigmoid", torch.sigmoid),
    on_grid("tanh", torch.tanh),
    ("prelu", [len(GRID)], torch.tensor([GRID]), {"prelu1.weight": torch.tensor([0.25])},
     lambda x, a: F.prelu(x, a)),
    ("prelu0.25c", [3, 2, 2], numbers(1, 2, 3, 2, 2), {"prelu1.weight": torch.tensor([0.25, 0.5, -0.125])},
     lambda x, a: F.prelu(x, a)),
]

CASES = ACTIVATIONS


def line(name, tensor):
    return f"{name}: " + " ".join(repr(v) for v in tensor.detach().flatten().tolist()) + "\n"


def recorded(layer, shape, x, parameters, function):
    x = x.clone().requires_grad_()
    values = {name: p.clone().requires_grad_() for name, p in parameters.items()}
    y = function(x, *values.values())
    dy = numbers(7, *y.shape)
    y.backward(dy)
    text = f"layer: {layer}\nshape: {' '.join(map(str, shape))}\n" + line("x", x)
    text += "".join(line(f"param {name}", p) for name, p in values.items())
    text += line("dy", dy) + line("y", y) + line("dx", x.grad)
    text += "".join(line(f"d {name}", p.grad) for name, p in values.items())
    return text


def main():
    path = pathlib.Path(__file__).resolve().parent.parent / "tests" / "layers" / "values.txt"
    text = f"# Written by tools/layer_values.py with PyTorch {torch.__version__}: layers, their outputs and gradients\n"
    text += "\n".join(recorded(*case) for case in CASES)
    path.write_text(text, encoding="utf-8")
    print(f"{path}: {len(CASES)} cases")


if __name__ == "__main__":
    main()
