"""Graphs of one's own: every operation, derivatives against differences, runs into arrays of the caller's."""

import re
import unittest

import numpy as np

import chalkgrad as cg
from support import SOURCE, Case


class Operations(Case):
    @unittest.skipUnless((SOURCE / "include/chalkgrad/ops.h").exists(), "the sources are not beside the tests")
    def test_are_all_that_the_engine_has(self):
        text = (SOURCE / "include/chalkgrad/ops.h").read_text(encoding="utf-8")
        declared = set(re.findall(r"^Value (\w+)\(", text, re.MULTILINE))
        self.assertGreater(len(declared), 40)
        self.assertEqual({name for name in declared if not hasattr(cg, name)}, set())

    def test_have_derivatives(self):
        rng = np.random.default_rng(1)
        makers = {
            "relu": lambda x, w: cg.relu(x) * w, "conv2d": lambda x, w: cg.conv2d(x, cg.reshape(w, (1, 2, 3, 3)), padding=1),
            "max_pool": lambda x, w: cg.max_pool(x * w), "softmax": lambda x, w: cg.softmax(cg.reshape(x * w, (18,))),
            "gelu": lambda x, w: cg.gelu(x * w) / (2 + w * w), "norm": lambda x, w: cg.norm(x - w, axes=(1, 2)),
        }
        for name, make in makers.items():
            with self.subTest(name):
                g = cg.Graph()
                x, w = g.input("x", (2, 3, 3)), g.parameter("w", (2, 3, 3), init="normal:1")
                loss = cg.batch_mean(cg.sum(cg.tanh(make(x, w))))
                (dw,) = cg.gradients(loss, [w])
                g.output("loss", loss)
                g.output("dw", dw)
                variables = cg.Variables(g, seed=2)
                program = cg.Program(g, variables)
                samples = rng.normal(size=(5, 2, 3, 3))
                found = program.run({"x": samples})["dw"]
                at = variables["w"]
                direction = rng.normal(size=at.shape).astype(np.float32)
                losses = []
                for sign in (1, -1):
                    variables["w"] = at + sign * 1e-2 * direction
                    losses.append(float(program.run({"x": samples})["loss"]))
                self.assertAlmostEqual((losses[0] - losses[1]) / 2e-2, float((found * direction).sum()), delta=2e-3)

    def test_take_numbers_beside_values(self):
        g = cg.Graph()
        x = g.input("x", (2,))
        g.output("y", (1 - 2 * x + x / 4) * cg.maximum(x, 0.5) + 3)
        run = cg.Program(g, cg.Variables(g)).run({"x": [[2, 4]]})
        self.assertEqual(run["y"].tolist(), [[(1 - 4 + 0.5) * 2 + 3, (1 - 8 + 1) * 4 + 3]])

    def test_refuse_what_does_not_fit(self):
        g = cg.Graph()
        with self.assertRaises(cg.ShapeError):
            g.input("a", (2,)) + g.input("b", (3,))
        with self.assertRaises(TypeError):
            cg.relu(3)
        with self.assertRaises(cg.ShapeError):
            cg.gradients(g.input("c", (2,)), [])


class Runs(Case):
    def setUp(self):
        self.graph = g = cg.Graph()
        x, t, rate = g.input("x", (4,)), g.input("t", (3,), distribution=True), g.shared_input("rate")
        w = g.parameter("w", (3, 4), init="he")
        y = cg.dense(x, w)
        loss = cg.loss_of("cross-entropy", y, t)
        (dw,) = cg.gradients(loss, [w])
        g.output("y", y)
        g.output("loss", loss)
        g.update(w, w - rate * dw)
        self.variables = cg.Variables(g, seed=1)
        self.program = cg.Program(g, self.variables, threads=2)
        self.x = np.random.default_rng(3).normal(size=(20, 4)).astype(np.float32)
        self.t = np.arange(20) % 3

    def test_train(self):
        losses = [float(self.program.run({"x": self.x, "t": self.t, "rate": 0.5})["loss"]) for _ in range(50)]
        self.assertLess(losses[-1], losses[0])

    def test_take_labels_as_one_hot(self):
        feeds = {"x": self.x, "rate": 0}
        labels = self.program.run({**feeds, "t": self.t})["loss"]
        self.assertEqual(self.program.run({**feeds, "t": np.eye(3)[self.t]})["loss"], labels)

    def test_write_into_arrays_of_the_caller(self):
        feeds = {"x": self.x, "t": self.t, "rate": 0}
        expected = self.program.run(feeds)["y"]
        y = np.empty((20, 3), np.float32)
        found = self.program.run(feeds, out={"y": y})
        self.assertIs(found["y"], y)
        self.assertTrue(np.array_equal(y, expected))
        self.assertSays(TypeError, "out['y']: what is written to must be a writable, aligned array of float32 in C order, "
                                   "as numpy.empty(shape, numpy.float32) makes one",
                        self.program.run, feeds, out={"y": np.empty((20, 3))})

    def test_take_rows(self):
        feeds = {"x": self.x, "t": self.t, "rate": 0}
        expected = self.program.run(feeds)["y"]
        self.assertTrue(np.array_equal(self.program.run(feeds, rows=[7, 2, 7])["y"], expected[[7, 2, 7]]))
        self.assertSays(cg.InputError, "rows[1] is 20, and there are 20 samples; rows count from 0", self.program.run,
                        feeds, rows=[0, 20])

    def test_name_what_was_fed_wrong(self):
        says, run = self.assertSays, self.program.run
        says(cg.ShapeError, "input 'x' takes samples of 4, and was given an array of 20×3; give N×4 for N samples", run,
             {"x": self.x[:, :3], "t": self.t, "rate": 0})
        says(cg.InputError, "input 't' has 19 samples, and another one has 20; give as many of each", run,
             {"x": self.x, "t": self.t[:19], "rate": 0})
        says(cg.InputError, "input 't': sample 2 has label 3, and there are 3 classes; labels count from 0", run,
             {"x": self.x, "t": self.t + 1, "rate": 0})
        says(cg.InputError, "the graph has no input 'z'; give those it has", run, {"z": 1})
        says(cg.InputError, "input 'x' has 0 samples; give at least one", run, {"x": self.x[:0], "t": self.t, "rate": 0})

    def test_guard_what_must_be_finite(self):
        program = cg.Program(self.graph, self.variables, guard="loss")
        with self.assertRaises(cg.NumericError):
            program.run({"x": self.x * np.float32(1e38), "t": self.t, "rate": 0})

    def test_values_keep_their_graph(self):
        value = cg.relu(cg.Graph().input("x", (2,)))
        self.assertEqual((value.shape, value.batched, len(value.graph)), ((2,), True, 2))


class Derivations(Case):
    def test_are_derived_and_judged(self):
        derivation = cg.derive(cg.Network("2n-sigmoid", (3,)), "squared-error")
        self.assertGreater(derivation.equations, 3)
        self.assertTrue(cg.check(derivation.check()))
        self.assertIn("<math", derivation._repr_html_().replace("&lt;", "<"))

    def test_are_cells_of_a_notebook(self):
        cells = {}

        class Shell:
            def register_magic_function(self, function, kind, name):
                cells[kind, name] = function

        cg.load_ipython_extension(Shell())
        report = cells["cell", "chalk"]("", "network x: 3 > y = dense(W: 2 outputs, bias b)\ny[i] = sum(j, W[i,j]*x[j]) + b[i]")
        self.assertEqual((report.verified, report.failed), (1, 0))

    def test_name_false_lines(self):
        report = cg.check("network x: 3 > y = dense(W: 2 outputs, bias b)\ndy[i]/dW[k,j] = delta(i,k)*x[k]")
        self.assertFalse(report)
        self.assertEqual([line.verdict for line in report.lines if line.verdict != "definition"], ["failed"])
        html = report._repr_html_()
        self.assertEqual((html.count("✗ failed"), html.count("background")), (1, 1))
        self.assertIn("dy[i]/dW[k,j]", html)


if __name__ == "__main__":
    unittest.main()
