#!/usr/bin/env python3
"""One rival on one problem, in one mode: rival_worker.py {"rival": …, "mode": …, "network": …, …} (a line of JSON).

Builds the network and warms up, prints {"ready": version}; then each line on stdin is a number of seconds to run, and the
answer the samples a second: the median of turns of 50 ms. "memory" instead of a number asks for the most memory that the
process had so far, in bytes. Ends with stdin. bench/rivals.py starts it.

rival_worker.py --write NETWORK SHAPE FILE writes torchvision's model (torchvision:NAME) as ONNX, as docs/onnx.md has it, or
the package onnx's (light:NAME).
"""
import dataclasses
import json
import pathlib
import re
import shutil
import sys
import time

TURN = 0.05


@dataclasses.dataclass(frozen=True)
class Layer:
    kind: str  # conv, dense, maxpool, bn, lnc, gap, residual, relu, gelu, sigmoid, tanh
    number: int = 0  # filters, outputs, the side of a window
    kernel: int = 0
    stride: int = 1
    groups: int = 1
    same: bool = False  # zero padding that keeps the size
    branch: tuple = ()  # of a residual,
    shortcut: tuple = ()  # which is its input itself, or every s-th place of it and zeros, if this is empty


def split(text, separator):
    """The parts of a text between separators that are not within parentheses."""
    parts, depth = [""], 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == separator and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def layers(network):
    found = []
    for word in split(network, "-"):
        group = re.fullmatch(r"(res|\d+\*)\((.*)\)", word)
        if group and group[1] == "res":
            found.append(Layer("residual", **dict(zip(("branch", "shortcut"), map(layers, split(group[2], ","))))))
            continue
        if group:
            found += int(group[1][:-1]) * layers(group[2])
            continue
        match = re.fullmatch(r"(\d+)c(\d+)(z?)(?:s(\d+))?(?:g(\d+))?|(\d+)n|mp(\d+)(?:s(\d+))?(z?)|(relu|gelu|sigmoid|tanh|bn|lnc|gap)",
                             word)
        if not match:
            raise SystemExit(f'rivals do not know the layer "{word}"')
        if match[1]:
            found.append(Layer("conv", int(match[1]), int(match[2]), int(match[4] or 1), int(match[5] or 1),
                               bool(match[3])))
        elif match[6]:
            found.append(Layer("dense", int(match[6])))
        elif match[7]:
            found.append(Layer("maxpool", int(match[7]), stride=int(match[8] or match[7]), same=bool(match[9])))
        else:
            found.append(Layer(match[10]))
    return tuple(found)


def with_shapes(network, shape):
    """Each layer with the shape it is given, and the shape of the result. `network`: a chain, or layers."""
    shape, walked = list(shape), []
    for layer in layers(network) if isinstance(network, str) else network:
        walked.append((layer, list(shape)))
        if layer.kind == "conv":
            padding = 2 * (layer.kernel // 2) if layer.same else 0
            shape = [layer.number] + [(n + padding - layer.kernel) // layer.stride + 1 for n in shape[1:]]
        elif layer.kind == "maxpool":
            padding = 2 * (layer.number // 2) if layer.same else 0
            shape = shape[:1] + [(n + padding - layer.number) // layer.stride + 1 for n in shape[1:]]
        elif layer.kind == "dense":
            shape = [layer.number]
        elif layer.kind == "gap":
            shape = shape[:1]
        elif layer.kind == "residual":
            shape = with_shapes(layer.branch, shape)[1]
    return walked, shape


def product(shape):
    result = 1
    for extent in shape:
        result *= extent
    return result


def torch_model(network, shape):
    from torch import nn

    class Residual(nn.Module):
        def __init__(self, layer, shape):
            super().__init__()
            self.branch, self.shortcut = torch_model(layer.branch, shape), torch_model(layer.shortcut, shape)
            to = with_shapes(layer.branch, shape)[1]
            self.stride, self.more = shape[1] // to[1], to[0] - shape[0]
            self.sampled = not layer.shortcut and to != shape

        def forward(self, x):
            beside = self.shortcut(x)
            if self.sampled:
                s = self.stride
                beside = nn.functional.pad(beside[:, :, ::s, ::s], (0, 0, 0, 0, 0, self.more))
            return self.branch(x) + beside

    class ChannelNorm(nn.LayerNorm):
        """Layer normalisation of each place's channels, as torchvision's ConvNeXt does it."""

        def forward(self, x):
            return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    parts = []
    walked, _ = with_shapes(network, shape)
    for i, (layer, given) in enumerate(walked):
        biased = i + 1 == len(walked) or walked[i + 1][0].kind != "bn"
        if layer.kind == "conv":
            parts.append(nn.Conv2d(given[0], layer.number, layer.kernel, layer.stride,
                                   padding=layer.kernel // 2 if layer.same else 0, groups=layer.groups, bias=biased))
        elif layer.kind == "maxpool":
            parts.append(nn.MaxPool2d(layer.number, layer.stride, layer.number // 2 if layer.same else 0))
        elif layer.kind == "bn":
            parts.append((nn.BatchNorm2d if len(given) > 1 else nn.BatchNorm1d)(given[0]))
        elif layer.kind == "lnc":
            parts.append(ChannelNorm(given[0], eps=1e-5))
        elif layer.kind == "gap":
            parts += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        elif layer.kind == "residual":
            parts.append(Residual(layer, given))
        elif layer.kind == "dense":
            parts += [nn.Flatten()] if len(given) > 1 else []
            parts.append(nn.Linear(product(given), layer.number, bias=biased))
        else:
            parts.append({"relu": nn.ReLU, "gelu": nn.GELU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}[layer.kind]())
    return nn.Sequential(*parts)


def torchvision_model(name):
    import torch
    import torchvision
    torch.manual_seed(1)
    return torchvision.models.get_model(name, weights=None)


def write_model(network, shape, file):
    """With batch normalisation as it is, so that it can be trained: an engine that predicts folds it by itself."""
    kind, _, name = network.partition(":")
    if kind == "light":
        import onnx
        return shutil.copy(pathlib.Path(onnx.__file__).parent / "backend" / "test" / "data" / "light" / f"light_{name}.onnx", file)
    import torch
    model = torchvision_model(name).eval()
    x = torch.zeros(1, *(int(extent) for extent in shape.split("x")))
    torch.onnx.export(model, (x,), file, dynamo=False, input_names=["x"], output_names=["y"],
                      dynamic_axes={"x": {0: "n"}, "y": {0: "n"}}, do_constant_folding=False)


def torch_step(problem):
    """A function that trains on or predicts the same batch, in the mode "eager", "channels_last" or "compile", with
    " bfloat16" behind it under autocast."""
    import torch
    from torch import nn
    mode, bfloat16 = problem["mode"].split()[0], problem["mode"].endswith("bfloat16")
    torch.set_num_threads(problem["threads"])
    torch.manual_seed(1)
    name = problem["network"].partition("torchvision:")[2]
    outputs = [1000] if name else with_shapes(problem["network"], problem["shape"])[1]
    model = torchvision_model(name) if name else torch_model(problem["network"], problem["shape"])
    x, t = torch.randn(problem["batch"], *problem["shape"]), torch.randint(0, outputs[0], (problem["batch"],))
    if mode == "channels_last":
        model, x = model.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)

    def forward():
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
            return nn.functional.cross_entropy(model(x), t) if problem["direction"] == "train" else model(x)

    if mode == "compile":
        forward = torch.compile(forward)
    if problem["direction"] == "predict":
        model.eval()

        def step():
            with torch.inference_mode():
                return forward()
    else:
        optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, fused=True)  # its fastest here

        def step():
            optimizer.zero_grad()
            forward().backward()
            optimizer.step()
    return step, torch.__version__


def onnx_model(problem, random):
    """The network as an ONNX file's bytes, with random weights."""
    import numpy
    import onnx
    from onnx import helper
    nodes, weights, last = [], [], "x"

    def parameter(name, *shape):
        values = (random.standard_normal(shape) / product(shape[1:]) ** 0.5).astype(numpy.float32)
        weights.append(onnx.numpy_helper.from_array(values, name))
        return name

    walked, outputs = with_shapes(problem["network"], problem["shape"])
    for i, (layer, shape) in enumerate(walked):
        kind, kernel = layer.kind, layer.kernel
        inputs, attributes = [last], {}
        if kind == "conv":
            inputs += [parameter(f"w{i}", layer.number, shape[0] // layer.groups, kernel, kernel),
                       parameter(f"b{i}", layer.number)]
            attributes = {"kernel_shape": [kernel] * 2, "strides": [layer.stride] * 2, "group": layer.groups,
                          "pads": [kernel // 2 if layer.same else 0] * 4}
        elif kind == "maxpool":
            attributes = {"kernel_shape": [layer.number] * 2, "strides": [layer.stride] * 2,
                          "pads": [layer.number // 2 if layer.same else 0] * 4}
        elif kind == "dense":
            if len(shape) > 1:
                nodes.append(helper.make_node("Flatten", [last], [f"flat{i}"]))
                inputs = [f"flat{i}"]
            inputs += [parameter(f"w{i}", layer.number, product(shape)), parameter(f"b{i}", layer.number)]
            attributes = {"transB": 1}
        elif kind not in ("relu", "sigmoid", "tanh"):
            raise SystemExit(f'this script does not write "{kind}" for ONNX Runtime')
        op = {"conv": "Conv", "maxpool": "MaxPool", "dense": "Gemm"}.get(kind, kind.capitalize())
        nodes.append(helper.make_node(op, inputs, [f"v{i}"], **attributes))
        last = f"v{i}"
    nodes[-1].output[0] = "y"
    number = onnx.TensorProto.FLOAT
    x_shape, y_shape = [problem["batch"], *problem["shape"]], [problem["batch"], *outputs]
    graph = helper.make_graph(nodes, "network", [helper.make_tensor_value_info("x", number, x_shape)],
                              [helper.make_tensor_value_info("y", number, y_shape)], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def onnx_step(problem):
    """A function that predicts a batch, its operands bound beforehand."""
    import numpy
    import onnxruntime
    random = numpy.random.default_rng(1)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = problem["threads"], 1
    session = onnxruntime.InferenceSession(problem["file"] or onnx_model(problem, random), options, providers=["CPUExecutionProvider"])
    (given,), (made,) = session.get_inputs(), session.get_outputs()
    binding = session.io_binding()
    x = random.standard_normal([problem["batch"], *problem["shape"]]).astype(numpy.float32)
    x = onnxruntime.OrtValue.ortvalue_from_numpy(x)
    y = onnxruntime.OrtValue.ortvalue_from_numpy(numpy.zeros([problem["batch"], *made.shape[1:]], numpy.float32))
    binding.bind_ortvalue_input(given.name, x)
    binding.bind_ortvalue_output(made.name, y)
    return lambda: session.run_with_iobinding(binding), onnxruntime.__version__


def samples_per_second(step, batch, seconds):
    speeds, end = [], time.monotonic() + seconds
    while not speeds or time.monotonic() < end:
        steps, start = 0, time.monotonic()
        while not steps or time.monotonic() - start < TURN:
            step()
            steps += 1
        speeds.append(steps * batch / (time.monotonic() - start))
    speeds.sort()
    return (speeds[(len(speeds) - 1) // 2] + speeds[len(speeds) // 2]) / 2


def peak_memory():
    """In bytes, as the system says it of this process, with all that was imported."""
    with open("/proc/self/status", encoding="ascii") as status:
        return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1])


def main():
    if sys.argv[1] == "--write":
        return write_model(*sys.argv[2:])
    problem = json.loads(sys.argv[1])
    step, version = {"PyTorch": torch_step, "ONNX Runtime": onnx_step}[problem["rival"]](problem)
    for _ in range(3):
        step()
    print(json.dumps({"ready": version}), flush=True)
    for line in sys.stdin:
        answer = peak_memory() if line.strip() == "memory" else samples_per_second(step, problem["batch"], float(line))
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
