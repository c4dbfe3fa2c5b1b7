"""Rows of rules on what is made of a trained model, and on settings that have no effect."""

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
CONTAINERS = "Register:InferenceSpecification/Containers"
ONE_IMAGE = {"Image": f"{REGISTRY}/serve:1", "ModelDataUrl": "s3://acme/m.tar.gz"}
TWICE = [
    {
        "Source": {"Name": "tables", "Type": "Artifact"},
        "Destination": {"Arn": "arn:aws:sagemaker:eu-west-1:111122223333:artifact/1"},
    }
]
KEY = "Train:OutputDataConfig/KmsKeyId"
PROGRAM = "Train:HyperParameters/sagemaker_program"
SCRIPTED, SCRIPT = "Train:HyperParameters", {"sagemaker_submit_directory": "s3://acme/code.tar.gz"}
LOGS = "Spark:ClusterConfig/LogUri"
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
    Case("a model of an older image, and one that is named by its digest", "X867", {**FIT, **served(OLDER)},
         f"{PRIMARY}/Image", {**FIT, **served(f"{XGBOOST.partition(':')[0]}@sha256:{'0' * 64}")}, severity=WARNING),
    Case("JSON for XGBoost", "X798", {**FIT, **served(XGBOOST), **PLAIN, INPUT: "application/json"}, INPUT,
         {**FIT, **served(XGBOOST), **PLAIN, INPUT: "text/libsvm"}, severity=WARNING),
    Case("no label for XGBoost", "X798", {**FIT, **served(XGBOOST), **PLAIN, INPUT: "text/csv;label_size=0"}, INPUT,
         {**FIT, **served(XGBOOST), **PLAIN, INPUT: "text/csv; label_size=1"}),
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
    Case("a script in a piped folder with a slash", "X785",
         {"Prepare:ProcessingInputs/1/S3Input/S3InputMode": "Pipe",
          "Prepare:ProcessingInputs/1/S3Input/LocalPath": "/opt/ml/processing/input/code/"},
         "Prepare:AppSpecification/ContainerEntrypoint/1",
         {"Prepare:ProcessingInputs/1/S3Input/LocalPath": "/opt/ml/processing/input/code/"}, severity=WARNING),
    Case("a script that is piped", "X785", {"Prepare:ProcessingInputs/1/S3Input/S3InputMode": "Pipe"},
         "Prepare:AppSpecification/ContainerEntrypoint/1",
         {"Prepare:ProcessingInputs/0/S3Input/S3InputMode": "Pipe"}, severity=WARNING),
    Case("a pending time on CPUs", "X868", {STOPPING: 7200}, STOPPING,
         {STOPPING: 7200, "Instance.DefaultValue": "ml.g5.xlarge"}, severity=WARNING),
    Case("seventeen variables", "X808", alone(17), f"{SPEC}/Container/Environment", alone(16), severity=WARNING),
    Case("two containers of one name in a registration", "X742",
         {CONTAINERS: [{**ONE_IMAGE, "ContainerHostname": "one"}] * 2}, f"{CONTAINERS}/1/ContainerHostname",
         {CONTAINERS: [{**ONE_IMAGE, "ContainerHostname": name} for name in ("one", "two")]}),
    Case("logs at no URI", "X735", {LOGS: "acme-logs/emr"}, LOGS, {LOGS: "s3://acme-logs/emr/"}),
    Case("a stream without an end", "X736", {"Serverless:JobConfig/mode": "STREAMING"}, "Serverless:JobConfig/mode",
         {"Serverless:JobConfig/mode": "BATCH"}, severity=WARNING),
    Case("an association twice", "X737", {"Record:Associations": TWICE * 2}, "Record:Associations/1",
         {"Record:Associations": TWICE}, severity=WARNING),
    Case("a role without a name", "X811", {"Train:RoleArn": "arn:aws:iam::111122223333:role/"}, "Train:RoleArn",
         {"Train:RoleArn": "arn:aws:iam::111122223333:role/service-role/train"}),
    Case("a key of no account", "X814", {KEY: "arn:aws:kms:eu-west-1::key/0d6f5b5a"}, KEY,
         {KEY: "arn:aws:kms:eu-west-1:111122223333:key/0d6f5b5a"}, severity=WARNING),
    Case("a program of Windows", "X970", {SCRIPTED: {**SCRIPT, "sagemaker_program": "src\\train.py"}}, PROGRAM,
         {SCRIPTED: {**SCRIPT, "sagemaker_program": "src/train.py"}}, severity=WARNING),
]  # fmt: skip

WORDS = frozenset({"X798", "X867"})
