"""Served beside the model: SageMaker's scikit-learn container calls these."""

from pathlib import Path

import joblib


def model_fn(model_dir):
    return joblib.load(Path(model_dir, "model.joblib"))


def predict_fn(data, model):
    """The probability of a benign tumour, one per row."""
    return model.predict_proba(data)[:, 1]
