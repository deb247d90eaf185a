#!/usr/bin/env python3
"""chalkgrad derive."""
import json

from support import CliTest, chalkgrad, main


class Derive(CliTest):
    def test_check_verifies_what_derive_wrote(self):
        for net, shape in (("30n-sigmoid-10n-sigmoid", "784"), ("4c3-relu-mp2-10n", "1x8x8")):
            text = self.good("derive", "--net", net, "--input", shape, "--format", "check")
            path = self.path("derived.chalk")
            path.write_text(text)
            self.assertIn(" 0 failed", self.good("check", path, "--quiet", "--trials", 1))
            path.unlink()

    def test_a_model_is_derived_with_its_loss_and_its_weights(self):
        model, onnx = self.path("m.safetensors"), self.path("m.onnx")
        self.good("train", "--net", "3n-tanh-10n", "--loss", "squared-error", "--epochs", 1, "--quiet", "--out", model)
        self.good("export", model, "--out", onnx)
        for file, loss in ((model, "squared-error"), (onnx, "cross-entropy")):
            with self.subTest(file=file.name):
                text = self.good("derive", file, "--format", "check")
                self.assertIn("ln(y[i])" if loss == "cross-entropy" else "(z2[i] - t[i])^2", text)
                report = chalkgrad("check", "-", "--quiet", "--trials", 1, input=text)
                self.assertEqual(report.returncode, 0, report.stdout)
        derived = json.loads(self.good("derive", model, "--sample", 5, "--format", "json"))
        self.assertEqual(derived["sample"], "sample 5 of digits, 9")
        of_model = {symbol["name"]: symbol["numbers"]["norm"] for symbol in derived["symbols"]}
        derived = json.loads(self.good("derive", onnx, "--data", "digits", "--sample", 5, "--format", "json"))
        of_onnx = {symbol["name"]: symbol["numbers"]["norm"] for symbol in derived["symbols"]}
        self.assertEqual(of_model["W1"], of_onnx["W1"])
        new = json.loads(self.good("derive", "--net", "3n-tanh-10n", "--data", "digits", "--format", "json"))
        self.assertNotEqual(of_model["W1"], new["symbols"][1]["numbers"]["norm"])
        self.refused(2, "--input goes with --net", "derive", model, "--input", "1x8x8")

    def test_text_has_rules_and_equations(self):
        text = self.good("derive", "--net", "3n-sigmoid-2n", "--input", 4)
        self.assertIn("    = y[i] - t[i]    (Σ t = 1)", text)

    def test_json_has_steps_as_data_and_a_samples_numbers(self):
        text = self.good("derive", "--net", "4c3-relu-mp2-10n", "--data", "digits", "--sample", 3, "--format", "json")
        derived = json.loads(text)
        self.assertEqual(derived["sample"], "sample 3 of digits, 9")
        chains = [chain for section in derived["sections"] for chain in section["chains"]]
        steps = [step for chain in chains for step in chain["steps"]]
        self.assertEqual(len(steps), derived["equations"])
        for step in steps:
            self.assertTrue(step["rule"] and step["before"]["tree"] and step["after"]["tree"])
            self.assertLess(step["residual"], 1e-10)
        first = chains[0]
        self.assertEqual(first["numbers"]["shape"], [4, 6, 6])
        self.assertEqual(len(first["numbers"]["numbers"]), 16)
        self.assertEqual(first["entry"]["left"]["text"][:3], "z1[")

    def test_a_notebook_has_the_form_that_jupyter_reads(self):
        book = json.loads(self.good("derive", "--net", "3n-relu-2n", "--input", 4, "--format", "ipynb"))
        self.assertEqual((book["nbformat"], book["nbformat_minor"]), (4, 5))
        self.assertEqual(len({cell["id"] for cell in book["cells"]}), len(book["cells"]))
        self.assertIn("$$\\begin{aligned}", "".join(cell["source"] for cell in book["cells"]))
        try:
            import nbformat
        except ImportError:
            return
        nbformat.validate(book)

    def test_the_update_has_all_options_of_the_optimizer(self):
        derive = ("derive", "--net", "2n", "--input", 3, "--optimizer", "sgd")
        text = self.good(*derive, "--momentum", 0.75, "--weight-decay", 0.125, "--nesterov")
        update = text[text.index("Update"):]
        for number in ("3*v[i,j]/4", "w[i,j]/8"):
            self.assertIn(number, update)
        self.assertNotEqual(update, self.good(*derive, "--momentum", 0.75, "--weight-decay", 0.125).split("Update")[1])
        self.refused(2, "--beta2 is no option of the optimizer sgd", *derive, "--beta2", 0.5)

    def test_letters_come_from_a_file(self):
        path = self.path("letters.toml")
        path.write_text('weight = "theta"\nloss = "J"\n')
        self.assertIn("dJ/dtheta1", self.good("derive", "--net", "2n", "--input", 3, "--notation", path))
        path.write_text('weight = "theta"\nlos = "J"\n')
        self.refused(1, 'a notation has no key "los"; did you mean "loss"?', "derive", "--net", "2n", "--input", 3,
                     "--notation", path)

    def test_what_does_not_go_together_is_one_line(self):
        self.refused(2, "--loss", "derive", "--net", "3n", "--input", 4, "--loss", "nothing")
        self.refused(2, "there is no notation", "derive", "--net", "3n", "--input", 4, "--notation", "euler")
        self.refused(2, "--part goes with --data or --sample; add one of them",
                     "derive", "--net", "3n", "--input", 4, "--part", "train")
        self.refused(1, "there is no sample 359 in digits, which has 359; choose one from 0 to 358",
                     "derive", "--net", "10n", "--data", "digits", "--sample", 359)


if __name__ == "__main__":
    main()
