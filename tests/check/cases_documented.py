"""Rows of rules on what the service's documentation says of members beside each other."""

from __future__ import annotations

from rule_cases import SEVERAL, WARNING, Case
from sound_definition import GONE, REGISTRY

CONFIG = "Segments:ResourceConfig"
PREFERENCE = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1}
PREFERRED = {
    CONFIG: {"VolumeSizeInGB": 30, "InstancePreferences": [PREFERENCE, {**PREFERENCE, "InstanceType": "ml.m5.large"}]}
}
EVALUATED = {
    "BaseModelArn": "arn:aws:sagemaker:eu-west-1:aws:hub-content/SageMakerPublicHub/Model/a/1.0.0",
    "JobType": "Evaluation",
    "AcceptEula": True,
}
SERVING = "Register:InferenceSpecification"
LISTED = {
    f"{SERVING}/SupportedTransformInstanceTypes": ["ml.m5.large"],
    f"{SERVING}/SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
}
OTHER = {"Name": "other", "Containers": [{"Image": f"{REGISTRY}/serve:1"}]}
SOURCE = {"S3Uri": "s3://acme/m/", "S3DataType": "S3Prefix", "CompressionType": "None"}
SOURCED = {
    "Model:PrimaryContainer": {"Image": f"{REGISTRY}/serve:1", "ModelDataSource": {"S3DataSource": SOURCE}},
}
ACCEPTED = "Model:PrimaryContainer/ModelDataSource/S3DataSource/ModelAccessConfig"
MANY = {f"K{number}": "v" for number in range(30)}

CASES = [
    Case(
        "preferences beside a type",
        "X930",
        {**PREFERRED, f"{CONFIG}/InstanceType": "ml.m5.xlarge"},
        f"{CONFIG}/InstanceType",
        PREFERRED,
    ),
    Case(
        "an evaluation of no type",
        "X930",
        {"Train:ServerlessJobConfig": EVALUATED},
        "Train:ServerlessJobConfig/EvaluationType",
        {"Train:ServerlessJobConfig": {**EVALUATED, "EvaluationType": "BenchmarkEvaluation"}},
    ),
    Case(
        "a number for each and for all",
        "X931",
        {**PREFERRED, f"{CONFIG}/InstanceCount": 1},
        f"{CONFIG}/InstanceCount",
        PREFERRED,
    ),
    Case(
        "a number for some",
        "X931",
        {**PREFERRED, f"{CONFIG}/InstancePreferences/1": {"InstanceType": "ml.m5.xlarge"}},
        f"{CONFIG}/InstancePreferences/1/InstanceCount",
    ),
    Case(
        "preferences of spot instances",
        "X931",
        {
            **PREFERRED,
            "Segments:EnableManagedSpotTraining": True,
            "Segments:StoppingCondition/MaxWaitTimeInSeconds": 7200,
        },
        "Segments:EnableManagedSpotTraining",
    ),
    Case(
        "a package without a group and without instances",
        "X932",
        {"Register:ModelPackageGroupName": GONE, "Register:DriftCheckBaselines": GONE},
        f"{SERVING}/SupportedTransformInstanceTypes",
        {"Register:ModelPackageGroupName": GONE, "Register:DriftCheckBaselines": GONE, **LISTED},
    ),
    Case(
        "two specifications of one name",
        "X932",
        {"Register:AdditionalInferenceSpecifications": [OTHER, OTHER]},
        "Register:AdditionalInferenceSpecifications/1/Name",
        {"Register:AdditionalInferenceSpecifications": [OTHER]},
    ),
    Case(
        "a licence that is declined",
        "X933",
        {**SOURCED, ACCEPTED: {"AcceptEula": False}},
        f"{ACCEPTED}/AcceptEula",
        {**SOURCED, ACCEPTED: {"AcceptEula": True}},
        WARNING,
    ),
    Case(
        "too many variables together",
        "X934",
        {
            **SEVERAL,
            "Tune:TrainingJobDefinitions": [
                {**item, "Environment": MANY} for item in SEVERAL["Tune:TrainingJobDefinitions"]
            ],  # type: ignore[union-attr]
        },
        "Tune:TrainingJobDefinitions/1/Environment",
        SEVERAL,
    ),
]

WORDS = frozenset({"X930", "X933"})
FOLLOW = {"X931": {"X859"}, "X932": {"X853"}, "X853": {"X932"}, "X933": {"X900", "X911"}}
