"""What train(progress=True) shows: a bar in a terminal, an element of its own in a notebook, else a line an epoch."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from . import _engine

_EVERY = 0.1  # seconds between two changes of the bar
_WIDTH = 24


def _text(now: _engine.Progress) -> str:
    numbers = [f"loss {now.mean_loss:.4f}"]
    if now.accuracy:
        numbers.append(f"{100 * now.accuracy:.2f} %")
    if now.samples == now.epoch_samples and now.validation_loss is not None:
        accuracy = f", {100 * now.validation_accuracy:.2f} %" if now.validation_accuracy is not None else ""
        numbers.append(f"validation {now.validation_loss:.4f}{accuracy}")
    return "  ".join(numbers)


class Display:
    """Callbacks for train(): `step` and `epoch`."""

    def __init__(self, epochs: int, stream: Any = None) -> None:
        self._epochs = epochs
        self._stream = sys.stderr if stream is None else stream
        self._bar = _notebook() or (_Terminal(self._stream) if self._stream.isatty() else None)
        self._shown = 0.0

    def step(self, now: _engine.Progress) -> None:
        if self._bar is not None and time.monotonic() - self._shown > _EVERY:
            self._shown = time.monotonic()
            filled = _WIDTH * now.samples // now.epoch_samples
            self._bar.change(f"{self._epoch(now)} {'━' * filled}{'╌' * (_WIDTH - filled)}  {_text(now)}")

    def epoch(self, now: _engine.Progress) -> None:
        line = f"{self._epoch(now)}  {_text(now)}"
        if self._bar is None:
            print(line, file=self._stream, flush=True)
        else:
            self._bar.finish(line)

    def _epoch(self, now: _engine.Progress) -> str:
        return f"{now.epoch + 1:>{len(str(self._epochs))}}/{self._epochs}"


class _Terminal:
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def change(self, line: str) -> None:
        self._stream.write(f"\r{line}\x1b[K")
        self._stream.flush()

    def finish(self, line: str) -> None:
        self.change(line)
        self._stream.write("\n")


class _Notebook:
    """Lines of finished epochs, and the bar below them, in one element that is changed in place."""

    def __init__(self, display: Callable[..., Any]) -> None:
        self._lines: list[str] = []
        self._handle = display({"text/plain": ""}, raw=True, display_id=True)

    def change(self, line: str) -> None:
        self._handle.update({"text/plain": "\n".join([*self._lines, line])}, raw=True)

    def finish(self, line: str) -> None:
        self.change(line)
        self._lines.append(line)


def _notebook() -> _Notebook | None:
    shell = sys.modules.get("IPython")
    running = shell.get_ipython() if shell is not None else None
    if running is None or type(running).__name__ != "ZMQInteractiveShell":
        return None
    from IPython.display import display  # type: ignore[import-not-found,unused-ignore]

    return _Notebook(display)
