#!/usr/bin/env python3
"""chalkgrad lr-find: rates that can be trained with."""
import json
import re

from support import CliTest, main, SMALL


class LrFind(CliTest):
    def test_it_suggests_a_rate_that_learns(self):
        text = self.good("lr-find")
        self.assertIn("•", text)
        lr = re.search(r"\ntry --lr (\S+)\n", text)[1]
        result = json.loads(self.good("train", "--lr", lr, "--json"))
        self.assertGreater(result["test_accuracy"], 0.95)

    def test_json_has_every_trial(self):
        report = json.loads(self.good("lr-find", *SMALL, "--least", 1e-4, "--most", 1e-2, "--steps", 20, "--json"))
        self.assertEqual(len(report["trials"]), 20)
        self.assertAlmostEqual(report["trials"][-1]["lr"], 1e-2, delta=1e-15)
        self.assertFalse(report["diverged"])

    def test_any_number_of_threads_gives_the_same(self):
        found = {self.good("lr-find", *SMALL, "--json", "--threads", n) for n in (1, 3)}
        self.assertEqual(len(found), 1)

    def test_options_and_configurations_are_those_of_training(self):
        config = self.path("c.toml", b'network = "4c3-relu-mp2-10n"\n[train]\noptimizer = "adagrad"\nbatch = 64\nlr = 3')
        self.assertEqual(self.good("lr-find", config, "--json"),
                         self.good("lr-find", "--net", "4c3-relu-mp2-10n", "--batch", 64, "--optimizer", "adagrad", "--json"))
        model = self.path("m.safetensors")
        self.good("train", *SMALL, "--epochs", 1, "--out", model)
        self.assertIn("try --lr", self.good("lr-find", "--from", model))

    def test_no_option_of_training_is_ignored(self):
        find = ["lr-find", "--net", "4c3-relu-mp2-10n", "--steps", 10, "--least", 1e-3, "--most", 1, "--json"]
        found = {self.good(*find)}
        in_toml = [("clip_norm", 0.01), ("clip_value", 0.01), ("l1", 0.1), ("momentum", 0.5), ("seed", 2), ("label_smoothing", 0.1)]
        for key, value in in_toml:
            report = self.good(*find, "--" + key.replace("_", "-"), value)
            config = self.path(f"{key}.toml", f'network = "4c3-relu-mp2-10n"\n[train]\n{key} = {value}\n'.encode())
            self.assertEqual(self.good("lr-find", config, *find[3:]), report, key)
            found.add(report)
        frozen = self.good(*find, "--freeze", "conv*")
        self.assertEqual(frozen, self.good(*find, "--groups", "conv*: frozen"))
        config = self.path("g.toml", b'network = "4c3-relu-mp2-10n"\n[[train.group]]\npattern = "conv*"\nfrozen = true\n')
        self.assertEqual(frozen, self.good("lr-find", config, *find[3:]))
        found.add(frozen)
        self.assertEqual(len(found), len(in_toml) + 2)
        self.refused(1, ['the group "conv2*" matches no parameter'], *find, "--freeze", "conv2*")

    def test_all_rates_of_an_optimizer_are_suggested(self):
        find = ["lr-find", *SMALL, "--optimizer", "muon", "--adamw-lr", 0.004]
        report = json.loads(self.good(*find, "--json"))
        self.assertAlmostEqual(report["suggested_adamw_lr"] / report["suggested"], 0.004 / 0.02, delta=1e-12)
        advice = re.search(r"\ntry (--lr (\S+) --adamw-lr (\S+))\n", self.good(*find))
        self.assertAlmostEqual(float(advice[3]) / float(advice[2]), 0.2, delta=0.02)
        self.good("train", *SMALL, "--optimizer", "muon", "--epochs", 1, *advice[1].split())
        self.assertNotIn("suggested_adamw_lr", self.good("lr-find", *SMALL, "--json"))

    def test_no_trial_is_shown_twice(self):
        for steps, most, rows in ((10, 1e-2, 10), (16, 1e-2, 16), (40, 1e-2, 16)):
            text = self.good("lr-find", *SMALL, "--least", 1e-4, "--most", most, "--steps", steps)
            table = [line.split() for line in text.partition("\n\n")[0].splitlines() if re.match(r" *[\d.e-]+ +[\d.]+ +[\d.]+$", line)]
            self.assertEqual(len(table), rows, text)
            self.assertEqual(len({tuple(row[1:]) for row in table}), rows, text)
            self.assertEqual((float(table[0][0]), float(table[-1][0])), (1e-4, 1e-2))
        alone = self.good("lr-find", *SMALL, "--least", 1e29, "--most", 1e30)
        self.assertEqual(len(re.findall(r"^ *1e\+29 +\S+ +\S+$", alone, re.M)), 1, alone)
        self.assertIn("beyond 1e+29 the loss explodes", alone)

    def test_an_epoch_may_be_as_long_as_it_likes(self):
        report = json.loads(self.good("lr-find", "--net", "10n", "--batch", 1, "--steps", 10, "--most", 1e-2, "--json"))
        self.assertEqual(len(report["trials"]), 10)
        self.assertAlmostEqual(report["trials"][-1]["lr"], 1e-2, delta=1e-15)

    def test_mistakes_are_explained(self):
        self.refused(2, ["--least 1 and --most 0.1 leave no rates to try; give a --most above --least"],
                     "lr-find", "--least", 1, "--most", 0.1)
        self.refused(2, ["--steps"], "lr-find", "--steps", 5)
        for wrong in ("0", "-1", "1e-31", "1e31", "inf", "nan"):
            self.refused(2, ["--most", "from 1e-30 to 1e+30"], "lr-find", f"--most={wrong}")
        self.refused(2, ['chalkgrad lr-find has no option "--lr"'], "lr-find", "--lr", 1)
        self.assertIn("no rate made the loss fall", self.good("lr-find", "--net", "4c3-relu-mp2-10n", "--batch", 1438, "--least", 1e-30, "--most", 1e-29))


if __name__ == "__main__":
    main()
