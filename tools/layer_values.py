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



def toml(kind, **options):
    written = [f"{key} = {str(value).lower() if isinstance(value, bool) else value}" for key, value in options.items()]
    return ";".join(["[[layer]]", f'type = "{kind}"', *written])


def with_affine(layer, name, shape, channels, function, samples=2):
    parameters = {f"{name}1.weight": 1 + 0.5 * numbers(2, *channels), f"{name}1.bias": numbers(3, *channels)}
    return layer, shape, numbers(1, samples, *shape), parameters, function


def plain(layer, shape, function, grid=0):
    x = numbers(1, 2, *shape)
    return layer, shape, torch.round(x / grid) * grid if grid else x, {}, function


def over_channels(x, weight=None, bias=None, eps=1e-5):
    y = F.layer_norm(x.movedim(1, -1), [x.shape[1]], weight, bias, eps)
    return y.movedim(-1, 1)


LAYERS = [
    with_affine("ln", "layer_norm", [2, 3, 2], [2, 3, 2], lambda x, w, b: F.layer_norm(x, [2, 3, 2], w, b)),
    with_affine("ln", "layer_norm", [5], [5], lambda x, w, b: F.layer_norm(x, [5], w, b)),
    with_affine("lnc", "layer_norm", [3, 2, 4], [3], over_channels),
    plain(toml("layer_norm", over='"channels"', epsilon=0.25, affine=False), [3, 2, 2],
          lambda x: over_channels(x, eps=0.25)),
    with_affine("gn2", "group_norm", [4, 2, 3], [4], lambda x, w, b: F.group_norm(x, 2, w, b)),
    with_affine("gn3", "group_norm", [6], [6], lambda x, w, b: F.group_norm(x, 3, w, b)),
    plain("in", [2, 3, 2], F.instance_norm),
    with_affine(toml("instance_norm", affine=True, epsilon=0.125), "instance_norm", [2, 3, 2], [2],
                lambda x, w, b: F.instance_norm(x, weight=w, bias=b, eps=0.125)),
    plain("lrn5", [7, 2, 2], lambda x: F.local_response_norm(x, 5)),
    plain(toml("local_response_norm", size=4, alpha=2.0, beta=0.6, k=0.5), [6, 1, 3],
          lambda x: F.local_response_norm(x, 4, alpha=2.0, beta=0.6, k=0.5)),
    plain("gmp", [3, 3, 2], lambda x: F.adaptive_max_pool2d(x, 1).flatten(1), grid=1.0),
    plain("aap2", [2, 4, 6], lambda x: F.adaptive_avg_pool2d(x, 2)),
    plain("aap3x4", [2, 5, 7], lambda x: F.adaptive_avg_pool2d(x, (3, 4))),
    plain("aap7x2", [1, 5, 4], lambda x: F.adaptive_avg_pool2d(x, (7, 2))),
    plain("up2", [2, 2, 3], lambda x: F.interpolate(x, scale_factor=2, mode="nearest")),
    plain("up2b", [2, 3, 2], lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)),
    plain("up3x1b", [1, 4, 3], lambda x: F.interpolate(x, scale_factor=(3, 1), mode="bilinear", align_corners=False)),
    ("3t4s2z", [2, 3, 2], numbers(1, 2, 2, 3, 2),
     {"conv_transpose1.weight": numbers(2, 2, 3, 4, 4), "conv_transpose1.bias": numbers(3, 3)},
     lambda x, w, b: F.conv_transpose2d(x, w, b, stride=2, padding=1)),
    (toml("conv_transpose", filters=4, kernel=[3, 2], stride=[3, 2], dilation=[1, 2], padding=[1, 0],
          output_padding=[2, 1], groups=2, bias=False), [2, 2, 3], numbers(1, 2, 2, 2, 3),
     {"conv_transpose1.weight": numbers(2, 2, 2, 3, 2)},
     lambda x, w: F.conv_transpose2d(x, w, stride=(3, 2), dilation=(1, 2), padding=(1, 0), output_padding=(2, 1),
                                     groups=2)),
    ("cat(2c1)", [2, 2, 3], numbers(1, 2, 2, 2, 3),
     {"conv1.weight": numbers(2, 2, 2, 1, 1), "conv1.bias": numbers(3, 2)},
     lambda x, w, b: torch.cat([x, F.conv2d(x, w, b)], 1)),
]

CASES = ACTIVATIONS + LAYERS


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
