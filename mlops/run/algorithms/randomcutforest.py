"""Random cut forest: scikit-learn's isolation forest in its place, with the lines and the answers of Amazon's
container. The archive holds ``model.pkl``. Scores order rows as theirs do; they are between 0 and 1, which theirs are
not."""

from __future__ import annotations

import importlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from mlops.run.algorithms.job import TrainingJob
from mlops.run.algorithms.predictions import Predicting
from mlops.run.algorithms.quality import tell_quality
from mlops.run.algorithms.tabular import hyperparameters, rows, training_rows
from mlops.run.serving.handlers import Service

_FILE = "model.pkl"
_DEVIATIONS = 3
"""From there on a score is an anomaly, as the guide's example has it."""


def train(job: TrainingJob) -> None:
    """Raises UserFault."""
    values = hyperparameters(job, "randomcutforest")
    found = training_rows(job, values["feature_dim"])
    test = rows(job, "test", values["feature_dim"], labelled=True)
    samples = min(values.get("num_samples_per_tree", 256), len(found.features))
    forest = importlib.import_module("sklearn.ensemble").IsolationForest(
        n_estimators=values.get("num_trees", 100), max_samples=samples
    )
    forest.fit(found.features)
    if test is not None:
        usual = -forest.score_samples(found.features)
        said = -forest.score_samples(test.features) > usual.mean() + _DEVIATIONS * usual.std()
        _tell(job.host, test.labels > 0, said, values.get("eval_metrics", "accuracy,precision_recall_fscore"))
    (job.model / _FILE).write_bytes(pickle.dumps(forest))


def _tell(host: str, truth: Any, said: Any, wanted: str) -> None:
    hits = float(np.sum(truth & said))
    if "accuracy" in wanted:
        tell_quality(host, "test", "accuracy", float(np.mean(truth == said)))
    if "precision_recall_fscore" in wanted:
        positive, real = float(np.sum(said)), float(np.sum(truth))
        for name, part, whole in (
            ("precision", hits, positive),
            ("recall", hits, real),
            ("f1", 2 * hits, positive + real),
        ):
            tell_quality(host, "test", name, part / whole if whole else 0.0)


def service(model_folder: Path) -> Service:
    """Raises RuntimeError."""
    try:
        forest = pickle.loads((model_folder / _FILE).read_bytes())  # noqa: S301 - of a training job of one's own
    except Exception as fault:  # what is no pickle raises anything
        raise RuntimeError(f"no model of a random cut forest that was trained here: {fault}") from fault

    def predict(features: Any, verbose: bool) -> list[dict[str, float]]:
        return [{"score": float(score)} for score in -forest.score_samples(features)]

    return Predicting(predict, forest.n_features_in_, "scores")
