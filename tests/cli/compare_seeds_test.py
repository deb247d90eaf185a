#!/usr/bin/env python3
"""chalkgrad train --seeds: how much of a result is chance."""
import json
import statistics

from support import CliTest, main, SMALL


class Seeds(CliTest):
    def test_each_run_is_that_of_its_seed(self):
        run = [*SMALL, "--epochs", 2]
        report = json.loads(self.good("train", *run, "--seeds", "1..3,7", "--json"))
        self.assertEqual([r["seed"] for r in report["runs"]], [1, 2, 3, 7])
        for one in report["runs"]:
            alone = json.loads(self.good("train", *run, "--seed", one["seed"], "--json"))
            self.assertEqual((one["weights_sha256"], one["accuracy"], one["loss"]),
                             (alone["weights_sha256"], alone["test_accuracy"], alone["test_loss"]))
        for what in ("accuracy", "loss"):
            values = [r[what] for r in report["runs"]]
            self.assertAlmostEqual(report[what]["mean"], statistics.mean(values), delta=1e-12)
            self.assertAlmostEqual(report[what]["standard_deviation"], statistics.stdev(values), delta=1e-12)
            self.assertEqual((report[what]["least"], report[what]["most"]), (min(values), max(values)))

    def test_the_table_has_a_row_for_each_and_their_mean(self):
        text = self.good("train", *SMALL, "--epochs", 1, "--validation", 0.1, "--seeds", "4,2")
        self.assertRegex(text, r"\A +seed .*\n +4 .* best epoch 1\n +2 .*\n +mean .*\n *deviation .*\n +least .*\n +most .*\n\Z")
        self.assertNotIn("deviation", self.good("train", *SMALL, "--epochs", 1, "--seeds", 3))

    def test_a_configuration_and_a_model_can_be_compared(self):
        config = self.path("c.toml", b'network = "4c3-relu-mp2-10n"\n[train]\nepochs = 1\nseed = 9')
        runs = json.loads(self.good("train", config, "--seeds", "1..2", "--json"))["runs"]
        self.assertNotEqual(runs[0]["weights_sha256"], runs[1]["weights_sha256"])
        model = self.path("m.safetensors")
        self.good("train", config, "--out", model)
        self.good("train", "--from", model, "--epochs", 1, "--seeds", "1..2")

    def test_mistakes_are_explained(self):
        for wrong in ("x", "1..", "3..1", "1,1", "1..3,2", "-1", "1,", "1..99999999", "9223372036854775808"):
            self.refused(2, [f'--seeds is "{wrong}"; it must be seeds such as 1..5 or 1,4,9, at most 10,000 of them and each once'],
                         "train", f"--seeds={wrong}")
        for option, value, why in (("--out", self.path("m.safetensors"), "several runs do not go into one file"),
                                   ("--log", self.path("l.jsonl"), "several runs do not go into one file"),
                                   ("--checkpoint-every", 5, "of runs that are compared no model is kept"),
                                   ("--print-after", "plan", "the graph of each run would be the same; print that of one, with its --seed"),
                                   ("--resume", self.path("m.safetensors"), "runs that are compared begin anew"),
                                   ("--seed", 3, "each run has its own")):
            said = self.refused(2, [], "train", "--seeds", "1..2", option, value).stderr
            self.assertEqual(said, f"chalkgrad: --seeds and {option} were given; leave one of them out: {why}\n")
        folder = self.mnist_like()
        for kind in ("images-idx3", "labels-idx1"):
            (folder / f"t10k-{kind}-ubyte").unlink()
        run = ["train", "--data", f"mnist:{folder}", "--net", "10n", "--epochs", 1, "--seeds", "1..2"]
        self.refused(1, ["the data have none", "--validation 0.1"], *run)
        self.good(*run, "--validation", 0.2)


if __name__ == "__main__":
    main()
