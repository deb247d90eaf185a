#!/usr/bin/env python3
"""chalkgrad export: ONNX Runtime predicts what the model predicts, and trains with an exported step as chalkgrad trains.

CHALKGRAD_PYTHON names a Python with numpy, safetensors, onnx and onnxruntime; skipped without.
"""
import json
import os
import re

from support import CliTest, chalkgrad, main, ROOT, run_where_there_is

MODULES = ("numpy", "safetensors", "onnx", "onnxruntime")
SAMPLES = 1438  # of the built-in digits, for training
STEPS = 4
NETWORKS = {
    "batch norm": "8c3-bn-relu-mp2-16c3z-relu-mp2-32n-relu-10n",
    "strides": "8c3s2z-gelu-8c2s2-tanh-10n",
    "depthwise": "8c3z-8c3zg8-silu-8c3s2zg2-8c1-relu-ap2-10n",
    "overlapping windows": "6c3z-mp3s2-elu-ap3s1-10n-softmax",
    "branches": "8c3z-res(8c3z-gn2-mish)-cat(4c1,6c3z)-lrn5-gap-10n",
    "layer norm": "12n-ln-leaky-relu-10n",
}
OPTIMIZERS = ["sgd", "adagrad", "adadelta", "rmsprop", "adam", "adamw", "adamax", "nadam", "radam", "lion", "muon"]


class Export(CliTest):
    def trained(self, *network, epochs=1):
        path = self.path("m.safetensors")
        self.good("train", *network, "--epochs", epochs, "--batch", 128, "--quiet", "--out", path, "--overwrite")
        return path

    def exported(self, *args, name="m.onnx"):
        path = self.path(name)
        self.good("export", *args, "--out", path, "--overwrite")
        onnx.checker.check_model(onnx.load(path), full_check=True)
        return path

    def samples(self, model, part, count):
        path = self.path("values.npz")
        self.good("grad", model, "--part", part, "--batch", count, "--out", path, "--overwrite")
        values = numpy.load(path)
        return values["value/x"].astype(numpy.float32), values["value/t"].astype(numpy.float32)

    def trained_by_onnxruntime(self, file, x, t, steps=STEPS, **given):
        """The losses, and the variables in the end."""
        run = session(file)
        names = [output.name for output in run.get_outputs()]
        wanted = {i.name for i in run.get_inputs()}
        targets = {"labels": t.argmax(1).astype(numpy.int64)} if "labels" in wanted else {"t": t}
        state, losses = {}, []
        for _ in range(steps):
            result = dict(zip(names, run.run(names, {"x": x, **targets, **given, **state})))
            losses.append(float(result["loss"]))
            state = {name.removesuffix(".next"): value for name, value in result.items() if name.endswith(".next")}
        return losses, state

    def trained_here(self, model, *args, steps=STEPS):
        log, out = self.path("log.jsonl"), self.path("trained.safetensors")
        log.unlink(missing_ok=True)
        self.good("train", "--from", model, "--epochs", steps, "--batch", SAMPLES, "--schedule", "constant", *args,
                  "--log", log, "--quiet", "--out", out, "--overwrite")
        lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        return [line["loss"] for line in lines if "step" in line and "loss" in line], load_file(out)

    def agree(self, model, *args, most=2e-5):
        """A step of ONNX Runtime's is one of chalkgrad's: losses, and all variables after STEPS."""
        x, t = self.samples(model, "train", SAMPLES)
        losses, state = self.trained_by_onnxruntime(self.exported(model, "--training", *args, name="s.onnx"), x, t)
        expected, weights = self.trained_here(model, *args)
        numpy.testing.assert_allclose(losses, expected, rtol=1e-5, atol=1e-6)
        variables = set(weights) & set(state)
        self.assertGreaterEqual(len(variables), len(load_file(model)) // 2)
        for name in variables:
            scale = numpy.abs(weights[name]).max()
            self.assertLessEqual(numpy.abs(state[name] - weights[name]).max(), most * max(scale, 1e-3), name)

    def test_predicts_what_the_model_predicts(self):
        for kind, net in NETWORKS.items():
            with self.subTest(kind):
                model = self.trained("--net", net)
                x, t = self.samples(model, "test", 359)
                expected = json.loads(self.good("eval", model, "--json"))["loss"]
                results = []
                for args in ([], ["--fold-bn"], ["--opset", 22], ["--batch", 359], ["--open"]):
                    y = session(self.exported(model, *args)).run(["y"], {"x": x})[0].astype(numpy.float64)
                    results.append(y)
                    if not net.endswith("softmax"):
                        y -= y.max(1, keepdims=True)
                        y -= numpy.log(numpy.exp(y).sum(1, keepdims=True))
                    else:
                        y = numpy.log(y)
                    self.assertAlmostEqual(-(t * y).sum(1).mean(), expected, delta=1e-5 * max(1, expected))
                one = session(self.exported(model)).run(["y"], {"x": x[:1]})[0]
                numpy.testing.assert_allclose(one, session(self.exported(model)).run(["y"], {"x": x})[0][:1], atol=1e-4)

    def test_steps_train_as_chalkgrad_does(self):
        for kind, net in NETWORKS.items():
            with self.subTest(kind):
                self.agree(self.trained("--net", net))

    def test_every_optimizer(self):
        model = self.trained("--net", "4c3-relu-mp2-10n")
        for optimizer in OPTIMIZERS:
            with self.subTest(optimizer):
                most = 2e-3 if optimizer in ("lion", "muon") else 1e-4  # a sign that flips; a root of small numbers
                self.agree(model, "--optimizer", optimizer, most=most)

    def test_losses_limits_and_frozen_layers(self):
        model = self.trained("--net", "4c3-relu-mp2-10n")
        for args in (["--loss", "squared-error"], ["--loss", "cross-entropy", "--label-smoothing", "0.1"],
                     ["--loss", "focal"], ["--loss", "multi-class-margin"], ["--clip-norm", "0.1"], ["--l1", "0.001"],
                     ["--freeze", "conv1.*"], ["--weight-decay", "0.01", "--nesterov"]):
            with self.subTest(args):
                self.agree(model, *args)

    def test_a_group_of_some_epochs_is_switched_off_by_its_input(self):
        model = self.path("m.safetensors")
        self.good("train", "--net", "4c3-relu-mp2-10n", "--epochs", 1, "--batch", 128, "--groups", "conv1.*: epochs=2",
                  "--quiet", "--out", model)
        x, t = self.samples(model, "train", SAMPLES)
        step, before = self.exported(model, "--training", name="s.onnx"), load_file(model)
        for given, moves in (({}, True), ({"first_epochs.2": numpy.array(0, numpy.float32)}, False)):
            _, state = self.trained_by_onnxruntime(step, x, t, **given)
            self.assertEqual((state["conv1.weight"] != before["conv1.weight"]).any(), moves)
            self.assertTrue((state["dense1.weight"] != before["dense1.weight"]).any())

    def test_several_outputs(self):
        model = self.trained(ROOT / "examples" / "networks" / "auxiliary.toml")
        file = onnx.load(self.exported(model))
        self.assertEqual([output.name for output in file.graph.output], ["y", "early", "copy"])
        self.agree(model)

    def test_a_wrong_step_is_noticed(self):
        """The comparison above fails for each gradient that is 1 % off."""
        model = self.trained("--net", "4c3-relu-mp2-10n")
        path = self.exported(model, "--training", name="s.onnx")
        x, t = self.samples(model, "train", SAMPLES)
        expected = self.trained_by_onnxruntime(path, x, t)[0]
        sums = [node for node in onnx.load(path).graph.node if node.op_type in ("Conv", "Gemm") and "." in node.output[0]
                and node.output[0].startswith("v")]
        self.assertGreaterEqual(len(sums), 2)
        for node in sums:
            wrong = onnx.load(path)
            at = [other.output[0] for other in wrong.graph.node].index(node.output[0])
            wrong.graph.node[at].output[0] = "right"
            wrong.graph.initializer.append(onnx.numpy_helper.from_array(numpy.float32(1.01), "factor"))
            wrong.graph.node.insert(at + 1, onnx.helper.make_node("Mul", ["right", "factor"], [node.output[0]]))
            onnx.save(wrong, self.path("wrong.onnx"))
            losses = self.trained_by_onnxruntime(self.path("wrong.onnx"), x, t)[0]
            with self.assertRaises(AssertionError, msg=node.op_type):
                numpy.testing.assert_allclose(losses, expected, rtol=1e-5, atol=1e-6)

    def test_dropout_is_drawn_by_the_engine(self):
        model = self.trained("--net", "4c3-relu-mp2-drop0.5-10n")
        predicts = onnx.load(self.exported(model))
        self.assertFalse({"RandomUniformLike", "Dropout"} & {node.op_type for node in predicts.graph.node})
        path = self.exported(model, "--training", name="s.onnx")
        self.assertIn("RandomUniformLike", [node.op_type for node in onnx.load(path).graph.node])
        x, t = self.samples(model, "train", SAMPLES)
        losses, _ = self.trained_by_onnxruntime(path, x, t, steps=30)
        self.assertLess(losses[-1], losses[0])

    def test_bytes_are_encoded_in_the_file(self):
        folder = self.mnist_like()
        model = self.path("m.safetensors")
        self.good("train", "--data", f"mnist:{folder}", "--net", "4c3-relu-10n", "--epochs", 1, "--quiet", "--out", model)
        x, _ = self.samples(model, "train", 10)
        y = session(self.exported(model)).run(["y"], {"x": x})[0]
        pixels = numpy.tile(numpy.arange(64, dtype=numpy.uint8).reshape(1, 1, 8, 8), (10, 1, 1, 1))
        numpy.testing.assert_allclose(session(self.exported(model, "--bytes")).run(["y"], {"x": pixels})[0], y, atol=1e-5)

    def test_names_shapes_and_bytes_of_the_file(self):
        model = self.trained("--net", NETWORKS["batch norm"])
        path = self.exported(model)
        file = onnx.load(path)
        self.assertEqual({tensor.name for tensor in file.graph.initializer if "." in tensor.name and tensor.name[0] != "v"},
                         set(load_file(model)) - {n for n in load_file(model) if "momentum" in n})
        self.assertEqual([node.op_type for node in file.graph.node],
                         ["Conv", "BatchNormalization", "Relu", "MaxPool", "Conv", "Relu", "MaxPool", "Reshape", "Gemm",
                          "Relu", "Gemm", "Identity"])
        self.assertEqual(file.graph.input[0].type.tensor_type.shape.dim[0].dim_param, "batch")
        self.assertEqual((file.opset_import[0].version, file.ir_version), (17, 8))
        for opset, ir in ((18, 8), (19, 9), (21, 10)):
            newer = onnx.load(self.exported(model, "--opset", opset))
            self.assertEqual((newer.opset_import[0].version, newer.ir_version), (opset, ir))
        self.assertEqual(self.exported(model, name="again.onnx").read_bytes(), self.exported(model).read_bytes())
        for tensor in file.graph.initializer:
            if tensor.name in load_file(model):
                self.assertEqual(onnx.numpy_helper.to_array(tensor).tobytes(), load_file(model)[tensor.name].tobytes())
        fixed = onnx.load(self.exported(model, "--batch", 3))
        self.assertEqual(fixed.graph.input[0].type.tensor_type.shape.dim[0].dim_value, 3)

    def test_what_is_wrong_is_said(self):
        model = self.trained("--net", "4c3-relu-mp2-10n")
        out = self.path("o.onnx")
        for code, message, args in (
                (2, "--fold-bn is for predictions: a step trains what it would fold; leave one of them out",
                 ["--training", "--fold-bn"]),
                (2, "a prediction has no loss and no optimizer; add --training for a step", ["--loss", "focal"]),
                (2, "a prediction has no loss and no optimizer; add --training for a step", ["--lr", "0.1"]),
                (2, "--batch 0 must be a whole number of at least 1, or dynamic", ["--batch", "0"]),
                (2, "--batch many must be a whole number of at least 1, or dynamic", ["--batch", "many"]),
                (1, "batch is 99999999; it must be from 1 to 16777216, or 0 for any number", ["--batch", "99999999"]),
                (1, "the number adagrad.slowing of adagrad is another one at every step, for ever, which a file cannot hold; "
                    "choose options without it", ["--training", "--optimizer", "adagrad", "--lr-decay", "0.1"])):
            with self.subTest(message):
                result = self.refused(code, message, "export", model, *args, "--out", out)
                self.assertEqual(result.stderr, f"chalkgrad: {message}\n")
                self.assertFalse(out.exists())
        unseen = self.refused(1, "bytes", "export", "--net", "4n", "--input", "3", "--bytes", "--out", out)
        self.assertEqual(unseen.stderr, "chalkgrad: the network was not trained on bytes, so nothing says how it sees them; "
                                        "let the input be numbers\n")
        self.refused(2, "--opset", "export", model, "--opset", 16, "--out", out)
        self.refused(1, "missing.safetensors", "export", self.path("missing.safetensors"), "--out", out)
        full = chalkgrad("export", model, "--out", "/dev/full")
        self.assertEqual((full.returncode, full.stderr.count("\n")), (1, 1))
        self.refused(2, "-", "export", model)

    def test_the_loop_of_the_page_trains(self):
        """docs/onnx.md: its loop in Python, as it is there."""
        text = (ROOT / "docs" / "onnx.md").read_text(encoding="utf-8")
        loop, = (code for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "step.onnx" in code)
        self.assertLessEqual(len([line for line in loop.splitlines() if line.strip()]), 12)
        model = self.trained("--net", "8c3-relu-mp2-10n")
        images, t = self.samples(model, "train", SAMPLES)
        self.exported(model, "--training", "--optimizer", "adamw", name="step.onnx")
        scope = {"images": images, "labels": t.argmax(1)}
        numpy.random.seed(1)
        before = os.getcwd()
        os.chdir(self.folder)
        try:
            exec(compile(loop, "docs/onnx.md", "exec"), scope)  # pylint: disable=exec-used
        finally:
            os.chdir(before)
        x, t = self.samples(model, "test", 359)
        y = session(self.exported(model, "--open")).run(["y"], {"x": x, **{
            name: value for name, value in scope["state"].items() if "." in name and not re.search("mean|step", name)}})[0]
        self.assertGreater((y.argmax(1) == t.argmax(1)).mean(), 0.85)


if __name__ == "__main__":
    run_where_there_is(*MODULES)
    import numpy
    import onnx
    import onnx.numpy_helper
    from safetensors.numpy import load_file
    from onnx_session import session

    main()
