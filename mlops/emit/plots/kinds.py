"""The plots that people expect, of what they know of a model, a data set or an endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlops.emit.plots.chart import Axis, Bars, Panel, Point, Series


def curves(title: str, found: Mapping[str, Sequence[Point]], along: str) -> Panel:
    """Values one after the other, as metrics are printed."""
    series = [Series(name, points, number) for number, (name, points) in enumerate(found.items())]
    return Panel(title, series, x=Axis(along))


def roc(found: Mapping[str, Sequence[Point]]) -> Panel:
    """Points are of a false positive rate and a true positive rate."""
    series = [Series(name, points, number) for number, (name, points) in enumerate(found.items())]
    share = Axis("false positive rate", 0.0, 1.0)
    return Panel("True positive rate (ROC)", series, diagonal=True, x=share, y=Axis(low=0.0, high=1.0), height=260)


def precision_recall(found: Mapping[str, Sequence[Point]]) -> Panel:
    """Points are of a recall and a precision."""
    series = [Series(name, points, number, "step") for number, (name, points) in enumerate(found.items())]
    return Panel("Precision", series, x=Axis("recall", 0.0, 1.0), y=Axis(low=0.0, high=1.0), height=260)


def drift(title: str, before: Sequence[tuple[float, float, float]], now: Sequence[tuple[float, float, float]]) -> Panel:
    """Two histograms over each other; bars are from where to where and which part of all."""
    return Panel(title, bars=[Bars("baseline", before, 0), Bars("now", now, 1)], y=Axis(low=0.0), height=130)
