#!/usr/bin/env python3
"""--normalise: which numbers samples are for a network, in every command."""
import json

from support import CliTest, edit_safetensors, main, png, sha_of, SMALL

RUN = ["train", *SMALL, "--epochs", 1, "--schedule", "constant"]
WAYS = ("channel", "sample", "min-max", "none", "given:0.3/0.35")
GIVEN = "given:0.4914,0.4822,0.4465/0.247,0.2435,0.2616"


class Normalise(CliTest):
    def table(self):
        rows = [f"{i % 7},{1000 + 13 * (i * i % 11)},{'ab'[(i * 5 % 7 + i * i % 11) % 2]}" for i in range(60)]
        return self.path("t.csv", ("x,y,label\n" + "\n".join(rows) + "\n").encode())

    def test_a_model_repeats_it(self):
        out = self.path("m.safetensors")
        shas = set()
        for how in WAYS:
            result = json.loads(self.good(*RUN, "--normalise", how, "--json", "--out", out, "--overwrite"))
            shas.add(result["weights_sha256"])
            self.assertEqual(json.loads(self.good("eval", out, "--json"))["loss"], result["test_loss"])
            self.assertEqual(json.loads(self.good("eval", out, "--data", "digits", "--json"))["loss"], result["test_loss"])
            found = json.loads(self.good("info", out, "--json"))
            self.assertEqual(found["metadata"]["normalise"], how)
            self.assertEqual((found["encoding"]["of"], found["encoding"]["per_sample"]), ("bytes", how == "sample"))
        self.assertEqual(len(shas), 4, "the digits go from 0 to 255, so min-max is none")
        self.assertIn(sha_of(self.good(*RUN)), shas, "channel is what it was")

    def test_info_says_how(self):
        out = self.path("m.safetensors")
        self.good(*RUN, "--normalise", "given:0.3/0.35", "--quiet", "--out", out)
        self.assertIn("\nsamples     byte · 0.0112045 − 0.857143\n", self.good("info", out))
        self.good(*RUN, "--normalise", "sample", "--quiet", "--out", out, "--overwrite")
        self.assertIn("\nsamples     each with mean 0 and deviation 1\n", self.good("info", out))
        self.assertNotIn("samples  ", self.good("info", "--net", "10n", "--input", "4"))

    def test_numbers_can_be_normalised(self):
        data = f"csv:{self.table()}"
        out, values = self.path("m.safetensors"), self.path("v.npz")
        run = ["train", "--data", data, "--net", "8n-tanh-2n", "--epochs", 2, "--validation", 0.2, "--overwrite", "--json", "--out", out]
        for how, of in (("channel", "numbers"), ("sample", "numbers"), ("min-max", "numbers"), ("given:3,1050/2,40", "numbers")):
            result = json.loads(self.good(*run, "--normalise", how))
            self.assertEqual(json.loads(self.good("info", out, "--json"))["encoding"]["of"], of)
            seen = json.loads(self.good("eval", out, "--part", "validation", "--json"))
            self.assertEqual(seen["loss"], result["validation_loss"])
            self.good("grad", out, "--part", "train", "--out", values, "--overwrite")
        self.good(*run)
        self.assertIn("\nsamples     numbers as they are\n", self.good("info", out))
        self.good(*run, "--normalise", "none")

    def test_pictures_that_are_not_in_memory_are_seen_alike(self):
        for name, slope in (("cat", 1), ("dog", 2)):
            for i in range(6):
                path = self.folder / "p" / name / f"{i}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(png(8, 8, lambda x, y: (slope * (5 * x + 3 * y) + 60 * i) % 256))
        run = ["train", "--data", f"folder:{self.folder / 'p'}", "--net", "4c3-relu-gap-2n", "--epochs", 2, "--fold", "2/3"]
        for how in ("sample", "min-max"):
            self.assertEqual(*(sha_of(self.good(*run, "--normalise", how, *more)) for more in ([], ["--memory", "1kB"])))

    def test_a_configuration_may_say_so(self):
        config = self.path("c.toml", b'network = "4c3-relu-mp2-10n"\n[train]\nepochs = 1\nbatch = 64\nschedule = "constant"\n'
                                     b'normalise = "sample"\n')
        sha = sha_of(self.good("train", config))
        self.assertEqual(sha, sha_of(self.good(*RUN, "--normalise", "sample")))
        self.assertNotEqual(sha, sha_of(self.good("train", config, "--normalise", "channel")), "the command line wins")
        config = self.path("w.toml", b'network = "10n"\n[train]\nnormalise = "smaple"\n')
        self.refused(1, 'w.toml: line 3, column 13: normalise "smaple" is no normalisation; did you mean "sample"? '
                     "It is channel, sample, min-max, none or given:MEAN,…/DEVIATION,…\n", "train", config)

    def test_a_run_goes_on_with_its_own(self):
        out = self.path("m.safetensors")
        self.good(*RUN, "--normalise", "sample", "--keep-last", "--validation", 0.1, "--out", out)
        self.refused(2, "--normalise min-max differs from sample, with which", "train", "--resume", out, "--epochs", 2,
                     "--normalise", "min-max")
        straight = sha_of(self.good("train", *SMALL, "--epochs", 2, "--schedule", "constant", "--keep-last",
                                    "--validation", 0.1, "--normalise", "sample"))
        self.assertEqual(sha_of(self.good("train", "--resume", out, "--epochs", 2, "--normalise", "sample")), straight)

    def test_a_model_that_is_trained_further_sees_samples_as_before(self):
        out, next_, last = (self.path(name) for name in ("m.safetensors", "n.safetensors", "l.safetensors"))
        self.good(*RUN, "--normalise", "min-max", "--quiet", "--out", out)
        self.good("train", "--from", out, "--epochs", 1, "--quiet", "--out", next_)
        self.good(*RUN, "--init", out, "--quiet", "--out", last)
        for model in (next_, last):
            found, first = (json.loads(self.good("info", m, "--json")) for m in (model, out))
            self.assertEqual(found["encoding"], first["encoding"])
            self.assertEqual(found["metadata"]["normalise"], "min-max")
        said = (f"chalkgrad: --normalise sample: {out} was trained with min-max, and samples enter by its own scales and shifts, "
                "which its weights are made for; leave it out, or begin with other weights\n")
        self.assertEqual(self.refused(2, [], "train", "--from", out, "--normalise", "sample").stderr, said)
        self.assertEqual(self.refused(2, [], *RUN, "--init", out, "--normalise", "sample").stderr, said)
        self.good("train", "--from", out, "--epochs", 1, "--normalise", "min-max")
        self.good(*RUN, "--init", out, "--normalise", "min-max")

    def test_a_model_that_does_not_say_is_by_channel(self):
        out = self.path("m.safetensors")
        self.good(*RUN, "--quiet", "--out", out)
        self.assertNotIn("normalise", json.loads(self.good("info", out, "--json"))["metadata"])
        self.good("train", "--from", out, "--epochs", 1, "--normalise", "channel")
        self.refused(2, "was trained with channel", "train", "--from", out, "--normalise", "none")

    def test_earlier_programs_do_not_misread_a_model(self):
        out = self.path("m.safetensors")
        versions = {}

        def look(header, data):
            versions[how] = header["__metadata__"]["chalkgrad.version"]
            return header, data
        for how in WAYS:
            self.good(*RUN, "--normalise", how, "--quiet", "--out", out, "--overwrite")
            edit_safetensors(out, look)
        self.assertEqual(versions, {how: "2" if how == "sample" else "1" for how in WAYS})

    def test_mistakes_are_explained(self):
        for wrong, why in (("chanel", '"chanel" is no normalisation; did you mean "channel"? It is channel, sample, '
                                      "min-max, none or given:MEAN,…/DEVIATION,…"),
                           ("given:0.5/0", '"given:0.5/0": deviation 1 is 0; it must be above 0, as it divides'),
                           ("given:0.5,1/1", '"given:0.5,1/1": has 2 means and 1 deviations; give as many of each')):
            for command in ("train", "lr-find"):
                self.assertEqual(self.refused(2, [], command, "--normalise", wrong).stderr, f"chalkgrad: --normalise {why}\n")
        self.refused(1, f"normalisation {GIVEN}: gives 3 means, and the samples are 1×8×8; give 1 and as many deviations, one a "
                     "channel, or one of each for all\n", *RUN, "--normalise", GIVEN)


if __name__ == "__main__":
    main()
