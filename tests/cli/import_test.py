#!/usr/bin/env python3
"""Models in ONNX: each operator that is read gives what ONNX Runtime gives, and what cannot be read is said in one line.

CHALKGRAD_PYTHON names a Python with numpy, onnx and onnxruntime; skipped without. What is read is written again by
`export`, whose own test compares it with the engine.
"""
import re

from support import CliTest, chalkgrad, main, ROOT, run_where_there_is

MODULES = ("numpy", "onnx", "onnxruntime")
MAP, ROW, VECTOR = (2, 4, 7, 6), (2, 4, 9), (2, 6)  # with a batch of two


def operators():
    text = (ROOT / "src" / "onnx" / "imports.inc").read_text(encoding="utf-8")
    return re.findall(r"^CHALK_ONNX\((\w+)\)$", text, re.MULTILINE)


def drawn(*shape, low=-1.0, high=1.0, seed=1):
    return numpy.random.default_rng(seed).uniform(low, high, shape).astype(numpy.float32)


def node(op, *operands, x=MAP, opset=17, low=-1.0, high=1.0, **attributes):
    """A case: one node whose operands are "x", the samples, arrays, or "" for what is left out."""
    return op, x, operands or ("x",), opset, (low, high), attributes


def cases():
    ints = lambda *numbers: numpy.array(numbers, numpy.int64)
    weights, bias = drawn(6, 4, 3, 3), drawn(6)
    channel = [drawn(4, low=0.5, high=2, seed=s) for s in range(4)]
    for op in ("Abs", "Relu", "Sigmoid", "Softplus", "Softsign", "Tanh", "Erf", "Exp", "Neg", "HardSwish", "Elu", "LeakyRelu",
               "Selu", "Identity", "Celu"):
        yield node(op)
        yield node(op, x=VECTOR)
    for op in ("Mish", "HardSigmoid"):
        yield node(op, opset=18)
    for op in ("Log", "Sqrt", "Reciprocal"):
        yield node(op, low=0.2, high=3)
    yield node("Elu", alpha=0.3)
    yield node("Celu", alpha=2.0)
    yield node("LeakyRelu", alpha=0.2)
    yield node("HardSigmoid", alpha=0.25, beta=0.4)
    yield node("HardSigmoid", alpha=1 / 6, beta=0.5)
    yield node("Gelu", opset=20)
    yield node("Gelu", opset=20, approximate="tanh")
    yield node("Swish", opset=24)
    yield node("PRelu", "x", drawn(4, 1, 1))
    yield node("PRelu", "x", drawn(1))
    yield node("Clip", "x", numpy.float32(0), numpy.float32(6), low=-3, high=9)
    yield node("Clip", "x", numpy.float32(-0.2), "")
    yield node("Clip", opset=7, min=-0.5, max=0.3)
    for op in ("Add", "Sub", "Mul", "Div", "Max", "Min"):
        yield node(op, "x", drawn(1, 4, 1, 1, low=0.5))
        yield node(op, "x", drawn(7, 6, low=0.5))
        yield node(op, drawn(1, low=0.5), "x", low=0.5)
        yield node(op, "x", "x", x=VECTOR, low=0.5)
    yield node("Max", "x", "x", drawn(6))
    yield node("Sum", "x")
    yield node("Sum", "x", "x", drawn(6))
    yield node("Mean", "x", "x", drawn(6))
    for exponent in (2.0, 0.5, 3.0):
        yield node("Pow", "x", numpy.float32(exponent), low=0.1)
    for op in ("Conv",):
        yield node(op, "x", weights, bias, kernel_shape=[3, 3])
        yield node(op, "x", weights, strides=[2, 1], pads=[1, 0, 1, 2])
        yield node(op, "x", drawn(8, 1, 3, 2), group=4, dilations=[2, 1], pads=[1, 1, 1, 1])
        yield node(op, "x", weights, auto_pad="SAME_UPPER", strides=[2, 2])
        yield node(op, "x", weights, auto_pad="SAME_LOWER", strides=[2, 2])
        yield node(op, "x", weights, auto_pad="VALID")
        yield node(op, "x", drawn(5, 4, 3), drawn(5), x=ROW, pads=[1, 2], strides=[2])
        yield node(op, "x", weights, bias, opset=7)
    for attributes in ({}, {"strides": [2, 2], "output_padding": [1, 0]}, {"strides": [2, 3], "pads": [1, 0, 0, 1]},
                       {"strides": [2, 2], "output_shape": [14, 12]}, {"dilations": [2, 1], "pads": [1, 1, 1, 1]}):
        yield node("ConvTranspose", "x", drawn(4, 5, 3, 3), drawn(5), **attributes)
    yield node("ConvTranspose", "x", drawn(4, 2, 3, 3), group=2, strides=[2, 2])
    yield node("ConvTranspose", "x", drawn(4, 3, 4), x=ROW, strides=[2], pads=[1, 1])
    for op, more in (("MaxPool", [{}]), ("AveragePool", [{}, {"count_include_pad": 1}])):
        for extra in more:
            yield node(op, kernel_shape=[2, 3], **extra)
            yield node(op, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], **extra)
            yield node(op, kernel_shape=[3, 2], strides=[2, 2], pads=[0, 1, 1, 0], **extra)
            yield node(op, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1, **extra)
            yield node(op, kernel_shape=[2, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1, **extra)
            yield node(op, kernel_shape=[8, 8], strides=[2, 4], ceil_mode=1, **extra)  # larger than the map
        yield node(op, kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")
        yield node(op, opset=19, kernel_shape=[3, 2], strides=[4, 1], dilations=[4, 1], ceil_mode=1)
        yield node(op, x=ROW, kernel_shape=[3], strides=[2], pads=[1, 0])
    for op in ("GlobalAveragePool", "GlobalMaxPool"):
        yield node(op)
        yield node(op, x=ROW)
    yield node("Gemm", "x", drawn(5, 6), drawn(5), x=VECTOR, transB=1)
    yield node("Gemm", "x", drawn(6, 5), drawn(1), x=VECTOR, alpha=0.5, beta=2.0)
    yield node("Gemm", "x", drawn(6, 5), x=VECTOR)
    yield node("MatMul", "x", drawn(6, 3), x=VECTOR)
    yield node("MatMul", "x", drawn(9, 5), x=ROW)
    for opset in (7, 9, 14, 15):
        yield node("BatchNormalization", "x", *channel, opset=opset, epsilon=1e-3)
    yield node("BatchNormalization", "x", *(drawn(6, low=0.5, high=2, seed=s) for s in range(4)), x=VECTOR)
    yield node("InstanceNormalization", "x", *channel[:2], epsilon=1e-3)
    yield node("GroupNormalization", "x", *channel[:2], opset=21, num_groups=2)
    yield node("LayerNormalization", "x", drawn(6), drawn(6), x=VECTOR)
    yield node("LayerNormalization", "x", drawn(4, 7, 6), axis=1)
    yield node("LayerNormalization", "x", drawn(6), drawn(6), epsilon=1e-3)
    yield node("LayerNormalization", "x", drawn(7, 6), axis=2)
    yield node("LRN", size=3, alpha=0.5, beta=0.6, bias=2.0)
    yield node("Dropout", "x", numpy.float32(0.3))
    yield node("Dropout", opset=7, ratio=0.3)
    yield node("Cast", to=1)
    yield node("Flatten")
    yield node("Reshape", "x", ints(0, -1))
    yield node("Reshape", "x", ints(-1, 8, 21))
    yield node("Reshape", "x", ints(2, 168))
    yield node("Squeeze", "x", ints(2), x=(2, 3, 1, 4))
    yield node("Squeeze", x=(2, 3, 1, 4), opset=11, axes=[2])
    yield node("Unsqueeze", "x", ints(1, 3), x=VECTOR)
    yield node("Transpose", perm=[0, 2, 3, 1])
    yield node("Concat", "x", "x", axis=1)
    yield node("Concat", "x", "x", axis=-1)
    yield node("Slice", "x", ints(1, 0), ints(3, -1), ints(1, 2))
    yield node("Slice", "x", ints(-1), ints(-(2**62)), ints(3), ints(-1))
    yield node("Slice", opset=9, starts=[1], ends=[100], axes=[2])
    yield node("Split", axis=1)
    yield node("Split", "x", ints(1, 3), axis=1)
    yield node("Gather", "x", ints(1, 2), axis=1)
    yield node("Gather", "x", numpy.array(-1, numpy.int64), axis=2)
    yield node("Expand", "x", ints(1, 4, 5, 6), x=(2, 4, 1, 6))
    yield node("Pad", "x", ints(0, 0, 1, 0, 0, 1, 2, 0))
    yield node("Pad", "x", ints(1, 2), "", ints(-1), opset=18)
    for op in ("ReduceMean", "ReduceMax", "ReduceMin"):
        yield node(op, axes=[1, -1], keepdims=0)
        yield node(op, "x", ints(2, 3), opset=18)
    yield node("ReduceSum", "x", ints(1), keepdims=0)
    yield node("ReduceSum", opset=11, axes=[1, 2])
    for op in ("Softmax", "LogSoftmax"):
        yield node(op, axis=1)
        yield node(op)
        yield node(op, opset=11)
        yield node(op, x=VECTOR, opset=7, axis=1)
    yield node("Resize", "x", "", numpy.array([1, 1, 2, 3], numpy.float32), mode="nearest",
               coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    yield node("Resize", "x", "", "", ints(2, 4, 14, 12), mode="linear")
    yield node("Resize", "x", "", numpy.array([1, 1, 2, 2], numpy.float32))
    yield node("Upsample", "x", numpy.array([1, 1, 2, 2], numpy.float32), opset=9, mode="nearest")


LOGICAL = ("Constant", "ConstantOfShape", "Shape", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal", "Not", "Where")


class Import(CliTest):
    def written(self, model, name="m.onnx"):
        path = self.path(name)
        onnx.save(model, path)
        return path

    def model(self, nodes, x, outputs=("y",), opset=17, initializers=(), **more):
        graph = onnx.helper.make_graph(
            nodes, "test", [onnx.helper.make_tensor_value_info("x", 1, ["n", *x[1:]])],
            [onnx.helper.make_tensor_value_info(name, 1, None) for name in outputs],
            [onnx.numpy_helper.from_array(array, name) for name, array in initializers])
        return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=8 if opset < 23 else 11, **more)

    def of_case(self, case):
        op, x, operands, opset, _, attributes = case
        arrays = [(f"w{i}.weight", array) for i, array in enumerate(operands) if not isinstance(array, str)]
        names = [operand if isinstance(operand, str) else f"w{i}.weight" for i, operand in enumerate(operands)]
        outputs = ["y", "z"] if op == "Split" else ["y"]
        return self.model([onnx.helper.make_node(op, names, outputs, **attributes)], x, outputs, opset, arrays)

    def same(self, model, x, case, most=5e-6):
        """What is read and written again is what ONNX Runtime makes of the file itself."""
        path, again = self.written(model), self.path("again.onnx")
        expected = session(path).run(None, {"x": x})
        result = chalkgrad("export", path, "--out", again, "--overwrite")
        self.assertEqual(result.returncode, 0, f"{case}: {result.stderr}")
        for want, got in zip(expected, session(again).run(None, {"x": x})):
            self.assertEqual(got.shape, want.shape, case)
            self.assertLessEqual(numpy.abs(got - want).max(), most * max(1, numpy.abs(want).max()), case)

    def test_every_operator(self):
        seen = set(LOGICAL)
        for case in cases():
            seen.add(case[0])
            with self.subTest(f"{case[0]}, opset {case[3]}, {case[5]}, of {case[1]}"):
                low, high = case[4]
                self.same(self.of_case(case), drawn(*case[1], low=low, high=high, seed=9), str(case[0]))
        self.assertLessEqual(seen, set(operators()))  # tests/onnx/backend_test.py has the others

    def test_comparisons_and_choices(self):
        make = onnx.helper.make_node
        for op in ("Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal"):
            model = self.model([make(op, ["x", "w"], ["c"]), make("Not", ["c"], ["d"]), make("Neg", ["x"], ["m"]),
                                make("Where", ["d", "x", "m"], ["y"])], VECTOR, initializers=[("w", drawn(6))])
            x = drawn(*VECTOR)
            x[0] = drawn(6)  # equal ones
            self.same(model, x, op)

    def test_shapes_that_exporters_calculate(self):
        """x.view(x.size(0), -1) and its like: Shape, Gather, Unsqueeze, Concat, Mul, Div, Cast, ConstantOfShape."""
        make, ints = onnx.helper.make_node, lambda *n: onnx.numpy_helper.from_array(numpy.array(n, numpy.int64))
        scalar = lambda n: onnx.numpy_helper.from_array(numpy.array(n, numpy.int64))
        nodes = [make("Shape", ["x"], ["s"]), make("Constant", [], ["zero"], value=scalar(0)),
                 make("Gather", ["s", "zero"], ["n"], axis=0), make("Constant", [], ["axes"], value_ints=[0]),
                 make("Unsqueeze", ["n", "axes"], ["n1"]), make("Constant", [], ["one"], value=ints(1)),
                 make("Constant", [], ["three"], value=ints(3)), make("Slice", ["s", "one", "three"], ["cr"]),
                 make("Constant", [], ["i0"], value_int=0), make("Gather", ["cr", "i0"], ["c"]),
                 make("Constant", [], ["two"], value_int=2), make("Div", ["c", "two"], ["half"]),
                 make("Cast", ["half"], ["half_again"], to=7), make("Unsqueeze", ["half_again", "axes"], ["h1"]),
                 make("ConstantOfShape", ["one"], ["rest"], value=ints(-1)),
                 make("Concat", ["n1", "h1", "rest"], ["shape"], axis=0), make("Reshape", ["x", "shape"], ["y"])]
        self.same(self.model(nodes, MAP), drawn(*MAP), "view")

    def test_functions_other_encodings_and_external_data(self):
        make = onnx.helper.make_node
        function = onnx.helper.make_function("mine", "Twice", ["a"], ["b"], [make("Add", ["a", "a"], ["b"])],
                                             [onnx.helper.make_opsetid("", 17)])
        model = self.model([make("Twice", ["x"], ["t"], domain="mine"), make("Twice", ["t"], ["y"], domain="mine")], VECTOR,
                           functions=[function])
        model.opset_import.append(onnx.helper.make_opsetid("mine", 1))
        self.same(model, drawn(*VECTOR), "function")
        for kind in (10, 11, 16):  # float16, double, bfloat16
            weights = onnx.helper.make_tensor("w.weight", kind, [6, 3], drawn(6, 3).astype(numpy.float16).ravel().tolist())
            model = self.model([make("Cast", ["w.weight"], ["w"], to=1), make("MatMul", ["x", "w"], ["y"])], VECTOR)
            model.graph.initializer.append(weights)
            self.same(model, drawn(*VECTOR), kind, most=1e-5)
        model = self.model([make("MatMul", ["x", "w.weight"], ["y"])], VECTOR, initializers=[("w.weight", drawn(6, 50))])
        onnx.save(model, self.path("e.onnx"), save_as_external_data=True, location="e.data", size_threshold=0)
        x = drawn(*VECTOR)
        self.good("export", self.path("e.onnx"), "--out", self.path("again.onnx"), "--overwrite")
        numpy.testing.assert_allclose(session(self.path("again.onnx")).run(None, {"x": x})[0], x @ drawn(6, 50), rtol=1e-5)
        self.path("e.data").write_bytes(b"short")
        result = self.refused(1, "e.data", "export", self.path("e.onnx"), "--out", self.path("no.onnx"))
        self.assertIn('the tensor "w.weight" is said to be at 0 with 1200 bytes in e.data, which has 5', result.stderr)

    def test_it_is_a_model_to_every_command(self):
        make = onnx.helper.make_node
        nodes = [make("Conv", ["x", "conv1.weight", "conv1.bias"], ["c"], pads=[1, 1, 1, 1]), make("Relu", ["c"], ["r"]),
                 make("MaxPool", ["r"], ["p"], kernel_shape=[2, 2], strides=[2, 2]), make("Flatten", ["p"], ["f"]),
                 make("Gemm", ["f", "fc.weight", "fc.bias"], ["y"], transB=1)]
        path = self.written(self.model(nodes, (1, 1, 8, 8), initializers=[
            ("conv1.weight", drawn(4, 1, 3, 3)), ("conv1.bias", drawn(4)), ("fc.weight", drawn(10, 64, low=-0.2, high=0.2)),
            ("fc.bias", drawn(10))]))
        printed = self.good("info", path)
        self.assertIn("conv1", printed)
        self.assertIn("fc", printed)
        out = self.path("tuned.safetensors")
        tuned = self.good("train", "--from", path, "--data", "digits", "--epochs", 4, "--out", out)
        self.assertGreater(float(re.search(r"test accuracy (\S+) %", tuned)[1]), 90)
        self.assertRegex(self.good("eval", out), "accuracy")
        self.good("train", "--net", "4c3z-relu-mp2-10n", "--init", path, "--epochs", 1)
        headed = self.path("headed.safetensors")
        said = self.good("train", "--init", path, "--replace-head", "--freeze", "conv1*", "--data", "digits#0-3", "--epochs", 4,
                         "--out", headed)
        self.assertIn(f"head     fc: 4 outputs instead of 10\nweights  2 of 4 parameters are those of {path}\n"
                      "         drawn: fc.weight (4×64, there 10×64), fc.bias (4, there 10)\n", said)
        self.assertGreater(float(re.search(r"test accuracy (\S+) %", said)[1]), 90)
        self.assertIn("conv1", self.good("info", headed))
        self.good("train", "--init", headed, "--replace-head", "--data", "digits#4-9", "--epochs", 1)
        self.assertEqual(self.refused(2, "", "train", "--replace-head").stderr,
                         "chalkgrad: --replace-head needs the model whose last layer it replaces; add --init MODEL\n")
        self.assertEqual(self.refused(2, "", "train", "--replace-head", "--init", path, "--net", "10n").stderr,
                         "chalkgrad: --replace-head and --net were given; the first takes the network of the model that --init "
                         "names; give one of them\n")
        nodes[-1:] = [make("MatMul", ["f", "w"], ["p2"]), make("Add", ["p2", "b"], ["y"])]  # as Keras and scikit-learn have it
        apart = self.written(self.model(nodes, (1, 1, 8, 8), initializers=[
            ("conv1.weight", drawn(4, 1, 3, 3)), ("conv1.bias", drawn(4)), ("w", drawn(64, 10)), ("b", drawn(10))]), "apart.onnx")
        said = self.good("train", "--init", apart, "--replace-head", "--data", "digits#0-3", "--epochs", 1)
        self.assertIn("head     w: 4 outputs instead of 10\n", said)
        flat = self.written(self.model([make("Relu", ["x"], ["y"])], (1, 1, 8, 8)), "flat.onnx")
        self.assertEqual(self.refused(1, "", "train", "--replace-head", "--init", flat).stderr,
                         f"chalkgrad: --replace-head {flat}: its network ends with no layer whose outputs are the classes; write the "
                         "network that is wanted as TOML\n")

    def test_what_cannot_be_read_is_said(self):
        make = onnx.helper.make_node
        good = [make("Relu", ["x"], ["y"])]

        def message(model, start="m.onnx"):
            result = self.refused(1, "", "info", self.written(model))
            return result.stderr.removeprefix("chalkgrad: ").removeprefix(str(self.path("m.onnx"))).strip()

        one = lambda *args, **more: self.model([make(*args, **more)], MAP)
        cyclic = self.model([make("Add", ["x", "b"], ["a"]), make("Relu", ["a"], ["b"]), make("Relu", ["b"], ["y"])], MAP)
        twice = self.model([make("Relu", ["x"], ["y"]), make("Abs", ["x"], ["y"])], MAP)
        open_size = self.model(good, MAP)
        open_size.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "rows"
        future, old = self.model(good, MAP, opset=17), self.model(good, MAP, opset=17)
        future.opset_import[0].version, old.ir_version = 29, 15
        short = self.model([make("Add", ["x", "w"], ["y"])], VECTOR, initializers=[("w", drawn(6))])
        short.graph.initializer[0].raw_data = b"1234"
        for model, expected in (
                (one("Einsum", ["x"], ["y"], equation="abcd->abdc"), ': the node "y" (Einsum): the operator is not read here; docs/onnx.md lists those that are'),
                (one("Rleu", ["x"], ["y"]), ': the node "y" (Rleu): the operator is not read here; did you mean "Relu"?'),
                (one("Relu", ["x"], ["y"], domain="com.microsoft"), ': the node "y" (Relu): is an operator of "com.microsoft"; only those of ONNX itself are read'),
                (one("Relu", ["q"], ["y"]), ': the node "y" (Relu): its operand "q" is made by no node; docs/onnx.md says what is read here'),
                (one("Softmax", ["x"], ["y"], axis=0), ': the node "y" (Softmax): works across the samples of a batch, which a network for one sample does not; docs/onnx.md says what is read here'),
                (cyclic, ': the node "b" (Relu): its result is needed to make its operands; docs/onnx.md says what is read here'),
                (twice, ': the node "y" (Abs): a second node makes "y"; docs/onnx.md says what is read here'),
                (open_size, ': the size of its input "x" is open; export it with numbers for all axes but the batch'),
                (future, ": it uses version 29 of ONNX's operators; 6 to 28 can be read; export it anew with another opset_version"),
                (old, ": its IR version is 15; 3 to 14 can be read (onnx 1.23 writes 14)"),
                (short, ': the tensor "w" has 4 bytes, but 24 are needed for its shape, 6 of float; export it anew')):
            with self.subTest(expected):
                self.assertEqual(message(model), expected)
        self.path("n.onnx", b"not an ONNX file at all")
        self.refused(1, "n.onnx: is no ONNX model, or not a whole one", "info", self.path("n.onnx"))
        whole = self.written(self.model(good, MAP)).read_bytes()
        for size in range(0, len(whole), 7):
            self.refused(1, "t.onnx: ", "info", self.path("t.onnx", whole[:size]))


if __name__ == "__main__":
    run_where_there_is(*MODULES)
    import numpy
    import onnx
    import onnx.numpy_helper
    from onnx_session import session

    main()
