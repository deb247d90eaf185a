"""chalkgrad trains convolutional networks, exactly and fast, and shows its mathematics.

    import chalkgrad

    data = chalkgrad.digits()
    net = chalkgrad.Network("16c3z-relu-mp2-64n-relu-10n", data.train.sample)
    chalkgrad.train(net, data.train, epochs=3)
    print(chalkgrad.evaluate(net, data.test).accuracy)
    net.save("digits.safetensors")

docs/python.md goes from here to a deployed model. Names are those of the C++ library; `Classifier` and `Regressor` are
scikit-learn's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _engine
from ._engine import *  # noqa: F403
from ._engine import __version__ as __version__
from ._pickling import install as _pickle_networks
from .notebook import install as _show_in_notebooks
from .notebook import load_ipython_extension as load_ipython_extension
from .training import train as train

if TYPE_CHECKING:
    from .estimators import Classifier as Classifier
    from .estimators import Regressor as Regressor
    from .jax import jax_function as jax_function
    from .pytorch import from_torch as from_torch
    from .pytorch import torch_function as torch_function

_pickle_networks()
_show_in_notebooks()

# What needs a package that may not be there, or takes long to import.
_LATER = {"Classifier": "estimators", "Regressor": "estimators", "torch_function": "pytorch",
          "from_torch": "pytorch", "jax_function": "jax"}

__all__ = sorted({name for name in vars(_engine) if not name.startswith("_")} | {"train"} | set(_LATER))


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'chalkgrad' has no attribute '{name}'")
    from importlib import import_module

    found = getattr(import_module("." + _LATER[name], __name__), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
