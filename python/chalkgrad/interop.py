"""Programs inside of other libraries' models."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from . import _engine

try:
    import torch
except ImportError as error:
    raise ImportError("chalkgrad.torch_function needs PyTorch: pip install torch") from error


class _Function(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(ctx: Any, module: Any, *tensors: Any) -> Any:
        ctx.module = module
        ctx.save_for_backward(*tensors)
        return module._run(module._forward, tensors, {})[module._output]

    @staticmethod
    @torch.autograd.function.once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, dy: Any) -> Any:
        module = ctx.module
        found = module._run(module._backward, ctx.saved_tensors, {"dy": _array(dy)})
        return (None, *(found.get("d" + name) for name in module._inputs + module._parameter_names))


def _array(tensor: Any) -> np.ndarray[Any, Any]:
    return np.ascontiguousarray(tensor.detach().resolve_neg().numpy(), dtype=np.float32)


class TorchModule(torch.nn.Module):  # type: ignore[misc]
    """A graph as a torch.nn.Module: see torch_function()."""

    def __init__(self, graph: _engine.Graph, variables: _engine.Variables, output: str, threads: int) -> None:
        super().__init__()
        outputs = graph.outputs()
        if output not in outputs:
            raise _engine.InputError(f"the graph has no output '{output}'; it has {', '.join(outputs)}")
        if not outputs[output].batched:
            raise _engine.ShapeError(f"output '{output}' is shared; give one that each sample has: PyTorch takes the mean")
        self._output = output
        self._inputs = [value.name for value in graph.inputs()]
        self._parameter_names = [value.name for value in graph.parameters()]
        self._variables = variables
        self._forward = _engine.Program(graph, variables, threads=threads)
        self._backward = _engine.Program(self._with_gradients(graph), variables, threads=threads)
        for name in self._parameter_names:
            self.register_parameter(name.replace(".", "_"), torch.nn.Parameter(torch.from_numpy(variables[name])))

    def _with_gradients(self, graph: _engine.Graph) -> _engine.Graph:
        graph = copy.copy(graph)
        y = graph.outputs()[self._output]
        wrt = [*graph.inputs(), *graph.parameters()]
        dy = graph.input("dy", y.shape)
        graph.clear_outputs()
        for value, gradient in zip(wrt, _engine.differentiate(y, dy, wrt)):
            if gradient is not None:
                graph.output("d" + value.name, gradient)
        return graph

    def _run(self, program: _engine.Program, tensors: Any, feeds: dict[str, Any]) -> dict[str, Any]:
        count = len(self._inputs)
        feeds |= {name: _array(tensor) for name, tensor in zip(self._inputs, tensors[:count])}
        for name, tensor in zip(self._parameter_names, tensors[count:]):
            self._variables[name] = _array(tensor)
        return {name: torch.from_numpy(array) for name, array in program.run(feeds).items()}

    def forward(self, *inputs: Any) -> Any:
        if len(inputs) != len(self._inputs):
            raise TypeError(f"there are {len(inputs)} inputs, and {len(self._inputs)} are needed: {', '.join(self._inputs)}")
        return _Function.apply(self, *inputs, *(getattr(self, name.replace(".", "_")) for name in self._parameter_names))


def torch_function(
    graph: _engine.Graph | _engine.Network,
    variables: _engine.Variables | None = None,
    *,
    output: str = "y",
    threads: int = 0,
) -> TorchModule:
    """A graph or a network inside of a PyTorch model: a torch.nn.Module that computes one of its outputs, and its gradients.

    The module takes a float tensor on the CPU for each batched input, N×(its shape), in the order in which they were made, and
    returns N×(shape of the output). Its parameters are those of the graph, with the numbers of `variables` (of a network: its
    own; a copy), so that torch.optim trains them; dots in their names become underscores. Gradients are for the inputs and the
    parameters, once: gradients of gradients are refused by PyTorch. A network computes what it predicts, before a softmax that
    is not part of it, with the running statistics of batch normalisation.

    Raises InputError for an output that is not there, ShapeError for one that is not batched.

    >>> import torch
    >>> layer = chalkgrad.torch_function(chalkgrad.Network("8c3-relu-10n", (1, 8, 8)))
    >>> loss = layer(torch.zeros(5, 1, 8, 8)).square().mean()
    >>> loss.backward()
    >>> layer.conv1_weight.grad.shape
    torch.Size([8, 1, 3, 3])
    """
    if isinstance(graph, _engine.Network):
        variables = _engine.Variables(graph)
        graph = graph.to_graph()
    elif variables is None:
        variables = _engine.Variables(graph)
    return TorchModule(graph, variables, output, threads)
