"""How far two distributions are apart, by what Model Monitor's container measures (Deequ's Distance).

*Simple* is the greatest difference of the two distribution functions, for categories that of the shares. *Robust* takes
off it what samples of that size differ by anyway.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mlops.monitor.sketch import ranks_at, weighted
from mlops.monitor.tails import of_chi_squared

_ROBUST = 1.8  # Deequ's: a two-sample Kolmogorov-Smirnov test at the 0.3 % level
_FEWEST_EXPECTED, _SHARE_BELOW = 5, 0.2
_FEWEST_OF_TWO = 10


def of_numbers(now: Sequence[Any], before: Sequence[Any], *, robust: bool) -> float:
    """Of two sketches' levels. Raises ValueError where one is no sketch, or empty.

    >>> of_numbers([[1, 2, 3, 4]], [[2, 3, 4, 5]], robust=False)
    0.25
    """
    (values, ranks), (old_values, old_ranks) = weighted(now), weighted(before)
    if not len(values) or not len(old_values):
        raise ValueError("an empty sketch")
    places = np.concatenate([values, old_values])
    shares = ranks_at(places, values, ranks) / ranks[-1]
    old_shares = ranks_at(places, old_values, old_ranks) / old_ranks[-1]
    return _distance(float(np.abs(shares - old_shares).max()), float(ranks[-1]), float(old_ranks[-1]), robust)


def of_categories(now: Mapping[str, float], before: Mapping[str, float], *, robust: bool) -> float:
    """Of counts by category, at least one each.

    >>> of_categories({"a": 1, "b": 3}, {"a": 2, "b": 2}, robust=False)
    0.25
    """
    many, old_many = sum(now.values()), sum(before.values())
    simple = max(abs(now.get(name, 0) / many - before.get(name, 0) / old_many) for name in {*now, *before})
    return _distance(simple, many, old_many, robust)


def _distance(simple: float, many: float, old_many: float, robust: bool) -> float:
    if not robust:
        return simple
    return max(0.0, simple - _ROBUST * math.sqrt((many + old_many) / (many * old_many)))


def chi_squared(now: Mapping[str, float], before: Mapping[str, float]) -> float | None:
    """The p-value of the counts ``now`` where the shares are as before. Categories that are too rare for the test are
    put together, those that were not there before are left to the check of categories; None where fewer than two are
    left.

    >>> round(chi_squared({"a": 30, "b": 70}, {"a": 500, "b": 500}), 6)
    6.3e-05
    """
    seen = {name: float(now.get(name, 0)) for name in before}
    many, old_many = sum(seen.values()), sum(before.values())
    expected = {name: count / old_many * many for name, count in before.items()}
    while len(expected) >= 2 and _too_rare(expected):
        least, second = sorted(expected, key=lambda name: (expected[name], name))[:2]
        expected[second] += expected.pop(least)
        seen[second] += seen.pop(least)
    if len(expected) < 2:
        return None
    statistic = sum((seen[name] - expected[name]) ** 2 / expected[name] for name in expected)
    return of_chi_squared(statistic, len(expected) - 1)


def _too_rare(expected: Mapping[str, float]) -> bool:
    """Cochran's rule for two categories, Yates, Moore and McCabe's for more."""
    if len(expected) == 2:
        return min(expected.values()) < _FEWEST_OF_TWO
    below = sum(count < _FEWEST_EXPECTED for count in expected.values())
    return below > int(_SHARE_BELOW * len(expected))
