#!/usr/bin/env python3
"""examples/seeds/*.toml: the systems that the derivations describe, each trained by one command."""
import json
import re

from support import CliTest, main, ROOT


class Seeds(CliTest):
    FILES = sorted((ROOT / "examples" / "seeds").glob("*.toml"))
    WITHOUT_LOGARITHM = "001-3"

    def test_each_is_explained_and_says_its_command(self):
        self.assertGreaterEqual(len(self.FILES), 15)
        self.assertEqual({f.name[:3] for f in self.FILES}, {"000", "001", "002", "003", "004"})
        for file in self.FILES:
            with self.subTest(file.name):
                text = file.read_text()
                self.assertTrue(text.startswith(f"# Derivation {file.name[:3]}"))
                self.assertIn(f"\n#   chalkgrad train examples/seeds/{file.name}\n", text)
                if file.stem != self.WITHOUT_LOGARITHM:
                    self.assertRegex(text, rf"\n#   chalkgrad train examples/seeds/{re.escape(file.name)} "
                                           r"--data mnist:FOLDER --epochs \d+\n")

    def test_each_learns_the_digits(self):
        for file in self.FILES:
            if file.stem == self.WITHOUT_LOGARITHM:
                continue
            with self.subTest(file.name):
                log = self.path(f"{file.stem}.jsonl")
                result = json.loads(self.good("train", file, "--epochs", 3, "--json", "--log", log))
                epochs = [json.loads(line) for line in log.read_text().splitlines() if "train_loss" in line]
                better = epochs[-1]["train_loss"] - epochs[0]["train_loss"]
                self.assertGreater(better if "maximise" in result else -better, 0)
                self.assertGreater(result["test_accuracy"], 0.6)

    def test_each_fits_mnist_and_has_right_gradients(self):
        for file in self.FILES:
            if file.stem == self.WITHOUT_LOGARITHM:
                continue
            with self.subTest(file.name):
                self.good("info", "--net", file, "--input", "1x28x28")
                self.assertIn("by what its gradient says", self.good("gradcheck", "--net", file, "--input", "1x8x8", "--by-update"))

    def test_tanh_outputs_under_binary_cross_entropy_are_refused(self):
        file, = [f for f in self.FILES if f.stem == self.WITHOUT_LOGARITHM]
        said = self.refused(1, "end the network with sigmoid", "train", file).stderr
        self.assertRegex(said, r"step 1 \(epoch 1\): dense2 \(tanh2\) gives -?[\d.]+ for output \d of sample \d+; binary "
                               r"cross-entropy takes its logarithm and needs outputs between 0 and 1;")


if __name__ == "__main__":
    main()
