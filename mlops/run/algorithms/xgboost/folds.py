"""Cross validation as the container has it (``_kfold``, ``_num_cv_round``): folds, and what was predicted on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np


def folds(rows: int, count: int, repeats: int, labels: Any | None) -> Iterator[tuple[Any, Any]]:
    """Positions to train on and to look at. With ``labels`` each fold has as much of each class. Raises ValueError."""
    if labels is not None:
        classes, sizes = np.unique(labels, return_counts=True)
        if count > sizes.max():
            raise ValueError(f"n_splits={count} cannot be greater than the number of members in each class.")
    elif count > rows:
        raise ValueError(
            f"Cannot have number of splits n_splits={count} greater than the number of samples: n_samples={rows}."
        )
    random = np.random.default_rng()
    for _ in range(repeats):
        fold_of: Any = np.empty(rows, dtype=int)
        if labels is None:
            fold_of[random.permutation(rows)] = np.arange(rows) % count
        else:
            begin = 0
            for label in classes:
                places = random.permutation(np.flatnonzero(labels == label))
                fold_of[places] = (begin + np.arange(len(places))) % count
                begin += len(places)
        for fold in range(count):
            yield np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)


class Predictions:
    """Of all rows, once in each round; written to predictions.csv."""

    def __init__(self, truth: Any, rounds: int, *, classification: bool) -> None:
        self._truth = truth
        self._classes = np.zeros((len(truth), rounds))
        self._scores = np.zeros((len(truth), rounds))
        self._seen: Any = np.zeros(len(truth), dtype=int)
        self._classification = classification

    def add(self, rows: Any, predictions: Any) -> None:
        at = (rows, self._seen[rows])
        self._scores[at] = predictions.max(axis=-1) if predictions.ndim > 1 else predictions
        self._classes[at] = predictions.argmax(axis=-1) if predictions.ndim > 1 else predictions > 0.5
        self._seen[rows] += 1

    def save(self, folder: Path) -> None:
        columns = [self._truth, self._scores.mean(axis=-1)]
        if self._classification:
            columns.append(np.array([_most_frequent(row) for row in self._classes]))
        folder.mkdir(parents=True, exist_ok=True)
        np.savetxt(folder / "predictions.csv", np.vstack(columns).T, delimiter=",", fmt="%f")


def _most_frequent(values: Any) -> float:
    """The smallest of those that are."""
    found, counts = np.unique(values, return_counts=True)
    return float(found[counts.argmax()])


def report(rounds: int, results: Sequence[dict[str, dict[str, list[float]]]]) -> str:
    """The line of a round of cross validation, as a round of training prints its own."""
    line = f"[{rounds}]"
    for metric in results[0]["train"]:
        for name in results[0]:
            line += f"\t{name}-{metric}:{np.mean([result[name][metric][-1] for result in results]):.5f}"
    return line
