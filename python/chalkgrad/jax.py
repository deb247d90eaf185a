"""Graphs and networks inside of JAX's functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import _engine
from ._vjp import Vjp

try:
    import jax
except ImportError as error:
    raise ImportError("chalkgrad.jax_function needs JAX: pip install jax") from error


def jax_function(
    graph: _engine.Graph | _engine.Network,
    variables: _engine.Variables | None = None,
    *,
    output: str = "y",
    threads: int = 0,
) -> tuple[Callable[..., Any], dict[str, Any]]:
    """A graph or a network as a function of JAX, with its gradients, and the numbers of its parameters.

    Returns (f, parameters): f(parameters, x, …) takes a dict of the parameters by name and an array for each batched input,
    N×(its shape), in the order in which they were made, and gives N×(shape of the output), float32. jax.grad and jax.vjp
    differentiate it once, with respect to parameters and inputs; under jax.jit it is called back, on the CPU, between
    what XLA compiles. vmap calls it for each element.

    Raises InputError for an output that is not there, ShapeError for one that is not batched.

    >>> import jax
    >>> f, parameters = chalkgrad.jax_function(chalkgrad.Network("8c3-relu-10n", (1, 8, 8)))
    >>> loss = lambda p, x: (f(p, x) ** 2).mean()
    >>> jax.jit(jax.grad(loss))(parameters, jax.numpy.ones((5, 1, 8, 8)))["conv1.weight"].shape
    (8, 1, 3, 3)
    """
    vjp = Vjp(graph, variables, output, threads)
    struct: Any = jax.ShapeDtypeStruct  # which has no types

    def arrays(parameters: dict[str, Any], inputs: Any) -> list[Any]:
        return [np.asarray(x, np.float32) for x in (*inputs, *(parameters[name] for name in vjp.parameters))]

    def value(parameters: dict[str, Any], inputs: Any) -> Any:
        return vjp.value(arrays(parameters, inputs))

    def gradients(parameters: dict[str, Any], inputs: Any, dy: Any) -> Any:
        found = vjp.gradients(arrays(parameters, inputs), np.asarray(dy, np.float32))
        count = len(vjp.inputs)
        return dict(zip(vjp.parameters, found[count:])), tuple(found[:count])

    def like(x: Any) -> Any:
        return struct(x.shape, np.float32)

    @jax.custom_vjp  # type: ignore[untyped-decorator,unused-ignore]
    def call(parameters: dict[str, Any], inputs: Any) -> Any:
        if len(inputs) != len(vjp.inputs):
            raise TypeError(f"there are {len(inputs)} inputs, and {len(vjp.inputs)} are needed: {', '.join(vjp.inputs)}")
        result = struct((inputs[0].shape[0], *vjp.output_shape), np.float32)
        return jax.pure_callback(value, result, parameters, inputs, vmap_method="sequential")

    def forward(parameters: dict[str, Any], inputs: Any) -> Any:
        return call(parameters, inputs), (parameters, inputs)

    def backward(kept: Any, dy: Any) -> Any:
        shapes = jax.tree.map(like, kept)
        return jax.pure_callback(gradients, shapes, *kept, dy, vmap_method="sequential")

    call.defvjp(forward, backward)

    def function(parameters: dict[str, Any], *inputs: Any) -> Any:
        return call(parameters, tuple(jax.numpy.asarray(x, np.float32) for x in inputs))

    return function, {name: jax.numpy.asarray(numbers) for name, numbers in vjp.parameters.items()}
