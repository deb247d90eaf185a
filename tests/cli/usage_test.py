#!/usr/bin/env python3
"""The command line as a whole: help, mistakes in it, where its output goes."""
import re

from support import chalkgrad, CliTest, main, ROOT, SMALL

COMMANDS = re.findall(r"^CHALK_COMMAND\((\w+)\)", (ROOT / "apps/chalkgrad/commands.inc").read_text(), re.MULTILINE)


class Usage(CliTest):
    def test_help_explains_every_command_and_shows_examples(self):
        text = self.good("--help")
        self.assertIn("chalkgrad train", text)
        for command in COMMANDS:
            word = command.replace("_", "-")
            self.assertRegex(text, rf"\n  {word} +[A-Z]")
            self.assertIn("--", self.good(word, "--help"))

    def test_every_command_is_documented_and_tested(self):
        page = (ROOT / "docs/cli.md").read_text()
        for command in COMMANDS:
            self.assertIn(f"\n## {command.replace('_', '-')}\n", page)
            self.assertTrue((ROOT / f"tests/cli/{command}_test.py").exists(), f"add tests/cli/{command}_test.py")

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
            result = chalkgrad("info", "--net", "10n", "--input", "1x8x8", stdout=full)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"\Achalkgrad: [^\n]*No space left[^\n]*\n\Z")

    def test_an_unknown_instruction_set_is_an_error(self):
        self.refused(1, "CHALKGRAD_TARGET", "train", *SMALL, env={"CHALKGRAD_TARGET": "mmx"})


if __name__ == "__main__":
    main()
