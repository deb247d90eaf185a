#!/usr/bin/env python3
"""chalkgrad train --from, and --resume with more epochs: training goes on, and every message says how."""
import json
import re
import shlex

from support import CliTest, edit_safetensors, main, sha_of, SMALL


class Further(CliTest):
    def quietly(self, *args):
        return sha_of(self.good("train", *args, "--quiet"))

    def sha(self, model):
        return json.loads(self.good("info", model, "--json"))["weights_sha256"]

    def advised(self, message):
        """The command that a message advises, as a shell takes it."""
        return shlex.split(re.search(r"chalkgrad (train .*)$", message.strip(), re.MULTILINE)[1])

    def test_it_begins_with_the_network_and_the_weights_of_the_model(self):
        model = self.model()
        self.assertEqual(self.quietly("--from", model, "--epochs", 1, "--lr", 1e-30), self.sha(model))
        out = self.path("further.safetensors")
        result = json.loads(self.good("train", "--from", model, "--data", f"mnist:{self.mnist_like()}", "--epochs", 3, "--batch", 4,
                                      "--optimizer", "adagrad", "--loss", "squared-error", "--json", "--out", out))
        self.assertEqual((result["steps"], result["loss"]), (9, "squared-error"))
        info = json.loads(self.good("info", out, "--json"))
        self.assertEqual((info["network"], info["metadata"]["data"]), (SMALL[1], f"mnist:{self.folder / 'mnist'}"))

    def test_other_data_are_scaled_as_the_model_knows_them(self):
        model, other = self.model(), f"mnist:{self.mnist_like()}"
        measured = json.loads(self.good("eval", model, "--data", other, "--json"))
        out = self.path("other.safetensors")
        begun = json.loads(self.good("train", "--from", model, "--data", other, "--epochs", 1, "--lr", 1e-30, "--schedule", "constant",
                                     "--out", out, "--json"))
        self.assertEqual((begun["test_loss"], begun["test_accuracy"]), (measured["loss"], measured["accuracy"]))
        self.assertEqual(self.quietly("--resume", out, "--epochs", 2), self.sha(model))

    def test_data_that_cannot_be_read_are_not_said_to_be_the_models(self):
        said = self.refused(1, "none.csv: cannot be read", "train", "--from", self.model(), "--data", "csv:none.csv").stderr
        self.assertNotIn("was trained on", said)

    def test_from_a_checkpoint_a_new_run_begins_too(self):
        model = self.model()
        self.position(model, step=1)
        self.assertEqual(self.quietly("--from", model, "--epochs", 2, "--batch", 50, "--lr", 1e-30), self.sha(model))

    def test_the_loss_is_the_models_unless_another_is_given(self):
        path = self.path("m.safetensors")
        self.good("train", "--net", "10n-tanh-10n-sigmoid", "--loss", "binary-cross-entropy", "--epochs", 1, "--out", path)
        for more, loss in (([], "binary-cross-entropy"), (["--loss", "squared-error"], "squared-error")):
            result = json.loads(self.good("train", "--from", path, "--epochs", 1, "--json", *more))
            self.assertEqual(result["loss"], loss)

    def test_where_the_network_comes_from_is_said_once(self):
        model, config = self.model(), self.path("c.toml", b'network = "10n"')
        self.refused(2, ["--from and --net", "one of them"], "train", "--from", model, "--net", "10n")
        self.refused(2, ["--from and --resume", "one of them"], "train", "--from", model, "--resume", model)
        self.refused(2, ["c.toml and --from", "one of them"], "train", config, "--from", model)
        self.refused(1, "nowhere", "train", "--from", "nowhere")

    def position(self, model, **changes):
        def change(header, data):
            about = header["__metadata__"]
            about["chalkgrad.position"] = json.dumps({**json.loads(about["chalkgrad.position"]), **changes})
            return header, data
        edit_safetensors(model, change)

    def test_a_finished_run_goes_on_where_its_schedule_allows_it(self):
        for schedule in ("constant", "step:1,0.5", "constant+warmup:2", "cosine:epochs=2", "plateau:0,threshold=0.5"):
            with self.subTest(schedule):
                options = [*SMALL, "--schedule", schedule]
                out = self.path(f"{schedule}.safetensors")
                self.quietly(*options, "--epochs", 2, "--out", out)
                said = self.refused(1, ["finished", "add --epochs with more than 2"], "train", "--resume", out).stderr
                self.assertIn("--from", said)
                self.assertEqual(self.quietly("--resume", out, "--epochs", 4, "--out", out), self.quietly(*options, "--epochs", 4))
                self.refused(2, ["--epochs 3 differs from 4", "leave it out"], "train", "--resume", out, "--epochs", 3)

    def test_where_it_does_not_the_message_says_why_and_how(self):
        for schedule in ("one-cycle", "one-cycle-cosine", "cosine", "constant+warmup:2"):
            with self.subTest(schedule):
                out = self.path(f"one {schedule}.safetensors")  # a name that a shell would take for two
                self.quietly(*SMALL, "--schedule", schedule, "--epochs", 1, "--out", out)
                said = self.refused(2, [f"whose schedule {schedule} depends on them", "train on from its weights"],
                                    "train", "--resume", out, "--epochs", 3).stderr
                command = self.advised(said)
                self.assertEqual(command[-2:], ["--epochs", "2"])
                self.good(*command, "--quiet")
                said = self.refused(1, ["finished"], "train", "--resume", out).stderr
                self.assertNotIn("more than", said)
                self.good("train", *shlex.split(re.search(r"by (--from .*)$", said)[1]), "--epochs", 1)

    def test_a_model_in_the_place_of_something_else_is_not_sent_in_circles(self):
        model = self.model()
        for args in (["train", model], ["train", model, "--lr", 0.001], ["train", "--net", model]):
            said = self.refused(2, ["is a model", "--from"], *args).stderr
            self.good("train", *shlex.split(re.search(r"--from [^\s;,]+", said)[0]), "--epochs", 1)
        self.refused(2, ["is a model", "without --net"], "info", "--net", model)
        self.good("info", model)

    def test_a_run_that_diverged_is_left_with_a_smaller_rate(self):
        model = self.model()
        self.position(model, step=20, diverged=True)
        said = self.refused(1, ["diverged after step 20", "smaller --lr"], "train", "--resume", model).stderr
        self.good("train", *shlex.split(re.search(r"by (--from [^\s,]+)", said)[1]), "--lr", 0.001, "--epochs", 1)

    def test_options_of_another_run_make_a_new_one(self):
        model = self.model()
        self.position(model, step=20)
        for different in (["--lr", 0.01], ["--batch", 8], ["--loss", "squared-error"], ["--net", "10n"]):
            said = self.refused(2, [different[0], "leave it out"], "train", "--resume", model, *different).stderr
            begin = shlex.split(re.search(r"a new run from its weights by (--from .*)$", said)[1])
            self.good("train", *begin, *(different if different[0] != "--net" else []), "--epochs", 1)
        self.good("train", "--resume", model)

    def test_a_model_without_a_record_is_trained_from(self):
        model = self.model()

        def change(header, data):
            for key in ("chalkgrad.training", "chalkgrad.position", "data"):
                del header["__metadata__"][key]
            return header, data
        edit_safetensors(model, change)
        self.refused(1, ["not a checkpoint", "new run from its weights"], "train", "--resume", model)
        self.refused(2, ["does not say what it was trained on", "add --data"], "train", "--from", model)
        self.good("train", "--from", model, "--data", "digits", "--epochs", 1)


class Mistakes(CliTest):
    def test_weights_that_are_not_finite_are_no_model(self):
        out = self.path("m.safetensors")
        said = self.refused(1, ["would become inf", "dense", "smaller lr"], "train", "--net", "9n-relu-10n", "--batch", 2000, "--epochs", 1,
                            "--lr", 3e38, "--momentum", 0, "--schedule", "constant", "--loss", "sum-of-squares", "--out", out).stderr
        self.assertFalse(out.exists(), said)
        self.good("train", "--net", "9n-relu-10n", "--batch", 2000, "--epochs", 1, "--lr", 0.1, "--out", out)

    def test_options_that_contradict_each_other_are_a_wrong_command_line(self):
        self.refused(2, "nesterov needs a momentum above 0", "train", "--nesterov", "--momentum", 0)
        config = self.path("c.toml", b'network = "10n"\n[train]\nnesterov = true\nmomentum = 0\nepochs = 1')
        self.refused(1, ["c.toml", "nesterov needs a momentum above 0"], "train", config)
        self.good("train", config, "--momentum", 0.5)

    def test_a_schedule_says_which_number_is_out_of_range(self):
        for schedule, name in (("step:0,0.1", "EPOCHS is 0"), ("step:1,0", "FACTOR is 0"), ("step:-2", "EPOCHS is -2"),
                               ("constant+warmup:0", "EPOCHS of warmup is 0"), ("cosine+warmup:1e999", "EPOCHS of warmup is 1e999")):
            self.refused(2, ["--schedule", schedule, name, "above 0"], "train", "--schedule", schedule)
        self.refused(2, "is not known; use constant", "train", "--schedule", "never")

    def test_a_batch_without_variance_is_explained(self):
        for batch, words in ((1, "a batch of one sample has no variance"), (1437, "leave a last one of 1 of the 1438 samples, which")):
            self.refused(1, [words, "use another batch size"], "train", "--net", "9n-bn-10n", "--batch", batch)
        self.good("train", "--net", "9n-bn-10n", "--batch", 1436, "--epochs", 1)

    def test_what_messages_advise_works(self):
        config = self.path("c.toml", b'network = "9n-10n"')
        sigmoid = ["--loss", "binary-cross-entropy", "--net"]
        for code, wrong, words, right in (
                (2, ["--checkpoint-every", 9], "add --out FILE", ["--checkpoint-every", 9, "--out", self.path("m.safetensors")]),
                (2, ["9n-10n"], "a network as --net 9n-10n", ["--net", "9n-10n"]),
                (2, [config, "--net", "10n"], "give one of them", [config]),
                (2, [config, "--resume", "m.safetensors"], "leave out the first", ["--from", self.model()]),
                (2, ["--lr-decay", 0.1], "leave it out", []),
                (1, ["--data", "mnist"], "give digits", ["--data", "digits"]),
                (1, ["--net", "9n"], "end the network with a dense layer of as many neurons, e.g. 10n", ["--net", "10n"]),
                (1, [*sigmoid, "10n-tanh"], "end the network with sigmoid", [*sigmoid, "10n-sigmoid"]),
                (1, ["--net", "9n-relu-10n", "--lr", 1e30], "use a smaller lr", ["--net", "9n-relu-10n", "--lr", 0.01])):
            with self.subTest(words):
                self.refused(code, words, "train", *wrong)
                self.good("train", *right, "--epochs", 1)

    def test_a_record_out_of_range_names_the_file(self):
        model = self.model()
        original = model.read_bytes()
        for part, key, value in (("training", "batch", 0), ("training", "batch", 0.5), ("training", "epochs", -1),
                                 ("training", "batch", 2**63), ("position", "samples", 0), ("position", "step", 1e9),
                                 ("position", "step", 0.5), ("position", "correct", 1e6), ("position", "digest", 3)):
            with self.subTest(key=key, value=value):
                def change(header, data, where=f"chalkgrad.{part}", key=key, value=value):
                    about = header["__metadata__"]
                    about[where] = json.dumps({**json.loads(about[where]), key: value})
                    return header, data
                model.write_bytes(original)
                edit_safetensors(model, change)
                self.refused(1, ["model.safetensors", f": {key} is "], "train", "--resume", model)


class BeginningWithWeights(CliTest):
    def test_weights_are_taken_by_name_and_shape(self):
        low, high = self.path("low.safetensors"), self.path("high.safetensors")
        self.good("train", "--data", "digits#0-3", "--net", "4c3-bn-relu-mp2-12n-relu-4n", "--epochs", 2, "--quiet",
                  "--out", low)
        out = self.good("train", "--data", "digits#4-9", "--net", "4c3-bn-relu-mp2-12n-relu-6n-tanh-6n", "--epochs", 1,
                        "--init", low, "--out", high)
        rows = out.splitlines()
        at = next(i for i, row in enumerate(rows) if row.startswith("weights"))
        self.assertEqual(rows[at], f"weights  7 of 11 parameters are those of {low}")
        self.assertEqual(rows[at + 1], "         drawn: dense2.weight (6×12, there 4×12), dense2.bias (6, there 4), "
                                       "dense3.weight, dense3.bias")
        self.assertIn("6 classes", rows[0])
        report = json.loads(self.good("eval", high, "--json"))
        self.assertEqual([c["name"] for c in report["classes"]], list("456789"))
        back = self.good("train", "--data", "digits#0-3", "--net", "4c3-bn-relu-mp2-4n", "--epochs", 1, "--init", low)
        self.assertIn("not used: dense2.weight, dense2.bias\n", back)

    def test_the_first_step_is_from_those_weights(self):
        model, log = self.model("--schedule", "constant"), self.path("log.jsonl")
        whole = json.loads(self.good("eval", model, "--part", "train", "--json"))["loss"]
        self.good("train", "--net", "4c3-relu-mp2-10n", "--batch", 1438, "--epochs", 1, "--seed", 5, "--init", model, "--lr",
                  1e-6, "--log", log, "--quiet")
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        self.assertEqual(lines[0]["init"], str(model))
        self.assertAlmostEqual(lines[1]["loss"], whole, places=4)

    def test_a_head_is_retrained_on_a_frozen_trunk(self):
        low, high = self.path("low.safetensors"), self.path("high.safetensors")
        trunk = "8c3z-relu-mp2-20n-relu"
        self.good("train", "--data", "digits#0-4", "--net", trunk + "-5n", "--epochs", 6, "--quiet", "--out", low)
        net = self.path("high.toml", f"""
            [[layer]]
            chain = "{trunk}"
            [[layer]]
            type = "dense"
            name = "head"
            outputs = 5
            [train]
            data = "digits#5-9"
            epochs = 6
        """.encode())
        out = self.good("train", net, "--init", low, "--freeze", "conv*", "--freeze", "dense*", "--out", high)
        self.assertIn("drawn: head.weight, head.bias\n", out)
        self.assertGreater(json.loads(self.good("eval", high, "--json"))["accuracy"], 0.6)

        def tensors(path):
            raw = path.read_bytes()
            size = int.from_bytes(raw[:8], "little")
            header = json.loads(raw[8:8 + size])
            return {name: raw[8 + size:][slice(*t["data_offsets"])] for name, t in header.items() if "data_offsets" in t}
        before, after = tensors(low), tensors(high)
        for name in ("conv1.weight", "conv1.bias", "dense1.weight", "dense1.bias"):
            self.assertEqual(after[name], before[name], name)

    def test_what_cannot_be_taken_is_refused(self):
        model = self.model()
        self.refused(1, "model.safetensors: none of its parameters has a name and shape of the network's, which are "
                     "dense1.weight (7×64, there 10×36), dense1.bias (7, there 10); it has conv1.weight, conv1.bias", "train", "--net",
                     "7n", "--init", model)
        self.refused(2, "--init he is no model; how weights are drawn is a key of the network: init = \"he\" in TOML\n",
                     "train", "--init", "he")
        self.refused(2, "--from and --init were given; the first has the weights of its model already; give one of them",
                     "train", "--from", model, "--init", model)
        self.refused(2, "--init and --resume were given; leave out the first: a run that goes on has its weights", "train",
                     "--resume", model, "--init", model)


if __name__ == "__main__":
    main()
