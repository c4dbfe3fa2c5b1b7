"""Rows of rules on the small print: what is counted together, reserved names, forms of ARNs, cards, and values that a
reference brings."""

from __future__ import annotations

from cases_containers import CLARIFIED, RULE, WATCHED
from rule_cases import WARNING, XGBOOST, Case
from sound_definition import REGISTRY, get

FIT = "Segments:"
KEY = "Prepare:ProcessingOutputConfig/KmsKeyId"
OUT = "Train:OutputDataConfig/S3OutputPath"
CARD = "Register:ModelCard"
PREFERRED = {"VolumeSizeInGB": 30, "InstancePreferences": [{"InstanceType": "ml.m5.xlarge", "InstanceCount": 1}]}
TWICE = {"VolumeSizeInGB": 30, "InstancePreferences": [*PREFERRED["InstancePreferences"]] * 2}
QUERIED = {"Catalog": "c", "Database": "d", "QueryString": "q", "OutputS3Uri": "s3://acme/q", "OutputFormat": "PARQUET"}
ATHENA = {"InputName": "rows", "DatasetDefinition": {"AthenaDatasetDefinition": QUERIED}}
PLACED = {"DatasetDefinition": {**ATHENA["DatasetDefinition"], "LocalPath": "/opt/ml/processing/rows"}}
UNPACKED = {"S3Uri": "s3://acme/m/", "S3DataType": "S3Prefix", "CompressionType": "Gzip"}
SPLIT = "Small:ProductionVariants/0/ServerlessConfig/MaxConcurrency"
SOURCE = "Segments:InputDataConfig/0/DataSource/S3DataSource/S3Uri"


def values(count: int) -> dict[str, str]:
    return {f"K{index:02}": "v" * 1000 for index in range(count)}


CASES = [
    Case(
        "40 KB in an environment",
        "X953",
        {"Model:PrimaryContainer/Environment": values(40)},
        "Model:PrimaryContainer/Environment",
        {"Model:PrimaryContainer/Environment": values(30)},
    ),
    Case(
        "40 KB in two environments",
        "X953",
        {"Chain:Containers/0/Environment": values(20), "Chain:Containers/1/Environment": values(20)},
        "Chain:Containers/1/Environment",
        {"Chain:Containers/0/Environment": values(20)},
    ),
    Case(
        "a card in prose",
        "X955",
        {CARD: {"ModelCardContent": "a model of demand", "ModelCardStatus": "Draft"}},
        f"{CARD}/ModelCardContent",
        {CARD: {"ModelCardContent": '{"model_overview": {}}', "ModelCardStatus": "Draft"}},
    ),
    Case(
        "a card that is a list",
        "X955",
        {CARD: {"ModelCardContent": "[]", "ModelCardStatus": "Draft"}},
        f"{CARD}/ModelCardContent",
    ),
    Case(
        "a section that no card has",
        "X955",
        {CARD: {"ModelCardContent": '{"model_overveiw": {}}', "ModelCardStatus": "Draft"}},
        f"{CARD}/ModelCardContent",
        severity=WARNING,
    ),
    Case(
        "a risk of another word",
        "X955",
        {CARD: {"ModelCardContent": '{"intended_uses": {"risk_rating": "Severe"}}', "ModelCardStatus": "Draft"}},
        f"{CARD}/ModelCardContent",
        {CARD: {"ModelCardContent": '{"intended_uses": {"risk_rating": "High"}}', "ModelCardStatus": "Draft"}},
    ),
    Case(
        "a local path for an S3 URI",
        "R336",
        {SOURCE: get("Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.LocalPath")},
        f"{SOURCE}/Get",
        {SOURCE: get("Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri")},
    ),
    Case(
        "a number that is too large",
        "R336",
        {SPLIT: get("Steps.Train.StoppingCondition.MaxRuntimeInSeconds")},
        f"{SPLIT}/Get",
        {SPLIT: get("Steps.Train.ResourceConfig.VolumeSizeInGB")},
    ),
    Case(
        "a repository a letter beside",
        "X863",
        {f"{FIT}AlgorithmSpecification/TrainingImage": XGBOOST.replace("xgboost", "xgbost")},
        f"{FIT}AlgorithmSpecification/TrainingImage",
        {f"{FIT}AlgorithmSpecification/TrainingImage": XGBOOST.replace("xgboost", "sklearn-automl")},
    ),
    Case("a key without its kind", "X814", {KEY: "arn:aws:kms:eu-west-1:111122223333:ml"}, KEY),
    Case(
        "a pipeline for a group",
        "X814",
        {"Register:ModelPackageGroupName": "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/churn"},
        "Register:ModelPackageGroupName",
        {"Register:ModelPackageGroupName": "arn:aws:sagemaker:eu-west-1:111122223333:model-package-group/churn"},
    ),
    Case(
        "an address for a bucket", "X820", {OUT: "s3://192.168.5.4/m"}, OUT, {OUT: "s3://192.168.5.4.acme/m"}, WARNING
    ),
    Case(
        "a host for a bucket", "X820", {OUT: "s3://acme.s3.amazonaws.com/m"}, OUT, {OUT: "s3://acme.s3.com/m"}, WARNING
    ),
    Case(
        "a place that Python was to fill", "X820", {OUT: "s3://acme/%(stage)s"}, OUT, {OUT: "s3://acme/%20s"}, WARNING
    ),
    Case("a reserved bucket", "X820", {OUT: "s3://xn--acme/m"}, OUT, {OUT: "s3://acme-xn--a/m"}, WARNING),
    Case("the bucket of the documentation", "X820", {OUT: "s3://amzn-s3-demo-bucket/m"}, OUT, {}, WARNING),
    Case(
        "a version in a URI", "X820", {SOURCE: "s3://raw/a.csv?versionId=3"}, SOURCE, {SOURCE: "s3://raw/a?b"}, WARNING
    ),
    Case(
        "a type that is preferred twice",
        "X931",
        {f"{FIT}ResourceConfig": TWICE},
        f"{FIT}ResourceConfig/InstancePreferences/1/InstanceType",
        {f"{FIT}ResourceConfig": PREFERRED},
    ),
    Case(
        "a query without a place",
        "X781",
        {"Prepare:ProcessingInputs/-": ATHENA},
        "Prepare:ProcessingInputs/2/DatasetDefinition/LocalPath",
        {"Prepare:ProcessingInputs/-": {**ATHENA, **PLACED}},
    ),
    Case(
        "samples that are not packed",
        "X744",
        {"Register:SamplePayloadUrl": "s3://acme/samples.json"},
        "Register:SamplePayloadUrl",
        {"Register:SamplePayloadUrl": "s3://acme/samples.tar.gz"},
        WARNING,
    ),
    Case(
        "a prefix that is unpacked",
        "X854",
        {"Model:PrimaryContainer": {"Image": f"{REGISTRY}/serve:1", "ModelDataSource": {"S3DataSource": UNPACKED}}},
        "Model:PrimaryContainer/ModelDataSource/S3DataSource/CompressionType",
    ),
    Case(
        "joined records of two delimiters",
        "X796",
        {"Batch:TransformOutput/AssembleWith": "None"},
        "Batch:TransformOutput/AssembleWith",
    ),
    Case(
        "Debugger of another region's account",
        "X883",
        {
            **WATCHED,
            f"{RULE}/RuleEvaluatorImage": "503895931360.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-debugger-rules:1",
        },
        f"{RULE}/RuleEvaluatorImage",
        WATCHED,
    ),
    Case(
        "shards for Clarify",
        "X881",
        {**CLARIFIED, "Bias:ProcessingInputs/1/S3Input/S3DataDistributionType": "ShardedByS3Key"},
        "Bias:ProcessingInputs/1/S3Input/S3DataDistributionType",
        {**CLARIFIED, "Bias:ProcessingInputs/1/S3Input/S3DataDistributionType": "FullyReplicated"},
        WARNING,
    ),
    Case(
        "a misspelt choice",
        "X850",
        {f"{FIT}HyperParameters/init_method": "randon"},
        f"{FIT}HyperParameters/init_method",
        {f"{FIT}HyperParameters/init_method": "random"},
    ),
]

WORDS = frozenset({"R336", "X744", "X781", "X863", "X953"})
MERGED = {"X955": CARD}
