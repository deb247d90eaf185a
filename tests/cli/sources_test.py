#!/usr/bin/env python3
"""Training on, evaluating and predicting with data of one's own: pictures in folders, and tables."""
import json

from support import CliTest, chalkgrad, main, png


def stripes(across):
    """A picture of stripes; no two are the same."""
    return lambda i: png(8, 8, lambda x, y: (200 if (y if across else x) // 2 % 2 else 20) + i)


class Sources(CliTest):
    def pictures(self, parts=("train", "test"), samples=20):
        folder = self.folder / "stripes"
        for part in parts:
            for name, picture in (("across", stripes(True)), ("down", stripes(False))):
                (folder / part / name).mkdir(parents=True)
                for i in range(samples):
                    (folder / part / name / f"{i}.png").write_bytes(picture(i))
        return folder

    def train(self, data, *args):
        model = self.path("m.safetensors")
        self.good("train", "--data", data, "--epochs", 5, "--lr", 0.1, "--quiet", "--out", model, "--overwrite", *args)
        return model

    def test_a_folder_is_trained_on_evaluated_and_predicted_from(self):
        folder = self.pictures()
        model = self.train(f"folder:{folder}")
        result = json.loads(self.good("eval", model, "--json"))
        self.assertEqual([c["name"] for c in result["classes"]], ["across", "down"])
        self.assertEqual((result["samples"], result["accuracy"]), (40, 1))
        answer = json.loads(self.good("predict", model, folder / "test" / "down" / "3.png", "--json"))
        self.assertEqual(answer[0]["label"], "down")
        self.refused(1, 'has no option "sise"; did you mean "size"?', "train", "--data", f"folder:{folder},sise=3")

    def test_the_same_bits_on_any_number_of_threads(self):
        folder = self.pictures()
        hashes = {self.good("train", "--data", f"folder:{folder}", "--epochs", 1, "--quiet", "--threads", n)
                  for n in (1, 3)}
        self.assertEqual(len(hashes), 1)

    def test_eval_brings_pictures_to_the_size_and_classes_of_the_model(self):
        model = self.train(f"folder:{self.pictures()}")
        other = self.folder / "other"
        (other / "down").mkdir(parents=True)
        (other / "down" / "1.png").write_bytes(png(16, 24, lambda x, y: 200 if x // 4 % 2 else 20))
        self.refused(1, "is not divided into train/ and test/", "eval", model, "--data", f"folder:{other}")
        result = json.loads(self.good("eval", model, "--data", f"folder:{other}", "--part", "train", "--json"))
        self.assertEqual([c["samples"] for c in result["classes"]], [0, 1])
        (other / "askew").mkdir()
        (other / "askew" / "1.png").write_bytes(png(8, 8, lambda x, y: x + y))
        self.refused(1, 'the class "askew" is none of those that the network knows: across and down', "eval", model,
                     "--data", f"folder:{other}", "--part", "train")

    def test_skip_bad_names_what_it_leaves_out_and_is_kept_in_the_model(self):
        folder = self.pictures()
        bad = folder / "train" / "down" / "99.png"
        bad.write_bytes(stripes(True)(1)[:50])
        self.refused(1, f"{bad}: the PNG data are damaged", "train", "--data", f"folder:{folder}", "--quiet")
        model = self.path("m.safetensors")
        result = chalkgrad("train", "--data", f"folder:{folder}", "--epochs", 1, "--quiet", "--skip-bad", "--out", model,
                           "--schedule", "constant")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stderr, rf"\Achalkgrad: left out 1:\nchalkgrad:   {bad}: the PNG data [^\n]+\n\Z")
        resumed = chalkgrad("train", "--resume", model, "--epochs", 2, "--quiet")
        self.assertEqual(resumed.returncode, 0)
        self.assertIn("left out 1:", resumed.stderr)
        for i in range(12):
            (folder / "train" / "down" / f"9{i}.png").write_bytes(b"no picture")
        many = chalkgrad("train", "--data", f"folder:{folder}", "--epochs", 1, "--quiet", "--skip-bad")
        self.assertEqual(len(many.stderr.splitlines()), 12)
        self.assertIn("and 2 others, which chalkgrad data lists", many.stderr)

    def test_sizes_of_pictures(self):
        folder = self.pictures(samples=2)
        (folder / "train" / "down" / "9.png").write_bytes(png(5, 6, lambda x, y: x))
        self.refused(1, "has 6×5 pixels, but ", "train", "--data", f"folder:{folder}")
        out = self.good("train", "--data", f"folder:{folder},size=9x7", "--epochs", 1)
        self.assertIn(", 1×9×7, 2 classes\n", out)

    def test_the_middle_of_pictures_is_remembered_by_the_model(self):
        folder = self.folder / "middles"
        for name, ink in (("bright", 220), ("dark", 30)):  # beside the middle they are alike, and there is more of it
            (folder / "train" / name).mkdir(parents=True)
            for i in range(20):
                picture = png(40, 8, lambda x, y: ink + i if 16 <= x < 24 else 30 + 190 * (i % 2))
                (folder / "train" / name / f"{i}.png").write_bytes(picture)
        wide = self.path("wide.png", png(40, 8, lambda x, y: 225 if 16 <= x < 24 else 30))
        options = ["--net", "4n-relu-2n"]
        model = self.train(f"folder:{folder},size=8,fit=crop", *options)
        answer = json.loads(self.good("predict", model, wide, "--json"))[0]
        self.assertGreater(answer["top"][0]["probability"], 0.99)
        self.assertEqual(answer["label"], "bright")
        report = json.loads(self.good("eval", model, "--data", f"folder:{folder}", "--part", "train", "--json"))
        self.assertEqual(report["accuracy"], 1, "cropped as in training, without a word about it")
        stretched = self.train(f"folder:{folder},size=8", *options)
        self.assertNotEqual(json.loads(self.good("predict", stretched, wide, "--json"))[0]["top"][0]["probability"],
                            answer["top"][0]["probability"])
        self.refused(1, 'fit must be stretch or crop, not "pad"', "train", "--data", f"folder:{folder},fit=pad")

    def test_a_table_says_how_it_was_read(self):
        lines = [f"{i % 7},{i % 2 * 3},{'odd' if i % 2 else 'even'}" for i in range(60)]
        table = self.path("t.csv", ("a,b,kind\n" + "\n".join(lines) + "\n").encode())
        out = self.good("train", "--data", f"csv:{table}", "--epochs", 3)
        self.assertIn(": 60 samples to train, none to test, 2, 2 classes\n         the first line has the names of the "
                      "columns; the class is column \"kind\"; 2 others are learned from\n", out)
        model = self.train(f"csv:{table}")
        self.refused(1, f"csv:{table}: has no test samples; give --part train, or other data", "eval", model)
        self.assertIn("accuracy 100.00 %", self.good("eval", model, "--part", "train"))
        numbers = self.good("train", "--data", f"csv:{table},target=b,drop=kind", "--net", "1n", "--loss", "squared-error",
                            "--epochs", 1)
        self.assertIn(": 60 samples to train, none to test, 1\n", numbers)


if __name__ == "__main__":
    main()
