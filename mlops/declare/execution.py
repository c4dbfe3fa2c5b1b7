"""``execution.pipeline_name`` and the other facts of a run that SageMaker fills in."""

from __future__ import annotations

from typing import Any

from mlops.declare.references import StringReference
from mlops.declare.unknown_names import behind_a_dot, unknown_name
from mlops.ir import Ref, Value


class ExecutionVariable(StringReference):
    """One of SageMaker's execution variables."""

    noun = "an execution variable"

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def label(self) -> str:
        return f"the execution variable {self._name}"

    def lower(self) -> Value:
        return Ref(f"Execution.{self._name}")


class ExperimentVariable(StringReference):
    """A name that SageMaker Experiments knows the execution by."""

    noun = "a name of the experiment"

    def __init__(self, name: str) -> None:
        self._name = name

    def lower(self) -> Value:
        return Ref(f"PipelineExperimentConfig.{self._name}")


start_time = ExecutionVariable("StartDateTime")
current_time = ExecutionVariable("CurrentDateTime")
pipeline_name = ExecutionVariable("PipelineName")
pipeline_arn = ExecutionVariable("PipelineArn")
execution_id = ExecutionVariable("PipelineExecutionId")
execution_arn = ExecutionVariable("PipelineExecutionArn")
training_job_name = ExecutionVariable("TrainingJobName")
"""The job that the step in which it stands has started; likewise the next one."""
processing_job_name = ExecutionVariable("ProcessingJobName")
experiment_name = ExperimentVariable("ExperimentName")
"""What ``Pipeline(experiment=…)`` says; likewise the next one."""
trial_name = ExperimentVariable("TrialName")


def __getattr__(name: str) -> Any:
    """A name that is not here, told with all other mistakes of a file."""
    own = {key: item for key, item in globals().items() if isinstance(item, ExecutionVariable | ExperimentVariable)}
    return unknown_name("execution", name, own, own.__getitem__)


behind_a_dot(__name__)
