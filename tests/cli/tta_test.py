#!/usr/bin/env python3
"""Test-time augmentation: chalkgrad eval and predict with --tta."""
import json
import math

from support import CliTest, idx, main, png


class TestTimeAugmentation(CliTest):
    def test_eval_measures_the_mean_of_the_views(self):
        model = self.model()
        pictures = [[[(31 * i + 7 * r * c + 11 * c) % 256 for c in range(8)] for r in range(8)] for i in range(10)]

        def evaluated(pictures, *options):
            raw = bytes(b for picture in pictures for row in picture for b in row)
            folder = self.mnist_like(t10k_images=idx(8, [10, 8, 8], raw))
            return json.loads(self.good("eval", model, "--data", f"mnist:{folder}", "--json", *options))

        mirrored = evaluated([[row[::-1] for row in picture] for picture in pictures])
        alone, both = evaluated(pictures), evaluated(pictures, "--tta", "flip")
        only = evaluated(pictures, "--tta", "flip:1")
        self.assertAlmostEqual(only["loss"], mirrored["loss"], places=4)
        self.assertEqual(only["confusion"], mirrored["confusion"])
        self.assertNotIn("views", alone)
        self.assertEqual((only["views"], both["views"]), (1, 2))
        self.assertNotEqual(both["loss"], alone["loss"])
        self.assertLess(both["loss"], (alone["loss"] + mirrored["loss"]) / 2, "the loss is convex")
        out = self.good("eval", model, "--tta", "shift:1,border=reflect,flip")
        self.assertTrue(out.endswith(", mean of 359 samples, each in 6 views\n"), out)
        same = json.loads(self.good("eval", model, "--with", model, "--tta", "flip", "--json"))
        self.assertAlmostEqual(same["loss"], json.loads(self.good("eval", model, "--tta", "flip", "--json"))["loss"])

    def test_predict_answers_with_the_softmax_of_the_mean_of_the_logits(self):
        model = self.model()
        image = self.path("x.png", png(8, 8, lambda x, y: 9 * x + 16 * (y == 3)))
        mirrored = self.path("y.png", png(8, 8, lambda x, y: 9 * (7 - x) + 16 * (y == 3)))

        def probabilities(*words):
            said = json.loads(self.good("predict", model, *words, "--json", "--top", 10))[0]["top"]
            return {answer["label"]: answer["probability"] for answer in said}

        p, q, found = probabilities(image), probabilities(mirrored), probabilities(image, "--tta", "flip")
        means = {label: math.sqrt(p[label] * q[label]) for label in p}
        for label, mean in means.items():
            self.assertAlmostEqual(found[label], mean / sum(means.values()), places=5)
        together = probabilities(image, "--with", model, "--tta", "flip")
        self.assertAlmostEqual(together["3"], found["3"], places=6)

    def test_what_has_no_views_is_said(self):
        model, image = self.model(), self.path("x.png", png(8, 8, lambda x, y: 9 * x))
        for command in (["eval", model], ["predict", model, image]):
            self.refused(2, '--tta: augmentation "cutout:2" has no fixed views to look at when testing; use flip:P, vflip:P '
                            'or shift:PIXELS', *command, "--tta", "flip,cutout:2")
            self.refused(2, '--tta: augmentation "fliip" is not known; did you mean "flip"?', *command, "--tta", "fliip")
            self.refused(1, 'augmentation "shift:8": PIXELS is 8; it must be below the smaller side of the pictures, 8',
                         *command, "--tta", "shift:8")
        rows = "a,b,class\n" + "".join(f"{i},{i % 3},{'yes' if i % 2 else 'no'}\n" for i in range(40))
        table, of_table = self.path("t.csv", rows.encode()), self.path("t.safetensors")
        self.good("train", "--data", f"csv:{table}", "--net", "2n", "--epochs", 1, "--quiet", "--out", of_table)
        self.refused(1, 'test-time augmentation is for pictures, {channels, rows, columns}, and the network takes 2; leave '
                        'out "flip"', "eval", of_table, "--part", "train", "--tta", "flip")


if __name__ == "__main__":
    main()
