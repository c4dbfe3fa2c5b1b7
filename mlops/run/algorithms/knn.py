"""K-nearest neighbours: all distances, no index, with the lines and the answers of Amazon's container. The archive
holds ``model.npz``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mlops.run.algorithms.arrays import load, save
from mlops.run.algorithms.job import TrainingJob, UserFault
from mlops.run.algorithms.predictions import Predicting
from mlops.run.algorithms.quality import tell_quality
from mlops.run.algorithms.tabular import hyperparameters, rows, training_rows
from mlops.run.serving.handlers import Service

_AT_ONCE = 512


def train(job: TrainingJob) -> None:
    """Raises UserFault."""
    values = hyperparameters(job, "knn")
    width = values["feature_dim"]
    found = training_rows(job, width, labelled=True)
    test = rows(job, "test", width, labelled=True)
    random = np.random.default_rng()
    count = min(values["sample_size"], len(found.features))
    if values["k"] > count:
        raise UserFault(f"k is {values['k']}, but there are {count} rows to look for neighbours in")
    chosen = random.permutation(len(found.features))[:count]
    projection = np.eye(width)
    if target := values.get("dimension_reduction_target"):
        projection = random.choice([-1.0, 1.0], size=(width, target)) / np.sqrt(target)
    model = {
        "points": found.features[chosen] @ projection,
        "labels": found.labels[chosen],
        "projection": projection,
        "k": np.array(values["k"]),
        "classifies": np.array(values["predictor_type"] == "classifier"),
        "metric": np.array(values.get("index_metric", "L2")),
    }
    if test is not None:
        said = np.array([item["predicted_label"] for item in _predictions(model, test.features)])
        if model["classifies"]:
            tell_quality(job.host, "test", "accuracy", float(np.mean(said == test.labels)))
        else:
            tell_quality(job.host, "test", "mse", float(np.mean((said - test.labels) ** 2)))
    save(job.model, **model)


def service(model_folder: Path) -> Service:
    """Raises RuntimeError."""
    parts = ("points", "labels", "projection", "k", "classifies", "metric")
    model = load(model_folder, "k-nearest neighbours", *parts)

    def predict(features: Any, verbose: bool) -> list[dict[str, Any]]:
        return _predictions(model, features, verbose=verbose)

    return Predicting(predict, len(model["projection"]))


def _predictions(model: dict[str, Any], features: Any, *, verbose: bool = False) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for begin in range(0, len(features), _AT_ONCE):
        distances = _distances(
            features[begin : begin + _AT_ONCE] @ model["projection"], model["points"], model["metric"]
        )
        nearest = np.argsort(distances, axis=1, kind="stable")[:, : int(model["k"])]
        for row, places in zip(distances, nearest, strict=True):
            labels = model["labels"][places]
            item: dict[str, Any] = {"predicted_label": _label(labels, classifies=bool(model["classifies"]))}
            if verbose:
                item |= {"distances": row[places].tolist(), "labels": labels.tolist()}
            found.append(item)
    return found


def _label(labels: Any, *, classifies: bool) -> float:
    if not classifies:
        return float(labels.mean())
    values, counts = np.unique(labels, return_counts=True)
    return float(values[counts.argmax()])


def _distances(features: Any, points: Any, metric: Any) -> Any:
    if str(metric) == "INNER_PRODUCT":
        return -(features @ points.T)
    if str(metric) == "COSINE":
        lengths = np.linalg.norm(features, axis=1)[:, None] * np.linalg.norm(points, axis=1)[None]
        return 1 - features @ points.T / np.where(lengths == 0, 1.0, lengths)
    squares = (features**2).sum(axis=1)[:, None] + (points**2).sum(axis=1)[None] - 2 * features @ points.T
    return np.sqrt(np.maximum(squares, 0.0))
