"""A sound definition with a step of nearly every type, and ways to spoil it."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

from sample_step_types import TYPES

from mlops.check import check
from mlops.ir import Checked, Finding
from mlops.ir.reader import read

REGION = "eu-west-1"
ROLE = "arn:aws:iam::111122223333:role/pipelines"
LAMBDA = "arn:aws:lambda:eu-west-1:111122223333:function:"
REGISTRY = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
KMEANS = "438346466558.dkr.ecr.eu-west-1.amazonaws.com/kmeans:1"
GONE = object()
"""Takes a member away."""


def get(path: str) -> dict[str, str]:
    return {"Get": path}


def join(*values: Any, on: str = "/") -> dict[str, Any]:
    return {"Std:Join": {"On": on, "Values": list(values)}}


def cluster() -> dict[str, Any]:
    return {"ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}}


def channel(name: str, uri: Any) -> dict[str, Any]:
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}}


def processing_input(name: str, uri: Any, path: str) -> dict[str, Any]:
    return {
        "InputName": name,
        "S3Input": {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"},
    }


def processing_output(name: str, uri: Any, path: str) -> dict[str, Any]:
    return {"OutputName": name, "S3Output": {"S3Uri": uri, "LocalPath": path, "S3UploadMode": "EndOfJob"}}


def job(image: str = f"{REGISTRY}/fit:1") -> dict[str, Any]:
    metrics = {} if image == KMEANS else {"MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}]}
    return {
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File", **metrics},
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://acme/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }


def call(name: str, **arguments: Any) -> dict[str, Any]:
    """A Lambda step."""
    return {"Name": name, "Type": "Lambda", "FunctionArn": LAMBDA + name.lower(), "Arguments": arguments}


def monitor(name: str, kind: str, check_type: str) -> dict[str, Any]:
    return {
        "Name": name,
        "Type": kind,
        "CheckType": check_type,
        "ModelPackageGroupName": "churn",
        "SkipCheck": get("Parameters.Skip"),
        "RegisterNewBaseline": False,
        "Arguments": {
            "ProcessingResources": cluster(),
            "AppSpecification": {"ImageUri": f"{REGISTRY}/monitor:1"},
            "RoleArn": ROLE,
            "ProcessingInputs": [processing_input("data", "s3://raw/churn", "/opt/ml/processing/input")],
            "ProcessingOutputConfig": {
                "Outputs": [processing_output("result", f"s3://acme/{name}", "/opt/ml/processing/output")]
            },
            "Environment": {"output_path": "/opt/ml/processing/output"},
        },
    }


def baseline(check: str, kind: str) -> dict[str, Any]:
    """What a registration takes of a check."""
    return {
        "ContentType": "application/json",
        "S3Uri": get(f"Steps.{check}.BaselineUsedForDriftCheck{kind}"),
    }


def _steps() -> list[dict[str, Any]]:
    prepare = {
        "Name": "Prepare",
        "Type": "Processing",
        "Description": "Splits the data",
        "CacheConfig": {"Enabled": True, "ExpireAfter": "P30D"},
        "RetryPolicies": [{"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 5, "MaxAttempts": 3}],
        "PropertyFiles": [{"PropertyFileName": "quality", "OutputName": "report", "FilePath": "quality.json"}],
        "Arguments": {
            "ProcessingResources": cluster(),
            "AppSpecification": {
                "ImageUri": f"{REGISTRY}/prepare:1",
                "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/prepare.py"],
                "ContainerArguments": ["--depth", get("Parameters.Depth")],
            },
            "RoleArn": ROLE,
            "ProcessingInputs": [
                processing_input("raw", get("Parameters.Data"), "/opt/ml/processing/input/raw"),
                processing_input("code", "s3://acme/code/prepare.py", "/opt/ml/processing/input/code"),
            ],
            "ProcessingOutputConfig": {
                "KmsKeyId": "arn:aws:kms:eu-west-1:111122223333:alias/ml",
                "Outputs": [
                    processing_output("train", join("s3://acme", get("Execution.PipelineExecutionId"), "train"),
                                      "/opt/ml/processing/output/train"),
                    processing_output("report", "s3://acme/report", "/opt/ml/processing/output/report"),
                ],
            },
            "Environment": {"STAGE": get("Parameters.Stage")},
        },
    }  # fmt: skip
    train_data = get("Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri")
    train = {
        "Name": "Train",
        "Type": "Training",
        "Arguments": {
            **job(),
            "InputDataConfig": [channel("train", train_data)],
            "ResourceConfig": {
                "InstanceType": get("Parameters.Instance"),
                "InstanceCount": get("Parameters.Count"),
                "VolumeSizeInGB": 30,
            },
            "HyperParameters": {
                "depth": get("Parameters.Depth"),
                "rows": {"Std:JsonGet": {"PropertyFile": get("Steps.Prepare.PropertyFiles.quality"), "Path": "rows"}},
            },
        },
    }
    cluster_step = {
        "Name": "Segments",
        "Type": "Training",
        "Arguments": {
            **job(KMEANS),
            "InputDataConfig": [channel("train", train_data)],
            "HyperParameters": {"k": "10", "feature_dim": "784"},
        },
    }
    gate = {
        "Name": "Gate",
        "Type": "Condition",
        "Arguments": {
            "Conditions": [
                {"Type": "Equals", "LeftValue": get("Parameters.Stage"), "RightValue": "prod"},
                {"Type": "GreaterThan", "LeftValue": get("Steps.Score.OutputParameters['score']"), "RightValue": 0.8},
                {
                    "Type": "Or",
                    "Conditions": [
                        {"Type": "In", "QueryValue": get("Parameters.Stage"), "Values": ["dev", "prod"]},
                        {
                            "Type": "Not",
                            "Condition": {"Type": "Equals", "LeftValue": get("Parameters.Skip"), "RightValue": True},
                        },
                    ],
                },
            ],
            "IfSteps": [
                {
                    "Name": "Register",
                    "Type": "RegisterModel",
                    "Arguments": {
                        "ModelPackageGroupName": "churn",
                        "ModelApprovalStatus": "PendingManualApproval",
                        "DriftCheckBaselines": {"ModelDataQuality": {"Statistics": baseline("Drift", "Statistics")}},
                        "InferenceSpecification": {
                            "Containers": [
                                {
                                    "Image": f"{REGISTRY}/serve:1",
                                    "ModelDataUrl": get("Steps.Train.ModelArtifacts.S3ModelArtifacts"),
                                }
                            ],
                            "SupportedContentTypes": ["text/csv"],
                            "SupportedResponseMIMETypes": ["text/csv"],
                        },
                    },
                },
                call("Announce", package=get("Steps.Register.ModelPackageArn")),
            ],
            "ElseSteps": [
                call("Complain", stage=get("Parameters.Stage")),
                {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": join("not", "good", on=" ")}},
            ],
        },
    }
    return [
        prepare,
        train,
        cluster_step,
        {
            **call("Score", model=get("Steps.Train.ModelArtifacts.S3ModelArtifacts"), limit=0.5),
            "OutputParameters": [
                {"OutputName": "score", "OutputType": "Float"},
                {"OutputName": "note", "OutputType": "String"},
            ],
        },
        gate,
        {
            "Name": "Tune",
            "Type": "Tuning",
            "Arguments": {
                "HyperParameterTuningJobConfig": {
                    "Strategy": "Bayesian",
                    "ResourceLimits": {"MaxNumberOfTrainingJobs": 8, "MaxParallelTrainingJobs": 2},
                    "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
                    "ParameterRanges": {
                        "ContinuousParameterRanges": [
                            {"Name": "lr", "MinValue": "0.001", "MaxValue": "0.1", "ScalingType": "Logarithmic"}
                        ]
                    },
                    "TrainingJobEarlyStoppingType": "Auto",
                },
                "TrainingJobDefinition": {**job(), "StaticHyperParameters": {"depth": "5"}},
            },
        },
        {
            "Name": "Auto",
            "Type": "AutoML",
            "Arguments": {
                "InputDataConfig": [
                    {"DataSource": channel("train", "s3://raw/churn")["DataSource"], "TargetAttributeName": "churned"}
                ],
                "OutputDataConfig": {"S3OutputPath": "s3://acme/auto"},
                "ProblemType": "Regression",
                "AutoMLJobObjective": {"MetricName": "RMSE"},
                "AutoMLJobConfig": {"Mode": "ENSEMBLING"},
                "RoleArn": ROLE,
            },
        },
        {
            "Name": "Model",
            "Type": "Model",
            "RetryPolicies": [{"ExceptionType": ["Step.SERVICE_FAULT"], "ExpireAfterMin": 60}],
            "Arguments": {
                "ExecutionRoleArn": ROLE,
                "PrimaryContainer": {
                    "Image": f"{REGISTRY}/serve:1",
                    "ModelDataUrl": join("s3://acme/models", get("Steps.Tune.TrainingJobSummaries[0].TrainingJobName"),
                                         "output/model.tar.gz"),
                    "Environment": {"SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"},
                },
            },
        },
        {
            "Name": "Batch",
            "Type": "Transform",
            "Arguments": {
                "ModelName": get("Steps.Model.ModelName"),
                "BatchStrategy": "MultiRecord",
                "MaxConcurrentTransforms": 4,
                "MaxPayloadInMB": 6,
                "TransformInput": {
                    "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://raw/batch"}},
                    "ContentType": "text/csv",
                    "SplitType": "Line",
                },
                "TransformOutput": {"S3OutputPath": "s3://acme/scores", "AssembleWith": "Line", "Accept": "text/csv"},
                "TransformResources": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
                "DataProcessing": {"InputFilter": "$[1:]", "JoinSource": "Input"},
            },
        },
        {
            "Name": "Chain",
            "Type": "Model",
            "Arguments": {
                "ExecutionRoleArn": ROLE,
                "Containers": [
                    {"Image": f"{REGISTRY}/one:1", "ContainerHostname": "one", "ModelDataUrl": "s3://acme/1.tar.gz"},
                    {"Image": f"{REGISTRY}/two:1", "ContainerHostname": "two", "ModelDataUrl": "s3://acme/2.tar.gz"},
                ],
            },
        },
        {
            "Name": "Variants",
            "Type": "EndpointConfig",
            "Arguments": {
                "EndpointConfigName": "churn-1",
                "ProductionVariants": [
                    {"VariantName": "Blue", "ModelName": get("Steps.Model.ModelName"),
                     "InitialInstanceCount": 2, "InstanceType": "ml.m5.large"},
                    {"VariantName": "Green", "ModelName": get("Steps.Chain.ModelName"),
                     "InitialInstanceCount": 2, "InstanceType": "ml.m5.large"},
                ],
            },
        },
        {
            "Name": "Live",
            "Type": "Endpoint",
            "Arguments": {
                "EndpointName": "churn",
                "EndpointConfigName": get("Steps.Variants.EndpointConfigName"),
                "DeploymentConfig": {
                    "BlueGreenUpdatePolicy": {
                        "TrafficRoutingConfiguration": {
                            "Type": "CANARY",
                            "WaitIntervalInSeconds": 600,
                            "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10},
                        },
                        "TerminationWaitInSeconds": 300,
                        "MaximumExecutionTimeoutInSeconds": 3600,
                    },
                    "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "churn-errors"}]},
                },
            },
        },
        {
            "Name": "Small",
            "Type": "EndpointConfig",
            "Arguments": {
                "EndpointConfigName": "churn-small-1",
                "ProductionVariants": [
                    {"VariantName": "AllTraffic", "ModelName": get("Steps.Model.ModelName"),
                     "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}},
                ],
            },
        },
        {
            "Name": "Host",
            "Type": "EndpointConfig",
            "Arguments": {
                "EndpointConfigName": "churn-host-1",
                "ExecutionRoleArn": ROLE,
                "ProductionVariants": [
                    {"VariantName": "Main", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"},
                ],
            },
        },
        {
            "Name": "Hosted",
            "Type": "Endpoint",
            "Arguments": {
                "EndpointName": "churn-hosted",
                "EndpointConfigName": get("Steps.Host.EndpointConfigName"),
            },
        },
        {
            "Name": "Component",
            "Type": "InferenceComponent",
            "Arguments": {
                "InferenceComponentName": "churn",
                "EndpointName": get("Steps.Hosted.EndpointName"),
                "VariantName": "Main",
                "Specification": {
                    "ModelName": get("Steps.Model.ModelName"),
                    "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 1024, "MaxMemoryRequiredInMb": 2048},
                },
            },
        },
        monitor("Drift", "QualityCheck", "DATA_QUALITY"),
        {**monitor("Bias", "ClarifyCheck", "MODEL_BIAS"), "ModelName": get("Steps.Model.ModelName")},
        {
            "Name": "Regions",
            "Type": "ForEach",
            "Arguments": {
                "IterableItems": get("Parameters.Items"),
                "MaxConcurrency": 2,
                "Selector": {"Pick": "MaxBy", "Field": get("IterationOutput.Fit.OutputParameters['score']")},
                "ForEachBody": [
                    {
                        **call("Fit", region=get("ForEach.CurrentItem.name")),
                        "OutputParameters": [{"OutputName": "score", "OutputType": "Float"}],
                    }
                ],
            },
        },
        call("Best", first=get("Steps.Regions.IterationOutputs[0].Fit.OutputParameters['score']"),
             best=get("Steps.Regions.Selected.OutputParameters['score']")),
        {
            "Name": "Sweep",
            "Type": "Cleanup",
            "DependsOn": [{"Step": "Train", "Trigger": "Any"}],
            "Arguments": {"Resources": {"S3": [{"StepName": "Auto"}]}},
        },
        {
            "Name": "Spark",
            "Type": "EMR",
            "Arguments": {
                "ClusterConfig": {
                    "ReleaseLabel": "emr-6.15.0",
                    "Instances": {"InstanceGroups": [
                        {"InstanceRole": "MASTER", "InstanceCount": 1, "InstanceType": "m5.xlarge"}
                    ]},
                },
                "StepConfig": {"HadoopJarStep": {"Jar": "command-runner.jar"}},
            },
        },
        {
            "Name": "Serverless",
            "Type": "EMRServerless",
            "Arguments": {
                "ExecutionRoleArn": ROLE,
                "ApplicationId": "00fabc1234567890",
                "JobConfig": {
                    "executionRoleArn": ROLE,
                    "jobDriver": {"sparkSubmit": {"entryPoint": "s3://acme/code/job.py"}},
                },
            },
        },
        {
            "Name": "Record",
            "Type": "Lineage",
            "Arguments": {
                "Artifacts": [{"ArtifactName": "tables", "ArtifactType": "DataSet",
                               "Source": {"SourceUri": "s3://raw/tables"}}],
                "Associations": [{"Source": {"Name": "tables", "Type": "Artifact"},
                                  "Destination": {"Arn": "arn:aws:sagemaker:eu-west-1:111122223333:artifact/1"}}],
            },
        },
        {
            "Name": "Ask",
            "Type": "Callback",
            "SqsQueueUrl": "https://sqs.eu-west-1.amazonaws.com/111122223333/ask",
            "Arguments": {"data": get("Parameters.Data")},
            "OutputParameters": [],
        },
    ]  # fmt: skip


SOUND: Mapping[str, Any] = {
    "Version": "2020-12-01",
    "Metadata": {"team": "growth"},
    "Parameters": [
        {"Name": "Data", "Type": "String", "DefaultValue": "s3://raw/churn.csv"},
        {"Name": "Instance", "Type": "String", "DefaultValue": "ml.m5.xlarge"},
        {"Name": "Count", "Type": "Integer", "DefaultValue": 1},
        {"Name": "Depth", "Type": "Integer", "DefaultValue": 5},
        {"Name": "Stage", "Type": "String", "DefaultValue": "dev", "EnumValues": ["dev", "qa", "prod"]},
        {"Name": "Skip", "Type": "Boolean", "DefaultValue": False},
        {"Name": "Items", "Type": "String", "DefaultValue": '[{"name": "north"}]'},
    ],
    "PipelineExperimentConfig": {
        "ExperimentName": get("Execution.PipelineName"),
        "TrialName": get("Execution.PipelineExecutionId"),
    },
    "MlflowConfig": {"MlflowResourceArn": "arn:aws:sagemaker:eu-west-1:111122223333:mlflow-tracking-server/team"},
    "Steps": _steps(),
}

_INDEX = {step["Name"]: f"/Steps/{index}" for index, step in enumerate(SOUND["Steps"])}
_INDEX |= {"Register": f"{_INDEX['Gate']}/Arguments/IfSteps/0", "Announce": f"{_INDEX['Gate']}/Arguments/IfSteps/1"}
_INDEX |= {"Complain": f"{_INDEX['Gate']}/Arguments/ElseSteps/0", "Stop": f"{_INDEX['Gate']}/Arguments/ElseSteps/1"}
_INDEX |= {"Fit": f"{_INDEX['Regions']}/Arguments/ForEachBody/0"}
_INDEX |= {item["Name"]: f"/Parameters/{index}" for index, item in enumerate(SOUND["Parameters"])}


def place(short: str) -> str:
    """``Train:RoleArn`` is a place in that step's Arguments, ``Train.DependsOn`` a member of the step or parameter, and
    a pointer is itself; the name alone is the step."""
    if short.startswith("/") or not short:
        return short
    for separator, below in ((":", "/Arguments/"), (".", "/")):
        name, found, rest = short.partition(separator)
        if found and name in _INDEX:
            return _INDEX[name] + below + rest
    return _INDEX[short]


TEXT = json.dumps(SOUND)


def spoilt(changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the sound definition with each place set, taken away (GONE), or appended to (a place ending in -)."""
    document: dict[str, Any] = json.loads(TEXT)
    for short, given in changes.items():
        value = given if given is GONE else copy.deepcopy(given)
        parts = [part.replace("~1", "/").replace("~0", "~") for part in place(short).split("/")[1:]]
        target: Any = document
        for part in parts[:-1]:
            target = target[int(part)] if isinstance(target, list) else target.setdefault(part, {})
        last = parts[-1]
        if isinstance(target, list):
            if last == "-":
                target.append(value)
            elif value is GONE:
                del target[int(last)]
            else:
                target[int(last)] = value
        elif value is GONE:
            target.pop(last)
        else:
            target[last] = value
    return document


def checked(document: Any) -> Checked:
    definition, findings = read(json.dumps(document), "definition.json")
    assert definition is not None
    return check(definition, findings=findings, types=TYPES)


def findings(document: Any, code: str | None = None) -> list[Finding]:
    return [item for item in checked(document).findings if code in (None, item.code)]
