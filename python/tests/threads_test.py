"""Threads of Python that share networks, programs and graphs: each gets what it would get alone. A free-threaded Python runs
them at the same time, others wherever the engine is at work."""

import copy
import pickle
import sysconfig
import unittest

import numpy as np

import chalkgrad as cg

from support import Case, DIGITS_NET, THREADS, at_once, digits, run_python

TIMES = 20


class Threads(Case):
    def assertAllWell(self, *works):
        for error in at_once(*works):
            raise error

    @unittest.skipUnless(sysconfig.get_config_var("Py_GIL_DISABLED"), "this Python has a lock of its own")
    def test_need_no_lock_of_the_interpreter(self):
        code = "import sys, chalkgrad; print(sys._is_gil_enabled())"
        self.assertEqual(run_python(code).stdout, "False\n")

    def test_share_a_program_and_get_what_they_fed(self):
        g = cg.Graph()
        x = g.input("x", (64,))
        g.output("y", x * g.shared_input("scale"))
        g.output("sum", cg.batch_sum(x))
        program = cg.Program(g, cg.Variables(g), threads=1)

        def run(number):
            for turn in range(TIMES * 10):
                samples = 1 + (number * 7 + turn) % 50
                fed = np.full((samples, 64), number + 1, np.float32)
                into = np.empty((samples, 64), np.float32)
                found = program.run({"x": fed, "scale": number + 2}, out={"y": into} if turn % 2 else {})
                self.assertTrue((found["y"] == (number + 1) * (number + 2)).all())
                self.assertTrue((found["sum"] == (number + 1) * samples).all())

        self.assertAllWell(run)

    def test_share_variables_among_programs(self):
        g = cg.Graph()
        runs = g.parameter("runs", ())
        g.update(runs, runs + 1)
        variables = cg.Variables(g)
        self.assertAllWell(lambda number: [cg.Program(g, variables).run(samples=1) for _ in range(TIMES)])
        self.assertEqual(float(variables["runs"]), THREADS * TIMES)

    def test_build_one_graph_together(self):
        g = cg.Graph()
        x = g.input("x", (8,))

        def build(number):
            y = x
            for turn in range(TIMES * 5):
                y = cg.tanh(y * 0.5 + cg.slice(cg.concat([x, x]), 4, 12))
                g.name(y, f"y{number}.{turn}")
                str(g), len(g), y.shape
            loss = cg.batch_mean(cg.sum(y))
            cg.gradients(loss, [x])
            g.output(f"loss{number}", loss)
            cg.Program(g, cg.Variables(g), threads=1)

        self.assertAllWell(build)
        found = cg.Program(g, cg.Variables(g), threads=1).run({"x": np.ones((3, 8))})
        self.assertEqual(len({float(found[f"loss{number}"]) for number in range(THREADS)}), 1)

    def test_train_networks_of_their_own_on_the_same_data(self):
        x, y = digits(300)
        data = cg.Dataset(x, y)

        def trained(_=None):
            net = cg.Network(DIGITS_NET, (1, 8, 8))
            cg.train(net, data, epochs=2, threads=1)
            hashes.append(net.weights_sha256())

        hashes = []
        trained()
        self.assertAllWell(trained)
        self.assertEqual(len(hashes), THREADS + 1)
        self.assertEqual(len(set(hashes)), 1)

    def test_use_a_network_while_it_is_trained(self):
        x, y = digits(200)
        data = cg.Dataset(x, y)
        net = cg.Network("16n-relu-10n", (1, 8, 8))
        predict = cg.Predictor(net)

        def train(number):
            for _ in range(TIMES // 4):
                cg.train(net, data, epochs=1, threads=1, on_epoch=lambda now: predict(x[0]))
                net.begin_anew()

        def look(number):
            for _ in range(TIMES):
                self.assertEqual(net["dense1.weight"].shape, (16, 64))
                self.assertIn("dense1.bias", net)
                self.assertLessEqual(len(net.class_names), 10)
                training = net.training
                self.assertIn(training and training["samples"], (None, 200))
                self.assertIn("dense1.weight", net.keys())
                self.assertEqual(len(pickle.loads(pickle.dumps(net)).weights_sha256()), 64)
                self.assertEqual(len(copy.copy(net).weights_sha256()), 64)
                self.assertEqual(cg.outputs_of(net), "classes")
                repr(net), net.layers(), net.text, str(net.to_graph())

        def ask(number):
            for _ in range(TIMES):
                found = predict(x[:3])
                self.assertTrue(np.allclose(found.sum(axis=1), 1, atol=1e-5))
                net["dense2.bias"] = np.zeros(10)
                cg.evaluate(net, data, threads=1)

        self.assertAllWell(train, look, ask)

    def test_raise_what_is_theirs(self):
        def fail(number):
            for _ in range(TIMES):
                self.assertSays(cg.ShapeError, f"dense1.weight is 2×3, and was given {number + 1} numbers; give as many, in "
                                               "the same shape", net.__setitem__, "dense1.weight", [1.0] * (number + 1))
                with self.assertRaisesRegex(cg.InputError, f'"q{number}" is not a layer'):
                    cg.Network(f"q{number}", (3,))

        net = cg.Network("2n", (3,))
        self.assertAllWell(fail)

    def test_derive_and_check(self):
        net = cg.Network("3n-sigmoid", (2,))
        text = cg.derive(net, "squared-error").check()

        def judge(number):
            for _ in range(3):
                self.assertTrue(cg.check(text))
                self.assertEqual(cg.derive(net, "squared-error").check(), text)

        self.assertAllWell(judge)

    def test_fit_estimators(self):
        try:
            import sklearn  # noqa: F401
        except ImportError:
            self.skipTest("scikit-learn is not installed")
        x, y = digits(200)
        x = x.reshape(len(x), -1)
        expected = cg.Classifier(epochs=2, threads=1).fit(x, y).predict_proba(x)

        def fit(number):
            found = cg.Classifier(epochs=2, threads=1).fit(x, y).predict_proba(x)
            self.assertTrue(np.array_equal(found, expected))

        self.assertAllWell(fit)


if __name__ == "__main__":
    unittest.main()
