"""Lines over time as text: a column for each moment, a row for each part of the range, and the limits across it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from mlops.deploy.shifting.evidence import Line, told_time

WIDTH, HEIGHT = 64, 8
Stages = Sequence[tuple[str, float, float]]


def drawn(line: Line, stages: Stages, width: int = WIDTH, height: int = HEIGHT) -> Iterator[str]:
    """With its title; the last two rows name the stages where they begin, and the time. What was the same all the while
    is a row alone."""
    first, last = line.points[0][0], line.points[-1][0]
    values = [value for _, value in line.points]
    if min(values) == max(values):
        yield f"{line.name}: {line.what}: {line.said(values[0])} from {told_time(first)} to {told_time(last)}"
        return
    low, high = min(*values, *line.limits), max(*values, *line.limits)
    levels = _levels(line.limits, values, height)

    def column(at: float) -> int:
        return min(width - 1, max(0, round((at - first) / ((last - first) or 1.0) * (width - 1))))

    def row(value: float) -> int:
        """What is not at a limit does not stand on it."""
        least = max((levels[limit] + (value > limit) for limit in line.limits if value >= limit), default=0)
        most = min((levels[limit] - (value < limit) for limit in line.limits if value <= limit), default=height - 1)
        return max(least, min(most, round((value - low) / (high - low) * (height - 1))))

    yield f"{line.name}: {line.what}"
    cells = [[" "] * width for _ in range(height)]
    for limit in line.limits:
        cells[levels[limit]] = ["─"] * width
    # Of several moments in one column the highest is seen: it is what decides.
    for at, value in sorted(line.points, key=lambda point: point[1]):
        cells[row(value)][column(at)] = "•"
    limits = {levels[limit]: line.said(limit) for limit in line.limits}
    labels = {0: line.said(low), height - 1: line.said(high), **limits}
    wide = max(map(len, labels.values()))
    for number in reversed(range(height)):
        edge = "┼" if number in limits else "│"
        yield f"  {labels.get(number, ''):>{wide}} {edge}{''.join(cells[number]).rstrip()}"
    under = [" "] * width
    for name, since, until in stages:
        # A stage that lies before or behind these points has no place under them.
        if until < first or since > last:
            continue
        start = column(max(since, first))
        for offset, letter in enumerate(f"|{name}"[: width - start]):
            under[start + offset] = letter
    yield f"  {'':>{wide}} └{''.join(under).rstrip()}"
    yield f"  {'':>{wide}}  {told_time(first)}{told_time(last):>{max(0, width - len(told_time(first)))}}"


def _levels(limits: Sequence[float], values: Sequence[float], height: int) -> Mapping[float, int]:
    """The row of each limit, with a row beside it for what lies between it and the next, or beyond all."""
    low, high = min(*values, *limits), max(*values, *limits)
    rising = sorted(set(limits))
    found = {limit: round((limit - low) / ((high - low) or 1.0) * (height - 1)) for limit in rising}
    least = 0
    for under, limit in zip((-math.inf, *rising), rising, strict=False):
        least += any(under < value < limit for value in values)
        found[limit] = max(found[limit], least)
        least = found[limit] + 1
    most = height - 1
    for limit, over in zip(reversed(rising), (math.inf, *reversed(rising)), strict=False):
        most -= any(limit < value < over for value in values)
        found[limit] = min(found[limit], most)
        most = found[limit] - 1
    return found
