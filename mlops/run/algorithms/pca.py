"""PCA: by a decomposition of numpy's, with the answers of Amazon's container. The archive holds ``model.npz``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mlops.run.algorithms.arrays import load, save
from mlops.run.algorithms.job import TrainingJob, UserFault
from mlops.run.algorithms.predictions import Predicting
from mlops.run.algorithms.quality import tell
from mlops.run.algorithms.tabular import hyperparameters, is_true, training_rows
from mlops.run.serving.handlers import Service


def train(job: TrainingJob) -> None:
    """Raises UserFault."""
    values = hyperparameters(job, "pca")
    found = training_rows(job, values["feature_dim"])
    count = values["num_components"]
    if count > min(found.features.shape):
        told = f"{len(found.features)} rows of {found.features.shape[1]} features"
        raise UserFault(f"num_components is {count}, channel train has {told}")
    mean = (
        found.features.mean(axis=0)
        if is_true(values.get("subtract_mean", "true"))
        else np.zeros(found.features.shape[1])
    )
    _, singular, components = np.linalg.svd(found.features - mean, full_matrices=False)
    tell(f"singular values: {', '.join(f'{value:.6g}' for value in singular[:count])}")
    save(job.model, mean=mean, components=components[:count], singular=singular[:count])


def service(model_folder: Path) -> Service:
    """Raises RuntimeError."""
    mean, components = load(model_folder, "PCA", "mean", "components").values()

    def predict(features: Any, verbose: bool) -> list[dict[str, Any]]:
        return [{"projection": row.tolist()} for row in (features - mean) @ components.T]

    return Predicting(predict, len(mean), "projections")
