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
