"""Lines over time as text: a column for each moment, a row for each part of the range, and the limits across it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlops.deploy.shifting.evidence import Line

WIDTH, HEIGHT = 64, 8
Stages = Sequence[tuple[str, float, float]]


def drawn(line: Line, stages: Stages, width: int = WIDTH, height: int = HEIGHT) -> Iterator[str]:
    """With its title; the last row names the stages where they begin."""
    first, last = line.points[0][0], line.points[-1][0]
    values = [value for _, value in line.points]
    low, high = min(*values, *line.limits), max(*values, *line.limits)
    step = (high - low) / (height - 1) or 1.0

    def column(at: float) -> int:
        return min(width - 1, max(0, round((at - first) / ((last - first) or 1.0) * (width - 1))))

    def level(value: float) -> int:
        return round((value - low) / step)

    def row(value: float) -> int:
        """What is not at a limit does not stand on it."""
        found = level(value)
        for limit in line.limits:
            if found == level(limit) and value != limit:
                found += 1 if value > limit else -1
        return min(height - 1, max(0, found))

    yield f"{line.name}: {line.what}"
    cells = [[" "] * width for _ in range(height)]
    for limit in line.limits:
        cells[level(limit)] = ["─"] * width
    # Of several moments in one column the highest is seen: it is what decides.
    for at, value in sorted(line.points, key=lambda point: point[1]):
        cells[row(value)][column(at)] = "•"
    limits = {level(limit): line.said(limit) for limit in line.limits}
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
