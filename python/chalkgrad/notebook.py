"""How networks, derivations and reports show themselves in a notebook (`_repr_html_`)."""

from __future__ import annotations

from html import escape
from typing import Any

from . import _engine

_TABLE = "<table style='text-align:left'>"


def _row(cells: list[str], tag: str = "td") -> str:
    return "<tr>" + "".join(f"<{tag} style='text-align:left'>{cell}</{tag}>" for cell in cells) + "</tr>"


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def _network(net: _engine.Network) -> str:
    rows = [_row(["layer", "result", "parameters", "multiply-adds"], "th"), _row(["x", _shape(net.input_shape), "", ""])]
    layers = net.layers()
    for name, shape, parameters, forward in layers:
        rows.append(_row([escape(name), _shape(shape), f"{parameters:,}", f"{forward:,}"]))
    totals = [sum(layer[2] for layer in layers), sum(layer[3] for layer in layers)]
    rows.append(_row(["all", "", *(f"<b>{total:,}</b>" for total in totals)]))
    return f"<code>{escape(net.text)}</code>{_TABLE}{''.join(rows)}</table>"


def _page(html: str, height: int = 480) -> str:
    """A page of its own, whose style stays in it."""
    return f'<iframe srcdoc="{escape(html)}" style="width:100%;height:{height}px;border:0"></iframe>'


_COLOURS = {"verified": "#2e7d32", "failed": "#c62828", "erratum": "#b26a00", "except": "#b26a00", "definition": "#777"}


def _report(report: _engine.CheckReport) -> str:
    rows = []
    for line in report.lines:
        verdict = f"<span style='color:{_COLOURS[line.verdict]}'>{line.verdict}</span>"
        formula = f"<math>{line.mathml}</math>" if line.mathml else escape(line.text)
        rows.append(_row([escape(line.label), verdict, formula, escape(line.message)]))
    counted = f"{report.verified} verified, {report.errata} errata, {report.definitions} definitions, {report.failed} failed"
    return f"{_TABLE}{''.join(rows)}</table><p>{counted}</p>"


def load_ipython_extension(shell: Any) -> None:
    """%load_ext chalkgrad: a cell that begins with %%chalk is a derivation, which is judged and shown."""
    shell.register_magic_function(lambda line, cell: _engine.check(cell, line.strip() or "cell"), "cell", "chalk")


def install() -> None:
    """Gives the engine's classes their `_repr_html_`."""
    shown: dict[Any, Any] = {
        _engine.Network: _network,
        _engine.Derivation: lambda derivation: _page(derivation.html()),
        _engine.CheckReport: _report,
    }
    for cls, show in shown.items():
        cls._repr_html_ = show
