"""XGBoost as its container runs it in algorithm mode, and what it adds to scripts in script mode.

By aws/sagemaker-xgboost-container; where images differ, what is here says so.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops.run.algorithms.job import TrainingJob
    from mlops.run.serving.handlers import Defaults, Service


def train(job: TrainingJob) -> None:
    """Raises UserFault and AlgorithmFault."""
    from mlops.run.algorithms.xgboost import channels, hyperparameters

    values, given = hyperparameters.validated(job.hyperparameters), channels.validated(job.channels)
    # The library looks for scikit-learn, and loads it where it is: half of its start, of which nothing is needed here.
    sys.modules.setdefault("sklearn", None)  # type: ignore[arg-type]
    from mlops.run.algorithms.xgboost.training import train as begin

    begin(job, values, given)


def service(model_folder: Path) -> Service:
    """Raises RuntimeError where the model cannot be loaded."""
    from mlops.run.algorithms.xgboost import serving

    return serving.service(model_folder)


def script_defaults() -> Defaults:
    from mlops.run.algorithms.xgboost import script

    return script.DEFAULTS
