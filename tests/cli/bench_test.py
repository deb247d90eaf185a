#!/usr/bin/env python3
"""chalkgrad bench."""
import json
import xml.etree.ElementTree

from support import CliTest, main


class Bench(CliTest):
    def test_bench_measures(self):
        result = json.loads(self.good("bench", "--net", "4c3-relu-10n", "--input", "1x8x8", "--seconds", 0.2, "--threads", 1, "--json"))
        self.assertGreater(result["training"]["samples_per_second"], 0)
        self.assertGreater(result["inference"]["samples_per_second"], result["training"]["samples_per_second"])
        self.assertGreater(result["peak_gflops"], 0.1)
        self.assertLess(result["peak_gflops"], 64 * 7, "one core: 64 operations a cycle at 7 GHz would be a wonder")
        self.assertLess(result["inference"]["of_peak"], 1.5)
        self.assertGreater(result["peak_memory"], 1 << 20)

    def test_bench_measures_only_what_is_wanted(self):
        net = ["bench", "--net", "4c3-relu-10n", "--input", "1x8x8", "--seconds", 0.1, "--threads", 1]
        for only, there, gone in (("train", "training", "inference"), ("predict", "inference", "training")):
            result = json.loads(self.good(*net, "--only", only, "--json"))
            self.assertIn(there, result)
            self.assertNotIn(gone, result)
            self.assertIn(there, self.good(*net, "--only", only))
            once = json.loads(self.good(*net, "--only", only, "--once", "--json"))
            self.assertGreater(once["peak_memory"], 1 << 20)
            self.assertNotIn("rounds", once)
        self.assertIn("one step", self.good(*net, "--once"))
        self.refused(2, ["--only", "train", "predict"], *net, "--only", "forward")
        self.refused(2, ["--once", "--profile"], *net, "--once", "--profile")

    def test_bench_measures_the_step_of_an_optimizer(self):
        net = ["bench", "--net", "10n", "--input", "1x8x8", "--seconds", 0.1, "--threads", 1, "--only", "train", "--json"]
        self.assertEqual(json.loads(self.good(*net))["optimizer"], "sgd")
        result = json.loads(self.good(*net, "--optimizer", "adamw", "--profile"))
        self.assertEqual(result["optimizer"], "adamw")
        self.assertTrue(any("sqrt" in row["kernel"] for row in result["kernels"]))
        self.refused(2, ["--optimizer", "adamw"], *net, "--optimizer", "adamx")

    def test_bench_says_where_the_time_goes(self):
        net = ["bench", "--net", "4c3-relu-mp2-10n", "--input", "1x8x8", "--seconds", 0.2, "--profile"]
        result = json.loads(self.good(*net, "--json"))
        self.assertEqual(result["threads"], 1, "unless others are asked for")
        parts = {}
        for row in result["kernels"]:
            parts.setdefault(row["part"], []).append(row)
        self.assertEqual(set(parts), {"forward", "backward", "update", "between"})
        self.assertAlmostEqual(sum(row["of_time"] for row in result["kernels"]), 1, delta=0.05)
        conv = next(row for row in parts["forward"] if row["layer"] == "conv1")
        self.assertEqual(conv["multiply_adds"], 4 * 6 * 6 * 9)
        self.assertEqual(conv["calls_per_step"], 4, "64 samples are four microbatches")
        self.assertGreater(conv["gflops"], 0)
        products = sum(row["multiply_adds"] for row in result["kernels"])
        trained = json.loads(self.good(*net[:-1], "--threads", 1, "--json"))["training"]["multiply_adds"]
        self.assertEqual(products, trained, "every multiply-add belongs to a kernel")
        text = self.good(*net, "--threads", 2)
        for words in ("all forward", "all backward", "gather samples", "2 threads"):
            self.assertIn(words, text)
        for batch, kernel in ((1, "dense+bias, one sample"), (2, "dense+bias")):
            result = json.loads(self.good(*net, "--only", "predict", "--batch", batch, "--json"))
            self.assertEqual({row["part"] for row in result["kernels"]}, {"forward", "between"})
            self.assertIn(kernel, [row["kernel"] for row in result["kernels"]])
        text = self.good(*net, "--only", "predict")
        self.assertIn("a prediction", text)
        self.assertNotIn("backward", text)

    def test_bench_draws_the_roofline(self):
        net = ["bench", "--net", "4c3-relu-mp2-10n", "--input", "1x8x8", "--seconds", 0.1]
        result = json.loads(self.good(*net, "--roofline", "--json"))
        self.assertGreater(result["memory_gigabytes_per_second"], 0.1)
        rows = {(row["layer"], row["part"]): row for row in result["kernels"] if row["part"] != "between"}
        # x, the filters and their biases in; z, after pooling, and where its maxima were (and signs, if they are kept) out.
        conv, batch = rows["conv1", "forward"], 64
        floats = conv["bytes_per_step"] / 4
        self.assertGreaterEqual(floats, batch * (64 + 4 * 9) + 40)
        self.assertLessEqual(floats, batch * (64 + 4 * 9 * 2 + 4 * 36) + 40)
        for row in rows.values():
            seconds = {"arithmetic": 2 * batch * row["multiply_adds"] / (1e9 * result["peak_gflops"]),
                       "memory": row["bytes_per_step"] / (1e9 * result["memory_gigabytes_per_second"])}
            self.assertEqual(row["bound_by"], "memory" if seconds["memory"] > seconds["arithmetic"] else "arithmetic")
            self.assertAlmostEqual(row["of_bound"] * row["seconds_per_step"] / max(seconds.values()), 1, delta=1e-6)
        self.assertNotIn("bound_by", json.loads(self.good(*net, "--profile", "--json"))["kernels"][0])
        text = self.good(*net, "--roofline", "--threads", 2)
        for words in ("FLOP/byte", "of the bound", "memory", "GB/s"):
            self.assertIn(words, text)

        plot = self.path("roof.svg")
        self.good(*net, "--plot", plot)
        drawn = xml.etree.ElementTree.parse(plot).getroot()
        self.assertEqual(drawn.tag, "{http://www.w3.org/2000/svg}svg")
        titles = [t.text for t in drawn.iter("{http://www.w3.org/2000/svg}title")]
        self.assertTrue(any(t.startswith("conv1 ") and "FLOP per byte" in t for t in titles), titles)
        self.refused(1, ["--overwrite"], *net, "--plot", plot)
        self.good(*net, "--plot", plot, "--overwrite")
        self.refused(2, ["--once", "--plot"], *net, "--once", "--plot", self.path("other.svg"))


if __name__ == "__main__":
    main()
