#!/usr/bin/env python3
"""chalkgrad info, and mistakes in networks that every command would point at."""
import json
import os

from support import chalkgrad, CliTest, main


class Networks(CliTest):
    def test_typing_errors_are_pointed_at(self):
        for net, words in {"20c5-rleu": ["character 6", '"rleu"', 'did you mean "relu"?'], "-": ["character 1"],
                           "20c5-": ["character 5"], "20c5--relu": ["character 6"], "20c": ["character 4", "kernel"],
                           "0c5-10n": ["at least 1"], "99999999999999999999n": ["too large"], "20c5zz": ["character 6"],
                           "20c4z": ["odd"], "20c5–relu": ["character 5", "–"], "softmax-10n": ["last"],
                           "10n\x1b[2J": ["\\x1b"]}.items():
            with self.subTest(net=net):
                self.refused(2, words, "info", "--net", net, "--input", "1x28x28")
        result = chalkgrad("info", "--input", "1x8x8", "--net", os.fsdecode(b"10n-\xff\xfe"))
        self.assertEqual(result.returncode, 2)
        self.assertIn("\\xff", result.stderr)

    def test_shapes_that_do_not_fit_name_the_layer(self):
        self.refused(1, ["conv2", "3×3", "maxpool1"], "info", "--net", "4c3-mp2-4c5-10n", "--input", "1x8x8")
        self.refused(1, ["classes", "10n"], "train", "--net", "4c3-relu-7n")

    def test_absurd_sizes_are_refused_at_once(self):
        self.refused(2, "parameters", "info", "--net", "1000000n-1000000n", "--input", "1x8x8")
        self.refused(2, "large", "info", "--net", "1048576c1z", "--input", "1x64x64")

    def test_toml_files_say_line_and_column(self):
        toml = self.path("net.toml", b'[[layer]]\ntype = "conv"\nfiltres = 3\n')
        self.refused(1, ["net.toml: line 3, column 1", '"filtres"', 'did you mean "filters"?'],
                     "info", "--net", toml, "--input", "1x8x8")
        for text in (b"", b"\xff\xfe", b"[[layer]]", b'[[layer]]\ntype = "cnov"', b"a = " + b"[" * 5000,
                     b'[[layer]]\ntype = "dense"\noutputs = 99999999999999999999999', b'[[layer]]\nchain = "relu-"'):
            with self.subTest(text=text[:40]):
                self.path("net.toml", text)
                self.assertIn(chalkgrad("info", "--net", toml, "--input", "1x8x8").returncode, (1, 2))
        self.refused(1, "missing.toml", "info", "--net", self.path("missing.toml"), "--input", "1x8x8")

    def test_info_counts(self):
        info = json.loads(self.good("info", "--net", "20c5-relu-mp2-40c5-relu-mp2-100n-relu-10n", "--input", "1x28x28", "--json"))
        self.assertEqual(info["parameters"], 20 * 26 + 40 * 501 + 100 * 641 + 10 * 101)
        first, rest = 20 * 24 * 24 * 25, 40 * 8 * 8 * 500 + 64000 + 1000
        self.assertEqual(info["multiply_adds"], {"inference": first + rest, "training": 2 * first + 3 * rest})
        self.assertEqual(info["layers"][1]["name"], "relu1")
        self.assertGreater(info["memory"]["training"]["total"], info["memory"]["inference"]["total"])
        self.assertIn("conv2d", self.good("info", "--net", "4c3-10n", "--input", "1x8x8", "--graph"))


if __name__ == "__main__":
    main()
