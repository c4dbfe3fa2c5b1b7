"""The evidence of a shift over time as SVG: a panel for each line, with its limits and the stages behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from mlops.deploy.shifting.evidence import Line, told_time

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM, _RIGHT = 760, 220, 90, 40, 34, 20
_APART = 4.0
_BANDS = ("#f4f6f8", "#e6ebf0")


def picture(title: str, lines: Sequence[Line], stages: Sequence[tuple[str, float, float]]) -> str:
    height = _TOP + _HEIGHT * max(1, len(lines))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" '
        f'font-size="12" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="10" y="22" font-size="14">{escape(title)}</text>',
    ]
    for number, line in enumerate(lines):
        parts += _panel(line, stages, _TOP + number * _HEIGHT)
    if not lines:
        parts.append(f'<text x="10" y="{_TOP + 20}">nothing was seen twice, so there is nothing to draw</text>')
    return "\n".join([*parts, "</svg>", ""])


def _panel(line: Line, stages: Sequence[tuple[str, float, float]], top: float) -> Iterator[str]:
    first, last = line.points[0][0], line.points[-1][0]
    values = [value for _, value in line.points]
    low, high = min(*values, *line.limits), max(*values, *line.limits)
    upper, lower = top + 28, top + _HEIGHT - _BOTTOM
    wide = _WIDTH - _LEFT - _RIGHT

    def x(at: float) -> float:
        return round(_LEFT + wide * min(1.0, max(0.0, (at - first) / ((last - first) or 1.0))), 1)

    def along(value: float) -> float:
        return lower - (lower - upper) * (value - low) / ((high - low) or 1.0)

    def y(value: float) -> float:
        """What is not at a limit does not touch its line, where there is room."""
        found = along(value)
        for limit in line.limits:
            at = along(limit)
            if value != limit and abs(found - at) < _APART:
                found = at - _APART if value > limit else at + _APART
        return round(found, 1)

    yield f'<text x="10" y="{top + 14}">{escape(f"{line.name}: {line.what}")}</text>'
    shown = [stage for stage in stages if stage[2] >= first and stage[1] <= last]
    for number, (name, since, until) in enumerate(shown):
        left, right = x(since), x(until)
        yield (
            f'<rect x="{left}" y="{upper}" width="{round(right - left, 1)}" height="{lower - upper}" '
            f'fill="{_BANDS[number % 2]}"/>'
        )
        yield f'<text x="{left + 3}" y="{lower + 16}" fill="#555555">{escape(name)}</text>'
    for value in dict.fromkeys((low, high)):
        if value not in line.limits:
            yield f'<text x="{_LEFT - 8}" y="{y(value) + 4}" text-anchor="end">{escape(line.said(value))}</text>'
    for limit in line.limits:
        yield f'<line x1="{_LEFT}" y1="{y(limit)}" x2="{_WIDTH - _RIGHT}" y2="{y(limit)}" stroke="#c0392b"/>'
        yield (
            f'<text x="{_LEFT - 8}" y="{y(limit) + 4}" text-anchor="end" fill="#c0392b">'
            f"{escape(line.said(limit))}</text>"
        )
    for at, anchor in ((first, "start"), (last, "end")):
        yield (
            f'<text x="{x(at)}" y="{lower + 29}" text-anchor="{anchor}" font-size="10" fill="#555555">'
            f"{told_time(at)}</text>"
        )
    drawn = " ".join(f"{x(at)},{y(value)}" for at, value in line.points)
    yield f'<polyline points="{drawn}" fill="none" stroke="#1f4e79" stroke-width="2"/>'
