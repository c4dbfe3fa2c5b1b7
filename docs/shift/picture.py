"""A shift of traffic as a picture: who answered how much, how fast, and what the endpoint was, second by second.

SVG with text as text; its colours follow the light or dark of whoever looks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

from timeline import Asked, State, Timeline

_WIDTH, _LEFT, _RIGHT = 860, 64, 24
_BEFORE_SECONDS = 10
"""What is shown of the time before anything was changed."""
_STYLE = """
  svg { --ink: #1f2328; --soft: #59636e; --line: #d1d9e0; --old: #0969da; --new: #bc4c00; --calm: #dafbe1;
        --busy: #fff8c5; font: 12px system-ui, sans-serif; }
  @media (prefers-color-scheme: dark) { svg { --ink: #e6edf3; --soft: #9198a1; --line: #3d444d; --old: #4493f8;
        --new: #f0883e; --calm: #12351c; --busy: #3b2f0b; } }
  text { fill: var(--ink); } .soft { fill: var(--soft); } .title { font-weight: 600; }
  .line { stroke: var(--line); fill: none; } .old { stroke: var(--old); } .new { stroke: var(--new); }
  .graph { fill: none; stroke-width: 1.6; stroke-linejoin: round; } .thin { stroke-width: 1; stroke-dasharray: 3 3; }
  .of-old { fill: var(--old); } .of-new { fill: var(--new); } .calm { fill: var(--calm); } .busy { fill: var(--busy); }
"""


@dataclass(frozen=True, slots=True)
class _Panel:
    """Values from 0 to ``most`` in a strip of the picture."""

    top: float
    height: float
    most: float

    def y(self, value: float) -> float:
        return round(self.top + self.height * (1 - min(value, self.most) / self.most), 1)


def draw(found: Timeline) -> str:
    old, new = found.old, found.new
    start = max(min(item.at for item in found.asked), found.states[1].at - _BEFORE_SECONDS)
    end = max(item.at for item in found.asked)
    across = _WIDTH - _LEFT - _RIGHT

    def x(at: float) -> float:
        return round(_LEFT + across * min(max((at - start) / (end - start), 0.0), 1.0), 1)

    slow = max(_percentile(_seconds(found.asked), 0.995) * 1.2, 0.001)
    share, speed = _Panel(56, 150, 100), _Panel(256, 130, _round_up(1000 * slow))
    parts = [
        *_title(found, old, new),
        *_axes(share, "%", (0, 25, 50, 75, 100)),
        *_axes(speed, "ms", tuple(speed.most * part / 4 for part in range(5))),
        *_seconds_axis(x, start, end, 440),
    ]
    windows = _windows([item for item in found.asked if item.at >= start], start, end)
    for name, kind in ((old, "old"), (new, "new")):
        shares = [
            (x(at), share.y(100 * sum(item.variant == name for item in items) / len(items))) for at, items in windows
        ]
        parts.append(_path(shares, f"graph {kind}"))
        for part, line in ((0.5, "graph"), (0.99, "graph thin")):
            points = []
            for at, items in windows:
                mine = _seconds([item for item in items if item.variant == name])
                if mine:
                    points.append((x(at), speed.y(1000 * _percentile(mine, part))))
            parts.append(_path(points, f"{line} {kind}"))
    parts += _wanted(found.states, new, share, x, end)
    parts += _states(found.states, x, start, end)
    body = "\n".join(f"  {part}" for part in parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} 476" role="img" '
        f'aria-label="Traffic, latency and state of an endpoint while its traffic goes from {escape(old)} to '
        f'{escape(new)}">\n<style>{_STYLE}</style>\n{body}\n</svg>\n'
    )


def _title(found: Timeline, old: str, new: str) -> list[str]:
    failed = sum(not item.good for item in found.asked)
    return [
        _text(_LEFT, 20, f"{len(found.asked)} requests, {failed} failed", "title"),
        _text(_LEFT, 40, f"■ {old}", "of-old"),
        _text(_LEFT + 100, 40, f"■ {new}", "of-new"),
        _text(_LEFT + 180, 40, "dashed: the share that was asked for; below, the 99th percentile", "soft"),
    ]


def _axes(panel: _Panel, unit: str, marks: Iterable[float]) -> list[str]:
    lines = [_text(_LEFT - 8, panel.top - 10, unit, "soft", "end")]
    for mark in marks:
        y = panel.y(mark)
        lines.append(f'<path class="line" d="M{_LEFT} {y}H{_WIDTH - _RIGHT}"/>')
        lines.append(_text(_LEFT - 8, y + 4, f"{mark:g}", "soft", "end"))
    return lines


def _seconds_axis(x: Callable[[float], float], start: float, end: float, y: float) -> list[str]:
    step = next(step for step in (1, 2, 5, 10, 20, 60, 300, 3600) if (end - start) / step <= 12 or step == 3600)
    marks = range(0, math.floor(end - start) + 1, step)
    return [_text(x(start + mark), y + 28, f"{mark} s", "soft", "middle") for mark in marks]


def _wanted(states: Sequence[State], new: str, panel: _Panel, x: Callable[[float], float], end: float) -> list[str]:
    """The share that the new variant was to have, as steps."""
    points: list[tuple[float, float]] = []
    for state, following in zip(states, [*states[1:], None], strict=True):
        y = panel.y(state.weights.get(new, 0.0))
        points += [(x(state.at), y), (x(following.at if following is not None else end), y)]
    return [_path(points, "graph thin new")]


def _states(states: Sequence[State], x: Callable[[float], float], start: float, end: float) -> list[str]:
    """As a strip; where there is room it says what it is."""
    parts = [_text(_LEFT - 8, 430, "endpoint", "soft", "end")]
    for state, following in zip(states, [*states[1:], None], strict=True):
        left, right = x(max(state.at, start)), x(following.at if following is not None else end)
        kind = "calm" if state.status == "in service" else "busy"
        told = f"{state.status}" + (f" {_split(state)}" if kind == "calm" and len(state.weights) > 1 else "")
        shape = f'd="M{left} 414H{right}V438H{left}Z"'
        parts.append(f'<path class="{kind}" {shape}><title>{escape(told)}</title></path>')
        short = _split(state) if len(state.weights) > 1 else state.status
        if kind == "calm" and right - left > 5.5 * len(short):
            parts.append(_text((left + right) / 2, 430, short, "", "middle"))
    return parts


def _split(state: State) -> str:
    return " : ".join(f"{weight:g}" for _, weight in sorted(state.weights.items()))


def _windows(asked: Sequence[Asked], start: float, end: float) -> list[tuple[float, list[Asked]]]:
    """Requests of each second, with its middle."""
    found: dict[int, list[Asked]] = {}
    for item in asked:
        found.setdefault(int(item.at - start), []).append(item)
    return [(min(start + second + 0.5, end), found[second]) for second in sorted(found)]


def _seconds(asked: Iterable[Asked]) -> list[float]:
    return sorted(item.seconds for item in asked)


def _percentile(ordered: Sequence[float], part: float) -> float:
    return ordered[min(int(part * len(ordered)), len(ordered) - 1)]


def _round_up(value: float) -> float:
    """
    >>> _round_up(37.0), _round_up(112.0)
    (40, 200)
    """
    size = 10 ** math.floor(math.log10(value))
    return float(next(step * size for step in (1, 2, 4, 6, 8, 10) if step * size >= value))


def _path(points: Sequence[tuple[float, float]], kind: str) -> str:
    return f'<path class="{kind}" d="M{"L".join(f"{x:g} {y:g}" for x, y in points)}"/>' if points else ""


def _text(x: float, y: float, told: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{escape(told)}</text>'
