#!/usr/bin/env python3
"""Records what other libraries give as the derivative at kinks and ties: writes tests/conventions/LIBRARY.txt.

    record_conventions.py LIBRARY...    of: pytorch jax tensorflow mlx tinygrad

Each runs in float32 on the CPU, in whatever version this Python has (pip install torch jax tensorflow mlx[cpu] tinygrad;
they need not be there all at once). tests/conventions_test.cc puts the columns beside ours in docs/conventions.md, and
fails where PyTorch's differs from ours without a reason. A line of a file: name | x | what was run | dy/dx.
"""
import math
import os
import pathlib
import sys

NAN = math.nan
TIES = [1, 0, 1]
# name: x, and y for each library. Where y has several elements, the derivative is that of their sum.
ROWS = {
    "relu": ([0], {"pytorch": "F.relu(x)", "jax": "jax.nn.relu(x)", "tensorflow": "tf.nn.relu(x)", "mlx": "nn.relu(x)",
                   "tinygrad": "x.relu()"}),
    "relu_nan": ([NAN], {"pytorch": "F.relu(x)", "jax": "jax.nn.relu(x)", "tensorflow": "tf.nn.relu(x)",
                         "mlx": "nn.relu(x)", "tinygrad": "x.relu()"}),
    "leaky_relu": ([0], {"pytorch": "F.leaky_relu(x, 0.1)", "jax": "jax.nn.leaky_relu(x, 0.1)",
                         "tensorflow": "tf.nn.leaky_relu(x, 0.1)", "mlx": "nn.leaky_relu(x, 0.1)",
                         "tinygrad": "x.leaky_relu(0.1)"}),
    "prelu": ([0], {
        "pytorch": "F.prelu(x, torch.full((1,), 0.1))", "mlx": "nn.prelu(x, mx.array([0.1]))",
        "tensorflow": "keras.layers.PReLU(alpha_initializer=keras.initializers.Constant(0.1))(x[None])"}),
    "relu6": ([0, 6], {"pytorch": "F.relu6(x)", "jax": "jax.nn.relu6(x)", "tensorflow": "tf.nn.relu6(x)",
                       "mlx": "nn.relu6(x)", "tinygrad": "x.relu6()"}),
    "elu": ([0], {"pytorch": "F.elu(x)", "jax": "jax.nn.elu(x)", "tensorflow": "tf.nn.elu(x)", "mlx": "nn.elu(x)",
                  "tinygrad": "x.elu()"}),
    "elu_2": ([0], {"pytorch": "F.elu(x, 2)", "jax": "jax.nn.elu(x, 2)", "tensorflow": "keras.activations.elu(x, 2.0)",
                    "mlx": "nn.elu(x, 2)", "tinygrad": "x.elu(2)"}),
    "celu": ([0], {"pytorch": "F.celu(x)", "jax": "jax.nn.celu(x)", "tensorflow": "keras.activations.celu(x)",
                   "mlx": "nn.celu(x)", "tinygrad": "x.celu()"}),
    "selu": ([0], {"pytorch": "F.selu(x)", "jax": "jax.nn.selu(x)", "tensorflow": "tf.nn.selu(x)",
                   "mlx": "nn.selu(x)", "tinygrad": "x.selu()"}),
    "hard_tanh": ([-1, 1], {"pytorch": "F.hardtanh(x)", "jax": "jax.nn.hard_tanh(x)",
                            "tensorflow": "keras.activations.hard_tanh(x)", "mlx": "nn.hard_tanh(x)",
                            "tinygrad": "x.hardtanh()"}),
    "hard_sigmoid": ([-3, 3], {"pytorch": "F.hardsigmoid(x)", "jax": "jax.nn.hard_sigmoid(x)",
                               "tensorflow": "keras.activations.hard_sigmoid(x)", "tinygrad": "x.hardsigmoid()"}),
    "hard_swish": ([-3, 3], {"pytorch": "F.hardswish(x)", "jax": "jax.nn.hard_swish(x)",
                             "tensorflow": "keras.activations.hard_swish(x)", "mlx": "nn.hardswish(x)",
                             "tinygrad": "x.hardswish()"}),
    "abs": ([0], {"pytorch": "torch.abs(x)", "jax": "jnp.abs(x)", "tensorflow": "tf.abs(x)", "mlx": "mx.abs(x)",
                  "tinygrad": "x.abs()"}),
    "maximum_x_0": ([0], {"pytorch": "torch.maximum(x, torch.zeros(1))", "jax": "jnp.maximum(x, 0)",
                          "tensorflow": "tf.maximum(x, 0.0)", "mlx": "mx.maximum(x, 0)", "tinygrad": "x.maximum(0)"}),
    "maximum_0_x": ([0], {"pytorch": "torch.maximum(torch.zeros(1), x)", "jax": "jnp.maximum(0, x)",
                          "tensorflow": "tf.maximum(0.0, x)", "mlx": "mx.maximum(0, x)",
                          "tinygrad": "Tensor([0.0]).maximum(x)"}),
    "maximum": ([1, 1], {"pytorch": "torch.maximum(x[0], x[1])", "jax": "jnp.maximum(x[0], x[1])",
                         "tensorflow": "tf.maximum(x[0], x[1])", "mlx": "mx.maximum(x[0], x[1])",
                         "tinygrad": "x[0].maximum(x[1])"}),
    "minimum": ([1, 1], {"pytorch": "torch.minimum(x[0], x[1])", "jax": "jnp.minimum(x[0], x[1])",
                         "tensorflow": "tf.minimum(x[0], x[1])", "mlx": "mx.minimum(x[0], x[1])",
                         "tinygrad": "x[0].minimum(x[1])"}),
    "clamp": ([-1, 1], {"pytorch": "torch.clamp(x, -1, 1)", "jax": "jnp.clip(x, -1, 1)",
                        "tensorflow": "tf.clip_by_value(x, -1.0, 1.0)", "mlx": "mx.clip(x, -1, 1)",
                        "tinygrad": "x.clamp(-1, 1)"}),
    "max_all": (TIES, {"pytorch": "torch.max(x)", "jax": "jnp.max(x)", "tensorflow": "tf.reduce_max(x)",
                       "mlx": "mx.max(x)", "tinygrad": "x.max()"}),
    "max_axis": (TIES, {"pytorch": "torch.max(x, 0).values", "jax": "jnp.max(x, 0)", "tensorflow": "tf.reduce_max(x, 0)",
                        "mlx": "mx.max(x, 0)", "tinygrad": "x.max(0)"}),
    "amax": (TIES, {"pytorch": "torch.amax(x, 0)", "jax": "jnp.max(x, 0)", "tensorflow": "tf.reduce_max(x, 0)",
                    "mlx": "mx.max(x, 0)", "tinygrad": "x.max(0)"}),
    "max_pool": ([0, 1, 1, 0], {
        "pytorch": "F.max_pool2d(x.reshape(1, 1, 2, 2), 2)",
        "jax": "jax.lax.reduce_window(x.reshape(2, 2), -jnp.inf, jax.lax.max, (2, 2), (2, 2), 'VALID')",
        "tensorflow": "tf.nn.max_pool2d(tf.reshape(x, (1, 2, 2, 1)), 2, 2, 'VALID')",
        "mlx": "nn.MaxPool2d(2)(x.reshape(1, 2, 2, 1))", "tinygrad": "x.reshape(1, 1, 2, 2).max_pool2d(2)"}),
    "mean_absolute_error": ([2], {
        "pytorch": "F.l1_loss(x, torch.full((1,), 2.0))", "jax": "jnp.mean(jnp.abs(2 - x))",
        "tensorflow": "keras.losses.mean_absolute_error(tf.constant([2.0]), x)",
        "mlx": "nn.losses.l1_loss(x, mx.array([2.0]), reduction='mean')", "tinygrad": "(2 - x).abs().mean()"}),
    "hinge": ([1], {"pytorch": "F.relu(1 - x).mean()", "jax": "jax.nn.relu(1 - x).mean()",
                    "tensorflow": "keras.losses.hinge(tf.ones(1), x)",
                    "mlx": "nn.losses.hinge_loss(x, mx.ones(1), reduction='mean')", "tinygrad": "(1 - x).relu().mean()"}),
    "multi_class_margin": ([2, 1], {"pytorch": "F.multi_margin_loss(x[None], torch.tensor([0]))"}),
    "binary_cross_entropy_right": ([0], {
        "pytorch": "F.binary_cross_entropy(x, torch.zeros(1))",
        "tensorflow": "keras.losses.binary_crossentropy(tf.zeros(1), x)",
        "mlx": "nn.losses.binary_cross_entropy(x, mx.zeros(1), with_logits=False)",
        "tinygrad": "x.binary_crossentropy(Tensor([0.0]))"}),
    "binary_cross_entropy_wrong": ([0], {
        "pytorch": "F.binary_cross_entropy(x, torch.ones(1))",
        "tensorflow": "keras.losses.binary_crossentropy(tf.ones(1), x)",
        "mlx": "nn.losses.binary_cross_entropy(x, mx.ones(1), with_logits=False)",
        "tinygrad": "x.binary_crossentropy(Tensor([1.0]))"}),
    "norm": ([0, 0], {"pytorch": "torch.linalg.vector_norm(x)", "jax": "jnp.linalg.norm(x)", "tensorflow": "tf.norm(x)",
                      "mlx": "mx.linalg.norm(x)"}),
    "root_of_squares": ([0, 0], {"pytorch": "torch.sqrt(torch.sum(x * x))", "jax": "jnp.sqrt(jnp.sum(x * x))",
                                 "tensorflow": "tf.sqrt(tf.reduce_sum(x * x))", "mlx": "mx.sqrt(mx.sum(x * x))",
                                 "tinygrad": "(x * x).sum().sqrt()"}),
    "standard_deviation": ([2, 2], {"pytorch": "torch.std(x, correction=0)", "jax": "jnp.std(x)",
                                    "tensorflow": "tf.math.reduce_std(x)", "mlx": "mx.std(x)",
                                    "tinygrad": "x.std(correction=0)"}),
    "sqrt": ([0], {"pytorch": "torch.sqrt(x)", "jax": "jnp.sqrt(x)", "tensorflow": "tf.sqrt(x)", "mlx": "mx.sqrt(x)",
                   "tinygrad": "x.sqrt()"}),
    "log": ([0], {"pytorch": "torch.log(x)", "jax": "jnp.log(x)", "tensorflow": "tf.math.log(x)", "mlx": "mx.log(x)",
                  "tinygrad": "x.log()"}),
    "reciprocal": ([0], {"pytorch": "1 / x", "jax": "1 / x", "tensorflow": "1 / x", "mlx": "1 / x", "tinygrad": "1 / x"}),
}


def pytorch():
    import torch
    import torch.nn.functional as F

    def slope(f, x):
        x = torch.tensor(x, requires_grad=True)
        f(x).sum().backward()
        return x.grad.tolist()
    return f"PyTorch {torch.__version__.split('+')[0]}", {"torch": torch, "F": F}, slope


def jax():
    import jax
    import jax.numpy as jnp
    return (f"JAX {jax.__version__}", {"jax": jax, "jnp": jnp},
            lambda f, x: jax.grad(lambda v: f(v).sum())(jnp.array(x)).tolist())


def tensorflow():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    import tensorflow as tf

    def slope(f, x):
        x = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        return tf.convert_to_tensor(tape.gradient(y, x)).numpy().tolist()
    return f"TensorFlow {tf.__version__} with Keras {keras.__version__}", {"tf": tf, "keras": keras}, slope


def mlx():
    import importlib.metadata
    import mlx.core as mx
    import mlx.nn as nn
    return (f"MLX {importlib.metadata.version('mlx')}", {"mx": mx, "nn": nn},
            lambda f, x: mx.grad(lambda v: f(v).sum())(mx.array(x)).tolist())


def tinygrad():
    import importlib.metadata
    from tinygrad import Tensor

    def slope(f, x):
        x = Tensor(x, device="CPU")
        return f(x).sum().gradient(x)[0].tolist()
    return f"tinygrad {importlib.metadata.version('tinygrad')}", {"Tensor": Tensor}, slope


def number(value):
    return "%.6g" % (value + 0.0)  # no −0


def record(library):
    title, names, slope = {f.__name__: f for f in (pytorch, jax, tensorflow, mlx, tinygrad)}[library]()
    lines = [f"# {title}: written by tools/record_conventions.py; name | x | what was run | dy/dx"]
    for name, (x, runs) in ROWS.items():
        if library not in runs:
            continue
        values = slope(eval("lambda x: " + runs[library], dict(names)), [float(v) for v in x])
        lines.append(" | ".join([name, " ".join(map(number, x)), runs[library], " ".join(map(number, values))]))
    target = pathlib.Path(__file__).resolve().parent.parent / "tests" / "conventions" / f"{library}.txt"
    target.parent.mkdir(exist_ok=True)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{target}: {title}")


if __name__ == "__main__":
    if not sys.argv[1:]:
        sys.exit(__doc__)
    for each in sys.argv[1:]:
        record(each)
