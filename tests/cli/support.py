"""What the tests of the command line share. Each of them is NAME_test.py PATH_OF_CHALKGRAD [unittest args], for example
`-v -k bits`; without a path it is taken from the environment, CHALKGRAD.

A test that fails prints what a user would have seen: the command, its output and its exit code.
"""
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SMALL = ["--net", "4c3-relu-mp2-10n", "--batch", "64"]
LIMIT = 240  # seconds for any one command, on a machine that does other things too
SHOWN = 4000  # characters of an output that a failure shows

binary = os.environ.get("CHALKGRAD", "")
last = ""  # the last command of the test that runs, as a user would have seen it


def command(*args):
    return [binary, *map(str, args)]


def shortened(text):
    half = SHOWN // 2
    return text if len(text) <= SHOWN else f"{text[:half]}\n[… {len(text) - SHOWN} characters …]\n{text[-half:]}"


def chalkgrad(*args, env=None, **more):
    """Runs the program with these arguments; `more` goes to subprocess.run."""
    global last
    last = shown = " ".join(["$", *(f"{name}={value}" for name, value in (env or {}).items()), "chalkgrad", *map(str, args)])
    more = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **more}
    result = subprocess.run(command(*args), timeout=LIMIT, env={**os.environ, **(env or {})}, **more)
    last = f"{shown}\n{shortened(result.stdout or '')}{shortened(result.stderr or '')}exit code {result.returncode}"
    return result


def sha_of(stdout):
    found = re.fullmatch(r"weights sha256 ([0-9a-f]{64})", stdout.splitlines()[-1])
    assert found, stdout
    return found[1]


def png(width, height, pixel):
    """A grey PNG file; pixel(x, y) is 0 to 255."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + bytes(pixel(x, y) for x in range(width)) for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def idx(kind, extents, data):
    return struct.pack(">BBBB", 0, 0, kind, len(extents)) + b"".join(struct.pack(">I", e) for e in extents) + data


def edit_safetensors(path, change):
    """Rewrites a model file without its checksum; change(header, data) returns both as they shall be."""
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    header, data = json.loads(raw[8:8 + size]), raw[8 + size:]
    for key in ("chalkgrad.sha256", "chalkgrad.format"):
        header["__metadata__"].pop(key, None)
    header, data = change(header, data)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


class Failure(AssertionError):
    """A failed assertion, with the last command before it."""

    def __init__(self, message=None):
        super().__init__(f"{message}\n\nThe last command was\n{last}" if last else message)


class CliTest(unittest.TestCase):
    failureException = Failure

    def setUp(self):
        global last
        last = ""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def path(self, name, data=None):
        """That name in the test's own folder; with data, a file that holds them."""
        path = self.folder / name
        if data is not None:
            path.write_bytes(data)
        return path

    def good(self, *args, **more):
        """What the command prints; it succeeds."""
        result = chalkgrad(*args, **more)
        self.assertEqual(result.returncode, 0, "exit code")
        return result.stdout

    def refused(self, code, words, *args, **more):
        """The command fails with this code and one line on stderr that has all these words."""
        result = chalkgrad(*args, **more)
        self.assertEqual(result.returncode, code, "exit code")
        self.assertRegex(result.stderr, r"\Achalkgrad: [^\n]+\n\Z", "one line on stderr")
        for word in [words] if isinstance(words, str) else words:
            self.assertIn(word, result.stderr)
        self.assertNotIn("sha256", result.stdout)
        return result

    def model(self, *args):
        path = self.path("model.safetensors")
        self.good("train", *SMALL, "--epochs", 1, "--quiet", "--out", path, "--overwrite", *args)
        return path

    def mnist_like(self, **replaced):
        """A folder with files in MNIST's format: ten samples of 8×8, or what is given as train_images= etc."""
        folder = self.folder / "mnist"
        folder.mkdir(exist_ok=True)
        images = idx(8, [10, 8, 8], bytes(range(64)) * 10)
        labels = idx(8, [10], bytes(range(10)))
        for part in ("train", "t10k"):
            for kind, data in (("images-idx3", images), ("labels-idx1", labels)):
                data = replaced.get(f"{part}_{kind[:6]}", data)
                path = folder / f"{part}-{kind}-ubyte"
                if data is not None:
                    path.write_bytes(data)
        return folder


def run_where_there_is(*modules, variable="CHALKGRAD_PYTHON"):
    """Goes on in the Python that `variable` names, or CHALKGRAD_PYTHON; where it lacks one of these modules, the test is skipped."""
    python = os.environ.get(variable, os.environ.get("CHALKGRAD_PYTHON", sys.executable))
    if subprocess.run([python, "-c", f"import {', '.join(modules)}"], capture_output=True, check=False).returncode:
        print(f"SKIPPED: it needs Python's {', '.join(modules[:-1])} and {modules[-1]} ({variable} names a Python that has them)")
        sys.exit(77)
    if python != sys.executable:
        os.execv(python, [python, *sys.argv])


def main():
    global binary
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-") and os.path.exists(sys.argv[1]):
        binary = sys.argv.pop(1)
    binary = os.path.abspath(binary) if binary else sys.exit(__doc__)
    unittest.main(verbosity=1)
