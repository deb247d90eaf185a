#!/usr/bin/env python3
"""The networks that the package onnx carries as light models give here what they give in ONNX Runtime, also before the
softmax: with weights that are all the same, as their ConstantOfShape nodes make them, and with random ones.

light_test.py PATH_OF_ONNX_BACKEND PATH_OF_CHALKGRAD. CHALKGRAD_PYTHON names a Python with onnx and onnxruntime; skipped
without. Random weights take the place of all nodes but the few that make more than FEW numbers. Small files with such weights
are exported again, too.
"""
import math
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
from support import run_where_there_is  # noqa: E402

FEW = 6_000_000
MOST = 1e-4  # error, as a share of the output's largest number
SHAPE = (1, 3, 224, 224)
SMALL = 40_000_000  # bytes of a file


def light_models():
    """Their names, and the models with what their softmax is given as a second output."""
    import onnx
    from onnx.backend.test.loader import load_model_tests

    folder = pathlib.Path(onnx.__file__).parent.parent
    for case in sorted(load_model_tests(kind="real"), key=lambda case: case.model_name):
        model = onnx.load(folder / case.url)
        last = model.graph.node[-1]
        if last.op_type == "Softmax":
            model.graph.output.append(onnx.helper.make_tensor_value_info(last.input[0], onnx.TensorProto.FLOAT, None))
        yield case.model_name, model


def with_random_weights(model, random):
    """Of about the size that keeps values as large as they are from layer to layer."""
    import numpy as np
    import onnx

    made = onnx.ModelProto()
    made.CopyFrom(model)
    graph = made.graph
    extents = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in [node for node in graph.node if node.op_type == "ConstantOfShape"]:
        shape = [int(extent) for extent in extents[node.input[0]]]
        if math.prod(shape) > FEW:
            continue
        if len(shape) > 1:
            values = random.standard_normal(shape, np.float32) * np.float32(math.sqrt(2 / math.prod(shape[1:])))
        else:
            values = random.uniform(0.5, 1.5, shape).astype(np.float32)
        graph.initializer.append(onnx.numpy_helper.from_array(values, node.output[0]))
        graph.node.remove(node)
    return made


def onnxruntime_outputs(data, x):
    import onnxruntime

    onnxruntime.set_default_logger_severity(4)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})


def error_of(got, want):
    """The largest of all outputs; NaN if one is."""
    import numpy as np

    if len(got) != len(want):
        return math.inf
    return np.max([np.abs(a - b).max() / np.abs(b).max() if a.shape == b.shape else math.inf for a, b in zip(got, want)])


def exported_again(app, data, x):
    with tempfile.TemporaryDirectory() as folder:
        first, second = (pathlib.Path(folder) / name for name in ("first.onnx", "second.onnx"))
        first.write_bytes(data)
        subprocess.run([app, "export", first, "--out", second], capture_output=True, check=True)
        return onnxruntime_outputs(second.read_bytes(), x)


def run_all(backend, app):
    import backend_test
    import numpy as np

    random, failures = np.random.default_rng(1), 0
    for name, model in light_models():
        x = random.standard_normal(SHAPE, np.float32)
        for kind, made in (("equal", model), ("random", with_random_weights(model, random))):
            data = made.SerializeToString()
            want = onnxruntime_outputs(data, x)
            test = backend_test.Test(name, made, [x], want, 0, 0)
            got, = backend_test.ran(backend, [backend_test.framed(test, "batch", 0)])
            errors = {"read": math.inf if isinstance(got, str) else error_of(got, want)}
            if kind == "random" and len(data) < SMALL:
                errors["exported again"] = error_of(exported_again(app, data, x), want)
            for how, error in errors.items():
                good = error <= MOST
                failures += not good
                print(f"{'' if good else 'FAILED '}{name}, {kind} weights, {how}: {error:.1e}"
                      + (f", {got}" if isinstance(got, str) else ""))
    return 1 if failures else 0


if __name__ == "__main__":
    run_where_there_is("onnx", "onnxruntime")
    sys.exit(run_all(*sys.argv[1:3]))
