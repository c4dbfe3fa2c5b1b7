"""XGBoost as its container runs it in algorithm mode, and what it adds to scripts in script mode.

By aws/sagemaker-xgboost-container; where images differ, what is here says so.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops.run.algorithms.job import TrainingJob
    from mlops.run.serving.handlers import Defaults, Service


def train(job: TrainingJob) -> None:
    """Raises UserFault and AlgorithmFault."""
    from mlops.run.algorithms.xgboost import channels, hyperparameters

    values, given = hyperparameters.validated(job.hyperparameters), channels.validated(job.channels)
    _load_alone()
    from mlops.run.algorithms.xgboost.training import train as begin

    begin(job, values, given)


def _load_alone() -> None:
    """The library without scikit-learn, for which it looks and which it loads where it is: half of its start, and
    training needs nothing of it."""
    if "sklearn" in sys.modules:
        return
    sys.modules["sklearn"] = None  # type: ignore[assignment]
    try:
        import_module("xgboost")
    finally:
        del sys.modules["sklearn"]


def service(model_folder: Path) -> Service:
    """Raises RuntimeError where the model cannot be loaded."""
    from mlops.run.algorithms.xgboost import serving

    return serving.service(model_folder)


def script_defaults() -> Defaults:
    from mlops.run.algorithms.xgboost import container_modules, script

    container_modules.provide()
    return script.DEFAULTS
