#!/usr/bin/env python3
"""chalkgrad train --resume: interrupted runs go on to the same bits."""
import signal
import subprocess
import time

from support import CliTest, command, LIMIT, main, sha_of


class Resuming(CliTest):
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
        process = subprocess.Popen(command("train", *options, "--checkpoint-every", 7, "--out", out, "--log", log),
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


if __name__ == "__main__":
    main()
