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

    def test_mistakes_are_explained(self):
        self.refused(2, ["--least 1 and --most 0.1 leave no rates to try; give a --most above --least"],
                     "lr-find", "--least", 1, "--most", 0.1)
        self.refused(2, ["--steps"], "lr-find", "--steps", 5)
        self.refused(2, ['chalkgrad lr-find has no option "--lr"'], "lr-find", "--lr", 1)
        self.assertIn("no rate made the loss fall", self.good("lr-find", "--net", "4c3-relu-mp2-10n", "--batch", 1438, "--least", 1e-30, "--most", 1e-29))


if __name__ == "__main__":
    main()
