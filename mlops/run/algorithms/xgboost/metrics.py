"""Metrics that the container has beside the library's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

MAXIMIZED = (
    "accuracy", "auc", "aucpr", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "map", "ndcg", "precision", "r2",
    "recall", "precision_macro", "precision_micro", "recall_macro", "recall_micro",
)  # fmt: skip
MINIMIZED = (
    "aft-nloglik", "cox-nloglik", "error", "gamma-deviance", "gamma-nloglik", "interval-regression-accuracy", "logloss",
    "mae", "mape", "merror", "mlogloss", "mphe", "mse", "poisson-nloglik", "rmse", "rmsle", "tweedie-nloglik",
)  # fmt: skip


def evaluation(names: Sequence[str], objective: str | None) -> Callable[[Any, Any], list[tuple[str, float]]]:
    """What the library calls after each round with its predictions, which are no margins."""

    def evaluate(predictions: Any, matrix: Any) -> list[tuple[str, float]]:
        truth = matrix.get_label()
        if predictions.size == 0:
            return [(name, 0.0) for name in names]
        return [(name, float(OWN[name](truth, predictions, objective))) for name in names]

    return evaluate


def classes(predictions: Any, objective: str | None) -> Any:
    """The class of each row."""
    if predictions.ndim > 1:
        return predictions.argmax(axis=-1)
    if objective == "multi:softmax":
        return predictions.astype(int)
    # Of hinge and logitraw they are no probabilities.
    return (predictions > (0.0 if objective in ("binary:hinge", "binary:logitraw") else 0.5)).astype(int)


def _of_classes(judge: Callable[[Any, Any], float]) -> Callable[[Any, Any, str | None], float]:
    return lambda truth, predictions, objective: judge(truth, classes(predictions, objective))


def _accuracy(truth: Any, found: Any) -> float:
    return float(np.mean(truth == found))


def _balanced_accuracy(truth: Any, found: Any) -> float:
    return float(np.mean([np.mean(found[truth == label] == label) for label in np.unique(truth)]))


def _counts(truth: Any, found: Any, label: Any) -> tuple[int, int, int]:
    """Hits, how many were said to be, how many are."""
    said, are = found == label, truth == label
    return int(np.sum(said & are)), int(np.sum(said)), int(np.sum(are))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _precision_of(hits: int, said: int, are: int) -> float:
    return _ratio(hits, said)


def _recall_of(hits: int, said: int, are: int) -> float:
    return _ratio(hits, are)


def _f1_of(hits: int, said: int, are: int) -> float:
    return _ratio(2 * hits, said + are)


def _binary(score: Callable[[int, int, int], float]) -> Callable[[Any, Any], float]:
    def judge(truth: Any, found: Any) -> float:
        if len(np.union1d(truth, found)) > 2:
            raise ValueError(
                "Target is multiclass but average='binary'. Please choose another average setting, one of "
                "[None, 'micro', 'macro', 'weighted']."
            )
        return score(*_counts(truth, found, 1))

    return judge


def _macro(score: Callable[[int, int, int], float]) -> Callable[[Any, Any], float]:
    def judge(truth: Any, found: Any) -> float:
        return float(np.mean([score(*_counts(truth, found, label)) for label in np.union1d(truth, found)]))

    return judge


def _mse(truth: Any, predictions: Any, objective: str | None) -> float:
    return float(np.mean((truth - predictions) ** 2))


def _r2(truth: Any, predictions: Any, objective: str | None) -> float:
    left = float(np.sum((truth - predictions) ** 2))
    whole = float(np.sum((truth - truth.mean()) ** 2))
    if whole == 0:
        return 1.0 if left == 0 else 0.0
    return 1 - left / whole


OWN: Mapping[str, Callable[[Any, Any, str | None], float]] = {
    "accuracy": _of_classes(_accuracy),
    "balanced_accuracy": _of_classes(_balanced_accuracy),
    "f1": _of_classes(_macro(_f1_of)),
    "f1_binary": _of_classes(_binary(_f1_of)),
    "f1_macro": _of_classes(_macro(_f1_of)),
    "mse": _mse,
    "precision": _of_classes(_binary(_precision_of)),
    "precision_macro": _of_classes(_macro(_precision_of)),
    "precision_micro": _of_classes(_accuracy),
    "r2": _r2,
    "recall": _of_classes(_binary(_recall_of)),
    "recall_macro": _of_classes(_macro(_recall_of)),
    "recall_micro": _of_classes(_accuracy),
}
"""``rmse`` and ``mae`` are the library's own: the newest container computes them a second time."""
