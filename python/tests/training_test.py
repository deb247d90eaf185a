"""Training: the program's weights, options from the engine's fields, callbacks, Ctrl-C."""

import copy
import io
import os
import pickle
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import numpy as np

import chalkgrad
from support import DIGITS_NET, PROGRAM, Case, digits, run_python, trained


class Bits(Case):
    RUN = {"epochs": 2, "batch": 32, "optimizer": "adam", "lr": 0.002, "schedule": "one-cycle", "seed": 3}

    def weights(self, data, **more):
        net = chalkgrad.Network(DIGITS_NET, (1, 8, 8), seed=self.RUN["seed"])
        chalkgrad.train(net, data, **self.RUN, **more)
        return net.weights_sha256()

    @unittest.skipUnless(PROGRAM, "CHALKGRAD_PROGRAM does not name the command line")
    def test_are_those_of_the_program(self):
        options = [f"--{name}={value}" for name, value in self.RUN.items()]
        with tempfile.TemporaryDirectory() as folder:
            said = subprocess.run([PROGRAM, "train", "--data", "digits", "--net", DIGITS_NET, *options], cwd=folder,
                                  capture_output=True, text=True, check=True).stdout
        expected = re.search(r"weights sha256 ([0-9a-f]{64})", said)[1]
        self.assertEqual(self.weights(chalkgrad.digits().train), expected)

    def test_do_not_depend_on_where_data_are_or_on_threads(self):
        x, y = digits()
        expected = self.weights(chalkgrad.digits().train, threads=1)
        self.assertEqual(self.weights(chalkgrad.Dataset(x, y), threads=3), expected)
        fortran = np.asfortranarray(x)
        self.assertEqual(self.weights(chalkgrad.Dataset(fortran, y.astype(">i8"))), expected)
        other = dict(self.RUN, seed=4)
        net = chalkgrad.Network(DIGITS_NET, (1, 8, 8), seed=4)
        chalkgrad.train(net, chalkgrad.Dataset(x, y), **other)
        self.assertNotEqual(net.weights_sha256(), expected)

    def test_do_not_depend_on_the_memory_of_a_step(self):
        data = chalkgrad.digits().train
        options = {"epochs": 1, "batch": 200, "threads": 1}
        nets = [chalkgrad.Network("8c3z-bn-relu-3*(res(8c3z-bn-relu-8c3z-bn)-relu)-gap-10n", (1, 8, 8)) for _ in range(3)]
        with self.assertRaisesRegex(chalkgrad.InputError, "a run of 200 samples on 1 thread takes [0-9]+ [kM]?B at least") as refused:
            chalkgrad.train(nets[0], data, **options, step_memory=1)
        number, unit = re.search("takes ([0-9]+) ([kM]?B)", str(refused.exception)).groups()
        for net, memory in zip(nets, (0, int(number) * {"kB": 1000, "MB": 1_000_000}[unit], 10**12)):
            chalkgrad.train(net, data, **options, step_memory=memory)
        self.assertEqual(len({net.weights_sha256() for net in nets}), 1)

    def test_survive_an_interruption(self):
        expected = self.weights(chalkgrad.digits().train)
        net = chalkgrad.Network(DIGITS_NET, (1, 8, 8), seed=3)
        data = chalkgrad.digits().train
        result = chalkgrad.train(net, data, on_step=lambda now: now.stop() if now.step == 17 else None, **self.RUN)
        self.assertTrue(result.stopped)
        self.assertEqual(net.training["step"], 17)
        again = pickle.loads(pickle.dumps(net))
        for each in (net, again):
            chalkgrad.train(each, data, **self.RUN)
            self.assertEqual(each.weights_sha256(), expected)


class Batches(Case):
    def batches(self, x, y, size=50):
        return [(x[i:i + size], y[i:i + size]) for i in range(0, len(x), size)]

    def test_of_an_iterable_are_its_samples(self):
        x, y = digits(230)
        expected = chalkgrad.Dataset(x, y).digest()
        self.assertEqual(chalkgrad.Dataset(self.batches(x, y)).digest(), expected)
        self.assertEqual(chalkgrad.Dataset(pair for pair in zip(x, y)).digest(), expected)

        def in_one_array():
            kept = np.empty((50, 1, 8, 8), np.uint8)
            for a, b in self.batches(x, y):
                kept[:len(a)] = a
                yield kept[:len(a)], b

        self.assertEqual(chalkgrad.Dataset(in_one_array()).digest(), expected)

    def test_train_as_the_arrays_would(self):
        x, y = digits(230)
        nets = [chalkgrad.Network("10n", (1, 8, 8)) for _ in range(2)]
        chalkgrad.train(nets[0], chalkgrad.Dataset(x, y), epochs=2)
        chalkgrad.train(nets[1], self.batches(x, y), epochs=2, validation=None)
        self.assertEqual(nets[0].weights_sha256(), nets[1].weights_sha256())
        result = chalkgrad.train(nets[1], self.batches(x[y < 5], y[y < 5]), validation=self.batches(x, y), epochs=1)
        self.assertGreater(result.last.validation_accuracy, 0)

    def test_that_end_early_are_named(self):
        net, (x, y) = chalkgrad.Network("10n", (1, 8, 8)), digits(100)
        generator = (pair for pair in self.batches(x, y))
        chalkgrad.train(net, generator, epochs=1)
        before = net.weights_sha256()
        says = self.assertSays
        says(ValueError, "there is nothing to iterate over; a generator gives its batches once: keep the Dataset that was made "
                         "of it, or make a new generator", chalkgrad.train, net, generator, epochs=1)
        says(ValueError, "batch 1 has 50 samples and 49 targets; give as many of each", chalkgrad.train, net,
             [(x[:50], y[:50]), (x[50:], y[51:])])
        says(ValueError, "batch 1 has samples of (8, 8) and targets of (), and the first one of (1, 8, 8) and (); bring them "
                         "to one shape", chalkgrad.train, net, [(x[:50], y[:50]), (x[50:, 0], y[50:])])
        says(TypeError, "batch 0 is a ndarray; each must be a pair (x, y)", chalkgrad.train, net, iter([x]))
        says(TypeError, "y is missing: Dataset(x, y) takes samples and their labels or targets, and Dataset(batches) what "
                        "gives pairs (x, y), which ndarray does not", chalkgrad.Dataset, x)

        def broken():
            yield x[:50], y[:50]
            raise OSError("the disk is gone")

        says(OSError, "the disk is gone", chalkgrad.train, net, broken())
        self.assertEqual(net.weights_sha256(), before)


class Weights(Case):
    def test_of_two_count_as_two_samples(self):
        x, y = digits(60)
        times = np.arange(60) % 4
        nets = [chalkgrad.Network("16n-tanh-10n", (1, 8, 8)) for _ in range(2)]
        data = [chalkgrad.Dataset(x, y, weights=times, normalise="none"),
                chalkgrad.Dataset(x.repeat(times, axis=0), y.repeat(times), normalise="none")]
        results = [chalkgrad.train(net, each, epochs=20, batch=200, lr=0.1) for net, each in zip(nets, data)]
        self.assertAlmostEqual(results[0].last.loss, results[1].last.loss, delta=1e-5)
        self.assertLess(np.abs(nets[0]["dense1.weight"] - nets[1]["dense1.weight"]).max(), 1e-4)
        losses = [chalkgrad.evaluate(net, each).loss for net, each in zip(nets, data)]
        self.assertAlmostEqual(*losses, delta=1e-5)


class Options(Case):
    def setUp(self):
        self.data = chalkgrad.Dataset(*digits(64))
        self.net = chalkgrad.Network("10n", (1, 8, 8))

    def train(self, **options):
        return chalkgrad.train(self.net, self.data, **options)

    def test_are_those_that_the_engine_shows(self):
        names = {field["name"] for field in chalkgrad.training_fields()}
        self.assertLessEqual({"epochs", "batch", "lr", "momentum", "beta1", "schedule", "label_smoothing", "seed"}, names)
        for name in names:
            self.assertIn(f"\n    {name}: ", chalkgrad.train.__doc__)

    def test_reach_the_run(self):
        self.train(epochs=1, optimizer="adamw", lr=0.125, label_smoothing=0.25, class_weights=[1.0] * 10)
        options = self.net.training["options"]
        self.assertEqual((options["optimizer"], options["lr"], options["label_smoothing"]), ("adamw", 0.125, 0.25))
        self.assertEqual(options["class_weights"], [1.0] * 10)
        self.assertEqual(options["loss"], "cross-entropy")

    def test_take_numbers_of_numpy(self):
        self.train(epochs=np.int64(1), lr=np.float32(0.5), nesterov=np.bool_(True), momentum=np.float64(0.5))
        self.assertEqual(self.net.training["options"]["lr"], 0.5)
        self.assertIs(self.net.training["options"]["nesterov"], True)

    def test_are_refused_in_words(self):
        says = self.assertSays
        says(ValueError, "epochs is 0; it must be from 1 to 1000000", self.train, epochs=0)
        says(ValueError, "momentum is 1.5; it must be at least 0 and below 1", self.train, momentum=1.5)
        says(ValueError, "lr is nan; it must be a number above 0", self.train, lr=float("nan"))
        says(TypeError, "epochs is 'ten'; it must be a whole number", self.train, epochs="ten")
        says(TypeError, "epochs is 2.5; it must be a whole number", self.train, epochs=2.5)
        says(TypeError, "nesterov is 'no'; it must be True or False", self.train, nesterov="no")
        says(TypeError, "optimizer is 3; it must be a text", self.train, optimizer=3)
        says(TypeError, "class_weights is 'a'; it must be a list of numbers", self.train, class_weights="a")
        says(ValueError, "nesterov needs a momentum above 0", self.train, nesterov=True, momentum=0)
        with self.assertRaisesRegex(TypeError, "^momentum is no option of the optimizer adam, which has lr, .*; leave it "
                                               "out, or train with sgd, "):
            self.train(optimizer="adam", momentum=0.9)
        says(TypeError, "gamma is no option of the loss cross-entropy; leave it out, or train with focal", self.train, gamma=2)
        with self.assertRaisesRegex(TypeError, "^epoch is no option of training; there are loss, epochs, batch, "):
            self.train(epoch=3)
        with self.assertRaisesRegex(ValueError, "^loss is 'mse'; it must be one of cross-entropy, "):
            self.train(loss="mse")
        with self.assertRaisesRegex(ValueError, "^schedule: "):
            self.train(schedule="never")
        self.assertIsNone(self.net.training)

    def test_out_of_range_are_input_errors(self):
        with self.assertRaises(chalkgrad.InputError):
            self.train(epochs=0)
        self.assertTrue(issubclass(chalkgrad.ShapeError, ValueError) and issubclass(chalkgrad.ShapeError, chalkgrad.Error))
        self.assertTrue(issubclass(chalkgrad.NumericError, ArithmeticError))


class Callbacks(Case):
    def test_see_each_step_and_epoch(self):
        steps, epochs = [], []
        x, y = digits(128)
        net = chalkgrad.Network("10n", (1, 8, 8))
        data = chalkgrad.Dataset(x, y)
        result = chalkgrad.train(net, data, epochs=3, batch=64, validation=data,
                                 on_step=lambda now: steps.append((now.step, now.samples)),
                                 on_epoch=lambda now: epochs.append((now.epoch, now.validation_accuracy)))
        self.assertEqual(steps, [(1, 64), (2, 128), (3, 64), (4, 128), (5, 64), (6, 128)])
        self.assertEqual([epoch for epoch, _ in epochs], [0, 1, 2])
        self.assertTrue(all(0 <= accuracy <= 1 for _, accuracy in epochs))
        self.assertFalse(result.stopped or result.stopped_early)

    def test_that_raise_end_the_run_after_its_step(self):
        def fail(now):
            if now.step == 3:
                raise KeyError("mine")

        net = chalkgrad.Network("10n", (1, 8, 8))
        with self.assertRaises(KeyError) as caught:
            chalkgrad.train(net, chalkgrad.digits().train, on_step=fail)
        self.assertEqual(caught.exception.args, ("mine",))
        self.assertEqual(net.training["step"], 3)

    def test_may_use_the_network(self):
        data = chalkgrad.Dataset(*digits(64))
        net = chalkgrad.Network("10n", (1, 8, 8))
        seen = []
        chalkgrad.train(net, data, epochs=2, on_epoch=lambda now: seen.append(chalkgrad.evaluate(net, data).loss))
        self.assertEqual(len(seen), 2)
        self.assertLess(seen[1], seen[0])

    def test_leave_python_to_others(self):
        counted = [0]
        done = threading.Event()

        def count():
            while not done.is_set():
                counted[0] += 1
                time.sleep(0.0005)

        thread = threading.Thread(target=count)
        thread.start()
        try:
            chalkgrad.train(chalkgrad.Network("256n-relu-256n-relu-10n", (1, 8, 8)), chalkgrad.digits().train, epochs=4)
        finally:
            done.set()
            thread.join()
        self.assertGreater(counted[0], 3)


class Screen(io.StringIO):
    def __init__(self, terminal):
        super().__init__()
        self.isatty = lambda: terminal


class Shown(Case):
    def shown(self, terminal, **options):
        screen, before = Screen(terminal), sys.stderr
        sys.stderr = screen
        try:
            x, y = digits(64)
            data = chalkgrad.Dataset(x, y)
            chalkgrad.train(chalkgrad.Network("10n", (1, 8, 8)), data, epochs=2, progress=True, **options)
        finally:
            sys.stderr = before
        return screen.getvalue()

    def test_is_a_line_an_epoch_in_a_file(self):
        seen = []
        text = self.shown(False, on_epoch=lambda now: seen.append(now.epoch))
        self.assertRegex(text, r"^1/2  loss \d\.\d{4}(  [\d.]+ %)?\n2/2  loss \d\.\d{4}(  [\d.]+ %)?\n$")
        self.assertEqual(seen, [0, 1])

    def test_is_a_bar_in_a_terminal_that_ends_as_lines(self):
        text = self.shown(True, batch=8)
        self.assertIn("\r1/2 ━", text)
        self.assertEqual(text.count("\n"), 2)


class Interrupts(Case):
    def test_end_the_run_and_keep_what_was_learned(self):
        code = """
import os, signal, threading, time
import chalkgrad
signal.signal(signal.SIGINT, signal.default_int_handler)  # which shells have ignored by what runs in the background
net = chalkgrad.Network("64n-relu-10n", (1, 8, 8))
before = net.weights_sha256()
threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    chalkgrad.train(net, chalkgrad.digits().train, epochs=1000000)
except KeyboardInterrupt:
    record = net.training
    print("interrupted", record["step"] > 0, record["unfinished"], net.weights_sha256() != before)
"""
        self.assertEqual(run_python(code).stdout, "interrupted True True True\n")


class Processes(Case):
    def test_may_fork_after_training(self):
        code = """
import os, sys
import numpy, chalkgrad
net = chalkgrad.Network("10n", (1, 8, 8))
data = chalkgrad.digits().train
chalkgrad.train(net, data, epochs=1, threads=2)
predict = chalkgrad.Predictor(net, threads=2)
expected = predict(data.x[:64])
pid = os.fork()
if pid == 0:
    same = numpy.array_equal(predict(data.x[:64]), expected)
    chalkgrad.train(net, data, epochs=1, threads=2)
    os._exit(0 if same else 1)
print(os.waitpid(pid, 0)[1])
"""
        self.assertEqual(run_python(code).stdout, "0\n")


class Networks(Case):
    def test_are_copied_and_pickled_whole(self):
        net = trained()
        for other in (copy.copy(net), copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
            self.assertEqual(other.weights_sha256(), net.weights_sha256())
            self.assertEqual(other.training, net.training)
            other.initialize(9)
            self.assertNotEqual(other.weights_sha256(), net.weights_sha256())

    def test_are_saved_and_loaded(self):
        net = trained()
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "Zahlen-ü.safetensors")
            net.save(file)
            again = chalkgrad.Network.load(file)
            self.assertEqual(again.weights_sha256(), net.weights_sha256())
            self.assertEqual(again.class_names, [str(c) for c in range(10)])
            with self.assertRaises(FileNotFoundError):
                chalkgrad.Network.load(file + "x")
            with open(file, "r+b") as opened:
                opened.write(b"nonsense")
            with self.assertRaisesRegex(chalkgrad.InputError, "Zahlen-ü.safetensors"):
                chalkgrad.Network.load(file)

    def test_show_and_take_their_parameters(self):
        net = chalkgrad.Network("3n", (4,))
        self.assertEqual(net.keys(), ["dense1.bias", "dense1.weight"])
        weights = net["dense1.weight"]
        self.assertEqual((weights.shape, weights.dtype), ((3, 4), np.float32))
        net["dense1.weight"] = np.arange(12.0).reshape(4, 3).T
        self.assertEqual(net["dense1.weight"].tolist(), np.arange(12.0).reshape(4, 3).T.tolist())
        self.assertSays(chalkgrad.ShapeError, "dense1.bias is 3, and was given 2 numbers; give as many, in the same shape",
                        net.__setitem__, "dense1.bias", [1, 2])
        with self.assertRaisesRegex(KeyError, "no parameter 'w'; it has dense1.bias, dense1.weight"):
            net["w"]

    def test_show_themselves(self):
        x, y = digits(64)
        data, net = chalkgrad.Dataset(x, y), chalkgrad.Network("10n", (1, 8, 8))
        result = chalkgrad.train(net, data, validation=data, epochs=3)
        self.assertEqual([now.epoch for now in result.history], [0, 1, 2])
        self.assertEqual(result.history[2].validation_loss, result.last.validation_loss)
        html = result._repr_html_()
        self.assertIn("finished at step 3 of 3", html)
        self.assertEqual((html.count("<svg"), html.count("<polyline")), (2, 4))
        net = chalkgrad.Network("4c3-relu-10n", (1, 8, 8))
        self.assertIn("conv1.weight", net.to_graph()._repr_html_())
        self.assertEqual(repr(net), "<chalkgrad.Network '4c3-relu-10n': 1×8×8 to 10, 1490 parameters>")
        self.assertIn("conv1", net._repr_html_())

    def test_name_what_is_wrong(self):
        with self.assertRaisesRegex(chalkgrad.InputError, "network"):
            chalkgrad.Network("4q", (1, 8, 8))
        with self.assertRaisesRegex(chalkgrad.ShapeError, "conv1"):
            chalkgrad.Network("4c9", (1, 8, 8))


if __name__ == "__main__":
    unittest.main()
