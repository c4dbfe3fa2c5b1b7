"""What no single column shows: how columns go together, and small shifts of many at once.

Each column becomes scores: where a value stands among those of the baseline, as a normal deviate, at most three of
them. Of a column of categories the score says whether it is the baseline's most frequent one. Of the scores only sums
are kept, so that any number of rows takes the same memory.

Two statistics are one: the smaller of two probabilities, doubled.

- Hotelling's T-squared of the means.
- The greatest change of a covariance by its own deviation (Cai, Liu, Xia: Two-Sample Covariance Matrix Testing and
  Support Recovery in High-Dimensional and Sparse Settings, 2013), whose probability is at most the sum over all pairs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlops.monitor.cells import Array, Cells, Chunk, aligned, as_text
from mlops.monitor.tails import of_f, of_normal

MOST_COLUMNS = 200
"""More are left out: their sums are the square of their number."""
_GRID = 64
_MOST = 3.0
_LEAST_DEVIATION = 1e-9


@dataclass(frozen=True, slots=True)
class Scale:
    """How a value becomes a score: by ``places`` with a score below, between and above each, or by ``category``."""

    places: Array
    scores: Array
    category: str | None = None

    def of(self, cells: Cells) -> Array:
        """A score for each row; 0 where there is none."""
        if self.category is not None:
            return np.array([float(as_text(value) == self.category) for value in cells.rows])
        values = cells.rows if isinstance(cells.rows, np.ndarray) else aligned(cells.rows)
        found = self.scores[np.searchsorted(self.places, values)]
        return np.where(np.isnan(values), 0.0, found)

    def document(self) -> dict[str, Any]:
        if self.category is not None:
            return {"category": self.category}
        return {"places": self.places.tolist(), "scores": self.scores.tolist()}


def scale_of_numbers(values: Array, ranks: Array) -> Scale:
    """Of the baseline's values in their order, and how many are no greater: at most 64 places."""
    many = float(ranks[-1])
    wanted = many * np.arange(1, _GRID) / _GRID
    places = np.unique(values[np.searchsorted(ranks, wanted)])
    below = np.concatenate([[0.0], ranks[np.searchsorted(values, places, side="right") - 1] / many, [1.0]])
    middle = (below[1:] + below[:-1]) / 2
    return Scale(places, np.array([_deviate(share) for share in middle.tolist()]))


def scale_of_category(category: str) -> Scale:
    return Scale(np.empty(0), np.empty(0), category)


def _deviate(share: float) -> float:
    from statistics import NormalDist

    return max(-_MOST, min(_MOST, NormalDist().inv_cdf(min(max(share, 1e-6), 1 - 1e-6))))


class Sums:
    """Of scores, their products and the squares of those, chunk by chunk."""

    def __init__(self, scales: Mapping[str, Scale]) -> None:
        many = len(scales)
        self.scales = scales
        self.rows = 0
        self.sum: Array = np.zeros(many)
        self.products: Array = np.zeros((many, many))
        self.squares: Array = np.zeros((many, many))
        self.mixed: Array = np.zeros((many, many))
        """Of the square of the one and the other: what the squares of products about the means need."""

    def add(self, chunk: Chunk) -> None:
        rows = max((cells.present + cells.missing for cells in chunk.values()), default=0)
        scores = np.zeros((rows, len(self.scales)))
        for at, (name, scale) in enumerate(self.scales.items()):
            if name in chunk:
                scores[:, at] = scale.of(chunk[name])
        squared: Array = scores**2
        self.rows += rows
        self.sum += scores.sum(axis=0)
        self.products += scores.T @ scores
        self.squares += squared.T @ squared
        self.mixed += squared.T @ scores

    def document(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "columns": {name: scale.document() for name, scale in self.scales.items()},
            "sum": self.sum.tolist(),
            "products": self.products.tolist(),
            "squares": self.squares.tolist(),
            "mixed": self.mixed.tolist(),
        }

    def moments(self) -> tuple[Array, Array, Array]:
        """Means, covariances, and the variances of products about the means."""
        many = self.rows
        mean = self.sum / many
        second = self.products / many
        covariance = second - np.outer(mean, mean)
        first, other, of_square = mean[:, None], mean[None, :], np.diag(second)
        # E[(x-a)^2 (y-b)^2], taken apart.
        fourth = (
            self.squares / many
            - 2 * (other * self.mixed + first * self.mixed.T) / many
            + other**2 * of_square[:, None]
            + first**2 * of_square[None, :]
            + 4 * first * other * second
            - 3 * first**2 * other**2
        )
        return mean, covariance, np.maximum(fourth - covariance**2, 0.0)


def sums_of(document: Mapping[str, Any]) -> Sums:
    """What :meth:`Sums.document` wrote. Raises KeyError, TypeError and ValueError for what did not come from it."""
    scales = {
        str(name): scale_of_category(str(told["category"]))
        if "category" in told
        else Scale(np.array(told["places"], dtype=float), np.array(told["scores"], dtype=float))
        for name, told in document["columns"].items()
    }
    found = Sums(scales)
    found.rows = int(document["rows"])
    many = len(scales)
    for member, shape in (
        ("sum", (many,)),
        ("products", (many, many)),
        ("squares", (many, many)),
        ("mixed", (many, many)),
    ):
        array = np.array(document[member], dtype=float)
        if array.shape != shape:
            raise ValueError(f"{member} has the shape {array.shape}, and {many} columns want {shape}")
        setattr(found, member, array)
    return found


@dataclass(frozen=True, slots=True)
class Joint:
    """``pair`` are the columns whose covariance changed most by its deviation; ``shift`` is the length of the means'
    difference in units of the scores' own spread,
    ``change`` how much that covariance of scores changed."""

    probability: float
    of_means: float
    of_pairs: float
    pair: tuple[str, str] | None
    shift: float
    change: float


def compare(now: Sums, before: Sums) -> Joint:
    """Both have the same columns."""
    names = [*before.scales]
    many, old_many = now.rows, before.rows
    mean, covariance, variance = now.moments()
    old_mean, old_covariance, old_variance = before.moments()
    size = many * old_many / (many + old_many)
    pooled = (covariance * many + old_covariance * old_many) / (many + old_many)
    values, vectors = np.linalg.eigh(pooled)
    kept = values > max(float(values[-1]), 1e-12) * 1e-9 if len(values) else np.zeros(0, bool)
    turned = vectors[:, kept].T @ (mean - old_mean)
    shift = float((turned**2 / values[kept]).sum())
    columns, left = int(kept.sum()), many + old_many - int(kept.sum()) - 1
    of_means = 1.0
    if columns and left > 0:
        of_means = of_f(size * shift * left / (columns * (many + old_many - 2)), columns, left)
    pair, of_pairs, changed = None, 1.0, 0.0
    upper = np.triu_indices(len(names), 1)
    deviation = np.sqrt(variance / many + old_variance / old_many)[upper]
    there = deviation > _LEAST_DEVIATION
    if there.any():
        change = np.abs(covariance - old_covariance)[upper]
        ratios = np.divide(change, deviation, out=np.zeros_like(change), where=there)
        greatest = int(ratios.argmax())
        pair = (names[int(upper[0][greatest])], names[int(upper[1][greatest])])
        changed = float(change[greatest])
        of_pairs = min(1.0, int(there.sum()) * of_normal(float(ratios[greatest])))
    return Joint(min(1.0, 2 * min(of_means, of_pairs)), of_means, of_pairs, pair, math.sqrt(shift), changed)
