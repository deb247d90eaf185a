"""Training, with the options of the engine as keyword arguments."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from . import _arrays, _engine
from ._progress import Display

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._options import TrainingOptions


def train(
    network: _engine.Network,
    data: _engine.Dataset | Iterable[tuple[Any, Any]],
    *,
    validation: _engine.Dataset | Iterable[tuple[Any, Any]] | None = None,
    on_step: Callable[[_engine.Progress], object] | None = None,
    on_epoch: Callable[[_engine.Progress], object] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int = 0,
    threads: int = 0,
    skip_bad: bool = False,
    step_memory: int = 0,
    progress: bool = False,
    **options: Unpack[TrainingOptions],
) -> _engine.TrainResult:
    data = _collected(data, network)
    if validation is not None:
        validation = _collected(validation, network)
    if progress:
        shown = Display(int(options.get("epochs", _DEFAULT_EPOCHS)))
        on_step, on_epoch = _both(shown.step, on_step), _both(shown.epoch, on_epoch)
    return _engine._train(
        network,
        data,
        {**options},
        validation,
        checkpoint,
        checkpoint_every,
        threads,
        skip_bad,
        step_memory,
        on_step,
        on_epoch,
    )


def _collected(data: _engine.Dataset | Iterable[tuple[Any, Any]], network: _engine.Network) -> _engine.Dataset:
    if isinstance(data, _engine.Dataset):
        return data
    x, y = _arrays.batches(data)
    shape = network.output_shape()
    labels = y.ndim == 1 and y.dtype.kind != "f" and len(shape) == 1 and shape[0] > 1
    # A class for each output, as one may have no sample among these.
    return _engine.Dataset(x, y, class_names=[str(c) for c in range(shape[0])] if labels else None)


_Callback = Callable[[_engine.Progress], object]
_DEFAULT_EPOCHS = next(field["default"] for field in _engine.training_fields() if field["name"] == "epochs")


def _both(first: _Callback, second: _Callback | None) -> _Callback:
    if second is None:
        return first

    def call(now: _engine.Progress) -> None:
        first(now)
        second(now)

    return call


def _option_lines(of: str) -> str:
    lines = []
    for field in _engine.training_fields():
        if field["of"] == of:
            told = f"{field['help']}. " if field["help"] else ""
            told += f"Of {', '.join(field['owners'])}." if of else ""
            bounds = f"{field['range']}; " if field["range"] else ""
            lines.append(f"    {field['name']}: {field['type']}, {bounds}{field['default']!r}\n        {told}".rstrip())
    return "\n".join(lines)


train.__doc__ = f"""Trains a network in place, and returns a TrainResult.

If the network's last run is unfinished (a callback, Ctrl-C or an error ended it between two steps), and the options and
data are those of that run, goes on with it, to the same weights as if it had never been interrupted. Otherwise a new run
begins from the present weights.

data: a Dataset, or whatever gives (x, y) when it is iterated over, as a torch.utils.data.DataLoader: that is read once, to
    its end, into a Dataset, of whose samples every epoch makes batches anew. Augment with `augment`, not in the loader.
validation: data that judge each epoch; in the end the network is that of the epoch that was best on them.
on_step, on_epoch: are called with a Progress after each step or epoch; progress.stop() ends the run after this step, and
    so does whatever they raise, which is then raised again.
checkpoint: a file; written after the first step, after every epoch, at the end, and every checkpoint_every steps.
threads: 0 is one per core; never changes a bit of the result.
step_memory: the bytes that a step may take; values are computed again instead of kept where it would take more, to the same
    bits. 0: no limit; ValueError if it is too little.
progress: shows how far it is, on standard error or in a notebook.
skip_bad: a picture that can no longer be read is replaced by the next one that can.

Ctrl-C ends the run after its step, and raises KeyboardInterrupt; the network keeps what it has learned.

The other options decide the result. They are those of the command line, docs/cli.md, with these defaults:

    loss: str, one of losses(), 'cross-entropy'
{_option_lines("")}

Options of optimizers (an optimizer that differs in a default is in docs/reference):

{_option_lines("optimizer")}

Options of losses:

{_option_lines("loss")}

Raises InputError (a ValueError) for options out of range and data that the loss cannot take, TypeError for options that
there are not, ShapeError for data that do not fit the network, NumericError for a loss that is not finite: the weights
are then as before the step.

>>> data = chalkgrad.digits()
>>> net = chalkgrad.Network("32n-relu-10n", data.train.sample)
>>> result = chalkgrad.train(net, data.train, epochs=2, optimizer="adam", lr=0.003)
>>> result.last.step == result.last.steps == 46
True
>>> chalkgrad.evaluate(net, data.test).accuracy > 0.8
True
"""
