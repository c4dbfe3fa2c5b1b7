"""Tuning: a search for the best hyperparameters.

Read, checked and written, but without a constructor yet.
"""

from __future__ import annotations

from mlops.ir import StepType

STEP_TYPE = StepType(
    type="Tuning",
    request="CreateHyperParameterTuningJobRequest",
    omits=frozenset({"HyperParameterTuningJobName"}),
    response="DescribeHyperParameterTuningJobResponse",
    # From ListTrainingJobsForHyperParameterTuningJob, best first.
    extra_response={"TrainingJobSummaries": "HyperParameterTrainingJobSummaries"},
    envelope=frozenset({"CacheConfig", "RetryPolicies"}),
    cache_keys=(
        "HyperParameterTuningJobConfig",
        "TrainingJobDefinition.AlgorithmSpecification",
        "TrainingJobDefinition.HyperParameterRanges",
        "TrainingJobDefinition.InputDataConfig",
        "TrainingJobDefinition.StaticHyperParameters",
        "TrainingJobDefinition.TuningObjective",
        "TrainingJobDefinitions",
    ),
    states_resource="arn:aws:states:::sagemaker:createHyperParameterTuningJob.sync",
)
