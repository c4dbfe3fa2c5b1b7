"""Curves and matrices in the reports of models, as Model Monitor and the official SDK's examples write them, and
distributions in statistics of data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops.ir.dataclass import dataclass

Points = Sequence[tuple[float, float]]
_MOST_FEATURES = 12
_CURVES = (
    ("receiver_operating_characteristic_curve", "false_positive_rates", "true_positive_rates"),
    ("precision_recall_curve", "recalls", "precisions"),
)


@dataclass(frozen=True, slots=True)
class Judged:
    """``roc`` are false and true positive rates, ``precision_recall`` recalls and precisions; ``confusion`` counts, by
    what is true and then by what was said."""

    roc: Points = ()
    precision_recall: Points = ()
    confusion: Mapping[str, Mapping[str, float]] | None = None


def judged(document: Any) -> Judged:
    """Of a report as it was parsed; whatever has another form is passed over.

    >>> judged({"metrics": {"precision_recall_curve": {"recalls": [0, 1], "precisions": [1, 0.5]}}})
    Judged(roc=(), precision_recall=((0.0, 1.0), (1.0, 0.5)), confusion=None)
    """
    for part in document.values() if isinstance(document, dict) else ():
        if isinstance(part, dict):
            roc, curve = (_points(part.get(name), across, up) for name, across, up in _CURVES)
            matrix = _matrix(part.get("confusion_matrix"))
            if roc or curve or matrix:
                return Judged(roc, curve, matrix)
    return Judged()


def _points(curve: Any, across: str, up: str) -> Points:
    if not isinstance(curve, dict):
        return ()
    xs, ys = curve.get(across), curve.get(up)
    if not isinstance(xs, list) or not isinstance(ys, list) or len(xs) != len(ys):
        return ()
    points = tuple((_number(x), _number(y)) for x, y in zip(xs, ys, strict=True))
    return points if len(points) > 1 and all(map(math.isfinite, (end for point in points for end in point))) else ()


def _matrix(found: Any) -> Mapping[str, Mapping[str, float]] | None:
    if not isinstance(found, dict) or not found or not all(isinstance(row, dict) for row in found.values()):
        return None
    return {str(true): {str(said): _number(count) for said, count in row.items()} for true, row in found.items()}


def _number(value: Any) -> float:
    """NaN for what is none, or is larger than any."""
    try:
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    except OverflowError:
        return math.nan


@dataclass(frozen=True, slots=True)
class Drifted:
    """How a feature is distributed: bars from where to where, and which part of all."""

    feature: str
    before: Sequence[tuple[float, float, float]]
    now: Sequence[tuple[float, float, float]]


def drifted(before: Any, now: Any) -> list[Drifted]:
    """Features that both statistics tell a distribution of."""
    old, new = dict(_distributions(before)), dict(_distributions(now))
    return [Drifted(name, old[name], new[name]) for name in old if name in new][:_MOST_FEATURES]


def _distributions(statistics: Any) -> Iterator[tuple[str, Sequence[tuple[float, float, float]]]]:
    features = statistics.get("features") if isinstance(statistics, dict) else None
    for feature in features if isinstance(features, list) else ():
        try:
            buckets = feature["numerical_statistics"]["distribution"]["kll"]["buckets"]
            spans = [
                (_number(one["lower_bound"]), _number(one["upper_bound"]), _number(one["count"])) for one in buckets
            ]
            name = str(feature["name"])
        except (KeyError, TypeError):
            continue
        total = sum(count for _, _, count in spans)
        if spans and math.isfinite(total) and total > 0 and all(map(math.isfinite, (s[0] + s[1] for s in spans))):
            yield name, [(low, high, count / total) for low, high, count in spans]
