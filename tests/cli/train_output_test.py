#!/usr/bin/env python3
"""Files that commands write, and options without a value: a finished thing is never lost, and nothing is by mistake."""
import os
import re
import shlex
import subprocess

from support import CliTest, LIMIT, main, ROOT, SMALL

COMMANDS = re.findall(r"^CHALK_COMMAND\((\w+)\)", (ROOT / "apps/chalkgrad/commands.inc").read_text(), re.MULTILINE)
QUICK = [*SMALL, "--epochs", 1, "--quiet"]
GRAD = ["grad", "--net", "10n", "--data", "digits"]


class Overwriting(CliTest):
    def stays(self, path, words, *args):
        """The command refuses to write to that file, which stays as it is."""
        before = path.read_bytes()
        said = self.refused(1, [str(path), *words], *args)
        self.assertEqual((path.read_bytes(), said.stdout), (before, ""))
        return said.stderr

    def test_what_is_there_stays_unless_told_otherwise(self):
        for name, args in (("--out", ["train", *QUICK]), ("--log", ["train", *QUICK]), ("--out", GRAD)):
            with self.subTest(command=args[0], option=name):
                path = self.path("notes.txt", b"dear diary")
                self.stays(path, ["is there already", f"give {name} another file", "add --overwrite"], *args, name, path)
                self.good(*args, name, self.folder / f"{args[0]}{name}")
                self.good(*args, name, path, "--overwrite")
                self.assertNotIn(b"diary", path.read_bytes())

    def test_a_finished_model_stays_and_can_be_trained_further(self):
        path = self.model()
        for other in (["--net", "9n-10n"], SMALL):
            said = self.stays(path, ["is there already"], "train", *other, "--out", path)
        advised = re.search(r"train it further by (--from \S+) and another --out", said)[1]
        self.good("train", *shlex.split(advised), "--epochs", 1, "--quiet", "--out", self.path("further.safetensors"))
        self.stays(path, ["--overwrite"], *GRAD, "--out", path)
        self.stays(path, ["--overwrite"], "train", *QUICK, "--log", path)
        self.stays(path, ["--overwrite"], "train", "--from", path, "--epochs", 1, "--out", path)

    def test_links_and_other_spellings_lead_to_the_same_file(self):
        path = self.model()
        (self.folder / "link").symlink_to(path)
        before = path.read_bytes()
        for other in (self.folder / "link", f"{self.folder}/../{self.folder.name}/./{path.name}"):
            self.refused(1, [f"{other}: is there already"], "train", *QUICK, "--out", other)
        self.assertEqual(path.read_bytes(), before)

    def test_nothing_is_written_before_the_first_step(self):
        path, log = self.model(), self.path("log", b"other text")
        for late in (["--data", "mnist:/nowhere"], ["--net", "4c3-relu-9n"], ["--net", "10n-tanh", "--loss", "binary-cross-entropy"]):
            before = path.read_bytes()
            self.refused(1, "", "train", *late, "--out", path, "--log", log, "--overwrite")
            self.assertEqual((path.read_bytes(), log.read_bytes()), (before, b"other text"))

    def test_a_file_that_holds_nothing_may_be_written(self):
        self.good("train", *QUICK, "--out", self.path("empty", b""))
        self.good("train", *QUICK, "--out", "/dev/null", "--log", "/dev/null")

    def test_a_read_only_file_stays_as_it_is(self):
        path = self.model()
        os.chmod(path, 0o444)
        advice = "choose another place or change its permissions"
        self.stays(path, ["Permission denied", advice], "train", *QUICK, "--out", path, "--overwrite")
        self.stays(path, ["Permission denied", advice], *GRAD, "--out", path, "--overwrite")
        self.stays(path, ["Permission denied", advice], "train", *QUICK, "--log", path, "--overwrite")
        os.chmod(path, 0o644)
        self.good("train", *QUICK, "--out", path, "--overwrite")

    def test_a_log_is_added_to(self):
        log = self.path("log.jsonl")
        self.good("train", *QUICK, "--log", log)
        once = log.read_bytes()
        for more in ([], ["--overwrite"]):
            self.good("train", *QUICK, "--log", log, *more)
            self.assertTrue(log.read_bytes().startswith(once))
        self.assertEqual(log.read_text().count('"start"'), 3)

    def test_a_log_may_be_a_pipe(self):
        pipe = self.path("pipe")
        os.mkfifo(pipe)
        with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
            self.good("train", *QUICK, "--log", pipe)
            self.assertTrue(reader.communicate(timeout=LIMIT)[0].startswith(b'{"start":'))

    def test_two_outputs_are_two_files(self):
        os.chdir(self.folder)
        self.refused(2, ["--out and --log name the same file", "give each its own"],
                     "train", *QUICK, "--out", "same", "--log", self.folder / "same")
        self.assertFalse((self.folder / "same").exists())


class EmptyOptions(CliTest):
    def test_a_value_that_is_empty_is_a_mistake(self):
        for name in COMMANDS:
            text = self.good(name, "--help")
            options = re.findall(r"^  (?:-\w,)?(--[\w-]+) [A-Z]+\b", text, re.MULTILINE)
            for option in options:
                with self.subTest(command=name, option=option):
                    self.refused(2, option, name, option, "")
                    self.refused(2, [option, "empty"], name, f"{option}=")
            for argument in re.findall(r"^  ([A-Z]+) ", text, re.MULTILINE):
                with self.subTest(command=name, argument=argument):
                    self.refused(2, "empty", name, "")
        self.refused(2, ["IMAGE", "empty"], "predict", "m.safetensors", "x.png", "")

    def test_of_a_value_that_was_forgotten_the_next_option_is_none(self):
        os.chdir(self.folder)
        self.refused(2, ["--out", "needs a value before --quiet"], "train", "--out", "--quiet")
        self.assertEqual(list(self.folder.iterdir()), [])


if __name__ == "__main__":
    main()
