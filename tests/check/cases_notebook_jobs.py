"""Rows of notebook jobs, of documents of jobs, and of values that only a parameter's default or a joined text spells
out."""

from __future__ import annotations

from typing import Any

from rule_cases import WARNING, Case
from sound_definition import GONE, KMEANS, LAMBDA, ROLE, get, join

INPUT = "/opt/ml/input/data/pages"
NAMED = {
    "SM_INPUT_NOTEBOOK_NAME": "report.ipynb",
    "SM_OUTPUT_NOTEBOOK_NAME": "report-2.ipynb",
    "SM_KERNEL_NAME": "python3",
    "SM_EXECUTION_INPUT_PATH": INPUT,
}
ENTRY = "Train:AlgorithmSpecification/ContainerEntrypoint"
SAID = "Train:Environment"
KEY = "Prepare:ProcessingOutputConfig/KmsKeyId"
LOGS = "Spark:ClusterConfig/LogUri"
BOUND = "Tune:HyperParameterTuningJobConfig/ParameterRanges/ContinuousParameterRanges/0/MaxValue"
GROUP = "Drift.ModelPackageGroupName"
OUTPUTS = "Prepare:ProcessingOutputConfig/Outputs"


def notebook(**changed: Any) -> dict[str, Any]:
    said = {name: value for name, value in (NAMED | changed).items() if value is not GONE}
    return {ENTRY: ["amazon_sagemaker_scheduler"], SAID: said, "Train:InputDataConfig/0/ChannelName": "pages"}


def job(document: Any) -> dict[str, Any]:
    return {
        "/Steps/-": {
            "Name": "Align",
            "Type": "Job",
            "Arguments": {
                "JobCategory": "AgentRFT",
                "RoleArn": "arn:aws:iam::111122223333:role/pipelines",
                "JobConfigSchemaVersion": "1.0.0",
                "JobConfigDocument": document,
            },
        }
    }


DOCUMENT = "/Steps/25/Arguments/JobConfigDocument"
DEFAULT = "/Parameters/7/DefaultValue"


def named(text: str) -> dict[str, Any]:
    """A parameter ``Named`` with this default."""
    return {"/Parameters/-": {"Name": "Named", "Type": "String", "DefaultValue": text}}


def hook(*names: str) -> dict[str, Any]:
    collections = [{"CollectionName": name} for name in names]
    return {"S3OutputPath": "s3://acme/tensors", "CollectionConfigurations": collections}


CASES = [
    Case("a notebook without a kernel", "X979", notebook(SM_KERNEL_NAME=GONE), f"{SAID}/SM_KERNEL_NAME", notebook()),
    Case(
        "a script for a notebook",
        "X979",
        notebook(SM_INPUT_NOTEBOOK_NAME="report.py"),
        f"{SAID}/SM_INPUT_NOTEBOOK_NAME",
        notebook(),
    ),
    Case(
        "a notebook of no channel",
        "X979",
        notebook(SM_EXECUTION_INPUT_PATH="/opt/ml/input/data/notebooks"),
        f"{SAID}/SM_EXECUTION_INPUT_PATH",
        notebook(SM_EXECUTION_INPUT_PATH=f"{INPUT}/2026"),
    ),
    Case(
        "an entry point a letter beside",
        "X979",
        {**notebook(), ENTRY: ["amazon_sagemaker_schedular"]},
        f"{ENTRY}/0",
        {**notebook(), ENTRY: ["fit"]},
    ),
    Case("a document of Python", "X848", job("{'Epochs': 2}"), DOCUMENT, job('{"Epochs": 2}')),
    Case(
        "a joined list",
        "X848",
        job(join("[", "]", on="")),
        DOCUMENT,
        job(join('{"S": "', get("Steps.Train.TrainingJobName"), '"}', on="")),
    ),
    Case(
        "k-means of another region's account",
        "X862",
        {"Segments:AlgorithmSpecification/TrainingImage": KMEANS.replace("438346466558", "174872318107")},
        "Segments:AlgorithmSpecification/TrainingImage",
    ),
    Case(
        "a key of an account of ten digits",
        "X814",
        {KEY: "arn:aws:kms:eu-west-1:1111222233:key/0d6f5b5a-52c1-4f0e-9a7e-3b1f6f2f9c11"},
        KEY,
        {KEY: "arn:aws:kms:eu-west-1:111122223333:key/0d6f5b5a-52c1-4f0e-9a7e-3b1f6f2f9c11"},
    ),
    Case(
        "a default that is a model for a package",
        "X814",
        {
            **named("arn:aws:sagemaker:eu-west-1:111122223333:model/churn"),
            "Model:PrimaryContainer": {"ModelPackageName": get("Parameters.Named")},
        },
        DEFAULT,
        {
            **named("arn:aws:sagemaker:eu-west-1:111122223333:model-package/churn/1"),
            "Model:PrimaryContainer": {"ModelPackageName": get("Parameters.Named")},
        },
    ),
    Case(
        "a function of another account",
        "X811",
        {"Announce.FunctionArn": LAMBDA.replace("111122223333", "444455556666") + "announce"},
        "Announce.FunctionArn",
        severity=WARNING,
    ),
    Case(
        "a role of another account that a function is told of",
        "X811",
        {"Announce:RoleArn": ROLE.replace("111122223333", "444455556666")},
        "Announce:RoleArn",
        {"Announce:RoleArn": ROLE},
        WARNING,
    ),
    Case("logs on a disk", "X735", {LOGS: "hdfs:///logs"}, LOGS, {LOGS: "s3n://acme/logs/"}),
    Case(
        "a number as a bound",
        "R330",
        {BOUND: get("Parameters.Depth")},
        f"{BOUND}/Get",
        {BOUND: join(get("Parameters.Depth"), on="")},
    ),
    Case("the whole of what is selected", "X703", {"Best:best": get("Steps.Regions.Selected")}, "Best:best/Get"),
    Case(
        "a list that is read of a file",
        "R330",
        {
            "Prepare:AppSpecification/ContainerArguments": {
                "Std:JsonGet": {"S3Uri": "s3://raw/words.json", "Path": "words"}
            }
        },
        "Prepare:AppSpecification/ContainerArguments",
        {
            "Prepare:AppSpecification/ContainerArguments": [
                {"Std:JsonGet": {"S3Uri": "s3://raw/words.json", "Path": "words[0]"}}
            ]
        },
    ),
    Case(
        "a machine of another step, as a whole",
        "R330",
        {"Train:ResourceConfig": get("Steps.Tune.TrainingJobDefinition.ResourceConfig")},
        "Train:ResourceConfig/Get",
    ),
    Case(
        "a joined name of a group with a slash",
        "X716",
        {GROUP: join("churn", get("Parameters.Stage"))},
        GROUP,
        {GROUP: join("churn", get("Parameters.Stage"), on="-")},
    ),
    Case(
        "a file in no file",
        "R323",
        {
            "Train:HyperParameters/rows": {
                "Std:JsonGet": {"S3Uri": get("Steps.Prepare.ProcessingOutputConfig"), "Path": "rows"}
            }
        },
        "Train:HyperParameters/rows/Std:JsonGet/S3Uri/Get",
    ),
    Case(
        "a default of 250 MB",
        "X793",
        {
            "/Parameters/-": {"Name": "Size", "Type": "Integer", "DefaultValue": 250},
            "Batch:MaxPayloadInMB": get("Parameters.Size"),
        },
        "Batch:MaxPayloadInMB",
        {
            "/Parameters/-": {"Name": "Size", "Type": "Integer", "DefaultValue": 25},
            "Batch:MaxPayloadInMB": get("Parameters.Size"),
        },
    ),
    Case(
        "a store beside a folder",
        "X782",
        {f"{OUTPUTS}/0/FeatureStoreOutput": {"FeatureGroupName": "churn"}, f"{OUTPUTS}/0/AppManaged": True},
        f"{OUTPUTS}/0/FeatureStoreOutput",
    ),
    Case(
        "an output inside of another",
        "X784",
        {
            f"{OUTPUTS}/1/S3Output/LocalPath": "/opt/ml/processing/train/quality",
            f"{OUTPUTS}/0/S3Output/LocalPath": "/opt/ml/processing/train",
        },
        f"{OUTPUTS}/1/S3Output/LocalPath",
        severity=WARNING,
    ),
    Case(
        "a queue of no account",
        "X702",
        {"Ask.SqsQueueUrl": "https://sqs.eu-west-1.amazonaws.com/jobs"},
        "Ask.SqsQueueUrl",
    ),
    Case(
        "a URI with a line's end",
        "X820",
        {"Train:OutputDataConfig/S3OutputPath": "s3://acme/models\n"},
        "Train:OutputDataConfig/S3OutputPath",
    ),
    Case(
        "a key of a region that is none",
        "X814",
        {KEY: "arn:aws:kms:eu-west1:111122223333:key/0d6f5b5a-52c1-4f0e-9a7e-3b1f6f2f9c11"},
        KEY,
    ),
    Case(
        "a folder below an archive",
        "R339",
        {"Batch:TransformOutput/S3OutputPath": join(get("Steps.Train.ModelArtifacts.S3ModelArtifacts"), "scores")},
        "Batch:TransformOutput/S3OutputPath/Std:Join/Values/0",
        severity=WARNING,
    ),
    Case(
        "a job's name for an image",
        "R334",
        {"Model:PrimaryContainer/Image": get("Steps.Train.TrainingJobName")},
        "Model:PrimaryContainer/Image/Get",
    ),
    Case(
        "two collections of losses",
        "X884",
        {"Train:DebugHookConfig": hook("losses", "losses")},
        "Train:DebugHookConfig/CollectionConfigurations/1/CollectionName",
        {"Train:DebugHookConfig": hook("losses", "gradients")},
    ),
]

WORDS = frozenset({"X848", "X979"})
