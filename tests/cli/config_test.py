#!/usr/bin/env python3
"""chalkgrad train FILE.toml: networks with a [train] table."""
import json

from support import CliTest, main, sha_of


class Configurations(CliTest):
    CONFIG = b"""
        # A comment.
        network = "4c3-relu-mp2-10n-softmax"
        [train]
        data = "digits"
        epochs = 2
        batch = 64
        lr = 0.05
        momentum = 0.8
        maximise = "log-likelihood"
        schedule = "cosine"
        seed = 3
    """

    def config(self, text=CONFIG):
        return self.path("c.toml", text)

    def test_a_configuration_trains_as_its_options_do(self):
        net = ["--net", "4c3-relu-mp2-10n-softmax"]
        options = ["--epochs", 2, "--batch", 64, "--lr", 0.05, "--momentum", 0.8, "--maximise", "log-likelihood",
                   "--schedule", "cosine", "--seed", 3]
        out, log = self.path("m.safetensors"), self.path("log.jsonl")
        sha = sha_of(self.good("train", self.config(), "--quiet", "--out", out, "--log", log))
        self.assertEqual(sha, sha_of(self.good("train", *net, *options, "--quiet")))
        start, *_, last = [json.loads(line) for line in log.read_text().splitlines()]
        self.assertEqual((start["maximise"], start["epochs"], start["momentum"]), ("log-likelihood", 2, 0.8))
        self.assertNotIn("loss", start)
        self.assertLess(last["test_loss"], 0, "the logarithm of a likelihood")
        again = json.loads(self.good("eval", out, "--json"))
        self.assertEqual(again["loss"], last["test_loss"])
        self.assertEqual(again["accuracy"], last["test_accuracy"])
        self.assertIn("log-likelihood -", self.good("eval", out))
        self.assertIn(sha, self.good("info", out))

    def test_options_win_over_the_table(self):
        result = json.loads(self.good("train", self.config(), "--epochs", 1, "--loss", "squared-error", "--json"))
        self.assertEqual((result["loss"], result["steps"]), ("squared-error", 23))
        self.assertNotIn("maximise", result)
        folder = self.mnist_like()
        self.assertIn("10 samples to train", self.good("train", self.config(), "--data", f"mnist:{folder}", "--epochs", 1))

    def test_the_file_is_a_network_for_other_commands(self):
        config = self.config()
        info = json.loads(self.good("info", "--net", config, "--input", "1x8x8", "--json"))
        self.assertEqual(info["layers"][-1]["name"], "softmax1")
        self.good("gradcheck", "--net", config, "--input", "1x8x8")
        self.good("bench", "--net", config, "--input", "1x8x8", "--seconds", 0.1, "--threads", 1)
        as_net = self.good("train", "--net", config, "--epochs", 1, "--quiet")
        self.assertEqual(sha_of(as_net), sha_of(self.good("train", "--net", "4c3-relu-mp2-10n-softmax", "--epochs", 1, "--quiet")))

    def test_an_interrupted_configuration_is_resumed(self):
        out = self.path("m.safetensors")
        self.good("train", self.config(), "--quiet", "--out", out)
        self.refused(2, ["--maximise gaussian-log-likelihood differs from log-likelihood"],
                     "train", "--resume", out, "--maximise", "gaussian-log-likelihood")
        self.refused(2, ["--loss squared-error differs from log-likelihood"], "train", "--resume", out, "--loss", "squared-error")
        self.refused(1, "finished", "train", "--resume", out, "--maximise", "log-likelihood")

    def test_mistakes_are_pointed_at(self):
        for text, words in ((b'network = "10n"\n[train]\nepohcs = 3', ["line 3, column 1", 'did you mean "epochs"?']),
                            (b'network = "10n"\n[train]\nlr = -1', ["line 3, column 6", "above 0"]),
                            (b'network = "10m"', ["line 1, column 11", "character 1"]),
                            (b'[train]\nepochs = 3', ["[[layer]]", "network ="]),
                            (b'netwrok = "10n"', ['did you mean "network"?']),
                            (b"10n", ["network ="]), (b"", ["network ="]), (b"\xff = 3", ["line 1"])):
            with self.subTest(text=text):
                self.refused(1, ["c.toml", *words], "train", self.config(text))
        self.refused(1, "missing.toml", "train", self.path("missing.toml"))
        self.refused(1, ["c.toml", "epohcs"], "info", "--net", self.config(b'network = "10n"\n[train]\nepohcs = 3'),
                     "--input", "1x8x8")
        config = self.config()
        self.refused(2, ["c.toml and --net", "one of them"], "train", config, "--net", "10n")
        self.refused(2, ["c.toml and --resume"], "train", config, "--resume", "m.safetensors")
        self.refused(2, ["--loss", "--maximise"], "train", config, "--loss", "squared-error", "--maximise", "log-likelihood")
        self.refused(2, ['"surplus" is no configuration', "--net surplus"], "train", "surplus")


if __name__ == "__main__":
    main()
