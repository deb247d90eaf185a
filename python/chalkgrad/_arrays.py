"""Arrays as the engine reads them: C order, aligned, of this machine's byte order, and float32, uint8 or int32.

What is one already is not copied. torch's tensors, JAX's arrays and whatever else speaks DLPack are read where they are,
if they are on the CPU; pandas' frames and lists by way of NumPy.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

_NUMBERS = "biuf"  # kinds of NumPy's dtypes that are real numbers


def _of_different_shapes(what: str) -> ValueError:
    return ValueError(f"{what}: samples of different shapes make no array; bring them to one shape, and stack them: "
                      f"numpy.stack(images)")


def to_numpy(x: Any, what: str = "x") -> np.ndarray[Any, Any]:
    """`x` as an array of real numbers, without a copy where that is possible."""
    if hasattr(x, "resolve_neg") and hasattr(x, "detach"):  # torch: others do not see its lazy signs
        x = x.detach().resolve_neg()
        x = x.float() if str(x.dtype) == "torch.bfloat16" else x
    if not isinstance(x, np.ndarray):
        if hasattr(x, "__dlpack__") and hasattr(x, "__dlpack_device__"):
            x = np.from_dlpack(x)
        else:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # NumPy before 1.24 warns, and makes an array of objects
                    x = np.asarray(x)
            except ValueError as error:
                raise _of_different_shapes(what) from error
    if x.dtype.kind == "O":
        try:
            x = x.astype(np.float64)
        except (TypeError, ValueError) as error:
            if any(hasattr(each, "__len__") and not isinstance(each, str) for each in x.flat):
                raise _of_different_shapes(what) from error
            raise ValueError(f"{what} holds objects that are no numbers; give an array of numbers, as "
                             f"numpy.stack(images) makes one of images") from error
    if x.dtype.kind not in _NUMBERS:
        raise TypeError(f"{what} holds {x.dtype}; give real numbers")
    return np.asarray(x)


def _as(x: np.ndarray[Any, Any], dtype: Any) -> np.ndarray[Any, Any]:
    with np.errstate(over="ignore"):  # what becomes infinite is named by the engine, with its sample
        required: np.ndarray[Any, Any] = np.require(x, dtype, ["C", "A"])
        return required


def numbers(x: Any) -> np.ndarray[Any, Any]:
    """As float32."""
    return _as(to_numpy(x), np.float32)


def samples(x: Any) -> np.ndarray[Any, Any]:
    """uint8 as it is, which are pixels; other numbers as float32."""
    x = to_numpy(x)
    if x.ndim == 0:
        raise ValueError("x is a single number; give N samples along its first axis")
    return _as(x, np.uint8 if x.dtype == np.uint8 else np.float32)


def targets(y: Any) -> np.ndarray[Any, Any]:
    """Whole numbers in one axis are labels: int32. Others are values to regress on: float32."""
    y = to_numpy(y, "y")
    if y.ndim == 0:
        raise ValueError("y is a single number; give a label or a target for each sample")
    if y.ndim > 1 or y.dtype.kind == "f":
        return _as(y, np.float32)
    if y.size and (y.min() < -(2**31) or y.max() >= 2**31):
        raise ValueError(f"y holds {y.min() if y.min() < 0 else y.max()}; labels are 0, 1, … for as many classes")
    return _as(y, np.int32)


def weights(w: Any) -> np.ndarray[Any, Any]:
    """One number for each sample: float32."""
    w = to_numpy(w, "weights")
    if w.ndim != 1:
        raise ValueError(f"weights is {w.ndim}-dimensional; give one number for each sample")
    return _as(w, np.float32)


def _pair(batch: Any, number: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    try:
        x, y = batch
    except (TypeError, ValueError) as error:
        raise TypeError(f"batch {number} is a {type(batch).__name__}; each must be a pair (x, y)") from error
    x, y = to_numpy(x, "x"), to_numpy(y, "y")
    return (x[None], y[None]) if y.ndim == 0 else (x, y)  # of a single sample, as a torch Dataset gives it


def batches(pairs: Any) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """All that an iterable of (x, y) gives, batches or single samples, as one array each."""
    if isinstance(pairs, np.ndarray) or not (hasattr(pairs, "__iter__") or hasattr(pairs, "__getitem__")):
        raise TypeError(f"y is missing: Dataset(x, y) takes samples and their labels or targets, and Dataset(batches) what "
                        f"gives pairs (x, y), which {type(pairs).__name__} does not")
    xs: list[np.ndarray[Any, Any]] = []
    ys: list[np.ndarray[Any, Any]] = []
    for number, batch in enumerate(pairs):
        x, y = _pair(batch, number)
        if xs and (x.shape[1:] != xs[0].shape[1:] or y.shape[1:] != ys[0].shape[1:]):
            raise ValueError(f"batch {number} has samples of {x.shape[1:]} and targets of {y.shape[1:]}, and the first one of "
                             f"{xs[0].shape[1:]} and {ys[0].shape[1:]}; bring them to one shape")
        if len(x) != len(y):
            raise ValueError(f"batch {number} has {len(x)} samples and {len(y)} targets; give as many of each")
        xs.append(np.array(x))  # a copy: some generators write each batch into the same array
        ys.append(np.array(y))
    if not xs:
        raise ValueError("there is nothing to iterate over; a generator gives its batches once: keep the Dataset that was "
                         "made of it, or make a new generator")
    return np.concatenate(xs), np.concatenate(ys)


def feed(x: Any) -> np.ndarray[Any, Any]:
    """What an input of a program is fed: whole numbers in one axis may be labels."""
    x = to_numpy(x, "the input")
    return targets(x) if x.ndim == 1 and x.dtype.kind in "iu" else _as(x, np.float32)


def rows(x: Any) -> np.ndarray[Any, Any]:
    """Numbers of samples: int32."""
    x = to_numpy(x, "rows")
    if x.ndim != 1 or x.dtype.kind not in "iu":
        raise TypeError(f"rows is {x.ndim}-dimensional and of {x.dtype}; give a list of whole numbers")
    return targets(x)


def check_output(out: Any) -> None:
    """Refuses what must not be written to: autograd would not know of it, and a read-only array is somebody's."""
    if getattr(out, "requires_grad", False):
        raise ValueError("out requires a gradient, and autograd would not see that it is written to; give out.detach()")
    if isinstance(out, np.ndarray) and not out.flags.writeable:
        raise ValueError("out is read-only; give an array of your own, as numpy.empty(shape, numpy.float32)")
