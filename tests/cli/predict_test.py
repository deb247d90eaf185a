#!/usr/bin/env python3
"""chalkgrad predict."""
import json

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


if __name__ == "__main__":
    main()
