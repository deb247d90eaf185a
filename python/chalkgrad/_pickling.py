"""Networks pickle as the model files that save() writes: with all that is needed to predict and to go on."""

from __future__ import annotations

import copyreg
import tempfile
from pathlib import Path
from typing import Any

from . import _engine


def _load(model: bytes) -> _engine.Network:
    with tempfile.TemporaryDirectory(prefix="chalkgrad-") as folder:
        file = Path(folder, "model.safetensors")
        file.write_bytes(model)
        return _engine.Network.load(file)


def _reduce(network: _engine.Network) -> tuple[Any, tuple[bytes]]:
    with tempfile.TemporaryDirectory(prefix="chalkgrad-") as folder:
        file = Path(folder, "model.safetensors")
        network.save(file)
        return _load, (file.read_bytes(),)


def install() -> None:
    """Tells pickle and copy."""
    copyreg.pickle(_engine.Network, _reduce)
