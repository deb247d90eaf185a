#!/usr/bin/env python3
"""chalkgrad data."""
import json

from support import CliTest, main, png


class Data(CliTest):
    def describe(self, *args):
        return json.loads(self.good("data", *args, "--json"))

    def test_the_digits(self):
        out = self.good("data", "digits")
        self.assertIn("digits: 1,438 samples to train, 359 to test, 1×8×8 bytes, 10 classes\n", out)
        self.assertRegex(out, r"\n0 +0 +151 +10\.50 % +27\n")
        found = self.describe("digits")
        self.assertEqual(found["train"]["samples"], sum(found["train"]["classes"]))
        self.assertEqual(len(found["train"]["channels"]), 1)

    def test_parts_are_counted_as_train_has_them(self):
        out = self.good("data", "digits", "--validation", "0.1,stratified")
        self.assertIn("digits: 1,294 samples to train, 144 to validate, 359 to test, 1×8×8 bytes, 10 classes\n", out)
        self.assertRegex(out, r"\n0 +0 +136 +10\.51 % +15 +27\n")
        found = self.describe("digits", "--validation", "0.1,stratified")
        self.assertEqual(found["validation"]["classes"][0], 15)
        self.assertEqual(sum(found["validation"]["classes"]), found["validation"]["samples"])
        self.assertIn("959 samples to train, 479 to test", self.good("data", "digits", "--fold", "2/3"))
        self.assertIn("359 to validate, 359 to test", self.good("data", "digits", "--validation", "test"))
        for option, wrong, said in (("--validation", "x", 'is "x"; it must be'), ("--fold", "x", '"x" is no fold; '),
                                    ("--normalise", "x", '"x" is no normalisation; ')):
            self.refused(2, f"{option} {said}", "data", "digits", option, wrong)

    def test_it_says_how_samples_are_normalised(self):
        self.assertIn("of bytes, 0 to 255; training brings each channel to mean 0 and deviation 1\n", self.good("data", "digits"))
        for how, said in (("none", "byte · 0.00392157 + 0"), ("given:0.5/0.25", "byte · 0.0156863 − 2"),
                          ("sample", "each with mean 0 and deviation 1")):
            self.assertIn(f"of bytes, 0 to 255\nnormalised {how}: {said}\n", self.good("data", "digits", "--normalise", how))

    def pictures(self):
        folder = self.folder / "photos"

        def put(name, picture):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(picture)

        for part in ("train", "test"):
            for name, slope in (("cat", 1), ("dog", 2)):
                for i in range(6):
                    offset = 60 * i + (30 if part == "test" else 0)
                    put(f"{part}/{name}/{i}.png", png(16, 16, lambda x, y: (slope * (5 * x + 3 * y) + offset) % 256))
        put("train/cat/copy.png", (folder / "test/dog/3.png").read_bytes())
        put("train/dog/again.png", png(16, 16, lambda x, y: min(255, (5 * x + 3 * y) % 256 + (x + y) % 2)))
        put("train/cat/blank.png", png(16, 16, lambda x, y: 7))
        put("train/cat/large.png", png(20, 30, lambda x, y: (9 * x + 4 * y * y) % 256))
        put("train/cat/bad.png", png(16, 16, lambda x, y: x)[:50])
        put("train/cat/notes.txt", b"notes")
        return folder

    def test_the_odd_ones_out_are_named(self):
        folder = self.pictures()
        out = self.good("data", f"folder:{folder}")
        for words in ("1 cannot be used; train needs --skip-bad, or better files\n", f"  {folder}/train/cat/bad.png: the PNG",
                      f"files that are no pictures by name were left out: 1, {folder}/train/cat/notes.txt\n",
                      "2 sizes of pictures, rows × columns", f"  30×20: 1, e.g. {folder}/train/cat/large.png\n",
                      f"1 picture has one level throughout\n  {folder}/train/cat/blank.png\n",
                      "1 sample is equal to an earlier one: 1 of a test sample to a training sample, 0 within a part; 1 with "
                      f"another label\n  {folder}/train/cat/copy.png and {folder}/test/dog/3.png, another label\n",
                      f"{folder}/train/cat/0.png and {folder}/train/dog/again.png, another label\n"):
            self.assertIn(words, out)
        found = self.describe(f"folder:{folder}")
        self.assertEqual(found["classes"], ["cat", "dog"])
        self.assertEqual([s["rows"] for s in found["sizes"]], [16, 30])
        self.assertEqual([t["exact"] for t in found["twins"] if t["first"]["part"] != t["second"]["part"]], [True])
        self.assertEqual(len(found["skipped"]), 1)
        self.assertEqual([p["name"] for p in found["plain"]], [f"{folder}/train/cat/blank.png"])

    def test_a_sheet_is_drawn(self):
        sheet = self.path("sheet.png")
        self.assertIn(f"\nsheet {sheet}, a row for each class\n", self.good("data", "digits", "--sheet", sheet))
        self.assertEqual(sheet.read_bytes()[:8], b"\x89PNG\r\n\x1a\n")
        self.refused(1, "sheet.png: is there already", "data", "digits", "--sheet", sheet)
        other = self.path("augmented.png")
        self.good("data", "digits", "--sheet", other, "--augment", "shift:2,mixup")
        self.assertNotEqual(other.read_bytes(), sheet.read_bytes())
        self.refused(2, "--augment shows in the sheet", "data", "digits", "--augment", "flip")
        self.refused(2, '--augment: augmentation "fliip" is not known', "data", "digits", "--sheet",
                     self.path("third.png"), "--augment", "fliip")
        table = self.path("t.csv", b"x,label\n1,a\n2,b\n1,a\n")
        out = self.good("data", f"csv:{table}")
        self.assertIn("3 samples to train, none to test, 1 numbers, 2 classes\n", out)
        self.assertIn("1 sample is equal to an earlier one: 0 of a test sample to a training sample, 1 within a part\n"
                      "  training sample 0 and training sample 2\n", out)
        self.refused(1, "are no pictures", "data", f"csv:{table}", "--sheet", self.path("other.png"))
        self.assertFalse(self.path("other.png").exists())

    def test_mistakes(self):
        self.refused(2, "SOURCE is required", "data")
        self.refused(1, "is not known", "data", "no-such")


if __name__ == "__main__":
    main()
