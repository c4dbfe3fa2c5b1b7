"""Linear learner: scikit-learn's linear models, with the lines and the answers of Amazon's container. The archive holds
``model.npz``: weights for features as they are given, an intercept, and the threshold of a binary classifier."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mlops.run.algorithms.arrays import load, save
from mlops.run.algorithms.job import TrainingJob, UserFault
from mlops.run.algorithms.predictions import Predicting
from mlops.run.algorithms.quality import tell_quality
from mlops.run.algorithms.tabular import Rows, hyperparameters, is_true, rows, training_rows
from mlops.run.serving.handlers import Service

_BINARY, _MULTI = "binary_classifier", "multiclass_classifier"
_SGD_LOSSES = {
    "eps_insensitive_squared_loss": "squared_epsilon_insensitive",
    "eps_insensitive_absolute_loss": "epsilon_insensitive",
    "huber_loss": "huber",
}


def train(job: TrainingJob) -> None:
    """Raises UserFault."""
    values = hyperparameters(job, "linear-learner")
    found = training_rows(job, values.get("feature_dim"), labelled=True)
    others = {
        name: part
        for name in ("validation", "test")
        if (part := rows(job, name, found.features.shape[1], labelled=True)) is not None
    }
    kind = values["predictor_type"]
    for channel, part in {"train": found, **others}.items():
        _need_classes(kind, part.labels, values["num_classes"] if kind == _MULTI else 2, channel)
    if kind != "regressor" and len(np.unique(found.labels)) < 2:
        raise UserFault("channel train has rows of one class only")
    weights, intercept = _fitted(kind, values, found)
    model = {"weights": weights, "intercept": intercept, "kind": np.array(kind), "threshold": np.array(0.5)}
    model["is_probability"] = np.array(values.get("loss", "auto") in ("auto", "logistic", "softmax_loss"))
    if kind == _BINARY:
        model["threshold"] = np.array(_threshold(values, model, others.get("validation", found)))
    for channel, part in {"train": found, **others}.items():
        for metric, value in _metrics(values, model, part).items():
            tell_quality(job.host, channel, metric, value)
    save(job.model, **model)


def _need_classes(kind: str, labels: Any, count: int, channel: str) -> None:
    if kind == "regressor":
        return
    told = f"{count} classes are 0 to {count - 1}" if kind == _MULTI else "a binary classifier are 0 and 1"
    outside = sorted({*np.unique(labels).tolist()} - {*map(float, range(count))})
    if outside:
        raise UserFault(f"labels of {told}, but there is {outside[0]:g} in channel {channel}")


def _unless_false(values: Mapping[str, Any], name: str) -> bool:
    """Of one that may be auto."""
    value = values.get(name, "auto")
    return value == "auto" or is_true(value)


def _fitted(kind: str, values: Mapping[str, Any], found: Rows) -> tuple[Any, Any]:
    """Weights, of each class where there are several, and intercepts, for features as they are given."""
    mean, scale = np.zeros(found.features.shape[1]), np.ones(found.features.shape[1])
    if _unless_false(values, "normalize_data"):
        mean, deviation = found.features.mean(axis=0), found.features.std(axis=0)
        scale = np.where(deviation == 0, 1.0, deviation)
    label_mean, label_scale = 0.0, 1.0
    if kind == "regressor" and _unless_false(values, "normalize_label"):
        label_mean, label_scale = float(found.labels.mean()), float(found.labels.std()) or 1.0
    estimator = _estimator(kind, values, len(found.features))
    estimator.fit((found.features - mean) / scale, (found.labels - label_mean) / label_scale)
    weights = np.atleast_2d(estimator.coef_) * label_scale / scale
    intercept = np.atleast_1d(estimator.intercept_) * label_scale + label_mean - weights @ mean
    if kind == _MULTI:
        # A class that no row has gets no weight, and never wins.
        count = int(values["num_classes"])
        whole, whole_intercept = np.zeros((count, weights.shape[1])), np.full(count, -1e9)
        at = estimator.classes_.astype(int)
        if len(weights) == 1:
            weights, intercept = np.vstack([-weights, weights]), np.concatenate([-intercept, intercept])
        whole[at], whole_intercept[at] = weights, intercept
        return whole, whole_intercept
    return weights, intercept


def _estimator(kind: str, values: Mapping[str, Any], rows_count: int) -> Any:
    linear = importlib.import_module("sklearn.linear_model")
    l1, decay = (value if isinstance(value := values.get(name), float) else 0.0 for name in ("l1", "wd"))
    bias = is_true(values.get("use_bias", "true"))
    loss = values.get("loss", "auto")
    strength = l1 + decay
    shares = {"alpha": strength or 1e-6, "l1_ratio": l1 / strength if strength else 0.0, "penalty": "elasticnet"}
    if kind != "regressor":
        weight = values.get("positive_example_weight_mult", 1.0)
        classes: Any = "balanced" if weight in ("balanced", "auto") else {0.0: 1.0, 1.0: float(weight)}
        if kind == _MULTI:
            classes = "balanced" if is_true(values.get("balance_multiclass_weights", "false")) else None
        if loss == "hinge_loss" or l1:
            name = "hinge" if loss == "hinge_loss" else "log_loss"
            return linear.SGDClassifier(loss=name, fit_intercept=bias, class_weight=classes, max_iter=2000, **shares)
        inverse = 1 / (decay * rows_count) if decay else 1e6
        return linear.LogisticRegression(C=inverse, fit_intercept=bias, class_weight=classes, max_iter=2000)
    if loss in ("quantile_loss", "absolute_loss"):
        quantile = values.get("quantile", 0.5) if loss == "quantile_loss" else 0.5
        return linear.QuantileRegressor(quantile=quantile, alpha=l1, fit_intercept=bias, solver="highs")
    if loss in _SGD_LOSSES:
        epsilon = values.get("huber_delta", 1.0) if loss == "huber_loss" else values.get("loss_insensitivity", 0.01)
        return linear.SGDRegressor(loss=_SGD_LOSSES[loss], epsilon=epsilon, fit_intercept=bias, max_iter=2000, **shares)
    if l1:
        del shares["penalty"]
        return linear.ElasticNet(fit_intercept=bias, **shares)
    return linear.Ridge(alpha=decay * rows_count or 1e-9, fit_intercept=bias)


def _scores(model: Mapping[str, Any], features: Any) -> Any:
    """Of each row: a number, or one of each class."""
    raw = features @ model["weights"].T + model["intercept"]
    kind = str(model["kind"])
    if kind == _MULTI:
        powers = np.exp(raw - raw.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)
    one = raw[:, 0]
    if kind == _BINARY:
        return 1 / (1 + np.exp(-np.clip(one, -500, 500))) if model["is_probability"] else one
    return one


def _threshold(values: Mapping[str, Any], model: Mapping[str, Any], part: Rows) -> float:
    """Of the scores, that by which the criterion is at its best."""
    criterion = values.get("binary_classifier_model_selection_criteria", "accuracy")
    middle = 0.5 if model["is_probability"] else 0.0
    if criterion == "loss_function":
        return middle
    scores = _scores(model, part.features)
    candidates = np.unique(np.concatenate([np.quantile(scores, np.linspace(0, 1, 101)), [middle]]))

    def quality(threshold: float) -> tuple[float, float]:
        precision, recall, f_beta, accuracy = _of_binary(part.labels, scores >= threshold, values)
        match criterion:
            case "f_beta":
                best = f_beta
            case "precision_at_target_recall":
                best = precision if recall >= values.get("target_recall", 0.8) else recall - 1
            case "recall_at_target_precision":
                best = recall if precision >= values.get("target_precision", 0.8) else precision - 1
            case _:
                best = accuracy
        return best, -abs(threshold - middle)

    return float(max(candidates.tolist(), key=quality))


def _of_binary(truth: Any, said: Any, values: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """Precision, recall, F-beta, accuracy."""
    hits = float(np.sum((truth == 1) & said))
    precision = hits / float(np.sum(said)) if np.any(said) else 0.0
    recall = hits / float(np.sum(truth == 1)) if np.any(truth == 1) else 0.0
    return precision, recall, _f_beta(precision, recall, values), float(np.mean((truth == 1) == said))


def _f_beta(precision: float, recall: float, values: Mapping[str, Any]) -> float:
    square = values.get("f_beta", 1.0) ** 2
    return (1 + square) * precision * recall / (square * precision + recall) if precision + recall else 0.0


def _metrics(values: Mapping[str, Any], model: Mapping[str, Any], part: Rows) -> dict[str, float]:
    scores, truth = _scores(model, part.features), part.labels
    match str(model["kind"]):
        case "binary_classifier":
            return _binary_metrics(values, model, scores, truth)
        case "multiclass_classifier":
            return _multiclass_metrics(values, scores, truth.astype(int))
    error = scores - truth
    mse = float(np.mean(error**2))
    return {"objective_loss": mse, "mse": mse, "rmse": mse**0.5, "absolute_loss": float(np.mean(np.abs(error)))}


def _binary_metrics(values: Mapping[str, Any], model: Mapping[str, Any], scores: Any, truth: Any) -> dict[str, float]:
    precision, recall, f_beta, accuracy = _of_binary(truth, scores >= model["threshold"], values)
    found = {
        "objective_loss": _cross_entropy(scores, truth) if model["is_probability"] else _hinge(scores, truth),
        "binary_classification_accuracy": accuracy,
        "binary_f_beta": f_beta,
        "precision": precision,
        "recall": recall,
    }
    if len(np.unique(truth)) == 2:
        found["roc_auc_score"] = float(importlib.import_module("sklearn.metrics").roc_auc_score(truth, scores))
    return found


def _cross_entropy(scores: Any, truth: Any) -> float:
    chance = np.clip(np.where(truth == 1, scores, 1 - scores), 1e-15, 1.0)
    return float(-np.mean(np.log(chance)))


def _hinge(scores: Any, truth: Any) -> float:
    return float(np.mean(np.maximum(0, 1 - np.where(truth == 1, 1, -1) * scores)))


def _multiclass_metrics(values: Mapping[str, Any], scores: Any, truth: Any) -> dict[str, float]:
    said = scores.argmax(axis=1)
    places = (-scores).argsort(axis=1, kind="stable").argsort(axis=1)[np.arange(len(truth)), truth]
    each = [_of_binary(truth == label, said == label, values)[:3] for label in np.unique(truth)]
    precision, recall, f_beta = (float(value) for value in np.mean(each, axis=0))
    return {
        "objective_loss": float(-np.mean(np.log(np.clip(scores[np.arange(len(truth)), truth], 1e-15, 1.0)))),
        "multiclass_accuracy": float(np.mean(said == truth)),
        "multiclass_top_k_accuracy": float(np.mean(places < values.get("accuracy_top_k", 3))),
        "dcg": float(np.mean(1 / np.log2(places + 2))),
        "macro_precision": precision,
        "macro_recall": recall,
        "macro_f_beta": f_beta,
    }


def service(model_folder: Path) -> Service:
    """Raises RuntimeError."""
    parts = ("weights", "intercept", "kind", "threshold", "is_probability")
    model = load(model_folder, "the linear learner", *parts)

    def predict(features: Any, verbose: bool) -> list[dict[str, Any]]:
        scores = _scores(model, features)
        match str(model["kind"]):
            case "binary_classifier":
                return [
                    {"score": float(score), "predicted_label": int(score >= model["threshold"])} for score in scores
                ]
            case "multiclass_classifier":
                return [{"score": row.tolist(), "predicted_label": int(row.argmax())} for row in scores]
        return [{"score": float(score)} for score in scores]

    return Predicting(predict, model["weights"].shape[1])
