"""Step types for tests: the project's own, and records by hand for types that it does not have."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.check import step_types
from mlops.ir import StepType

_JOB = frozenset({"CacheConfig", "RetryPolicies"})
_CHECK = frozenset(
    {"CacheConfig", "CheckType", "ModelPackageGroupName", "SkipCheck", "FailOnViolation", "RegisterNewBaseline",
     "SuppliedBaselineConstraints"}
)  # fmt: skip
_BASELINES = {"CalculatedBaselineConstraints": None, "BaselineUsedForDriftCheckConstraints": None}

_BY_HAND = (
    StepType(
        "Tuning",
        request="CreateHyperParameterTuningJobRequest",
        omits=frozenset({"HyperParameterTuningJobName"}),
        response="DescribeHyperParameterTuningJobResponse",
        extra_response={"TrainingJobSummaries": "HyperParameterTrainingJobSummaries"},
        envelope=_JOB,
    ),
    StepType(
        "AutoML",
        request="CreateAutoMLJobRequest",
        omits=frozenset({"AutoMLJobName"}),
        response="DescribeAutoMLJobResponse",
        extra_response={"BestCandidateProperties.ModelInsightsJsonReportPath": None},
        envelope=_JOB,
    ),
    StepType(
        "EndpointConfig",
        request="CreateEndpointConfigInput",
        omits=frozenset({"EndpointConfigName"}),
        response="DescribeEndpointConfigOutput",
        envelope=_JOB,
    ),
    StepType(
        "Endpoint",
        request="CreateEndpointInput",
        omits=frozenset({"EndpointName"}),
        response="DescribeEndpointOutput",
        envelope=frozenset({"CacheConfig"}),
    ),
    StepType(
        "InferenceComponent",
        request="CreateInferenceComponentInput",
        omits=frozenset({"InferenceComponentName"}),
        response="DescribeInferenceComponentOutput",
    ),
    StepType("Lambda", envelope=frozenset({"CacheConfig", "FunctionArn", "OutputParameters"})),
    StepType("Callback", envelope=frozenset({"CacheConfig", "SqsQueueUrl", "OutputParameters"})),
    StepType(
        "QualityCheck",
        request="CreateProcessingJobRequest",
        omits=frozenset({"ProcessingJobName"}),
        extra_response={**_BASELINES, "CalculatedBaselineStatistics": None},
        envelope=_CHECK | {"SuppliedBaselineStatistics"},
    ),
    StepType(
        "ClarifyCheck",
        request="CreateProcessingJobRequest",
        omits=frozenset({"ProcessingJobName"}),
        extra_response=_BASELINES,
        envelope=_CHECK | {"ModelName"},
    ),
    StepType("EMR", service="emr", response="Step", extra_response={"ClusterId": None}, envelope=_JOB),
    StepType("EMRServerless", service="emr-serverless", response="JobRun", envelope=_JOB),
    StepType("Lineage", extra_response={"ArtifactArns": None}),
    StepType("Cleanup"),
    StepType("ForEach", blocks=("ForEachBody",)),
)

TYPES: Mapping[str, StepType] = {**{item.type: item for item in _BY_HAND}, **step_types()}
