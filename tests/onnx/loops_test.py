#!/usr/bin/env python3
"""The loops of docs/onnx.md train: in Python and in C++, by ONNX Runtime, as chalkgrad trains.

loops_test.py PATH_OF_CHALKGRAD. CHALKGRAD_PYTHON names a Python with numpy, safetensors, onnx and onnxruntime, whose library
the C++ loop is linked with; CHALKGRAD_ONNXRUNTIME_HEADERS names a folder with onnxruntime_cxx_api.h, of any version from 1.13
on. Skipped without them, or without MNIST's files in CHALKGRAD_MNIST.
"""
import gzip
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "cli"))
from support import CliTest, main, run_where_there_is  # noqa: E402

MODULES = ("numpy", "safetensors", "onnx", "onnxruntime")
HEADERS = os.environ.get("CHALKGRAD_ONNXRUNTIME_HEADERS", "/usr/include/onnxruntime")
MNIST = pathlib.Path(os.environ.get("CHALKGRAD_MNIST", ROOT.parent / "shared" / "data" / "mnist"))
NET = "8c5-relu-mp2-16c5-relu-mp2-64n-relu-10n"
SAMPLES = 1438  # of the built-in digits, for training
STEPS = 100
SGD, ADAMW = ["--optimizer", "sgd", "--lr", 0.05], ["--optimizer", "adamw", "--lr", 0.001]
CASES = {
    "batch norm, SGD": ("8c3-bn-relu-mp2-16c3z-bn-relu-32n-relu-10n", SGD),
    "batch norm, AdamW": ("8c3-bn-relu-mp2-16c3z-bn-relu-32n-relu-10n", ADAMW),
    "residual, AdamW": ("8c3z-relu-res(8c3z-relu-8c3z)-relu-gap-10n", ADAMW),
    "overlapping windows, SGD": ("6c3z-relu-mp3s2-10n", SGD),
}

PROGRAM = """
#include <onnxruntime_cxx_api.h>

#include <cstdint>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

template <class T>
std::vector<T> read(const char* file) {
  std::ifstream in(file, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
  const T* numbers = reinterpret_cast<const T*>(bytes.data());
  return {numbers, numbers + bytes.size() / sizeof(T)};
}

int main() {
  std::cout.precision(9);
  auto images = read<float>("images");
  auto labels = read<std::int64_t>("labels");
  const auto shape = read<std::int64_t>("shape");
LOOP
  for (const auto& [name, value] : state) {
    const auto info = value.GetTensorTypeAndShapeInfo();
    if (info.GetElementType() != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT) continue;  // how many steps were taken
    std::ofstream("state." + name, std::ios::binary)
        .write(reinterpret_cast<const char*>(value.GetTensorData<float>()), 4 * info.GetElementCount());
  }
}
"""


def loop_of_the_page(language):
    """The lines of code of docs/onnx.md that train."""
    text = (ROOT / "docs" / "onnx.md").read_text(encoding="utf-8")
    loop, = (code for code in re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL) if "step.onnx" in code)
    return loop


def mnist(part):
    """Its pictures as the networks here see them, and labels."""
    def bytes_of(kind, header):
        return numpy.frombuffer(gzip.decompress((MNIST / f"{part}-{kind}-ubyte.gz").read_bytes()), numpy.uint8, offset=header)
    images = (bytes_of("images-idx3", 16).reshape(-1, 1, 28, 28) / 255 - 0.1307) / 0.3081
    return images.astype(numpy.float32), bytes_of("labels-idx1", 8).astype(numpy.int64)


class Loops(CliTest):
    def exported(self, name, *args):
        self.good("export", *args, "--out", self.path(name), "--overwrite")

    def compiled(self):
        """A program with the loop of the page, that trains on files in its folder."""
        if not pathlib.Path(HEADERS, "onnxruntime_cxx_api.h").exists():
            self.skipTest(f"{HEADERS} has no onnxruntime_cxx_api.h; CHALKGRAD_ONNXRUNTIME_HEADERS names the folder that has it")
        compiler = shutil.which("g++")
        found = list((pathlib.Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so.*"))
        if not compiler or not found:
            self.skipTest("there is no g++" if not compiler else "Python's onnxruntime brings no libonnxruntime.so")
        library = self.path("libonnxruntime.so.1")  # its name as programs want it
        if not library.exists():
            library.symlink_to(found[0])
        source = self.path("train.cc", PROGRAM.replace("LOOP", loop_of_the_page("cpp")).encode())
        result = subprocess.run([compiler, "-std=c++20", "-O1", "-Wall", "-isystem", HEADERS, source, "-o", self.path("train"), library,
                                 f"-Wl,-rpath,{self.folder}"], capture_output=True, text=True, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return self.path("train")

    def trained_in_cpp(self, images, labels, batch):
        """The losses; the variables are left in files called state.NAME."""
        images.tofile(self.path("images"))
        labels.astype(numpy.int64).tofile(self.path("labels"))
        numpy.array([batch, *images.shape[1:]], numpy.int64).tofile(self.path("shape"))
        result = subprocess.run([self.compiled()], cwd=self.folder, capture_output=True, text=True, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return [float(line) for line in result.stdout.splitlines()]

    def accuracy(self, images, labels, weights):
        y = session(self.path("m.onnx")).run(["y"], {"x": images, **weights})[0]
        return (y.argmax(1) == labels).mean()

    def weights_in_files(self):
        return {name: numpy.fromfile(self.path(f"state.{name}"), numpy.float32).reshape(shape) for name, shape in self.weights().items()}

    def weights(self):
        """Shapes of those that the prediction takes."""
        return {port.name: port.shape for port in session(self.path("m.onnx")).get_overridable_initializers()}

    def test_mnist_in_both_languages(self):
        """After an epoch, as good as what chalkgrad has trained for one."""
        if not MNIST.exists():
            self.skipTest(f"there is no MNIST in {MNIST}; CHALKGRAD_MNIST names a folder")
        options = ["--optimizer", "adamw", "--lr", 0.001]
        ours = json.loads(self.good("train", "--data", f"mnist:{MNIST}", "--net", NET, "--epochs", 1, "--batch", 64, *options,
                                    "--schedule", "constant", "--json"))["test_accuracy"]
        self.exported("step.onnx", "--net", NET, "--input", "1x28x28", "--training", *options)
        self.exported("m.onnx", "--net", NET, "--input", "1x28x28", "--open")
        (images, labels), test = mnist("train"), mnist("t10k")

        scope, before = {"images": images, "labels": labels}, os.getcwd()
        loop = loop_of_the_page("python").replace("range(10)", "range(1)")
        numpy.random.seed(1)
        os.chdir(self.folder)
        try:
            exec(compile(loop, "docs/onnx.md", "exec"), scope)  # pylint: disable=exec-used
        finally:
            os.chdir(before)
        python = self.accuracy(*test, {name: scope["state"][name] for name in self.weights()})
        self.assertGreater(python, ours - 0.01)
        losses = self.trained_in_cpp(images, labels, 64)
        self.assertEqual(len(losses), len(images) // 64)
        cpp = self.accuracy(*test, self.weights_in_files())
        self.assertGreater(cpp, ours - 0.01)
        print(f"MNIST after an epoch: chalkgrad {100 * ours:.2f} %, ONNX Runtime in Python {100 * python:.2f} %, in C++ {100 * cpp:.2f} %")

    def test_losses_of_a_hundred_steps(self):
        """The C++ loop and chalkgrad, from the same weights, on all samples at each step."""
        for kind, (net, options) in CASES.items():
            with self.subTest(kind):
                model, values, log = self.path("m.safetensors"), self.path("values.npz"), self.path("log.jsonl")
                self.good("train", "--net", net, "--epochs", 1, "--batch", 128, "--quiet", "--out", model, "--overwrite")
                self.good("grad", model, "--part", "train", "--batch", SAMPLES, "--out", values, "--overwrite")
                given = numpy.load(values)
                x, labels = given["value/x"].astype(numpy.float32), given["value/t"].argmax(1)
                self.exported("step.onnx", model, "--training", *options)
                theirs = self.trained_in_cpp(numpy.tile(x, (STEPS, 1, 1, 1)), numpy.tile(labels, STEPS), SAMPLES)
                log.unlink(missing_ok=True)
                self.good("train", "--from", model, "--epochs", STEPS, "--batch", SAMPLES, "--schedule", "constant", *options,
                          "--log", log, "--quiet", "--out", self.path("trained.safetensors"), "--overwrite")
                lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
                ours = [line["loss"] for line in lines if "step" in line and "loss" in line]
                self.assertEqual(len(theirs), len(ours))
                worst = numpy.abs(numpy.subtract(theirs, ours)).max()
                print(f"{kind}: losses from {ours[0]:.3f} to {ours[-1]:.3f}, at most {worst:.1e} apart", flush=True)
                self.assertLess(worst, 1e-4)


if __name__ == "__main__":
    run_where_there_is(*MODULES)
    import numpy
    import onnxruntime
    from onnx_session import session

    main()
