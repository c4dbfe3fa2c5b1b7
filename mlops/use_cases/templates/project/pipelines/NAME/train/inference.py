"""Served beside the model: SageMaker's scikit-learn container calls this, and predicts by itself."""

from pathlib import Path

import joblib


def model_fn(model_dir):
    return joblib.load(Path(model_dir, "model.joblib"))
