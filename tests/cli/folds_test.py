#!/usr/bin/env python3
"""chalkgrad train --folds: cross-validation, together, one fold alone, killed and resumed."""
import json
import signal
import statistics
import subprocess
import time

from resume_test import Interrupting
from support import CliTest, LIMIT, command, main, SMALL

RUN = ["train", *SMALL, "--epochs", 2]


class Folds(CliTest):
    def test_each_fold_is_that_run_alone(self):
        out, alone = self.path("m.safetensors"), self.path("a.safetensors")
        report = json.loads(self.good(*RUN, "--folds", 3, "--validation", "0.1,stratified", "--json", "--out", out))
        self.assertEqual([f["fold"] for f in report["folds"]], [1, 2, 3])
        for one in report["folds"]:
            model = self.folder / f"m.fold{one['fold']}.safetensors"
            self.assertEqual(one["model"], str(model))
            tested = json.loads(self.good("eval", model, "--json"))
            self.assertEqual((tested["loss"], tested["accuracy"]), (one["loss"], one["accuracy"]))
        result = json.loads(self.good(*RUN, "--fold", "2/3", "--validation", "0.1,stratified", "--threads", 1, "--json", "--out", alone))
        self.assertEqual((result["weights_sha256"], result["test_loss"], result["best_epoch"]),
                         tuple(report["folds"][1][key] for key in ("weights_sha256", "loss", "best_epoch")))
        self.assertEqual(alone.read_bytes(), (self.folder / "m.fold2.safetensors").read_bytes())
        for what in ("accuracy", "loss"):
            values = [f[what] for f in report["folds"]]
            self.assertAlmostEqual(report[what]["mean"], statistics.mean(values), delta=1e-12)
            self.assertAlmostEqual(report[what]["standard_deviation"], statistics.stdev(values), delta=1e-12)

    def test_the_parts_of_a_fold_are_its_own(self):
        out = self.path("m.safetensors")
        text = self.good(*RUN, "--fold", "3/3,seed=2", "--validation", 0.1, "--out", out)
        self.assertIn("data     digits: 863 samples to train, 96 to validate, 479 to test, 1×8×8, 10 classes\nfold     3/3,seed=2, "
                      "to test\n", text)
        samples = {part: json.loads(self.good("eval", out, "--part", part, "--json"))["samples"] for part in ("train", "validation", "test")}
        self.assertEqual(samples, {"train": 863, "validation": 96, "test": 479})
        self.assertEqual(json.loads(self.good("eval", out, "--data", "digits", "--json"))["samples"], 359, "other data are as they are")
        first, second = (json.loads(self.good("data", "digits", "--fold", f"{k}/2", "--normalise", "channel", "--json")) for k in (1, 2))
        self.assertEqual(first["test"]["classes"], second["train"]["classes"])
        self.assertNotEqual(first["scale"], second["scale"], "what a fold is tested on is not measured")

    def test_the_table(self):
        text = self.good(*RUN, "--folds", "2,plain", "--normalise", "sample")
        self.assertRegex(text, r"\A +fold .*\n +1/2 .*\n +2/2 .*\n +mean .*\n *deviation .*\n +least .*\n +most .*\n\Z")
        self.assertRegex(self.good(*RUN, "--folds", 2, "--quiet"), r"\A +fold .*\n +mean ")

    def test_finished_folds_are_not_trained_again(self):
        out = self.path("m.safetensors")
        report = self.good(*RUN, "--folds", 3, "--json", "--out", out)
        files = [self.folder / f"m.fold{k}.safetensors" for k in (1, 2, 3)]
        self.assertEqual(self.refused(2, [], *RUN, "--folds", 3, "--out", out).stderr,
                         f"chalkgrad: --out: {files[0]} is there already; go on with these folds by --resume {out}, give another "
                         "--out, or add --overwrite to replace them\n")
        files[1].unlink()
        before = [files[k].stat().st_mtime_ns for k in (0, 2)]
        self.assertEqual(self.good(*RUN, "--folds", 3, "--json", "--resume", out), report)
        self.assertEqual([files[k].stat().st_mtime_ns for k in (0, 2)], before)
        for more, what in ((["--lr", 0.01], "with lr 0.05, and 0.01 is asked for"),
                           (["--validation", 0.1], "with validation none, and 0.1 is asked for"),
                           (["--normalise", "sample"], "with normalise none, and sample is asked for"),
                           (["--loss", "squared-error"], "with loss cross-entropy, and squared-error is asked for")):
            said = self.refused(2, [], *RUN, "--folds", 3, "--resume", out, *more).stderr
            self.assertEqual(said, f"chalkgrad: {files[0]}: was trained {what}; go on with the options that the folds were started "
                                   "with, or give another --out\n")
        self.refused(2, "with fold 1/3, and 1/4 is asked for", *RUN, "--folds", 4, "--resume", out)
        self.refused(2, "was trained with the network 4c3-relu-mp2-10n, and 10n is asked for", "train", "--net", "10n", "--batch", 64,
                     "--epochs", 2, "--folds", 3, "--resume", out)
        self.refused(1, f"{files[0]}: was trained on other samples than these; go on with the data that the folds were started "
                     "with\n", *RUN, "--data", "digits#9,8,7,6,5,4,3,2,1,0", "--folds", 3, "--resume", out)
        self.assertEqual(self.good(*RUN, "--folds", 3, "--json", "--out", out, "--overwrite"), report)

    def test_a_run_of_a_fold_goes_on(self):
        out = self.path("m.safetensors")
        run = ["train", *SMALL, "--schedule", "constant", "--json"]
        self.good(*run, "--epochs", 1, "--fold", "2/3", "--out", out)
        self.refused(2, "--fold 1/3 differs from 2/3, with which", "train", "--resume", out, "--epochs", 2, "--fold", "1/3")
        self.refused(2, "--fold 2/3,plain differs from 2/3, with which", "train", "--resume", out, "--epochs", 2, "--fold", "2/3,plain")
        resumed = json.loads(self.good("train", "--resume", out, "--epochs", 2, "--fold", "2/3", "--json"))
        straight = json.loads(self.good(*run, "--epochs", 2, "--fold", "2/3"))
        self.assertEqual((resumed["weights_sha256"], resumed["test_loss"]), (straight["weights_sha256"], straight["test_loss"]))
        further = self.good("train", "--from", out, "--epochs", 1)
        self.assertIn("1,438 samples to train, 359 to test", further, "a new run is of all samples, unless it is told")
        self.assertIn("959 samples to train, 479 to test", self.good("train", "--from", out, "--epochs", 1, "--fold", "2/3"))

    def test_a_configuration_may_say_it(self):
        def config(more):
            return self.path("c.toml", b'network = "4c3-relu-mp2-10n"\n[train]\nbatch = 64\nepochs = 2\n' + more)
        expected = self.good(*RUN, "--folds", "3,seed=2", "--json")
        out = self.path("m.safetensors")
        self.assertEqual(self.good("train", config(b'folds = "3,seed=2"\n'), "--json"), expected)
        one = json.loads(self.good("train", config(b'fold = "2/3,seed=2"\n'), "--json", "--out", out))
        self.assertEqual(one["test_loss"], json.loads(expected)["folds"][1]["loss"])
        self.assertEqual(json.loads(self.good("eval", out, "--json"))["loss"], one["test_loss"])
        both = config(b"folds = 4\n")
        alone = json.loads(self.good("train", both, "--fold", "2/3,seed=2", "--json"))
        self.assertEqual(alone["weights_sha256"], one["weights_sha256"], "the command line wins")
        self.assertEqual(self.refused(2, [], "train", both, "--seeds", "1..2").stderr,
                         f"chalkgrad: folds in {both} and --seeds were given; leave one of them out: compare seeds on one --fold\n")
        for wrong, said in ((b"folds = 1\n", 'folds "1" is no number of folds from 2 to 1000, which a seed and plain may follow: '
                             "5,seed=3"),
                            (b"fold = 5\n", 'fold "5" is no fold; it is its number, from 1, and how many there are, from 2 to 1000, '
                             "and a seed and plain may follow: 2/5,seed=3")):
            self.assertEqual(self.refused(1, [], "train", config(wrong)).stderr,
                             f"chalkgrad: {both}: line 5, column {wrong.index(b'=') + 3}: {said}\n")
        self.assertEqual(self.refused(1, [], "train", config(b'fold = "1/2"\nfolds = 2\n')).stderr,
                         f"chalkgrad: {both}: line 6, column 9: fold and folds are both given: one of them, or all; leave one out\n")

    def test_mistakes_are_explained(self):
        for wrong in ("1", "0", "x", "5/2", "1001", "5,seed=", "5,stratified"):
            self.assertEqual(self.refused(2, [], "train", "--folds", wrong).stderr,
                             f'chalkgrad: --folds "{wrong}" is no number of folds from 2 to 1000, which a seed and plain may follow: '
                             "5,seed=3\n")
        for wrong in ("5", "0/5", "6/5", "1/1"):
            self.assertEqual(self.refused(2, [], "train", "--fold", wrong).stderr,
                             f'chalkgrad: --fold "{wrong}" is no fold; it is its number, from 1, and how many there are, from 2 to '
                             "1000, and a seed and plain may follow: 2/5,seed=3\n")
        for option, value, why in (("--fold", "1/2", "the one trains all folds, the other one of them"),
                                   ("--seeds", "1..2", "compare seeds on one --fold"),
                                   ("--log", self.path("l.jsonl"), "several runs do not go into one file"),
                                   ("--print-after", "plan", "the graph of each run would be the same; print that of one, with --fold")):
            self.assertEqual(self.refused(2, [], "train", "--folds", 2, option, value).stderr,
                             f"chalkgrad: --folds and {option} were given; leave one of them out: {why}\n")
        self.refused(1, 'digits: the class "0" has 151 samples, fewer than the 200 folds; use fewer folds, or deal samples without '
                     "regard to their classes: 200,plain\n", *RUN, "--folds", 200)
        small = self.path("t.csv", b"x,label\n1,a\n2,b\n3,a\n4,b\n")
        self.refused(1, "csv: 4 samples are too few for 5 folds; use as many folds as samples at most\n", "train", "--data",
                     f"csv:{small}", "--net", "2n", "--folds", 5)
        self.refused(2, "--folds: --resume and --out name different files; give --resume what --out was\n", *RUN, "--folds", 2,
                     "--resume", self.path("a"), "--out", self.path("b"))
        self.refused(1, "fold 1/2: step ", *RUN, "--folds", 2, "--lr", 1e30)


class Interrupted(Interrupting):
    def started(self, out, fold=2, epochs=6):
        """All folds, of which that one has begun."""
        process = subprocess.Popen(command(*self.run_, "--epochs", epochs, "--folds", 3, "--checkpoint-every", 5, "--out", out),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        end = time.monotonic() + LIMIT
        while time.monotonic() < end and not (self.folder / f"m.fold{fold}.safetensors").exists():
            self.assertIsNone(process.poll(), "all folds were over before one could be interrupted")
            time.sleep(0.001)
        return process

    run_ = ["train", "--net", "8c3-relu-mp2-10n", "--batch", "16", "--json"]

    def test_a_killed_run_goes_on_to_the_same_bits(self):
        out = self.path("m.safetensors")
        process = self.started(out)
        process.kill()
        process.communicate(timeout=LIMIT)
        first = self.folder / "m.fold1.safetensors"
        before = first.stat().st_mtime_ns
        resumed = self.good(*self.run_, "--epochs", 6, "--folds", 3, "--resume", out, "--threads", 1)
        self.assertEqual(first.stat().st_mtime_ns, before, "it was finished")
        self.assertEqual(resumed, self.good(*self.run_, "--epochs", 6, "--folds", 3, "--out", out, "--overwrite"))

    def test_ctrl_c_keeps_what_is_done(self):
        out = self.path("m.safetensors")
        process = self.started(out)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=LIMIT)
        self.assertEqual(process.returncode, 130)
        self.assertRegex(stderr, rf"\Achalkgrad: stopped in fold [23]/3; go on with the same options and --resume {out}\n\Z")
        self.assertEqual(json.loads(self.good(*self.run_, "--epochs", 6, "--folds", 3, "--resume", out))["folds"][0]["fold"], 1)

    def test_two_runs_do_not_write_the_same_folds(self):
        out = self.path("m.safetensors")
        process = self.started(out, fold=1, epochs=4000)
        try:
            self.refused(1, "m.fold1.safetensors: another run is writing this file; wait until it has ended, or write to another "
                         "file\n", *self.run_, "--epochs", 4000, "--folds", 3, "--resume", out)
        finally:
            process.kill()
            process.communicate(timeout=LIMIT)


if __name__ == "__main__":
    main()
