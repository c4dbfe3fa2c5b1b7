"""What a search found: its best jobs, to refer to."""

from __future__ import annotations

from mlops.declare.references import (
    DataReference,
    FloatReference,
    ModelReference,
    PropertyReference,
    StringReference,
)
from mlops.declare.run_time_texts import join
from mlops.ir import Value

TOP = 50
"""So many of its best jobs a Tuning step keeps."""


class TunedModel(ModelReference):
    """The S3 URI of the ``model.tar.gz`` of one of a Tuning's jobs."""

    noun = "a tuned model"

    def __init__(self, step: str, folder: str, job: str) -> None:
        super().__init__(step, job)
        self._uri = join(DataReference(step, folder), PropertyReference(step, job), "output/model.tar.gz", on="/")

    def lower(self) -> Value:
        return self._uri.lower()


class Objective(PropertyReference, FloatReference):
    """What a job of a Tuning has reached."""

    noun = "an objective"


class TopJob:
    """One of a Tuning's best jobs."""

    def __init__(self, step: str, folder: str, rank: int) -> None:
        self._step, self._folder, self._path = step, folder, f"TrainingJobSummaries[{rank}]"

    @property
    def model(self) -> ModelReference:
        """The S3 URI of its ``model.tar.gz``."""
        return TunedModel(self._step, self._folder, f"{self._path}.TrainingJobName")

    @property
    def job_name(self) -> StringReference:
        """The name of the training job."""
        return PropertyReference(self._step, f"{self._path}.TrainingJobName")

    @property
    def objective(self) -> FloatReference:
        """What its metric has reached."""
        return Objective(self._step, f"{self._path}.FinalHyperParameterTuningJobObjectiveMetric.Value")

    def hyperparameter(self, name: str) -> StringReference:
        """The value of a hyperparameter that was searched; all of them are text."""
        return PropertyReference(self._step, f"{self._path}.TunedHyperParameters['{name}']")
