"""Rows of rules on limits, on settings of training jobs and on places of outputs that only documentation tells."""

from __future__ import annotations

from rule_cases import ATHENA, PREPARE_IN, WARNING, Case
from sound_definition import GONE

MODEL = "application/x-sagemaker-model"
PREFERRED = {
    "VolumeSizeInGB": 30,
    "InstancePreferences": [{"InstanceType": "ml.m5.xlarge"}, {"InstanceType": "ml.m5.2xlarge"}],
}
DEFINED = "Train:AlgorithmSpecification/MetricDefinitions/0"
PLACE = "Train:ResourceConfig"
ULTRA = {"InstanceType": "ml.p6e-gb200.36xlarge", "InstanceCount": 2, "VolumeSizeInGB": 30}
PLAN = "arn:aws:sagemaker:eu-west-1:111122223333:training-plan/night"
CUSTOM = {
    "BaseModelArn": "arn:aws:sagemaker:eu-west-1:aws:hub-content/SageMakerPublicHub/Model/llama/1.0.0",
    "JobType": "FineTuning",
    "AcceptEula": True,
}
PROFILER = "Train:ProfilerConfig"
EVALUATOR = "929884845733.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-debugger-rules:latest"
PROFILER_RULES = [
    {
        "RuleConfigurationName": "Report",
        "RuleEvaluatorImage": EVALUATOR,
        "RuleParameters": {"rule_to_invoke": "ProfilerReport"},
    }
]
SOURCE = "Segments:InputDataConfig/0/DataSource/S3DataSource"
RAW = "Prepare:ProcessingInputs/0/S3Input"
TWO = {"Segments:ResourceConfig/InstanceCount": 2}
UNREAD = {"Train:ResourceConfig/InstanceType": "ml.p5.48xlarge", "Train:ResourceConfig/InstanceCount": 1}


def placement(count: int) -> dict[str, object]:
    return {PLACE: {**ULTRA, "InstancePlacementConfig": {"PlacementSpecifications": [{"InstanceCount": count}]}}}


CASES = [
    Case(
        "an UltraServer for no instance",
        "X940",
        placement(0),
        f"{PLACE}/InstancePlacementConfig/PlacementSpecifications/0/InstanceCount",
        placement(1),
    ),
    Case(
        "4096K tokens",
        "X940",
        {"Train:ServerlessJobConfig": {**CUSTOM, "SequenceLength": "4096K"}},
        "Train:ServerlessJobConfig/SequenceLength",
        {"Train:ServerlessJobConfig": {**CUSTOM, "SequenceLength": "32K"}},
    ),
    Case(
        "a profiler that is off and has a place",
        "X941",
        {PROFILER: {"DisableProfiler": True, "S3OutputPath": "s3://acme/profiles"}},
        f"{PROFILER}/S3OutputPath",
        {PROFILER: {"DisableProfiler": True}},
        WARNING,
    ),
    Case(
        "rules of a profiler that is off",
        "X941",
        {PROFILER: {"DisableProfiler": True}, "Train:ProfilerRuleConfigurations": PROFILER_RULES},
        "Train:ProfilerRuleConfigurations",
        {PROFILER: {"DisableProfiler": False}, "Train:ProfilerRuleConfigurations": PROFILER_RULES},
        WARNING,
    ),
    Case(
        "a profile of another name",
        "X941",
        {f"{PROFILER}/ProfilingParameters": {"DetailedConfig": "{}"}},
        f"{PROFILER}/ProfilingParameters/DetailedConfig",
        {f"{PROFILER}/ProfilingParameters": {"DetailedProfilingConfig": "{}", "LocalPath": "/opt/ml/profiles"}},
        WARNING,
    ),
    Case(
        "a profile that is no JSON",
        "X941",
        {f"{PROFILER}/ProfilingParameters": {"DetailedProfilingConfig": "StartStep=5"}},
        f"{PROFILER}/ProfilingParameters/DetailedProfilingConfig",
        {f"{PROFILER}/ProfilingParameters": {"DetailedProfilingConfig": '{"StartStep": 5}'}},
        WARNING,
    ),
    Case(
        "one file for two instances",
        "X942",
        {f"{SOURCE}/S3Uri": "s3://raw/all.csv", f"{SOURCE}/S3DataDistributionType": "ShardedByS3Key", **TWO},
        f"{SOURCE}/S3DataDistributionType",
        {f"{SOURCE}/S3Uri": "s3://raw/all", f"{SOURCE}/S3DataDistributionType": "ShardedByS3Key", **TWO},
        WARNING,
    ),
    Case(
        "one file for two instances that process",
        "X942",
        {
            f"{RAW}/S3Uri": "s3://raw/all.csv",
            f"{RAW}/S3DataDistributionType": "ShardedByS3Key",
            "Prepare:ProcessingResources/ClusterConfig/InstanceCount": 2,
        },
        f"{RAW}/S3DataDistributionType",
        {f"{RAW}/S3Uri": "s3://raw/all.csv", f"{RAW}/S3DataDistributionType": "ShardedByS3Key"},
        WARNING,
    ),
    Case(
        "a plan and spot capacity",
        "X943",
        {
            **UNREAD,
            f"{PLACE}/TrainingPlanArn": PLAN,
            "Train:EnableManagedSpotTraining": True,
            "Train:StoppingCondition/MaxWaitTimeInSeconds": 7200,
        },
        "Train:EnableManagedSpotTraining",
        {**UNREAD, f"{PLACE}/TrainingPlanArn": PLAN},
        WARNING,
    ),
    Case(
        "a plan of CPUs",
        "X943",
        {f"{PLACE}/TrainingPlanArn": PLAN, f"{PLACE}/InstanceType": "ml.m5.xlarge"},
        f"{PLACE}/InstanceType",
        severity=WARNING,
    ),
    Case(
        "answers below a file",
        "X944",
        {"Batch:TransformOutput/S3OutputPath": "s3://acme/scores.csv"},
        "Batch:TransformOutput/S3OutputPath",
        {"Batch:TransformOutput/S3OutputPath": "s3://acme/scores.v2"},
        WARNING,
    ),
    Case(
        "a report below a file",
        "X944",
        {"Prepare:ProcessingOutputConfig/Outputs/1/S3Output/S3Uri": "s3://acme/report/quality.json"},
        "Prepare:ProcessingOutputConfig/Outputs/1/S3Output/S3Uri",
        severity=WARNING,
    ),
    Case(
        "RecordIO around RecordIO",
        "X767",
        {
            "Train:InputDataConfig/0/InputMode": "Pipe",
            "Train:InputDataConfig/0/RecordWrapperType": "RecordIO",
            "Train:InputDataConfig/0/ContentType": "application/x-recordio",
        },
        "Train:InputDataConfig/0/RecordWrapperType",
        {
            "Train:InputDataConfig/0/InputMode": "Pipe",
            "Train:InputDataConfig/0/RecordWrapperType": "RecordIO",
            "Train:InputDataConfig/0/ContentType": "image/jpeg",
        },
        WARNING,
    ),
    Case(
        "a warm pool of a tuning job",
        "X986",
        {"Tune:TrainingJobDefinition/ResourceConfig/KeepAlivePeriodInSeconds": 600},
        "Tune:TrainingJobDefinition/ResourceConfig/KeepAlivePeriodInSeconds",
        {"Tune:TrainingJobDefinition/ResourceConfig/KeepAlivePeriodInSeconds": 0},
        WARNING,
    ),
    Case(
        "a dataset without a query",
        "X781",
        {f"{PREPARE_IN}/0": {"InputName": "raw", "DatasetDefinition": {"LocalPath": ATHENA["LocalPath"]}}},
        f"{PREPARE_IN}/0/DatasetDefinition",
        {f"{PREPARE_IN}/0": {"InputName": "raw", "DatasetDefinition": ATHENA}},
    ),
    Case(
        "a dataset elsewhere",
        "X783",
        {f"{PREPARE_IN}/0": {"InputName": "raw", "DatasetDefinition": {**ATHENA, "LocalPath": "/data/raw"}}},
        f"{PREPARE_IN}/0/DatasetDefinition/LocalPath",
        {f"{PREPARE_IN}/0": {"InputName": "raw", "DatasetDefinition": ATHENA}},
    ),
    Case(
        "preferences of no number",
        "X931",
        {"Segments:ResourceConfig": PREFERRED},
        "Segments:ResourceConfig/InstanceCount",
        {"Segments:ResourceConfig": {**PREFERRED, "InstanceCount": 1}},
    ),
    Case(
        "a word as a metric's value",
        "X761",
        {f"{DEFINED}/Regex": "(val|test)_loss=([0-9.]+)"},
        f"{DEFINED}/Regex",
        {f"{DEFINED}/Regex": "(?:val|test)_loss=([0-9.]+) at (\\d+)"},
        WARNING,
    ),
    Case(
        "a model without a role", "X869", {"Model:ExecutionRoleArn": GONE}, "Model:ExecutionRoleArn", severity=WARNING
    ),
    Case(
        "model data of no source",
        "X930",
        {"Chain:Containers/0/ModelDataSource": {}, "Chain:Containers/0/ModelDataUrl": GONE},
        "Chain:Containers/0/ModelDataSource",
    ),
    Case(
        "a model by Pipe",
        "X767",
        {"Train:InputDataConfig/0/InputMode": "Pipe", "Train:InputDataConfig/0/ContentType": MODEL},
        "Train:InputDataConfig/0/InputMode",
        {"Train:InputDataConfig/0/InputMode": "File", "Train:InputDataConfig/0/ContentType": MODEL},
        WARNING,
    ),
]
WORDS = frozenset({"X869", "X940", "X942", "X943"})
MERGED = {"X941": "Train:", "X944": "Batch:TransformOutput"}
