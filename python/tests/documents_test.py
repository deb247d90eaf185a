"""Every public name explains itself, with an example that runs; stubs are what the engine is."""

import doctest
import importlib.util
import subprocess
import sys
import unittest

import numpy

import chalkgrad
from support import SOURCE

NEEDS = {"Classifier": "sklearn", "Regressor": "sklearn", "torch_function": "torch", "from_torch": "onnxscript",
         "jax_function": "jax"}
STUBS = SOURCE / "tools/python_stubs.py"
# What the examples of others show: classes that functions return, and functions of one line each, which docs/reference
# and graph_test.py show.
WITHOUT_EXAMPLE = {"Split", "Progress", "TrainResult", "ClassResult", "Evaluation", "Value", "Derivation", "CheckedLine",
                   "CheckReport", "Error", "ShapeError", "InputError", "NumericError", "loss_of"}


class Documents(unittest.TestCase):
    names = [name for name in chalkgrad.__all__ if name not in NEEDS or importlib.util.find_spec(NEEDS[name])]

    def test_are_there_for_every_public_name(self):
        self.assertGreater(len(self.names), 60)
        for name in self.names:
            self.assertTrue((getattr(chalkgrad, name).__doc__ or "").strip(), name)

    def test_are_there_for_every_method(self):
        for name in self.names:
            cls = getattr(chalkgrad, name)
            if isinstance(cls, type) and not issubclass(cls, BaseException):
                for member, value in vars(cls).items():
                    if not member.startswith("_") and (callable(value) or isinstance(value, property)):
                        self.assertTrue((getattr(cls, member).__doc__ or value.__doc__ or "").strip(), f"{name}.{member}")

    def test_have_examples_that_run(self):
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        parser = doctest.DocTestParser()
        for name in self.names:
            text = getattr(chalkgrad, name).__doc__
            found = parser.get_doctest(text, {"chalkgrad": chalkgrad, "numpy": numpy}, name, name, 0)
            operation = not isinstance(getattr(chalkgrad, name), type) and "Value" in text.split("\n")[0]
            if not found.examples:
                self.assertTrue(name in WITHOUT_EXAMPLE or operation, f"{name} has no example")
            runner.run(found)
        self.assertEqual(runner.failures, 0)
        self.assertGreater(runner.tries, 40)

    @unittest.skipUnless(STUBS.exists() and importlib.util.find_spec("nanobind"), "nanobind or the sources are not here")
    def test_stubs_are_those_of_the_engine(self):
        said = subprocess.run([sys.executable, STUBS], capture_output=True, text=True)
        self.assertEqual(said.returncode, 0, said.stdout + said.stderr)

    @unittest.skipUnless(importlib.util.find_spec("mypy") and (SOURCE / "python/examples").exists(), "mypy is not here")
    def test_examples_are_typed(self):
        checker = [sys.executable, "-m", "mypy", "--strict", "--cache-dir=/dev/null"]
        for command in ([*checker, *sorted((SOURCE / "python/examples").glob("*.py"))],
                        [*checker, "--ignore-missing-imports", "-p", "chalkgrad"]):
            said = subprocess.run(command, capture_output=True, text=True, cwd="/")
            self.assertEqual(said.returncode, 0, said.stdout + said.stderr)


if __name__ == "__main__":
    unittest.main()
