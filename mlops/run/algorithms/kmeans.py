"""K-means: scikit-learn's, with the lines and the answers of Amazon's container. The archive holds ``model.npz``."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from mlops.run.algorithms.arrays import load, save
from mlops.run.algorithms.job import TrainingJob, UserFault
from mlops.run.algorithms.predictions import Predicting
from mlops.run.algorithms.quality import tell_quality
from mlops.run.algorithms.tabular import hyperparameters, rows, training_rows
from mlops.run.serving.handlers import Service

_TRIALS = 10


def train(job: TrainingJob) -> None:
    """Raises UserFault."""
    values = hyperparameters(job, "kmeans")
    found = training_rows(job, values["feature_dim"])
    count = values["k"]
    if len(found.features) < count:
        raise UserFault(f"k is {count}, but channel train has {len(found.features)} rows")
    test = rows(job, "test", values["feature_dim"])
    trials = values.get("local_lloyd_num_trials", _TRIALS)
    model = importlib.import_module("sklearn.cluster").KMeans(
        count,
        init={"kmeans++": "k-means++"}.get(values.get("init_method", "random"), "random"),
        n_init=trials if isinstance(trials, int) else _TRIALS,
        max_iter=values.get("local_lloyd_max_iter", 300),
        tol=values.get("local_lloyd_tol", 0.0001),
    )
    model.fit(found.features)
    centers = model.cluster_centers_
    wanted = values.get("eval_metrics", '["msd"]')
    for channel, part in (("train", found), ("test", test)):
        if part is None:
            continue
        squares = _distances(part.features, centers).min(axis=1) ** 2
        metrics = {"msd": squares.mean(), "ssd": squares.sum()}
        for metric in ("msd",) if channel == "train" else _names(wanted):
            tell_quality(job.host, channel, metric, float(metrics[metric]))
    save(job.model, centers=centers)


def service(model_folder: Path) -> Service:
    """Raises RuntimeError."""
    centers = load(model_folder, "k-means", "centers")["centers"]

    def predict(features: Any, verbose: bool) -> list[dict[str, float]]:
        distances = _distances(features, centers)
        return [{"closest_cluster": float(row.argmin()), "distance_to_cluster": float(row.min())} for row in distances]

    return Predicting(predict, centers.shape[1])


def _distances(features: Any, centers: Any) -> Any:
    """A column for each centre; one after the other, since all differences at once are as many times the data."""
    return np.column_stack([np.linalg.norm(features - center, axis=1) for center in centers])


def _names(text: str) -> list[str]:
    return (
        [str(name) for name in json.loads(text)] if text.startswith("[") else [item.strip() for item in text.split(",")]
    )
