#!/usr/bin/env python3
"""chalkgrad train --tensorboard: event files say what the log says, and both of TensorBoard's readers show it alike.

CHALKGRAD_PYTHON names a Python with tensorboard; the test of its readers is skipped where there is none.
"""
import collections
import json
import os
import re
import resource
import shlex
import signal
import struct
import subprocess
import sys
import time
import urllib.parse
import urllib.request

from support import CliTest, command, LIMIT, main, SMALL

PYTHON = os.environ.get("CHALKGRAD_PYTHON", sys.executable)
LARGE = "scalars=1000000,histograms=1000000,images=1000000,text=1000000"  # samples of each tag: all
READERS = {"data server": ["--load_fast", "true"], "Python": ["--load_fast", "false"]}


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    """Of TFRecords, to the last that is whole."""
    while len(data) >= 12:
        size, = struct.unpack("<Q", data[:8])
        if len(data) < 16 + size:
            return
        record = data[12:12 + size]
        assert data[8:12] == struct.pack("<I", masked(data[:8])) and data[12 + size:16 + size] == struct.pack("<I", masked(record))
        yield record
        data = data[16 + size:]


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 128:
            return value, at


def message(data):
    """The fields of a protocol buffer: lists by number."""
    fields, at = collections.defaultdict(list), 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        else:
            size, at = varint(data, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
            value, at = data[at:at + size], at + size
            value = struct.unpack("<d" if kind == 1 else "<f", value)[0] if kind != 2 else value
        fields[key >> 3].append(value)
    return fields


class Events:
    """What a reader makes of the files in a folder: tensorboard/compat/proto/{event,summary}.proto."""

    def __init__(self, folder):
        self.scalars, self.others, self.starts = collections.defaultdict(dict), collections.defaultdict(dict), []
        for file in sorted(folder.iterdir()):
            assert "tfevents" in file.name, file
            for record in records(file.read_bytes()):
                event = message(record)
                step = event[2][0]
                if event[7] and message(event[7][0])[1] == [1]:  # the start of a session
                    self.starts.append(step)
                    if len(self.starts) == 1:  # to the reader in Python
                        continue
                    for told in (*self.scalars.values(), *self.others.values()):
                        for late in [s for s in told if s >= step]:
                            del told[late]
                for value in message(event[5][0])[1] if event[5] else []:
                    value = message(value)
                    tag, told = value[1][0].decode(), value[2]
                    mine = self.scalars[tag] if told else self.others[tag]
                    assert all(s < step for s in mine), (tag, step)
                    mine[step] = told[0] if told else value
        self.tags = {*self.scalars, *self.others}


def single(number):
    return struct.unpack("<f", struct.pack("<f", number))[0]


class TensorBoard(CliTest):
    def train(self, folder, *args):
        return self.good("train", *SMALL, "--quiet", "--tensorboard", folder, *args)

    def log_of(self, path):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        return [line for line in lines if "step" in line], [line for line in lines if "train_loss" in line]

    def test_events_say_what_the_log_says(self):
        for more, part in (([], "test"), (["--validation", 0.1, "--clip-norm", 1], "validation")):
            with self.subTest(part):
                folder, log = self.folder / part / "run", self.path(f"{part}.jsonl")
                self.train(folder, "--epochs", 3, "--log", log, *more)
                events, (steps, epochs) = Events(folder), self.log_of(log)
                names = {"loss": "loss/step", "lr": "lr", **({"gradient_norm": "gradient_norm"} if more else {})}
                for name, tag in names.items():
                    self.assertEqual(events.scalars[tag], {line["step"]: single(line[name]) for line in steps})
                ends = [len(steps) // 3 * line["epoch"] for line in epochs]
                for what in ("loss", "accuracy"):
                    for where in ("train", part):
                        self.assertEqual(events.scalars[f"{what}/{where}"],
                                         {step: single(line[f"{where}_{what}"]) for step, line in zip(ends, epochs)})
                weights = {f"weights/{name}" for name in ("conv1.weight", "conv1.bias", "dense1.weight", "dense1.bias")}
                self.assertEqual(events.tags, {*names.values(), *weights, "run", "filters", "loss/train", "accuracy/train",
                                               f"loss/{part}", f"accuracy/{part}"})
                for tag in (*weights, "filters"):
                    self.assertEqual(list(events.others[tag]), ends)
                self.assertEqual(events.starts, [1])

    def test_a_picture_shows_the_filters(self):
        folder = self.folder / "run"
        self.train(folder, "--epochs", 1)
        picture = message(Events(folder).others["filters"][23][4][0])
        self.assertEqual((picture[1], picture[2], picture[3]), ([50], [50], [1]))  # four of 3×3, 8 pixels a weight
        self.assertTrue(picture[4][0].startswith(b"\x89PNG"))

    def test_a_network_without_filters_has_no_picture(self):
        folder = self.folder / "run"
        self.good("train", "--net", "10n", "--epochs", 1, "--quiet", "--tensorboard", folder)
        self.assertEqual({tag for tag in Events(folder).tags if "/" not in tag}, {"run", "lr"})

    def ended(self, how, folder, step):
        """A run that was ended by that signal after that step: its checkpoint, and what it said."""
        out, log = self.path("m.safetensors"), self.path("log.jsonl")
        args = command("train", *SMALL, "--epochs", 12, "--quiet", "--tensorboard", folder, "--out", out,
                       "--checkpoint-every", 40, "--log", log)
        process = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        end = time.monotonic() + LIMIT
        while time.monotonic() < end and process.poll() is None:
            if log.exists() and f'"step":{step},' in log.read_text():
                break
            time.sleep(0.002)
        process.send_signal(how)
        _, said = process.communicate(timeout=LIMIT)
        self.assertEqual(process.returncode, {signal.SIGKILL: -signal.SIGKILL, signal.SIGINT: 130}[how], said)
        return out, said

    def test_a_killed_run_that_goes_on_shows_what_a_whole_one_does(self):
        whole, parts = self.folder / "runs" / "whole", self.folder / "runs" / "parts"
        out, _ = self.ended(signal.SIGKILL, parts, 200)
        torn, = parts.iterdir()
        torn.write_bytes(torn.read_bytes() + b"\x20\0\0\0\0\0\0\0\x12")  # as of a machine that went down
        self.good("train", "--resume", out, "--out", out, "--tensorboard", parts, "--quiet")
        self.train(whole, "--epochs", 12)
        one, other = Events(whole), Events(parts)
        self.assertEqual((one.starts, other.starts[:1], len(other.starts)), ([1], [1], 2))
        self.assertGreater(other.starts[1], 100)
        self.assertEqual(one.scalars, other.scalars)
        self.assertEqual(other.tags, one.tags)
        for tag in one.tags - {"run", *one.scalars}:
            self.assertEqual(one.others[tag], other.others[tag], tag)
        self.readers_agree(self.folder / "runs")

    def test_what_control_c_says_goes_on_in_the_same_folder(self):
        folder = self.folder / "my runs"
        _, said = self.ended(signal.SIGINT, folder, 100)
        self.assertEqual(len([*folder.iterdir()]), 1)
        self.good(*shlex.split(said.partition("go on with: chalkgrad ")[2]), "--quiet")
        events = Events(folder)
        self.assertEqual([*events.scalars["loss/step"]], [*range(1, 12 * 23 + 1)])
        self.assertEqual(len(events.starts), 2)

    def test_seeds_have_a_folder_each(self):
        folder = self.folder / "runs"
        self.train(folder, "--epochs", 1, "--seeds", "1,4")
        self.assertEqual(sorted(path.name for path in folder.iterdir()), ["seed-1", "seed-4"])
        self.train(self.folder / "four", "--epochs", 1, "--seed", 4)
        self.assertEqual(Events(folder / "seed-4").scalars, Events(self.folder / "four").scalars)
        self.assertNotEqual(Events(folder / "seed-1").scalars, Events(folder / "seed-4").scalars)
        self.refused(1, [f"{folder}/seed-4: has the events of another run"], "train", *SMALL, "--seeds", "3..5", "--tensorboard", folder)
        self.assertFalse((folder / "seed-3").exists())

    def test_events_of_another_run_stay_unless_told_otherwise(self):
        folder = self.folder / "run"
        self.train(folder, "--epochs", 1)
        self.path("run/notes.txt", b"dear diary")
        before = {path: path.read_bytes() for path in folder.iterdir()}
        for args in ([], ["--from", self.model()]):
            said = self.refused(1, f"{folder}: has the events of another run, which TensorBoard would draw as one with this; "
                                   "give --tensorboard another folder, or add --overwrite to replace them",
                                "train", *(args or SMALL), "--tensorboard", folder)
            self.assertEqual(said.stdout, "")
        self.refused(1, "is not a folder", "train", "--data", "mnist:/nowhere", "--tensorboard", folder, "--overwrite")
        self.assertEqual({path: path.read_bytes() for path in folder.iterdir()}, before)
        self.train(folder, "--epochs", 1, "--seed", 2, "--overwrite")
        self.assertEqual(before.keys() & set(folder.iterdir()), {folder / "notes.txt"})

    def test_a_folder_that_cannot_be_written_is_said_at_once(self):
        file = self.path("file", b"x")
        for folder in (file, file / "below"):
            said = self.refused(1, f"{folder}: cannot be written: Not a directory; check the spelling, or create the folder first",
                                "train", *SMALL, "--tensorboard", folder)
            self.assertEqual(said.stdout, "")
        self.refused(1, "/proc/here: cannot be written: ", "train", *SMALL, "--tensorboard", "/proc/here")  # not even by root

    def test_a_disk_that_is_full_ends_the_run_with_a_line(self):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
        folder = self.folder / "run"
        self.refused(1, [str(folder), "cannot be written: File too large; free some space"], "train", *SMALL, "--epochs", 90,
                     "--quiet", "--tensorboard", folder, preexec_fn=limit)
        Events(folder)
        file, = folder.iterdir()
        self.assertEqual(sum(16 + len(record) for record in records(file.read_bytes())), file.stat().st_size)

    # ---- what TensorBoard shows -------------------------------------------------------------------------------------

    def shown(self, logdir, how):
        """All that the page can ask a server for, read in that way."""
        server = subprocess.Popen([PYTHON, "-m", "tensorboard.main", "--logdir", logdir, "--host", "127.0.0.1", "--port", "0",
                                   "--samples_per_plugin", LARGE, *how], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            url = next((found[1] for found in (re.search(r"(http://\S+)", line) for line in server.stderr) if found), None)
            self.assertIsNotNone(url, "TensorBoard did not start")

            def get(path, **query):
                with urllib.request.urlopen(f"{url}data/{path}{'?' if query else ''}{urllib.parse.urlencode(query)}", timeout=LIMIT) as answer:
                    return answer.read()

            def all_of_it():
                found = {}
                for plugin, what in (("scalars", "scalars"), ("histograms", "histograms"), ("images", "images"), ("text", "text")):
                    for run, tags in json.loads(get(f"plugin/{plugin}/tags")).items():
                        for tag in tags:
                            told = json.loads(get(f"plugin/{plugin}/{what}", run=run, tag=tag, **({"sample": 0} if plugin == "images" else {})))
                            if plugin == "images":
                                told = [{**one, "query": get(f"plugin/images/individualImage?{one['query']}")} for one in told]
                            found[plugin, run, tag] = told
                return found

            before, end = None, time.monotonic() + LIMIT
            while time.monotonic() < end:  # until it has read all
                now = all_of_it()
                if now and now == before:
                    return now
                before = now
                time.sleep(1)
            self.fail("TensorBoard goes on reading")
        finally:
            server.terminate()
            server.communicate(timeout=LIMIT)

    def readers_agree(self, logdir):
        """Both readers show the same, and of each run what is in its files."""
        if subprocess.run([PYTHON, "-c", "import tensorboard, tensorboard_data_server"], capture_output=True).returncode != 0:
            self.skipTest("SKIPPED: no module tensorboard in CHALKGRAD_PYTHON")
        one, other = (self.shown(logdir, how) for how in READERS.values())
        self.assertEqual(one.keys(), other.keys())
        for key in one:
            self.assertEqual(one[key], other[key], key)
        for folder in logdir.iterdir():
            events = Events(folder)
            self.assertEqual({tag for _, run, tag in one if run == folder.name}, events.tags)
            for tag, told in events.scalars.items():
                self.assertEqual([(step, value) for _, step, value in one["scalars", folder.name, tag]], [*told.items()])
            for tag, told in events.others.items():
                plugin, = (plugin for plugin, run, name in one if (run, name) == (folder.name, tag))
                shown = [point["step"] if plugin != "histograms" else point[1] for point in one[plugin, folder.name, tag]]
                self.assertEqual(shown, [*told], tag)


if __name__ == "__main__":
    main()
