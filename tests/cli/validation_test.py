#!/usr/bin/env python3
"""chalkgrad train --validation: judging epochs, stopping early, keeping the best."""
import json
import re
import shutil
import signal

from resume_test import Interrupting
from support import CliTest, edit_safetensors, main, png, sha_of, SMALL

RUN = [*SMALL, "--validation", 0.1, "--epochs", 40, "--lr", 0.2, "--schedule", "constant"]


class Validation(CliTest):
    def test_the_best_epoch_is_kept_and_shown(self):
        out, log = self.path("m.safetensors"), self.path("log.jsonl")
        text = self.good("train", *RUN, "--patience", 3, "--out", out, "--log", log)
        self.assertIn("1,294 samples to train, 144 to validate, 359 to test", text)
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        self.assertEqual(lines[0]["validation"], "0.1")
        epochs = [line for line in lines if "train_loss" in line]
        losses = [epoch["validation_loss"] for epoch in epochs]
        self.assertNotIn("test_loss", epochs[0], "the test samples are for the end")
        best = losses.index(min(losses)) + 1
        self.assertEqual(len(losses), best + 3)
        self.assertRegex(text, rf"\n +{best}/40 .*  best\n")
        found = re.search(rf"\nstopped early; best epoch {best} of {best + 3}: validation loss ([\d.e-]+), accuracy ([\d.]+) %\n", text)
        self.assertAlmostEqual(float(found[1]), min(losses), delta=1e-5 * min(losses))
        result = json.loads(self.good("train", *RUN, "--patience", 3, "--json"))
        self.assertEqual((result["best_epoch"], result["validation_loss"], result["stopped_early"]), (best, min(losses), True))
        self.assertEqual(result["weights_sha256"], sha_of(text))
        self.assertEqual(json.loads(self.good("eval", out, "--json"))["accuracy"], result["test_accuracy"])

    def test_eval_knows_what_was_held_out(self):
        out = self.path("m.safetensors")
        result = json.loads(self.good("train", *SMALL, "--validation", 0.1, "--epochs", 2, "--json", "--out", out))
        parts = {part: json.loads(self.good("eval", out, "--part", part, "--json")) for part in ("train", "test", "validation")}
        self.assertEqual({part: found["samples"] for part, found in parts.items()}, {"train": 1294, "test": 359, "validation": 144})
        self.assertEqual(parts["validation"]["loss"], result["validation_loss"])
        values = self.path("values.npz")
        self.assertIn("of samples 140 to 143\n",
                      self.good("grad", out, "--part", "validation", "--index", 140, "--batch", 4, "--out", values))
        self.refused(2, "144", "grad", out, "--part", "validation", "--index", 144, "--out", values, "--overwrite")
        self.refused(2, "--part validation: a network of --net has held nothing out; give a model, or use test or train\n",
                     "grad", "--net", "10n", "--part", "validation", "--out", values, "--overwrite")
        self.assertEqual(json.loads(self.good("eval", out, "--part", "train", "--data", "digits", "--json"))["samples"], 1438)
        self.good("train", *SMALL, "--epochs", 1, "--out", out, "--overwrite")
        self.refused(2, ["--part validation: the model was trained without validation data; use test or train"], "eval", out,
                     "--part", "validation")

    def test_info_says_which_epoch_a_model_is_of(self):
        out = self.path("m.safetensors")
        result = json.loads(self.good("train", *RUN, "--patience", 3, "--json", "--out", out))
        self.assertRegex(self.good("info", out), rf"\nbest epoch  {result['best_epoch']} of 40, validation loss [0-9.]+, "
                         r"accuracy [0-9.]+ %; the weights are those after it\n")
        self.assertEqual(json.loads(self.good("info", out, "--json"))["best_epoch"], result["best_epoch"])
        self.good("train", *SMALL, "--validation", 0.1, "--epochs", 2, "--keep-last", "--quiet", "--out", out, "--overwrite")
        self.assertIn(" %; the weights are the last epoch's, as keep_last says\n", self.good("info", out))
        self.good("train", *SMALL, "--epochs", 1, "--quiet", "--out", out, "--overwrite")
        self.assertNotIn("best", self.good("info", out))

    def test_keeping_the_last_changes_the_weights_alone(self):
        best, last = (json.loads(self.good("train", *RUN, "--patience", 3, "--json", *more)) for more in ([], ["--keep-last"]))
        self.assertNotEqual(best["weights_sha256"], last["weights_sha256"])
        self.assertEqual(best["best_epoch"], last["best_epoch"])

    def test_the_test_samples_may_judge(self):
        result = json.loads(self.good("train", *SMALL, "--validation", "test", "--epochs", 2, "--json"))
        self.assertEqual(result["validation_accuracy"], result["test_accuracy"])

    def test_a_configuration_may_say_so(self):
        config = self.path("c.toml", b'network = "4c3-relu-mp2-10n"\n[train]\nvalidation = 0.1\npatience = 3\nepochs = 40\nlr = 0.2\n'
                                     b'batch = 64\nschedule = "constant"\nby_accuracy = true')
        self.assertIn("best epoch", self.good("train", config))
        self.assertIn("359 to test", self.good("train", config, "--validation", "test", "--epochs", 1))
        for wrong in (b"1", b"0", b'"tset"', b"[0.1]"):
            config = self.path("w.toml", b'network = "10n"\n[train]\nvalidation = ' + wrong)
            self.refused(1, ["w.toml: line 3", "; it must be test, or a number above 0 and below 1"], "train", config)

    def test_a_share_may_be_written_in_any_way(self):
        out = self.path("m.safetensors")
        run = ["train", *SMALL, "--epochs", 1, "--schedule", "constant", "--keep-last", "--overwrite", "--out", out]
        for first, second in (("0.1", "0.10"), ("0.10", "1e-1"), ("2.5e-1", ".25")):
            log = self.path("log.jsonl")
            log.unlink(missing_ok=True)
            self.good(*run, "--validation", first, "--log", log)
            self.assertEqual(json.loads(log.read_text().splitlines()[0])["validation"], str(float(first)))
            self.good("train", "--resume", out, "--epochs", 2, "--validation", second)

        def as_earlier_programs_wrote_it(header, data):
            header["__metadata__"]["validation"] = "0.250"
            return header, data
        edit_safetensors(out, as_earlier_programs_wrote_it)
        self.good("train", "--resume", out, "--epochs", 2, "--validation", 0.25)
        self.refused(2, ["--validation 0.20 differs from 0.250"], "train", "--resume", out, "--epochs", 2, "--validation", "0.20")

    def test_mistakes_are_explained(self):
        for wrong in ("1", "0", "x", "0.5x", "digits", "0.1,strat", "0.1,seed=x", "samples:", "mnist:"):
            self.assertEqual(self.refused(2, [], "train", "--validation", wrong).stderr,
                             f'chalkgrad: --validation is "{wrong}"; it must be test, or a number above 0 and below 1: a share of '
                             "the training samples, which stratified and a seed may follow, as in 0.1,stratified,seed=3; or "
                             "samples:FILE, a list of them; or val, the part of a folder that is called so; or other data, such "
                             "as mnist:FOLDER\n")
        self.refused(1, ["patience needs validation data"], "train", "--patience", 3)
        folder = self.mnist_like()
        for kind in ("images-idx3", "labels-idx1"):
            (folder / f"t10k-{kind}-ubyte").unlink()
        self.refused(1, ["the data have no test samples", "--validation 0.1"], "train", "--data", f"mnist:{folder}", "--net", "10n",
                     "--validation", "test")

    def test_classes_can_be_held_out_in_proportion(self):
        out = self.path("m.safetensors")
        shas = set()
        for validation in ("0.1", "0.1,stratified", "0.1,seed=4", "0.1,stratified,seed=4"):
            run = ["train", *SMALL, "--validation", validation, "--epochs", 1, "--schedule", "constant", "--keep-last", "--json"]
            result = json.loads(self.good(*run, "--out", out, "--overwrite"))
            shas.add(result["weights_sha256"])
            seen = json.loads(self.good("eval", out, "--part", "validation", "--json"))
            self.assertEqual((seen["loss"], seen["samples"]), (result["validation_loss"], 144))
            if "stratified" in validation:
                whole = json.loads(self.good("data", "digits", "--json"))["train"]["classes"]
                for one, all_ in zip(seen["classes"], whole):
                    self.assertLess(abs(one["samples"] - all_ * 144 / 1438), 1)
        self.assertEqual(len(shas), 4)
        self.refused(2, "--validation 0.1,seed=4 differs from 0.1,stratified,seed=4", "train", "--resume", out, "--epochs", 2,
                     "--validation", "0.1,seed=4")
        self.good("train", "--resume", out, "--epochs", 2, "--validation", "0.10,seed=4,stratified")

    def test_a_list_may_say_which_samples(self):
        out, names = self.path("m.safetensors"), self.path("val.txt", b"5\n700\n\n1437\n")
        text = self.good("train", *SMALL, "--validation", f"samples:{names}", "--epochs", 1, "--out", out)
        self.assertIn("1,435 samples to train, 3 to validate, 359 to test", text)
        self.assertEqual(json.loads(self.good("eval", out, "--part", "validation", "--json"))["samples"], 3)
        self.assertEqual(json.loads(self.good("eval", out, "--part", "train", "--json"))["samples"], 1435)
        names.write_text("1438\n")
        self.refused(1, f"{names}: line 1: there is no training sample 1438; 1,438 count from 0 to 1437\n", "train", *SMALL,
                     "--validation", f"samples:{names}")
        self.refused(1, ["nowhere.txt"], "train", *SMALL, "--validation", f"samples:{self.folder}/nowhere.txt")

    def test_the_part_of_a_folder_that_is_called_val_may_judge(self):
        photos, out = self.folder / "photos", self.path("m.safetensors")
        for part, count in (("train", 8), ("val", 3), ("test", 2)):
            for name in ("cat", "dog"):
                (photos / part / name).mkdir(parents=True)
                for i in range(count):
                    picture = png(8, 8, lambda x, y, name=name, i=i: (len(name + part) * x * y + 31 * i + 5 * ord(name[0]) * y) % 256)
                    (photos / part / name / f"{i}.png").write_bytes(picture)
        run = ["train", "--net", "2n", "--epochs", 2, "--json", "--overwrite", "--out", out]
        source = f"folder:{photos},size=4"
        expected = json.loads(self.good(*run, "--data", source, "--validation", f"folder:{photos},test=val"))
        result = json.loads(self.good(*run, "--data", source, "--validation", "val"))
        for key in ("weights_sha256", "validation_loss", "test_loss", "best_epoch"):
            self.assertEqual(result[key], expected[key])
        self.assertEqual(json.loads(self.good("info", out, "--json"))["metadata"]["validation"], "val")
        parts = {part: json.loads(self.good("eval", out, "--part", part, "--json")) for part in ("train", "test", "validation")}
        self.assertEqual({part: found["samples"] for part, found in parts.items()}, {"train": 16, "test": 4, "validation": 6})
        self.assertEqual(parts["validation"]["loss"], result["validation_loss"])
        self.assertIn("16 samples to train, 6 to validate, 4 to test", self.good("data", source, "--validation", "val"))
        some = json.loads(self.good(*run, "--data", source + "#dog,cat", "--validation", "val"))
        self.assertEqual(some["validation_loss"],
                         json.loads(self.good("eval", out, "--part", "validation", "--json"))["loss"])
        # Elsewhere now.
        photos.rename(self.folder / "moved")
        moved = f"folder:{self.folder}/moved,size=4"
        self.assertEqual(json.loads(self.good("eval", out, "--part", "validation", "--data", moved, "--json"))["samples"], 6)
        shutil.rmtree(self.folder / "moved/test")
        tested = json.loads(self.good(*run, "--data", moved, "--validation", "val"))
        self.assertEqual(tested["validation_accuracy"], tested["test_accuracy"], "without test, val is the test part itself")
        shutil.rmtree(self.folder / "moved/val")
        hold_out = ", or hold some of the training samples out: 0.1\n"
        self.assertEqual(self.refused(1, [], *run, "--data", moved, "--validation", "val").stderr,
                         f"chalkgrad: validation val: {self.folder}/moved has no folder val, valid or validation; put one beside "
                         "train" + hold_out)
        self.assertEqual(self.refused(1, [], "train", "--validation", "val").stderr,
                         'chalkgrad: validation val: it is the part of a folder that is called so, and the data are "digits"; name '
                         "other data, such as folder:FOLDER" + hold_out)

    def test_other_data_may_judge(self):
        folder = self.mnist_like()
        out = self.path("m.safetensors")
        run = ["train", "--data", f"mnist:{folder}", "--net", "10n", "--epochs", 1, "--json", "--out", out]
        result = json.loads(self.good(*run, "--validation", f"mnist:{folder}"))
        self.assertEqual(result["validation_loss"], result["test_loss"], "its test part")
        seen = json.loads(self.good("eval", out, "--part", "validation", "--json"))
        self.assertEqual(seen["loss"], result["validation_loss"])
        self.refused(1, ["samples of 1×4×16 but the network takes 1×8×8"], *run, "--overwrite", "--validation", "npz:" + str(self.digits_npz()))

    def digits_npz(self):
        """Pictures of another size."""
        import io
        import struct
        import zipfile

        def npy(kind, shape, data):
            head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
            head += b" " * (63 - (10 + len(head)) % 64) + b"\n"
            return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + data
        raw = io.BytesIO()
        with zipfile.ZipFile(raw, "w") as file:
            file.writestr("x.npy", npy("|u1", "(4, 1, 4, 16)", bytes(range(256))))
            file.writestr("y.npy", npy("|u1", "(4,)", bytes(range(4))))
        return self.path("digits.npz", raw.getvalue())

    def test_a_finished_run_has_only_its_best_weights(self):
        out = self.path("m.safetensors")
        options = [*SMALL, "--validation", 0.1, "--schedule", "constant"]
        self.good("train", *options, "--epochs", 2, "--out", out)
        self.refused(2, ["has the weights of its best epoch", "--from"], "train", "--resume", out, "--epochs", 4)
        said = self.refused(1, ["finished; there is nothing to resume"], "train", "--resume", out).stderr
        self.assertNotIn("add --epochs", said)
        self.good("train", "--from", out, "--epochs", 1)
        self.good("train", *options, "--epochs", 2, "--keep-last", "--out", out, "--overwrite")
        self.assertEqual(sha_of(self.good("train", "--resume", out, "--epochs", 4)),
                         sha_of(self.good("train", *options, "--epochs", 4, "--keep-last")))


class Resuming(Interrupting):
    def test_a_killed_run_decides_the_same(self):
        more = ["--validation", "0.2", "--patience", "3", "--lr", "0.3", "--schedule", "plateau:1,factor=0.5", "--by-accuracy"]
        _, _, out, options = self.interrupted(signal.SIGKILL, *more, epochs=400, step=150)
        self.refused(2, ["--validation 0.1 differs from 0.2"], "train", "--resume", out, "--validation", 0.1)
        self.refused(2, ["--patience 4 differs from 3"], "train", "--resume", out, "--patience", 4)
        resumed = self.good("train", "--resume", out, "--out", out)
        self.assertRegex(resumed, r"stopped early; best epoch \d+ of \d+:")
        straight = self.good("train", *options)
        self.assertEqual(resumed[resumed.index("stopped early"):].replace(f"model {out}\n", ""), straight[straight.index("stopped early"):])
        self.refused(1, ["its training stopped early, after epoch", "begin a new run"], "train", "--resume", out)


if __name__ == "__main__":
    main()
