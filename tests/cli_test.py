#!/usr/bin/env python3
"""What the command line does, and above all what it does with nonsense: cli_test.py PATH_OF_CHALKGRAD [unittest args].

Without an argument the path is taken from the environment, CHALKGRAD.
"""
import contextlib
import fcntl
import json
import os
import pathlib
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest
import zipfile
import zlib

BINARY = os.environ.get("CHALKGRAD", "")
SMALL = ["--net", "4c3-relu-mp2-10n", "--batch", "64"]
LIMIT = 240  # seconds for any one command, on a machine that does other things too


def chalkgrad(*args, env=None, cwd=None):
    return subprocess.run([BINARY, *map(str, args)], capture_output=True, text=True, timeout=LIMIT, cwd=cwd,
                          env={**os.environ, **(env or {})})


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
    """Rewrites a model file without its checksum; change(header, data) returns both anew."""
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    header, data = json.loads(raw[8:8 + size]), raw[8 + size:]
    for key in ("chalkgrad.sha256", "chalkgrad.format"):
        header["__metadata__"].pop(key, None)
    header, data = change(header, data)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


class CliTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def path(self, name, data=None):
        path = self.folder / name
        if data is not None:
            path.write_bytes(data)
        return path

    def good(self, *args, **more):
        result = chalkgrad(*args, **more)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def refused(self, code, words, *args, **more):
        """The command fails with this code and one line on stderr that has all these words."""
        result = chalkgrad(*args, **more)
        what = f"chalkgrad {' '.join(map(str, args))}\nstdout: {result.stdout}\nstderr: {result.stderr}"
        self.assertEqual(result.returncode, code, what)
        self.assertRegex(result.stderr, r"\Achalkgrad: [^\n]+\n\Z", what)
        for word in [words] if isinstance(words, str) else words:
            self.assertIn(word, result.stderr, what)
        self.assertNotIn("sha256", result.stdout, what)
        return result

    def model(self, *args):
        path = self.path("model.safetensors")
        self.good("train", *SMALL, "--epochs", 1, "--quiet", "--out", path, *args)
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


class Usage(CliTest):
    def test_help_explains_every_command_and_shows_examples(self):
        text = self.good("--help")
        self.assertIn("chalkgrad train", text)
        for command in ("train", "eval", "predict", "info", "gradcheck", "grad", "bench"):
            self.assertIn(command, text)
            self.assertIn("--", self.good(command, "--help"))

    def test_version(self):
        self.assertRegex(self.good("--version"), r"\Achalkgrad \d+\.\d+\.\d+\n\Z")

    def test_misuse_is_one_line_and_exit_code_2(self):
        self.refused(2, "--help")
        self.refused(2, ['"trian"', 'did you mean "train"?'], "trian")
        self.refused(2, ['"--epohcs"', 'did you mean "--epochs"?'], "train", "--epohcs", 3)
        self.refused(2, "MODEL", "eval")
        self.refused(2, "IMAGE", "predict", "m.safetensors")
        self.refused(2, "surplus", "info", "m.safetensors", "surplus")
        self.refused(2, "no network", "info")
        self.refused(2, "one of them", "info", "m.safetensors", "--net", "10n")
        self.refused(2, "shape", "info", "--net", "10n", "--input", "1y28")
        self.refused(2, "shape", "info", "--net", "10n")
        self.refused(2, "--out", "train", "--checkpoint-every", 3)
        self.refused(2, "empty", "train", "--net", "")

    def test_impossible_numbers_name_the_option(self):
        for option, values in {"--lr": ["nan", "0", "-1", "inf", "x", "1e999"], "--momentum": ["1", "-0.1", "nan"],
                               "--epochs": ["0", "-3", "1.5", "99999999999999999999", "x"], "--batch": ["0", "-1", "x"],
                               "--weight-decay": ["-1", "nan"], "--threads": ["-1", "5000"], "--seed": ["-1", "x"],
                               "--schedule": ["sometimes", "step:0,0"], "--loss": ["mse", "log-likelihood"],
                               "--maximise": ["squared-error"],
                               "--checkpoint-every": ["0"], "--print-after": ["simplfy"]}.items():
            for value in values:
                with self.subTest(option=option, value=value):
                    self.refused(2, option, "train", option, value)
        self.refused(2, "--batch", "bench", "--net", "10n", "--input", "1x8x8", "--batch", "0")
        self.refused(2, "--seconds", "bench", "--net", "10n", "--input", "1x8x8", "--seconds", "nan")

    def test_a_full_or_closed_stdout_is_an_error(self):
        with open("/dev/full", "w") as full:
            result = subprocess.run([BINARY, "info", "--net", "10n", "--input", "1x8x8"], stdout=full,
                                    stderr=subprocess.PIPE, text=True, timeout=LIMIT)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"\Achalkgrad: [^\n]*No space left[^\n]*\n\Z")

    def test_an_unknown_instruction_set_is_an_error(self):
        self.refused(1, "CHALKGRAD_TARGET", "train", *SMALL, env={"CHALKGRAD_TARGET": "mmx"})


class Networks(CliTest):
    def test_typing_errors_are_pointed_at(self):
        for net, words in {"20c5-rleu": ["character 6", '"rleu"', 'did you mean "relu"?'], "-": ["character 1"],
                           "20c5-": ["character 5"], "20c5--relu": ["character 6"], "20c": ["character 4", "kernel"],
                           "0c5-10n": ["at least 1"], "99999999999999999999n": ["too large"], "20c5zz": ["character 6"],
                           "20c4z": ["odd"], "20c5–relu": ["character 5", "–"], "softmax-10n": ["last"],
                           "10n\x1b[2J": ["\\x1b"]}.items():
            with self.subTest(net=net):
                self.refused(2, words, "info", "--net", net, "--input", "1x28x28")
        result = subprocess.run([BINARY.encode(), b"info", b"--input", b"1x8x8", b"--net", b"10n-\xff\xfe"],
                                capture_output=True, timeout=LIMIT)
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"\\xff", result.stderr)

    def test_shapes_that_do_not_fit_name_the_layer(self):
        self.refused(1, ["conv2", "3×3", "maxpool1"], "info", "--net", "4c3-mp2-4c5-10n", "--input", "1x8x8")
        self.refused(1, ["classes", "10n"], "train", "--net", "4c3-relu-7n")

    def test_absurd_sizes_are_refused_at_once(self):
        self.refused(2, "parameters", "info", "--net", "1000000n-1000000n", "--input", "1x8x8")
        self.refused(2, "large", "info", "--net", "1048576c1z", "--input", "1x64x64")

    def test_toml_files_say_line_and_column(self):
        toml = self.path("net.toml", b'[[layer]]\ntype = "conv"\nfiltres = 3\n')
        self.refused(1, ["net.toml: line 3, column 1", '"filtres"', 'did you mean "filters"?'],
                     "info", "--net", toml, "--input", "1x8x8")
        for text in (b"", b"\xff\xfe", b"[[layer]]", b'[[layer]]\ntype = "cnov"', b"a = " + b"[" * 5000,
                     b'[[layer]]\ntype = "dense"\noutputs = 99999999999999999999999', b'[[layer]]\nchain = "relu-"'):
            with self.subTest(text=text[:40]):
                self.path("net.toml", text)
                self.assertIn(chalkgrad("info", "--net", toml, "--input", "1x8x8").returncode, (1, 2))
        self.refused(1, "missing.toml", "info", "--net", self.path("missing.toml"), "--input", "1x8x8")

    def test_a_residual_network_in_toml_trains(self):
        toml = self.path("net.toml", b"""
            input = [1, 8, 8]
            [[layer]]
            type = "conv"
            name = "stem"
            filters = 4
            padding = "same"
            [[layer]]
            chain = "relu-4c3z"
            [[layer]]
            type = "add"
            from = ["stem", "conv1"]
            [[layer]]
            chain = "relu-mp2-10n"
        """)
        out = self.path("m.safetensors")
        sha = sha_of(self.good("train", "--net", toml, "--epochs", 2, "--quiet", "--out", out))
        self.assertIn(sha, self.good("info", out))
        accuracy = json.loads(self.good("eval", out, "--json"))["accuracy"]
        self.assertGreater(accuracy, 0.8)

    def test_info_counts(self):
        info = json.loads(self.good("info", "--net", "20c5-relu-mp2-40c5-relu-mp2-100n-relu-10n", "--input", "1x28x28", "--json"))
        self.assertEqual(info["parameters"], 20 * 26 + 40 * 501 + 100 * 641 + 10 * 101)
        first, rest = 20 * 24 * 24 * 25, 40 * 8 * 8 * 500 + 64000 + 1000
        self.assertEqual(info["multiply_adds"], {"inference": first + rest, "training": 2 * first + 3 * rest})
        self.assertEqual(info["layers"][1]["name"], "relu1")
        self.assertGreater(info["memory"]["training"]["total"], info["memory"]["inference"]["total"])
        self.assertIn("conv2d", self.good("info", "--net", "4c3-10n", "--input", "1x8x8", "--graph"))


class Training(CliTest):
    def test_without_options_it_learns_the_digits(self):
        out = self.good("train")
        self.assertGreater(float(re.search(r"test accuracy ([\d.]+) %", out)[1]), 97)
        sha_of(out)
        self.assertNotIn("\x1b", out)

    def test_any_number_of_threads_gives_the_same_bits(self):
        found = {sha_of(self.good("train", *SMALL, "--epochs", 2, "--quiet", "--threads", n)) for n in (1, 2, 3, 4)}
        self.assertEqual(len(found), 1, found)

    def test_seed_and_rate_change_the_bits(self):
        options = ([], ["--seed", 2], ["--lr", 0.01], ["--nesterov"], ["--weight-decay", 0.001], ["--schedule", "cosine"])
        found = {sha_of(self.good("train", *SMALL, "--epochs", 1, "--quiet", *o)) for o in options}
        self.assertEqual(len(found), len(options))

    def test_model_log_and_json_agree(self):
        out, log = self.path("m.safetensors"), self.path("log.jsonl")
        result = json.loads(self.good("train", *SMALL, "--epochs", 2, "--json", "--out", out, "--log", log))
        again = json.loads(self.good("eval", out, "--json"))
        self.assertEqual(result["test_accuracy"], again["accuracy"])
        self.assertEqual(sum(c["samples"] for c in again["classes"]), again["samples"])
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        steps = [line for line in lines if "step" in line]
        self.assertEqual([line["step"] for line in steps], list(range(1, 2 * 23 + 1)))
        self.assertTrue({"step", "epoch", "loss", "lr"} <= set(steps[0]))
        epochs = [line for line in lines if "train_loss" in line]
        self.assertEqual([line["epoch"] for line in epochs], [1, 2])
        self.assertEqual(epochs[-1]["test_accuracy"], result["test_accuracy"])
        self.assertIn(result["weights_sha256"], self.good("info", out))

    def test_the_derivation_can_be_printed(self):
        for made, sign in (("differentiate", "= conv2d_weight_grad("), ("simplify", "= softmax("),
                           ("fuse", "conv2d+bias+relu"), ("plan", "phase 1")):
            result = chalkgrad("train", *SMALL, "--epochs", 1, "--print-after", made)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn(sign, result.stderr)

    def test_a_loss_that_explodes_names_step_and_layer(self):
        self.refused(1, ["step 2", "not finite", "layer"], "train", "--net", "4c3-relu-10n", "--lr", "1e30")

    def test_files_that_cannot_be_written_are_noticed_before_training(self):
        missing, started = self.folder / "no" / "such", "1/12"
        for option in ("--out", "--log"):
            for target in (missing, self.folder, "/dev/full"):
                with self.subTest(option=option, target=str(target)):
                    result = self.refused(1, str(target), "train", *SMALL, option, target)
                    self.assertNotIn(started, result.stdout)

    def test_a_full_disk_leaves_the_old_model_and_no_litter(self):
        disk = self.folder / "disk"
        disk.mkdir()
        if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", disk],
                                               capture_output=True).returncode != 0:
            self.skipTest("mounting a small file system needs root")
        self.addCleanup(subprocess.run, ["umount", disk])
        out = disk / "m.safetensors"
        self.good("train", *SMALL, "--epochs", 1, "--quiet", "--out", out)
        before = out.read_bytes()
        self.refused(1, ["m.safetensors", "No space left"], "train", "--net", "8c3-relu-100n-10n", "--out", out)
        self.assertEqual([p.name for p in disk.iterdir()], [out.name])
        self.assertEqual(out.read_bytes(), before)
        with contextlib.suppress(OSError), open(disk / "rest", "wb", buffering=0) as rest:
            while rest.write(b"0" * 512):
                pass
        self.refused(1, ["log", "No space left"], "train", *SMALL, "--log", disk / "log.jsonl")

    def wait_for_step(self, process, log, step):
        end = time.monotonic() + LIMIT
        while time.monotonic() < end and process.poll() is None:
            if log.exists() and f'"step":{step},' in log.read_text():
                return
            time.sleep(0.002)
        self.fail(f"training ended before step {step} could be seen: {process.communicate()}")

    def interrupted(self, how):
        """Starts a run, ends it in the middle by that signal, and returns it with its checkpoint and its options."""
        out, log = self.path("m.safetensors"), self.path("log.jsonl")
        options = ["--net", "8c3-relu-mp2-10n", "--epochs", "30", "--batch", "16", "--quiet"]
        process = subprocess.Popen([BINARY, "train", *options, "--checkpoint-every", "7", "--out", out, "--log", log],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.wait_for_step(process, log, 200)
        process.send_signal(how)
        stdout, stderr = process.communicate(timeout=LIMIT)
        self.assertNotIn("sha256", stdout, "the run was over before it could be interrupted")
        return process.returncode, stderr, out, options

    def test_a_killed_run_goes_on_to_the_same_bits(self):
        code, _, out, options = self.interrupted(signal.SIGKILL)
        self.assertEqual(code, -signal.SIGKILL)
        resumed = self.good("train", "--resume", out, "--out", out, "--threads", 1, "--quiet")
        self.assertEqual(sha_of(resumed), sha_of(self.good("train", *options)))
        self.refused(1, "finished", "train", "--resume", out)

    def test_control_c_saves_and_says_how_to_go_on(self):
        code, stderr, out, options = self.interrupted(signal.SIGINT)
        self.assertEqual(code, 130)
        self.assertRegex(stderr, r"\Achalkgrad: stopped after step \d+ of 2,700; .*--resume [^\n]+\n\Z")
        for different in (["--lr", 0.01], ["--epochs", 7], ["--batch", 8], ["--net", "10n"], ["--seed", 5], ["--nesterov"],
                          ["--data", "mnist:x"], ["--schedule", "cosine"], ["--momentum", 0.5], ["--loss", "squared-error"]):
            with self.subTest(different=different):
                self.refused(2, [different[0], "leave it out"], "train", "--resume", out, *different)
        resumed = self.good("train", "--resume", out, "--epochs", 30, "--quiet")
        self.assertEqual(sha_of(resumed), sha_of(self.good("train", *options)))

    def on_terminal(self, **env):
        leader, follower = pty.openpty()
        process = subprocess.Popen([BINARY, "train", *SMALL, "--epochs", "3"], stdin=follower, stdout=follower, stderr=follower,
                                   env={**os.environ, "TERM": "xterm", **env})
        os.close(follower)
        shown = b""
        with contextlib.suppress(OSError):
            while piece := os.read(leader, 65536):
                shown += piece
        os.close(leader)
        self.assertEqual(process.wait(LIMIT), 0)
        return shown.decode()

    def test_a_terminal_sees_a_bar_and_others_do_not(self):
        environment = {"NO_COLOR": ""}
        self.assertIn("\x1b[32m", self.on_terminal(**environment))
        plain = self.on_terminal(NO_COLOR="1")
        self.assertIn("\r", plain)
        self.assertNotIn("\x1b[3", plain)
        result = chalkgrad("train", *SMALL, "--epochs", 1)
        self.assertNotIn("\x1b", result.stdout + result.stderr)
        self.assertEqual(result.stderr, "")


class Configurations(CliTest):
    CONFIG = b"""
        # A comment.
        network = "4c3-relu-mp2-10n-softmax"
        [train]
        data = "digits"
        epochs = 2
        batch = 64
        lr = 0.05
        momentum = 0.8
        maximise = "log-likelihood"
        schedule = "cosine"
        seed = 3
    """

    def config(self, text=CONFIG):
        return self.path("c.toml", text)

    def test_a_configuration_trains_as_its_options_do(self):
        net = ["--net", "4c3-relu-mp2-10n-softmax"]
        options = ["--epochs", 2, "--batch", 64, "--lr", 0.05, "--momentum", 0.8, "--maximise", "log-likelihood",
                   "--schedule", "cosine", "--seed", 3]
        out, log = self.path("m.safetensors"), self.path("log.jsonl")
        sha = sha_of(self.good("train", self.config(), "--quiet", "--out", out, "--log", log))
        self.assertEqual(sha, sha_of(self.good("train", *net, *options, "--quiet")))
        start, *_, last = [json.loads(line) for line in log.read_text().splitlines()]
        self.assertEqual((start["maximise"], start["epochs"], start["momentum"]), ("log-likelihood", 2, 0.8))
        self.assertNotIn("loss", start)
        self.assertLess(last["test_loss"], 0, "the logarithm of a likelihood")
        again = json.loads(self.good("eval", out, "--json"))
        self.assertEqual(again["loss"], last["test_loss"])
        self.assertEqual(again["accuracy"], last["test_accuracy"])
        self.assertIn("log-likelihood -", self.good("eval", out))
        self.assertIn(sha, self.good("info", out))

    def test_options_win_over_the_table(self):
        result = json.loads(self.good("train", self.config(), "--epochs", 1, "--loss", "squared-error", "--json"))
        self.assertEqual((result["loss"], result["steps"]), ("squared-error", 23))
        self.assertNotIn("maximise", result)
        folder = self.mnist_like()
        self.assertIn("10 samples to train", self.good("train", self.config(), "--data", f"mnist:{folder}", "--epochs", 1))

    def test_the_file_is_a_network_for_other_commands(self):
        config = self.config()
        info = json.loads(self.good("info", "--net", config, "--input", "1x8x8", "--json"))
        self.assertEqual(info["layers"][-1]["name"], "softmax1")
        self.good("gradcheck", "--net", config, "--input", "1x8x8")
        self.good("bench", "--net", config, "--input", "1x8x8", "--seconds", 0.1, "--threads", 1)
        as_net = self.good("train", "--net", config, "--epochs", 1, "--quiet")
        self.assertEqual(sha_of(as_net), sha_of(self.good("train", "--net", "4c3-relu-mp2-10n-softmax", "--epochs", 1, "--quiet")))

    def test_an_interrupted_configuration_is_resumed(self):
        out = self.path("m.safetensors")
        self.good("train", self.config(), "--quiet", "--out", out)
        self.refused(2, ["--maximise gaussian-log-likelihood differs from log-likelihood"],
                     "train", "--resume", out, "--maximise", "gaussian-log-likelihood")
        self.refused(2, ["--loss squared-error differs from log-likelihood"], "train", "--resume", out, "--loss", "squared-error")
        self.refused(1, "finished", "train", "--resume", out, "--maximise", "log-likelihood")

    def test_mistakes_are_pointed_at(self):
        for text, words in ((b'network = "10n"\n[train]\nepohcs = 3', ["line 3, column 1", 'did you mean "epochs"?']),
                            (b'network = "10n"\n[train]\nlr = -1', ["line 3, column 6", "above 0"]),
                            (b'network = "10m"', ["line 1, column 11", "character 1"]),
                            (b'[train]\nepochs = 3', ["[[layer]]", "network ="]),
                            (b'netwrok = "10n"', ['did you mean "network"?']),
                            (b"10n", ["network ="]), (b"", ["network ="]), (b"\xff = 3", ["line 1"])):
            with self.subTest(text=text):
                self.refused(1, ["c.toml", *words], "train", self.config(text))
        self.refused(1, "missing.toml", "train", self.path("missing.toml"))
        self.refused(1, ["c.toml", "epohcs"], "info", "--net", self.config(b'network = "10n"\n[train]\nepohcs = 3'),
                     "--input", "1x8x8")
        config = self.config()
        self.refused(2, ["c.toml and --net", "one of them"], "train", config, "--net", "10n")
        self.refused(2, ["c.toml and --resume"], "train", config, "--resume", "m.safetensors")
        self.refused(2, ["--loss", "--maximise"], "train", config, "--loss", "squared-error", "--maximise", "log-likelihood")
        self.refused(2, ['"surplus" is no configuration', "--net surplus"], "train", "surplus")

    def test_every_loss_reports_its_accuracy(self):
        for option, names in (("--loss", ("cross-entropy", "squared-error", "sum-of-squares", "binary-cross-entropy")),
                              ("--maximise", ("log-likelihood", "gaussian-log-likelihood"))):
            for name in names:
                with self.subTest(name):
                    out, log = self.path("m.safetensors"), self.path(f"{name}.jsonl")
                    result = json.loads(self.good("train", "--net", "20n-tanh-10n-sigmoid", option, name, "--epochs", 1,
                                                  "--json", "--out", out, "--log", log))
                    self.assertEqual(result[option[2:]], name)
                    epoch = json.loads(log.read_text().splitlines()[-1])
                    self.assertGreater(epoch["train_accuracy"], 0)
                    self.assertEqual(epoch["test_accuracy"], result["test_accuracy"])
                    self.assertEqual(json.loads(self.good("eval", out, "--json"))["loss"], result["test_loss"])

    def test_an_output_without_logarithm_is_named(self):
        said = self.refused(1, ["binary cross-entropy takes its logarithm", "end the network with sigmoid"], "train",
                            "--net", "20n-tanh-10n-tanh", "--loss", "binary-cross-entropy").stderr
        self.assertRegex(said, r"step 1 \(epoch 1\): dense2 \(tanh2\) gives -0\.\d+ for output \d of sample \d+;")


class Data(CliTest):
    def test_files_in_the_format_of_mnist(self):
        folder = self.mnist_like()
        sha_of(self.good("train", "--data", f"mnist:{folder}", *SMALL, "--epochs", 1, "--quiet"))

    def test_damaged_files_are_named(self):
        pixels = bytes(640)
        for name, data, word in (("truncated", idx(8, [10, 8, 8], pixels[:-1]), "train-images"),
                                 ("oversized", idx(8, [10, 8, 8], pixels + b"x"), "train-images"),
                                 ("empty", b"", "train-images"), ("header only", idx(8, [10, 8, 8], b""), "train-images"),
                                 ("wrong magic", b"PK" + idx(8, [10, 8, 8], pixels)[2:], "train-images"),
                                 ("floats", idx(13, [10, 8, 8], pixels * 4), "train-images"),
                                 ("labels", idx(8, [10], bytes(10)), "train-images"),
                                 ("huge", idx(8, [2**31, 2**15, 2**15], pixels), "train-images"),
                                 ("no samples", idx(8, [0, 8, 8], b""), "train-images"),
                                 ("nine images", idx(8, [9, 8, 8], pixels[:576]), "labels"),
                                 ("broken gzip", b"\x1f\x8b\x08" + pixels, "train-images")):
            with self.subTest(name):
                folder = self.mnist_like(train_images=data)
                self.refused(1, word, "train", "--data", f"mnist:{folder}", *SMALL)

    def test_missing_files_and_unknown_data(self):
        folder = self.mnist_like()
        (folder / "t10k-labels-idx1-ubyte").unlink()
        self.refused(1, "t10k-labels", "train", "--data", f"mnist:{folder}")
        self.refused(1, "nowhere", "train", "--data", "mnist:/nowhere")
        self.refused(1, "digits", "train", "--data", "digitz")

    def test_data_that_do_not_fit_the_model(self):
        small = idx(8, [10, 4, 4], bytes(160))
        folder = self.mnist_like(train_images=small, t10k_images=small)
        self.refused(1, ["1×4×4", "1×8×8"], "eval", self.model(), "--data", f"mnist:{folder}")


class Models(CliTest):
    def test_any_flipped_bit_is_noticed(self):
        path = self.model()
        data = path.read_bytes()
        for at in [0, 3, 9, 60, 400, len(data) // 2, len(data) - 1]:
            with self.subTest(at=at):
                path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
                self.refused(1, "model.safetensors", "eval", path)
        for size in (0, 7, 8, 100, len(data) - 1):
            path.write_bytes(data[:size])
            self.refused(1, "model.safetensors", "eval", path)
        self.refused(1, "model.safetensors", "info", self.path("model.safetensors", os.urandom(3000)))

    def test_tensors_must_be_those_of_the_network(self):
        path = self.model()
        original = path.read_bytes()

        def edited(change):
            path.write_bytes(original)
            edit_safetensors(path, change)

        def without(header, data):
            header["dense1.weight.other"] = header.pop("dense1.weight")
            return header, data

        def reshaped(header, data):
            header["conv1.weight"]["shape"] = [36]
            return header, data

        def extra(header, data):
            header["surplus"] = {"dtype": "F32", "shape": [1], "data_offsets": [len(data), len(data) + 4]}
            return header, data + bytes(4)

        def other_network(header, data):
            header["__metadata__"]["chalkgrad.network"] = "5c3-relu-mp2-10n"
            return header, data

        def no_network(header, data):
            del header["__metadata__"]["chalkgrad.network"]
            return header, data

        edited(lambda header, data: (header, data))
        self.good("eval", path)
        for change, word in ((without, "dense1"), (reshaped, "conv1.weight"), (extra, "surplus"),
                             (other_network, "conv1"), (no_network, "chalkgrad.network")):
            with self.subTest(change.__name__):
                edited(change)
                self.refused(1, ["model.safetensors", word], "eval", path)

    def test_predict(self):
        path = self.path("m.safetensors")
        self.good("train", "--epochs", 6, "--quiet", "--out", path)
        one = self.path("one.png", png(24, 24, lambda x, y: 255 if 9 <= x <= 14 and 2 <= y <= 21 else 0))
        inverse = self.path("inverse.png", png(24, 24, lambda x, y: 0 if 9 <= x <= 14 and 2 <= y <= 21 else 255))
        self.assertIn("one.png: 1 ", self.good("predict", path, one))
        result = json.loads(self.good("predict", path, one, inverse, "--json", "--top", 10))
        self.assertEqual(result[0]["label"], "1")
        self.assertAlmostEqual(sum(t["probability"] for t in result[0]["top"]), 1, places=5)
        alone = json.loads(self.good("predict", path, inverse, "--json", "--top", 10, "--invert"))
        self.assertEqual(alone[0]["top"], result[0]["top"], "a prediction depends on the image alone")
        self.refused(1, "missing.png", "predict", path, self.path("missing.png"))
        self.refused(1, "text.png", "predict", path, self.path("text.png", b"no image"))
        self.refused(1, "cut.png", "predict", path, self.path("cut.png", one.read_bytes()[:60]))


class Mathematics(CliTest):
    NET = ["--net", "2c3z-tanh-mp2-3c3-sigmoid-5n", "--input", "1x8x8"]

    def test_gradcheck_passes_and_any_corruption_fails_it(self):
        self.assertIn("conv2.weight", self.good("gradcheck", *self.NET))
        for operation in ("conv2d", "tanh", "max_pool", "sigmoid", "dense", "add", "reshape", "log_softmax", "batch_sum"):
            with self.subTest(operation):
                result = chalkgrad("gradcheck", *self.NET, "--corrupt", operation, "--json")
                self.assertEqual(result.returncode, 1, result.stderr)
                self.assertFalse(json.loads(result.stdout)["passed"])
        self.refused(2, ["conv3d", "conv2d"], "gradcheck", *self.NET, "--corrupt", "conv3d")
        self.refused(1, "smaller", "gradcheck", "--net", "64c5-100n-10n", "--input", "1x28x28")

    def test_gradcheck_by_update_passes_and_any_corruption_fails_it(self):
        self.assertIn("conv2.weight", self.good("gradcheck", *self.NET, "--by-update"))
        report = json.loads(self.good("gradcheck", *self.NET, "--by-update", "--alpha", 0.01, "--json"))
        self.assertTrue(report["passed"])
        self.assertEqual([u["name"] for u in report["updates"]][0], "conv1.weight")
        for update in report["updates"]:
            self.assertLess(update["predicted"], 0)
            self.assertAlmostEqual(update["ratio"], 1, delta=0.1)
            self.assertAlmostEqual(update["error_at_tenth"], update["error"] / 10, delta=1e-4)
        for operation in ("conv2d", "tanh", "max_pool", "sigmoid", "dense", "add", "reshape", "log_softmax", "batch_sum"):
            with self.subTest(operation):
                result = chalkgrad("gradcheck", *self.NET, "--by-update", "--corrupt", operation, "--json")
                self.assertEqual(result.returncode, 1, result.stderr)
                self.assertFalse(json.loads(result.stdout)["passed"])
        ascent = self.path("ascent.toml", b'network = "5n-softmax"\n[train]\nmaximise = "log-likelihood"')
        report = json.loads(self.good("gradcheck", "--net", ascent, "--input", "1x8x8", "--by-update", "--json"))
        self.assertEqual(report["maximise"], "log-likelihood")
        self.assertTrue(all(u["predicted"] > 0 for u in report["updates"]), "it climbs")
        tanh = self.path("tanh.toml", b'network = "5n-tanh"\n[train]\nloss = "binary-cross-entropy"')
        for more in ([], ["--by-update"]):
            self.refused(1, ["dense1 (tanh1) gives -", "end the network with sigmoid"],
                         "gradcheck", "--net", tanh, "--input", "1x8x8", *more)
        self.refused(2, ["--alpha", "--by-update"], "gradcheck", *self.NET, "--alpha", 0.1)
        self.refused(2, "--alpha", "gradcheck", *self.NET, "--by-update", "--alpha", 0)

    def test_grad_writes_all_values_and_gradients(self):
        path = self.path("g.npz")
        for more in ([], ["--engine"]):
            self.good("grad", "--net", "4c3-relu-mp2-10n", "--data", "digits", "--index", 3, "--batch", 2, "--out", path, *more)
            with zipfile.ZipFile(path) as file:
                names = set(file.namelist())
                header = file.read("value/conv1.npy")[:128].decode("latin1")
            for name in ("x", "t", "conv1", "relu1", "maxpool1", "dense1", "conv1.weight", "dense1.bias", "loss"):
                self.assertIn(f"value/{name}.npy", names)
                self.assertIn(f"gradient/{name}.npy", names)
            self.assertIn("(2, 4, 6, 6", header)
        self.refused(2, ["360", "359"], "grad", "--net", "10n", "--part", "test", "--index", 360, "--out", path)
        self.refused(1, "no", "grad", "--net", "10n", "--out", self.folder / "no" / "g.npz")

    def test_bench_measures(self):
        result = json.loads(self.good("bench", "--net", "4c3-relu-10n", "--input", "1x8x8", "--seconds", 0.2, "--threads", 1, "--json"))
        self.assertGreater(result["training"]["samples_per_second"], 0)
        self.assertGreater(result["inference"]["samples_per_second"], result["training"]["samples_per_second"])
        self.assertGreater(result["peak_gflops"], 0.1)
        self.assertLess(result["peak_gflops"], 64 * 7, "one core: 64 operations a cycle at 7 GHz would be a wonder")
        self.assertLess(result["inference"]["of_peak"], 1.5)
        self.assertGreater(result["peak_memory"], 1 << 20)

    def test_bench_measures_only_what_is_wanted(self):
        net = ["bench", "--net", "4c3-relu-10n", "--input", "1x8x8", "--seconds", 0.1, "--threads", 1]
        for only, there, gone in (("train", "training", "inference"), ("predict", "inference", "training")):
            result = json.loads(self.good(*net, "--only", only, "--json"))
            self.assertIn(there, result)
            self.assertNotIn(gone, result)
            self.assertIn(there, self.good(*net, "--only", only))
            once = json.loads(self.good(*net, "--only", only, "--once", "--json"))
            self.assertGreater(once["peak_memory"], 1 << 20)
            self.assertNotIn("rounds", once)
        self.assertIn("one step", self.good(*net, "--once"))
        self.refused(2, ["--only", "train", "predict"], *net, "--only", "forward")
        self.refused(2, ["--once", "--profile"], *net, "--once", "--profile")

    def test_bench_says_where_the_time_goes(self):
        net = ["bench", "--net", "4c3-relu-mp2-10n", "--input", "1x8x8", "--seconds", 0.2, "--profile"]
        result = json.loads(self.good(*net, "--json"))
        self.assertEqual(result["threads"], 1, "unless others are asked for")
        parts = {}
        for row in result["kernels"]:
            parts.setdefault(row["part"], []).append(row)
        self.assertEqual(set(parts), {"forward", "backward", "update", "between"})
        self.assertAlmostEqual(sum(row["of_time"] for row in result["kernels"]), 1, delta=0.05)
        conv = next(row for row in parts["forward"] if row["layer"] == "conv1")
        self.assertEqual(conv["multiply_adds"], 4 * 6 * 6 * 9)
        self.assertEqual(conv["calls_per_step"], 4, "64 samples are four microbatches")
        self.assertGreater(conv["gflops"], 0)
        products = sum(row["multiply_adds"] for row in result["kernels"])
        trained = json.loads(self.good(*net[:-1], "--threads", 1, "--json"))["training"]["multiply_adds"]
        self.assertEqual(products, trained, "every multiply-add belongs to a kernel")
        text = self.good(*net, "--threads", 2)
        for words in ("all forward", "all backward", "gather samples", "2 threads"):
            self.assertIn(words, text)
        for batch, kernel in ((1, "dense+bias, one sample"), (2, "dense+bias")):
            result = json.loads(self.good(*net, "--only", "predict", "--batch", batch, "--json"))
            self.assertEqual({row["part"] for row in result["kernels"]}, {"forward", "between"})
            self.assertIn(kernel, [row["kernel"] for row in result["kernels"]])
        text = self.good(*net, "--only", "predict")
        self.assertIn("a prediction", text)
        self.assertNotIn("backward", text)


class Seeds(CliTest):
    """examples/seeds/*.toml: the systems that the derivations describe, each trained by one command."""
    FILES = sorted((pathlib.Path(__file__).resolve().parent.parent / "examples" / "seeds").glob("*.toml"))
    WITHOUT_LOGARITHM = "001-3"

    def test_each_is_explained_and_says_its_command(self):
        self.assertGreaterEqual(len(self.FILES), 15)
        self.assertEqual({f.name[:3] for f in self.FILES}, {"000", "001", "002", "003", "004"})
        for file in self.FILES:
            with self.subTest(file.name):
                text = file.read_text()
                self.assertTrue(text.startswith(f"# Derivation {file.name[:3]}"))
                self.assertIn(f"\n#   chalkgrad train examples/seeds/{file.name}\n", text)
                if file.stem != self.WITHOUT_LOGARITHM:
                    self.assertRegex(text, rf"\n#   chalkgrad train examples/seeds/{re.escape(file.name)} "
                                           r"--data mnist:FOLDER --epochs \d+\n")

    def test_each_learns_the_digits(self):
        for file in self.FILES:
            if file.stem == self.WITHOUT_LOGARITHM:
                continue
            with self.subTest(file.name):
                log = self.path(f"{file.stem}.jsonl")
                result = json.loads(self.good("train", file, "--epochs", 3, "--json", "--log", log))
                epochs = [json.loads(line) for line in log.read_text().splitlines() if "train_loss" in line]
                better = epochs[-1]["train_loss"] - epochs[0]["train_loss"]
                self.assertGreater(better if "maximise" in result else -better, 0)
                self.assertGreater(result["test_accuracy"], 0.6)

    def test_each_fits_mnist_and_has_right_gradients(self):
        for file in self.FILES:
            if file.stem == self.WITHOUT_LOGARITHM:
                continue
            with self.subTest(file.name):
                self.good("info", "--net", file, "--input", "1x28x28")
                self.assertIn("by what its gradient says", self.good("gradcheck", "--net", file, "--input", "1x8x8", "--by-update"))

    def test_tanh_outputs_under_binary_cross_entropy_are_refused(self):
        file, = [f for f in self.FILES if f.stem == self.WITHOUT_LOGARITHM]
        said = self.refused(1, "end the network with sigmoid", "train", file).stderr
        self.assertRegex(said, r"step 1 \(epoch 1\): dense2 \(tanh2\) gives -?[\d.]+ for output \d of sample \d+; binary "
                               r"cross-entropy takes its logarithm and needs outputs between 0 and 1;")

class CheckTest(CliTest):
    """chalkgrad check: equations true or false."""

    TEXT = ("# a derivation\n"
            "part One layer\n"
            "network x: 3 > z = dense(W: 2 outputs, bias b) > y = sigmoid\n"
            "% y = \\sigma(z)\n"
            "(1) y = sigmoid(z)\n"
            "E := sum(i, y[i]^2)\n"
            "(2) dE/dz[i]\n"
            "(3)   = 2*y[i]\n"
            "erratum the derivative of y is lost\n"
            "corrected = 2*y[i]*dy[i]/dz[i]\n")
    FALSE = "given α, b in 1..2\nα*b = α + b\n"

    def derivation(self, text, name="test.chalk"):
        return self.path(name, text.encode())

    def test_every_line_has_its_verdict(self):
        out = self.good("check", self.derivation(self.TEXT))
        lines = out.splitlines()
        self.assertEqual(lines[:3], ["", "One layer", "(1)      verified    y = sigmoid(z)"])
        self.assertEqual(lines[3], "line 6   definition  E := sum(i, y[i]^2)")
        self.assertEqual(lines[4], "(2)      definition  dE/dz[i]")
        self.assertEqual(lines[5:7], ["(3)      erratum     = 2*y[i]", " " * 21 + "the derivative of y is lost"])
        self.assertRegex(lines[7], r"^ {21}as printed: left is .*, right is .* at i=0; they differ at 2 of 2 places")
        self.assertEqual(lines[8], " " * 21 + "corrected:  = 2*y[i]*dy[i]/dz[i]")
        self.assertEqual(lines[9:], ["1 verified, 1 erratum, 2 definitions, 0 failed"])
        self.assertNotIn("\033", out)

    def test_what_is_false_fails(self):
        result = chalkgrad("check", self.derivation(self.FALSE))
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, "")
        self.assertRegex(result.stdout, r"\Aline 2   FALSE       alpha\*b = alpha \+ b\n {21}left is [\d.]+, right is [\d.]+\n"
                                        r"0 verified, 0 errata, 0 definitions, 1 failed\n\Z")
        quiet = chalkgrad("check", "--quiet", self.derivation(self.FALSE + "b = b\n"))
        self.assertNotIn("verified    ", quiet.stdout)
        self.assertIn("FALSE", quiet.stdout)
        self.assertIn("1 verified, 0 errata, 0 definitions, 1 failed", quiet.stdout)

    def test_an_error_points_at_its_character(self):
        result = chalkgrad("check", self.derivation("given α, β\nα + β =\n\tα*β*γγ[0]\n"))
        self.assertEqual(result.returncode, 1)
        lines = result.stdout.splitlines()
        mark = next(k for k, line in enumerate(lines) if line.endswith("^"))
        self.assertEqual(lines[mark - 1], " " * 21 + "3 |  α*β*γγ[0]")
        self.assertEqual(lines[mark - 1][len(lines[mark]) - 1], "γ")
        self.assertEqual(lines[mark].index("^"), lines[mark - 1].index("γ"))

    def test_what_cannot_be_read_is_one_line_on_stderr(self):
        self.refused(1, ["test.chalk", "line 1, character 13", "a layer expected"], "check",
                     self.derivation("network x: 3 \n"))
        self.refused(1, ["not UTF-8"], "check", self.path("latin.chalk", b"given \xe9"))
        self.refused(1, ["control character"], "check", self.path("nul.chalk", b"a = \0"))
        self.refused(1, ["has no equation", "docs/check.md"], "check", self.derivation("# nothing\n"))
        self.refused(1, ["has no equation"], "check", self.derivation(""))
        self.refused(1, ["nowhere.chalk"], "check", self.folder / "nowhere.chalk")
        self.refused(1, [str(self.folder)], "check", self.folder)
        self.refused(1, ["too large"], "check", self.path("large.chalk", b"1 = 1\n" * 200_000))

    def test_the_command_line_is_checked(self):
        file = self.derivation(self.TEXT)
        self.refused(2, "FILE", "check")
        self.refused(2, "--trials", "check", file, "--trials", 0)
        self.refused(2, "--trials", "check", file, "--trials", 1001)
        self.refused(2, "--seed", "check", file, "--seed", -1)
        self.refused(2, ["--jsn", "--json"], "check", file, "--jsn")
        self.refused(2, ["--json", "--latex"], "check", file, "--json", "--latex")

    def test_several_files_and_standard_input(self):
        good, bad = self.derivation(self.TEXT, "good.chalk"), self.derivation(self.FALSE, "bad.chalk")
        result = chalkgrad("check", good, bad)
        self.assertEqual(result.returncode, 1)
        lines = result.stdout.splitlines()
        self.assertEqual(lines[0], str(good))
        self.assertEqual(lines[lines.index(str(bad)) - 1], "")
        self.assertEqual(sum("verified," in line for line in lines), 3)
        self.assertRegex(lines[-1], "^2 files: \\d+ verified, ")
        piped = subprocess.run([BINARY, "check", "-"], input=self.TEXT, capture_output=True, text=True, timeout=LIMIT)
        self.assertEqual(piped.returncode, 0, piped.stderr)
        self.assertIn("1 verified, 1 erratum, 2 definitions, 0 failed", piped.stdout)
        piped = subprocess.run([BINARY, "check", "-"], input="network", capture_output=True, text=True, timeout=LIMIT)
        self.assertEqual(piped.returncode, 1)
        self.assertIn("standard input: line 1, character 8", piped.stderr)

    def test_json_has_all_of_it(self):
        report = json.loads(self.good("check", "--json", self.derivation(self.TEXT)))
        self.assertEqual([report[k] for k in ("verified", "errata", "definitions", "failed")], [1, 1, 2, 0])
        first, *_, erratum = report["lines"]
        self.assertEqual(first, {"line": 5, "verdict": "verified", "formula": "y = sigmoid(z)", "part": "One layer",
                                 "label": "1", "latex": "y = \\sigma\\left(z\\right)", "source": "y = \\sigma(z)"})
        self.assertEqual(erratum["corrected"], "= 2*y[i]*dy[i]/dz[i]")
        self.assertEqual(erratum["message"], "the derivative of y is lost")
        both = chalkgrad("check", "--json", self.derivation(self.TEXT), self.derivation("a = ζ[0]\n", "bad.chalk"))
        self.assertEqual(both.returncode, 1)
        bad = json.loads(both.stdout)[1]["lines"][0]
        self.assertEqual((bad["verdict"], bad["line"], bad["column"]), ("failed", 1, 5))

    def test_latex_is_what_one_would_set(self):
        out = self.good("check", "--latex", self.derivation(self.TEXT))
        self.assertEqual(out.splitlines()[0], "\\[ y = \\sigma\\left(z\\right) \\tag{1} \\]  % verified")
        self.assertIn("% corrected", out)
        self.assertEqual(out.count("\\["), out.count("\\]"))
        self.assertEqual(out.count("\\left"), out.count("\\right"))

    def test_long_lines_stay_whole_where_there_is_no_terminal(self):
        text = "given a\n" + " + ".join(["a"] * 200) + " = 200*a\n"
        self.assertIn(" + ".join(["a"] * 200) + " = 200*a", self.good("check", self.derivation(text)))

    def test_long_lines_are_cut_between_characters_on_a_terminal(self):
        file = self.derivation('"' + "é" * 200 + '"\n"' + "ü" * (60 - 21 - 2) + '"\n')
        main, terminal = pty.openpty()
        with open(main, "rb", buffering=0) as screen:
            with open(terminal, "wb", buffering=0) as out:
                fcntl.ioctl(out, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
                code = subprocess.run([BINARY, "check", str(file)], stdout=out, timeout=LIMIT,
                                      env={**os.environ, "NO_COLOR": "1"}).returncode
            shown = screen.read(4096).decode().splitlines()
        self.assertEqual(code, 0)
        self.assertEqual(shown[0], 'line 1   definition  "' + "é" * (60 - 21 - 2) + "…")
        self.assertEqual(shown[1], 'line 2   definition  "' + "ü" * (60 - 21 - 2) + '"')

    def test_the_seed_decides_the_numbers(self):
        file = self.derivation(self.FALSE)
        outs = [chalkgrad("check", file, "--seed", seed).stdout for seed in (1, 1, 2)]
        self.assertEqual(outs[0], outs[1])
        self.assertNotEqual(outs[0], outs[2])


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-") and os.path.exists(sys.argv[1]):
        BINARY = sys.argv.pop(1)
    BINARY = os.path.abspath(BINARY) if BINARY else sys.exit(__doc__)
    unittest.main(verbosity=1)
