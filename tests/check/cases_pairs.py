"""Rows of rules on a training job and what is made of its model, and on settings that have no effect."""

from __future__ import annotations

from rule_cases import DLC, WARNING, XGBOOST, Case
from sound_definition import GONE, KMEANS, REGISTRY, get

ARCHIVE = get("Steps.Segments.ModelArtifacts.S3ModelArtifacts")
PRIMARY = "Model:PrimaryContainer"
FIT = {
    "Segments:AlgorithmSpecification/TrainingImage": XGBOOST,
    "Segments:HyperParameters": {"num_round": "50"},
}
OLDER = XGBOOST.replace(":1.7-1", ":1.2-2")
TORCH = f"{DLC}/pytorch-inference:2.3.0-cpu-py311"
PLAIN = {"Batch:DataProcessing": GONE, "Batch:TransformOutput/Accept": GONE}
INPUT = "Batch:TransformInput/ContentType"
STOPPING = "Train:StoppingCondition/MaxPendingTimeInSeconds"
FLEXIBLE = "Tune:TrainingJobDefinition/HyperParameterTuningResourceConfig"
ONE = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30}
SPEC = "Component:Specification"
NEEDS = {"MinMemoryRequiredInMb": 1024, "MaxMemoryRequiredInMb": 2048}
REGION = f"{PRIMARY}/Environment/SAGEMAKER_REGION"


def served(image: str) -> dict[str, object]:
    return {PRIMARY: {"Image": image, "ModelDataUrl": ARCHIVE}}


def alone(count: int) -> dict[str, object]:
    values = {f"K{number}": "v" for number in range(count)}
    container = {"Image": f"{REGISTRY}/serve:1", "Environment": values}
    return {SPEC: {"Container": container, "ComputeResourceRequirements": NEEDS}}


CASES = [
    Case("XGBoost's model in PyTorch's image", "X867", {**FIT, **served(TORCH)}, f"{PRIMARY}/Image",
         {**FIT, **served(XGBOOST)}, severity=WARNING),
    Case("a newer model in an older image", "X867", {**FIT, **served(OLDER)}, f"{PRIMARY}/Image",
         {"Segments:AlgorithmSpecification/TrainingImage": OLDER, "Segments:HyperParameters": {"num_round": "50"},
          **served(XGBOOST)}, severity=WARNING),
    Case("JSON for XGBoost", "X798", {**FIT, **served(XGBOOST), **PLAIN, INPUT: "application/json"}, INPUT,
         {**FIT, **served(XGBOOST), **PLAIN, INPUT: "text/libsvm"}, severity=WARNING),
    Case("a stream for k-means", "X798", {**served(KMEANS), "Batch:MaxPayloadInMB": 0}, "Batch:MaxPayloadInMB",
         {"Batch:MaxPayloadInMB": 0}, severity=WARNING),
    Case("most data for validation", "X894", {"Auto:AutoMLJobConfig/DataSplitConfig": {"ValidationFraction": 0.9}},
         "Auto:AutoMLJobConfig/DataSplitConfig/ValidationFraction",
         {"Auto:AutoMLJobConfig/DataSplitConfig": {"ValidationFraction": 0.3}}, severity=WARNING),
    Case("another region for the toolkit", "X810", {REGION: "us-east-1"}, REGION, {REGION: "eu-west-1"},
         severity=WARNING),
    Case("a strategy over one instance type", "X986",
         {"Tune:TrainingJobDefinition/ResourceConfig": GONE, FLEXIBLE: {**ONE, "AllocationStrategy": "Prioritized"}},
         f"{FLEXIBLE}/AllocationStrategy",
         {"Tune:TrainingJobDefinition/ResourceConfig": GONE,
          FLEXIBLE: {"InstanceConfigs": [ONE], "AllocationStrategy": "Prioritized"}}, severity=WARNING),
    Case("a script that is piped", "X785", {"Prepare:ProcessingInputs/1/S3Input/S3InputMode": "Pipe"},
         "Prepare:AppSpecification/ContainerEntrypoint/1",
         {"Prepare:ProcessingInputs/0/S3Input/S3InputMode": "Pipe"}, severity=WARNING),
    Case("a pending time on CPUs", "X868", {STOPPING: 7200}, STOPPING,
         {STOPPING: 7200, "Instance.DefaultValue": "ml.g5.xlarge"}, severity=WARNING),
    Case("seventeen variables", "X808", alone(17), f"{SPEC}/Container/Environment", alone(16), severity=WARNING),
]  # fmt: skip

WORDS = frozenset({"X798", "X867"})
