#!/usr/bin/env python3
"""chalkgrad train --resume: interrupted runs go on to the same bits."""
import json
import os
import shlex
import shutil
import signal
import subprocess
import time

from support import CliTest, command, edit_safetensors, LIMIT, main, sha_of


class Interrupting(CliTest):
    def wait_for_step(self, process, log, step):
        end = time.monotonic() + LIMIT
        while time.monotonic() < end and process.poll() is None:
            if log.exists() and f'"step":{step},' in log.read_text():
                return
            time.sleep(0.002)
        self.fail(f"training ended before step {step} could be seen: {process.communicate()}")

    def interrupted(self, how, *more, net="8c3-relu-mp2-10n", name="m.safetensors", epochs=30, step=200):
        """Starts a run, ends it in the middle by that signal, and returns it with its checkpoint and its options."""
        out, log = self.path(name), self.path("log.jsonl")
        options = ["--net", net, "--epochs", epochs, "--batch", "16", "--quiet", *more]
        process = subprocess.Popen(command("train", *options, "--checkpoint-every", 7, "--out", out, "--log", log),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.wait_for_step(process, log, step)
        process.send_signal(how)
        stdout, stderr = process.communicate(timeout=LIMIT)
        self.assertNotIn("sha256", stdout, "the run was over before it could be interrupted")
        return process.returncode, stderr, out, options


class OneFile(Interrupting):
    def test_two_runs_do_not_write_it(self):
        out, log = self.path("m.safetensors"), self.path("log.jsonl")
        run = ["train", "--net", "8c3-relu-mp2-10n", "--batch", 16, "--quiet", "--out", out]
        process = subprocess.Popen(command(*run, "--epochs", 2000, "--log", log), stdout=subprocess.PIPE, text=True)
        try:
            self.wait_for_step(process, log, 100)
            self.refused(1, "m.safetensors: another run is writing this file; wait until it has ended, or write to another "
                         "file\n", *run, "--epochs", 1, "--overwrite")
            self.good("info", out)
        finally:
            process.kill()
            process.communicate(timeout=LIMIT)
        self.good(*run, "--epochs", 1, "--overwrite")
        left = {path.name for path in self.folder.iterdir() if ".tmp-" not in path.name}
        self.assertEqual(left, {"m.safetensors", "log.jsonl"})


    def test_a_run_that_is_about_to_go_on_has_it_already(self):
        """What another run saves between reading it and the first step would be lost."""
        out, table, copy = self.path("m.safetensors"), self.path("t.csv"), self.path("u.csv", b"x,label\n1,a\n2,b\n3,a\n4,b\n")
        shutil.copy(copy, table)
        self.good("train", "--data", f"csv:{table}", "--epochs", 1, "--schedule", "constant", "--out", out)
        table.unlink()
        os.mkfifo(table)
        resume = ["train", "--resume", out, "--epochs", 2, "--out", out]
        first = subprocess.Popen(command(*resume), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            with open(table, "wb") as pipe:  # as soon as it is read: the model has been, then
                self.refused(1, "m.safetensors: another run is writing this file; wait until it has ended", *resume, "--data",
                             f"csv:{copy}")
                pipe.write(copy.read_bytes())
            said, err = first.communicate(timeout=LIMIT)
        finally:
            first.kill()
        self.assertEqual(first.returncode, 0, err)
        self.assertIn("weights sha256", said)


class Resuming(Interrupting):
    def test_a_killed_run_goes_on_to_the_same_bits(self):
        code, _, out, options = self.interrupted(signal.SIGKILL)
        self.assertEqual(code, -signal.SIGKILL)
        resumed = self.good("train", "--resume", out, "--out", out, "--threads", 1, "--quiet")
        self.assertEqual(sha_of(resumed), sha_of(self.good("train", *options)))
        self.refused(1, "finished", "train", "--resume", out)

    def test_a_killed_run_goes_on_with_the_same_noise(self):
        _, _, out, options = self.interrupted(signal.SIGKILL, net="8c3-relu-drop0.1c-noise0.1-mp2-drop0.5-10n")
        resumed = self.good("train", "--resume", out, "--out", out, "--threads", 1, "--quiet")
        self.assertEqual(sha_of(resumed), sha_of(self.good("train", *options)))

    def test_a_killed_run_goes_on_with_the_same_pictures(self):
        augment = "shift:1,rotate:15,cutout:3,fill=noise,noise:0.2"
        _, _, out, options = self.interrupted(signal.SIGKILL, "--augment", augment)
        self.refused(2, f"--augment flip differs from {augment}", "train", "--resume", out, "--augment", "flip")
        resumed = self.good("train", "--resume", out, "--out", out, "--threads", 1, "--quiet")
        self.assertEqual(sha_of(resumed), sha_of(self.good("train", *options)))
        self.assertNotEqual(sha_of(resumed), sha_of(self.good("train", *options[:-2], "--augment", "none")))

    def test_a_schedule_that_looks_at_the_loss_goes_on_to_the_same_bits(self):
        schedule = "plateau:0,factor=0.8,threshold=0.2,cooldown=1"
        _, _, out, options = self.interrupted(signal.SIGKILL, "--schedule", schedule, step=700)
        resumed = self.good("train", "--resume", out, "--out", out, "--quiet", "--log", self.path("log.jsonl"))
        rates = {json.loads(line).get("lr") for line in self.path("log.jsonl").read_text().splitlines()} - {None}
        self.assertGreater(len(rates), 5)
        self.assertEqual(sha_of(resumed), sha_of(self.good("train", *options)))

    def test_what_control_c_says_can_be_typed(self):
        _, stderr, out, options = self.interrupted(signal.SIGINT, name="it's mine.safetensors")
        self.refused(1, ["is there already", "go on with it by --resume"], "train", *options, "--out", out)
        resumed = self.good(*shlex.split(stderr.partition("go on with: chalkgrad ")[2]), "--quiet")
        self.assertEqual(sha_of(resumed), sha_of(self.good("train", *options)))

    def test_control_c_saves_and_says_how_to_go_on(self):
        code, stderr, out, options = self.interrupted(signal.SIGINT)
        self.assertEqual(code, 130)
        self.assertRegex(stderr, r"\Achalkgrad: stopped after step \d+ of 2,700; .*--resume [^\n]+\n\Z")
        for different in (["--lr", 0.01], ["--epochs", 7], ["--batch", 8], ["--net", "10n"], ["--seed", 5], ["--nesterov"],
                          ["--schedule", "cosine"], ["--momentum", 0.5], ["--loss", "squared-error"]):
            with self.subTest(different=different):
                self.refused(2, [different[0], "leave it out"], "train", "--resume", out, *different)
        resumed = self.good("train", "--resume", out, "--epochs", 30, "--net", self.path("n.toml", b'network = "8c3-relu-mp2-10n"'),
                            "--quiet")
        self.assertEqual(sha_of(resumed), sha_of(self.good("train", *options)))


class Moving(Interrupting):
    """Data are known by what they are, not by where they were."""

    def setUp(self):
        super().setUp()
        os.chdir(self.folder)
        self.mnist_like()
        _, _, self.out, options = self.interrupted(signal.SIGINT, "--data", "mnist:mnist", epochs=240, step=40)
        self.sha = sha_of(self.good("train", *options))

    def test_a_checkpoint_moves(self):
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        (self.folder / "link").symlink_to("mnist")
        moved = self.out.rename(elsewhere / "m.safetensors")
        for cwd, spec in ((".", None), (".", "mnist:mnist/"), (".", "mnist:./link"), (elsewhere, "mnist:../mnist"),
                          (elsewhere, f"mnist:{self.folder / 'mnist'}")):
            with self.subTest(spec=spec):
                more = ["--data", spec] if spec else []
                self.assertEqual(sha_of(self.good("train", "--resume", moved, *more, "--quiet", cwd=cwd)), self.sha)
        said = self.refused(1, ["mnist: is not a folder", "elsewhere now, say where with --data"], "train", "--resume", moved, cwd=elsewhere)
        self.assertEqual(said.stdout, "")
        again = elsewhere / "again.safetensors"
        self.good("train", "--resume", moved, "--data", "mnist:../mnist", "--quiet", "--out", again, cwd=elsewhere)
        self.good("eval", again, cwd=elsewhere)  # which finds the data where they were last

    def test_changed_data_are_noticed(self):
        labels = self.folder / "mnist" / "train-labels-idx1-ubyte"
        good = labels.read_bytes()
        labels.write_bytes(good[:-1] + b"\0")
        for more in ([], ["--data", "mnist:mnist"]):
            said = self.refused(1, ["10 samples", "these, in which a sample or a label has changed"], "train", "--resume", self.out, *more).stderr
        self.assertIn("train --from", said)
        self.good("train", "--from", self.out, "--epochs", 1)
        self.refused(1, ["not on 1438 of"], "train", "--resume", self.out, "--data", "digits")
        labels.write_bytes(good)
        self.assertEqual(sha_of(self.good("train", "--resume", self.out, "--quiet")), self.sha)

    def test_an_earlier_checkpoint_knows_name_and_size(self):
        def without_digest(header, data):
            about = header["__metadata__"]
            position = json.loads(about["chalkgrad.position"])
            del position["digest"]
            about["chalkgrad.position"] = json.dumps(position)
            return header, data
        edit_safetensors(self.out, without_digest)
        self.assertEqual(sha_of(self.good("train", "--resume", self.out, "--data", "mnist:./mnist", "--quiet")), self.sha)
        self.refused(1, "not on 1438", "train", "--resume", self.out, "--data", "digits")


if __name__ == "__main__":
    main()
