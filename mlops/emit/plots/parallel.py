"""Parallel coordinates: a vertical axis for each quantity, each as high as its values are apart, and a line for each of
what has them. Where lines cross between two axes, more of one is less of the other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from mlops.emit.drawing.text import FONT, fitted, width
from mlops.emit.plots.chart import TONES, style
from mlops.emit.plots.scales import said_number
from mlops.ir.dataclass import dataclass

_APART, _EDGE, _HEAD, _HIGH, _FOOT = 150.0, 70.0, 44.0, 190.0, 26.0
_LEAST_WIDTH, _SIZE = 480.0, 11.0
_LEGEND, _ROW = 18.0, 17.0
_DASHES = ("", "7 3", "2 3", "9 3 2 3")


@dataclass(frozen=True, slots=True)
class Line:
    """A value for each axis, None where it has none."""

    name: str
    values: Sequence[float | None]


def drawn(title: str, axes: Sequence[str], lines: Sequence[Line]) -> str:
    """With one axis, or none, there is nothing between two to be seen, and each is drawn all the same."""
    whole = max(2 * _EDGE + _APART * max(len(axes) - 1, 1), _LEAST_WIDTH)
    rows = list(_legend(lines, whole))
    high = _HEAD + _HIGH + _FOOT + _LEGEND + _ROW * (max((row for row, _, _ in rows), default=0))
    body = [*_axes(axes, lines, whole), *(_line(number, line, lines, axes, whole) for number, line in enumerate(lines))]
    for number, (row, left, name) in enumerate(rows):
        y = _HEAD + _HIGH + _FOOT + _ROW * row + 4
        body.append(
            f'<path class="tone{number % TONES}"{_dash(number)} stroke-width="2.4" fill="none" '
            f'd="M{_n(left)} {_n(y - 4)} h14"/>'
        )
        body.append(f'<text x="{_n(left + 19)}" y="{_n(y)}">{escape(name)}</text>')
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="mlops-plot" viewBox="0 0 {_n(whole)} {_n(high)}" '
            f'width="{_n(whole)}" height="{_n(high)}" role="img" aria-label="{escape(title)}" font-family="{FONT}" '
            f'font-size="{_n(_SIZE)}">',
            f"<title>{escape(title)}</title>",
            f"<style>{style()}</style>",
            f'<rect class="page" width="{_n(whole)}" height="{_n(high)}" rx="8" fill="#fff"/>',
            *body,
            "</svg>",
            "",
        ]
    )


def _x(at: int, axes: Sequence[str], whole: float) -> float:
    return whole / 2 if len(axes) == 1 else _EDGE + (whole - 2 * _EDGE) * at / (len(axes) - 1)


def _range(at: int, lines: Sequence[Line]) -> tuple[float, float] | None:
    """None where nobody has a number there."""
    known = [value for line in lines if (value := line.values[at]) is not None and math.isfinite(value)]
    return (min(known), max(known)) if known else None


def _y(value: float, between: tuple[float, float]) -> float:
    low, high = between
    share = 0.5 if low == high else (value / 2 - low / 2) / (high / 2 - low / 2)  # what is between may be no number
    return _HEAD + _HIGH * (1 - share)


def _axes(axes: Sequence[str], lines: Sequence[Line], whole: float) -> Iterator[str]:
    for at, name in enumerate(axes):
        x, between = _x(at, axes, whole), _range(at, lines)
        yield f'<path class="axis" stroke="#9aa5b0" d="M{_n(x)} {_n(_HEAD)} V{_n(_HEAD + _HIGH)}"/>'
        shown = fitted(name, _APART - 14, _SIZE)
        yield f'<text class="title" x="{_n(x)}" y="16" text-anchor="middle">{escape(shown)}</text>'
        if between is not None:
            low, high = map(said_number, between)
            if low == high:
                yield _said(x, _HEAD - 10, low)
            else:
                yield _said(x, _HEAD - 10, high)
                yield _said(x, _HEAD + _HIGH + 15, low)


def _said(x: float, y: float, text: str) -> str:
    return f'<text x="{_n(x)}" y="{_n(y)}" text-anchor="middle">{escape(text)}</text>'


def _line(number: int, line: Line, lines: Sequence[Line], axes: Sequence[str], whole: float) -> str:
    path, pen = "", "M"
    for at, value in enumerate(line.values):
        between = _range(at, lines)
        if value is None or between is None or not math.isfinite(value):
            pen = "M"
            continue
        path += f"{pen}{_n(_x(at, axes, whole))} {_n(_y(value, between))} "
        pen = "L"
    return (
        f'<path class="tone{number % TONES}"{_dash(number)} fill="none" stroke-width="1.8" stroke-linejoin="round" '
        f'd="{path.strip()}"><title>{escape(line.name)}</title></path>'
    )


def _dash(number: int) -> str:
    """Where colours come again."""
    dashes = _DASHES[number // TONES % len(_DASHES)]
    return f' stroke-dasharray="{dashes}"' if dashes else ""


def _legend(lines: Sequence[Line], whole: float) -> Iterator[tuple[int, float, str]]:
    """The row and the left edge of each name."""
    row, left = 0, _EDGE / 2
    for line in lines:
        name = fitted(line.name, whole / 2, _SIZE)
        needed = 19 + width(name, _SIZE) + 18
        if left + needed > whole - 8 and left > _EDGE / 2:
            row, left = row + 1, _EDGE / 2
        yield row, left, name
        left += needed


def _n(value: float) -> str:
    told = f"{value:.1f}".removesuffix(".0")
    return "0" if told == "-0" else told
