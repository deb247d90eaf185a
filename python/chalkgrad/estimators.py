"""scikit-learn's manners: Classifier and Regressor."""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from . import _arrays, _engine
from .training import train

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.exceptions import DataConversionWarning
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import _check_sample_weight, check_array, check_is_fitted, column_or_1d, validate_data
except ImportError as error:
    raise ImportError(
        "chalkgrad.Classifier and Regressor need scikit-learn, 1.6 or later: pip install scikit-learn; "
        "chalkgrad.Network and chalkgrad.train do without"
    ) from error

_STEPS = 2000  # without a number of epochs: about so many steps, of which small sets need more epochs
_SHORT = 2_000_000  # multiply-adds: for fewer, threads cost more than they save where others use the processor, too
_FOREVER = 1_000_000  # the epochs of a run that partial_fit() continues, one at a time

# What an estimator has beside the options of train(), with their defaults and meanings. Those of train() come from the
# engine; None is the engine's default.
_OWN: dict[str, tuple[Any, str]] = {
    "network": ("auto", "A line or TOML (docs/networks.md), or 'auto': a dense network for two-dimensional X, a "
                        "convolutional one for images. Its outputs must be as many as the classes or targets."),
    "image_shape": (None, "(channels, rows, columns) of images that come as rows of a two-dimensional X."),
    "normalise": ("channel", "Which numbers samples are for the network: 'channel', 'sample', 'min-max', 'none', … "
                             "(docs/cli.md)."),
    "random_state": (None, "A whole number: decides the first weights, the order of the samples and what is held out. "
                           "None is 1, so that runs repeat themselves."),
    "early_stopping": (False, "Holds validation_fraction of the samples out, ends after `patience` epochs without a "
                              "better one, and keeps the best. Where a class would be without a sample, none are held out."),
    "validation_fraction": (0.1, "The share that is held out, above 0 and below 1."),
    "threads": (None, "None: one per core, but no more than OMP_NUM_THREADS says, which joblib sets in its workers, and "
                      "one alone where a step is short. Never changes a bit of the result."),
    "on_epoch": (None, "Called with a Progress after each epoch; progress.stop() ends the run."),
}
_CHANGED: dict[str, Any] = {"optimizer": "adam", "patience": 10}
_HIDDEN = {"seed", "keep_last"}  # random_state, and early_stopping, say it


def _usual_loss(regression: bool) -> str:
    return "mean-squared-error" if regression else "cross-entropy"


def _parameters() -> dict[str, Any]:
    """Names and defaults, in the order in which they are shown."""
    found: dict[str, Any] = {name: default for name, (default, _) in _OWN.items()}
    found["loss"] = None
    for field in _engine.training_fields():
        if field["name"] not in _HIDDEN:
            found.setdefault(field["name"], _CHANGED.get(field["name"]))
    return found


def _signature() -> inspect.Signature:
    kinds = inspect.Parameter
    own = [kinds("self", kinds.POSITIONAL_OR_KEYWORD)]
    own += [kinds(name, kinds.KEYWORD_ONLY, default=value) for name, value in _parameters().items()]
    return inspect.Signature(own)


def _documentation(what: str, regression: bool, example: str) -> str:
    lines = [f"    {name}: {default!r}\n        {about}" for name, (default, about) in _OWN.items()]
    lines.append(f"    loss: None\n        Its name (chalkgrad.losses()); None is {_usual_loss(regression)}.")
    epochs = f"None is as many as take {_STEPS:,} steps, 10 at least and 1,000 at most"
    for field in _engine.training_fields():
        if field["name"] in _HIDDEN:
            continue
        usual = f"None is the {field['of']}'s own" if field["of"] else f"None is {field['default']!r}"
        usual = epochs if field["name"] == "epochs" else usual
        of = f"Only used with {', '.join(field['owners'])}. " if field["of"] else ""
        told = f"{field['help']}. " if field["help"] else ""
        lines.append(f"    {field['name']}: {_CHANGED.get(field['name'])!r}\n        {of}{told}{usual}.")
    return f"{what}\n\nParameters, all by name:\n\n" + "\n".join(lines) + f"\n\n{example}"


def _threads(asked: int | None, network: _engine.Network, samples: int) -> int:
    if asked is not None:
        return int(asked)
    if samples * sum(layer[3] for layer in network.layers()) < _SHORT:
        return 1
    limit = os.environ.get("OMP_NUM_THREADS", "")
    if not limit.isdigit() or int(limit) < 1:
        return 0
    return min(int(limit), len(os.sched_getaffinity(0)))


def _moments(X: np.ndarray[Any, Any], weights: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Mean and deviation of each channel (axis 1), where each sample counts its weight."""
    x = X.reshape(len(X), X.shape[1], -1)
    about = x[0, :, 0].astype(np.float64)  # so that the deviation of what is constant is 0
    some = max(1, 2**20 // x[0].size)  # at a time: not all of X again in float64
    sums = np.zeros((2, X.shape[1]))
    for begin in range(0, len(x), some):
        away = x[begin:begin + some] - about[:, None]
        sums += [weights[begin:begin + some] @ powers.sum(axis=2) for powers in (away, away**2)]
    mean, squares = sums / (weights.sum() * x.shape[2])
    return about + mean, np.sqrt(np.maximum(squares - mean**2, 0))


def _counted(
    X: np.ndarray[Any, Any], y: np.ndarray[Any, Any], weights: np.ndarray[Any, Any] | None
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any] | None]:
    """Those that count something: samples of weight 0 are as if they were not there."""
    if weights is None or weights.all():
        return X, y, weights
    X, y, weights = X[weights > 0], y[weights > 0], weights[weights > 0]
    return X, y, None if (weights == weights[0]).all() else weights


class _Estimator(BaseEstimator):  # type: ignore[misc]
    """What classifiers and regressors share. The engine's objects are attributes, so that subclasses pickle whole."""

    network: str
    image_shape: tuple[int, int, int] | None
    normalise: str
    random_state: int | None
    early_stopping: bool
    validation_fraction: float
    threads: int | None
    on_epoch: Callable[[_engine.Progress], object] | None
    loss: str | None
    optimizer: str
    epochs: int | None
    batch: int | None
    _regression: bool

    # -- samples

    def _samples(self, X: Any, reset: bool) -> np.ndarray[Any, Any]:
        """X as the engine takes it, N×…; images stay pixels (uint8)."""
        if hasattr(X, "detach") or (hasattr(X, "__dlpack__") and not isinstance(X, np.ndarray)):
            X = _arrays.to_numpy(X)
        pixels = getattr(X, "dtype", None) == np.uint8
        many = getattr(X, "ndim", 2) > 2
        dtype = np.uint8 if pixels else np.float32
        X = self._images(X, reset, dtype) if many else validate_data(self, X, reset=reset, dtype=dtype, order="C")
        if self.image_shape is not None and X.ndim == 2:
            shape = tuple(self.image_shape)
            if X.shape[1] != np.prod(shape):
                raise ValueError(f"image_shape is {shape}, {np.prod(shape)} numbers, and X has {X.shape[1]} features")
            X = X.reshape(len(X), *shape)
        return np.asarray(X)

    def _images(self, X: Any, reset: bool, dtype: Any) -> np.ndarray[Any, Any]:
        if X.ndim != 4:
            raise ValueError(
                f"Found array with dim {X.ndim}. {type(self).__name__} expects samples × features, or images as "
                f"samples × channels × rows × columns; pictures in grey are x[:, None]"
            )
        X = check_array(X, dtype=dtype, ensure_2d=False, allow_nd=True, order="C", input_name="X", estimator=self)
        features = int(np.prod(X.shape[1:]))
        if reset:
            self.n_features_in_ = features
            self.__dict__.pop("feature_names_in_", None)
        elif X.shape[1:] != self._shape and features != self.n_features_in_:
            raise ValueError(f"X has {features} features, but {type(self).__name__} is expecting {self.n_features_in_} "
                             f"features as input")
        return np.asarray(X)

    def _weights(self, sample_weight: Any, X: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
        """What each sample counts; None where all count the same."""
        if sample_weight is None:
            return None
        weights = np.asarray(_check_sample_weight(sample_weight, X, dtype=np.float64))
        if (weights < 0).any():
            raise ValueError(f"sample_weight holds {weights.min()}; weights are numbers of at least 0")
        if not weights.any():
            raise ValueError("sample_weight is all zero, so that no sample counts; make one of them larger")
        return None if (weights == weights[0]).all() else weights

    def _normalisation(self, X: np.ndarray[Any, Any], weights: np.ndarray[Any, Any] | None) -> str:
        if weights is None or self.normalise != "channel":
            return self.normalise
        mean, deviation = _moments(X, weights)
        white = 255 if X.dtype == np.uint8 else 1
        deviation = np.where(deviation > 0, deviation / white, 1.0)
        return f"given:{','.join(map(repr, (mean / white).tolist()))}/{','.join(map(repr, deviation.tolist()))}"

    # -- options

    def _options(self, samples: int) -> dict[str, Any]:
        usual = _usual_loss(self._regression)
        chosen = {self.optimizer, self.loss or usual}
        owners = {field["name"]: set(field["owners"]) for field in _engine.training_fields()}
        options = {name: value for name, value in self.get_params(deep=False).items()
                   if name not in _OWN and value is not None and (not owners.get(name) or owners[name] & chosen)}
        options.setdefault("batch", min(64, max(1, samples)))
        if "epochs" not in options:
            options["epochs"] = min(1000, max(10, -(-_STEPS // -(-samples // int(options["batch"])))))
        options.setdefault("loss", usual)
        options["seed"] = self._seed()
        if not self.early_stopping:
            options.pop("patience", None)
        return options

    def _seed(self) -> int:
        if self.random_state is None:
            return 1
        if isinstance(self.random_state, np.random.RandomState):
            return int(self.random_state.randint(2**31))
        return int(self.random_state)

    def _text(self, outputs: int) -> str:
        if self.network != "auto":
            return self.network
        if len(self._shape) == 1:
            return f"64n-relu-64n-relu-{outputs}n"
        small = min(self._shape[1:]) < 8
        return f"16c3z-relu-{'' if small else 'mp2-'}32c3z-relu-{'' if small else 'mp2-'}64n-relu-{outputs}n"

    # -- training

    def _start(self, X: np.ndarray[Any, Any], outputs: int) -> None:
        self._shape = X.shape[1:]
        self.network_ = _engine.Network(self._text(outputs), self._shape, self._seed())
        got = self.network_.output_shape()
        if int(np.prod(got)) != outputs:
            raise ValueError(f"network gives {int(np.prod(got))} numbers, and {outputs} are needed: one for each "
                             f"{'target' if self._regression else 'class'}; end it with {outputs}n")

    def _split(self, data: _engine.Dataset) -> tuple[_engine.Dataset, _engine.Dataset | None]:
        if not self.early_stopping:
            return data, None
        how = f"{self.validation_fraction}{'' if self._regression else ',stratified'},seed={self._seed()}"
        if len(data) < 2:
            return data, None
        parts = _engine.hold_out(data, how)
        if not self._regression and len(np.unique(parts.train.y)) < len(np.unique(data.y)):
            return data, None
        return parts.train, parts.test

    def _run(self, data: _engine.Dataset, options: dict[str, Any], one_epoch: bool = False) -> None:
        kept, held_out = (data, None) if one_epoch else self._split(data)
        self.loss_curve_ = list(getattr(self, "loss_curve_", [])) if one_epoch else []
        scores: list[float] | None = [] if held_out is not None else None

        def on_epoch(now: _engine.Progress) -> None:
            self.loss_curve_.append(now.mean_loss)
            if scores is not None:
                accuracy, loss = now.validation_accuracy, now.validation_loss
                score = loss if self._regression else accuracy
                scores.append(float("nan") if score is None else score)
            if one_epoch:
                now.stop()
            if self.on_epoch is not None:
                self.on_epoch(now)

        train(self.network_, kept, validation=held_out, on_epoch=on_epoch, **options,
              threads=_threads(self.threads, self.network_, options["batch"]))
        self.n_iter_ = len(self.loss_curve_)
        self.t_ = self.n_iter_ * len(kept)
        self.loss_ = self.loss_curve_[-1]
        self.best_loss_ = None if scores is not None else min(self.loss_curve_)
        self.validation_scores_ = scores
        self._predictor = self._new_predictor()

    def _new_predictor(self) -> _engine.Predictor:
        return _engine.Predictor(self.network_, threads=_threads(self.threads, self.network_, 1))

    def _run_one_epoch(self, data: _engine.Dataset) -> None:
        """Goes on with the run if it is on the same data, to the same bits as one run of several epochs."""
        options = self._options(len(data))
        options["epochs"] = _FOREVER
        record = self.network_.training
        if record is not None and not data.has_digest(record["digest"]):
            self.network_.begin_anew()
        self._run(data, options, one_epoch=True)

    def _answers(self, X: Any) -> np.ndarray[Any, Any]:
        check_is_fitted(self, "network_")
        X = self._samples(X, reset=False)
        if X.shape[1:] != self._shape:
            X = X.reshape(len(X), *self._shape)
        if self._pixels and X.dtype != np.uint8:
            if not np.array_equal(X, X.astype(np.uint8)):
                raise ValueError("X was pixels (uint8) in fit, and is other numbers now; give pixels from 0 to 255")
            X = X.astype(np.uint8)
        return np.asarray(self._predictor(X))

    def _dataset(
        self, X: np.ndarray[Any, Any], y: np.ndarray[Any, Any], weights: np.ndarray[Any, Any] | None, **more: Any
    ) -> _engine.Dataset:
        self._pixels = X.dtype == np.uint8
        return _engine.Dataset(X, y, weights=weights, normalise=self._normalisation(X, weights), **more)

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        state.pop("_predictor", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "network_" in state:
            self._predictor = self._new_predictor()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = False
        return tags


def _init() -> Callable[..., None]:
    parameters = _parameters()

    def __init__(self: Any, **given: Any) -> None:
        for name in given:
            if name not in parameters:
                raise TypeError(f"{type(self).__name__} has no parameter {name}; there are {', '.join(parameters)}")
        for name, default in parameters.items():
            setattr(self, name, given.get(name, default))

    __init__.__signature__ = _signature()  # type: ignore[attr-defined]
    return __init__


class Classifier(ClassifierMixin, _Estimator):  # type: ignore[misc]
    _regression = False
    __init__ = _init()

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Classifier:
        """Trains anew on N samples and their classes, which may be numbers or names. Returns self.

        X: N×features, or images N×channels×rows×columns; uint8 are pixels. sample_weight: what each sample counts, N numbers
        of at least 0: in the mean loss of its batch, in what samples are normalised by, and, if 0, as if it were not there.
        Raises ValueError in scikit-learn's words.

        >>> X = numpy.array([[0.0], [1.0], [2.0], [3.0]] * 16)
        >>> y = numpy.array(["low", "low", "high", "high"] * 16)
        >>> chalkgrad.Classifier(epochs=30).fit(X, y).predict([[0.0], [3.0]]).tolist()
        ['low', 'high']
        """
        X, codes, weights = self._checked(X, y, sample_weight, None, first=True)
        self._start(X, len(self.classes_))
        self._run(self._named(X, codes, weights), self._options(len(X)))
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Classifier:
        """Trains for one epoch. `classes` are all there will be, and needed in the first call.

        Calls with the same data are one run: two are two epochs of fit(), bit for bit, with a constant schedule. With
        other data, a new run begins from the present weights, and the optimizer's memory with it.

        >>> X, y = numpy.eye(3), [0, 1, 2]
        >>> net = chalkgrad.Classifier(random_state=0).partial_fit(X, y, classes=[0, 1, 2])
        >>> net.partial_fit(X, y).classes_.tolist()
        [0, 1, 2]
        """
        first = not hasattr(self, "network_")
        X, codes, weights = self._checked(X, y, sample_weight, classes, first)
        if first:
            self._start(X, len(self.classes_))
        self._run_one_epoch(self._named(X, codes, weights))
        return self

    def _named(
        self, X: np.ndarray[Any, Any], codes: np.ndarray[Any, Any], weights: np.ndarray[Any, Any] | None
    ) -> _engine.Dataset:
        return self._dataset(X, codes, weights, class_names=[str(c) for c in self.classes_])

    def _checked(
        self, X: Any, y: Any, sample_weight: Any, classes: Any, first: bool
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any] | None]:
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        X = self._samples(X, reset=first)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        if len(y) != len(X):
            raise ValueError(f"Found input variables with inconsistent numbers of samples: [{len(X)}, {len(y)}]")
        if first:
            self.classes_ = np.unique(y if classes is None else classes)
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(f"classes are {classes}, and were {self.classes_} in the first call of partial_fit")
        if len(self.classes_) < 2:
            raise ValueError(f"y has one class, {self.classes_[0]!r}; a classifier needs two or more")
        if not np.isin(y, self.classes_).all():
            raise ValueError(f"y has the class {np.setdiff1d(y, self.classes_)[0]!r}, and classes are {self.classes_}")
        return _counted(X, np.searchsorted(self.classes_, y).astype(np.int32), self._weights(sample_weight, X))

    def predict_proba(self, X: Any) -> np.ndarray[Any, Any]:
        """The probability of each class, in the order of classes_: N×classes, float32.

        >>> found = chalkgrad.Classifier(epochs=1).fit(numpy.eye(3), [0, 1, 2]).predict_proba(numpy.eye(3))
        >>> found.shape, found.sum(axis=1).round(6).tolist()
        ((3, 3), [1.0, 1.0, 1.0])
        """
        probabilities = self._answers(X)
        return probabilities.reshape(len(probabilities), -1)

    def predict_log_proba(self, X: Any) -> np.ndarray[Any, Any]:
        """The natural logarithms of predict_proba().

        >>> net = chalkgrad.Classifier(epochs=1).fit(numpy.eye(3), [0, 1, 2])
        >>> bool((net.predict_log_proba(numpy.eye(3)) == numpy.log(net.predict_proba(numpy.eye(3)))).all())
        True
        """
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.predict_proba(X)))

    def predict(self, X: Any) -> np.ndarray[Any, Any]:
        """The most probable class of each sample: N of classes_.

        >>> chalkgrad.Classifier(epochs=100, random_state=0).fit(numpy.eye(3), [5, 7, 9]).predict(numpy.eye(3)).tolist()
        [5, 7, 9]
        """
        probabilities = self.predict_proba(X)
        return np.asarray(self.classes_[probabilities.argmax(axis=1)])


class Regressor(RegressorMixin, _Estimator):  # type: ignore[misc]
    _regression = True
    __init__ = _init()

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Regressor:
        """Trains anew on N samples and their targets, N or N×targets. Returns self.

        Targets are brought to mean 0 and deviation 1 for training, and predictions back. sample_weight: as of
        Classifier.fit(). Raises ValueError in scikit-learn's words.

        >>> X = numpy.linspace(0, 1, 64)[:, None]
        >>> bool(chalkgrad.Regressor(epochs=100, random_state=0).fit(X, 3 * X[:, 0]).score(X, 3 * X[:, 0]) > 0.9)
        True
        """
        X, y, weights = self._checked(X, y, sample_weight, first=True)
        self._scale_by(y, weights)
        self._start(X, y.shape[1])
        self._run(self._dataset(X, self._scaled(y), weights), self._options(len(X)))
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Regressor:
        """Trains for one epoch, as Classifier.partial_fit() does. The first call decides the scale of targets.

        >>> X = numpy.linspace(0, 1, 64)[:, None]
        >>> chalkgrad.Regressor().partial_fit(X, X[:, 0]).partial_fit(X, X[:, 0]).predict(X).shape
        (64,)
        """
        first = not hasattr(self, "network_")
        X, y, weights = self._checked(X, y, sample_weight, first)
        if first:
            self._scale_by(y, weights)
            self._start(X, y.shape[1])
        self._run_one_epoch(self._dataset(X, self._scaled(y), weights))
        return self

    def _checked(
        self, X: Any, y: Any, sample_weight: Any, first: bool
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any] | None]:
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        X = self._samples(X, reset=first)
        y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y", estimator=self)
        if len(y) != len(X):
            raise ValueError(f"Found input variables with inconsistent numbers of samples: [{len(X)}, {len(y)}]")
        if first:
            self._one_target = y.ndim == 1
        if y.ndim > 1 and y.shape[1] == 1 and first:
            warnings.warn("A column-vector y was passed when a 1d array was expected", DataConversionWarning, stacklevel=3)
            self._one_target = True
        return _counted(X, y.reshape(len(y), -1), self._weights(sample_weight, X))

    def _scale_by(self, y: np.ndarray[Any, Any], weights: np.ndarray[Any, Any] | None) -> None:
        mean, deviation = (y.mean(axis=0), y.std(axis=0)) if weights is None else _moments(y, weights)
        self._mean = np.asarray(mean)
        self._deviation = np.where(deviation > 0, deviation, 1.0)

    def _scaled(self, y: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.asarray((y - self._mean) / self._deviation, np.float32)

    def predict(self, X: Any) -> np.ndarray[Any, Any]:
        """The targets of each sample: N, or N×targets, float64.

        >>> X = numpy.linspace(0, 1, 64)[:, None]
        >>> chalkgrad.Regressor(epochs=1).fit(X, numpy.hstack([X, 1 - X])).predict(X).shape
        (64, 2)
        """
        found = self._answers(X)
        found = found.reshape(len(found), -1).astype(np.float64) * self._deviation + self._mean
        return np.asarray(found[:, 0] if self._one_target else found)


Classifier.__doc__ = _documentation(
    "A network as scikit-learn's classifier.", False,
    ">>> from sklearn.datasets import load_iris\n"
    ">>> X, y = load_iris(return_X_y=True)\n"
    ">>> bool(chalkgrad.Classifier(random_state=0).fit(X, y).score(X, y) > 0.95)\nTrue\n",
)
Regressor.__doc__ = _documentation(
    "A network as scikit-learn's regressor.", True,
    ">>> from sklearn.datasets import load_diabetes\n"
    ">>> X, y = load_diabetes(return_X_y=True)\n"
    ">>> bool(chalkgrad.Regressor(epochs=20).fit(X, y).score(X, y) > 0.4)\nTrue\n",
)
