#!/usr/bin/env python3
"""chalkgrad train: what it learns, writes and shows."""
import contextlib
import json
import os
import pty
import re
import subprocess

from support import chalkgrad, CliTest, command, idx, LIMIT, main, sha_of, SMALL


class Training(CliTest):
    def test_without_options_it_learns_the_digits(self):
        out = self.good("train")
        self.assertGreater(float(re.search(r"test accuracy ([\d.]+) %", out)[1]), 97)
        sha_of(out)
        self.assertNotIn("\x1b", out)

    def test_any_number_of_threads_gives_the_same_bits(self):
        found = {sha_of(self.good("train", *SMALL, "--epochs", 2, "--quiet", "--threads", n)) for n in (1, 2, 3, 4)}
        self.assertEqual(len(found), 1, found)

    def test_seed_and_rate_change_the_bits(self):
        options = ([], ["--seed", 2], ["--lr", 0.01], ["--nesterov"], ["--weight-decay", 0.001], ["--schedule", "cosine"])
        found = {sha_of(self.good("train", *SMALL, "--epochs", 1, "--quiet", *o)) for o in options}
        self.assertEqual(len(found), len(options))

    def test_model_log_and_json_agree(self):
        out, log = self.path("m.safetensors"), self.path("log.jsonl")
        result = json.loads(self.good("train", *SMALL, "--epochs", 2, "--json", "--out", out, "--log", log))
        again = json.loads(self.good("eval", out, "--json"))
        self.assertEqual(result["test_accuracy"], again["accuracy"])
        self.assertEqual(sum(c["samples"] for c in again["classes"]), again["samples"])
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        steps = [line for line in lines if "step" in line]
        self.assertEqual([line["step"] for line in steps], list(range(1, 2 * 23 + 1)))
        self.assertTrue({"step", "epoch", "loss", "lr"} <= set(steps[0]))
        epochs = [line for line in lines if "train_loss" in line]
        self.assertEqual([line["epoch"] for line in epochs], [1, 2])
        self.assertEqual(epochs[-1]["test_accuracy"], result["test_accuracy"])
        self.assertIn(result["weights_sha256"], self.good("info", out))

    def test_the_derivation_can_be_printed(self):
        for made, sign in (("differentiate", "= conv2d_weight_grad("), ("simplify", "= softmax("),
                           ("fuse", "conv2d+bias+relu"), ("plan", "phase 1")):
            result = chalkgrad("train", *SMALL, "--epochs", 1, "--print-after", made)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn(sign, result.stderr)

    def test_a_loss_that_is_computed_from_logits_says_so_in_the_graph(self):
        for net, loss, said in (
                ("10n-sigmoid", "binary-cross-entropy", "binary cross-entropy joined with the sigmoid"),
                ("10n-softmax", "binary-cross-entropy", "binary cross-entropy joined with the softmax"),
                ("10n-softmax", "cross-entropy", "cross-entropy joined with the softmax"),
                ("10n", "cross-entropy", None), ("10n-sigmoid", "squared-error", None)):
            for made in ("differentiate", "simplify"):
                result = chalkgrad("train", "--net", net, "--loss", loss, "--epochs", 1, "--print-after", made)
                self.assertEqual(result.returncode, 0, result.stderr)
                remarks = [line for line in result.stderr.splitlines() if line.startswith("# loss: ")]
                self.assertEqual(remarks, [f"# loss: {said} before it: computed from logits"] if said else [], (net, loss))

    def test_a_loss_that_explodes_names_step_and_layer(self):
        self.refused(1, ["step 2", "not finite", "layer"], "train", "--net", "4c3-relu-10n", "--lr", "1e30")

    def test_every_loss_reports_its_accuracy(self):
        for option, names in (("--loss", ("cross-entropy", "squared-error", "sum-of-squares", "binary-cross-entropy",
                                           "focal", "multi-class-margin", "hinge", "huber")),
                              ("--maximise", ("log-likelihood", "gaussian-log-likelihood"))):
            for name in names:
                with self.subTest(name):
                    out, log = self.path(f"{name}.safetensors"), self.path(f"{name}.jsonl")
                    result = json.loads(self.good("train", "--net", "20n-tanh-10n-sigmoid", option, name, "--epochs", 1,
                                                  "--json", "--out", out, "--log", log))
                    self.assertEqual(result[option[2:]], name)
                    epoch = json.loads(log.read_text().splitlines()[-1])
                    self.assertGreater(epoch["train_accuracy"], 0)
                    self.assertEqual(epoch["test_accuracy"], result["test_accuracy"])
                    self.assertEqual(json.loads(self.good("eval", out, "--json"))["loss"], result["test_loss"])

    def test_a_loss_has_options(self):
        weights = ",".join("1" if c else "2.5" for c in range(10))
        options = ([], ["--label-smoothing", 0.1], ["--class-weights", weights], ["--loss", "focal"],
                   ["--loss", "focal", "--gamma", 1], ["--loss", "multi-class-margin", "--margin", 0.5, "--squared"])
        found = {sha_of(self.good("train", *SMALL, "--epochs", 1, "--quiet", *o)) for o in options}
        self.assertEqual(len(found), len(options))
        alike = [["--loss", "cross-entropy"], ["--label-smoothing", 0], ["--loss", "focal", "--gamma", 0]]
        found = {sha_of(self.good("train", *SMALL, "--epochs", 1, "--quiet", *o)) for o in alike}
        self.assertEqual(len(found), 1)

    def test_options_of_losses_are_kept_and_checked(self):
        out, log = self.path("m.safetensors"), self.path("log.jsonl")
        smooth = ("--label-smoothing", 0.1, "--class-weights", "1,1,2,1,1,1,1,1,1,0.5")
        whole = sha_of(self.good("train", *SMALL, "--epochs", 2, "--schedule", "constant", "--quiet", *smooth))
        self.good("train", *SMALL, "--epochs", 1, "--schedule", "constant", "--quiet", *smooth, "--out", out, "--log", log)
        start = json.loads(log.read_text().splitlines()[0])
        self.assertEqual((start["loss"], start["label_smoothing"], start["class_weights"]),
                         ("cross-entropy", 0.1, [1, 1, 2, 1, 1, 1, 1, 1, 1, 0.5]))
        self.refused(2, ["--label-smoothing 0.2 differs from 0.1, with which"], "train", "--resume", out, "--epochs", 2,
                     "--label-smoothing", 0.2)
        self.assertEqual(sha_of(self.good("train", "--resume", out, "--epochs", 2, "--quiet", "--out", out)), whole)

    def test_an_option_of_another_loss_is_refused(self):
        for words, said in (
                (["--loss", "huber", "--gamma", 1],
                 "--gamma is no option of the loss huber; leave it out, or train with focal"),
                (["--loss", "huber", "--class-weights", "1,2"],
                 "--class-weights is no option of the loss huber; leave it out, or train with cross-entropy, focal or "
                 "pixel-cross-entropy"),
                (["--class-weights", "1,,2"], "--class-weights: must be numbers with commas between them, each a number "
                 "of at least 0, not \"1,,2\""),
                (["--class-weights", "0,0"], "class_weights are all 0, so that no sample counts; make one of them larger"),
                (["--label-smoothing", 1.5], "--label-smoothing: must be from 0 to 1, not \"1.5\"")):
            with self.subTest(said):
                self.refused(2, said, "train", *words)
        self.refused(1, "loss: 2 class weights do not fit 10 classes; give one for each", "train", "--class-weights",
                     "1,2")

    def test_an_output_without_logarithm_is_named(self):
        said = self.refused(1, ["binary cross-entropy takes its logarithm", "end the network with sigmoid"], "train",
                            "--net", "20n-tanh-10n-tanh", "--loss", "binary-cross-entropy").stderr
        self.assertRegex(said, r"step 1 \(epoch 1\): dense2 \(tanh2\) gives -0\.\d+ for output \d of sample \d+;")

    def test_a_residual_network_in_toml_trains(self):
        toml = self.path("net.toml", b"""
            input = [1, 8, 8]
            [[layer]]
            type = "conv"
            name = "stem"
            filters = 4
            padding = "same"
            [[layer]]
            chain = "relu-4c3z"
            [[layer]]
            type = "add"
            from = ["stem", "conv1"]
            [[layer]]
            chain = "relu-mp2-10n"
        """)
        out = self.path("m.safetensors")
        sha = sha_of(self.good("train", "--net", toml, "--epochs", 2, "--quiet", "--out", out))
        self.assertIn(sha, self.good("info", out))
        accuracy = json.loads(self.good("eval", out, "--json"))["accuracy"]
        self.assertGreater(accuracy, 0.8)


class Writing(CliTest):
    def test_files_that_cannot_be_written_are_noticed_before_training(self):
        missing, started = self.folder / "no" / "such", "1/12"
        for option in ("--out", "--log"):
            for target in (missing, self.folder, "/dev/full"):
                with self.subTest(option=option, target=str(target)):
                    result = self.refused(1, str(target), "train", *SMALL, option, target)
                    self.assertNotIn(started, result.stdout)

    def test_a_full_disk_leaves_the_old_model_and_no_litter(self):
        disk = self.folder / "disk"
        disk.mkdir()
        if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", disk],
                                               capture_output=True).returncode != 0:
            self.skipTest("mounting a small file system needs root")
        self.addCleanup(subprocess.run, ["umount", disk])
        out = disk / "m.safetensors"
        self.good("train", *SMALL, "--epochs", 1, "--quiet", "--out", out)
        before = out.read_bytes()
        self.refused(1, ["m.safetensors", "No space left"], "train", "--net", "8c3-relu-100n-10n", "--out", out,
                     "--overwrite")
        self.assertEqual([p.name for p in disk.iterdir()], [out.name])
        self.assertEqual(out.read_bytes(), before)
        with contextlib.suppress(OSError), open(disk / "rest", "wb", buffering=0) as rest:
            while rest.write(b"0" * 512):
                pass
        self.refused(1, ["log", "No space left"], "train", *SMALL, "--log", disk / "log.jsonl")


class Display(CliTest):
    def on_terminal(self, **env):
        leader, follower = pty.openpty()
        process = subprocess.Popen(command("train", *SMALL, "--epochs", 3), stdin=follower, stdout=follower, stderr=follower,
                                   env={**os.environ, "TERM": "xterm", **env})
        os.close(follower)
        shown = b""
        with contextlib.suppress(OSError):
            while piece := os.read(leader, 65536):
                shown += piece
        os.close(leader)
        self.assertEqual(process.wait(LIMIT), 0)
        return shown.decode()

    def test_a_terminal_sees_a_bar_and_others_do_not(self):
        environment = {"NO_COLOR": ""}
        self.assertIn("\x1b[32m", self.on_terminal(**environment))
        plain = self.on_terminal(NO_COLOR="1")
        self.assertIn("\r", plain)
        self.assertNotIn("\x1b[3", plain)
        result = chalkgrad("train", *SMALL, "--epochs", 1)
        self.assertNotIn("\x1b", result.stdout + result.stderr)
        self.assertEqual(result.stderr, "")


class Data(CliTest):
    def test_files_in_the_format_of_mnist(self):
        folder = self.mnist_like()
        sha_of(self.good("train", "--data", f"mnist:{folder}", *SMALL, "--epochs", 1, "--quiet"))

    def test_damaged_files_are_named(self):
        pixels = bytes(640)
        for name, data, word in (("truncated", idx(8, [10, 8, 8], pixels[:-1]), "train-images"),
                                 ("oversized", idx(8, [10, 8, 8], pixels + b"x"), "train-images"),
                                 ("empty", b"", "train-images"), ("header only", idx(8, [10, 8, 8], b""), "train-images"),
                                 ("wrong magic", b"PK" + idx(8, [10, 8, 8], pixels)[2:], "train-images"),
                                 ("floats", idx(13, [10, 8, 8], pixels * 4), "train-images"),
                                 ("labels", idx(8, [10], bytes(10)), "train-images"),
                                 ("huge", idx(8, [2**31, 2**15, 2**15], pixels), "train-images"),
                                 ("no samples", idx(8, [0, 8, 8], b""), "train-images"),
                                 ("nine images", idx(8, [9, 8, 8], pixels[:576]), "labels"),
                                 ("broken gzip", b"\x1f\x8b\x08" + pixels, "train-images")):
            with self.subTest(name):
                folder = self.mnist_like(train_images=data)
                self.refused(1, word, "train", "--data", f"mnist:{folder}", *SMALL)

    def test_missing_files_and_unknown_data(self):
        folder = self.mnist_like()
        (folder / "t10k-labels-idx1-ubyte").unlink()
        self.refused(1, "t10k-labels", "train", "--data", f"mnist:{folder}")
        self.refused(1, "nowhere", "train", "--data", "mnist:/nowhere")
        self.refused(1, "digits", "train", "--data", "digitz")


    def test_without_test_files_it_trains_and_says_so(self):
        folder = self.mnist_like()
        for kind in ("images-idx3", "labels-idx1"):
            (folder / f"t10k-{kind}-ubyte").unlink()
        path, log = self.path("m.safetensors"), self.path("log.jsonl")
        run = ["train", "--data", f"mnist:{folder}", "--net", "10n", "--epochs", 1]
        text = self.good(*run, "--out", path, "--log", log)
        self.assertIn("10 samples to train, none to test", text)
        self.assertIn("\nnot tested: the data have no test samples\n", text)
        self.assertRegex(text, r"\n +1/1 +[0-9.]+ +[0-9.]+ % ", "accuracy in training")
        report = json.loads(self.good(*run, "--json"))
        self.assertEqual((report["test_loss"], report["test_accuracy"]), (None, None))
        epoch = [json.loads(line) for line in log.read_text().splitlines()][-1]
        self.assertEqual((epoch["test_loss"], epoch["test_accuracy"]), (None, None))
        self.good("eval", path, "--part", "train")

    def test_a_stray_label_is_named_and_makes_no_classes(self):
        labels = bytearray(range(10))
        labels[7] = 255
        folder = self.mnist_like(train_labels=idx(8, [10], bytes(labels)))
        run = ["train", "--data", f"mnist:{folder}", "--epochs", 1, "--quiet"]
        self.refused(1, ["output is 10 but the data have 256 classes", "sample 7 has label 255: correct it"],
                     *run, "--net", "10n")
        said = self.refused(1, ["sample 7 has label 255, but no sample has label 10; correct it"], *run).stderr
        net = said.split("--net ")[1].strip()
        self.assertTrue(net.endswith("-256n"), net)
        self.good(*run, "--net", net)  # as it advises
        self.mnist_like(train_labels=idx(8, [10], bytes(range(10))))
        self.good(*run)
        self.mnist_like(train_labels=idx(8, [10], bytes(range(1, 11))))
        self.good(*run)  # eleven classes, of which the first has no sample, as in EMNIST's letters


if __name__ == "__main__":
    main()
