#!/usr/bin/env python3
"""Adds to this folder what is missing of RUNS: make.py PATH_OF_CHALKGRAD. See README.md.

Each run is interrupted in the middle of an epoch, unless it is "finished": a named pipe as its log holds it up.
"""
import fcntl
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "cli"))
import support  # noqa: E402
from compat_test import reading, resuming  # noqa: E402

LAYERS = """
[[layer]]
type = "conv"
name = "filters"
filters = 4
kernel = [5, 3]
padding = "same"
flipped = true
bias = "untied"

[[layer]]
type = "activations"
functions = ["sigmoid", "tanh", "relu", "linear"]

[[layer]]
chain = "mp2"

[[layer]]
type = "dense"
outputs = 10
subtract_bias = true
init = "glorot"

[[layer]]
type = "softmax"
"""

# The options of a run, or the text of its configuration.
RUNS = {
    "finished": ["--net", "4c3-relu-mp2-10n", "--epochs", 3],
    "defaults": ["--net", "4c3-relu-mp2-10n"],
    "momentum": ["--net", "4c3-relu-mp2-10n", "--epochs", 8, "--batch", 48, "--lr", 0.04, "--momentum", 0.85, "--nesterov",
                 "--weight-decay", 0.001, "--schedule", "step:3,0.5+warmup:2", "--seed", 7],
    "batch-norm": ["--net", "4c3z-bn-relu-res(4c3z-bn)-relu-mp2-10n", "--epochs", 6, "--batch", 40, "--lr", 0.1,
                   "--schedule", "cosine+warmup:1"],
    "digest": ["--net", "4c3-bn-relu-mp2-10n", "--epochs", 6, "--schedule", "constant"],  # knows its data by a digest
    "squared-error": ["--net", "16n-tanh-10n-sigmoid", "--loss", "squared-error", "--epochs", 40, "--batch", 20, "--lr", 0.5,
                      "--momentum", 0, "--schedule", "constant", "--seed", 9223372036854775807],
    "binary-cross-entropy": ["--net", "12n-tanh-10n-sigmoid", "--loss", "binary-cross-entropy", "--epochs", 30, "--batch", 10],
    "sum-of-squares": ["--net", "12n-tanh-10n-sigmoid", "--loss", "sum-of-squares", "--epochs", 30, "--batch", 10, "--lr", 0.02],
    "ascent": LAYERS + """
[train]
data = "digits"
epochs = 12
batch = 30
lr = 0.1
momentum = 0.5
schedule = "cosine"
maximise = "log-likelihood"
seed = 3
""",
    "gaussian-ascent": """
network = "12n-tanh-10n"
[train]
data = "digits"
epochs = 30
batch = 10
lr = 0.01
maximise = "gaussian-log-likelihood"
""",
}


def interrupt(chalkgrad, options, model, pipe):
    """Trains until a third of the run is over, and stops it there, in the middle of an epoch."""
    os.mkfifo(pipe)
    held = os.open(pipe, os.O_RDWR)  # so that neither end waits for the other to open it
    fcntl.fcntl(held, fcntl.F_SETPIPE_SZ, 4096)
    process = subprocess.Popen([chalkgrad, "train", *options, "--quiet", "--out", model, "--log", pipe],
                               stdout=subprocess.DEVNULL)
    with open(pipe, "rb", buffering=0) as log:
        text, wanted = b"", None
        while piece := log.read(256):
            if not text:
                os.close(held)  # the program has opened it; from here on its end is the end
            text += piece
            if wanted is None and b"\n" in text:
                start = json.loads(text.partition(b"\n")[0])
                wanted = start["epochs"] * -(-1438 // start["batch"]) // 3 + 8
            if wanted and f'"step":{wanted},'.encode() in text:
                process.send_signal(signal.SIGINT)
                wanted = 0
    pipe.unlink()
    if process.wait() != 130:
        sys.exit(f"{model} was not interrupted: exit code {process.returncode}")
    step, per_epoch = position(model)
    if step % per_epoch == 0:
        sys.exit(f"{model} was interrupted between two epochs, after step {step}; remove it and try again")


def position(model):
    """Its step, and the steps of an epoch."""
    raw = model.read_bytes()
    about = json.loads(raw[8:8 + int.from_bytes(raw[:8], "little")])["__metadata__"]
    training, at = json.loads(about["chalkgrad.training"]), json.loads(about["chalkgrad.position"])
    return at["step"], -(-at["samples"] // training["batch"])


def main():
    support.binary = chalkgrad = os.path.abspath(sys.argv[1])
    notes = HERE / "expected.json"
    expected = json.loads(notes.read_text(encoding="utf-8")) if notes.exists() else {}
    version = subprocess.run([chalkgrad, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=pathlib.Path(chalkgrad).parent, text=True,
                            stdout=subprocess.PIPE).stdout.strip()
    with tempfile.TemporaryDirectory() as folder:
        for name, run in RUNS.items():
            model = HERE / f"{name}.safetensors"
            if model.exists():
                continue
            options = list(map(str, run))
            if isinstance(run, str):
                options = [pathlib.Path(folder, f"{name}.toml")]
                options[0].write_text(run, encoding="utf-8")
            if name == "finished":
                subprocess.run([chalkgrad, "train", *options, "--quiet", "--out", model], check=True)
            else:
                interrupt(chalkgrad, options, model, pathlib.Path(folder, f"{name}.pipe"))
            expected[name] = {"written_by": f"{version} ({commit})", "step": position(model)[0],
                              **reading(model, folder)}
            if name != "finished":
                expected[name]["resumed"] = resuming(model, folder)
            print(name, model.stat().st_size, "bytes, step", *position(model))
    notes.write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
