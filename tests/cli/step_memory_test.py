#!/usr/bin/env python3
"""--step-memory: what does not fit is computed again, to the same bits."""
import json
import re

from support import CliTest, main, sha_of

NET = ("--net", "16c3z-bn-relu-3*(res(16c3z-bn-relu-16c3z-bn)-relu)-gap-10n")
RUN = ("train", *NET, "--batch", "256", "--epochs", "1", "--quiet")
STEP = (*NET, "--input", "1x8x8", "--batch", "256", "--threads", "2")


class StepMemory(CliTest):
    def limited(self, size):
        return json.loads(self.good("info", *STEP, "--json", "--step-memory", size))["memory"]["limited"]

    def least(self, *args):
        """What the message says that it takes at least."""
        err = self.refused(1, ["samples on 2 threads takes", "allow more"], *args, "--step-memory", "1kB").stderr
        return re.search(r"takes (\d+ [kM]?B) at least", err)[1]

    def test_the_weights_have_the_same_bits(self):
        free = self.limited("1GB")
        self.assertEqual((free["step"], free["multiply_adds_again"]), (free["step_without_limit"], 0))
        expected = sha_of(self.good(*RUN))
        for part in (0.9, 0.75, 0.6):
            size = f"{int(part * free['step'])}B"
            within = self.limited(size)
            self.assertLessEqual(within["step"], within["limit"])
            self.assertGreaterEqual(within["multiply_adds_again"], 0)  # no products, where it is enough to do ReLUs again
            for threads in "12":
                with self.subTest(part=part, threads=threads):
                    self.assertEqual(sha_of(self.good(*RUN, "--threads", threads, "--step-memory", size)), expected)

    def test_too_little_is_refused_with_what_would_do(self):
        for args in (("info", *STEP), (*RUN, "--threads", "2"), ("bench", *STEP, "--once", "--only", "train")):
            self.good(*args, "--step-memory", self.least(*args))
        self.refused(1, "more than the limit of 1000 B;", "info", *STEP, "--step-memory", "1kB")
        self.refused(2, "--step-memory is of a training step", "bench", *STEP, "--only", "predict", "--step-memory", "1GB")
        for size in ("much", "-1", "1TB"):
            self.refused(2, f'chalkgrad: --step-memory: must be a size such as 300MB, 2GB or 0, not "{size}"\n', "train", "--step-memory", size)

    def test_info_says_what_it_costs(self):
        size = f"{int(0.7 * self.limited('1GB')['step'])}B"
        self.assertRegex(self.good("info", *STEP, "--step-memory", size),
                         r"\nwithin [\d.]+ MB  a step of 256 samples takes [\d.]+ MB instead of [\d.]+ MB, and [\d,]+ multiply-adds a sample more "
                         r"\([\d.]+ %\)\n")

    def test_a_run_goes_on_with_another_limit(self):
        size = f"{int(0.7 * self.limited('1GB')['step'])}B"
        run = (*(word for word in RUN if word not in ("--epochs", "1")), "--schedule", "constant")
        whole = sha_of(self.good(*run, "--epochs", "2", "--step-memory", size))
        out = self.path("m.safetensors")
        self.good(*run, "--epochs", "1", "--out", out)
        for more in ([], ["--step-memory", size]):
            self.assertEqual(sha_of(self.good("train", "--resume", out, "--epochs", "2", "--quiet", *more)), whole)


if __name__ == "__main__":
    main()
