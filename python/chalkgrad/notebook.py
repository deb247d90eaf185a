"""How networks, graphs, runs, derivations and reports show themselves in a notebook (`_repr_html_`).

Text and lines have the colour of what is around them, and other colours can be told from white and from black: notebooks are
light or dark.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

from . import _engine

_TABLE = "<div style='overflow-x:auto'><table style='text-align:left;margin-left:0'>"
_END = "</table></div>"
_CELL = "text-align:left;padding:2px 8px;"
_BLUE, _ORANGE, _GREEN, _RED, _GREY = "#3b82c4", "#c8691c", "#2e9148", "#d64545", "#808080"


def _row(cells: Sequence[str], tag: str = "td", style: str = "") -> str:
    return f"<tr style='{style}'>" + "".join(f"<{tag} style='{_CELL}'>{cell}</{tag}>" for cell in cells) + "</tr>"


def _shape(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape)) or "1"


def _network(net: _engine.Network) -> str:
    rows = [_row(["layer", "result", "parameters", "multiply-adds"], "th"), _row(["x", _shape(net.input_shape), "", ""])]
    layers = net.layers()
    for name, shape, parameters, forward in layers:
        rows.append(_row([escape(name), _shape(shape), f"{parameters:,}", f"{forward:,}"]))
    totals = [sum(layer[2] for layer in layers), sum(layer[3] for layer in layers)]
    rows.append(_row(["all", "", *(f"<b>{total:,}</b>" for total in totals)]))
    return f"<code>{escape(net.text)}</code>{_TABLE}{''.join(rows)}{_END}"


def _graph(graph: _engine.Graph) -> str:
    rows = [_row(["value", "of a sample", "is"], "th")]
    named = [(value, "an input") for value in graph.inputs()] + [(value, "a parameter") for value in graph.parameters()]
    for value, what in named:
        rows.append(_row([escape(value.name), _shape(value.shape), what]))
    for name, value in graph.outputs().items():
        rows.append(_row([escape(name), _shape(value.shape), "an output" if value.batched else "an output, for all samples"]))
    text = f"<pre style='overflow-x:auto'>{escape(str(graph))}</pre>"
    return f"{_TABLE}{''.join(rows)}{_END}<details><summary>All {len(graph)} values</summary>{text}</details>"


# -- curves

_WIDTH, _HEIGHT, _LEFT, _BELOW, _TOP = 360, 190, 52, 30, 24


def _number(x: float) -> str:
    return f"{x:.3g}"


def _panel(title: str, curves: Sequence[tuple[str, str, Sequence[float | None]]]) -> str:
    """A small chart of numbers by epoch, from 1; those that are not finite are left out."""
    found = [y for _, _, ys in curves for y in ys if y is not None and math.isfinite(y)]
    epochs = max(len(ys) for _, _, ys in curves)
    if not found:
        return ""
    low, high = min(found), max(found)
    spread = high - low or abs(high) or 1.0
    low, high = (low, high) if high > low else (low - spread / 2, high + spread / 2)

    def x_of(epoch: int) -> float:
        return _LEFT + (_WIDTH - _LEFT - 12) * (epoch - 1) / max(1, epochs - 1)

    def y_of(y: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BELOW) * (high - y) / (high - low)

    bottom = _HEIGHT - _BELOW
    parts = [f"<text x='{_LEFT}' y='14' font-weight='bold'>{escape(title)}</text>",
             f"<path d='M{_LEFT} {_TOP}V{bottom}H{_WIDTH - 12}' fill='none' stroke='currentColor' stroke-opacity='.5'/>"]
    for y in (high, (high + low) / 2, low):
        parts.append(f"<text x='{_LEFT - 6}' y='{y_of(y) + 4:.1f}' text-anchor='end'>{_number(y)}</text>")
    for epoch in sorted({1, epochs}):
        parts.append(f"<text x='{x_of(epoch):.1f}' y='{bottom + 16}' text-anchor='middle'>{epoch}</text>")
    parts.append(f"<text x='{(_LEFT + _WIDTH) / 2}' y='{bottom + 26}' text-anchor='middle'>epoch</text>")
    at = _WIDTH - 12.0
    for name, colour, ys in reversed(list(curves)):
        points = [f"{x_of(i + 1):.1f},{y_of(y):.1f}" for i, y in enumerate(ys) if y is not None and math.isfinite(y)]
        if not points:
            continue
        if len(points) == 1:
            across, down = points[0].split(",")
            parts.append(f"<circle cx='{across}' cy='{down}' r='3' fill='{colour}'/>")
        parts.append(f"<polyline points='{' '.join(points)}' fill='none' stroke='{colour}' stroke-width='2'/>")
        parts.append(f"<text x='{at}' y='14' text-anchor='end' fill='{colour}'>{name}</text>")
        at -= 8 + 7 * len(name)
    return (f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT}' role='img' aria-label='{escape(title)} by epoch' "
            f"style='width:100%;max-width:{_WIDTH}px;font:12px sans-serif;fill:currentColor'>{''.join(parts)}</svg>")


def _result(result: _engine.TrainResult) -> str:
    last, history = result.last, result.history
    ended = "stopped" if result.stopped else "stopped early" if result.stopped_early else "finished"
    about = [f"{ended} at step {last.step:,} of {last.steps:,}, {last.seconds:.1f} s", f"loss {last.mean_loss:.4g}"]
    if last.validation_loss is not None:
        about.append(f"validation {last.validation_loss:.4g}, best in epoch {last.best_epoch + 1}")
    panels = ""
    if history:
        panels = _panel("loss", [("training", _BLUE, [now.mean_loss for now in history]),
                                 ("validation", _ORANGE, [now.validation_loss for now in history])])
        if any(now.accuracy for now in history):
            panels += _panel("accuracy", [("training", _BLUE, [now.accuracy for now in history]),
                                          ("validation", _ORANGE, [now.validation_accuracy for now in history])])
    return f"<p>{'; '.join(about)}</p><div>{panels}</div>"


# -- derivations

def _page(html: str, height: int = 480) -> str:
    """A page of its own, whose style stays in it."""
    return f'<iframe srcdoc="{escape(html)}" style="width:100%;height:{height}px;border:0"></iframe>'


_SIGNS = {"verified": ("✓", _GREEN), "failed": ("✗", _RED), "erratum": ("!", _ORANGE), "except": ("(✓)", _ORANGE),
          "definition": ("≔", _GREY)}


def _marked(source: str, line: _engine.CheckedLine) -> str:
    """The line as it is written; where an error points to, underlined."""
    lines = source.split("\n")
    text = lines[line.line - 1] if 0 < line.line <= len(lines) else line.text
    at = line.column - 1
    if not 0 <= at < len(text):
        return f"<code>{escape(text)}</code>"
    mark = f"text-decoration:underline wavy {_RED}"
    return f"<code>{escape(text[:at])}<span style='{mark}'>{escape(text[at:])}</span></code>"


def _report(report: _engine.CheckReport) -> str:
    rows = []
    for line in report.lines:
        sign, colour = _SIGNS[line.verdict]
        formula = f"<math displaystyle='true'>{line.mathml}</math>" if line.mathml else escape(line.text)
        tint = ""
        if line.verdict == "failed":
            tint = "background:rgba(214,69,69,.14);"
            formula = f"{_marked(report.source, line)}<br>{formula}" if line.mathml else _marked(report.source, line)
        if line.message:
            formula += f"<br><span style='color:{colour}'>{escape(line.message)}</span>"
        verdict = f"<span style='color:{colour}' title='{line.verdict}'>{sign} {'failed' if sign == '✗' else ''}</span>"
        rows.append(_row([f"<span style='color:{_GREY}'>{line.line}</span>", escape(line.label), verdict, formula], style=tint))
    counted = (f"{report.verified} verified, {report.errata} errata, {report.definitions} definitions, "
               f"{report.failed} failed")
    return f"{_TABLE}{''.join(rows)}{_END}<p>{counted}</p>"


def load_ipython_extension(shell: Any) -> None:
    """%load_ext chalkgrad: a cell that begins with %%chalk is a derivation, which is judged and shown."""
    shell.register_magic_function(lambda line, cell: _engine.check(cell, line.strip() or "cell"), "cell", "chalk")


def install() -> None:
    """Gives the engine's classes their `_repr_html_`."""
    shown: dict[Any, Any] = {
        _engine.Network: _network,
        _engine.Graph: _graph,
        _engine.TrainResult: _result,
        _engine.Derivation: lambda derivation: _page(derivation.html()),
        _engine.CheckReport: _report,
    }
    for cls, show in shown.items():
        cls._repr_html_ = show
