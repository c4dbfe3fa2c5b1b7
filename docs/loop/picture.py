"""The loop as a picture: how many answers were right, second by second, whose they were, and what happened meanwhile.

SVG with text as text; its colours follow the light or dark of whoever looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape

from traffic import Asked

_WIDTH, _LEFT, _TOP, _HEIGHT, _LINE = 900, 56, 40, 200, 20
_WINDOW = 2.0
"""Seconds of which the right answers are counted together."""
_STYLE = """
  svg { --ink: #1f2328; --soft: #59636e; --line: #d1d9e0; --first: #0969da; --second: #bc4c00;
        --page: #ffffff;
        font: 12px system-ui, sans-serif; }
  @media (prefers-color-scheme: dark) { svg { --ink: #e6edf3; --soft: #9198a1; --line: #3d444d; --first: #4493f8;
        --second: #f0883e; --page: #0d1117; } }
  text { fill: var(--ink); } .soft { fill: var(--soft); } .title { font-weight: 600; }
  .line { stroke: var(--line); fill: none; } .event { stroke: var(--soft); stroke-dasharray: 3 3; }
  .said { paint-order: stroke; stroke: var(--page); stroke-width: 4px; stroke-linejoin: round; }
  .first, tspan.first { fill: var(--first); } .second, tspan.second { fill: var(--second); }
"""


def draw(began: float, asked: Sequence[Asked], events: Sequence[tuple[float, str]]) -> str:
    span = max(item.at for item in asked) - began

    def x(at: float) -> float:
        return round(_LEFT + (_WIDTH - _LEFT - 24) * max(at - began, 0.0) / span, 1)

    bottom = _TOP + _HEIGHT
    parts = [
        f'<text class="title" x="{_LEFT}" y="20">Right answers of each {_WINDOW:g} seconds, by '
        '<tspan class="first">version 1</tspan> and <tspan class="second">version 2</tspan></text>'
    ]
    for percent in (0, 25, 50, 75, 100):
        y = round(bottom - _HEIGHT * percent / 100, 1)
        parts.append(f'<line class="line" x1="{_LEFT}" x2="{_WIDTH - 24}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text class="soft" x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{percent} %</text>')
    parts += _bars(began, asked, x)
    words: list[str] = []
    for number, (at, text) in enumerate(events):
        y = bottom + _LINE * (number + 1) + 6
        parts.append(f'<line class="event" x1="{x(at)}" x2="{x(at)}" y1="{_TOP}" y2="{y - 10}"/>')
        said = f"{at - began:.0f} s: {text}"
        behind = x(at) > _WIDTH / 2
        place = f'x="{x(at) - 4}" text-anchor="end"' if behind else f'x="{x(at) + 4}"'
        words.append(f'<text class="said" {place} y="{y - 4}">{escape(said)}</text>')
    # No line of a later event goes through the words of an earlier one.
    parts += words
    height = bottom + _LINE * (len(events) + 1) + 10
    body = "\n".join(f"  {part}" for part in parts)
    label = "Right answers of an endpoint while its traffic drifts and its model is trained anew"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{label}">\n'
        f"<style>{_STYLE}</style>\n{body}\n</svg>\n"
    )


def _bars(began: float, asked: Sequence[Asked], x: Callable[[float], float]) -> Iterator[str]:
    """The old version's part below, the new one's above it."""
    names = list(dict.fromkeys(item.variant for item in asked if item.variant))
    start = began
    while start < asked[-1].at:
        items = [item for item in asked if start <= item.at < start + _WINDOW]
        bottom = float(_TOP + _HEIGHT)
        for place, name in enumerate(names):
            right = sum(item.right is True for item in items if item.variant == name)
            height = _HEIGHT * right / max(len(items), 1)
            bottom -= height
            width = max(x(start + _WINDOW) - x(start) - 1, 1)
            kind = "second" if place else "first"
            if height:
                at = f'x="{x(start)}" y="{bottom:.1f}"'
                yield f'<rect class="{kind}" {at} width="{width:.1f}" height="{height:.1f}"/>'
        start += _WINDOW
