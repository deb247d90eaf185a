#!/usr/bin/env python3
"""chalkgrad train --clip-norm, --clip-value, --l1, --groups and --freeze: on the command line, in TOML, and resumed."""
import json
import struct

from support import CliTest, main, sha_of, SMALL

TRAIN = ("train", *SMALL, "--epochs", 1, "--quiet")


class Groups(CliTest):
    def sha(self, *args):
        return sha_of(self.good(*TRAIN, *args))

    def test_freezing_is_a_group_said_shortly(self):
        frozen = self.sha("--freeze", "conv*")
        self.assertNotEqual(frozen, self.sha())
        self.assertEqual(frozen, self.sha("--groups", "conv*: frozen"))
        self.assertEqual(frozen, self.sha("--freeze", "conv1.weight", "--freeze", "conv1.bias"))
        config = self.path("c.toml", b'network = "4c3-relu-mp2-10n"\n[train]\nbatch = 64\nepochs = 1\nschedule = "one-cycle"\n'
                                     b'[[train.group]]\npattern = "conv*"\nfrozen = true\n')
        self.assertEqual(frozen, sha_of(self.good("train", config, "--quiet")))
        self.assertEqual(frozen, sha_of(self.good("train", "--freeze", "conv1.bias", config, "--quiet")), "FILE is no pattern")

    def test_freezing_has_the_last_word(self):
        all_but_one = "conv*: frozen; conv1.bias: frozen=false"
        frozen = self.sha("--freeze", "conv*")
        self.assertNotEqual(self.sha("--groups", all_but_one), frozen)
        self.assertEqual(self.sha("--groups", all_but_one, "--freeze", "conv*"), frozen)
        self.assertEqual(self.sha("--groups", all_but_one, "--freeze", "*.bias", "--freeze", "conv*"),
                         self.sha("--groups", "conv*: frozen; *.bias: frozen"))
        config = self.path("c.toml", b'network = "4c3-relu-mp2-10n"\n[train]\nbatch = 64\nepochs = 1\nschedule = "one-cycle"\n'
                                     b'[[train.group]]\npattern = "conv*"\nfrozen = true\n'
                                     b'[[train.group]]\npattern = "conv1.*"\nfrozen = false\n')
        self.assertNotEqual(sha_of(self.good("train", config, "--quiet")), frozen)
        self.assertEqual(sha_of(self.good("train", config, "--quiet", "--freeze", "conv*")), frozen)

    def test_a_run_agrees_with_what_it_was_told_to_freeze(self):
        out = self.path("m.safetensors")
        run = [*TRAIN, "--schedule", "constant", "--groups", "conv*: frozen; conv1.bias: frozen=false"]
        resume = ["train", "--resume", out, "--epochs", 2, "--quiet"]
        self.good(*run, "--freeze", "conv*", "--freeze", "dense1.bias", "--out", out)
        for freeze in ([], ["--freeze", "conv*"], ["--freeze", "dense1.bias", "--freeze", "conv*"],
                       ["--groups", "conv*: frozen; conv1.bias: frozen=false", "--freeze", "conv*", "--freeze", "dense1.bias"]):
            self.good(*resume, *freeze)
        self.good(*run, "--out", out, "--overwrite")
        self.refused(2, ["--groups conv1.bias: frozen=false; conv*: frozen differs from "
                         "conv*: frozen; conv1.bias: frozen=false, with which"], *resume, "--freeze", "conv*")

    def test_a_pattern_that_matches_nothing_lists_the_names(self):
        self.refused(1, ['the group "conv2*" matches no parameter', "conv1.weight, conv1.bias, dense1.weight and dense1.bias"],
                     *TRAIN, "--freeze", "conv2*")
        self.refused(1, 'the pattern "conv*: frozen; x" of a group may have no : and no ;', *TRAIN, "--freeze", "conv*: frozen; x")
        self.refused(2, ["--groups", "write PATTERN: lr_factor=X"], *TRAIN, "--groups", "conv*: rate=2")

    def test_a_resumed_run_has_the_groups_and_limits_that_it_began_with(self):
        out = self.path("m.safetensors")
        options = ("--freeze", "conv*", "--clip-norm", 0.5, "--l1", 1e-4)
        first = self.good(*TRAIN, *options, "--schedule", "constant", "--out", out)
        more = self.good("train", "--resume", out, "--epochs", 2, "--quiet", *options)
        self.assertNotEqual(sha_of(first), sha_of(more))
        whole = self.good("train", *SMALL, "--epochs", 2, "--quiet", *options, "--schedule", "constant")
        self.assertEqual(sha_of(more), sha_of(whole))
        for other, words in (("--freeze", ["--groups conv*: frozen; dense*: frozen", "conv*: frozen"]), ("--clip-norm", ["--clip-norm 2", "0.5"])):
            self.refused(2, [*words, "leave it out"], "train", "--resume", out, "--epochs", 3, other,
                         "dense*" if other == "--freeze" else 2)

    def test_the_norm_is_in_the_log(self):
        log = self.path("log.jsonl")
        self.good(*TRAIN, "--clip-norm", 0.5, "--log", log)
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        self.assertEqual(lines[0]["clip_norm"], 0.5)
        self.assertGreater(lines[1]["gradient_norm"], 0)
        other = self.path("other.jsonl")
        self.good(*TRAIN, "--log", other)
        self.assertNotIn("gradient_norm", other.read_text())

    def whitened(self):
        return self.path("w.toml", b'[[layer]]\ntype = "conv"\nfilters = 18\nkernel = 3\ninit = "whitening"\n'
                                   b'[[layer]]\nchain = "relu-mp2-10n"\n[train]\nbatch = 64\nepochs = 1\n')

    def filters(self, model):
        """Of conv1.weight, each as a list."""
        data = model.read_bytes()
        length = struct.unpack("<Q", data[:8])[0]
        begin, end = json.loads(data[8:8 + length])["conv1.weight"]["data_offsets"]
        values = struct.unpack(f"<{(end - begin) // 4}f", data[8 + length + begin:8 + length + end])
        return [values[i:i + 9] for i in range(0, len(values), 9)]

    def test_a_frozen_layer_keeps_the_filters_that_whiten_the_data(self):
        out = self.path("m.safetensors")
        self.good("train", self.whitened(), "--freeze", "conv1.weight", "--quiet", "--out", out)
        kept = self.filters(out)
        for k in range(9):
            self.assertEqual(kept[9 + k], tuple(-x for x in kept[k]), "eigenvectors, and the same with the other sign")
            for other in kept[:k]:
                product, sizes = sum(a * b for a, b in zip(kept[k], other)), sum(a * a for a in other)
                self.assertLess(abs(product), 1e-4 * sizes ** 0.5 * sum(a * a for a in kept[k]) ** 0.5)
        self.good("train", self.whitened(), "--quiet", "--freeze", "conv1.weight", "--seed", 2, "--out", out, "--overwrite")
        self.assertEqual(self.filters(out), kept, "they depend on the data alone")

    def test_weights_of_a_model_win_over_whitening(self):
        first, out = self.path("first.safetensors"), self.path("m.safetensors")
        self.good("train", self.whitened(), "--quiet", "--out", first)
        for how in (("--init", first, self.whitened()), ("--from", first)):
            self.good("train", *how, "--quiet", "--epochs", 1, "--freeze", "conv1.weight", "--out", out, "--overwrite")
            self.assertEqual(self.filters(out), self.filters(first))

    def test_limits_change_what_is_learnt(self):
        shas = {self.sha(), self.sha("--clip-value", 0.01), self.sha("--clip-norm", 0.01), self.sha("--l1", 0.01)}
        self.assertEqual(len(shas), 4)
        self.refused(2, "--clip-norm", *TRAIN, "--clip-norm", -1)


if __name__ == "__main__":
    main()
