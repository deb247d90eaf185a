#!/usr/bin/env python3
"""chalkgrad train --average and --lookahead: averages of weights and slow weights, and who sees them."""
import json
import signal

from resume_test import Interrupting
from support import CliTest, edit_safetensors, main, sha_of, SMALL

NET = ["--net", "4c3-bn-relu-mp2-10n", "--batch", 64, "--epochs", 6]
AVERAGES = ["ema:0.9", "swa:2"]


class Average(CliTest):
    def test_is_what_the_model_and_all_its_readers_have(self):
        for average in AVERAGES:
            out, log = self.path(f"{average[:3]}.safetensors"), self.path(f"{average[:3]}.jsonl")
            result = json.loads(self.good("train", *NET, "--average", average, "--out", out, "--log", log, "--json"))
            lines = [json.loads(line) for line in log.read_text().splitlines()]
            self.assertEqual(lines[0]["average"], average)
            self.assertEqual(lines[-1]["test_loss"], result["test_loss"])
            found = json.loads(self.good("eval", out, "--json"))
            self.assertEqual((found["loss"], found["accuracy"]), (result["test_loss"], result["test_accuracy"]))
            self.assertNotEqual(result["weights_sha256"], json.loads(self.good("train", *NET, "--json"))["weights_sha256"])
            said = f"averages, {average}; those of the last step are there, too, as NAME.raw"
            self.assertIn(f"\nweights     {said}\n", self.good("info", out))
            self.assertEqual(json.loads(self.good("info", out, "--json"))["weights"], said)
            log.unlink()

    def test_is_none_unless_asked_for(self):
        out = self.path("m.safetensors")
        plain = sha_of(self.good("train", *NET, "--quiet", "--out", out))
        self.assertNotIn("averages", self.good("info", out))
        self.assertEqual(sha_of(self.good("train", *NET, "--average", "none", "--quiet")), plain)
        config = self.path("c.toml", b'network = "4c3-bn-relu-mp2-10n"\n[train]\nbatch = 64\nepochs = 6\naverage = "ema:0.9"\n')
        self.assertEqual(sha_of(self.good("train", config, "--quiet")), sha_of(self.good("train", *NET, "--average", "ema:0.9", "--quiet")))
        self.assertEqual(sha_of(self.good("train", config, "--average", "none", "--quiet")), plain)

    def test_from_goes_on_with_the_weights_of_the_last_step(self):
        plain, averaged = self.path("plain.safetensors"), self.path("averaged.safetensors")
        self.good("train", *NET, "--quiet", "--out", plain)
        self.good("train", *NET, "--quiet", "--out", averaged, "--average", "ema:0.9")
        further = [sha_of(self.good("train", "--from", m, "--epochs", 2, "--quiet")) for m in (plain, averaged)]
        self.assertEqual(further[0], further[1])

    def test_of_the_best_epoch_is_all_that_is_kept_of_it(self):
        out = self.path("m.safetensors")
        run = [*NET, "--validation", 0.1, "--average", "ema:0.9", "--out", out]
        result = json.loads(self.good("train", *run, "--json"))
        self.assertEqual(json.loads(self.good("eval", out, "--part", "validation", "--json"))["loss"], result["validation_loss"])
        self.assertIn("\nweights     averages, ema:0.9\n", self.good("info", out))
        self.assertNotIn(b".raw", out.read_bytes())
        self.good("train", "--from", out, "--epochs", 1, "--quiet")

    def test_that_makes_no_sense_is_refused(self):
        self.refused(2, '--average: average "mean" is not known; use ema:DECAY, swa:FROM or none', "train", "--average", "mean")
        self.refused(1, 'average "swa:6" needs 7 epochs before anything is averaged, and the run has 6; give it more of them, '
                     "or begin earlier", "train", *NET, "--average", "swa:6")
        config = self.path("c.toml", b'network = "10n"\n[train]\naverage = "ema:2"\n')
        self.refused(1, ["c.toml: line 3", 'average "ema:2": DECAY is 2; it must be at least 0 and below 1'], "train", config)


class Lookahead(Interrupting):
    def test_is_what_the_model_has(self):
        out, log = self.path("m.safetensors"), self.path("log.jsonl")
        result = json.loads(self.good("train", *NET, "--lookahead", 5, "--out", out, "--log", log, "--json"))
        self.assertEqual(json.loads(log.read_text().splitlines()[0])["lookahead"], "5,0.5")
        found = json.loads(self.good("eval", out, "--json"))
        self.assertEqual((found["loss"], found["accuracy"]), (result["test_loss"], result["test_accuracy"]))
        self.assertIn(b"dense1.weight.fast", out.read_bytes())
        config = self.path("c.toml", b'network = "4c3-bn-relu-mp2-10n"\n[train]\nbatch = 64\nepochs = 6\nlookahead = "5,0.5"\n')
        self.assertEqual(sha_of(self.good("train", config, "--quiet")), result["weights_sha256"])
        self.assertEqual(sha_of(self.good("train", config, "--lookahead", "none", "--quiet")), sha_of(self.good("train", *NET, "--quiet")))

    def test_goes_on_when_it_was_killed(self):
        _, _, out, options = self.interrupted(signal.SIGKILL, "--lookahead", "5,0.8", "--average", "ema:0.9", step=250)
        self.refused(2, ["--lookahead none differs from 5,0.8, with which", "leave it out"], "train", "--resume", out, "--lookahead",
                     "none")
        resumed = self.good("train", "--resume", out, "--out", out, "--threads", 1, "--quiet")
        self.assertEqual(sha_of(resumed), sha_of(self.good("train", *options)))

    def test_that_makes_no_sense_is_refused(self):
        self.refused(2, '--lookahead: lookahead "0": STEPS is 0; it must be whole, and from 1 to 1000000', "train", "--lookahead", 0)


class Resuming(Interrupting):
    def test_a_killed_run_goes_on_with_its_averages(self):
        for average in ("ema:0.99", "swa:1"):
            with self.subTest(average=average):
                _, _, out, options = self.interrupted(signal.SIGKILL, "--average", average, net="8c3-bn-relu-drop0.1-mp2-10n",
                                                      name=f"{average[:3]}.safetensors", step=250)
                resumed = self.good("train", "--resume", out, "--out", out, "--threads", 1, "--quiet")
                self.assertEqual(sha_of(resumed), sha_of(self.good("train", *options)))
                self.path("log.jsonl").unlink()

    def test_a_checkpoint_is_gone_on_with_as_it_began(self):
        _, _, out, _ = self.interrupted(signal.SIGINT, "--average", "ema:0.99")
        for other in ("none", "swa:1", "ema:0.9"):
            self.refused(2, [f"--average {other} differs from ema:0.99, with which", "leave it out"],
                         "train", "--resume", out, "--average", other)
        self.good("train", "--resume", out, "--average", "ema:decay=0.99", "--quiet")

        def without_raw(header, data):
            name = "dense1.weight.raw"
            begin, end = header.pop(name)["data_offsets"]
            for entry in header.values():
                if "data_offsets" in entry and entry["data_offsets"][0] >= end:
                    entry["data_offsets"] = [at - (end - begin) for at in entry["data_offsets"]]
            return header, data[:begin] + data[end:]
        edit_safetensors(out, without_raw)
        self.refused(1, "the checkpoint has no dense1.weight.raw, which it needs to go on; resume from another checkpoint", "train",
                     "--resume", out)
        self.good("eval", out)

    def test_more_epochs_go_on_with_the_weights_and_the_average(self):
        out = self.path("m.safetensors")
        run = [*SMALL, "--schedule", "constant", "--average", "swa:1"]
        self.good("train", *run, "--epochs", 3, "--out", out, "--quiet")
        more = self.good("train", "--resume", out, "--epochs", 5, "--quiet")
        self.assertEqual(sha_of(more), sha_of(self.good("train", *run, "--epochs", 5, "--quiet")))


if __name__ == "__main__":
    main()
