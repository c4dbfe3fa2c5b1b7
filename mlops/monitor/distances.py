"""How far a column's distribution went from that of its baseline, and how likely that is where it did not.

``ks``    greatest difference of the two distribution functions (Kolmogorov, Smirnov); Model Monitor's L-infinity
``psi``   Population Stability Index over tenths of the baseline, or categories. Where nothing changed nm/(n+m) of it is
          chi-squared with a degree of freedom less than cells (Yurdakul, Naranjo: Statistical Properties of the
          Population Stability Index, 2020): so 0.2 says something of a thousand rows and nothing of fifty
``linf``  greatest difference of a category's share; of numbers the same as ``ks``
``chi2``  Pearson's test that both have the same shares; its distance is the greatest difference of a share

Sizes are what a sample is worth: values that were kept in a sketch are worth no more than the sketch is precise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias, get_args

import numpy as np

from mlops.monitor.cells import Array
from mlops.monitor.sketch import SIZE, ranks_at, weighted
from mlops.monitor.tails import of_chi_squared, of_kolmogorov, of_normal

Statistic: TypeAlias = Literal["ks", "psi", "linf", "chi2"]
STATISTICS: tuple[Statistic, ...] = get_args(Statistic)

_BINS = 10
_FEWEST_IN_CELL = 5.0
_MOST_CELLS = 50
_EMPTY = 0.5
"""What an empty cell counts as, so that its logarithm is a number."""
_WORTH = 5e6
"""Of a sketch of 2048: its ranks deviate by 0.00016 of all (measured over its own seeds), as those of 10 million do."""
REST = "\0rest"
"""Categories that a baseline has not kept apart: all that are none of its own belong to it."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Values in their order, and for each how many are no greater."""

    values: Array
    ranks: Array
    worth: float

    @property
    def many(self) -> float:
        return float(self.ranks[-1])


@dataclass(frozen=True, slots=True)
class Categories:
    counts: Mapping[str, float]

    @property
    def many(self) -> float:
        return float(sum(self.counts.values()))

    @property
    def worth(self) -> float:
        return self.many


Distribution: TypeAlias = Numbers | Categories


@dataclass(frozen=True, slots=True)
class Distance:
    """``probability`` is that of a value as large where nothing has changed; ``detectable`` tells which value has a
    given one."""

    statistic: Statistic
    value: float
    probability: float
    detectable: Callable[[float], float]


def numbers(levels: Sequence[Sequence[float]] | Sequence[Array], size: float = SIZE) -> Numbers:
    """Of a sketch's levels. Raises ValueError where it is none, or empty."""
    values, ranks = weighted(levels)
    if not len(values):
        raise ValueError("an empty sketch")
    many = float(ranks[-1])
    kept = _WORTH * (size / SIZE) ** 2
    return Numbers(values, ranks, many if len(values) == many else many * kept / (many + kept))


def measure(now: Distribution, before: Distribution, statistic: Statistic | None = None) -> Distance:
    """By the ``statistic``, without one by the test that fits: ``ks`` for numbers and ``chi2`` for categories. Raises
    ValueError for ``ks`` of categories, and for numbers against categories."""
    if isinstance(now, Numbers) and isinstance(before, Numbers):
        match statistic:
            case None | "ks" | "linf":
                return _of_functions(now, before, statistic or "ks")
            case "psi" | "chi2":
                return _of_cells(*_in_tenths(now, before), now.worth, before.worth, statistic)
    if isinstance(now, Categories) and isinstance(before, Categories):
        if statistic == "ks":
            raise ValueError("ks is of numbers; psi, linf and chi2 are of categories")
        return _of_cells(*_by_category(now, before), now.worth, before.worth, statistic or "chi2")
    raise ValueError("one holds numbers and the other categories")


def _both(first: float, second: float) -> float:
    """What two samples are worth together, where their shares are compared."""
    return first * second / (first + second)


def _of_functions(now: Numbers, before: Numbers, statistic: Statistic) -> Distance:
    places = np.concatenate([now.values, before.values])
    shares = ranks_at(places, now.values, now.ranks) / now.many
    old_shares = ranks_at(places, before.values, before.ranks) / before.many
    value = float(np.abs(shares - old_shares).max())
    tail = partial(of_kolmogorov, size=_both(now.worth, before.worth))
    return Distance(statistic, value, tail(value), partial(_least, tail, 1.0))


def _least(tail: Callable[[float], float], most: float, level: float) -> float:
    from mlops.monitor.tails import detectable

    return detectable(tail, level, most)


def _in_tenths(now: Numbers, before: Numbers) -> tuple[Array, Array]:
    """Counts between the baseline's deciles; fewer where many of its values are the same."""
    wanted = before.many * np.arange(1, _BINS) / _BINS
    edges = np.unique(before.values[np.searchsorted(before.ranks, wanted)])
    edges = edges[edges < before.values[-1]]

    def counts(side: Numbers) -> Array:
        below = ranks_at(edges, side.values, side.ranks).astype(float)
        return np.diff(np.concatenate([[0.0], below, [side.many]]))

    return counts(now), counts(before)


def _by_category(now: Categories, before: Categories) -> tuple[Array, Array]:
    """Cells in which both together have enough; what is rare is one cell, by the sum of both, so that neither is
    favoured."""
    known = before.counts.keys() - {REST} if REST in before.counts else None
    found: dict[str, float] = {}
    for name, count in now.counts.items():
        cell = name if known is None or name in known else REST
        found[cell] = found.get(cell, 0.0) + count
    names = sorted({*found, *before.counts})
    pairs = np.array([[found.get(name, 0.0), before.counts.get(name, 0.0)] for name in names]).reshape(-1, 2)
    totals = pairs.sum(axis=1)
    least = min(now.many, before.many) / (now.many + before.many) * totals
    order = np.argsort(-totals, kind="stable")
    kept = order[(least[order] >= _FEWEST_IN_CELL) & (np.arange(len(order)) < _MOST_CELLS)]
    rest = np.setdiff1d(order, kept)
    cells = pairs[kept]
    if len(rest):
        cells = np.concatenate([cells, pairs[rest].sum(axis=0, keepdims=True)])
    if len(cells) > 1 and cells[-1].sum() * min(now.many, before.many) / (now.many + before.many) < _FEWEST_IN_CELL:
        cells[-2] += cells[-1]
        cells = cells[:-1]
    return cells[:, 0], cells[:, 1]


def _of_cells(now: Array, before: Array, worth: float, old_worth: float, statistic: Statistic) -> Distance:
    size, freedom = _both(worth, old_worth), len(now) - 1
    if freedom < 1:
        return Distance(statistic, 0.0, 1.0, lambda level: math.inf)
    shares, old_shares = now / now.sum(), before / before.sum()
    # Both samples as if there was one, weighted by what each is worth.
    pooled = (shares * worth + old_shares * old_worth) / (worth + old_worth)
    differences = np.abs(shares - old_shares)
    match statistic:
        case "psi":
            value = psi(now, before)

            def tail(value: float) -> float:
                return of_chi_squared(size * value, freedom)

            return Distance(statistic, value, tail(value), partial(_least, tail, 1e3))
        case "chi2":
            there = pooled > 0
            summed = float(size * (differences[there] ** 2 / pooled[there]).sum())

            def of_difference(value: float) -> float:
                """Of one cell that changes by so much at the cost of all others alike: the least it can be."""
                return of_chi_squared(size * 4 * value**2, freedom)

            return Distance(
                statistic,
                float(differences.max()),
                of_chi_squared(summed, freedom),
                partial(_least, of_difference, 1.0),
            )
        case _:
            deviations = np.sqrt(np.maximum(pooled * (1 - pooled), 1e-300) / size)

            def of_greatest(value: float) -> float:
                """At most the sum over all cells."""
                return min(1.0, math.fsum(of_normal(value / deviation) for deviation in deviations.tolist()))

            value = float(differences.max())
            return Distance(statistic, value, of_greatest(value), partial(_least, of_greatest, 1.0))


def psi(now: Array, before: Array) -> float:
    """Of counts by cell.

    >>> round(psi(np.array([30.0, 70.0]), np.array([50.0, 50.0])), 4)
    0.1695
    """
    shares = np.maximum(now, _EMPTY) / np.maximum(now, _EMPTY).sum()
    old_shares = np.maximum(before, _EMPTY) / np.maximum(before, _EMPTY).sum()
    return float(((shares - old_shares) * np.log(shares / old_shares)).sum())
