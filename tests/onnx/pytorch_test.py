#!/usr/bin/env python3
"""Random networks of PyTorch, written as ONNX by both of its exporters in several opsets: predictions and gradients here.

pytorch_test.py PATH_OF_ONNX_BACKEND [--networks 300] [--seed 1]. CHALKGRAD_TORCH names a Python with torch, onnx and
onnxscript; skipped without. Outputs must be within 1e-5 of the largest of them. The gradient of Σ c·y, with random c, with
respect to each parameter must be as near to PyTorch's in double as eight times what PyTorch's in float is, or as 128
roundings of its largest number, as both add the same products in another order.
"""
import argparse
import io
import math
import os
import pathlib
import random
import subprocess
import sys
import warnings

MODULES = "import torch, onnx, onnxscript"
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
            lambda: nn.LocalResponseNorm(3), lambda: nn.Dropout(0.3), lambda: nn.Softmax(1), lambda: nn.Identity(),
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

    file = io.BytesIO()
    if exporter == "dynamo":
        program = torch.onnx.export(model, (x,), dynamo=True, opset_version=opset, verbose=False,
                                    dynamic_shapes=({0: torch.export.Dim("n", min=2, max=64)},))
        return program.model_proto
    torch.onnx.export(model, (x,), file, dynamo=False, opset_version=opset, input_names=["x"], dynamic_axes={"x": {0: "n"}})
    return onnx.load_from_string(file.getvalue())


def expected(model, x, cotangent, dtype):
    import torch

    model = model.to(dtype)
    model.zero_grad()
    y = model(x.to(dtype))
    (y * cotangent.to(dtype)).sum().backward()
    gradients = {name: value.grad.detach().double().clone() for name, value in model.named_parameters() if value.grad is not None}
    model.float()
    return y.detach().double(), gradients


def here(program, name, model, x, cotangent):
    """Output and gradients by chalkgrad, or the message of its refusal."""
    import numpy as np

    data, numbers, c = model.SerializeToString(), x.numpy(), cotangent.numpy()
    head = f"{name} {len(numbers)} {len(data)} {numbers.size} {c.size}\n".encode()
    result = subprocess.run([program], input=head + data + numbers.tobytes() + c.tobytes(), capture_output=True, check=False)
    stream = io.BytesIO(result.stdout)
    line = stream.readline().decode()
    if not line.startswith(f"{name} ok"):
        return line or result.stderr.decode(), {}

    def array(extents):
        shape = [int(extent) for extent in extents]
        return np.frombuffer(stream.read(8 * math.prod(shape)), np.float64).reshape(shape)

    y = array(stream.readline().split())
    gradients = {}
    for _ in range(int(stream.readline())):
        parameter, *extents = stream.readline().decode().split()
        gradients[parameter] = array(extents)
    return y, gradients


def run_all(program, count, seed):
    import torch

    warnings.simplefilter("ignore")
    import logging
    logging.disable(logging.ERROR)
    failures, done, compared, skipped, worst = [], 0, 0, 0, (0.0, 0.0)
    attempt = 0
    while done < count and attempt < 3 * count:
        attempt += 1
        rng = random.Random(seed * 100003 + attempt)
        model, shape = network(rng)
        exporter = rng.choice(("torchscript", "dynamo"))
        opset = rng.choice(OPSETS[exporter])
        x = torch.randn(4, *shape, generator=torch.Generator().manual_seed(attempt))
        what = f"{attempt} ({exporter}, opset {opset}): {' '.join(str(model).split())}"
        try:
            with torch.no_grad():
                file = exported(model, x, exporter, opset)
        except Exception:  # what PyTorch cannot write in that opset
            skipped += 1
            continue
        done += 1
        cotangent = torch.randn(model(x).shape, generator=torch.Generator().manual_seed(attempt + 1))
        exact, gradients = expected(model, x, cotangent, torch.float64)
        _, floats = expected(model, x, cotangent, torch.float32)
        got, ours = here(program, str(attempt), file, x, cotangent)
        if isinstance(got, str):
            failures.append(f"{what}\n  {got.strip()}")
            continue
        error = abs(torch.from_numpy(got.copy()) - exact).max().item() / max(1e-30, exact.abs().max().item())
        if not error <= 1e-5:
            failures.append(f"{what}\n  outputs are {error:.1e} off")
            continue
        found = 0
        for name, want in gradients.items():
            if name not in ours or ours[name].shape != tuple(want.shape):
                continue  # folded into another, or merged
            if exporter == "dynamo" and any(isinstance(module, torch.nn.BatchNorm2d) for module in model.modules()):
                continue  # folded into a convolution, whose weights are others then
            largest = want.abs().max().item()
            bound = 8 * (floats[name] - want).abs().max().item() + 128 * 2.0**-24 * largest + 1e-30
            off = (torch.from_numpy(ours[name].copy()) - want).abs().max().item()
            found += 1
            compared += 1
            worst = max(worst[0], error), max(worst[1], off / bound)
            if not off <= bound:
                failures.append(f"{what}\n  the gradient of {name} is {off:.1e} off, more than {bound:.1e}; its largest number is {largest:.1e}")
        if not found and exporter == "torchscript":
            failures.append(f"{what}\n  no parameter has kept its name: {sorted(ours)}, not {sorted(gradients)}")
    for line in failures:
        print("FAILED", line)
    print(f"{done} networks ({skipped} that PyTorch cannot write), {compared} gradients compared, {len(failures)} failures; "
          f"outputs at most {worst[0]:.1e} off, gradients at most {worst[1]:.2f} of their bounds; torch {torch.__version__}")
    return 1 if failures or done < count else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--networks", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--here", action="store_true")
    options = parser.parse_args()
    if options.here:
        return run_all(options.program.resolve(), options.networks, options.seed)
    python = os.environ.get("CHALKGRAD_TORCH", os.environ.get("CHALKGRAD_PYTHON", sys.executable))
    if subprocess.run([python, "-c", MODULES], capture_output=True, check=False).returncode:
        print("SKIPPED: it needs Python's torch, onnx and onnxscript (CHALKGRAD_TORCH names a Python that has them)")
        return 77
    return subprocess.run([python, __file__, *sys.argv[1:], "--here"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
