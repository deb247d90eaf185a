#!/usr/bin/env python3
"""The recipes of docs/onnx.md, as they are there: others' files predict here what they predict there, and are trained.

recipes_test.py PATH_OF_CHALKGRAD PATH_OF_ONNX_BACKEND. CHALKGRAD_TORCH names a Python with torch, torchvision, onnx,
onnxscript, scikit-learn, skl2onnx and keras; a recipe is skipped where it lacks its modules. Nothing is downloaded:
torchvision's weights are those that its models start with. MNIST's files are those of CHALKGRAD_MNIST.
"""
import contextlib
import importlib.util
import io
import logging
import math
import os
import pathlib
import re
import subprocess
import sys
import warnings

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "cli"))
import support  # noqa: E402

MNIST = pathlib.Path(os.environ.get("CHALKGRAD_MNIST", ROOT.parent / "shared" / "data" / "mnist"))
NETWORKS = ("resnet18", "mobilenet_v2", "squeezenet1_1", "alexnet", "shufflenet_v2_x0_5")
backend = ""  # PATH_OF_ONNX_BACKEND


def recipe(title):
    """Its code in Python, and its first command, in words."""
    text = (ROOT / "docs" / "onnx.md").read_text(encoding="utf-8")
    section = text.split(f"### {title}\n", 1)[1].split("\n### ", 1)[0]
    code, = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    command = re.search(r"^    chalkgrad ((?:.*\\\n)*.*)", section, re.MULTILINE)[1].replace("\\\n", " ")
    return code, [word.strip("'") for word in command.split()]


def predicted(file, x):
    """What a file gives here for a batch."""
    data, x = pathlib.Path(file).read_bytes(), numpy.ascontiguousarray(x, numpy.float32)
    head = f"it {len(x)} {len(data)} {x.size} 0\n".encode()
    result = subprocess.run([backend], input=head + data + x.tobytes(), capture_output=True, check=True)
    line, _, rest = result.stdout.partition(b"\n")
    if not line.startswith(b"it ok"):
        raise AssertionError(line.decode())
    extents, _, rest = rest.partition(b"\n")
    shape = [int(extent) for extent in extents.split()]
    return numpy.frombuffer(rest[:8 * math.prod(shape)]).reshape(shape)


class Recipes(support.CliTest):
    def needs(self, *modules):
        for module in modules:
            if importlib.util.find_spec(module) is None:
                self.skipTest(f"there is no {module}")

    def run_code(self, code, **scope):
        """In the test's folder, without what exporters print."""
        before = os.getcwd()
        os.chdir(self.folder)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(code, "docs/onnx.md", "exec"), scope)  # pylint: disable=exec-used
        finally:
            os.chdir(before)
        return scope

    def trained(self, command, *more):
        """The page's command, in the test's folder, with options in place of its own that make it short."""
        given = list(map(str, more))
        for option in given[::2]:
            if option in command:
                at = command.index(option)
                command = command[:at] + command[at + 2:]
        return self.good(*command, *given, cwd=self.folder)

    def near(self, got, want, most):
        off = numpy.abs(got - want).max() / numpy.abs(want).max()
        self.assertLessEqual(off, most)
        return off

    def test_torchvision(self):
        self.needs("torch", "torchvision")
        import torch
        code, command = recipe("torchvision")
        x = numpy.random.default_rng(1).standard_normal((2, 3, 224, 224)).astype(numpy.float32)
        for name in NETWORKS:
            torch.manual_seed(1)
            older = code.replace('weights="IMAGENET1K_V1"', "weights=None").replace("resnet18", name)
            written = {"older": older}
            if importlib.util.find_spec("onnxscript"):
                written["newer"] = re.sub(r"dynamo=False,.*\)", 'dynamo=True, dynamic_shapes=({0: torch.export.Dim("n", min=2)},))',
                                          older, flags=re.DOTALL).replace("torch.zeros(1,", "torch.zeros(2,")
            for exporter, lines in written.items():
                with self.subTest(f"{name}, {exporter} exporter"):
                    model = self.run_code(lines)["model"]
                    with torch.no_grad():
                        want = model(torch.from_numpy(x)).numpy()
                    if exporter == "newer":  # its weights lie in a file beside it, which onnx_backend is not given
                        import onnx
                        onnx.save(onnx.load(self.path(f"{name}.onnx")), self.path(f"{name}.onnx"))
                    off = self.near(predicted(self.path(f"{name}.onnx"), x), want, 5e-6)
                    print(f"{name}, {exporter} exporter: {off:.1e} of the largest output off", flush=True)
        self.run_code(code.replace('weights="IMAGENET1K_V1"', "weights=None"))
        from PIL import Image
        for kind in ("cat", "dog"):
            (self.folder / "pets" / kind).mkdir(parents=True)
            for i in range(6):
                pixels = numpy.random.default_rng(i).integers(0, 255, (224, 224, 3), numpy.uint8)
                Image.fromarray(pixels).save(self.folder / "pets" / kind / f"{i}.png")
        printed = self.trained(command, "--epochs", 1, "--batch", 4)
        self.assertIn("fc: 2 outputs instead of 1,000", printed)

    def test_scikit_learn(self):
        self.needs("sklearn", "skl2onnx", "onnx")
        from sklearn.neural_network import MLPClassifier
        code, command = recipe("scikit-learn")
        rng = numpy.random.default_rng(1)
        samples = rng.standard_normal((300, 6)).astype(numpy.float32)
        classes = (samples[:, 0] * samples[:, 1] > 0).astype(int) + (samples[:, 2] > 1)
        classifier = MLPClassifier((16, 8), max_iter=50, random_state=1).fit(samples, classes)
        self.run_code(code, classifier=classifier, samples=samples)
        off = self.near(predicted(self.path("mlp.onnx"), samples[:50]), classifier.predict_proba(samples[:50]), 1e-6)
        print(f"MLPClassifier: {off:.1e} of the largest probability off", flush=True)
        rows = "".join(",".join(f"{n:.6g}" for n in row) + f",{c}\n" for row, c in zip(samples, classes))
        self.path("samples.csv", rows.encode())
        self.assertIn("300 samples to train, none to test, 6, 3 classes", self.trained(command, "--epochs", 3))

    def test_keras(self):
        self.needs("torch", "keras", "onnx")
        code, command = recipe("Keras")
        scope = self.run_code(code)
        x = numpy.random.default_rng(1).standard_normal((4, 1, 28, 28)).astype(numpy.float32)
        want = scope["model"].predict(x, verbose=0)
        off = self.near(predicted(self.path("keras.onnx"), x), want, 1e-6)
        print(f"Keras: {off:.1e} of the largest probability off", flush=True)
        if not MNIST.exists():
            self.skipTest(f"there is no MNIST in {MNIST}; CHALKGRAD_MNIST names a folder")
        accuracy = re.search(r"test accuracy ([\d.]+) %", self.trained([word.replace("FOLDER", str(MNIST)) for word in command]))
        self.assertGreater(float(accuracy[1]), 98)


if __name__ == "__main__":
    support.run_where_there_is("torch", "onnx", "numpy", variable="CHALKGRAD_TORCH")
    import numpy

    warnings.simplefilter("ignore")
    logging.disable(logging.ERROR)
    backend = os.path.abspath(sys.argv.pop(2))
    support.main()
