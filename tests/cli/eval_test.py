#!/usr/bin/env python3
"""chalkgrad eval, and damaged model files that every command would refuse."""
import json
import os
import struct

from support import CliTest, edit_safetensors, idx, main, png


class Models(CliTest):
    def test_any_flipped_bit_is_noticed(self):
        path = self.model()
        data = path.read_bytes()
        for at in [0, 3, 9, 60, 400, len(data) // 2, len(data) - 1]:
            with self.subTest(at=at):
                path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
                self.refused(1, "model.safetensors", "eval", path)
        for size in (0, 7, 8, 100, len(data) - 1):
            path.write_bytes(data[:size])
            self.refused(1, "model.safetensors", "eval", path)
        self.refused(1, "model.safetensors", "info", self.path("model.safetensors", os.urandom(3000)))

    def test_tensors_must_be_those_of_the_network(self):
        path = self.model()
        original = path.read_bytes()

        def edited(change):
            path.write_bytes(original)
            edit_safetensors(path, change)

        def without(header, data):
            header["dense1.weight.other"] = header.pop("dense1.weight")
            return header, data

        def reshaped(header, data):
            header["conv1.weight"]["shape"] = [36]
            return header, data

        def extra(header, data):
            header["surplus"] = {"dtype": "F32", "shape": [1], "data_offsets": [len(data), len(data) + 4]}
            return header, data + bytes(4)

        def other_network(header, data):
            header["__metadata__"]["chalkgrad.network"] = "5c3-relu-mp2-10n"
            return header, data

        def no_network(header, data):
            del header["__metadata__"]["chalkgrad.network"]
            return header, data

        edited(lambda header, data: (header, data))
        self.good("eval", path)
        for change, word in ((without, "dense1"), (reshaped, "conv1.weight"), (extra, "surplus"),
                             (other_network, "conv1"), (no_network, "chalkgrad.network")):
            with self.subTest(change.__name__):
                edited(change)
                self.refused(1, ["model.safetensors", word], "eval", path)

    def test_data_that_do_not_fit_the_model(self):
        small = idx(8, [10, 4, 4], bytes(160))
        folder = self.mnist_like(train_images=small, t10k_images=small)
        self.refused(1, ["1×4×4", "1×8×8"], "eval", self.model(), "--data", f"mnist:{folder}")


    def test_numbers_that_are_not_finite_are_named(self):
        path, image = self.model(), self.path("x.png", png(8, 8, lambda x, y: 9 * x))
        original = path.read_bytes()
        for tensor, value, said in (("conv1.weight", float("nan"), "(NaN)"), ("dense1.bias", float("-inf"), "(inf)")):
            def spoilt(header, data):
                at = header[tensor]["data_offsets"][0] + 4
                return header, data[:at] + struct.pack("<f", value) + data[at + 4:]

            path.write_bytes(original)
            edit_safetensors(path, spoilt)
            words = [f"model.safetensors: the parameter {tensor} is not finite {said}; train it again"]
            self.refused(1, words, "eval", path)
            self.refused(1, words, "predict", path, image)
        path.write_bytes(original)
        self.good("predict", path, image)

    def test_a_class_without_samples_was_not_found_badly(self):
        labels = bytes([1, 1, 2, 3, 3, 3, 3, 3, 3, 3])
        folder = self.mnist_like(t10k_labels=idx(8, [10], labels))
        rows = self.good("eval", self.model(), "--data", f"mnist:{folder}").splitlines()
        for line in rows[1:11]:
            name, samples, found = line.split()[:3]
            self.assertEqual(int(samples), labels.count(int(name)))
            self.assertEqual(found == "–", int(samples) == 0, line)
        report = json.loads(self.good("eval", self.path("model.safetensors"), "--data", f"mnist:{folder}", "--json"))
        for c in report["classes"]:
            self.assertEqual(c["recall"], c["correct"] / c["samples"] if c["samples"] else None)
            self.assertEqual(c["precision"], c["correct"] / c["predicted"] if c["predicted"] else None)

    def test_top_k_and_confusion(self):
        path = self.model()
        plain, out = self.good("eval", path), self.good("eval", path, "--top-k", 3, "--confusion")
        report = json.loads(self.good("eval", path, "--top-k", 3, "--json"))
        classes, matrix = report["classes"], report["confusion"]
        self.assertEqual([sum(row) for row in matrix], [c["samples"] for c in classes])
        self.assertEqual([sum(column) for column in zip(*matrix)], [c["predicted"] for c in classes])
        self.assertEqual([matrix[i][i] for i in range(10)], [c["correct"] for c in classes])
        self.assertTrue(report["accuracy"] < report["top_3_accuracy"] < 1)
        self.assertIn(f"top-3 accuracy {100 * report['top_3_accuracy']:.2f} %", out)
        for c in classes:
            self.assertAlmostEqual(c["f1"], 2 * c["correct"] / (c["samples"] + c["predicted"]))
        for name in ("recall", "precision", "f1"):
            self.assertAlmostEqual(report["means"][name], sum(c[name] for c in classes) / 10)
        rows = out.splitlines()
        at = rows.index("class  → 0  → 1  → 2  → 3  → 4  → 5  → 6  → 7  → 8  → 9")
        for i in range(10):
            cells = rows[at + 1 + i].split()
            self.assertEqual(cells, [str(i)] + [str(n) if n else "·" for n in matrix[i]])
        self.assertNotIn("→", plain)
        self.refused(2, "--top-k 11 is more than the 10 classes of the data; give a smaller number", "eval", path,
                     "--top-k", 11)

    def test_many_classes_have_their_frequent_mistakes(self):
        many = idx(8, [27, 8, 8], bytes(range(64)) * 27)
        folder = self.mnist_like(train_images=many, train_labels=idx(8, [27], bytes(range(27))), t10k_images=many,
                                 t10k_labels=idx(8, [27], bytes(range(27))))
        path, spec = self.path("m.safetensors"), f"mnist:{folder}"
        self.good("train", "--data", spec, "--net", "27n", "--epochs", 1, "--quiet", "--out", path)
        rows = self.good("eval", path, "--confusion").splitlines()
        at = next(i for i, row in enumerate(rows) if "taken for" in row)
        self.assertEqual(rows[at].split(), ["class", "taken", "for", "samples", "of", "the", "class"])
        self.assertEqual(rows[at + 1].split()[2:], ["1", "100.00", "%"])
        self.assertEqual(rows[at + 21], "and 6 other pairs of classes, which --json has")

    def test_several_models_answer_together(self):
        a, b, c = (self.path(f"{name}.safetensors") for name in "abc")
        for path, seed in ((a, 1), (b, 2)):
            self.good("train", "--net", "10n-tanh-10n", "--epochs", 2, "--quiet", "--seed", seed, "--out", path)
        alone = json.loads(self.good("eval", a, "--json"))
        both = json.loads(self.good("eval", a, "--with", b, "--with", b, "--json"))
        self.assertEqual(both["models"], 3)
        self.assertNotEqual(both["loss"], alone["loss"])
        same = json.loads(self.good("eval", a, "--with", a, "--json"))
        self.assertEqual(same["confusion"], alone["confusion"])
        self.assertAlmostEqual(same["loss"], alone["loss"], places=5)
        image = self.path("one.png", png(8, 8, lambda x, y: 255 if x in (3, 4) else 0))

        def probabilities(*args):
            top = json.loads(self.good("predict", a, *args, image, "--top", 10, "--json"))[0]["top"]
            return {t["label"]: t["probability"] for t in top}
        of_a, of_both = probabilities(), probabilities("--with", b)
        top = json.loads(self.good("predict", b, image, "--top", 10, "--json"))[0]["top"]
        for t in top:
            self.assertAlmostEqual(of_both[t["label"]], (of_a[t["label"]] + t["probability"]) / 2, places=6)
        self.good("train", "--net", "10n", "--epochs", 1, "--quiet", "--loss", "squared-error", "--out", c)
        for command in (("eval", a), ("predict", a, image)):
            self.refused(1, f"{c} gives numbers, and {a} one probability for each class, which have no common mean; leave "
                         "one of them out", *command, "--with", b, "--with", c)

    def test_it_needs_only_the_files_of_its_part(self):
        folder = self.mnist_like(t10k_images=idx(8, [10, 8, 8], bytes(range(1, 65)) * 10))
        path, spec = self.path("m.safetensors"), f"mnist:{folder}"
        self.good("train", "--data", spec, "--net", "10n", "--epochs", 1, "--quiet", "--out", path)
        both = self.good("eval", path)
        npz = self.path("g.npz")
        self.good("grad", path, "--index", 0, "--part", "test", "--out", npz)
        wanted = npz.read_bytes()
        for kind in ("images-idx3", "labels-idx1"):
            (folder / f"train-{kind}-ubyte").rename(folder / f"hidden-{kind}")
        self.assertEqual(self.good("eval", path), both, "as the training saw them")
        self.good("grad", path, "--index", 0, "--part", "test", "--out", npz, "--overwrite")
        self.assertEqual(npz.read_bytes(), wanted)
        self.refused(1, "no train-images file", "eval", path, "--part", "train")
        for kind in ("images-idx3", "labels-idx1"):
            (folder / f"hidden-{kind}").rename(folder / f"train-{kind}-ubyte")
            (folder / f"t10k-{kind}-ubyte").unlink()
        self.good("eval", path, "--part", "train")
        self.refused(1, ["no t10k-images file", "put it into that folder"], "eval", path)

    def test_the_model_says_how_many_classes_there_are(self):
        many = idx(8, [27, 8, 8], bytes(range(64)) * 27)
        folder = self.mnist_like(train_images=many, train_labels=idx(8, [27], bytes(range(27))))
        path, spec = self.path("m.safetensors"), f"mnist:{folder}"
        self.good("train", "--data", spec, "--net", "27n", "--epochs", 1, "--quiet", "--out", path)
        for kind in ("images-idx3", "labels-idx1"):
            (folder / f"train-{kind}-ubyte").unlink()
        self.assertEqual(len(json.loads(self.good("eval", path, "--json"))["classes"]), 27)
        labels = folder / "t10k-labels-idx1-ubyte"
        labels.write_bytes(idx(8, [10], bytes([0, 1, 2, 3, 4, 5, 6, 255, 8, 9])))
        self.refused(1, ["output is 27", "sample 7 has label 255"], "eval", path, "--data", spec)
        labels.write_bytes(idx(8, [10], bytes(10)))  # as it advises
        self.good("eval", path)


if __name__ == "__main__":
    main()
