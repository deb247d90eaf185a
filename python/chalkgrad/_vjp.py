"""A graph's output and its vector-Jacobian products, for functions inside of other libraries."""

from __future__ import annotations

import copy
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import _engine

Array = np.ndarray[Any, Any]


class Vjp:
    """Computes one batched output of a graph, and the gradients of its inputs and parameters for a cotangent of it."""

    def __init__(
        self,
        graph: _engine.Graph | _engine.Network,
        variables: _engine.Variables | None,
        output: str,
        threads: int,
    ) -> None:
        if isinstance(graph, _engine.Network):
            variables = _engine.Variables(graph)
            graph = graph.to_graph()
        elif variables is None:
            variables = _engine.Variables(graph)
        outputs = graph.outputs()
        if output not in outputs:
            raise _engine.InputError(f"the graph has no output '{output}'; it has {', '.join(outputs)}")
        if not outputs[output].batched:
            raise _engine.ShapeError(f"output '{output}' is shared; give one that each sample has, and take the mean outside")
        self.output, self.output_shape = output, outputs[output].shape
        self.inputs = {value.name: value.shape for value in graph.inputs()}
        self.parameters = {value.name: variables[value.name] for value in graph.parameters()}
        self._variables = variables
        self._lock = threading.Lock()  # parameters are set, then used
        self._forward = _engine.Program(graph, variables, threads=threads)
        self._backward = _engine.Program(self._with_gradients(graph), variables, threads=threads)

    def _with_gradients(self, graph: _engine.Graph) -> _engine.Graph:
        graph = copy.copy(graph)
        y = graph.outputs()[self.output]
        wrt = [*graph.inputs(), *graph.parameters()]
        dy = graph.input("dy", y.shape)
        graph.clear_outputs()
        for value, gradient in zip(wrt, _engine.differentiate(y, dy, wrt)):
            if gradient is not None:
                graph.output("d" + value.name, gradient)
        return graph

    def _run(self, program: _engine.Program, arrays: Sequence[Array], dy: Array | None = None) -> dict[str, Array]:
        count = len(self.inputs)
        feeds: dict[str, Any] = dict(zip(self.inputs, arrays[:count]))
        if dy is not None:
            feeds["dy"] = dy
        with self._lock:
            for name, array in zip(self.parameters, arrays[count:]):
                self._variables[name] = array
            return program.run(feeds)

    def value(self, arrays: Sequence[Array]) -> Array:
        """The output, for the inputs and then the parameters, in their order."""
        return self._run(self._forward, arrays)[self.output]

    def gradients(self, arrays: Sequence[Array], dy: Array) -> list[Array]:
        """Of each of `arrays`; zeros where the output does not depend on it."""
        found = self._run(self._backward, arrays, dy)
        names = [*self.inputs, *self.parameters]
        return [found["d" + name] if "d" + name in found else np.zeros_like(array) for name, array in zip(names, arrays)]
