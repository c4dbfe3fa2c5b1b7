"""Rows on what two steps do to each other: who reads what is removed, takes the output beside the one that is meant,
registers a model again, goes on with the worse."""

# ruff: noqa: E501 - one row, one line
from __future__ import annotations

from typing import Any

from rule_cases import WARNING, Case
from sound_definition import GONE, REGISTRY, call, get, processing_output

TRAIN, REPORT = (
    get(f"Steps.Prepare.ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri") for name in ("train", "report")
)
SWEPT, ROWS = "Sweep:Resources/S3/0", "Batch:TransformInput/DataSource/S3DataSource/S3Uri"
CHANNEL = "Train:InputDataConfig/0/DataSource/S3DataSource/S3Uri"
PREPARED = {f"{SWEPT}/StepName": "Prepare", "Sweep.DependsOn": ["Train", "Segments"]}
LATE = {**PREPARED, "Batch.DependsOn": ["Sweep"]}
SPARK = {"Spark:StepConfig/HadoopJarStep/Args": ["spark-submit", "s3://acme/job.py", TRAIN]}
ASKED = {
    "/Parameters/-": {"Name": "Live", "Type": "String", "DefaultValue": "churn"},
    "Live:EndpointName": get("Parameters.Live"),
}
GROUPED = {
    "Gate:IfSteps/0/Arguments/ModelPackageGroupName": get("Parameters.Group"),
    "/Parameters/-": {"Name": "Group", "Type": "String", "DefaultValue": "churn"},
}
OPERATOR, LEFT = "Gate:Conditions/1/Type", "Gate:Conditions/1/LeftValue"
FAILED = {"Step": "Prepare", "Trigger": "Failed"}
KEPT = {"Train:CheckpointConfig": {"S3Uri": "s3://acme/kept"}}
CACHED = {"Enabled": True, "ExpireAfter": "P7D"}
UNCACHED = {"Prepare.CacheConfig": GONE, "Train.CacheConfig": CACHED}
PLACE = "Prepare:ProcessingOutputConfig/Outputs/0/S3Output/S3Uri"
IMAGE = "Model:PrimaryContainer/Image"


def metric(path: str) -> dict[str, Any]:
    return {LEFT: {"Std:JsonGet": {"PropertyFile": get("Steps.Prepare.PropertyFiles.quality"), "Path": path}}}


def inner(kind: str) -> dict[str, Any]:
    """A Condition inside of the branch that a score above a floor leads into."""
    floor = get("Parameters.Floor")
    condition = {"Type": kind, "LeftValue": get("Steps.Score.OutputParameters['score']"), "RightValue": floor}
    step = {
        "Name": "Inner",
        "Type": "Condition",
        "Arguments": {"Conditions": [condition], "IfSteps": [call("Never")], "ElseSteps": []},
    }
    return {
        "Gate:IfSteps/-": step,
        "Gate:Conditions/1/Type": "GreaterThanOrEqualTo",
        "Gate:Conditions/1/RightValue": floor,
        "/Parameters/-": {"Name": "Floor", "Type": "Float", "DefaultValue": 0.8},
    }


def again(**more: Any) -> dict[str, Any]:
    """A second registration, after the first."""
    specification = {
        "Containers": [
            {"Image": f"{REGISTRY}/serve:1", "ModelDataUrl": get("Steps.Train.ModelArtifacts.S3ModelArtifacts")}
        ],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    arguments = {
        "ModelPackageGroupName": "churn",
        "ModelApprovalStatus": "Approved",
        "InferenceSpecification": specification,
        **more,
    }
    return {"Gate:IfSteps/-": {"Name": "Again", "Type": "RegisterModel", "Arguments": arguments}}


def otherwise(*names: str) -> dict[str, Any]:
    """Registrations of the same in the branch that excludes the first."""
    (step,) = again().values()
    return {
        "Gate:ElseSteps": [call("Complain", stage=get("Parameters.Stage")), *({**step, "Name": name} for name in names)]
    }


CASES = [
    Case("after a Cleanup", "G114", {**LATE, ROWS: TRAIN}, ROWS, {**PREPARED, ROWS: TRAIN, "Sweep.DependsOn": ["Train", "Segments", "Batch"]}),
    Case("after a Cleanup, by the place", "G114", {**LATE, ROWS: "s3://acme/report/rows"}, ROWS, {**LATE, ROWS: "s3://acme/reports/rows"}),
    Case("after a Cleanup of that place", "G114", {**LATE, ROWS: REPORT, f"{SWEPT}/S3Uris": [REPORT]}, ROWS,
         {**LATE, ROWS: REPORT, f"{SWEPT}/S3Uris": [TRAIN]}),
    Case("beside a Cleanup", "G114", {**PREPARED, "Sweep.DependsOn": GONE}, SWEPT, PREPARED, WARNING),
    Case("a Spark program beside a Cleanup", "G114", {**PREPARED, **SPARK}, SWEPT, {**PREPARED, **SPARK, "Sweep.DependsOn": ["Train", "Segments", "Spark"]}, WARNING),
    Case("a Cleanup of what another step made", "G116", {**PREPARED, f"{SWEPT}/S3Uris": [get("Steps.Train.ModelArtifacts.S3ModelArtifacts")]}, f"{SWEPT}/S3Uris/0",
         {**PREPARED, f"{SWEPT}/S3Uris": [TRAIN, "s3://acme/x"]}),
    Case("a Cleanup of a bucket", "G116", {**PREPARED, f"{SWEPT}/S3Uris": ["s3://acme/"]}, f"{SWEPT}/S3Uris/0",
         {**PREPARED, f"{SWEPT}/S3Uris": ["s3://acme/a"]}, WARNING),
    Case("trained on the report", "X833", {CHANNEL: REPORT}, f"{CHANNEL}/Get", {CHANNEL: TRAIN}, WARNING),
    Case("a state of the same", "X833", {CHANNEL: REPORT}, f"{CHANNEL}/Get",
         {"Prepare:ProcessingOutputConfig/Outputs/-": processing_output("train-even", "s3://acme/even", "/opt/ml/processing/output/even"),
          CHANNEL: get("Steps.Prepare.ProcessingOutputConfig.Outputs['train-even'].S3Output.S3Uri")}, WARNING),
    Case("one model twice", "X834", again(), "Gate:IfSteps/2/Arguments/ModelPackageGroupName", again(ModelPackageGroupName="churn-eu"), WARNING),
    Case("one model twice where the first is not made", "X834", otherwise("Again", "Third"), "Gate:ElseSteps/2/Arguments/ModelPackageGroupName", otherwise("Again"), WARNING),
    Case("an error that is large", "C609", metric("regression.mse.value"), OPERATOR, {**metric("regression.mse.value"), OPERATOR: "LessThan"}, WARNING),
    Case("a score that is small", "C609", {**metric("auc"), OPERATOR: "LessThan"}, OPERATOR, metric("auc"), WARNING),
    Case("an error above nothing and below a bound", "C609", metric("mse"), OPERATOR,
         {**metric("mse"), "Gate:Conditions/-": {"Type": "LessThan", "LeftValue": metric("mse")[LEFT], "RightValue": 6.0}}, WARNING),
    Case("a negated error", "C609", metric("mse"), OPERATOR, metric("neg_mse"), WARNING),
    Case("a group as a version", "R335", {**GROUPED, "Model:PrimaryContainer": {"ModelPackageName": get("Parameters.Group")}},
         "Model:PrimaryContainer/ModelPackageName/Get", GROUPED, WARNING),
    Case("a score as an image", "R330", {IMAGE: get("Steps.Score.OutputParameters['score']")}, f"{IMAGE}/Get",
         {IMAGE: get("Steps.Score.OutputParameters['note']")}),
    Case("a training as a tuning's parent", "R334",
         {"Tune:WarmStartConfig": {"WarmStartType": "TransferLearning", "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": get("Steps.Train.TrainingJobName")}]}},
         "Tune:WarmStartConfig/ParentHyperParameterTuningJobs/0/HyperParameterTuningJobName/Get"),
    Case("one checkpoint for two", "X845", {**KEPT, "Segments:CheckpointConfig": {"S3Uri": "s3://acme/kept/"}}, "Segments:CheckpointConfig/S3Uri",
         {**KEPT, "Segments:CheckpointConfig": {"S3Uri": "s3://acme/kept-too"}}, WARNING),
    Case("a cache of what changes", "X846", {**UNCACHED, PLACE: "s3://acme/train"}, f"{CHANNEL}/Get", UNCACHED, WARNING),
    Case("a cache behind a cache", "X846", {**UNCACHED, PLACE: "s3://acme/train"}, f"{CHANNEL}/Get", {**UNCACHED, PLACE: "s3://acme/train", "Prepare.CacheConfig": CACHED}, WARNING),
    Case("two texts for one value", "C610", {"Gate:Conditions/-": {"Type": "Equals", "LeftValue": get("Parameters.Stage"), "RightValue": "dev"}}, "Gate:Conditions/3",
         {"Gate:Conditions/-": {"Type": "Equals", "LeftValue": get("Parameters.Skip"), "RightValue": False}}, WARNING),
    Case("the opposite inside", "C610", inner("LessThan"), "Gate:IfSteps/2/Arguments/Conditions/0", inner("LessThanOrEqualTo"), WARNING),
    Case("after a failure and what follows success", "G115", {"Announce.DependsOn": [FAILED, "Segments"], "Segments.DependsOn": ["Prepare"]},
         "Announce.DependsOn/1", {"Announce.DependsOn": [FAILED, "Auto"]}, WARNING),
    Case("an outcome that is none", "C605", {"Gate:Conditions/-": {"Type": "Equals", "LeftValue": get("Steps.Train.TrainingJobStatus"), "RightValue": "Complete"}},
         "Gate:Conditions/3/RightValue",
         {"Gate:Conditions/-": {"Type": "Equals", "LeftValue": get("Steps.Train.TrainingJobStatus"), "RightValue": "Completed"}}, WARNING),
    Case("asks an endpoint too early", "G113", {**ASKED, "Score:endpoint": get("Parameters.Live")}, "Score:endpoint/Get",
         {**ASKED, "Score:endpoint": get("Parameters.Live"), "Live.DependsOn": ["Score"]}, WARNING),
]  # fmt: skip
WORDS = frozenset({"C609", "C610", "G114", "G115", "G116", "X845", "X846", "R335", "X833", "X834"})
FOLLOW = {"X729": {"G114"}, "G116": {"G114"}, "X834": {"X719"}}
