#!/usr/bin/env python3
"""Every optimizer of the list: what it makes of the digits, what its options are, and how its runs go on."""
import re
import signal

from resume_test import Interrupting
from support import CliTest, main, ROOT, sha_of

NAMES = re.findall(r"^CHALK_OPTIMIZER\((\w+)\)", (ROOT / "src/optimizers/optimizers.inc").read_text(), re.MULTILINE)


def options_of_all():
    """The options of each and what holds without them, by its page in docs/reference, which the program has written."""
    options = {}
    for name in NAMES:
        table = (ROOT / f"docs/reference/optimizers/{name}.md").read_text().partition("## Options")[2].partition("\n## ")[0]
        options[name] = dict(re.findall(r"^\| `--([\w-]+)(?: \w+)?` \|.*\| (.*?) \|$", table, re.MULTILINE))
    return options


class Training(CliTest):
    def test_each_learns_the_digits_at_its_own_rate(self):
        for name in NAMES:
            with self.subTest(optimizer=name):
                said = self.good("train", "--optimizer", name, "--epochs", 30, "--quiet")
                accuracy = float(re.search(r"test accuracy ([\d.]+) %", said)[1])
                self.assertGreaterEqual(accuracy, 97)


class Options(CliTest):
    def test_those_of_another_are_refused(self):
        options = options_of_all()
        self.assertTrue(all("lr" in each for each in options.values()))
        values = {option: value for each in options.values() for option, value in each.items()}
        for name in NAMES:
            own = [f"--{option}" for option in options[name]]
            for option, value in values.items():
                if option in options[name]:
                    continue
                with self.subTest(optimizer=name, option=option):
                    given = [f"--{option}"] if value in ("true", "false") else [f"--{option}", value]
                    self.refused(2, f"--{option} is no option of the optimizer {name}, which has {', '.join(own[:-1])} and {own[-1]}; "
                                 "leave it out", "train", "--optimizer", name, *given)

    def test_each_is_written_to_the_log_and_taken_from_a_configuration(self):
        for name, options in options_of_all().items():
            with self.subTest(optimizer=name):
                values = {option.replace("-", "_"): value for option, value in options.items()}
                lines = [f'{key} = "{value}"' if re.match("[a-z_]+$", value) and value not in ("true", "false") else f"{key} = {value}"
                         for key, value in values.items()]
                config = self.path(f"{name}.toml", "\n".join(
                    ['network = "10n"', "[train]", "epochs = 1", f'optimizer = "{name}"', *lines]).encode())
                self.assertEqual(sha_of(self.good("train", config, "--quiet")),
                                 sha_of(self.good("train", config, "--quiet", "--optimizer", name)))


class GoingOn(Interrupting):
    def test_a_killed_run_of_each_goes_on_to_the_same_bits(self):
        for name in NAMES:
            with self.subTest(optimizer=name):
                self.path("log.jsonl").unlink(missing_ok=True)
                _, _, out, options = self.interrupted(signal.SIGKILL, "--optimizer", name, name=f"{name}.safetensors", epochs=6, step=50)
                resumed = self.good("train", "--resume", out, "--threads", 1, "--quiet")
                self.assertEqual(sha_of(resumed), sha_of(self.good("train", *options, "--threads", 3)))
                other = NAMES[NAMES.index(name) - 1]
                self.refused(2, [f"--optimizer {other} differs from {name}, with which", "leave it out, or begin a new run"],
                             "train", "--resume", out, "--optimizer", other)


if __name__ == "__main__":
    main()
