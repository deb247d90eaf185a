#!/usr/bin/env python3
"""Networks with several outputs, in each command that knows them."""
import json

from support import ROOT, CliTest, chalkgrad, main, png

EXAMPLE = ROOT / "examples" / "networks" / "auxiliary.toml"
WEIGHTS = [("y", 1), ("early", 0.3), ("copy", 0.1)]


class Outputs(CliTest):
    def trained(self, *args):
        path = self.path("m.safetensors")
        self.good("train", EXAMPLE, "--quiet", "--out", path, "--overwrite", *args)
        return path

    def test_train_shows_each_loss_and_their_sum(self):
        log, result = self.path("log.jsonl"), json.loads(self.good("train", EXAMPLE, "--epochs", 1, "--json"))
        self.assertAlmostEqual(result["train_loss"], sum(result[f"train_loss.{name}"] * weight for name, weight in WEIGHTS),
                               delta=1e-5 * result["train_loss"])
        printed = self.good("train", EXAMPLE, "--epochs", 1, "--log", log)
        self.assertIn("outputs  y 1×cross-entropy, early 0.3×cross-entropy, copy 0.1×mean-squared-error of the input\n",
                      printed)
        self.assertIn("  epoch        loss      loss y  loss early   loss copy   training       test", printed)
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        for line in lines[1:]:
            key = "loss" if "step" in line else "train_loss"
            self.assertAlmostEqual(line[key], sum(line[f"{key}.{name}"] * weight for name, weight in WEIGHTS),
                                   delta=1e-5 * line[key])
        self.assertNotIn("loss.", self.good("train", "--epochs", 1, "--json"))

    def test_eval_measures_each(self):
        path = self.trained()
        result = json.loads(self.good("eval", path, "--json"))
        early, copy = result["outputs"]
        self.assertEqual((early["name"], early["measured"]), ("early", "cross-entropy"))
        self.assertGreater(early["accuracy"], 0.8)
        self.assertEqual((copy["name"], copy["measured"]), ("copy", "mean-squared-error"))
        self.assertNotIn("accuracy", copy)
        self.assertAlmostEqual(result["objective"], result["loss"] + 0.3 * early["loss"] + 0.1 * copy["loss"], places=9)
        printed = self.good("eval", path)
        self.assertRegex(printed, r"\noutput early: accuracy [0-9.]+ %, loss [0-9.]+\noutput copy: mean-squared-error ")
        self.assertRegex(printed, r"\nsum of all losses, weighted [0-9.]+\n$")

    def test_predict_gives_the_first_unless_asked(self):
        path, one = self.trained(), self.path("one.png", png(8, 8, lambda x, y: 255 if x in (3, 4) and 0 < y < 7 else 0))
        self.assertEqual(self.good("predict", path, one), self.good("predict", path, one, "--output", "y"))
        early = json.loads(self.good("predict", path, one, "--output", "early", "--json", "--top", 10))[0]
        self.assertAlmostEqual(sum(answer["probability"] for answer in early["top"]), 1, places=5)
        copy = json.loads(self.good("predict", path, one, "--output", "copy", "--json"))[0]
        self.assertEqual([answer["label"] for answer in copy["top"]], [f"output {i}" for i in range(64)])
        self.assertNotIn("label", copy)
        self.refused(2, "--output: the network has no output \"late\"; it has y, early and copy\n",
                     "predict", path, one, "--output", "late")
        self.refused(2, "--output and --with were given; models answer together by their first outputs; give one of them",
                     "predict", path, one, "--output", "early", "--with", path)

    def test_info_lists_them_and_counts_a_prediction_without_them(self):
        result = json.loads(self.good("info", "--net", EXAMPLE, "--input", "1x8x8", "--json"))
        self.assertEqual(result["outputs"], [
            {"name": "y", "shape": [10], "loss": "cross-entropy", "target": "data", "weight": 1.0},
            {"name": "early", "shape": [10], "loss": "cross-entropy", "target": "data", "weight": 0.3},
            {"name": "copy", "shape": [1, 8, 8], "loss": "mean-squared-error", "target": "input", "weight": 0.1}])
        alone = json.loads(self.good("info", "--net", "16c3z-relu-mp2-32c3z-relu-mp2-64n-relu-10n", "--input", "1x8x8",
                                     "--json"))
        self.assertEqual(result["multiply_adds"]["inference"], alone["multiply_adds"]["inference"])
        self.assertGreater(result["multiply_adds"]["training"], alone["multiply_adds"]["training"])
        self.assertNotIn("outputs", alone)
        self.assertIn("\noutputs     y 1×cross-entropy, early 0.3×", self.good("info", "--net", EXAMPLE, "--input", "1x8x8"))

    def test_other_commands_take_the_sum(self):
        small = EXAMPLE.read_text().replace("16c", "2c").replace("32c", "2c").replace("8c", "2c").replace("64n", "4n") \
            .replace("32n", "4n")
        net = ["--net", self.path("small.toml", small.encode()), "--input", "1x4x4"]
        self.assertIn("all derivatives agree", self.good("gradcheck", *net))
        wrong = chalkgrad("gradcheck", *net, "--corrupt", "mul", "--json")
        self.assertEqual((wrong.returncode, json.loads(wrong.stdout)["passed"]), (1, False))
        self.good("bench", "--net", EXAMPLE, "--input", "1x8x8", "--seconds", 0.1, "--threads", 1)
        self.good("lr-find", EXAMPLE, "--steps", 20)
        out = self.path("values.npz")
        self.good("grad", "--net", EXAMPLE, "--out", out)
        for name in (b"value/loss.early.npy", b"gradient/loss.copy.npy"):
            self.assertIn(name, out.read_bytes())

    def test_a_run_goes_on_with_its_outputs(self):
        path = self.trained("--epochs", 1, "--schedule", "constant")
        text = EXAMPLE.read_text()
        other = self.path("other.toml", text.replace("weight = 0.3", "weight = 0.4").encode())
        self.good("train", "--resume", path, "--epochs", 2, "--net", EXAMPLE, "--quiet", "--out", path)
        self.refused(2, "--net", "train", "--resume", path, "--epochs", 3, "--net", other)
        self.good("train", other, "--init", path, "--epochs", 1, "--quiet")


if __name__ == "__main__":
    main()
