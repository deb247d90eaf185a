"""Graphs and networks inside of PyTorch's models, and modules as networks."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from . import _engine
from ._vjp import Vjp

try:
    import torch
except ImportError as error:
    raise ImportError("chalkgrad.torch_function and from_torch need PyTorch: pip install torch") from error


class _Function(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(ctx: Any, vjp: Vjp, *tensors: Any) -> Any:
        ctx.vjp = vjp
        ctx.save_for_backward(*tensors)
        return torch.from_numpy(vjp.value([_array(tensor) for tensor in tensors]))

    @staticmethod
    @torch.autograd.function.once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, dy: Any) -> Any:
        gradients = ctx.vjp.gradients([_array(tensor) for tensor in ctx.saved_tensors], _array(dy))
        return (None, *map(torch.from_numpy, gradients))


def _array(tensor: Any) -> np.ndarray[Any, Any]:
    return np.ascontiguousarray(tensor.detach().resolve_neg().numpy(), dtype=np.float32)


class TorchModule(torch.nn.Module):  # type: ignore[misc]
    """A graph as a torch.nn.Module: see torch_function()."""

    def __init__(self, vjp: Vjp) -> None:
        super().__init__()
        self._vjp = vjp
        self._names = [name.replace(".", "_") for name in vjp.parameters]
        for name, numbers in zip(self._names, vjp.parameters.values()):
            self.register_parameter(name, torch.nn.Parameter(torch.from_numpy(numbers)))

    def forward(self, *inputs: Any) -> Any:
        names = self._vjp.inputs
        if len(inputs) != len(names):
            raise TypeError(f"there are {len(inputs)} inputs, and {len(names)} are needed: {', '.join(names)}")
        return _Function.apply(self._vjp, *inputs, *(getattr(self, name) for name in self._names))


def from_torch(module: Any, example: Any) -> _engine.Network:
    """A trained torch.nn.Module as a Network, with its weights, by way of PyTorch's ONNX exporter (it needs onnxscript).

    example: a float tensor of one or more samples, N×…, that the module takes. What the module gives in eval() is what the
    network predicts; a Predictor(network, probabilities=False) has the same numbers up to rounding. The way back is
    Network.export_onnx(), or torch_function(). The module is left as it was.

    Raises InputError naming an operator that chalkgrad does not know (docs/onnx.md), and what PyTorch's exporter raises.

    >>> import torch
    >>> module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))
    >>> chalkgrad.from_torch(module, torch.zeros(2, 1, 8, 8)).output_shape()
    (10,)
    """
    training = module.training
    with tempfile.TemporaryDirectory(prefix="chalkgrad-") as folder:
        file = Path(folder, "module.onnx")
        try:
            batch = ({0: torch.export.Dim("batch")},)
            samples = example.detach().cpu()[:1].expand(2, *example.shape[1:]).contiguous()
            torch.onnx.export(module.eval(), (samples,), file, dynamo=True, external_data=False, verbose=False,
                              dynamic_shapes=batch)
        finally:
            module.train(training)
        return _engine.Network.load(file)


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
    return TorchModule(Vjp(graph, variables, output, threads))
