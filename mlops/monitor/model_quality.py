"""Metrics of a model's predictions against the truth, the constraints they suggest, and what violates those.

Names and forms are those of the developer guide (model-monitor-model-quality-metrics). A standard deviation is that of
the metric over five random samples of four fifths, where there are at least 200 rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from mlops.monitor.cells import Array, Cells, Chunk, aligned, as_text
from mlops.monitor.data import Source
from mlops.monitor.fault import Fault
from mlops.monitor.report import Report
from mlops.monitor.settings import section

_FEWEST, _SAMPLES, _SHARE = 200, 5, 0.8
_MOST_POINTS = 200
"""Of a curve in a file."""
_THRESHOLD = 0.5
_ROUNDING = 1e-9
_BETAS = (("f0_5", 0.5), ("f1", 1.0), ("f2", 2.0))
_WORSE_ABOVE = frozenset({"mae", "mse", "rmse", "false_positive_rate", "false_negative_rate"})
_OF_CONSTANT = "_best_constant_classifier"
_KINDS = {
    "Regression": "regression",
    "BinaryClassification": "binary_classification",
    "MulticlassClassification": "multiclass_classification",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """Columns by name, by index, or as ``$.name``."""

    problem: str
    truth: str
    prediction: str | None
    probability: str | None
    threshold: float


def asked(environment: Mapping[str, str]) -> Asked:
    """Raises :class:`Fault`."""
    problem, truth = environment.get("problem_type"), environment.get("ground_truth_attribute")
    if problem not in _KINDS:
        raise Fault(f"problem_type is {problem!r}; one of {', '.join(_KINDS)} is wanted")
    if not truth:
        raise Fault("the environment has no ground_truth_attribute")
    given = environment.get("probability_threshold_attribute")
    try:
        threshold = float(given) if given else _THRESHOLD
    except ValueError:
        raise Fault(f"probability_threshold_attribute is {given!r}, a number is wanted") from None
    prediction, probability = environment.get("inference_attribute"), environment.get("probability_attribute")
    if not prediction and not (problem == "BinaryClassification" and probability):
        raise Fault("the environment has no inference_attribute")
    return Asked(problem, truth, prediction or None, probability or None, threshold)


def constraints_member(asked: Asked) -> str:
    """Where a file of constraints has what is asked."""
    return f"{_KINDS[asked.problem]}_constraints"


def assess(data: Source, asked: Asked, constraints: Mapping[str, Any] | None) -> Report:
    """Raises :class:`Fault`."""
    kind = _KINDS[asked.problem]
    rows, answers = _read(data, asked)
    metrics = {
        name: {"value": value, "standard_deviation": deviation} for name, (value, deviation) in _spread(answers).items()
    }
    statistics = {
        "version": 0.0,
        "dataset": {"item_count": rows},
        f"{kind}_metrics": {**answers.described(), **metrics},
    }
    limits = {
        name: {
            "threshold": told["value"],
            "comparison_operator": "GreaterThanThreshold" if name in _WORSE_ABOVE else "LessThanThreshold",
        }
        for name, told in metrics.items()
        if not name.endswith(_OF_CONSTANT) and math.isfinite(told["value"])
    }
    suggested = {"version": 0.0, constraints_member(asked): limits}
    violations = None if constraints is None else [*violated(metrics, constraints, constraints_member(asked))]
    return Report(statistics, suggested, violations)


def violated(
    metrics: Mapping[str, Mapping[str, float]], constraints: Mapping[str, Any], member: str
) -> Iterator[dict[str, str]]:
    """Raises :class:`Fault` for constraints of something else."""
    limits = constraints.get(member)
    if not isinstance(limits, dict):
        raise Fault(f"the baseline's constraints have no {member}: they are of another problem_type, or another check")
    for name, limit in limits.items():
        told = metrics.get(name)
        operator, threshold = map(section(limit, f"{member}.{name}").get, ("comparison_operator", "threshold"))
        if not isinstance(threshold, int | float) or operator not in ("GreaterThanThreshold", "LessThanThreshold"):
            raise Fault(f"{member} of the baseline have no threshold and comparison_operator for {name}")
        if told is None:
            continue
        value, slack = told["value"], _ROUNDING * max(1.0, abs(threshold))
        if value > threshold + slack if operator == "GreaterThanThreshold" else value < threshold - slack:
            deviation = told["standard_deviation"]
            spread = "NaN" if math.isnan(deviation) else deviation
            description = f"Metric {name} with {value} +/- {spread} was {operator} '{threshold}'"
            yield {"constraint_check_type": operator, "description": description, "metric_name": name}


def _spread(answers: Answers) -> dict[str, tuple[float, float]]:
    """Each metric with its standard deviation."""
    values = answers.metrics(None)
    many = len(answers)
    if many < _FEWEST:
        return {name: (value, math.nan) for name, value in values.items()}
    random = np.random.default_rng(0)
    size = int(_SHARE * many)
    samples = [answers.metrics(random.permutation(many)[:size]) for _ in range(_SAMPLES)]
    return {
        name: (value, float(np.std([sample[name] for sample in samples], ddof=1))) for name, value in values.items()
    }


class Answers(Protocol):
    """Predictions beside the truth."""

    def __len__(self) -> int: ...

    def metrics(self, chosen: Array | None) -> dict[str, float]:
        """Of those rows, None for all; the same names whatever is chosen."""

    def described(self) -> dict[str, Any]:
        """What else the statistics tell of them."""


@dataclass(frozen=True, slots=True)
class _Numbers:
    truth: Array
    prediction: Array

    def __len__(self) -> int:
        return len(self.truth)

    def metrics(self, chosen: Array | None) -> dict[str, float]:
        truth = self.truth if chosen is None else self.truth[chosen]
        error = (self.prediction if chosen is None else self.prediction[chosen]) - truth
        mse, variance = float((error**2).mean()), float(((truth - truth.mean()) ** 2).mean())
        return {
            "mae": float(np.abs(error).mean()),
            "mse": mse,
            "rmse": math.sqrt(mse),
            "r2": 1 - mse / variance if variance else math.nan,
        }

    def described(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True, slots=True)
class _Classes:
    """``truth`` and ``prediction`` are positions in ``labels``, the positive one is the last of two."""

    labels: tuple[str, ...]
    truth: Array
    prediction: Array
    scores: Array | None

    def __len__(self) -> int:
        return len(self.truth)

    def confusion(self, chosen: Array | None) -> Array:
        """By truth, then by prediction."""
        truth, prediction = (
            (self.truth, self.prediction) if chosen is None else (self.truth[chosen], self.prediction[chosen])
        )
        many = len(self.labels)
        return np.bincount(truth * many + prediction, minlength=many * many).reshape(many, many)

    def described(self) -> dict[str, Any]:
        found = self.confusion(None)
        named = {
            label: {other: int(count) for other, count in zip(self.labels, row, strict=True)}
            for label, row in zip(self.labels, found, strict=True)
        }
        return {"confusion_matrix": named}


class _Many(_Classes):
    __slots__ = ()

    def metrics(self, chosen: Array | None) -> dict[str, float]:
        found = self.confusion(chosen)
        constant = np.zeros_like(found)
        # The guide's example of two classes is of the last one, which is no better than the name says only where it is
        # meant as the positive one.
        best = len(found) - 1 if len(found) == 2 else int(found.sum(axis=1).argmax())
        constant[:, best] = found.sum(axis=1)
        return {
            **_weighted(found),
            **{f"{name}{_OF_CONSTANT}": value for name, value in _weighted(constant).items()},
        }


def _weighted(found: Array) -> dict[str, float]:
    """Each class counts as often as it is true."""
    right, true, said = found.diagonal().astype(float), found.sum(axis=1), found.sum(axis=0)
    weights = true / true.sum()
    precision, recall = _over(right, said), _over(right, true)
    scores = {
        f"weighted_{name}": float(
            (weights * _over((1 + beta**2) * precision * recall, beta**2 * precision + recall)).sum()
        )
        for name, beta in _BETAS
    }
    return {
        "accuracy": float(right.sum() / true.sum()),
        "weighted_recall": float((weights * recall).sum()),
        "weighted_precision": float((weights * precision).sum()),
        **scores,
    }


def _over(above: Array, below: Array) -> Array:
    """0 where both are."""
    return np.divide(above, below, out=np.zeros(np.shape(above)), where=np.asarray(below) != 0)


class _Two(_Classes):
    __slots__ = ()

    def metrics(self, chosen: Array | None) -> dict[str, float]:
        found = self.confusion(chosen)
        constant = np.array([[0, found[0].sum()], [0, found[1].sum()]])
        rates = _rates(found)
        metrics = {
            **_main(found),
            **{f"{name}{_OF_CONSTANT}": value for name, value in _main(constant).items()},
            **rates,
        }
        if self.scores is not None:
            truth, scores = (self.truth, self.scores) if chosen is None else (self.truth[chosen], self.scores[chosen])
            metrics["auc"] = _area(truth, scores)
        return metrics

    def described(self) -> dict[str, Any]:
        told = super().described()
        if self.scores is not None:
            told |= _curves(self.truth, self.scores)
        return told


def _main(found: Array) -> dict[str, float]:
    (_, wrong), (missed, right) = found.astype(float)
    recall, precision = float(_over(right, right + missed)), float(_over(right, right + wrong))
    scores = {
        name: float(_over((1 + beta**2) * precision * recall, beta**2 * precision + recall)) for name, beta in _BETAS
    }
    accuracy = float((found[0, 0] + right) / found.sum())
    return {"recall": recall, "precision": precision, "accuracy": accuracy, **scores}


def _rates(found: Array) -> dict[str, float]:
    (kept, wrong), (missed, right) = found.astype(float)
    return {
        "true_positive_rate": float(_over(right, right + missed)),
        "true_negative_rate": float(_over(kept, kept + wrong)),
        "false_positive_rate": float(_over(wrong, kept + wrong)),
        "false_negative_rate": float(_over(missed, right + missed)),
    }


def _area(truth: Array, scores: Array) -> float:
    """Below the ROC curve; NaN where there is one class only."""
    false_rates, true_rates, _ = _points(truth, scores)
    if not len(false_rates):
        return math.nan
    return float((np.diff(false_rates) * (true_rates[1:] + true_rates[:-1])).sum() / 2)


def _points(truth: Array, scores: Array) -> tuple[Array, Array, Array]:
    """False and true positive rates and precisions, a point for each score, the greatest first; none with one class."""
    order = np.argsort(-scores, kind="stable")
    ordered, positive = scores[order], truth[order].astype(float)
    last: Array = np.append(np.nonzero(np.diff(ordered))[0], len(ordered) - 1)
    right = np.cumsum(positive)[last]
    wrong = last + 1 - right
    if not right[-1] or not wrong[-1]:
        return np.empty(0), np.empty(0), np.empty(0)
    start = np.zeros(1)
    return (
        np.concatenate([start, wrong / wrong[-1]]),
        np.concatenate([start, right / right[-1]]),
        right / (last + 1),
    )


def _curves(truth: Array, scores: Array) -> dict[str, Any]:
    false_rates, true_rates, precisions = _points(truth, scores)
    if not len(false_rates):
        return {}
    kept = np.unique(np.linspace(0, len(precisions) - 1, _MOST_POINTS).astype(int))
    at = np.concatenate([[0], kept + 1])
    return {
        "receiver_operating_characteristic_curve": {
            "false_positive_rates": false_rates[at].tolist(),
            "true_positive_rates": true_rates[at].tolist(),
        },
        "precision_recall_curve": {
            "precisions": np.concatenate([precisions[:1], precisions[kept]]).tolist(),
            "recalls": true_rates[at].tolist(),
        },
    }


def _read(data: Source, asked: Asked) -> tuple[int, Answers]:
    """How many rows there are, and those that have all that is asked for."""
    wanted = [asked.truth, asked.prediction, asked.probability]
    columns: list[list[Any]] = [[] for _ in wanted]
    for chunk in data.chunks():
        for name, column in zip(wanted, columns, strict=True):
            if name is not None:
                column.extend(_cells(chunk, name).rows)
    truth, prediction, probability = columns
    rows = len(truth)
    if asked.problem == "Regression":
        true, said = aligned(truth), aligned(prediction)
        kept = ~(np.isnan(true) | np.isnan(said))
        return rows, _Numbers(_some(true[kept]), said[kept])
    true_labels, said_labels = [_label(value) for value in truth], [_label(value) for value in prediction]
    scores = aligned(probability) if asked.probability is not None else None
    kept = np.array([label is not None for label in true_labels], dtype=bool)
    if asked.prediction is not None:
        kept &= np.array([label is not None for label in said_labels], dtype=bool)
    if scores is not None and asked.problem == "BinaryClassification":
        kept &= ~np.isnan(scores)
        scores = scores[kept]
    true_labels = [label for label, keep in zip(true_labels, kept, strict=True) if keep]
    said_labels = [label for label, keep in zip(said_labels, kept, strict=True) if keep] if said_labels else []
    labels = _ordered({label for label in (*true_labels, *said_labels) if label is not None})
    if asked.problem == "BinaryClassification":
        labels = _two(labels)
    position = {label: at for at, label in enumerate(labels)}
    true = _some(np.array([position[label] for label in true_labels if label is not None], dtype=int))
    if asked.prediction is not None:
        said = np.array([position[label] for label in said_labels if label is not None], dtype=int)
    else:
        said = np.greater(scores, asked.threshold).astype(int)
    if asked.problem == "BinaryClassification":
        return rows, _Two(labels, true, said, scores)
    return rows, _Many(labels, true, said, None)


def _some(values: Array) -> Array:
    if not len(values):
        raise Fault("no row has both a prediction and the truth")
    return values


def _cells(chunk: Chunk, attribute: str) -> Cells:
    """Raises :class:`Fault`."""
    for name in (attribute, attribute.removeprefix("$."), f"_c{attribute}"):
        if name in chunk:
            return chunk[name]
    names = [*chunk]
    if attribute.isdigit() and int(attribute) < len(names):
        return chunk[names[int(attribute)]]
    raise Fault(f"the data have no column {attribute}; they have {', '.join(names)}")


def _label(value: Any) -> str | None:
    """The same for the same class, however it is written; None for a cell that is missing.

    >>> [_label(value) for value in ("1", 1.0, "1.0", True, "yes", "")]
    ['1', '1', '1', '1', 'yes', None]
    """
    if value is None or value == "" or value != value:
        return None
    if isinstance(value, bool):
        return str(int(value))
    number = aligned([value])[0]
    return str(int(number)) if number == number and number.is_integer() else as_text(value)


def _ordered(labels: set[str]) -> tuple[str, ...]:
    """Numbers by their value, before texts."""

    def key(label: str) -> tuple[bool, float, str]:
        number = float(aligned([label])[0])
        return math.isnan(number), 0.0 if math.isnan(number) else number, label

    return tuple(sorted(labels, key=key))


def _two(labels: tuple[str, ...]) -> tuple[str, ...]:
    """The negative and the positive label. Raises :class:`Fault` for more."""
    if set(labels) <= {"0", "1"}:
        return "0", "1"
    if len(labels) > 2:
        raise Fault(f"BinaryClassification is of two classes, the data have {', '.join(labels[:5])}")
    return labels if len(labels) == 2 else ("", *labels)
