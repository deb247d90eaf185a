"""scikit-learn's manners."""

import importlib.util
import pickle
import unittest
import warnings

import numpy as np

import chalkgrad
from support import Case, digits, run_python

if importlib.util.find_spec("sklearn") is None:
    raise unittest.SkipTest("scikit-learn is not installed")

from sklearn.base import clone, is_classifier
from sklearn.ensemble import AdaBoostClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

# Weights below hold the same to what float32 can.
EXPECTED = {"check_sample_weight_equivalence_on_dense_data": "compares seven digits after a thousand steps in float32"}
FAST = {"epochs": 20, "threads": 1}


class Checks(Case):
    def test_pass(self):
        for estimator in (chalkgrad.Classifier(threads=1), chalkgrad.Regressor(threads=1)):
            with self.subTest(type(estimator).__name__), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                results = check_estimator(estimator, expected_failed_checks=EXPECTED, on_fail=None, on_skip=None)
                failed = [f"{each['check_name']}: {each['exception']}" for each in results if each["status"] == "failed"]
                self.assertEqual(failed, [])
                self.assertGreater(len(results), 40)


class Weights(Case):
    def setUp(self):
        rng = np.random.default_rng(5)
        self.x = rng.normal(size=(60, 4)).astype(np.float32)
        self.y = (self.x[:, 0] + rng.normal(size=60) > 0).astype(int)
        self.times = rng.integers(0, 4, 60)

    def test_of_zero_are_as_if_the_sample_were_not_there(self):
        there = self.times > 0
        for model in (chalkgrad.Classifier(**FAST), chalkgrad.Regressor(**FAST)):
            weighted = clone(model).fit(self.x, self.y, sample_weight=there * 2.5).predict(self.x)
            self.assertTrue(np.array_equal(weighted, clone(model).fit(self.x[there], self.y[there]).predict(self.x)))

    def test_of_two_count_as_two_samples(self):
        pixels = (self.x * 40 + 128).astype(np.uint8)
        for x, normalise in ((self.x, "channel"), (pixels, "channel"), (pixels, "none")):
            options = {"batch": 300, "optimizer": "sgd", "lr": 0.05, "normalise": normalise, **FAST}
            for model, ask in ((chalkgrad.Classifier(**options), "predict_proba"), (chalkgrad.Regressor(**options), "predict")):
                weighted = clone(model).fit(x, self.y, sample_weight=self.times)
                twice = clone(model).fit(x.repeat(self.times, axis=0), self.y.repeat(self.times))
                self.assertLess(np.abs(getattr(weighted, ask)(x) - getattr(twice, ask)(x)).max(), 1e-4)
                unlike = clone(model).fit(x, self.y)
                self.assertGreater(np.abs(getattr(unlike, ask)(x) - getattr(twice, ask)(x)).max(), 1e-3)

    def test_go_with_partial_fit(self):
        model = chalkgrad.Classifier(batch=20, threads=1)
        for _ in range(2):
            model.partial_fit(self.x, self.y, classes=[0, 1], sample_weight=self.times)
        whole = chalkgrad.Classifier(epochs=2, batch=20, threads=1).fit(self.x, self.y, sample_weight=self.times)
        self.assertEqual(model.network_.weights_sha256(), whole.network_.weights_sha256())
        chalkgrad.Regressor(threads=1).partial_fit(self.x, self.y, sample_weight=self.times)

    def test_are_routed_and_boosted(self):
        import sklearn

        with sklearn.config_context(enable_metadata_routing=True):
            model = chalkgrad.Classifier(**FAST).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
            search = GridSearchCV(model, {"lr": [0.003]}, cv=2).fit(self.x, self.y, sample_weight=self.times + 1)
            self.assertGreater(search.best_score_, 0.3)
        boosted = AdaBoostClassifier(chalkgrad.Classifier(**FAST), n_estimators=3, random_state=0).fit(self.x, self.y)
        self.assertGreater(boosted.score(self.x, self.y), 0.6)

    def test_are_refused_in_words(self):
        fit = chalkgrad.Classifier(**FAST).fit
        self.assertSays(ValueError, "sample_weight holds -1.0; weights are numbers of at least 0", fit, self.x, self.y,
                        sample_weight=-np.ones(60))
        with self.assertRaisesRegex(ValueError, "zero"):  # in scikit-learn's words, where it has some
            fit(self.x, self.y, sample_weight=np.zeros(60))


class Memory(Case):
    def test_is_not_taken_for_another_copy_of_the_samples(self):
        code = """
import numpy, chalkgrad
x = numpy.random.default_rng(1).random((65536, 1024), numpy.float32)
y = numpy.arange(len(x)) % 2
peak = lambda: int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) // 1024
model = chalkgrad.Classifier(network="2n", epochs=1, batch=256, threads=1)
before = peak()
model.fit(x, y)
print(peak() - before < 80)
"""
        said = run_python(code)
        self.assertEqual(said.stdout, "True\n", said.stderr)


class Images(Case):
    def test_are_pixels_of_any_layout(self):
        x, y = digits(400)
        model = chalkgrad.Classifier(**FAST).fit(x, y)
        self.assertGreater(model.score(x, y), 0.9)
        self.assertEqual((model.predict_proba(x).shape, model.n_features_in_), ((400, 10), 64))
        flat = chalkgrad.Classifier(image_shape=(1, 8, 8), **FAST).fit(x.reshape(400, -1), y)
        self.assertEqual(flat.network_.weights_sha256(), model.network_.weights_sha256())

    def test_go_through_cross_validation_and_searches(self):
        x, y = digits(300)
        self.assertGreater(cross_val_score(chalkgrad.Classifier(**FAST), x, y, cv=3).mean(), 0.8)
        search = GridSearchCV(chalkgrad.Classifier(**FAST), {"lr": [1e-9, 0.003]}, cv=2, n_jobs=2).fit(x, y)
        self.assertEqual(search.best_params_, {"lr": 0.003})
        with_threads = cross_val_score(chalkgrad.Classifier(**FAST), x, y, cv=2, n_jobs=2)
        self.assertTrue(np.array_equal(with_threads, cross_val_score(chalkgrad.Classifier(**FAST), x, y, cv=2)))

    def test_in_grey_are_told_where_the_channel_goes(self):
        x, y = digits(20)
        self.assertSays(ValueError, "Found array with dim 3. Classifier expects samples × features, or images as samples × "
                                    "channels × rows × columns; pictures in grey are x[:, None]",
                        chalkgrad.Classifier().fit, x[:, 0], y)


class Manners(Case):
    def setUp(self):
        rng = np.random.default_rng(0)
        self.x = rng.normal(size=(120, 4))
        self.y = np.where(self.x[:, 0] > 0, "up", "down")

    def test_classes_are_names(self):
        model = chalkgrad.Classifier(epochs=30, threads=1).fit(self.x, self.y)
        self.assertEqual(model.classes_.tolist(), ["down", "up"])
        self.assertTrue(is_classifier(model))
        self.assertGreater((model.predict(self.x) == self.y).mean(), 0.9)

    def test_clone_and_pickle(self):
        class Mine(chalkgrad.Classifier):
            pass

        model = chalkgrad.Classifier(optimizer="sgd", lr=0.1, momentum=0.5, **FAST).fit(self.x, self.y)
        model.note = "mine"
        again = pickle.loads(pickle.dumps(model))
        self.assertEqual(again.note, "mine")
        self.assertTrue(np.array_equal(again.predict_proba(self.x), model.predict_proba(self.x)))
        self.assertEqual(clone(model).get_params(), model.get_params())
        self.assertEqual(clone(Mine(lr=0.5)).lr, 0.5)
        self.assertEqual(repr(chalkgrad.Classifier(lr=0.5)), "Classifier(lr=0.5)")

    def test_partial_fits_are_epochs_of_one_fit(self):
        whole = chalkgrad.Classifier(epochs=3, batch=32, threads=1).fit(self.x, self.y)
        parts = chalkgrad.Classifier(batch=32, threads=1)
        for i in range(3):
            parts.partial_fit(self.x, self.y, classes=["down", "up"])
            if i == 1:
                parts = pickle.loads(pickle.dumps(parts))
        self.assertEqual(parts.network_.weights_sha256(), whole.network_.weights_sha256())
        parts.partial_fit(self.x[:50], self.y[:50])
        self.assertNotEqual(parts.network_.weights_sha256(), whole.network_.weights_sha256())

    def test_early_stopping_keeps_the_best(self):
        model = chalkgrad.Classifier(early_stopping=True, patience=3, epochs=200, threads=1)
        model.fit(self.x, self.y[::-1])
        self.assertLess(model.n_iter_, 200)
        self.assertEqual(len(model.validation_scores_), model.n_iter_)
        self.assertIsNone(model.best_loss_)

    def test_numbers_go_through_a_pipeline(self):
        y = self.x @ [1.0, -2.0, 0.0, 3.0] * 1000 + 5000
        model = make_pipeline(StandardScaler(), chalkgrad.Regressor(epochs=60, threads=1)).fit(self.x, y)
        self.assertGreater(model.score(self.x, y), 0.95)
        two = chalkgrad.Regressor(epochs=60, threads=1).fit(self.x, np.stack([y, -y], axis=1))
        self.assertEqual(two.predict(self.x).shape, (120, 2))

    def test_callbacks_can_stop(self):
        model = chalkgrad.Classifier(epochs=50, threads=1, on_epoch=lambda now: now.stop() if now.epoch == 4 else None)
        self.assertEqual(model.fit(self.x, self.y).n_iter_, 5)

    def test_names_of_parameters_are_those_of_training(self):
        self.assertLessEqual({"lr", "momentum", "schedule", "label_smoothing"}, set(chalkgrad.Classifier().get_params()))
        with self.assertRaisesRegex(TypeError, "^Classifier has no parameter epoch; there are network, "):
            chalkgrad.Classifier(epoch=3)
        with self.assertRaisesRegex(ValueError, "^network gives 3 numbers, and 2 are needed: one for each class; end it "
                                                "with 2n$"):
            chalkgrad.Classifier(network="3n").fit(self.x, self.y)


if __name__ == "__main__":
    unittest.main()
