#!/usr/bin/env python3
"""One rival on one problem, in one mode: rival_worker.py {"rival": …, "mode": …, "network": …, …} (a line of JSON).

Builds the network and warms up, prints {"ready": version}; then each line on stdin is a number of seconds to run, and the
answer the samples a second: the median of turns of 50 ms. Ends with stdin. bench/rivals.py starts it.
"""
import json
import re
import sys
import time

TURN = 0.05


def layers(network):
    """The chain as (kind, number, kernel, same padding)."""
    found = []
    for word in network.split("-"):
        match = re.fullmatch(r"(\d+)c(\d+)(z?)|(\d+)n|(mp)(\d+)|(relu|sigmoid|tanh)", word)
        if not match:
            raise SystemExit(f'rivals do not know the layer "{word}"')
        if match[1]:
            found.append(("conv", int(match[1]), int(match[2]), bool(match[3])))
        elif match[4]:
            found.append(("dense", int(match[4]), 0, False))
        elif match[5]:
            found.append(("maxpool", int(match[6]), 0, False))
        else:
            found.append((match[7], 0, 0, False))
    return found


def with_shapes(network, shape):
    """Each layer with the shape it is given."""
    shape, walked = list(shape), []
    for layer in layers(network):
        kind, number, kernel, same = layer
        walked.append((*layer, list(shape)))
        if kind == "conv":
            less = 0 if same else kernel - 1
            shape = [number, shape[1] - less, shape[2] - less]
        elif kind == "maxpool":
            shape = [shape[0], shape[1] // number, shape[2] // number]
        elif kind == "dense":
            shape = [number]
    return walked, shape


def product(shape):
    result = 1
    for extent in shape:
        result *= extent
    return result


def torch_step(problem):
    """A function that trains on or predicts the same batch, in the mode "eager", "channels_last" or "compile", with
    " bfloat16" behind it under autocast."""
    import torch
    from torch import nn
    mode, bfloat16 = problem["mode"].split()[0], problem["mode"].endswith("bfloat16")
    torch.set_num_threads(problem["threads"])
    torch.manual_seed(1)
    parts = []
    walked, outputs = with_shapes(problem["network"], problem["shape"])
    for kind, number, kernel, same, shape in walked:
        if kind == "conv":
            parts.append(nn.Conv2d(shape[0], number, kernel, padding=kernel // 2 if same else 0))
        elif kind == "maxpool":
            parts.append(nn.MaxPool2d(number))
        elif kind == "dense":
            parts += [nn.Flatten()] if len(shape) > 1 else []
            parts.append(nn.Linear(product(shape), number))
        else:
            parts.append({"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}[kind]())
    model = nn.Sequential(*parts)
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


def onnx_step(problem):
    """A function that predicts a batch, its operands bound beforehand."""
    import numpy
    import onnx
    import onnxruntime
    from onnx import helper
    random = numpy.random.default_rng(1)
    nodes, weights, last = [], [], "x"

    def parameter(name, *shape):
        values = (random.standard_normal(shape) / product(shape[1:]) ** 0.5).astype(numpy.float32)
        weights.append(onnx.numpy_helper.from_array(values, name))
        return name

    walked, outputs = with_shapes(problem["network"], problem["shape"])
    for i, (kind, number, kernel, same, shape) in enumerate(walked):
        inputs, attributes = [last], {}
        if kind == "conv":
            inputs += [parameter(f"w{i}", number, shape[0], kernel, kernel), parameter(f"b{i}", number)]
            attributes = {"kernel_shape": [kernel] * 2, "pads": [kernel // 2 if same else 0] * 4}
        elif kind == "maxpool":
            attributes = {"kernel_shape": [number] * 2, "strides": [number] * 2}
        elif kind == "dense":
            if len(shape) > 1:
                nodes.append(helper.make_node("Flatten", [last], [f"flat{i}"]))
                inputs = [f"flat{i}"]
            inputs += [parameter(f"w{i}", number, product(shape)), parameter(f"b{i}", number)]
            attributes = {"transB": 1}
        op = {"conv": "Conv", "maxpool": "MaxPool", "dense": "Gemm"}.get(kind, kind.capitalize())
        nodes.append(helper.make_node(op, inputs, [f"v{i}"], **attributes))
        last = f"v{i}"
    number = onnx.TensorProto.FLOAT
    x_shape, y_shape = [problem["batch"], *problem["shape"]], [problem["batch"], *outputs]
    graph = helper.make_graph(nodes, "network", [helper.make_tensor_value_info("x", number, x_shape)],
                              [helper.make_tensor_value_info(last, number, y_shape)], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = problem["threads"], 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    x = onnxruntime.OrtValue.ortvalue_from_numpy(random.standard_normal(x_shape).astype(numpy.float32))
    y = onnxruntime.OrtValue.ortvalue_from_numpy(numpy.zeros(y_shape, numpy.float32))
    binding.bind_ortvalue_input("x", x)
    binding.bind_ortvalue_output(last, y)
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


def main():
    problem = json.loads(sys.argv[1])
    step, version = {"PyTorch": torch_step, "ONNX Runtime": onnx_step}[problem["rival"]](problem)
    for _ in range(3):
        step()
    print(json.dumps({"ready": version}), flush=True)
    for line in sys.stdin:
        print(json.dumps(samples_per_second(step, problem["batch"], float(line))), flush=True)


if __name__ == "__main__":
    main()
