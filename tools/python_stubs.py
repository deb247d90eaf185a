#!/usr/bin/env python3
"""Writes the stubs that type checkers read, from the chalkgrad that is installed; or says whether they are still right.

    tools/python_stubs.py           exits with 1 if a stub is stale, and shows what differs
    tools/python_stubs.py --write   writes python/chalkgrad/_engine.pyi and _options.pyi

_engine.pyi is nanobind's, of the engine's classes and functions; _options.pyi has the options of training, as the
engine's fields show them.
"""

import difflib
import pathlib
import re
import sys

import chalkgrad
from chalkgrad import _engine

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "python/chalkgrad"
ERRORS = """
class Error(Exception): ...
class ShapeError(Error, ValueError): ...
class InputError(Error, ValueError): ...
class NumericError(Error, FloatingPointError): ...
"""
HEADER = "# Written by tools/python_stubs.py.\n"


def engine_stub():
    from nanobind.stubgen import StubGen

    generator = StubGen(_engine, include_private=True)
    generator.put(_engine)
    text = re.sub(r"from chalkgrad import \(.*?\)\n", ERRORS, generator.get(), flags=re.DOTALL)
    return HEADER + text + "\n__version__: str\n"


def options_stub():
    lines = [HEADER, "from collections.abc import Sequence\nfrom typing import TypedDict\n\n",
             "class TrainingOptions(TypedDict, total=False):\n",
             '    """What train() takes by keyword, apart from callbacks. Options that are left out have their defaults."""\n\n',
             "    loss: str\n"]
    for field in chalkgrad.training_fields():
        lines.append(f"    {field['name']}: {field['type']}\n")
    return "".join(lines)


def main():
    stale = 0
    for name, text in (("_engine.pyi", engine_stub()), ("_options.pyi", options_stub())):
        file = FOLDER / name
        if "--write" in sys.argv:
            file.write_text(text, encoding="utf-8")
            continue
        old = file.read_text(encoding="utf-8") if file.exists() else ""
        if old != text:
            stale += 1
            print(f"python/chalkgrad/{name} is stale; write it with tools/python_stubs.py --write")
            sys.stdout.writelines(list(difflib.unified_diff(old.splitlines(True), text.splitlines(True), n=1))[:60])
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
