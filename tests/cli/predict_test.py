#!/usr/bin/env python3
"""chalkgrad predict."""
import json
import os
import pathlib

from support import CliTest, main, png


class Prediction(CliTest):
    def test_predict(self):
        path = self.path("m.safetensors")
        self.good("train", "--epochs", 6, "--quiet", "--out", path)
        one = self.path("one.png", png(24, 24, lambda x, y: 255 if 9 <= x <= 14 and 2 <= y <= 21 else 0))
        inverse = self.path("inverse.png", png(24, 24, lambda x, y: 0 if 9 <= x <= 14 and 2 <= y <= 21 else 255))
        self.assertIn("one.png: 1 ", self.good("predict", path, one))
        result = json.loads(self.good("predict", path, one, inverse, "--json", "--top", 10))
        self.assertEqual(result[0]["label"], "1")
        self.assertAlmostEqual(sum(t["probability"] for t in result[0]["top"]), 1, places=5)
        alone = json.loads(self.good("predict", path, inverse, "--json", "--top", 10, "--invert"))
        self.assertEqual(alone[0]["top"], result[0]["top"], "a prediction depends on the image alone")
        self.refused(1, "missing.png", "predict", path, self.path("missing.png"))
        self.refused(1, "text.png", "predict", path, self.path("text.png", b"no image"))
        self.refused(1, "cut.png", "predict", path, self.path("cut.png", one.read_bytes()[:60]))

    def test_json_has_every_name_as_it_was_given(self):
        path = self.model()
        name = 'a "tab\t\u0001 \\ é𝄞.png'
        image = png(8, 8, lambda x, y: 0)
        result = json.loads(self.good("predict", path, self.path(name, image), "--json"))
        self.assertEqual(result[0]["image"], str(self.path(name)))
        bad = os.fsencode(self.folder) + b"/\xff\xc3(\xed\xa0\x80.png"  # neither is UTF-8: a byte, a start, a surrogate
        pathlib.Path(os.fsdecode(bad)).write_bytes(image)
        shown = json.loads(self.good("predict", path, os.fsdecode(bad), "--json"))[0]["image"]
        self.assertEqual(shown, str(self.folder) + "/\ufffd\ufffd(\ufffd\ufffd\ufffd.png")


if __name__ == "__main__":
    main()
