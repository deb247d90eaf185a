"""Every public name explains itself, with an example that runs; stubs are what the engine is."""

import doctest
import importlib.util
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import numpy

import chalkgrad
from support import SOURCE

NEEDS = {"Classifier": "sklearn", "Regressor": "sklearn", "torch_function": "torch", "from_torch": "onnxscript",
         "jax_function": "jax"}
STUBS = SOURCE / "tools/python_stubs.py"


class Documents(unittest.TestCase):
    names = [name for name in chalkgrad.__all__ if name not in NEEDS or importlib.util.find_spec(NEEDS[name])]

    def test_are_there_for_every_public_name(self):
        self.assertGreater(len(self.names), 60)
        for name in self.names:
            self.assertTrue((getattr(chalkgrad, name).__doc__ or "").strip(), name)

    @unittest.skipUnless((SOURCE / "CMakeLists.txt").exists(), "the sources are not beside the tests")
    def test_version_is_that_of_the_library(self):
        text = (SOURCE / "CMakeLists.txt").read_text(encoding="utf-8")
        self.assertEqual(chalkgrad.__version__, re.search(r"project\(chalkgrad VERSION ([\d.]+)", text)[1])

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
        for name, text in self.explained():
            found = parser.get_doctest(text, {"chalkgrad": chalkgrad, "numpy": numpy}, name, name, 0)
            self.assertTrue(found.examples, f"{name} has no example")
            runner.run(found)
        self.assertEqual(runner.failures, 0)

    def explained(self):
        """Every public name and method with its docstring. A property is a sentence, and its class has the example;
        set_fit_request and the like are scikit-learn's."""
        for name in self.names:
            value = getattr(chalkgrad, name)
            yield name, value.__doc__
            if isinstance(value, type) and not issubclass(value, BaseException):
                for member in vars(value):
                    if callable(getattr(value, member)) and not re.fullmatch("_.*|set_.*_request", member):
                        yield f"{name}.{member}", getattr(value, member).__doc__

    @unittest.skipUnless(STUBS.exists() and importlib.util.find_spec("nanobind"), "nanobind or the sources are not here")
    def test_stubs_are_those_of_the_engine(self):
        said = subprocess.run([sys.executable, STUBS], capture_output=True, text=True)
        self.assertEqual(said.returncode, 0, said.stdout + said.stderr)

    @unittest.skipUnless(importlib.util.find_spec("basedpyright") and (SOURCE / "python/examples").exists(),
                         "basedpyright is not here")
    def test_examples_are_typed_for_pyright_too(self):
        with tempfile.TemporaryDirectory() as folder:
            settings = pathlib.Path(folder, "pyrightconfig.json")
            settings.write_text(json.dumps({"include": [str(SOURCE / "python/examples")], "typeCheckingMode": "standard"}))
            said = subprocess.run([sys.executable, "-m", "basedpyright", "-p", settings, "--pythonpath", sys.executable], capture_output=True, text=True)
        self.assertEqual(said.returncode, 0, said.stdout + said.stderr)

    @unittest.skipUnless(importlib.util.find_spec("nbclient") and importlib.util.find_spec("ipykernel")
                         and importlib.util.find_spec("sklearn") and (SOURCE / "docs").exists(), "nbclient is not here")
    def test_the_notebook_runs(self):
        said = subprocess.run([sys.executable, SOURCE / "tools/notebook.py"], capture_output=True, text=True)
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
