#!/usr/bin/env python3
"""ONNX's own backend tests, each with a status in backend.txt: what is read gives the numbers that ONNX expects.

backend_test.py PATH_OF_ONNX_BACKEND [--write]. CHALKGRAD_PYTHON names a Python with onnx and onnxruntime; skipped without.
All node tests of the package, `simple` and `pytorch-*` run through chalkgrad and through ONNX Runtime. An input is the
network's, all others are in the file. Each test has a line in backend.txt:

    NAME pass batch 1       the input's first axis is the batch; the largest error in ULP of the output's largest number
    NAME pass sample 0      the input is one sample
    NAME pass file 0        the file has all inputs
    NAME other REASON       it gives other numbers, and the reason
    NAME refused REASON     one line says so

The test fails where a status is another, or a line is missing or left over. --write writes the file anew, and the table
of docs/onnx.md; with CHALKGRAD_WRITE_DOCS=1, as ./dev docs has it, the table alone, if nothing fails.

The suite has each operator in its newest version. So its tests of one node run in those of opsets 7 to 12, too, as
NAME@OPSET: operands that were attributes then become attributes again, and what is wanted is what ONNX Runtime gives.
"""
import collections
import math
import os
import pathlib
import re
import subprocess
import sys
import time
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
from support import run_where_there_is  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
EXPECTED = pathlib.Path(__file__).with_suffix(".txt").with_name("backend.txt")
PAGE = ROOT / "docs" / "onnx.md"
VERSION = "1.23.2"
# Why what is read gives other numbers than a test wants.
OTHER = {
    r"test_training_dropout(_default)?(_mask)?$": "drops in training alone, and draws masks of its own",
    r"test_operator_add(_broadcast|_size1_right_broadcast|_size1_singleton_broadcast|constant)$": "doubles beyond the range of float",
}


# What is wanted has four digits there.
ROUNDED = ("test_averagepool_2d_ceil_last_window_starts_on_pad",)
# What a network of convolutions is made of, and trained by: all tests with float32 alone must pass, but those of OTHER.
OF_NETWORKS = set("""
Abs Adagrad Adam Add ArgMax ArgMin AveragePool BatchNormalization Celu Clip Concat Constant Conv ConvTranspose
DepthToSpace Div Dropout Elu Erf Exp Expand Flatten Gather Gelu Gemm GlobalAveragePool GlobalMaxPool Gradient
GroupNormalization HardSigmoid HardSwish Hardmax Identity InstanceNormalization LRN LayerNormalization LeakyRelu Log
LogSoftmax LpNormalization LpPool MatMul Max MaxPool MaxUnpool Mean MeanVarianceNormalization Min Mish Momentum Mul Neg
NegativeLogLikelihoodLoss PRelu Pad Pow RMSNormalization Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp
ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize Selu Shape Shrink Sigmoid Sign
Size Slice Softmax SoftmaxCrossEntropyLoss Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum SwiGLU Swish Tanh
ThresholdedRelu Tile Transpose Unsqueeze Upsample""".split())


class Test:
    def __init__(self, name, model, inputs, outputs, rtol, atol):
        self.name, self.model, self.inputs, self.outputs, self.rtol, self.atol = name, model, inputs, outputs, rtol, atol
        initialized = {tensor.name for tensor in model.graph.initializer}
        self.ports = [port for port in model.graph.input if port.name not in initialized]

    @property
    def is_of_networks(self):
        """In float32, with whole numbers and truth values where an operator takes such, of OF_NETWORKS."""
        types = {port.type.tensor_type.elem_type for port in [*self.model.graph.input, *self.model.graph.output]}
        return 1 in types and types <= {1, 6, 7, 9} and self.operator in OF_NETWORKS

    @property
    def operator(self):
        """What it tests: of models that expand a function, that function."""
        if self.name.startswith("test_gradient_of"):
            return "Gradient"
        found = re.match(r"(\w+?)_test_\w+_expanded_function_", next((n for node in self.model.graph.node
                                                                      for n in [*node.output, *node.input] if "_expanded_function_" in n), ""))
        return found[1] if found else self.model.graph.node[0].op_type


def tests():
    import onnx
    from onnx import numpy_helper
    from onnx.backend.test.loader import load_model_tests

    def of_file(path, port):
        if port.type.HasField("sequence_type"):
            sequence = onnx.SequenceProto()
            sequence.ParseFromString(path.read_bytes())
            return numpy_helper.to_list(sequence)
        tensor = onnx.TensorProto()
        tensor.ParseFromString(path.read_bytes())
        return numpy_helper.to_array(tensor)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in load_model_tests(kind="node"):
            yield Test(case.name, case.model, *case.data_sets[0], case.rtol, case.atol)
    for kind in ("simple", "pytorch-converted", "pytorch-operator"):
        for case in load_model_tests(kind=kind):
            if case.model is not None:
                yield Test(case.name, case.model, *case.data_sets[0], case.rtol, case.atol)
                continue
            folder = pathlib.Path(case.model_dir)
            model = onnx.load(folder / "model.onnx")
            initialized = {tensor.name for tensor in model.graph.initializer}
            data = folder / "test_data_set_0"
            ports = [port for port in model.graph.input if port.name not in initialized]
            yield Test(case.name, model, [of_file(data / f"input_{i}.pb", port) for i, port in enumerate(ports)],
                       [of_file(data / f"output_{i}.pb", port) for i, port in enumerate(model.graph.output)], case.rtol, case.atol)


def array_of(value):
    """Of a test's input or output, or None of what is no tensor of numbers."""
    import numpy as np
    import onnx

    if isinstance(value, onnx.TensorProto):
        value = onnx.numpy_helper.to_array(value)
    if not isinstance(value, (np.ndarray, np.generic)):
        return None
    value = np.asarray(value)
    return None if value.dtype.kind in "OUSc" else value


def is_float(array):
    import numpy as np

    return array.dtype.kind == "f" or (array.dtype.kind == "V" or array.dtype.name.startswith(("bfloat", "float"))) and array.dtype != np.bool_


def attempts(test):
    """Which input is the network's, and whether its first axis is the batch: the first way that is not refused counts."""
    arrays = [array_of(value) for value in test.inputs]
    floats = [i for i, array in enumerate(arrays) if array is not None and is_float(array) and array.size]
    if floats and arrays[floats[0]].ndim > 1:
        yield "batch", floats[0]
    for i in floats:
        yield "sample", i
    yield "file", None


def framed(test, way, at):
    """A case for onnx_backend."""
    import numpy as np
    import onnx

    model = onnx.ModelProto()
    model.CopyFrom(test.model)
    numbers, batch = np.zeros(0, np.float32), 0
    for i, (port, value) in enumerate(zip(test.ports, test.inputs)):
        array = array_of(value)
        if i == at:
            numbers = np.ascontiguousarray(array.astype(np.float32))
            batch = array.shape[0] if way == "batch" else 0
        elif array is not None:
            tensor = value if isinstance(value, onnx.TensorProto) else onnx.numpy_helper.from_array(array)
            model.graph.initializer.add().CopyFrom(tensor)
            model.graph.initializer[-1].name = port.name
    data = model.SerializeToString()
    return f"{test.name} {batch} {len(data)} {numbers.size} 0\n".encode() + data + numbers.tobytes()


def ran(program, cases):
    """For each case a list of arrays, or the message of its refusal."""
    import numpy as np

    result = subprocess.run([program], input=b"".join(cases), capture_output=True, check=False)
    out, at, found = result.stdout, 0, []
    while at < len(out):
        end = out.index(b"\n", at)
        _, what, rest = out[at:end].decode().split(" ", 2)
        at = end + 1
        if what == "refused":
            found.append(rest)
            continue
        arrays = []
        for _ in range(int(rest)):
            end = out.index(b"\n", at)
            shape = [int(n) for n in out[at:end].split()]
            size = 8 * math.prod(shape)
            arrays.append(np.frombuffer(out[end + 1:end + 1 + size], np.float64).reshape(shape))
            at = end + 1 + size
        found.append(arrays)
    if len(found) < len(cases):
        name = cases[len(found)].split(b" ", 1)[0].decode()
        raise SystemExit(f"{program} ended with {result.returncode} at {name}: {result.stderr.decode()[-500:]}")
    return found


def error_in_ulp(got, want, rtol, atol):
    """Of one output; None if it is not what is wanted."""
    import numpy as np

    if got.shape != want.shape:
        return None
    if want.size == 0:
        return 0.0
    if want.dtype == np.bool_:
        return 0.0 if ((got != 0) == want).all() else None
    if want.dtype.kind in "iu":
        return 0.0 if (got == want.astype(np.float64)).all() else None
    digits = {"float16": 10, "bfloat16": 7}.get(want.dtype.name, 23)
    with np.errstate(all="ignore"):
        got, want = got.astype(want.dtype).astype(np.float64), np.asarray(want).astype(np.float64)
        if not np.allclose(got, want, rtol=rtol, atol=atol, equal_nan=True):
            return None
        finite = np.isfinite(want)
        if not finite.any():
            return 0.0
        ulp = np.spacing(np.float32(max(np.abs(want[finite]).max(), 1e-30))) * {10: 2.0**13, 7: 2.0**16}.get(digits, 1)
        return float(np.abs(got - want)[finite].max() / ulp)


def compared(test, arrays):
    """The largest error in ULP; None if an output is not what is wanted."""
    worst = 0.0
    for got, want in zip(arrays, test.outputs):
        want = array_of(want)
        error = None if want is None else error_in_ulp(got, want, test.rtol, test.atol)
        if error is None:
            return None
        worst = max(worst, error)
    return worst


def reason_of(message):
    message = re.sub(r'^it: (the node "[^"]*" \((\w+)\): )?', r"\2: ", message).removeprefix(": ")
    message = re.sub(r'"[^"]*(_expanded_function_|/)[^"]*"', '"…"', message)
    return message.replace("; docs/onnx.md says what is read here", "").replace("; docs/onnx.md lists those that are", "")


def statuses(program, all_tests):
    """By name: the line that belongs into backend.txt, and the error."""
    ways = {test.name: list(attempts(test)) for test in all_tests}
    found, refusals, waiting = {}, {}, list(all_tests)
    while waiting:
        ready = [(test, *ways[test.name].pop(0)) for test in waiting]
        results = ran(program, [framed(*each) for each in ready])
        waiting = []
        for (test, way, _), result in zip(ready, results):
            if isinstance(result, str):
                refusals.setdefault(test.name, {})[way] = result
                if ways[test.name]:
                    waiting.append(test)
                    continue
                said = refusals[test.name]
                batch = said.get("batch", "the samples")
                found[test.name] = "refused " + reason_of(batch if "the samples" not in batch else said.get("sample", said["file"]))
                continue
            error = compared(test, result)
            if error is not None:
                found[test.name] = f"pass {way} {math.ceil(error)}"
                continue
            reason = next((why for name, why in OTHER.items() if re.match(name, test.name)), None)
            found[test.name] = f"other {reason}" if reason else f"WRONG {way}: " + "; ".join(
                f"{got.shape} {got.ravel()[:4]}, not {getattr(array_of(want), 'shape', None)} {array_of(want).ravel()[:4] if array_of(want) is not None else want}"
                for got, want in zip(result, test.outputs))
    return found


def onnxruntime_outputs(test):
    """Throws whatever it throws where it does not run."""
    import numpy as np
    import onnx
    import onnxruntime

    onnxruntime.set_default_logger_severity(4)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4

    def of(value, port):
        array = array_of(value)
        if array is not None and array.dtype.name.startswith(("bfloat", "float8", "int4", "uint4")):
            bits = array.view(np.uint16 if array.itemsize == 2 else np.uint8)
            return onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(bits, port.type.tensor_type.elem_type)
        return onnx.numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value

    session = onnxruntime.InferenceSession(test.model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {port.name: of(value, port) for port, value in zip(test.ports, test.inputs)})


def passes_in_onnxruntime(test):
    import numpy as np
    import onnx

    try:
        outputs = onnxruntime_outputs(test)
        for got, want in zip(outputs, test.outputs):
            if isinstance(want, onnx.TensorProto):
                want = onnx.numpy_helper.to_array(want)
            if isinstance(want, list) or got is None or np.asarray(want).dtype.kind in "OUS":
                good = str(got) == str(want)
            elif np.asarray(want).dtype.kind == "c":
                good = np.allclose(got, want, test.rtol, test.atol)
            else:
                good = error_in_ulp(np.asarray(got).astype(np.float64), np.asarray(want), test.rtol, test.atol) is not None
            if not good:
                return False
        return True
    except Exception:  # whatever it throws: it does not pass
        return False


def older(all_tests):
    """Tests of one node, which ONNX Runtime passes, in versions of opsets 7 to 12, with what it gives there."""
    import onnx

    histories = collections.defaultdict(list)
    for schema in onnx.defs.get_all_schemas_with_history():
        if not schema.domain:
            histories[schema.name].append(schema)
    for test in all_tests:
        graph = test.model.graph
        if len(graph.node) != 1 or graph.node[0].domain or not test.is_of_networks or "_expanded" in test.name:
            continue
        node = graph.node[0]
        now = onnx.defs.get_schema(node.op_type, test.model.opset_import[0].version)
        versions = sorted(schema.since_version for schema in histories[node.op_type])
        for version in {max(7, v) for v in versions if v <= 12 and (v >= 7 or max(u for u in versions if u <= 7) == v)}:
            then = onnx.defs.get_schema(node.op_type, version)
            model = then.since_version != now.since_version and in_version(test, node, now, then, version)
            if not model:
                continue
            ports = {port.name for port in model.graph.input}
            inputs = [value for port, value in zip(test.ports, test.inputs) if port.name in ports]
            old = Test(f"{test.name}@{version}", model, inputs, [], test.rtol, test.atol)
            try:
                old.outputs = onnxruntime_outputs(old)
            except Exception:  # what it cannot run cannot be compared
                continue
            yield old


def in_version(test, node, now, then, version):
    """The model with the node as that version has it; None if it cannot say the same."""
    import onnx

    made = onnx.NodeProto()
    made.op_type = node.op_type
    made.output.extend(node.output)
    values = dict(zip((port.name for port in test.ports), test.inputs))
    names = [value.name for value in now.inputs]
    for i, name in enumerate(node.input):
        formal = names[min(i, len(names) - 1)]
        if formal in then.attributes and formal not in [value.name for value in then.inputs]:
            if name:
                array = array_of(values[name])
                kind = then.attributes[formal].type
                value = array.tolist() if kind in (onnx.AttributeProto.INTS, onnx.AttributeProto.FLOATS) else array.item()
                made.attribute.append(onnx.helper.make_attribute(formal, value, attr_type=kind.value if hasattr(kind, "value") else int(kind)))
        else:
            made.input.append(name)
    while made.input and not made.input[-1]:
        made.input.pop()
    if not then.min_input <= len(made.input) <= then.max_input or len(made.output) > then.max_output:
        return None
    for attribute in node.attribute:
        default = now.attributes[attribute.name].default_value if attribute.name in now.attributes else None
        if attribute.name in then.attributes:
            made.attribute.append(attribute)
        elif default is None or onnx.helper.get_attribute_value(attribute) != (onnx.helper.get_attribute_value(default) if default.name else None):
            return None
    ports = [port for port in test.ports if port.name in made.input]
    graph = onnx.helper.make_graph([made], test.name, ports, test.model.graph.output)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", version)], ir_version=8)
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError:
        return None
    return model


def run_all(program, write):
    import onnx
    import onnxruntime

    if onnx.__version__ != VERSION:
        print(f"SKIPPED: the expectations are those of onnx {VERSION}, not {onnx.__version__}")
        return 77
    warnings.simplefilter("ignore")
    begun = time.time()
    all_tests = list(tests())
    loaded = time.time()
    found = statuses(program, all_tests)
    ours = time.time()
    theirs = {test.name for test in all_tests if passes_in_onnxruntime(test)}
    now = time.time()
    old_tests = list(older(test for test in all_tests if test.name in theirs))
    found.update(statuses(program, old_tests))
    last = time.time()
    expected = {}
    if EXPECTED.exists():
        expected = dict(line.split(" ", 1) for line in EXPECTED.read_text(encoding="utf-8").splitlines())
    passed = {name for name, status in found.items() if status.startswith("pass")}
    others = {name for name in found if any(re.match(pattern, name) for pattern in OTHER)}
    wanted = [test.name for test in [*all_tests, *old_tests] if test.is_of_networks]
    failures = [f"{name}: {status}" for name, status in sorted(found.items()) if status.startswith("WRONG")]
    failures += [f"{name} must pass: {found[name]}" for name in wanted if "@" not in name and name not in passed | others]
    page = PAGE.read_text(encoding="utf-8")
    begin, end = "<!-- begin operators (generated) -->\n", "<!-- end operators -->"
    before, _, rest = page.partition(begin)
    table, _, after = rest.partition(end)
    new_table = table_of(all_tests + old_tests, found)
    if write:
        EXPECTED.write_text("".join(f"{name} {status}\n" for name, status in sorted(found.items())), encoding="utf-8")
    else:
        failures += [f"{name} is {status}, but was {expected.get(name, 'not there')}" for name, status in sorted(found.items())
                     if drifted(status, expected.get(name))]
        failures += [f"{name} is not there any more" for name in sorted(expected.keys() - found.keys())]
    if write or os.environ.get("CHALKGRAD_WRITE_DOCS") and not failures:
        PAGE.write_text(before + begin + new_table + end + after, encoding="utf-8")
    elif not failures and table != new_table:
        failures.append("docs/onnx.md: the table of operators is another; run ./dev docs")
    for line in failures:
        print("FAILED", line)
    node = [test.name for test in all_tests][:1884]
    of_networks = [name for name in wanted if "@" not in name and name in set(node)]
    print(f"of {len(node)} node tests of onnx {onnx.__version__}, chalkgrad passes {len(passed & set(node))} and ONNX Runtime "
          f"{onnxruntime.__version__} {len(theirs & set(node))}; of all {len(all_tests)}, "
          f"{len([test for test in all_tests if test.name in passed])} and {len(theirs)}; of the {len(of_networks)} in float32 "
          f"of networks' operators, {len(passed & set(of_networks))} and {len(theirs & set(of_networks))}; in versions of "
          f"opsets 7 to 12, {len([test for test in old_tests if test.name in passed])} of {len(old_tests)}")
    print(f"seconds: loading {loaded - begun:.1f}, chalkgrad {ours - loaded:.1f}, ONNX Runtime {now - ours:.1f}, older {last - now:.1f}")
    if "--missing" in sys.argv:
        for test in [*all_tests, *old_tests]:
            if (test.name in theirs or "@" in test.name) and test.name not in passed:
                print(f"{test.operator:26} {test.name}: {found[test.name]}")
    return 1 if failures else 0


def operators_read():
    text = (ROOT / "src" / "onnx" / "imports.inc").read_text(encoding="utf-8")
    return re.findall(r"^CHALK_ONNX\((\w+)\)$", text, re.MULTILINE)


def operators_written():
    text = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "src" / "onnx").rglob("*.cc")
                   if "import" not in file.parts and not file.name.endswith("_test.cc"))
    return set(re.findall(r'"([A-Z]\w+)"', text))


def table_of(all_tests, found):
    """docs/onnx.md's table, of all operators that are read."""
    import onnx

    written = operators_written()
    rows = ["| operator | since opset | written | tests; in versions of opsets 7 to 12 | error | why not all |", "|---|---|---|---|---|---|"]
    of_operator = collections.defaultdict(list)
    for test in all_tests:
        of_operator[test.operator].append(test.name)
    for name in operators_read():
        domain = "" if onnx.defs.has(name) else "ai.onnx.preview.training"
        since = min(schema.since_version for schema in onnx.defs.get_all_schemas_with_history() if schema.name == name and schema.domain == domain)
        lines = {test: found[test] for test in of_operator[name]}
        passed = [line.split() for test, line in lines.items() if line.startswith("pass") and test not in ROUNDED]
        old = [test for test in lines if "@" in test]
        new = [test for test in lines if "@" not in test]
        good = lambda names: sum(lines[test].startswith("pass") for test in names)
        counts = (f"{good(new)} of {len(new)}" if new else "") + (f"; {good(old)} of {len(old)}" if old else "")
        reasons = {line.split(" ", 1)[1].split(": ")[-1].split("; ")[0] for line in lines.values() if not line.startswith("pass")}
        why = "; ".join(sorted(reasons)[:2]) + ("; …" if len(reasons) > 2 else "")
        rows.append(f"| `{name}` | {'' if domain else max(since, 6)} | {'yes' if name in written else ''} | {counts} | "
                    f"{max((int(line[2]) for line in passed), default='')} | {why.replace('|', '/')} |")
    return "\n".join(rows) + "\n"


def drifted(status, expected):
    """An error may be smaller than it was; everything else is the same."""
    if expected is None or not (status.startswith("pass") and expected.startswith("pass")):
        return status != expected
    (_, way, error), (_, other_way, most) = status.split(), expected.split()
    return way != other_way or int(error) > int(most)


if __name__ == "__main__":
    run_where_there_is("onnx", "onnxruntime")
    sys.exit(run_all(sys.argv[1], "--write" in sys.argv))
