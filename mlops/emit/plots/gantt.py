"""What ran when: a bar for each step, in the colours of states."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape

from mlops.emit.drawing.states import state_of
from mlops.emit.drawing.text import FONT, fitted, width
from mlops.emit.plots.scales import said_day, said_seconds, said_time, second_marks
from mlops.ir.dataclass import dataclass

_WIDTH, _ROW, _BAR, _EDGE, _HEAD, _FOOT = 760.0, 24.0, 14.0, 16.0, 16.0, 40.0
_SIZE, _MOST_NAME = 11.0, 220.0
STYLE = """\
.mlops-gantt text{fill:#57636f;stroke:#fff;stroke-width:3px;paint-order:stroke}
.mlops-gantt .name{fill:#1d2329}.mlops-gantt .page{fill:#fff}
.mlops-gantt .grid{stroke:#e3e8ec}
.mlops-gantt .idle{fill:#9aa5b0}.mlops-gantt .good{fill:#3f9d5b}.mlops-gantt .bad{fill:#c62f38}
.mlops-gantt .busy{fill:#d39b14}.mlops-gantt .halted{fill:#8660b5}
@media (prefers-color-scheme:dark){
.mlops-gantt text{fill:#a5b1bd;stroke:#14181c}.mlops-gantt .name{fill:#e4e8ec}.mlops-gantt .page{fill:#14181c}
.mlops-gantt .grid{stroke:#2a323a}
.mlops-gantt .idle{fill:#5b6773}.mlops-gantt .good{fill:#4cae6b}.mlops-gantt .bad{fill:#ee6b73}
.mlops-gantt .busy{fill:#d9a520}.mlops-gantt .halted{fill:#a988d6}
}
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """Times are seconds since 1970; ``until`` is None of what still runs."""

    name: str
    since: float
    until: float | None
    status: str


def drawn(title: str, rows: Sequence[Ran], now: float) -> str:
    """What still runs goes on until ``now``, or until the last of the others ended."""
    first = min(row.since for row in rows)
    last = max([now if any(row.until is None for row in rows) else first, *(row.until or first for row in rows)])
    last = max(last, first + 1.0)
    left = _EDGE + max(width(fitted(row.name, _MOST_NAME, _SIZE), _SIZE) for row in rows) + 10
    right = _WIDTH - _EDGE
    high = _HEAD + _ROW * len(rows) + _FOOT

    def x(at: float) -> float:
        return left + (right - left) * (at - first) / (last - first)

    body = [*_marks(x, first, last, _HEAD, high - _FOOT)]
    for number, row in enumerate(rows):
        body += _row(row, _HEAD + _ROW * number, x(row.since), x(row.until or last), left, right, last)
    body.append(f'<text x="{_n(right)}" y="{_n(high - 8)}" text-anchor="end">{said_day([first, last])}</text>')
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="mlops-gantt" viewBox="0 0 {_n(_WIDTH)} {_n(high)}" '
            f'width="{_n(_WIDTH)}" height="{_n(high)}" role="img" aria-label="{escape(title)}" font-family="{FONT}" '
            f'font-size="{_n(_SIZE)}">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style>",
            f'<rect class="page" width="{_n(_WIDTH)}" height="{_n(high)}" rx="8" fill="#fff"/>',
            *body,
            "</svg>",
            "",
        ]
    )


def _marks(x: Callable[[float], float], first: float, last: float, top: float, bottom: float) -> Iterator[str]:
    free = 0.0
    for mark in second_marks(first, last, 8):
        said, place = said_time(mark), x(mark)
        half = width(said, _SIZE) / 2
        yield f'<path class="grid" stroke="#e3e8ec" d="M{_n(place)} {_n(top - 6)} V{_n(bottom + 2)}"/>'
        middle = min(place, _WIDTH - _EDGE - half)
        if middle - half > free:
            yield f'<text x="{_n(middle)}" y="{_n(bottom + 16)}" text-anchor="middle">{said}</text>'
            free = middle + half + 6


def _row(row: Ran, top: float, start: float, end: float, left: float, right: float, last: float) -> Iterator[str]:
    state, base = state_of(row.status), top + 15
    took = said_seconds((last if row.until is None else row.until) - row.since)
    told = took if state.kind == "good" and state.word == "Succeeded" else f"{took}, {state.word}"
    yield f"<g><title>{escape(f'{row.name}: {state.word}, {took}')}</title>"
    yield (
        f'<text class="name" x="{_n(left - 10)}" y="{_n(base)}" text-anchor="end">'
        f"{escape(fitted(row.name, _MOST_NAME, _SIZE))}</text>"
    )
    yield (
        f'<rect class="{state.kind}" x="{_n(start)}" y="{_n(top + 4)}" width="{_n(max(end - start, 2.0))}" '
        f'height="{_n(_BAR)}" rx="3"/>'
    )
    needed = width(told, _SIZE) + 6
    if end + needed <= right:
        yield f'<text x="{_n(end + 6)}" y="{_n(base)}">{escape(told)}</text>'
    elif start - needed >= left:
        yield f'<text x="{_n(start - 6)}" y="{_n(base)}" text-anchor="end">{escape(told)}</text>'
    yield "</g>"


def _n(value: float) -> str:
    told = f"{value:.1f}".removesuffix(".0")
    return "0" if told == "-0" else told
