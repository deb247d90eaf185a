"""Arrays of every kind: what is right, and the sentence for what is not."""

import importlib.util
import unittest

import numpy as np

import chalkgrad
from support import Case, at_once, digits, run_python, trained


class Samples(Case):
    def test_of_any_layout_are_the_same(self):
        values = np.random.default_rng(1).normal(size=(6, 2, 3, 4))
        expected = chalkgrad.Dataset(values.astype(np.float32), range(6)).digest()
        wide = np.zeros((12, 2, 3, 4), np.float32)
        wide[::2] = values
        misaligned = np.frombuffer(b"x" + values.astype(np.float32).tobytes(), np.uint8)[1:].view(np.float32)
        read_only = values.astype(np.float32)
        read_only.flags.writeable = False
        for x in (values, np.asfortranarray(values), values.astype(">f8"), values.astype(">f4"), wide[::2],
                  misaligned.reshape(values.shape), read_only, values.tolist()):
            self.assertEqual(chalkgrad.Dataset(x, range(6)).digest(), expected)

    def test_are_kept_as_they_were_given(self):
        x, y = digits(10)
        data = chalkgrad.Dataset(x, y)
        self.assertTrue(np.array_equal(data.x, x) and np.array_equal(data.y, y))
        self.assertEqual((data.x.dtype, data.y.dtype), (np.uint8, np.int32))
        self.assertFalse(data.x.flags.writeable)
        kept = data.x
        del data
        self.assertTrue(np.array_equal(kept, x))

    def test_that_cannot_be_used_are_named(self):
        says = self.assertSays
        ones = np.ones((2, 3))
        says(ValueError, "arrays: has no samples; give at least one with its label or target", chalkgrad.Dataset,
             np.ones((0, 3)), np.ones(0, int))
        says(ValueError, "arrays: 2 samples of 3 need 6 values, found 9; give as many inputs as labels or targets",
             chalkgrad.Dataset, np.ones((3, 3)), [0, 1])
        says(ValueError, "arrays: sample 0 has label -1 but there are 2 class names; labels count from 0",
             chalkgrad.Dataset, ones, [-1, 1])
        says(ValueError, "arrays: sample 1 holds nan at element 2; replace or leave out samples that are not finite",
             chalkgrad.Dataset, [[1, 2, 3], [4, 5, np.nan]], [0, 1])
        says(ValueError, "arrays: sample 0 holds inf at element 1; replace or leave out samples that are not finite",
             chalkgrad.Dataset, [[1, 1e300, 3], [4, 5, 6]], [0, 1])
        says(TypeError, "x holds complex128; give real numbers", chalkgrad.Dataset, ones * 1j, [0, 1])
        says(TypeError, "y holds <U1; give real numbers", chalkgrad.Dataset, ones, ["a", "b"])
        says(ValueError, "x: samples of different shapes make no array; bring them to one shape, and stack them: "
                         "numpy.stack(images)", chalkgrad.Dataset, [np.ones((2, 2)), np.ones((3, 3))], [0, 1])
        objects = np.empty(2, object)
        objects[:] = [np.ones((2, 2)), np.ones((3, 3))]
        says(ValueError, "x: samples of different shapes make no array; bring them to one shape, and stack them: "
                         "numpy.stack(images)", chalkgrad.Dataset, objects, [0, 1])
        says(ValueError, "x holds objects that are no numbers; give an array of numbers, as numpy.stack(images) makes one "
                         "of images", chalkgrad.Dataset, [None, "a"], [0, 1])
        says(ValueError, "x is a single number; give N samples along its first axis", chalkgrad.Dataset, 3, [0])
        says(ValueError, "y holds 4294967296; labels are 0, 1, … for as many classes", chalkgrad.Dataset, ones, [0, 2**32])

    @unittest.skipUnless(importlib.util.find_spec("pandas"), "pandas is not installed")
    def test_may_be_frames(self):
        import pandas

        frame = pandas.DataFrame({"a": [1.5, 2.0, 3.0], "b": [1, 2, 3], "c": [True, False, True]})
        data = chalkgrad.Dataset(frame, pandas.Series([0, 1, 1]), weights=pandas.Series([1, 2, 3]))
        self.assertEqual(data.x.tolist(), [[1.5, 1, 1], [2, 2, 0], [3, 3, 1]])
        self.assertEqual((data.y.tolist(), data.weights.tolist()), ([0, 1, 1], [1, 2, 3]))
        nullable = pandas.DataFrame({"a": pandas.array([1, 2, 3], dtype="Int64")})
        self.assertEqual(chalkgrad.Dataset(nullable, [0, 1, 1]).x.tolist(), [[1], [2], [3]])
        with self.assertRaisesRegex(ValueError, "^x holds objects that are no numbers"):
            chalkgrad.Dataset(pandas.DataFrame({"a": ["x", "y"]}), [0, 1])

    def test_may_have_weights(self):
        x, y = digits(6)
        data = chalkgrad.Dataset(x, y, weights=[1, 2, 0, 1, 0.5, 3])
        self.assertEqual(data.weights.tolist(), [1, 2, 0, 1, 0.5, 3])
        self.assertEqual(len(chalkgrad.Dataset(x, y).weights), 0)
        self.assertEqual(sorted(chalkgrad.hold_out(data, "0.5").test.weights.tolist()
                                + chalkgrad.hold_out(data, "0.5").train.weights.tolist()), [0, 0.5, 1, 1, 2, 3])
        self.assertNotEqual(data.digest(), chalkgrad.Dataset(x, y).digest())
        says = self.assertSays
        says(ValueError, "arrays: 2 weights for 6 samples; give one for each, or none", chalkgrad.Dataset, x, y, weights=[1, 2])
        says(ValueError, "arrays: sample 1 has the weight -1; it must be a number of at least 0", chalkgrad.Dataset, x, y,
             weights=[1, -1, 1, 1, 1, 1])
        says(ValueError, "weights is 2-dimensional; give one number for each sample", chalkgrad.Dataset, x, y,
             weights=np.ones((6, 1)))

    def test_of_many_numbers_are_read_where_they_are(self):
        code = """
import gc
import numpy, chalkgrad
x = numpy.random.default_rng(1).random((65536, 1024), numpy.float32)
x[:, 0] = range(len(x))
y = (numpy.arange(len(x)) % 2).astype(numpy.int32)
peak = lambda: int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) // 1024
before = peak()
data = chalkgrad.Dataset(x, y, normalise="channel")
net = chalkgrad.Network("2n", x.shape[1:])
chalkgrad.train(net, data, epochs=1, batch=256, threads=2)
part = chalkgrad.hold_out(data, "0.5").train
chalkgrad.train(net, part, epochs=1, batch=256, threads=2)
print(peak() - before < 80, numpy.shares_memory(data.x, x))
print(numpy.array_equal(part.x, x[part.x[:, 0].astype(int)]))
kept = data.x
del x, data, part
gc.collect()
print(kept[-1, 0])
"""
        said = run_python(code)
        self.assertEqual(said.stdout, "True True\nTrue\n65535.0\n", said.stderr)

    def test_of_many_numbers_give_the_same_weights_where_they_are_and_copied(self):
        x = np.random.default_rng(2).random((4096, 4200), np.float32)
        whole = chalkgrad.Dataset(x, np.arange(4096) % 3)
        self.assertTrue(np.shares_memory(whole.x, x))
        read = chalkgrad.hold_out(whole, "0.5").train
        copied = chalkgrad.Dataset(read.x, read.y)
        self.assertEqual(read.digest(), copied.digest())
        weights = []
        for data in (read, copied):
            net = chalkgrad.Network("3n", (4200,))
            chalkgrad.train(net, data, epochs=1)
            weights.append(net.weights_sha256())
        self.assertEqual(*weights)

    def test_of_many_pixels_are_read_where_they_are(self):
        code = """
import resource
import numpy, chalkgrad
x = numpy.random.default_rng(1).integers(0, 256, (16384, 1, 128, 128), numpy.uint8)
y = (numpy.arange(len(x)) % 2).astype(numpy.int32)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = peak()
data = chalkgrad.Dataset(x, y)
net = chalkgrad.Network("2n", x.shape[1:])
chalkgrad.train(net, data, epochs=1, batch=256, threads=2)
print(peak() - before < 80, numpy.shares_memory(data.x, x))
test = chalkgrad.hold_out(data, "0.5").test
print(test.x.shape, test.x.dtype)
"""
        self.assertEqual(run_python(code).stdout, "True True\n(8192, 1, 128, 128) uint8\n")

    def test_give_the_same_weights_where_they_are_and_copied(self):
        x = np.random.default_rng(2).integers(0, 256, (4096, 1, 128, 128), np.uint8)
        read = chalkgrad.hold_out(chalkgrad.Dataset(x, np.arange(4096) % 3, normalise="none"), "0.9").train
        copied = chalkgrad.Dataset(read.x, read.y, normalise="none")
        self.assertEqual(read.digest(), copied.digest())
        weights = []
        for data in (read, copied):
            net = chalkgrad.Network("3n", (1, 128, 128))
            chalkgrad.train(net, data, epochs=2)
            weights.append(net.weights_sha256())
        self.assertEqual(*weights)


class Predictions(Case):
    @classmethod
    def setUpClass(cls):
        cls.net = trained()
        cls.x, cls.y = digits(40)
        cls.predict = chalkgrad.Predictor(cls.net)

    def test_are_probabilities_of_each_sample(self):
        p = self.predict(self.x)
        self.assertEqual((p.shape, p.dtype), ((40, 10), np.float32))
        self.assertTrue(np.allclose(p.sum(axis=1), 1, atol=1e-5))
        self.assertGreater((p.argmax(axis=1) == self.y).mean(), 0.8)
        for i in (0, 7):
            self.assertTrue(np.array_equal(self.predict(self.x[i]), p[i]))
        self.assertTrue(np.array_equal(self.predict(np.asfortranarray(self.x)), p))
        self.assertTrue(np.array_equal(self.predict(self.x[::-1]), p[::-1]))

    def test_are_written_where_the_caller_wants_them(self):
        expected = self.predict(self.x)
        out = np.full((40, 10), -1, np.float32)
        self.assertIs(self.predict(self.x, out=out), out)
        self.assertTrue(np.array_equal(out, expected))

    def test_are_never_written_to_a_copy(self):
        says, x = self.assertSays, self.x
        wrong = ("out: what is written to must be a writable, aligned array of float32 in C order, as "
                 "numpy.empty(shape, numpy.float32) makes one")
        misaligned = np.zeros(1601, np.uint8)[1:].view(np.float32).reshape(40, 10)
        for out in (np.empty((40, 10)), np.empty((40, 10), np.float32, order="F"), np.empty((40, 20), np.float32)[:, ::2],
                    np.empty((40, 10), ">f4"), misaligned, [0.0] * 400):
            says(TypeError, wrong, self.predict, x, out=out)
        read_only = np.zeros((40, 10), np.float32)
        read_only.flags.writeable = False
        says(ValueError, "out is read-only; give an array of your own, as numpy.empty(shape, numpy.float32)",
             self.predict, x, out=read_only)
        says(chalkgrad.ShapeError, "out: the array that is to be written to is 10×40, and there are 40×10 numbers; give "
                                   "numpy.empty of that shape", self.predict, x, out=np.empty((10, 40), np.float32))

    def test_refuse_what_they_were_not_trained_on(self):
        self.assertSays(TypeError, "the network was trained on pixels (uint8), and was given other numbers; give pixels "
                                   "from 0 to 255, as x.astype(numpy.uint8)", self.predict, self.x / 255)
        self.assertSays(chalkgrad.ShapeError, "the network takes samples of 1×8×8, and was given an array of 40×8×8; give "
                                              "N×1×8×8 for N samples, or one sample", self.predict, self.x[:, 0])

    def test_of_no_samples_are_none(self):
        self.assertEqual(self.predict(self.x[:0]).shape, (0, 10))

    def test_see_changes_of_the_network(self):
        net = chalkgrad.Network("2n", (3,))
        predict = chalkgrad.Predictor(net, probabilities=False)
        net["dense1.weight"] = np.zeros((2, 3))
        net["dense1.bias"] = [1, 2]
        self.assertEqual(predict([[5, 5, 5]]).tolist(), [[1, 2]])

    def test_are_shared_by_threads(self):
        expected, wrong = self.predict(self.x), []

        def work(number):
            for _ in range(50):
                if not np.array_equal(self.predict(self.x), expected):
                    wrong.append(number)

        self.assertEqual(at_once(work), [])
        self.assertEqual(wrong, [])

    def test_name_a_layer_that_is_not_finite(self):
        net = chalkgrad.Network("2n", (3,))
        net["dense1.bias"] = [np.inf, 0]
        with self.assertRaisesRegex(chalkgrad.NumericError, "dense1"):
            chalkgrad.Predictor(net)


if __name__ == "__main__":
    unittest.main()
