"""Definitions that nobody would write and somebody has written: every construct in an unusual form, order or spelling.

Not valid pipelines for the most part. Each comes back from Python as the same JSON value.
"""

from __future__ import annotations

import json
from typing import Any

ROLE = "arn:aws:iam::111122223333:role/r"


def get(expression: str) -> dict[str, str]:
    return {"Get": expression}


def step(name: str, type: str, arguments: Any = None, **members: Any) -> dict[str, Any]:
    return {"Name": name, "Type": type, "Arguments": {} if arguments is None else arguments, **members}


def document(*steps: Any, **members: Any) -> dict[str, Any]:
    return {"Version": "2020-12-01", "Metadata": {}, "Parameters": [], **members, "Steps": list(steps)}


def compared(kind: str, left: Any, right: Any) -> dict[str, Any]:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


def negated(condition: Any) -> dict[str, Any]:
    return {"Type": "Not", "Condition": condition}


def either(*conditions: Any) -> dict[str, Any]:
    return {"Type": "Or", "Conditions": list(conditions)}


def processing(name: str, **more: Any) -> dict[str, Any]:
    arguments = {
        "AppSpecification": {"ImageUri": "1.dkr.ecr.us-east-1.amazonaws.com/i:1", "ContainerArguments": ["--x", "1"]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
        },
        "RoleArn": ROLE,
    }
    return step(name, "Processing", {**arguments, **more})


def training(name: str, **more: Any) -> dict[str, Any]:
    arguments = {
        "AlgorithmSpecification": {
            "TrainingImage": "1.dkr.ecr.us-east-1.amazonaws.com/t:1",
            "TrainingInputMode": "File",
        },
        "OutputDataConfig": {"S3OutputPath": "s3://b/o"},
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "RoleArn": ROLE,
    }
    return step(name, "Training", {**arguments, **more})


def condition(name: str, *conditions: Any, then: Any = (), otherwise: Any = (), **more: Any) -> dict[str, Any]:
    blocks = {"IfSteps": list(then), "ElseSteps": list(otherwise)}
    return step(name, "Condition", {"Conditions": list(conditions), **blocks}, **more)


A, B, C = (compared("Equals", get(f"Parameters.{name}"), name) for name in "ABC")
LETTERS = [{"Name": name, "Type": "String", "DefaultValue": name} for name in "ABC"]
S3 = {"S3DataType": "S3Prefix", "S3Uri": "s3://b/x", "S3DataDistributionType": "FullyReplicated"}

READ_AS_JSON: list[tuple[dict[str, Any], Any]] = [
    ({"PropertyFile": get("Steps.E.PropertyFiles.R")}, "a.b[0]['c d'].e"),
    ({"PropertyFile": get("Steps.E.PropertyFiles.R")}, "$.a"),
    ({"PropertyFile": get("Steps.E.PropertyFiles.R")}, ""),
    ({"PropertyFile": get("Steps.E.PropertyFiles.Other")}, "a"),
    ({"PropertyFile": "text"}, "a"),
    ({"S3Uri": "s3://b/x.json"}, "a.b"),
    ({"S3Uri": {"Std:Join": {"On": "/", "Values": ["s3:/", get("Parameters.A")]}}}, "['a.b'][2]"),
    ({"S3Uri": get("Parameters.A")}, {"Std:Join": {"On": ".", "Values": ["a", "b"]}}),
]
JSON_VALUES = [
    step(f"F{index}", "Fail", {"ErrorMessage": {"Std:JsonGet": {**source, "Path": path}}})
    for index, (source, path) in enumerate(READ_AS_JSON)
]

ODD: dict[str, dict[str, Any]] = {
    "branches of a condition in a step of another type": document(
        step("A", "Training", {"Conditions": [], "IfSteps": [], "ElseSteps": []})
    ),
    "members in an odd order": {
        "Steps": [{"Arguments": {"ErrorMessage": "no"}, "Type": "Fail", "Name": "Stop"}],
        "Parameters": [{"DefaultValue": 1, "Type": "Integer", "Name": "N"}],
        "Metadata": {},
        "Version": "2020-12-01",
    },
    "only steps": {"Steps": []},
    "empty lists": document(
        step("A", "Lambda", {}, FunctionArn="arn:f", OutputParameters=[], DependsOn=[]),
        step("B", "Condition", {"Conditions": [], "IfSteps": [], "ElseSteps": []}),
        processing("C", ProcessingInputs=[], ProcessingOutputConfig={"Outputs": []}, Environment={}),
        training("D", InputDataConfig=[], HyperParameters={}, Tags=[]),
        step("E", "RegisterModel", {"InferenceSpecification": {"Containers": []}, "ModelPackageGroupName": "g"}),
        step("F", "Lineage", {"Actions": [], "Artifacts": [], "Contexts": [], "Associations": []}),
        step("G", "Cleanup", {"Resources": {"S3": []}}),
        step("H", "EndpointConfig", {"ProductionVariants": []}),
        step("I", "ForEach", {"IterableItems": [], "MaxConcurrency": 1, "ForEachBody": []}),
        step("J", "AutoML", {"InputDataConfig": []}),
        step("K", "Tuning", {"TrainingJobDefinitions": []}),
    ),
    "unknown members everywhere": document(
        {**processing("A", NewMember={"x": [1, None, True]}), "NewEnvelope": "y"},
        step("B", "Model", {"PrimaryContainer": {"Image": "i", "ModelDataUrl": "s3://b/m", "New": 1}, "Newer": 2}),
        condition("C", A, then=[step("D", "Fail", {"ErrorMessage": "e", "New": 1})], New={"a": 1}),
        step("E", "ForEach", {"IterableItems": ["a"], "MaxConcurrency": 2, "ForEachBody": [], "New": 1}, Newer=2),
        New={"deep": [{"Get": "Parameters.A"}]},
        Parameters=[*LETTERS, {"Name": "X", "Type": "String", "New": 1}, {"Name": "Y"}, {"Name": "Z", "Type": "Date"}],
    ),
    "names that are unicode": document(
        processing("Größe"),
        training("訓練", HyperParameters={"größe": get("Parameters.Straße")}),
        step("Ünï-côdé", "Fail", {"ErrorMessage": "nein ☃ \U0001f600"}, DependsOn=["Größe", "訓練"]),
        Parameters=[{"Name": "Straße", "Type": "String", "Description": "“quoted” \u2028 \t"}],
    ),
    "names that are Python's": document(
        *(processing(name) for name in ("class", "import", "None", "match", "print", "Pipeline", "when", "mlops", "_")),
        step("self", "Lambda", {"from": get("Parameters.lambda"), "type": get("Steps.class.ProcessingJobName")}),
        Parameters=[{"Name": name, "Type": "String", "DefaultValue": name} for name in ("lambda", "def", "pipeline")],
    ),
    "names that clash": document(
        *(processing(name) for name in ("train", "Train", "TRAIN", "tr-ain", "tr_ain", "Train2", "execution", "join")),
        Parameters=[{"Name": name, "Type": "Float", "DefaultValue": 1.5} for name in ("Train", "train_step", "list")],
    ),
    "deep conditions": document(
        condition(
            "Deep",
            either(A, either(B, C), negated(either(negated(A), either(negated(B), negated(C)), C))),
            negated(negated(negated(A))),
            negated(negated(B)),
            either(A),
            either(),
            negated(either(A, B)),
            {"Type": "In", "QueryValue": get("Parameters.A"), "Values": []},
            {"Type": "In", "QueryValue": "a", "Values": ["a", 1, 2.0, True, get("Parameters.B")]},
            negated({"Type": "In", "QueryValue": get("Execution.PipelineName"), "Values": ["x"]}),
            compared("Equals", 1, 1.0),
            compared("LessThan", get("Parameters.A"), "m"),
            compared("GreaterThanOrEqualTo", 3, get("Parameters.A")),
            negated(compared("Equals", True, get("Parameters.A"))),
            negated(either(A, negated(B))),
            either(negated(either(negated(A), negated(B))), negated(either(A, B)), negated(either(negated(A), B))),
        ),
        Parameters=LETTERS,
    ),
    "conditions that are none": document(
        condition("A", {"Type": "And", "Conditions": [A, B]}),
        condition("B", compared("NotEquals", 1, 2), {"Type": "Equals", "LeftValue": None, "RightValue": 1}),
        condition("C", {**A, "New": 1}, "text", None, 3, [A]),
        step("D", "Condition", {"IfSteps": [], "Conditions": [A]}),
        step("E", "Condition", {"Conditions": get("Parameters.A"), "IfSteps": [], "ElseSteps": []}),
        Parameters=LETTERS,
    ),
    "conditions in conditions": document(
        condition(
            "Outer",
            A,
            then=[condition("Inner", B, then=[condition("Innermost", C, otherwise=[step("F", "Fail")])])],
            otherwise=[condition("Other", negated(C), then=[], otherwise=[processing("P")])],
            DisplayName="outer",
            Description="d",
            DependsOn=["Later"],
        ),
        processing("Later"),
        step("L", "Lambda", {"o": get("Steps.Outer.Outcome"), "i": get("Steps.Inner.Outcome")}, FunctionArn="arn:f"),
        Parameters=LETTERS,
    ),
    "steps that refer to later ones": document(
        processing("A", Environment={"M": get("Steps.B.ModelArtifacts.S3ModelArtifacts")}),
        training("B", HyperParameters={"x": get("Steps.C.OutputParameters['x']"), "y": "5", "z": '"5"', "w": "1e3"}),
        step("C", "Lambda", {}, FunctionArn="arn:f", OutputParameters=[{"OutputName": "x", "OutputType": "Integer"}]),
        step("D", "Fail", {"ErrorMessage": {"Std:Join": {"On": "", "Values": ["a", get("Steps.A.ExitMessage")]}}}),
    ),
    "all retries and caches": document(
        {
            **processing("A"),
            "CacheConfig": {"Enabled": True, "ExpireAfter": "30d"},
            "RetryPolicies": [
                {"ExceptionType": ["Step.SERVICE_FAULT", "Step.THROTTLING"], "MaxAttempts": 2, "IntervalSeconds": 1},
                {"ExceptionType": ["SageMaker.CAPACITY_ERROR"], "ExpireAfterMin": 60, "BackoffRate": 2},
                {"ExceptionType": "SageMaker.RESOURCE_LIMIT", "MaxAttempts": 2},
                {"ExceptionType": ["Unheard.OF"], "MaxAttempts": get("Parameters.A")},
            ],
        },
        {**training("B"), "CacheConfig": {"Enabled": False}, "RetryPolicies": []},
        {**training("C"), "CacheConfig": {"Enabled": "yes"}, "RetryPolicies": {"MaxAttempts": 1}},
        {**training("D"), "CacheConfig": {}, "RetryPolicies": [{"ExceptionType": [], "BackoffRate": 1.5}]},
        Parameters=LETTERS,
    ),
    "all ways to depend": document(
        processing("A"),
        {**processing("B"), "DependsOn": ["A", {"Step": "A", "Trigger": "Failed"}, {"Step": "C", "Trigger": "Any"}]},
        {**processing("C"), "DependsOn": [{"Step": "B", "Trigger": "Stopped"}, {"Step": "B"}, "Nowhere", 5]},
        {**processing("D"), "DependsOn": "A"},
        {**processing("E"), "DependsOn": [{"Step": "A", "Trigger": "Completed"}]},
        {**processing("F"), "DependsOn": None},
    ),
    "both ways to read JSON": document(
        {
            **processing(
                "E",
                ProcessingOutputConfig={
                    "Outputs": [
                        {
                            "OutputName": "out",
                            "S3Output": {
                                "S3Uri": "s3://b/out",
                                "LocalPath": "/opt/ml/processing/output/out",
                                "S3UploadMode": "EndOfJob",
                            },
                        }
                    ]
                },
            ),
            "PropertyFiles": [{"PropertyFileName": "R", "OutputName": "out", "FilePath": "a/b.json"}],
        },
        *JSON_VALUES,
        step("Odd", "Fail", {"ErrorMessage": {"Std:JsonGet": {"S3Uri": "s3://b/x", "PropertyFile": "y", "Path": "z"}}}),
        Parameters=LETTERS,
    ),
    "parameters of every kind": document(
        step(
            "L", "Lambda", {name: get(f"Parameters.{name}") for name in ("S", "I", "F", "B", "N")}, FunctionArn="arn:f"
        ),
        Parameters=[
            {"Name": "S", "Type": "String"},
            {"Name": "I", "Type": "Integer", "EnumValues": [1, 2], "DefaultValue": 2},
            {"Name": "F", "Type": "Float", "DefaultValue": 1},
            {"Name": "B", "Type": "Boolean", "DefaultValue": False, "Description": ""},
            {"Name": "N"},
            {"Name": "Empty", "Type": "String", "DefaultValue": "", "EnumValues": []},
            {"Name": "Null", "Type": "String", "DefaultValue": None},
            {"Name": "Wrong", "Type": "Integer", "DefaultValue": "1"},
            {"Name": "Lower", "Type": "string"},
            {"Name": "S", "Type": "String", "DefaultValue": "twice"},
        ],
    ),
    "every execution variable": document(
        step(
            "L",
            "Lambda",
            {
                name: get(f"Execution.{name}")
                for name in (
                    "StartDateTime",
                    "CurrentDateTime",
                    "PipelineName",
                    "PipelineArn",
                    "PipelineExecutionId",
                    "PipelineExecutionArn",
                    "TrainingJobName",
                    "ProcessingJobName",
                    "Unheard",
                )
            }
            | {"e": get("PipelineExperimentConfig.ExperimentName"), "t": get("PipelineExperimentConfig.TrialName")},
            FunctionArn="arn:f",
        ),
        PipelineExperimentConfig={
            "ExperimentName": "x",
            "TrialName": {"Std:Join": {"On": "-", "Values": ["a", 1, 2.5]}},
        },
        MlflowConfig={"MlflowResourceArn": "arn:m", "MlflowExperimentName": get("Execution.PipelineName")},
    ),
    "no experiment": document(
        PipelineExperimentConfig=None, MlflowConfig=None, Metadata={"a-b_c": "text", "generated_by": "x"}
    ),
    "half an experiment": document(
        PipelineExperimentConfig={"ExperimentName": get("Execution.PipelineName")},
        MlflowConfig={"MlflowExperimentName": "x", "New": 1},
        Metadata={"n": 1},
    ),
    "expressions that are none": document(
        step("A", "Lambda", {"a": {"Get": 1}, "b": {"Get": "x", "y": 1}, "c": {"Std:Join": {}}, "d": {"Std:Magic": 1}}),
        step("B", "Lambda", {"a": get("Steps.Nowhere.X"), "b": get("Parameters.Nope"), "c": get(""), "d": get("odd")}),
        step("C", "Lambda", {"a": {"Std:Join": {"On": "", "Values": [None, True, [], {"x": 1}]}}, "n": None, "l": [1]}),
        step("D", "Lambda", "text"),
        step("E", "Lambda", [1]),
        {"Name": "F", "Type": "Lambda"},
        {"Name": "G", "Type": "Unheard", "Arguments": None},
    ),
    "every kind of channel": document(
        training(
            "T",
            InputDataConfig=[
                {"ChannelName": "plain", "DataSource": {"S3DataSource": S3}, "InputMode": "File"},
                {"ChannelName": "sdk", "DataSource": {"S3DataSource": S3}, "ContentType": "text/csv"},
                {
                    "ChannelName": "lines",
                    "DataSource": {
                        "S3DataSource": {
                            **S3,
                            "S3DataType": "AugmentedManifestFile",
                            "AttributeNames": ["a", "b"],
                            "InstanceGroupNames": ["g"],
                        }
                    },
                    "CompressionType": "Gzip",
                    "RecordWrapperType": "RecordIO",
                    "ShuffleConfig": {"Seed": 3},
                    "InputMode": "Pipe",
                },
                {
                    "ChannelName": "files",
                    "DataSource": {
                        "FileSystemDataSource": {
                            "FileSystemId": "fs-1",
                            "FileSystemAccessMode": "rw",
                            "FileSystemType": "FSxLustre",
                            "DirectoryPath": "/x",
                        }
                    },
                    "InputMode": "FastFile",
                },
                {"ChannelName": "set", "DataSource": {"DatasetSource": {"DatasetArn": "arn:d"}}, "InputMode": "File"},
            ],
            HyperParameters={"a": "1", "b": "x", "c": "true", "d": " 1", "e": "1.50", "f": "NaN", "g": ""},
            CheckpointConfig={"S3Uri": "s3://b/c", "LocalPath": "/c"},
            DebugHookConfig={"S3OutputPath": "s3://b/d", "CollectionConfigurations": [{"CollectionName": "w"}]},
            ProfilerConfig={"DisableProfiler": True},
            ProfilerRuleConfigurations=[{"RuleConfigurationName": "r", "RuleEvaluatorImage": "i", "New": 1}],
            TensorBoardOutputConfig={"S3OutputPath": "s3://b/t"},
            VpcConfig={"Subnets": ["s"], "SecurityGroupIds": [get("Parameters.A")]},
            EnableNetworkIsolation=get("Parameters.A"),
            Tags=[{"Key": "b", "Value": "1"}, {"Key": "a", "Value": "2"}],
        ),
        training("Groups", ResourceConfig={"InstanceGroups": [{"InstanceGroupName": "g", "InstanceType": "ml.x"}]}),
        training("Serverless", ServerlessJobConfig={"BaseModelArn": "arn:b"}, ResourceConfig=None),
        Parameters=LETTERS,
    ),
    "numbers and texts at the edge": document(
        step("N", "Lambda", {"big": 10**40, "small": 1e-320, "minus": -0.0, "e": 1e22, "yes": True}, FunctionArn="f"),
        step('"""\nimport os\n', "Fail", {"ErrorMessage": "\\\" + __import__('os').system('touch here') + \""}),
        step("a", "__import__('os')", {"a\nb": get('Steps."\nx.y')}),
        Parameters=[{"Name": 'x"); import os #', "Type": "String", "DefaultValue": "\"\"\"\\\n'''"}],
    ),
    "ForEach in ForEach, and a condition in both": document(
        step(
            "F",
            "ForEach",
            {
                "IterableItems": get("Parameters.A"),
                "MaxConcurrency": 2,
                "ForEachBody": [
                    step(
                        "G",
                        "ForEach",
                        {
                            "IterableItems": ['{"a": 1}', '{"a":1}', 5],
                            "MaxConcurrency": 1,
                            "ForEachBody": [condition("H", compared("Equals", get("ForEach.CurrentItem"), 1))],
                        },
                    ),
                    step("I", "Fail", {"ErrorMessage": get("ForEach.CurrentItem['a'][0].b")}),
                ],
            },
        ),
        Parameters=LETTERS,
    ),
    "types with the wrong case and spelling": document(
        step("A", "processing", {"ProcessingResources": {}}),
        step("B", "QualityCheck", {}, CheckType="NEW_QUALITY"),
        step("C", "QualityCheck", {}),
        step("D", "ClarifyCheck", {"AppSpecification": {"ImageUri": "i"}}, CheckType="DATA_BIAS", ModelName=None),
    ),
    "clusters of machines that are none, counted by what is no number": document(
        *(
            step(
                f"E{index}",
                "EMR",
                {
                    "ClusterConfig": {
                        "Instances": {
                            "InstanceGroups": [
                                {"InstanceRole": "MASTER", "InstanceCount": one, "InstanceType": kind},
                                {"InstanceRole": "CORE", "InstanceCount": cores, "InstanceType": kind},
                            ]
                        }
                    },
                    "StepConfig": {"HadoopJarStep": {"Jar": "j"}},
                },
            )
            for index, (one, kind, cores) in enumerate(
                [
                    (1, {}, 2),
                    (1, ["m5.xlarge"], 2),
                    (True, "m5.xlarge", 2),
                    (1, "m5.xlarge", True),
                    (1.0, "m5.xlarge", 2),
                ]
            )
        )
    ),
    "hundreds of steps": document(
        *(
            processing(f"P{index}", Environment={"BEFORE": get(f"Steps.P{max(index - 1, 0)}.ProcessingJobName")})
            for index in range(300)
        )
    ),
}

if __name__ == "__main__":
    print(json.dumps(ODD))
