#!/usr/bin/env python3
"""Pictures that are decoded while training (--memory), and those of a cache (--cache)."""
import json
import os
import pathlib
import resource
import signal
import subprocess
import time

from support import CliTest, command, main, png, sha_of

NET = ["--net", "4c3-relu-mp2-3n", "--batch", "8", "--validation", "0.2", "--augment", "flip,shift:2"]


class LargerThanMemory(CliTest):
    def setUp(self):
        super().setUp()
        self.photos = self.folder / "photos"
        for part, count in (("train", 20), ("test", 6)):
            for c, name in enumerate(("cat", "cow", "dog")):
                (self.photos / part / name).mkdir(parents=True)
                for i in range(count):
                    self.put(f"{part}/{name}/{i}.png", lambda x, y, c=c, i=i: ((c + 2) * 9 * x + (c + 1) * 5 * y + 7 * i) % 256)

    def put(self, name, pixel, side=12):
        (self.photos / name).write_bytes(png(side, side, pixel))

    def train(self, *args, epochs=2):
        return self.good("train", "--data", f"folder:{self.photos}", *NET, "--epochs", epochs, *args)

    def test_weights_are_the_same_wherever_pictures_are(self):
        expected = sha_of(self.train("--quiet"))
        cache = self.path("cache")
        for args in (["--memory", "0"], ["--cache", cache], ["--cache", cache]):
            for threads in "1234" if args[0] == "--memory" else "2":
                self.assertEqual(sha_of(self.train("--quiet", *args, "--threads", threads)), expected, args)
        self.assertIn(f"from the cache {cache}\n", self.train("--cache", cache))
        self.assertIn("78 pictures would take 11 kB of memory, and 0 kB are allowed: each is decoded whenever it is needed\n",
                      self.train("--memory", "0B"))

    def test_parts_are_those_of_the_files_wherever_pictures_are(self):
        run = ["train", "--data", f"folder:{self.photos},size=6", "--net", "4c3-relu-mp2-3n", "--batch", "8", "--epochs", 2, "--augment"]
        shas = {sha_of(self.good(*run, "resized-crop:0.2,0.8,of=file,flip", "--quiet", *args))
                for args in ([], ["--threads", "3", "--memory", "0"], ["--cache", self.path("cache")])}
        self.assertEqual(len(shas), 1)
        self.assertNotEqual(shas, {sha_of(self.good(*run, "resized-crop:0.2,0.8,flip", "--quiet"))})
        self.assertIn("\naugment  resized-crop:0.2,0.8,of=file\n         parts are taken from the files, in every epoch anew; no cache "
                      "keeps them\n", self.good(*run, "resized-crop:0.2,0.8,of=file", "--cache", self.path("cache")))

    def test_a_run_that_was_stopped_goes_on_with_any_of_them(self):
        expected = sha_of(self.train("--quiet", epochs=40))
        out, cache = self.path("part.safetensors"), self.path("cache")
        process = subprocess.Popen(command("train", "--data", f"folder:{self.photos}", *NET, "--epochs", "40", "--threads", "1", "--memory", "0", "--out", out,
                                           "--quiet"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while not os.path.exists(out) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 130, err)
        self.assertIn(f"go on with: chalkgrad train --resume {out} --out {out} --memory 0", err)
        for i, where in enumerate((["--memory", "0"], ["--cache", cache], [])):
            again = self.path(f"again{i}.safetensors")
            self.assertEqual(sha_of(self.good("train", "--resume", out, "--out", again, "--quiet", *where)), expected)

    def test_eval_data_and_lr_find_take_them(self):
        model, cache = self.path("model.safetensors"), self.path("cache")
        self.train("--quiet", "--out", model, "--cache", cache)
        expected = self.good("eval", model, "--json")
        for args in (["--memory", "0"], ["--cache", cache]):
            self.assertEqual(self.good("eval", model, "--json", *args), expected)
            self.assertEqual(self.good("eval", model, "--part", "validation", "--json", *args),
                             self.good("eval", model, "--part", "validation", "--json"))
        source = f"folder:{self.photos}"
        described = json.loads(self.good("data", source, "--json"))
        streamed = json.loads(self.good("data", source, "--json", "--memory", "1kB"))
        self.assertEqual(streamed.pop("remarks"), ["78 pictures would take 11 kB of memory, and 1 kB are allowed: each is "
                                                   "decoded whenever it is needed"])
        described.pop("remarks")
        self.assertEqual(streamed, described)
        sheets = [self.path("one.png"), self.path("two.png")]
        for sheet, memory in zip(sheets, ("1GB", "0")):
            self.good("data", source, "--sheet", sheet, "--augment", "shift:3,flip", "--memory", memory)
        one, two = (pathlib.Path(sheet).read_bytes() for sheet in sheets)
        self.assertEqual(one, two)

    def test_a_file_that_vanishes(self):
        """It is named, and what was learned before is kept; with --skip-bad the next one takes its place."""
        out = self.path("model.safetensors")
        gone = self.photos / "train/cow/3.png"
        for skip_bad in ([], ["--skip-bad"]):
            self.put("train/cow/3.png", lambda x, y: x * y)
            process = subprocess.Popen(command("train", "--data", f"folder:{self.photos}", *NET, "--epochs", "100", "--threads", "1", "--memory",
                                               "0", "--out", out, "--overwrite", *skip_bad),
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            while not os.path.exists(out) and process.poll() is None:
                time.sleep(0.01)
            gone.unlink()
            said, err = process.communicate(timeout=120)
            message = f"{gone}: cannot be read: No such file or directory; check the spelling and the folder"
            if skip_bad:
                self.assertEqual(process.returncode, 0, err)
                self.assertEqual(err.count(message), 1)
                self.assertIn("replaced 1 that could not be read any more\n", said)
            else:
                self.assertEqual(process.returncode, 1)
                self.assertTrue(err.endswith(f"chalkgrad: {message}\n"), err)
                self.assertIn("the run is not over", self.good("info", out))
            os.remove(out)

    def test_mistakes(self):
        for size in ("much", "-1", "1TB", "MB"):
            self.refused(2, f'chalkgrad: --memory: must be a size such as 300MB, 2GB or 0, not "{size}"\n', "train", "--memory",
                         size, "--data", f"folder:{self.photos}")

    def test_profile(self):
        out = self.train("--profile", "--memory", "0")
        self.assertRegex(out, r"\nsteps \d+\.\d\d s, of which waiting for data \d+\.\d\d s \(\d+\.\d\d %\); between them \d+\.\d\d s\n")
        found = json.loads(self.train("--profile", "--json"))
        self.assertEqual(found["profile"]["waited"], 0)

    def test_a_full_disk_leaves_nothing(self):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000))
        result = subprocess.run(command("data", f"folder:{self.photos}", "--cache", self.path("cache")), preexec_fn=limit,
                                capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, f"chalkgrad: {self.path('cache')}: cannot be written: File too large; free some space or "
                                        "choose another place\n")
        self.assertEqual([f.name for f in self.folder.iterdir()], ["photos"])

    def test_memory_is_bounded_however_long_the_list(self):
        """200,000 lines that repeat a few pictures, whose decoded bytes would take 2.6 GB."""
        names = [f"wide/{i}.png" for i in range(4)]
        (self.photos / "wide").mkdir()
        for i, name in enumerate(names):
            self.put(name, lambda x, y, i=i: (x * (i + 3) + y) % 256, side=112)
        lines = 200_000
        with open(self.folder / "list.csv", "w", encoding="utf-8") as file:
            for i in range(lines):
                file.write(f"photos/{names[i % 4]},{i % 4}\n")
        # All of an epoch would take a while; two seconds of it are enough to see what grows.
        process = subprocess.Popen(command("data", f"list:{self.folder}/list.csv", "--memory", "10MB"), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        most = 0
        end = time.time() + 3
        while time.time() < end and process.poll() is None:
            with open(f"/proc/{process.pid}/status", encoding="utf-8") as status:
                most = max([most, *(int(line.split()[1]) for line in status if line.startswith("VmHWM"))])
            time.sleep(0.05)
        process.kill()
        process.communicate()
        self.assertLess(most, 100_000)  # kB: a program's own, the list, and what a place in it takes


if __name__ == "__main__":
    main()
