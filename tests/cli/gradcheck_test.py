#!/usr/bin/env python3
"""chalkgrad gradcheck: right derivatives pass, corrupted ones do not."""
import json

from support import chalkgrad, CliTest, main


class Gradcheck(CliTest):
    NET = ["--net", "2c3z-tanh-mp2-3c3-sigmoid-5n", "--input", "1x8x8"]

    def test_gradcheck_passes_and_any_corruption_fails_it(self):
        self.assertIn("conv2.weight", self.good("gradcheck", *self.NET))
        for operation in ("conv2d", "tanh", "max_pool", "sigmoid", "dense", "add", "reshape", "log_softmax", "batch_sum"):
            with self.subTest(operation):
                result = chalkgrad("gradcheck", *self.NET, "--corrupt", operation, "--json")
                self.assertEqual(result.returncode, 1, result.stderr)
                self.assertFalse(json.loads(result.stdout)["passed"])
        self.refused(2, ["conv3d", "conv2d"], "gradcheck", *self.NET, "--corrupt", "conv3d")
        self.refused(1, "smaller", "gradcheck", "--net", "64c5-100n-10n", "--input", "1x28x28")

    def test_gradcheck_raises_no_false_alarm_where_a_gradient_is_what_is_left_of_much_larger_terms(self):
        """Two normalised values are ±1 whatever the weights are; in float, 1e-4 of their gradient is rounding."""
        for seed in range(1, 21):
            with self.subTest(seed):
                net = ["--net", "5n-bn-relu-3n", "--input", 4, "--batch", 2, "--seed", seed]
                report = json.loads(self.good("gradcheck", *net, "--json"))
                for check in report["rules"] + report["engine"]:
                    self.assertLessEqual(check["error"], check["allowed"], check["name"])
        self.assertRegex(self.good("gradcheck", *net), r"dense1\.weight +20 +\S+ +\S+ +\S+ +ok")

    def test_gradcheck_by_update_passes_and_any_corruption_fails_it(self):
        self.assertIn("conv2.weight", self.good("gradcheck", *self.NET, "--by-update"))
        report = json.loads(self.good("gradcheck", *self.NET, "--by-update", "--alpha", 0.01, "--json"))
        self.assertTrue(report["passed"])
        self.assertEqual([u["name"] for u in report["updates"]][0], "conv1.weight")
        for update in report["updates"]:
            self.assertLess(update["predicted"], 0)
            self.assertAlmostEqual(update["ratio"], 1, delta=0.1)
            self.assertAlmostEqual(update["error_at_tenth"], update["error"] / 10, delta=1e-4)
        for operation in ("conv2d", "tanh", "max_pool", "sigmoid", "dense", "add", "reshape", "log_softmax", "batch_sum"):
            with self.subTest(operation):
                result = chalkgrad("gradcheck", *self.NET, "--by-update", "--corrupt", operation, "--json")
                self.assertEqual(result.returncode, 1, result.stderr)
                self.assertFalse(json.loads(result.stdout)["passed"])
        ascent = self.path("ascent.toml", b'network = "5n-softmax"\n[train]\nmaximise = "log-likelihood"')
        report = json.loads(self.good("gradcheck", "--net", ascent, "--input", "1x8x8", "--by-update", "--json"))
        self.assertEqual(report["maximise"], "log-likelihood")
        self.assertTrue(all(u["predicted"] > 0 for u in report["updates"]), "it climbs")
        tanh = self.path("tanh.toml", b'network = "5n-tanh"\n[train]\nloss = "binary-cross-entropy"')
        for more in ([], ["--by-update"]):
            self.refused(1, ["dense1 (tanh1) gives -", "end the network with sigmoid"],
                         "gradcheck", "--net", tanh, "--input", "1x8x8", *more)
        self.refused(2, ["--alpha", "--by-update"], "gradcheck", *self.NET, "--alpha", 0.1)
        self.refused(2, "--alpha", "gradcheck", *self.NET, "--by-update", "--alpha", 0)


if __name__ == "__main__":
    main()
