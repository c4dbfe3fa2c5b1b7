"""Statistics of CloudWatch over plain numbers.

A percentile rank is exclusive of its lower bound and inclusive of its upper one (guide, "Statistics definitions").
Percentiles are interpolated between the nearest ranks. How the service does it over its own aggregates is documented
nowhere; for a hundred values or more the difference is below what anybody judges by.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")
_RANK = re.compile(r"PR\((-?[\d.]*):(-?[\d.]*)\)")

_PLAIN: dict[str, Callable[[Sequence[float]], float]] = {
    "SampleCount": lambda values: float(len(values)),
    "Sum": math.fsum,
    "Average": lambda values: math.fsum(values) / len(values),
    "Minimum": min,
    "Maximum": max,
}


def is_known(statistic: str) -> bool:
    return statistic in _PLAIN or bool(_PERCENTILE.fullmatch(statistic) or _RANK.fullmatch(statistic))


def statistic_of(statistic: str, values: Sequence[float]) -> float:
    """``values`` are not empty. ``pNN`` is a percentile, ``PR(a:b)`` the percentage of values above a, up to b.

    >>> statistic_of("p50", [1, 2, 3, 4]), statistic_of("PR(:2)", [1, 2, 3, 4]), statistic_of("Sum", [1, 2])
    (2.5, 50.0, 3.0)
    >>> statistic_of("PR(1:3)", [1, 2, 3, 4])
    50.0
    """
    plain = _PLAIN.get(statistic)
    if plain is not None:
        return plain(values)
    if found := _PERCENTILE.fullmatch(statistic):
        return _percentile(sorted(values), float(found[1]) / 100)
    found = _RANK.fullmatch(statistic)
    if found is None:
        raise ValueError(f"{statistic!r} is no statistic")
    low = float(found[1]) if found[1] else -math.inf
    high = float(found[2]) if found[2] else math.inf
    return 100 * sum(low < value <= high for value in values) / len(values)


def _percentile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
