"""What each feature contributes to a model's answers: kernel SHAP, and partial dependence.

Lundberg, Lee: A Unified Approach to Interpreting Model Predictions (2017). All coalitions are asked where they are no
more than the samples, so that the values are exact; else coalitions are drawn in pairs with their complements.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any, TypeAlias

import numpy as np

from mlops.monitor.cells import Array, as_text
from mlops.monitor.fault import Fault

Predict: TypeAlias = Callable[[Sequence[Sequence[Any]]], Array]
"""A line of outputs for each row of features."""

_ROWS = 20_000
"""Of synthetic rows at a time."""
_FEWEST = 1 << 11
AGGREGATES: Mapping[str, Callable[[Array], Array]] = {
    "mean_abs": lambda values: np.abs(values).mean(axis=0),
    "median": lambda values: np.median(values, axis=0),
    "mean_sq": lambda values: (values**2).mean(axis=0),
}


def kernel_shap(
    predict: Predict, rows: Array, background: Array, samples: int | None, seed: int
) -> tuple[Array, Array]:
    """``rows`` and ``background`` are matrices of objects. Answers the values by row, feature and output, and the mean
    output of the background."""
    many, features = rows.shape
    expected = predict(background.tolist()).mean(axis=0)
    masks, weights = _coalitions(features, samples or 2 * features + _FEWEST, seed)
    values = np.empty((many, features, len(expected)))
    at_once = max(1, _ROWS // max(1, len(masks) * len(background)))
    for start in range(0, many, at_once):
        part = rows[start : start + at_once]
        mixed = np.where(masks[None, :, None, :], part[:, None, None, :], background[None, None, :, :])
        answers = predict(mixed.reshape(-1, features).tolist()) if len(masks) else np.empty((0, len(expected)))
        means = answers.reshape(len(part), len(masks), len(background), -1).mean(axis=2)
        outputs = predict(part.tolist())
        for at in range(len(part)):
            values[start + at] = _solved(masks, weights, means[at] - expected, outputs[at] - expected)
        print(f"attributions: {min(start + at_once, many)} of {many} rows", flush=True)
    return values, expected


def _coalitions(features: int, samples: int, seed: int) -> tuple[Array, Array]:
    """Which features are the row's own, and the weight of each such choice; neither none nor all of them."""
    if features < 2:
        return np.empty((0, features), dtype=bool), np.empty(0)
    if 2**features - 2 <= samples:
        masks = np.array([*product((False, True), repeat=features)][1:-1])
        sizes = masks.sum(axis=1)
        weights = [(features - 1) / (math.comb(features, size) * size * (features - size)) for size in sizes.tolist()]
        return masks, np.array(weights)
    random = np.random.default_rng(seed)
    sizes = np.arange(1, features)
    chances = 1 / (sizes * (features - sizes))
    drawn = random.choice(sizes, size=(samples + 1) // 2, p=chances / chances.sum())
    ranked = random.random((len(drawn), features)).argsort(axis=1).argsort(axis=1)
    half = ranked < drawn[:, None]
    masks, counts = np.unique(np.concatenate([half, ~half]), axis=0, return_counts=True)
    return masks, counts.astype(float)


def _solved(masks: Array, weights: Array, gains: Array, total: Array) -> Array:
    """The weighted least squares whose values add up to ``total``: the last one is what the others leave."""
    features = masks.shape[1]
    if features == 1:
        return total[None, :]
    last = masks[:, -1:].astype(float)
    design = masks[:, :-1].astype(float) - last
    root = np.sqrt(weights)[:, None]
    found, *_ = np.linalg.lstsq(design * root, (gains - last * total[None, :]) * root, rcond=None)
    return np.concatenate([found, (total - found.sum(axis=0))[None, :]])


def clustered(rows: Array, clusters: int, seed: int) -> Array:
    """Rows that stand for the others: the means of k-means' clusters of numbers, the most frequent of what is none."""
    numeric = np.array(
        [all(isinstance(item, int | float) for item in column) for column in rows.T.tolist()], dtype=bool
    )
    numbers = rows[:, numeric].astype(float)
    spread = numbers.std(axis=0) if numbers.size else np.empty(0)
    scaled = (numbers - numbers.mean(axis=0)) / np.where(spread == 0, 1, spread) if numbers.size else numbers
    random = np.random.default_rng(seed)
    centres = scaled[random.choice(len(rows), size=min(clusters, len(rows)), replace=False)]
    nearest: Array = np.zeros(len(rows), dtype=int)
    for _ in range(50 if numbers.size else 0):
        before = nearest
        # One centre after the other: all differences at once are as many times the data.
        nearest = np.array([((scaled - centre) ** 2).sum(axis=1) for centre in centres]).argmin(axis=0)
        centres = np.array(
            [scaled[nearest == at].mean(axis=0) if (nearest == at).any() else centres[at] for at in range(len(centres))]
        )
        if (nearest == before).all():
            break
    found = np.empty((len(centres), rows.shape[1]), dtype=object)
    for at in range(len(centres)):
        members = rows[nearest == at] if (nearest == at).any() else rows
        for column in range(rows.shape[1]):
            values = members[:, column].tolist()
            found[at, column] = sum(values) / len(values) if numeric[column] else _most_frequent(values)
    return found


def _most_frequent(values: Sequence[Any]) -> Any:
    """Of several the first in the order of their texts."""
    counts = Counter(values)
    return min(counts, key=lambda value: (-counts[value], as_text(value)))


def partial_dependence(
    predict: Predict, rows: Array, column: int, resolution: int
) -> tuple[str, list[Any], list[float], Array]:
    """Whether the feature is numerical or categorical, its values, the share of rows at each, and the mean outputs."""
    values = rows[:, column].tolist()
    if all(isinstance(item, int | float) for item in values):
        low, high = min(values), max(values)
        bounds = np.linspace(low, high, resolution + 1)
        counts, _ = np.histogram(np.array(values, dtype=float), bins=bounds)
        grid: list[Any] = ((bounds[1:] + bounds[:-1]) / 2).tolist()
        kind, shares = "numerical", (counts / len(values)).tolist()
    else:
        counted = Counter(values)
        grid = sorted(counted, key=as_text)
        kind, shares = "categorical", [counted[item] / len(values) for item in grid]
    means = []
    for value in grid:
        changed = rows.copy()
        changed[:, column] = value
        means.append(predict(changed.tolist()).mean(axis=0))
    return kind, grid, shares, np.array(means)


def ndcg(now: Mapping[str, float], before: Mapping[str, float]) -> float:
    """How well the order of the attributions now keeps that of the baseline, 1 where it is the same.

    >>> round(ndcg({"a": 1.0, "b": 2.0, "c": 3.0}, {"a": 3.0, "b": 2.0, "c": 1.0}), 3)
    0.79
    """
    names = sorted(before)
    gains = np.array([abs(before[name]) for name in names])
    found = np.array([abs(now.get(name, 0.0)) for name in names])
    discounts = 1 / np.log2(np.arange(len(names)) + 2)
    best = float((np.sort(gains)[::-1] * discounts).sum())
    if not best:
        raise Fault("all attributions of the baseline are 0")
    return float((gains[np.argsort(-found, kind="stable")] * discounts).sum()) / best
