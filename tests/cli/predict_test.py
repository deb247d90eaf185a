#!/usr/bin/env python3
"""chalkgrad predict."""
import json
import os
import pathlib
import struct
import subprocess
import zlib

from support import CliTest, chalkgrad, main, png


def drawing(ink, width=8, height=8, exif=b""):
    """A one of that ink, 0 to 255, on nothing: a PNG file of grey with opacity."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + b"".join(bytes([ink, 255 if x in (3, 4) and 0 < y < 7 else 0]) for x in range(width))
                    for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 4, 0, 0, 0))
            + (chunk(b"eXIf", exif) if exif else b"") + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def upright_one(x, y):
    return 255 if x in (3, 4) and 0 < y < 7 else 0


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

    def test_a_folder_stands_for_the_pictures_in_it(self):
        model = self.model()
        for name in ("b/2.png", "b/c/1.png", "a.PNG", "b/.hidden.png", "b/notes.txt"):
            (self.folder / "seen" / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / "seen" / name).write_bytes(png(8, 8, upright_one))
        out = self.good("predict", model, self.folder / "seen", self.folder / "seen/a.PNG")
        self.assertEqual([line.split(": ")[0] for line in out.splitlines()],
                         [f"{self.folder}/seen/{name}" for name in ("a.PNG", "b/2.png", "b/c/1.png", "a.PNG")])

    def test_more_images_than_are_read_at_once(self):
        model, one = self.model(), self.path("one.png", png(8, 8, upright_one))
        expected = self.good("predict", model, one)
        self.assertEqual(self.good("predict", model, *[one] * 1030), expected * 1030)

    def test_one_bad_image_among_many(self):
        model, good = self.model(), self.path("good.png", png(8, 8, upright_one))
        missing, cut = self.path("missing.png"), self.path("cut.png", good.read_bytes()[:60])
        alone = self.good("predict", model, good)
        empty = self.path("empty")
        empty.mkdir()
        result = chalkgrad("predict", model, missing, good, cut, empty, good)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout, alone * 2, "the others are answered")
        lines = result.stderr.splitlines()
        self.assertEqual(len(lines), 3)
        for line, path in zip(lines, (missing, cut, empty)):
            self.assertTrue(line.startswith(f"chalkgrad: {path}: "), line)
        result = chalkgrad("predict", model, good, cut, "--json")
        self.assertEqual(result.returncode, 1)
        read, unread = json.loads(result.stdout)
        self.assertEqual((read["image"], list(unread)), (str(good), ["image", "error"]))
        self.assertEqual("chalkgrad: " + unread["error"], result.stderr.rstrip())
        result = chalkgrad("predict", model, missing, "--json")
        self.assertEqual(result.returncode, 1)
        self.assertIn("missing.png: cannot be read", json.loads(result.stdout)[0]["error"])

    def test_background_of_transparent_images(self):
        model, opaque = self.model(), self.path("opaque.png", png(8, 8, upright_one))

        def answer(*args):
            return self.good("predict", model, *args, "--top", 10).split(": ", 1)[1]

        white, black = self.path("white.png", drawing(255)), self.path("black.png", drawing(0))
        expected = answer(opaque)
        self.assertEqual(answer(white, "--background", "black"), expected)
        self.assertEqual(answer(white, "--background", "#000000"), expected)
        self.assertEqual(answer(black, "--invert"), expected)
        self.assertEqual(answer(black, "--background", "FFFFFF", "--invert"), expected)
        for given, advice in (((white,), "--background black"),
                              ((white, "--invert"), "--background black and without --invert"),
                              ((black, "--background", "070707"), "--background white"),
                              ((black, "--background", "black", "--invert"), "--background white")):
            self.refused(1, [f"{given[0]}: all that is visible in it has the colour of the background; lay it on ",
                             f" with {advice}\n"], "predict", model, *given)
        for colour in ("grey", "fff", "#12345g", "0x1234"):
            self.refused(2, [f'--background "{colour}" is not a colour', "give white, black or RRGGBB such as ffcc00"],
                         "predict", model, white, "--background", colour)
        self.assertEqual(answer(opaque, "--background", "ffcc00"), expected)

    def test_orientation_is_applied(self):
        model, upright = self.model(), self.path("upright.png", drawing(0))
        exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
        lying = self.path("lying.png", drawing(0, exif=exif))
        across = self.path("across.png", png(8, 8, lambda x, y: 255 - upright_one(y, x)))
        answers = [self.good("predict", model, path, "--top", 10).split(": ", 1)[1] for path in (upright, lying, across)]
        self.assertNotEqual(answers[0], answers[1])
        self.assertEqual(answers[1], answers[2])

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

    def test_outputs_are_called_what_they_are(self):
        path, image = self.path("m.safetensors"), self.path("x.png", png(8, 8, lambda x, y: 16 * x))
        for loss, net, kind, one in (("cross-entropy", "10n", "probability", True),
                                     ("squared-error", "10n-softmax", "probability", True),
                                     ("binary-cross-entropy", "10n-sigmoid", "probability", False),
                                     ("squared-error", "10n", "output", False),
                                     ("mean-absolute-error", "10n-tanh", "output", False)):
            with self.subTest(loss=loss, net=net):
                self.good("train", "--net", net, "--loss", loss, "--epochs", 1, "--quiet", "--out", path, "--overwrite")
                row = json.loads(self.good("predict", path, image, "--json", "--top", 10))[0]
                values = [t[kind] for t in row["top"]]
                self.assertEqual({frozenset(t) for t in row["top"]}, {frozenset(("label", kind))})
                self.assertEqual(values, sorted(values, reverse=True))
                self.assertEqual(row["label"], row["top"][0]["label"])
                self.assertEqual(abs(sum(values) - 1) < 1e-5, one)
                text = self.good("predict", path, image)
                self.assertEqual(text.count(" %"), 3 if kind == "probability" else 0)
                shown = float(text.split()[2])
                self.assertAlmostEqual(shown, values[0] * (100 if kind == "probability" else 1), delta=0.006)

    def test_standard_input_is_a_file(self):
        model, image = self.model(), self.path("x.png", png(8, 8, upright_one))
        answer = self.good("predict", model, image).split(": ", 1)[1]
        with open(image, "rb") as stdin:
            said = self.good("predict", model, "-", image, stdin=stdin)
        self.assertEqual(said, f"-: {answer}{image}: {answer}")
        with open(model, "rb") as stdin:
            self.refused(1, "standard input: is none of PNG, JPEG, PNM and BMP", "predict", model, "-", stdin=stdin)
        self.refused(1, "standard input: the file is empty", "predict", model, "-", stdin=subprocess.DEVNULL)
        self.refused(2, "- is standard input, which can be read once", "predict", model, "-", image, "-")


if __name__ == "__main__":
    main()
