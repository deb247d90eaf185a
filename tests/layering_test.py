#!/usr/bin/env python3
"""Checks who includes whom: rooms only look down, public headers stand alone and are short, nothing goes in circles.

With no argument it first checks itself on small trees that break each rule, then the project. Exit status 1 if
anything is wrong.
"""
import pathlib
import re
import sys
import tempfile

# The one table of who may include whom; docs/architecture.md draws it. A room may always include itself. Tests
# (x_test.cc and their helpers x_testing.h, test_x.h) are free: they may set up what they test by any means.
MAY_INCLUDE = {
    "base": "",
    "ir": "base",
    "ops": "base ir",
    "layers": "base ir ops",
    "passes": "base ir ops",
    "kernels": "base",
    "plan": "base ir ops passes kernels",
    "run": "base ir ops passes kernels plan",
    "files": "base",
    "data": "base files",
    "net": "base ir ops layers run files",
    "train": "base ir ops layers passes plan run files data net",
    "math": "base ir ops layers passes run",
    "onnx": "base ir ops layers passes net",
    "dist": "base ir plan run train",
    "umbrella": "base ir ops layers passes plan run files data net train math onnx dist",
    "apps": "base ir ops layers passes plan run files data net train math onnx dist umbrella",
}

# The room that each public header speaks for.
PUBLIC = {
    "error.h": "base",
    "shape.h": "base",
    "fields.h": "base",
    "attributes.h": "ir",
    "graph.h": "ir",
    "ops.h": "ops",
    "layers.h": "layers",
    "differentiate.h": "passes",
    "compile_options.h": "base",
    "program.h": "run",
    "gradcheck.h": "run",
    "image.h": "files",
    "npz.h": "files",
    "data.h": "data",
    "network.h": "net",
    "cost.h": "net",
    "train.h": "train",
    "inspect.h": "train",
    "network_gradcheck.h": "train",
    "check.h": "math",
    "chalkgrad.h": "umbrella",
}

# libchalkgrad_core is built from these, and needs nothing but Highway and the standard library.
CORE = {"base", "ir", "ops", "layers", "passes", "kernels", "plan", "run"}
CORE_LIBRARIES = re.compile(r"hwy/|sanitizer/|sys/|(unistd|fcntl|pthread|sched)\.h$")

TEST = re.compile(r"(_test\.cc|_testing\.h|/test_\w+\.h)$")

PUBLIC_LINES = 300  # more is an error
SOURCE_LINES = 600  # more is mentioned

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.MULTILINE)
SUFFIXES = {".h", ".cc", ".inc"}


class Tree:
    """The C++ files under a root, what they include, and what is wrong with it."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.wrong, self.mentions = [], []
        self.files = {}
        for top in ("src", "include", "apps"):
            for path in sorted((self.root / top).rglob("*")):
                if path.suffix in SUFFIXES and path.is_file():
                    self.files[path.relative_to(self.root).as_posix()] = path.read_text(encoding="utf-8")
        self.edges = {name: [] for name in self.files}

    def room(self, name):
        parts = name.split("/")
        if parts[0] == "apps":
            return "apps"
        if parts[0] == "src":
            return parts[1] if len(parts) > 2 and parts[1] in MAY_INCLUDE else None
        return PUBLIC.get(parts[-1])

    def check(self):
        for name in self.files:
            self.check_file(name)
        self.check_circles()
        return self

    def check_file(self, name):
        text, room, public = self.files[name], self.room(name), name.startswith("include/")
        if room is None:
            self.wrong.append(f"{name} belongs to no room: add it to PUBLIC or MAY_INCLUDE in tests/layering_test.py")
            return
        lines = text.count("\n")
        if public and lines >= PUBLIC_LINES:
            self.wrong.append(f"{name} has {lines} lines; a public header has fewer than {PUBLIC_LINES}")
        elif lines > SOURCE_LINES:
            self.mentions.append(f"{name} has {lines} lines; it may be two files in one")
        for match in INCLUDE.finditer(text):
            place = f"{name}:{text.count(chr(10), 0, match.start()) + 1}"
            if match[1] == "<":
                self.check_library(place, match[2], room, public)
            else:
                self.check_include(place, name, match[2], room, public)

    def check_library(self, place, header, room, public):
        if re.fullmatch(r"[a-z_0-9]+", header):
            return  # the standard library's
        if public:
            self.wrong.append(f"{place} includes <{header}>; public headers need nothing but the standard library")
        elif room in CORE and not CORE_LIBRARIES.match(header) and not TEST.search(place.split(":")[0]):
            self.wrong.append(f"{place} includes <{header}>; the core needs nothing but Highway and the standard library")

    def check_include(self, place, name, header, room, public):
        target = "include/" + header if header.startswith("chalkgrad/") else header
        if target not in self.files:
            self.wrong.append(f'{place} includes "{header}", which is not there; write "src/ROOM/x.h" or "chalkgrad/x.h"')
            return
        if public and not target.startswith("include/"):
            self.wrong.append(f"{place} includes {target}; public headers include only each other")
            return
        self.edges[name].append(target)
        other = self.room(target)
        if TEST.search(name) or other is None:
            return
        if TEST.search(target):
            self.wrong.append(f"{place} includes {target}, which is for tests")
        elif other != room and other not in MAY_INCLUDE[room].split():
            may = MAY_INCLUDE[room].replace(" ", ", ") or "nothing"
            self.wrong.append(f"{place} includes {target}: {room} may include {may}, not {other}")

    def check_circles(self):
        state = {}  # a file's name → "open" while what it includes is being visited, then "done"

        def visit(name, trail):
            state[name] = "open"
            for target in self.edges[name]:
                if target == name and "HWY_TARGET_INCLUDE" in self.files[name]:
                    continue
                if state.get(target) == "open":
                    circle = trail[trail.index(target):] + [target] if target in trail else [name, target]
                    self.wrong.append("a circle of includes: " + " → ".join(circle))
                elif target not in state:
                    visit(target, trail + [target])
            state[name] = "done"

        for name in self.files:
            if name not in state:
                visit(name, [name])


def check_table():
    """MAY_INCLUDE itself must have no circle: its order, in which each room only names earlier ones, proves it."""
    seen = set()
    for room, others in MAY_INCLUDE.items():
        unknown = set(others.split()) - seen
        assert not unknown, f"{room} may include {unknown}, which does not stand before it in the table"
        seen.add(room)


def check_self():
    """Every rule must be able to fail."""
    good = {
        "include/chalkgrad/shape.h": "#include <vector>\n",
        "src/base/text.h": '#include "chalkgrad/shape.h"\n#include <hwy/highway.h>\n',
        "src/base/text_test.cc": '#include "src/train/loop.h"\n#include <gtest/gtest.h>\n',
        "src/train/loop.h": '#include "src/base/text.h"\n#include <nlohmann/json.hpp>\n',
        "apps/chalkgrad/main.cc": '#include "src/train/loop.h"\n',
    }
    broken = {
        "may include nothing, not train": {"src/base/up.h": '#include "src/train/loop.h"\n'},
        "may include base, not ir": {"src/kernels/x.h": '#include "src/ir/y.h"\n', "src/ir/y.h": ""},
        "only each other": {"include/chalkgrad/error.h": '#include "src/base/text.h"\n'},
        "public headers need nothing": {"include/chalkgrad/error.h": "#include <fmt/core.h>\n"},
        "the core needs nothing": {"src/run/x.cc": "#include <nlohmann/json.hpp>\n"},
        "which is not there": {"src/run/x.cc": '#include "text.h"\n'},
        "belongs to no room": {"include/chalkgrad/unheard.h": ""},
        "fewer than": {"include/chalkgrad/error.h": "//\n" * PUBLIC_LINES},
        "is for tests": {"src/base/a.cc": '#include "src/base/a_testing.h"\n', "src/base/a_testing.h": ""},
        "a circle": {"src/base/a.h": '#include "src/base/b.h"\n', "src/base/b.h": '#include "src/base/a.h"\n'},
    }

    def wrong_with(files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = pathlib.Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return Tree(folder).check().wrong

    assert wrong_with(good) == [], wrong_with(good)
    for expected, files in broken.items():
        wrong = wrong_with({**good, **files})
        assert len(wrong) == 1 and expected in wrong[0], f"expected one problem, '{expected}', got {wrong}"


def main():
    check_table()
    check_self()
    tree = Tree(pathlib.Path(__file__).resolve().parent.parent).check()
    for line in tree.mentions:
        print("note:", line)
    for line in tree.wrong:
        print(line)
    if not tree.files:
        print("there are no sources to check")
        return 1
    print(f"{len(tree.files)} files, {sum(map(len, tree.edges.values()))} includes between them, {len(tree.wrong)} wrong")
    return 1 if tree.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
