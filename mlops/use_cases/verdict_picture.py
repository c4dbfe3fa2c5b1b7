"""The evidence of a shift over time as SVG: a panel for each line, with its limits and the stages behind it."""

from __future__ import annotations

from collections.abc import Sequence

from mlops.deploy.shifting.evidence import Line
from mlops.emit.plots.chart import Axis, Band, Panel, Rule, Series, drawn


def picture(title: str, lines: Sequence[Line], stages: Sequence[tuple[str, float, float]]) -> str:
    return drawn(title, [_panel(line, stages) for line in lines])


def _panel(line: Line, stages: Sequence[tuple[str, float, float]]) -> Panel:
    return Panel(
        f"{line.name}: {line.what}",
        [Series("", line.points)],
        bands=[Band(*stage) for stage in stages],
        rules=[Rule(limit) for limit in line.limits],
        x=Axis(kind="time"),
        y=Axis(said=line.said),
    )
