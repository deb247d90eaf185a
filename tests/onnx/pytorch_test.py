#!/usr/bin/env python3
"""Random networks of PyTorch, written as ONNX by both of its exporters in several opsets: predictions and gradients here.

pytorch_test.py PATH_OF_ONNX_BACKEND [--networks 300] [--seed 1] [--first N] [--only N]. CHALKGRAD_TORCH names a Python with
torch, onnx and onnxscript; skipped without. Outputs must be within 1e-5 of the largest of them. Gradients of Σ c·y, with
random c, with respect to each parameter that an exporter left as it was must be within bounds of PyTorch's in double.

The bounds. A float32 program makes roundings δᵣ, |δᵣ| ≤ u = 2⁻²⁴, in its local results v: the output of each layer, and in
the backward pass the gradient of its input. To first order a number g of the gradient is off by Σ ∂g/∂vᵢ·Δvᵢ. PyTorch
gives ∂g/∂vᵢ in double, for the g that is furthest off, by differentiating its own gradient: zeros are added to each v, and
g is differentiated with respect to them. What remains is Δv:

- Sums of K products (convolutions, dense layers, averages, and the gradients of their weights), in whatever order: with
  partial sums s, Δv = Σ δᵣ·sᵣ, and |sᵣ| ≤ Σ|products|, so that the roundings' factors have the norm √K·Σ|products| at most.
  A layer on absolute values, and its own gradient, give these sums. If roundings are independent with mean 0 (Higham & Mary
  2019), Azuma's inequality bounds all of them together: |Δg| ≤ λu·(Σ(∂g/∂vᵢ·√K·Σ|products|)²)^½ but with a probability of
  2e^(−λ²/2), for λ = 8 that of 10⁻¹³. Winograd's transforms add what src/kernels/conv_winograd.h says.
- Functions and normalisations, whose errors are not independent (a standard deviation is one for many values): their worst
  cases, added up. Each is some roundings of what it adds, multiplies and subtracts; see the functions below.

Bounds hold where no kink is crossed, so samples are drawn until none is within 10⁻⁶ of a layer's largest value; and to first
order, so gradients that are 0 but for rounding are left out (below 10⁻⁹ of the network's largest). PyTorch's float32
gradients are held to the same bounds, as a check of the bounds themselves; and the test says how wrong a gradient must be to
be noticed.
"""
import argparse
import contextlib
import copy
import functools
import io
import math
import pathlib
import random
import subprocess
import sys
import time
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
from support import run_where_there_is  # noqa: E402

U, LAMBDA = 2.0**-24, 8
OPSETS = {"torchscript": (9, 11, 13, 14, 16, 17, 18, 20), "dynamo": (18, 20, 22)}


def network(rng):
    """A random chain, some of whose pieces are residual or joined; and the shape of its input."""
    import torch
    from torch import nn

    class Residual(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, x):
            return x + self.inner(x)

    class Joined(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, x):
            return torch.cat([x, self.inner(x)], 1)

    channels, side = rng.choice((1, 2, 3)), rng.randint(9, 17)
    shape, layers = (channels, side, rng.randint(9, 17)), []
    activations = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.Sigmoid, nn.Tanh, nn.Softplus, nn.SiLU, nn.Hardswish,
                   nn.Hardsigmoid, nn.GELU, nn.Mish, nn.ReLU6, nn.PReLU, nn.Softsign)

    def size(chain):
        return tuple(chain(torch.zeros(1, *shape)).shape[1:])

    def convolution(x):
        c = x[0]
        groups = rng.choice([g for g in (1, 1, 1, 2, c) if c % g == 0])
        kernel, dilation = rng.choice((1, 2, 3, (3, 1), 5)), rng.choice((1, 1, 1, 2))
        return nn.Conv2d(c, groups * rng.randint(1, 8 // min(groups, 8) + 1), kernel, rng.choice((1, 1, 2)), rng.choice((0, 1, 2)), dilation,
                         groups, bias=rng.random() < 0.7)

    def same_size(c):
        return nn.Sequential(nn.Conv2d(c, c, 3, padding=1), rng.choice(activations)(), nn.Conv2d(c, c, 1))

    def piece(x):
        c = x[0]
        return rng.choice([
            lambda: convolution(x), lambda: convolution(x), lambda: rng.choice(activations)(), lambda: rng.choice(activations)(),
            lambda: nn.BatchNorm2d(c), lambda: nn.MaxPool2d(rng.choice((2, 3)), rng.choice((1, 2)), rng.choice((0, 1)), ceil_mode=rng.random() < 0.5),
            lambda: nn.AvgPool2d(rng.choice((2, 3)), rng.choice((1, 2)), rng.choice((0, 1)), ceil_mode=rng.random() < 0.3, count_include_pad=rng.random() < 0.5),
            lambda: Residual(same_size(c)), lambda: Joined(same_size(c)), lambda: nn.ConvTranspose2d(c, rng.randint(1, 6), rng.choice((2, 3)), rng.choice((1, 2))),
            lambda: nn.Upsample(scale_factor=2, mode="nearest"), lambda: nn.Upsample(scale_factor=2, mode="bilinear"),
            lambda: nn.ZeroPad2d((1, 0, 2, 1)), lambda: nn.ReflectionPad2d(1), lambda: nn.ReplicationPad2d((0, 2, 1, 0)),
            lambda: nn.GroupNorm(rng.choice([g for g in (1, 2, c) if c % g == 0]), c), lambda: nn.LayerNorm(list(x)),
            lambda: nn.LocalResponseNorm(3), lambda: nn.Dropout(0.3), lambda: nn.Softmax(1) if c > 1 else nn.Identity(), lambda: nn.Identity(),
        ])()

    chain = nn.Sequential().eval()
    for _ in range(rng.randint(2, 7)):
        for _ in range(20):
            x = size(chain)
            new = piece(x)
            try:
                with torch.no_grad():
                    y = tuple(new.eval()(torch.zeros(1, *x)).shape[1:])
            except RuntimeError:  # a window larger than the map
                continue
            if min(y) >= 1 and math.prod(y) < 6000:
                chain.append(new)
                break
    end = rng.randrange(4)
    x = size(chain)
    if end == 0:
        chain.append(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(x[0], 5)))
    elif end == 1:
        chain.append(nn.Sequential(nn.Flatten(), nn.Linear(math.prod(x), 7), nn.ReLU(), nn.Linear(7, 3)))
    elif end == 2:
        chain.append(nn.Sequential(nn.Flatten(), nn.Linear(math.prod(x), 4), nn.LogSoftmax(1)))
    else:
        chain.append(nn.Conv2d(x[0], 3, 1))
    generator = torch.Generator().manual_seed(rng.randrange(1 << 30))
    with torch.no_grad():
        for name, value in chain.state_dict().items():  # no two alike, so that no exporter merges them; none is zero
            if value.dtype == torch.float32:
                scale = 1.0 / math.sqrt(max(1, value[0].numel())) if value.dim() > 1 else 0.5
                value.copy_((torch.rand(value.shape, generator=generator) * 2 - 1) * scale + (1.0 if value.dim() < 2 and "bias" not in name and "mean" not in name else 0.0))
    return chain.eval(), shape


def exported(model, x, exporter, opset):
    import onnx
    import torch

    if opset < 11 and any(getattr(module, "mode", "") == "bilinear" for module in model.modules()):
        raise ValueError("the file would say another interpolation than PyTorch's, as its exporter warns")
    file = io.BytesIO()
    if exporter == "dynamo":
        program = torch.onnx.export(model, (x,), dynamo=True, opset_version=opset, verbose=False,
                                    dynamic_shapes=({0: torch.export.Dim("n", min=2, max=64)},))
        return program.model_proto
    torch.onnx.export(model, (x,), file, dynamo=False, opset_version=opset, input_names=["x"], dynamic_axes={"x": {0: "n"}})
    return onnx.load_from_string(file.getvalue())


# ---- bounds of rounding ----------------------------------------------------------------------------------------------

def kinks(module):
    """Where its function's slope jumps."""
    from torch import nn

    if isinstance(module, (nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.SELU)):
        return (0.0,)
    if isinstance(module, nn.ReLU6):
        return (0.0, 6.0)
    return (-3.0, 3.0) if isinstance(module, (nn.Hardswish, nn.Hardsigmoid)) else ()


def distance_to_kinks(module, x):
    """The least, as a share of the largest value. For a maximum it is that of the two largest in a window. What is at a kink
    exactly is a zero of a ReLU before, beyond which no gradient gets, or the same number twice, as of padding."""
    from torch import nn

    distances = [abs(x - kink) for kink in kinks(module)]
    if isinstance(module, nn.MaxPool2d):
        k, s, p = module.kernel_size, module.stride, module.padding
        windows = nn.functional.pad(x, (p, p + s, p, p + s), value=-math.inf).unfold(2, k, s).unfold(3, k, s).flatten(4)
        two = windows.topk(2, -1).values
        distances.append((two[..., 0] - two[..., 1]).nan_to_num(math.inf))
    return min((far[far > 0].min().item() for far in distances if (far > 0).any()), default=math.inf) / max(abs(x).max().item(), 1e-30)


def is_smooth(model, x):
    """Whether no value is so near to a kink that rounding could move it across."""
    import torch

    distances = []
    handles = [module.register_forward_pre_hook(lambda module, operands: distances.append(distance_to_kinks(module, operands[0])))
               for module in model.modules() if not list(module.children())]
    with torch.no_grad():
        model(x)
    for handle in handles:
        handle.remove()
    return min(distances) > 1e-6


def roots(count):
    """√K, and some single roundings."""
    return math.sqrt(count) + 8


class Layer:
    """A layer's local errors, in units of u: those of its output, of its input's gradient, and of its parameters'."""

    independent = False  # whether they are sums of independent roundings, or worst cases

    def __init__(self, module):
        self.module = copy.deepcopy(module)  # before its hooks

    def forward(self, x, y):
        return 8 * (abs(x) + abs(y))

    def backward(self, x, y, g):
        return 16 * (1 + abs(x)) * abs(g), {}


def with_second_derivatives(model):
    """The model, with functions in pieces whose gradient PyTorch cannot differentiate again."""
    from torch import nn

    class HardSigmoid(nn.Module):
        def forward(self, x):
            return (x / 6 + 0.5).clamp(0, 1)

    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.Hardsigmoid):
                setattr(module, name, HardSigmoid())
    return model


class Slopes(Layer):  # PReLU
    def backward(self, x, y, g):
        terms = (abs(g) * (-x).clamp(min=0)).transpose(0, 1).flatten(1).sum(1)
        terms = terms if self.module.weight.numel() > 1 else terms.sum().reshape(1)
        return super().backward(x, y, g)[0], {"weight": roots(x.numel()) * terms}


class Sums(Layer):
    """What is linear: on absolute values it gives the sums of absolute products."""

    independent = True

    def __init__(self, module):
        super().__init__(module)
        for parameter in self.module.parameters():
            parameter.data.abs_()

    def terms(self, x):
        """√K of a result; the bias and a factor are two more."""
        from torch import nn

        if isinstance(self.module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            weight = self.module.weight
            count = max(weight[0].numel(), weight.numel() // weight.shape[1])
        else:
            count = x[0, 0].numel() if isinstance(self.module, nn.AdaptiveAvgPool2d) else 16
        return math.sqrt(count + 2)

    def by_transforms(self):
        """What Winograd's transforms add, in shares of the largest sum."""
        from torch import nn

        m = self.module
        if not isinstance(m, nn.Conv2d) or m.stride != (1, 1) or m.dilation != (1, 1) or m.groups > 1:
            return 0
        wide = m.in_channels * m.out_channels >= 4 * (m.in_channels + m.out_channels)
        return {(3, 3): 2e-6, (5, 5): 5e-6}.get(m.kernel_size, 0) / U if wide else 0

    def forward(self, x, y):
        sums = self.module(abs(x))
        return self.terms(x) * sums + self.by_transforms() * sums.max()

    def backward(self, x, y, g):
        import torch

        x = abs(x).requires_grad_()
        names, parameters = zip(*self.module.named_parameters()) if list(self.module.parameters()) else ((), ())
        with torch.enable_grad():
            found = torch.autograd.grad(self.module(x), [x, *parameters], abs(g))
        count = g.numel() // g.shape[1]
        bounds = {name: math.sqrt(count + 2) * sums + self.by_transforms() * sums.max() for name, sums in zip(names, found[1:])}
        return self.terms(x) * found[0] + self.by_transforms() * found[0].max(), bounds


class Maxima(Sums):
    """They move values, and add up gradients."""

    def forward(self, x, y):
        return 0 * y

    def backward(self, x, y, g):
        import torch

        x = x.clone().requires_grad_()
        with torch.enable_grad():
            found, = torch.autograd.grad(self.module(x), x, abs(g))
        return self.terms(x) * found, {}


class Joints(Layer):
    """Where a sum joins two branches, or a gradient that of two."""

    independent = True

    def forward(self, x, y):
        return abs(y)

    def backward(self, x, y, g):
        return None, {}  # of the sum of both branches' gradients: see Bounds.before()


class RunningNorm(Layer):  # (x − μ)·s + β, s = γ/σ
    def forward(self, x, y):
        return 8 * (self.scale() * (abs(x) + self.of_channels(self.module.running_mean)) + self.of_channels(self.module.bias))

    def backward(self, x, y, g):
        m = self.module
        sizes = (abs(x) + self.of_channels(m.running_mean)) / self.of_channels(m.running_var + m.eps).sqrt()
        count = roots(g.numel() // g.shape[1])
        return 8 * self.scale() * abs(g), {"weight": count * (abs(g) * sizes).sum((0, 2, 3)), "bias": count * abs(g).sum((0, 2, 3))}

    def scale(self):
        return self.of_channels(self.module.weight) / self.of_channels(self.module.running_var + self.module.eps).sqrt()

    @staticmethod
    def of_channels(numbers):
        return abs(numbers).reshape(1, -1, 1, 1)


class SampleNorm(Layer):
    """(x − m)/σ·γ + β. What is subtracted is at most X = (|x| + mean|x|)/σ; a σ that is off is so by rms X roundings. The
    gradient is (γg − mean γg − x̂·mean γg·x̂)/σ, |x̂| ≤ X."""

    def parts(self, x):
        from torch import nn

        m = self.module
        of_groups = isinstance(m, nn.GroupNorm)
        rows = x.reshape(len(x), m.num_groups if of_groups else 1, -1)
        sigma = (rows.var(-1, unbiased=False, keepdim=True) + m.eps).sqrt()
        sizes = (abs(rows) + abs(rows).mean(-1, keepdim=True)) / sigma
        error = (roots(rows.shape[-1]) + 8) * (1 + (sizes**2).mean(-1, keepdim=True).sqrt())
        shape = (1, -1, 1, 1) if of_groups else (1, *x.shape[1:])
        return sizes, sigma, error, abs(m.weight).reshape(shape), abs(m.bias).reshape(shape)

    def forward(self, x, y):
        sizes, _, error, gamma, beta = self.parts(x)
        return (error * sizes).reshape(x.shape) * gamma + (error + 0 * sizes).reshape(x.shape) * beta

    def backward(self, x, y, g):
        sizes, sigma, error, gamma, _ = self.parts(x)
        rows = (abs(g) * gamma).reshape(sizes.shape)
        of_x = error / sigma * (rows + rows.mean(-1, keepdim=True) + sizes * (rows * sizes).mean(-1, keepdim=True))
        count = roots(g.numel() // self.module.weight.numel())
        over = (0, 2, 3) if self.module.weight.dim() == 1 else (0,)
        of_gamma = (abs(g) * ((count + error) * sizes).reshape(x.shape)).sum(over)
        return of_x.reshape(x.shape), {"weight": of_gamma, "bias": count * abs(g).sum(over)}


class Responses(Layer):  # x·s^−β, s = k + α/n·Σx², the sum going over three channels
    def forward(self, x, y):
        return 16 * abs(y)

    def backward(self, x, y, g):
        m = self.module
        s = m.k + m.alpha / m.size * self.summed(x**2)
        return 16 * (abs(g) * s**-m.beta + 2 * m.alpha * m.beta / m.size * abs(x) * self.summed(abs(g * x) * s**(-m.beta - 1))), {}

    @staticmethod
    def summed(x):
        from torch import nn

        return nn.functional.pad(x, (0, 0, 0, 0, 1, 1)).unfold(1, 3, 1).sum(-1)


class Shares(Layer):
    """Softmax and its logarithm: e^(x − max) is off by as many roundings as the difference is large."""

    def error(self, x):
        return (roots(x.shape[1]) + 8) * (1 + 2 * abs(x).max())

    def forward(self, x, y):
        return self.error(x) * (abs(y) if self.is_plain() else 1 + abs(y))

    def backward(self, x, y, g):
        shares = y if self.is_plain() else y.exp()
        g = abs(g)
        summed = shares * (g + (g * shares).sum(1, keepdim=True)) if self.is_plain() else g + shares * g.sum(1, keepdim=True)
        return self.error(x) * summed, {}

    def is_plain(self):
        from torch import nn

        return isinstance(self.module, nn.Softmax)


def layer_of(module):
    """None of what only contains others."""
    from torch import nn

    kinds = {nn.PReLU: Slopes, nn.MaxPool2d: Maxima, nn.BatchNorm2d: RunningNorm, nn.GroupNorm: SampleNorm, nn.LayerNorm: SampleNorm,
             nn.LocalResponseNorm: Responses, nn.Softmax: Shares, nn.LogSoftmax: Shares}
    moves = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.Upsample, nn.ZeroPad2d,
             nn.ReflectionPad2d, nn.ReplicationPad2d, nn.Flatten, nn.Identity, nn.Dropout)
    if isinstance(module, nn.Sequential):
        return None
    if list(module.children()):
        return Joints(module)
    return Sums(module) if isinstance(module, moves) else kinds.get(type(module), Layer)(module)


class Bounds:
    """Gradients in double, and bounds of what float32 may make of them."""

    def __init__(self, model, x, cotangent):
        import torch

        self.points, self.own = [], {}  # zeros that were added, with the local error there; errors of parameters' gradients
        model = with_second_derivatives(copy.deepcopy(model)).double()
        handles = []
        for path, module in model.named_modules():
            if layer := layer_of(module):
                seen = {}
                handles += [module.register_forward_pre_hook(functools.partial(self.before, layer, seen)),
                            module.register_forward_hook(functools.partial(self.after, path, layer, seen))]
        y = model(x.double())
        self.parameters = dict(model.named_parameters())
        self.watching = True
        found = torch.autograd.grad((y * cotangent.double()).sum(), list(self.parameters.values()), create_graph=True)
        self.watching = False
        self.gradients = dict(zip(self.parameters, found))
        self.nothing = 1e-9 * max(gradient.abs().max() for gradient in found)  # 0 in exact numbers, as all around it
        for handle in handles:
            handle.remove()

    def added(self, value, error, independent):
        import torch

        zeros = torch.zeros_like(value, requires_grad=True)
        self.points.append((zeros, error.detach(), independent))
        return value + zeros

    def before(self, layer, seen, _, operands):
        x = operands[0].view_as(operands[0])
        seen["x"] = x.detach()

        def of_gradient(g):
            if not self.watching:
                return None
            error = abs(g.detach()) if isinstance(layer, Joints) else seen["error"]
            return self.added(g, error, layer.independent)

        if x.requires_grad:
            x.register_hook(of_gradient)
        return (x,)

    def after(self, path, layer, seen, _, operands, y):
        import torch

        with torch.no_grad():
            error = layer.forward(seen["x"], y.detach())

        def of_gradient(g):
            if self.watching:
                seen["error"], of_parameters = layer.backward(seen["x"], y.detach(), g.detach())
                self.own.update({f"{path}.{name}": value.detach() for name, value in of_parameters.items()})

        z = self.added(y, error, layer.independent)
        z.register_hook(of_gradient)
        return z

    def of(self, name, place):
        """What number `place` of a parameter's gradient may be off."""
        import torch

        number = self.gradients[name].flatten()[place]
        moved = ()  # the last bias's gradient is a sum of c alone
        if number.requires_grad:
            moved = torch.autograd.grad(number, [zeros for zeros, _, _ in self.points], retain_graph=True, allow_unused=True)
        squares, worst = self.own[name].flatten()[place].item()**2, 0.0
        for (_, error, independent), slope in zip(self.points, moved):
            if slope is not None and independent:
                squares += ((slope * error)**2).sum().item()
            elif slope is not None:
                worst += abs(slope * error).sum().item()
        return U * (LAMBDA * math.sqrt(squares) + worst)


# ---- the comparison --------------------------------------------------------------------------------------------------

def here(program, name, model, x, cotangent):
    """Output and gradients by chalkgrad, or the message of its refusal."""
    import numpy as np

    data, numbers, c = model.SerializeToString(), x.numpy(), cotangent.numpy()
    head = f"{name} {len(numbers)} {len(data)} {numbers.size} {c.size}\n".encode()
    result = subprocess.run([program], input=head + data + numbers.tobytes() + c.tobytes(), capture_output=True, check=False)
    stream = io.BytesIO(result.stdout)
    line = stream.readline().decode()
    if not line.startswith(f"{name} ok"):
        return line or result.stderr.decode() or f"it ended with {result.returncode}", {}

    def array(extents):
        shape = [int(extent) for extent in extents]
        return np.frombuffer(stream.read(8 * math.prod(shape)), np.float64).reshape(shape).copy()

    y = array(stream.readline().split())
    gradients = {}
    for _ in range(int(stream.readline())):
        parameter, *extents = stream.readline().decode().split()
        gradients[parameter] = array(extents)
    return y, gradients


def kept(file, model):
    """The parameters that the file has as the model has them: no exporter has folded anything into them."""
    import numpy as np
    import onnx

    tensors = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in file.graph.initializer}
    return [name for name, value in model.named_parameters()
            if name in tensors and np.array_equal(tensors[name], value.detach().numpy())]


class Comparison:
    def __init__(self, program):
        self.program, self.failures, self.files, self.outputs = program, [], {}, 0.0
        self.ours, self.theirs, self.noticed = [], [], []  # shares of bounds; bounds as shares of the largest number

    def file(self, what, name, file, model, x, cotangent, exact, floats, bounds):
        """One file of one network."""
        import torch

        got, ours = here(self.program, name, file, x, cotangent)
        if isinstance(got, str):
            return [got.strip()]
        error = abs(torch.from_numpy(got) - exact).max().item() / max(1e-30, exact.abs().max().item())
        self.outputs = max(self.outputs, error)
        if not error <= 1e-5:
            return [f"outputs are {error:.1e} off"]
        said, found = [], 0
        for parameter in kept(file, model) if bounds else ():
            want = bounds.gradients[parameter].detach()
            if parameter not in ours or ours[parameter].shape != tuple(want.shape) or want.abs().max() <= bounds.nothing:
                continue  # under another shape, as PReLU's slopes; or 0, as of a shift that a normalisation takes away
            off = abs(torch.from_numpy(ours[parameter]) - want).flatten()
            place = off.argmax().item()
            bound = bounds.of(parameter, place)
            found += 1
            self.ours.append(off[place].item() / bound)
            self.theirs.append(abs(floats[parameter].double() - want).flatten()[place].item() / bound)
            self.noticed.append(bound / want.abs().max().item())
            if not self.ours[-1] <= 1:
                said.append(f"the gradient of {parameter} is {off[place]:.1e} off, more than {bound:.1e}; its largest number is "
                            f"{want.abs().max().item():.1e}, and PyTorch's in float32 is {self.theirs[-1] * bound:.1e} off")
            if not self.theirs[-1] <= 1:
                said.append(f"PyTorch's own gradient of {parameter} is {self.theirs[-1]:.1f} times its bound off: the bound is wrong")
        if bounds and not found and "torchscript" in what:
            said.append(f"no parameter has kept its name: {sorted(ours)}, not {sorted(bounds.gradients)}")
        return said


def smooth_sample(model, shape, seed):
    """Samples whose values stay away from all kinks; the last that were drawn, and False, if there are none."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    for _ in range(30):
        x = torch.randn(3, *shape, generator=generator)
        if is_smooth(model, x):
            return x, True
    return x, False


def run_all(options):
    import logging

    import torch

    warnings.simplefilter("ignore")
    logging.disable(logging.ERROR)
    torch.set_num_threads(1)
    comparison, done, kinked, unwritten, begun = Comparison(options.program.resolve()), 0, 0, 0, time.time()
    attempts = [options.only] if options.only else range(options.first, options.first + 3 * options.networks)
    for attempt in attempts:
        if done == options.networks:
            break
        rng = random.Random(options.seed * 100003 + attempt)
        model, shape = network(rng)
        x, smooth = smooth_sample(model, shape, attempt)
        files = {}
        for exporter, opsets in OPSETS.items():
            opset = rng.choice(opsets)
            try:
                with torch.no_grad(), contextlib.redirect_stdout(io.StringIO()):
                    files[f"{exporter}, opset {opset}"] = exported(model, x, exporter, opset)
            except Exception:  # what PyTorch cannot write in that opset
                unwritten += 1
        if not files:
            continue
        done += 1
        kinked += not smooth
        y = model(x)
        cotangent = torch.randn(y.shape, generator=torch.Generator().manual_seed(attempt + 1))
        floats = dict(zip(dict(model.named_parameters()), torch.autograd.grad((y * cotangent).sum(), list(model.parameters()))))
        with torch.no_grad():
            exact = copy.deepcopy(model).double()(x.double())
        bounds = Bounds(model, x, cotangent) if smooth else None
        for i, (what, file) in enumerate(files.items()):
            comparison.files[what] = comparison.files.get(what, 0) + 1
            said = comparison.file(what, f"{attempt}.{i}", file, model, x, cotangent, exact, floats, bounds)
            for line in said:
                comparison.failures.append(f"{attempt} ({what}): {' '.join(str(model).split())}\n  {line}")
                print("FAILED", comparison.failures[-1], flush=True)
        if done % 25 == 0:
            print(f"{done} networks, {len(comparison.ours)} gradients, {time.time() - begun:.0f} s", flush=True)
    c, noticed = comparison, sorted(comparison.noticed)
    print(f"{done} networks, {sum(c.files.values())} files ({unwritten} that PyTorch cannot write in the opset), {len(c.ours)} gradients, "
          f"of {done - kinked} networks; {len(c.failures)} failures; torch {torch.__version__}")
    print("files: " + "; ".join(f"{what}: {count}" for what, count in sorted(c.files.items())))
    if noticed:
        print(f"outputs are at most {c.outputs:.1e} of the largest off; gradients at most {max(c.ours):.3f} of their bounds, PyTorch's "
              f"own in float32 {max(c.theirs):.3f}. A gradient is noticed that is more than this share of its largest number off: "
              f"half of them {noticed[len(noticed) // 2]:.1e}, nine tenths {noticed[len(noticed) * 9 // 10]:.1e}, all {noticed[-1]:.1e}")
        if not options.only and noticed[len(noticed) // 2] > 1e-3:
            c.failures.append("most bounds are too wide to notice what is a thousandth off")
            print("FAILED", c.failures[-1])
    return 1 if c.failures or not options.only and done < options.networks else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--networks", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=1, help="to begin with, for several processes side by side", metavar="N")
    parser.add_argument("--only", type=int, help="one of them, as its failure names it")
    options = parser.parse_args()
    run_where_there_is("torch", "onnx", "onnxscript", variable="CHALKGRAD_TORCH")
    return run_all(options)


if __name__ == "__main__":
    sys.exit(main())
