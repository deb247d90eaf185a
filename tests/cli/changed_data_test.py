#!/usr/bin/env python3
"""Data that are others than when a model was trained: said by eval, grad and train --resume."""
from support import CliTest, chalkgrad, edit_safetensors, main

TRAIN = ("--net", "4c3-relu-gap-10n", "--epochs", 1, "--quiet")


class ChangedData(CliTest):
    def setUp(self):
        super().setUp()
        self.data, self.model_file = self.mnist_like(), self.folder / "m.safetensors"

    def train(self, *options):
        self.good("train", "--data", f"mnist:{self.data}", *TRAIN, "--out", self.model_file, *options)

    def change(self, part):
        """One pixel of one picture by one level, as another decoder might."""
        path = self.data / f"{part}-images-idx3-ubyte"
        path.write_bytes(path.read_bytes()[:-1] + bytes([path.read_bytes()[-1] ^ 1]))

    def said(self, *args):
        done = chalkgrad(*args)
        self.assertEqual(done.returncode, 0, "exit code")
        return done.stderr

    def warning(self, part):
        return (f"chalkgrad: mnist:{self.data}: the {part} samples are others than when the model was trained: files have "
                f"changed, or are decoded to other pixels; if that is meant, say --data mnist:{self.data}\n")

    def test_eval_and_grad_say_which_part_has_changed(self):
        self.train()
        for part, file in (("test", "t10k"), ("train", "train")):
            self.assertEqual(self.said("eval", self.model_file, "--part", part), "")
            self.change(file)
            self.assertEqual(self.said("eval", self.model_file, "--part", part), self.warning(part))
            self.assertEqual(self.said("eval", self.model_file, "--part", part, "--json"), self.warning(part))
            self.assertEqual(self.said("eval", self.model_file, "--part", part, "--data", f"mnist:{self.data}"), "")
            self.change(file)
            self.assertEqual(self.said("eval", self.model_file, "--part", part), "")
        self.change("t10k")
        out = self.folder / "g.npz"
        self.assertEqual(self.said("grad", self.model_file, "--out", out, "--part", "test"), self.warning("test"))

    def test_the_samples_that_were_held_out_are_known_as_such(self):
        self.train("--validation", 0.3)
        for part in ("validation", "train", "test"):
            self.assertEqual(self.said("eval", self.model_file, "--part", part), "")
        self.change("train")
        changed = [self.said("eval", self.model_file, "--part", part) for part in ("validation", "train")]
        self.assertEqual(sorted(changed), sorted(["", changed[0] or changed[1]]), "one sample is in one of them")
        self.assertIn(changed[0] or changed[1], (self.warning("validation"), self.warning("train")))

    def test_the_test_samples_may_be_those_that_it_was_validated_on(self):
        self.train("--validation", "test")
        self.change("t10k")
        for part in ("validation", "test"):
            self.assertEqual(self.said("eval", self.model_file, "--part", part), self.warning("test"))

    def test_a_run_that_goes_on_needs_the_same_samples_and_says_of_others_that_it_tests_on_those(self):
        self.train("--schedule", "constant")
        self.change("t10k")
        done = chalkgrad("train", "--resume", self.model_file, "--epochs", 2, "--quiet", "--out", self.folder / "2")
        self.assertEqual((done.returncode, done.stderr), (0, self.warning("test")))
        self.assertEqual(self.said("eval", self.folder / "2"), "", "it knows what it was tested on")
        self.change("train")
        self.refused(1, "in which a sample or a label has changed", "train", "--resume", self.model_file, "--epochs", 2,
                     "--data", f"mnist:{self.data}")

    def test_models_that_know_no_digest_say_nothing(self):
        self.train()

        def without(header, data):
            del header["__metadata__"]["test_digest"]
            return header, data

        edit_safetensors(self.model_file, without)
        self.change("t10k")
        self.assertEqual(self.said("eval", self.model_file), "")


if __name__ == "__main__":
    main()
