#!/usr/bin/env python3
"""A folder of pictures with everything in it that folders of pictures have: each oddity is named, nothing crashes,
nothing is half written, and --skip-bad goes on without."""
import json
import pathlib
import shutil
import struct
import subprocess
import zlib

from support import CliTest, chalkgrad, command, main, png, sha_of

JPEG = pathlib.Path(__file__).parent.parent / "data" / "sets" / "pictures" / "train" / "cat" / "b.jpg"


def png_that_claims(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b""))


class OddFolder(CliTest):
    def setUp(self):
        super().setUp()
        self.root = self.folder / "f"
        self.fill()
        self.out = self.folder / "m.safetensors"

    def fill(self):
        for name, slope in (("cat", 3), ("dog", 1)):
            (self.root / name).mkdir(parents=True)
            for i in range(4):
                (self.root / name / f"{i}.png").write_bytes(png(8, 8, lambda x, y: (20 * i + slope * x * y) % 256))

    def train(self, *options, classes=2):
        return chalkgrad("train", "--data", f"folder:{self.root},size=8", "--net", f"4c3-relu-gap-{classes}n", "--epochs", 1,
                         "--quiet", "--out", self.out, "--overwrite", *options)

    def oddities(self):
        """Of each: how it gets into the folder, and what is said about it."""
        f, again = self.root, "; fetch the file again or save it anew"
        jpeg = JPEG.read_bytes()

        def file(name, data):
            return lambda: (f / "cat" / name).write_bytes(data)

        def case():
            (f / "Cat").mkdir()
            shutil.copy(f / "cat" / "0.png", f / "Cat")

        return {
            f / "cat" / "corrupt.jpg": (file("corrupt.jpg", jpeg[:len(jpeg) // 2]),
                                        ": the JPEG data are damaged or truncated (Premature end of JPEG file)" + again),
            f / "cat" / "cut.png": (file("cut.png", png(8, 8, lambda x, y: x)[:60]),
                                    ": the PNG data are damaged or truncated (read beyond end of data)" + again),
            f / "cat" / "huge.png": (file("huge.png", png_that_claims(60_000, 60_000)),
                                     ": the image has 60000×60000 pixels, more than the 100,000,000 accepted here; make it "
                                     "smaller"),
            f / "cat" / "words.png": (file("words.png", b"once upon a time"),
                                      ": is none of PNG, JPEG, PNM and BMP by its first bytes; convert it to PNG"),
            f / "cat" / "gone.png": (lambda: (f / "cat" / "gone.png").symlink_to("nowhere.png"),
                                     ": cannot be read: No such file or directory; check the spelling and the folder"),
            f / "dog" / "round": (lambda: (f / "dog" / "round").symlink_to(".."),
                                  f": is a link to a folder that it is in, {f.resolve()}; remove it"),
            f / "empty": ((f / "empty").mkdir, ": has no pictures; put some there, or remove the folder"),
            f: (case, ': the classes "Cat" and "cat" differ in case alone; rename one, or put their pictures into one folder'),
        }

    def test_each_is_named_alone_and_nothing_is_written(self):
        for place, (make, said) in self.oddities().items():
            with self.subTest(said):
                make()
                done = self.train()
                self.assertEqual((done.returncode, done.stdout, done.stderr), (1, "", f"chalkgrad: {place}{said}\n"))
                self.assertEqual([path.name for path in self.folder.iterdir()], ["f"], "a file is left behind")
                shutil.rmtree(self.root)
                self.fill()

    def test_what_is_merely_odd_is_no_error(self):
        alone = sha_of(self.train().stdout)
        (self.root / "cat" / "notes.txt").write_text("about cats")
        (self.root / "dog" / ".hidden.png").write_bytes(b"")
        done = self.train()
        self.assertEqual((done.returncode, done.stderr, sha_of(done.stdout)), (0, "", alone))
        said = json.loads(self.good("data", f"folder:{self.root}", "--json"))["remarks"]
        self.assertEqual(said, ["names that begin with a dot were left out: 1",
                                f"files that are no pictures by name were left out: 1, {self.root}/cat/notes.txt"])
        (self.root / "dog" / "one.png").write_bytes(png(1, 1, lambda x, y: 9))
        self.assertEqual(self.train().returncode, 0, "one pixel, brought to 8×8")
        self.refused(1, f"{self.root}/dog/one.png: has 1×1 pixels, but {self.root}/cat/0.png has 8×8; say what all are "
                        "brought to by the option size=8x8", "train", "--data", f"folder:{self.root}", "--quiet")

    def test_skip_bad_goes_on_without_all_of_them(self):
        all_of_them = self.oddities()
        for make, _ in all_of_them.values():
            make()
        done = self.train("--skip-bad", classes=4)
        bad = sorted(f"{place}{said}" for place, (_, said) in all_of_them.items() if place != self.root)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stderr.splitlines()
        self.assertEqual(lines[0], "chalkgrad: left out 7:")
        self.assertEqual(sorted(lines[1:]), [f"chalkgrad:   {each}" for each in bad])
        said = json.loads(self.good("data", f"folder:{self.root},size=8", "--json"))
        self.assertEqual(sorted(said["skipped"]), bad)
        self.assertEqual((said["classes"], said["train"]["classes"]), (["Cat", "cat", "dog", "empty"], [1, 4, 4, 0]))
        self.assertEqual(said["remarks"], [f'{self.root}: the classes "Cat" and "cat" differ in case alone and are two'])
        again = self.train("--skip-bad", "--threads", 1, classes=4)
        self.assertEqual(sha_of(again.stdout), sha_of(done.stdout))

    def test_a_file_that_vanishes_while_it_is_trained_on(self):
        options = ["train", "--data", f"folder:{self.root}", "--net", "4c3-relu-gap-2n", "--batch", 2, "--schedule",
                   "constant"]
        expected = sha_of(self.good(*options, "--epochs", 20, "--quiet"))
        with subprocess.Popen(command(*options, "--epochs", 20, "--out", self.out), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as run:
            run.stdout.readline()  # it has its data
            (self.root / "dog" / "2.png").unlink()
            out, errors = run.communicate(timeout=60)
        self.assertEqual((run.returncode, errors), (0, ""))
        self.assertEqual(sha_of(out), expected, "it has what it needs in memory")
        self.refused(1, "the checkpoint was trained on 8 samples", "train", "--resume", self.out, "--epochs", 21)


if __name__ == "__main__":
    main()
