"""A KLL sketch: the distribution of any number of values in a few thousand of them.

Level ``h`` holds values that stand for ``2 ** h`` each. A level that is too full is sorted, and every second value goes
up for two. Which of a pair goes is decided by a generator of a fixed seed, so that the same data give the same file.
Karnin, Lang, Liberty: Optimal Quantile Approximation in Streams (2016).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from mlops.monitor.cells import Array

SIZE, SHRINKING = 2048, 0.64
"""As in the files of Model Monitor's container."""

BUCKETS = 10


class Sketch:
    def __init__(self) -> None:
        self._levels: list[Array] = [np.empty(0)]
        self._random = np.random.default_rng(0)

    def add(self, values: Array) -> None:
        self._levels[0] = np.concatenate([self._levels[0], values])
        while sum(map(len, self._levels)) > sum(map(self._capacity, range(len(self._levels)))):
            self._compact()

    def _capacity(self, level: int) -> int:
        return max(2, math.ceil(SIZE * SHRINKING ** (len(self._levels) - 1 - level)))

    def _compact(self) -> None:
        """The lowest level that is too full."""
        level = next(at for at in range(len(self._levels)) if len(self._levels[at]) > self._capacity(at))
        full = np.sort(self._levels[level])
        if level + 1 == len(self._levels):
            self._levels.append(np.empty(0))
        # A value that has no partner stays: the weights add up to the count.
        left, pairs = full[: len(full) % 2], full[len(full) % 2 :]
        self._levels[level] = left
        chosen = pairs[int(self._random.integers(2)) :: 2]
        self._levels[level + 1] = np.concatenate([self._levels[level + 1], chosen])

    def data(self) -> list[list[float]]:
        return [[float(value) for value in level] for level in self._levels]

    def weighted(self) -> tuple[Array, Array]:
        return weighted(self._levels)


def weighted(levels: Sequence[Any]) -> tuple[Array, Array]:
    """The values in their order, and for each how many are no greater. Raises ValueError for what is no sketch.

    >>> values, ranks = weighted([[3.0, 1.0], [2.0]])
    >>> values.tolist(), ranks.tolist()
    ([1.0, 2.0, 3.0], [1, 3, 4])
    """
    arrays = [np.asarray(level, dtype=float).reshape(-1) for level in levels]
    values = np.concatenate(arrays) if arrays else np.empty(0)
    weights = np.concatenate([np.full(len(array), 1 << at) for at, array in enumerate(arrays)] or [np.empty(0, int)])
    order = np.argsort(values, kind="stable")
    return values[order], np.cumsum(weights[order])


def ranks_at(places: Array, values: Array, ranks: Array, side: Literal["left", "right"] = "right") -> Array:
    """How many values are no greater than each place; with ``side`` left, how many are smaller."""
    return np.concatenate([[0], ranks])[np.searchsorted(values, places, side=side)]


def buckets(sketch: Sketch, low: float, high: float) -> list[dict[str, float]]:
    """Of equal width; a value on a bound belongs to the bucket above it, the greatest one to the last."""
    values, ranks = sketch.weighted()
    bounds = [low + (high - low) * number / BUCKETS for number in range(BUCKETS + 1)]
    below = ranks_at(np.array(bounds), values, ranks, side="left").astype(float)
    below[-1] = ranks[-1]
    return [
        {"lower_bound": bounds[at], "upper_bound": bounds[at + 1], "count": float(below[at + 1] - below[at])}
        for at in range(BUCKETS)
    ]
