"""Networks pickle as the model files that save() writes: with all that is needed to predict and to go on."""

from __future__ import annotations

import copyreg
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _engine

if TYPE_CHECKING:
    import tempfile


def _folder() -> tempfile.TemporaryDirectory[str]:
    import tempfile  # only now: importing it takes as long as half of the package

    return tempfile.TemporaryDirectory(prefix="chalkgrad-")


def _load(model: bytes) -> _engine.Network:
    with _folder() as folder:
        file = Path(folder, "model.safetensors")
        file.write_bytes(model)
        return _engine.Network.load(file)


def _reduce(network: _engine.Network) -> tuple[Any, tuple[bytes]]:
    with _folder() as folder:
        file = Path(folder, "model.safetensors")
        network.save(file)
        return _load, (file.read_bytes(),)


def install() -> None:
    """Tells pickle and copy."""
    copyreg.pickle(_engine.Network, _reduce)
