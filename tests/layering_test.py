#!/usr/bin/env python3
"""Checks who includes whom: rooms only look down, public headers stand alone and are short, nothing goes in circles.

With no argument it first checks itself on small trees that break each rule, then the project, then whether the map in
docs/architecture.md is what the tables below say. Exit status 1 if anything is wrong.

    layering_test.py --print   prints the map
    layering_test.py --write   writes it into docs/architecture.md
"""
import pathlib
import re
import sys
import tempfile

# The one table of who may include whom; docs/architecture.md shows it. A room may always include itself. Tests
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
    "losses": "base ir ops layers",
    "optimizers": "base ir ops",
    "schedules": "base ir",
    "files": "base",
    "data": "base files",
    "augmentations": "base ir data",
    "net": "base ir ops layers losses optimizers schedules augmentations run files",
    "train": "base ir ops layers losses optimizers schedules passes plan run files data augmentations net",
    "math": "base ir ops layers losses optimizers passes run",
    "derive": "base ir ops layers losses optimizers passes run files data net train math",
    "onnx": "base ir ops losses optimizers passes run net train",
    "dist": "base ir plan run train",
    "umbrella": "base ir ops layers losses optimizers schedules passes plan run files data augmentations net train math derive onnx dist",
    "apps": "base public",
    "examples": "public",
    "python": "public",
    "web": "public",
    "findings": "",
}

# What a room holds, for that map.
HOLDS = {
    "base": "errors, text, aligned memory, lanes, random numbers, threads",
    "ir": "Type, Node, Graph; printer, verifier",
    "ops": "operations: one file each, or a family of them; and `ops.inc`",
    "layers": "one file per layer or family of them, and `layers.inc`",
    "losses": "families of losses, and `losses.inc`",
    "optimizers": "one file per optimizer, and `optimizers.inc`; limits of gradients, and groups of parameters",
    "schedules": "learning rates over time: families of them, their language, and `schedules.inc`; averages of weights, and Lookahead",
    "passes": "from graph to graph",
    "kernels": "tuned kernels on lanes",
    "plan": "schedule, memory, choice of kernels",
    "run": "executes a plan",
    "files": "file formats: IDX, images, safetensors, npz, gzip, TensorBoard's events",
    "data": "data sets and where they come from",
    "augmentations": "what is done to pictures in training: families of it, its language, and `augmentations.inc`",
    "net": "networks from text, saved and loaded",
    "train": "the training loop, metrics, checkpoints",
    "math": "formulas: read, printed, differentiated, evaluated; derivations checked against a network",
    "derive": "derivations of networks: found by rewriting formulas, verified, printed",
    "onnx": "networks from and to ONNX",
    "dist": "training on several machines",
    "umbrella": "all public headers at once",
    "apps": "the command line",
    "examples": "programs as users would write them",
    "python": "the Python module",
    "web": "chalkgrad in a browser",
    "findings": "surprises about libraries and tools, each shown without chalkgrad",
}

# Folders at the root, each a room; the other rooms are folders in src/. Tests, benchmarks and fuzz targets are free.
TOPS = ("apps", "examples", "python", "web", "findings")

# The room that each public header speaks for.
PUBLIC = {
    "error.h": "base",
    "shape.h": "base",
    "fields.h": "base",
    "attributes.h": "ir",
    "graph.h": "ir",
    "weight_init.h": "ir",
    "ops.h": "ops",
    "cost.h": "ops",
    "layers.h": "layers",
    "losses.h": "losses",
    "losses.inc": "losses",
    "weight_inits.inc": "ir",
    "optimizer.h": "optimizers",
    "optimizers.h": "optimizers",
    "parameter_group.h": "optimizers",
    "schedule.h": "schedules",
    "average.h": "schedules",
    "lookahead.h": "schedules",
    "differentiate.h": "passes",
    "compile_options.h": "base",
    "cores.h": "base",
    "program.h": "run",
    "gradcheck.h": "run",
    "image.h": "files",
    "npz.h": "files",
    "onnx.h": "onnx",
    "tensorboard.h": "files",
    "data.h": "data",
    "normalisation.h": "data",
    "splits.h": "data",
    "describe.h": "data",
    "augmentation.h": "augmentations",
    "augmentations.h": "augmentations",
    "network.h": "net",
    "replace_head.h": "net",
    "train_options.h": "net",
    "evaluate.h": "train",
    "lr_find.h": "train",
    "train.h": "train",
    "inspect.h": "train",
    "training_events.h": "train",
    "benchmark.h": "train",
    "network_gradcheck.h": "train",
    "check.h": "math",
    "derive.h": "derive",
    "chalkgrad.h": "umbrella",
}

# libchalkgrad_core is built from these, and needs nothing but Highway and the standard library.
CORE = {"base", "ir", "ops", "layers", "losses", "optimizers", "schedules", "passes", "kernels", "plan", "run"}
CORE_LIBRARIES = re.compile(r"hwy/|sanitizer/|sys/|(unistd|fcntl|pthread|sched)\.h$")

# Libraries of which few files may know: a file that includes one takes seconds longer to compile.
BEHIND = {
    r"CLI/": r"apps/chalkgrad/command\.cc",
    r"fmt/(?!core\.h)": r"apps/chalkgrad/formatting\.cc",
    r"nlohmann/": r"src/.*",
    r"toml\+\+/": r"src/net/toml_plus_plus\.h",
}

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
        for top in ("src", "include", *TOPS):
            for path in sorted((self.root / top).rglob("*")):
                if path.suffix in SUFFIXES and path.is_file():
                    self.files[path.relative_to(self.root).as_posix()] = path.read_text(encoding="utf-8")
        self.edges = {name: [] for name in self.files}

    def room(self, name):
        parts = name.split("/")
        if parts[0] in TOPS:
            return parts[0]
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

        for library, files in BEHIND.items():
            file = place.split(":")[0]
            if re.match(library, header) and not re.fullmatch(files, file) and not TEST.search(file):
                self.wrong.append(f"{place} includes <{header}>, which stays behind {files}")

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
        elif other != room and not self.allowed(room, other, target):
            may = MAY_INCLUDE[room].replace(" ", ", ").replace("public", "public headers") or "nothing"
            self.wrong.append(f"{place} includes {target}: {room} may include {may}, not {other}")

    def allowed(self, room, other, target):
        may = MAY_INCLUDE[room].split()
        return other in may or ("public" in may and target.startswith("include/"))

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
        unknown = set(others.split()) - seen - {"public"}
        assert not unknown, f"{room} may include {unknown}, which does not stand before it in the table"
        assert room in HOLDS, f"say in HOLDS what the room {room} holds"
        seen.add(room)


PAGE = "docs/architecture.md"
BEGIN, END = "<!-- written by tests/layering_test.py -->\n", "<!-- up to here -->"


def drawn(tree):
    """The map of the rooms that are there, as docs/architecture.md shows it: what stands on what, then the table."""
    there = set(map(tree.room, tree.files)) | {top for top in TOPS if (tree.root / top).is_dir()}
    rooms = [room for room in MAY_INCLUDE if room in there]
    floor = {}
    for room in rooms:
        others = MAY_INCLUDE[room].split()
        below = [r for r in rooms if r in others or (r in PUBLIC.values() and "public" in others)]
        floor[room] = 1 + max((floor[r] for r in below), default=-1)
    lines = ["", "```text"]
    for level in sorted(set(floor.values()), reverse=True):
        names = ["chalkgrad.h" if r == "umbrella" else r for r in rooms if floor[r] == level and MAY_INCLUDE[r] + r != "findings"]
        lines.append("  ".join(names))
    lines += ["```", "", "| room | holds | may include |", "|---|---|---|"]
    for room in rooms:
        place = {"umbrella": "`include/chalkgrad/chalkgrad.h`"}.get(room, f"`{room}/`" if room in TOPS else f"`src/{room}/`")
        may = " ".join(r for r in MAY_INCLUDE[room].split() if r in rooms or r == "public")
        lines.append(f"| {place} | {HOLDS[room]} | {may.replace('public', 'public headers') or 'nothing'} |")
    return "\n".join(lines) + "\n\n"


def check_page(tree, write=False):
    """What is wrong with the map in docs/architecture.md; or with write, writes it."""
    page = tree.root / PAGE
    text = page.read_text(encoding="utf-8")
    before, found, rest = text.partition(BEGIN)
    old, ended, after = rest.partition(END)
    if not found or not ended:
        return [f"{PAGE} has no place for the map: a line {BEGIN.strip()} and a line {END}"]
    if write:
        page.write_text(before + BEGIN + drawn(tree) + END + after, encoding="utf-8")
    elif old != drawn(tree):
        return [f"{PAGE} shows another map of the rooms; write it with tests/layering_test.py --write"]
    return []


def check_self():
    """Every rule must be able to fail."""
    good = {
        "include/chalkgrad/shape.h": "#include <vector>\n",
        "src/base/text.h": '#include "chalkgrad/shape.h"\n#include <hwy/highway.h>\n',
        "src/base/text_test.cc": '#include "src/train/loop.h"\n#include <gtest/gtest.h>\n',
        "src/train/loop.h": '#include "src/base/text.h"\n#include <nlohmann/json.hpp>\n',
        "apps/chalkgrad/main.cc": '#include "src/base/text.h"\n',
    }
    broken = {
        "may include nothing, not train": {"src/base/up.h": '#include "src/train/loop.h"\n'},
        "may include base, not ir": {"src/kernels/x.h": '#include "src/ir/y.h"\n', "src/ir/y.h": ""},
        "only each other": {"include/chalkgrad/error.h": '#include "src/base/text.h"\n'},
        "public headers need nothing": {"include/chalkgrad/error.h": "#include <fmt/core.h>\n"},
        "the core needs nothing": {"src/run/x.cc": "#include <nlohmann/json.hpp>\n"},
        "which is not there": {"src/run/x.cc": '#include "text.h"\n'},
        "belongs to no room": {"include/chalkgrad/unheard.h": ""},
        "stays behind apps": {"apps/chalkgrad/eval.cc": "#include <CLI/CLI.hpp>\n"},
        "fewer than": {"include/chalkgrad/error.h": "//\n" * PUBLIC_LINES},
        "is for tests": {"src/base/a.cc": '#include "src/base/a_testing.h"\n', "src/base/a_testing.h": ""},
        "may include public headers, not base": {"python/src/x.cc": '#include "src/base/text.h"\n#include "chalkgrad/shape.h"\n'},
        "examples may include public headers, not train": {"examples/x.cc": '#include "src/train/loop.h"\n'},
        "findings may include nothing": {"findings/x.cc": '#include "chalkgrad/shape.h"\n'},
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
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder, PAGE)
        page.parent.mkdir()
        page.write_text(BEGIN + "an older map\n" + END, encoding="utf-8")
        tree = Tree(folder)
        assert "--write" in check_page(tree)[0] and not check_page(tree, write=True) and not check_page(tree)
    for expected, files in broken.items():
        wrong = wrong_with({**good, **files})
        assert len(wrong) == 1 and expected in wrong[0], f"expected one problem, '{expected}', got {wrong}"


def main():
    check_table()
    check_self()
    tree = Tree(pathlib.Path(__file__).resolve().parent.parent).check()
    if "--print" in sys.argv:
        print(drawn(tree).strip())
        return 0
    tree.wrong += check_page(tree, "--write" in sys.argv)
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
