"""Panels below one another, each with axes, round marks and what is drawn in it.

Words have places of their own, beside the axes and above the panel, so that none lies over a line. Series differ by
colour and by dashes. The colours are those of M. Okabe and K. Ito, which people tell apart however they see colours
(Color Universal Design, 2008).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from html import escape
from typing import Literal

from mlops.emit.drawing.text import FONT, fitted, width
from mlops.emit.plots.scales import marks, said_day, said_number, said_seconds, said_time, second_marks
from mlops.ir.dataclass import dataclass

Point = tuple[float, float]
WIDTH, HEIGHT = 760.0, 190.0
_BELOW, _APART, _EDGE = 24.0, 16.0, 16.0
_BELOW_LEGEND = 8.0
_SIZE, _TITLE_SIZE = 11.0, 13.0
_CLEAR = 4.0
_LARGEST = 1e300
"""Between larger numbers there is no distance that a number holds."""
_MOST_POINTS = 600
"""Of one series: two for each point of the picture's width are enough."""
_LIGHT = ("#0072b2", "#d55e00", "#00795a", "#b0508a", "#8a6100", "#2b7fb8")
_DARK = ("#56b4e9", "#f0883e", "#3fc79a", "#e29ac4", "#e6b93f", "#9ecbf0")
_DASHES = ("", "7 3", "2 3", "9 3 2 3", "5 2", "1 2")
TONES = len(_LIGHT)


def style() -> str:
    def tones(colours: Sequence[str]) -> str:
        return "".join(
            f".mlops-plot .tone{number}{{stroke:{colour}}}.mlops-plot .full{number}{{fill:{colour}}}"
            for number, colour in enumerate(colours)
        )

    return (
        ".mlops-plot text{fill:#57636f}.mlops-plot .title{fill:#1d2329;font-weight:600}.mlops-plot .page{fill:#fff}"
        ".mlops-plot .grid{stroke:#e3e8ec}.mlops-plot .axis{stroke:#9aa5b0}.mlops-plot .rule{stroke:#b3212b}"
        ".mlops-plot .of-rule{fill:#b3212b}.mlops-plot .band0{fill:#f0f3f6}.mlops-plot .band1{fill:#e3e9ee}"
        ".mlops-plot .still{stroke:#9aa5b0}"
        f"{tones(_LIGHT)}\n"
        "@media (prefers-color-scheme:dark){"
        ".mlops-plot text{fill:#a5b1bd}.mlops-plot .title{fill:#e4e8ec}.mlops-plot .page{fill:#14181c}"
        ".mlops-plot .grid{stroke:#2a323a}.mlops-plot .axis{stroke:#5b6773}.mlops-plot .rule{stroke:#f58a90}"
        ".mlops-plot .of-rule{fill:#f58a90}.mlops-plot .band0{fill:#1b2127}.mlops-plot .band1{fill:#232b33}"
        ".mlops-plot .still{stroke:#5b6773}"
        f"{tones(_DARK)}}}"
    )


@dataclass(frozen=True, slots=True)
class Series:
    """``tone`` is its colour, by number; several series may have one. A value that is no number breaks a line."""

    name: str
    points: Sequence[Point]
    tone: int = 0
    form: Literal["line", "step", "area", "dots"] = "line"
    dashed: bool = False
    listed: bool = True
    """Its name stands above the panel."""


@dataclass(frozen=True, slots=True)
class Bars:
    """Each from where to where, and how high."""

    name: str
    spans: Sequence[tuple[float, float, float]]
    tone: int = 0


@dataclass(frozen=True, slots=True)
class Band:
    """What holds for a while, behind the lines."""

    name: str
    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Rule:
    """A value from which something is decided, told beside the panel."""

    value: float


@dataclass(frozen=True, slots=True)
class Axis:
    """``low`` and ``high`` are at least shown. ``said`` writes a mark; ``name`` says what is measured."""

    name: str = ""
    low: float | None = None
    high: float | None = None
    kind: Literal["number", "seconds", "time"] = "number"
    said: Callable[[float], str] | None = None

    def tell(self, value: float) -> str:
        if self.said is not None:
            return self.said(value)
        return {"number": said_number, "seconds": said_seconds, "time": said_time}[self.kind](value)

    def marks(self, low: float, high: float, most: int) -> list[float]:
        return marks(low, high, most) if self.kind == "number" else second_marks(low, high, most)


@dataclass(frozen=True, slots=True)
class Panel:
    title: str
    series: Sequence[Series] = ()
    bars: Sequence[Bars] = ()
    bands: Sequence[Band] = ()
    rules: Sequence[Rule] = ()
    diagonal: bool = False
    """What chance would do, where both axes are shares."""
    x: Axis = field(default_factory=Axis)
    y: Axis = field(default_factory=Axis)
    height: float = HEIGHT


def drawn(title: str, panels: Sequence[Panel], width_: float = WIDTH) -> str:
    """``title`` is read out, and stands above the panels."""
    body: list[str] = []
    top = _EDGE + 10
    for line in _broken(title, width_ - 2 * _EDGE):
        body.append(_text(_EDGE, top, line, "title", size=_TITLE_SIZE))
        top += 17
    if not panels:
        body.append(_text(_EDGE, top + 6, "there is nothing to draw"))
        top += 22
    for panel in panels:
        lines, high = _Drawn(panel, top, width_).lines()
        body += lines
        top += high + _APART
    high = top + 2
    said = ". ".join(filter(None, [title, *(panel.title for panel in panels)]))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="mlops-plot" viewBox="0 0 {_n(width_)} {_n(high)}" '
            f'width="{_n(width_)}" height="{_n(high)}" role="img" aria-label="{escape(said)}" font-family="{FONT}" '
            f'font-size="{_n(_SIZE)}">',
            f"<title>{escape(title)}</title>",
            f"<style>{style()}</style>",
            f'<rect class="page" width="{_n(width_)}" height="{_n(high)}" rx="8" fill="#fff"/>',
            *body,
            "</svg>",
            "",
        ]
    )


class _Drawn:
    """A panel at its place."""

    def __init__(self, panel: Panel, top: float, whole: float) -> None:
        self._panel = panel
        xs, ys = self._range(0, panel.x), self._range(1, panel.y)
        self._xs, self._ys = xs, ys
        # A rule has its own word at the other side, so that no mark stands in its way.
        self._y_marks = panel.y.marks(*ys, max(2, round(panel.height / 36)))
        said = [panel.y.tell(mark) for mark in self._y_marks]
        self._left = _EDGE + max((width(text, _SIZE) for text in said), default=0.0) + 8
        beside = max((width(panel.y.tell(rule.value), _SIZE) for rule in panel.rules), default=0.0)
        self._right = whole - _EDGE - (beside + 6 if beside else 0.0)
        self._legend = [*self._legend_rows(whole)]
        # The highest mark is written around the upper edge, and is not to touch the last row of names.
        self._top = top + (20 if panel.title else 2) + 16 * len(self._legend) + (_BELOW_LEGEND if self._legend else 0)
        self._head = top
        self._bottom = self._top + panel.height
        self._whole = whole

    def _range(self, at: int, axis: Axis) -> tuple[float, float]:
        panel = self._panel
        values = [point[at] for series in panel.series for point in series.points]
        for bars in panel.bars:
            ends = [span[2:] if at else span[:2] for span in bars.spans]
            values += [value for end in ends for value in end]
            values += [0.0] if at else []
        values += [rule.value for rule in panel.rules] if at else []
        values += [end for end in (axis.low, axis.high) if end is not None]
        if at and any(series.form == "area" for series in panel.series):
            values.append(0.0)
        known = [min(max(value, -_LARGEST), _LARGEST) for value in values if math.isfinite(value)]
        if not known:
            return 0.0, 1.0
        low, high = min(known), max(known)
        # As good as one value: between such numbers there are no others to mark.
        if high - low <= max(abs(low), abs(high)) * 1e-12 or high - low < 1e-290:
            by = abs(low) * 0.05 or 0.5
            return low - by, high + by
        if not at:
            return low, high
        room = (high - low) * 0.04
        return (low if low in (axis.low, 0.0) else low - room), (high if high == axis.high else high + room)

    def x(self, value: float) -> float:
        low, high = self._xs
        return self._left + (self._right - self._left) * (min(max(value, low), high) - low) / (high - low)

    def y(self, value: float) -> float:
        low, high = self._ys
        return self._bottom - self._panel.height * (min(max(value, low), high) - low) / (high - low)

    def _clear(self, value: float) -> float:
        """What is not at a limit does not touch its line, where there is room."""
        found = self.y(value)
        for rule in self._panel.rules:
            at = self.y(rule.value)
            if value != rule.value and abs(found - at) < _CLEAR:
                found = at - _CLEAR if value > rule.value else at + _CLEAR
        return found

    def lines(self) -> tuple[list[str], float]:
        """What is drawn, and how high it is."""
        panel = self._panel
        found: list[str] = []
        if panel.title:
            found.append(_text(_EDGE, self._head + 12, fitted(panel.title, self._whole - 2 * _EDGE, 12), size=12))
        for number, row in enumerate(self._legend):
            found += self._listed(row, self._head + (32 if panel.title else 12) + 16 * number)
        found += self._bands()
        found += self._axes()
        for bars in panel.bars:
            found += self._bars(bars)
        if panel.diagonal:
            ends = f"M{_n(self.x(0))} {_n(self.y(0))} L{_n(self.x(1))} {_n(self.y(1))}"
            found.append(f'<path class="still" fill="none" stroke="#9aa5b0" stroke-dasharray="3 3" d="{ends}"/>')
        for series in panel.series:
            found += self._series(series)
        found += self._rules()
        below = _BELOW + (14 if panel.x.name or panel.x.kind == "time" else 0) + (16 if panel.bands else 0)
        return found, self._bottom + below - self._head

    def _legend_rows(self, whole: float) -> Iterator[list[tuple[str, int, Series | Bars]]]:
        """Names with what they are of, as many in a row as have room."""
        listed: list[Series | Bars] = [series for series in self._panel.series if series.listed and series.name]
        listed += self._panel.bars
        row: list[tuple[str, int, Series | Bars]] = []
        used = 0.0
        if len(listed) < 2 and not any(isinstance(one, Bars) for one in listed):
            return
        for number, one in enumerate(listed):
            name = fitted(one.name, 220, _SIZE)
            needed = width(name, _SIZE) + 44
            if row and used + needed > whole - 2 * _EDGE:
                yield row
                row, used = [], 0.0
            row.append((name, number, one))
            used += needed
        if row:
            yield row

    def _listed(self, row: Sequence[tuple[str, int, Series | Bars]], base: float) -> Iterator[str]:
        x = _EDGE
        for name, _, one in row:
            tone = one.tone % TONES
            if isinstance(one, Bars) or one.form == "dots":
                yield f'<rect class="full{tone}" x="{_n(x)}" y="{_n(base - 8)}" width="18" height="8" rx="2"/>'
            else:
                yield (
                    f'<path class="tone{tone}" fill="none" stroke-width="2"{_dash(one)} '
                    f'd="M{_n(x)} {_n(base - 4)} h18"/>'
                )
            yield _text(x + 24, base, name)
            x += width(name, _SIZE) + 44

    def _bands(self) -> Iterator[str]:
        low, high = self._xs
        shown = [band for band in self._panel.bands if band.until >= low and band.since <= high]
        free = -math.inf
        for number, band in enumerate(shown):
            left, right = self.x(band.since), self.x(band.until)
            yield (
                f'<rect class="band{number % 2}" fill="#f0f3f6" x="{_n(left)}" y="{_n(self._top)}" '
                f'width="{_n(right - left)}" height="{_n(self._panel.height)}">'
                f"<title>{escape(band.name)}</title></rect>"
            )
            # A name that has no room below its band is left to where the pointer rests.
            if left >= free and left + width(band.name, _SIZE) <= self._whole - _EDGE:
                yield _text(left, self._bottom + 30, band.name)
                free = left + width(band.name, _SIZE) + 8

    def _axes(self) -> Iterator[str]:
        for mark in self._y_marks:
            y = self.y(mark)
            yield f'<path class="grid" stroke="#e3e8ec" d="M{_n(self._left)} {_n(y)} H{_n(self._right)}"/>'
            yield _text(self._left - 6, y + 4, self._panel.y.tell(mark), anchor="end")
        axis = self._panel.x
        edges = f"M{_n(self._left)} {_n(self._top)} V{_n(self._bottom)} H{_n(self._right)}"
        yield f'<path class="axis" fill="none" stroke="#9aa5b0" d="{edges}"/>'
        free = -math.inf
        for mark in axis.marks(*self._xs, max(2, round((self._right - self._left) / 76))):
            said, x = axis.tell(mark), self.x(mark)
            half = width(said, _SIZE) / 2
            yield f'<path class="axis" stroke="#9aa5b0" d="M{_n(x)} {_n(self._bottom)} v4"/>'
            middle = min(max(x, _EDGE + half), self._whole - _EDGE - half)
            if middle - half > free:
                yield _text(middle, self._bottom + 16, said, anchor="middle")
                free = middle + half + 6
        name = axis.name or (said_day(self._xs) if axis.kind == "time" else "")
        if name:
            lower = self._bottom + 30 + (16 if self._panel.bands else 0)
            yield _text(self._right, lower, name, anchor="end")

    def _bars(self, bars: Bars) -> Iterator[str]:
        base = self.y(0.0)
        for since, until, value in bars.spans:
            if not math.isfinite(value):
                continue
            left, right, y = self.x(since), self.x(until), self.y(value)
            yield (
                f'<rect class="full{bars.tone % TONES}" fill-opacity=".55" x="{_n(left)}" y="{_n(min(y, base))}" '
                f'width="{_n(max(right - left - 1, 0.5))}" height="{_n(abs(base - y))}"/>'
            )

    def _series(self, series: Series) -> Iterator[str]:
        tone = series.tone % TONES
        for run in _runs(_fewer(series.points)):
            places = [(self.x(x), self._clear(y)) for x, y in run]
            if series.form == "dots" or len(places) == 1:
                radius = 2.2 if series.form == "dots" else 2.8
                yield "".join(
                    f'<circle class="full{tone}" cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}"/>' for x, y in places
                )
                continue
            path = _stepped(places) if series.form == "step" else _straight(places)
            if series.form == "area":
                down = f"{path} V{_n(self.y(0.0))} H{_n(places[0][0])} Z"
                yield f'<path class="full{tone}" fill-opacity=".18" d="{down}"/>'
            yield (
                f'<path class="tone{tone}" fill="none" stroke-width="1.7" stroke-linejoin="round"{_dash(series)} '
                f'd="{path}"/>'
            )

    def _rules(self) -> Iterator[str]:
        free = -math.inf
        for value in sorted({rule.value for rule in self._panel.rules}, reverse=True):
            y = self.y(value)
            yield f'<path class="rule" stroke="#b3212b" d="M{_n(self._left)} {_n(y)} H{_n(self._right)}"/>'
            base = max(y + 4, free)
            # Of many that are near to each other some are told by their lines alone.
            if base <= self._bottom + 4:
                yield _text(self._right + 6, base, self._panel.y.tell(value), "of-rule")
                free = base + 13


def _fewer(points: Sequence[Point]) -> Sequence[Point]:
    """No more than can be seen: of each stretch the lowest and the highest, in their order.

    >>> len(_fewer([(float(x), float(x % 7)) for x in range(100_000)])) <= _MOST_POINTS
    True
    """
    if len(points) <= _MOST_POINTS:
        return points
    size = math.ceil(2 * len(points) / _MOST_POINTS)
    found: list[Point] = []
    for start in range(0, len(points), size):
        part = points[start : start + size]
        known = [at for at, (_, value) in enumerate(part) if math.isfinite(value)]
        if not known:
            found.append(part[0])
            continue
        ends = {min(known, key=lambda at: part[at][1]), max(known, key=lambda at: part[at][1])}
        found += [part[at] for at in sorted(ends)]
    return found


def _runs(points: Sequence[Point]) -> Iterator[list[Point]]:
    run: list[Point] = []
    for x, y in points:
        if math.isfinite(x) and math.isfinite(y):
            run.append((x, y))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _straight(places: Sequence[Point]) -> str:
    (x, y), *rest = places
    return f"M{_n(x)} {_n(y)}" + "".join(f" L{_n(x)} {_n(y)}" for x, y in rest)


def _stepped(places: Sequence[Point]) -> str:
    (x, y), *rest = places
    return f"M{_n(x)} {_n(y)}" + "".join(f" H{_n(x)} V{_n(y)}" for x, y in rest)


def _dash(one: Series | Bars) -> str:
    if isinstance(one, Bars):
        return ""
    dashes = "4 3" if one.dashed else _DASHES[one.tone % TONES]
    return f' stroke-dasharray="{dashes}"' if dashes else ""


def _broken(text: str, room: float) -> Iterator[str]:
    """Lines that have room."""
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and width(longer, _TITLE_SIZE) * 1.1 > room:
            yield line
            line = fitted(word, room, _TITLE_SIZE)
        else:
            line = longer if width(longer, _TITLE_SIZE) * 1.1 <= room else fitted(word, room / 1.1, _TITLE_SIZE)
    if line:
        yield line


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start", size: float = _SIZE) -> str:
    classes = f' class="{kind}"' if kind else ""
    more = f' font-size="{_n(size)}"' if size != _SIZE else ""
    where = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text{classes} x="{_n(x)}" y="{_n(y)}"{where}{more}>{escape(text)}</text>'


def _n(value: float) -> str:
    told = f"{value:.1f}".removesuffix(".0")
    return "0" if told == "-0" else told
