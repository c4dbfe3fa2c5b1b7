"""Every rule fires on a spoilt definition at the right place, and does not on its mended twin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from sound_definition import (
    GONE,
    LAMBDA,
    REGISTRY,
    ROLE,
    SOUND,
    call,
    channel,
    findings,
    get,
    job,
    join,
    place,
    processing_output,
    spoilt,
)  # fmt: skip

from mlops.check.rule import all_rules
from mlops.ir import Severity
from mlops.project.images import sdk_data_folder

GROUP = "arn:aws:sagemaker:eu-west-1:111122223333:model-package-group/churn"
XGBOOST = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1"
TEXT_257 = "x" * 257


@dataclass(frozen=True)
class Case:
    """``good`` are the changes under which the rule keeps silent; without any it is the sound definition."""

    name: str
    code: str
    bad: Mapping[str, Any]
    at: str
    good: Mapping[str, Any] = field(default_factory=dict)
    severity: Severity = Severity.ERROR


WARNING, INFO = Severity.WARNING, Severity.INFO
PREPARE_IN, PREPARE_OUT = "Prepare:ProcessingInputs", "Prepare:ProcessingOutputConfig/Outputs"
RANGE = "Tune:HyperParameterTuningJobConfig/ParameterRanges/ContinuousParameterRanges/0"
ROUTING = "Live:DeploymentConfig/BlueGreenUpdatePolicy/TrafficRoutingConfiguration"
SPOT = {"Train:EnableManagedSpotTraining": True}
GPU = {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30, "VolumeKmsKeyId": "alias/ml"}

SCRIPT = {"sagemaker_program": "t.py", "sagemaker_submit_directory": "s3://acme/code.tar.gz"}
SERVER, PARALLEL = "sagemaker_parameter_server_enabled", "sagemaker_distributed_dataparallel_enabled"
S3_SOURCE = "Train:InputDataConfig/0/DataSource/S3DataSource"
CATEGORIES = "Tune:HyperParameterTuningJobConfig/ParameterRanges/CategoricalParameterRanges"
CRITERIA = "Auto:AutoMLJobConfig/CompletionCriteria"
TRAIN_IMAGE = "Train:AlgorithmSpecification/TrainingImage"
DLC = "763104351884.dkr.ecr.eu-west-1.amazonaws.com"
ROWS = "Train:HyperParameters/rows/Std:JsonGet"
OBJECTIVE = {"Type": "Minimize", "MetricName": "loss"}
SEVERAL = {
    "Tune:TrainingJobDefinition": GONE,
    "Tune:HyperParameterTuningJobConfig/HyperParameterTuningJobObjective": GONE,
    "Tune:TrainingJobDefinitions": [
        {**job(), "DefinitionName": "one", "TuningObjective": OBJECTIVE},
        {**job(), "DefinitionName": "two", "TuningObjective": OBJECTIVE},
    ],
}
PREFIX: dict[str, Any] = {
    "Image": f"{REGISTRY}/serve:1",
    "ModelDataSource": {"S3DataSource": {"S3Uri": "s3://a/m", "S3DataType": "S3Prefix", "CompressionType": "None"}},
}

RANGES = {"ContinuousParameterRanges": [{"Name": "lr", "MinValue": "0.001", "MaxValue": "0.1"}]}
GPU_GROUP = {"InstanceGroupName": "fit", "InstanceType": "ml.g5.xlarge", "InstanceCount": 1}
SERVED = "Register:InferenceSpecification/Containers/0"
_QUERY = {"Database": "d", "QueryString": "select 1", "OutputS3Uri": "s3://acme/rows", "OutputFormat": "PARQUET"}
ATHENA = {"LocalPath": "/opt/ml/processing/input/raw", "AthenaDatasetDefinition": {"Catalog": "c", **_QUERY}}
REDSHIFT = {
    "RedshiftDatasetDefinition": {"ClusterId": "c", "DbUser": "u", "ClusterRoleArn": ROLE, **_QUERY},
}

HARMLESS = {
    "Prepare:Environment/DB_PASSWORD": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db",
    "Prepare:Environment/API_KEY": "${API_KEY}",
    "Train:HyperParameters/max_token": "10000000",
    "Train:HyperParameters/digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "Score:x": "https://example.com/a?page=12345678",
    "Train:Tags": [{"Key": "password-policy", "Value": "hunter2hunter2"}],
}

CASES = [
    # Graph
    Case("two steps of one name", "G101", {"Score.Name": "Train"}, "Score"),
    Case("one name in both branches", "G101", {"Complain.Name": "Announce"}, "Complain"),
    Case(
        "unknown dependency",
        "G102",
        {"Score.DependsOn": ["Trian"]},
        "Score.DependsOn/0",
        {"Score.DependsOn": ["Train"]},
    ),
    Case(
        "cleanup of an unknown step", "G102", {"Sweep:Resources/S3/0/StepName": "Prep"}, "Sweep:Resources/S3/0/StepName"
    ),
    Case(
        "depends on itself", "G103", {"Score.DependsOn": ["Score"]}, "Score.DependsOn/0", {"Score.DependsOn": ["Train"]}
    ),
    Case("reads itself", "G103", {"Score:x": get("Steps.Score.OutputParameters['score']")}, "Score:x"),
    Case("cycle", "G104", {"Train.DependsOn": ["Score"]}, "Train.DependsOn/0", {"Train.DependsOn": ["Prepare"]}),
    Case(
        "waits for a Condition",
        "G105",
        {"Ask.DependsOn": ["Gate"]},
        "Ask.DependsOn/0",
        {"Ask:x": get("Steps.Gate.Outcome")},
    ),
    Case("waits for a Fail", "G105", {"Complain.DependsOn": ["Stop"]}, "Complain.DependsOn/0"),
    Case(
        "two triggers",
        "G106",
        {"Sweep.DependsOn/-": {"Step": "Train", "Trigger": "Failed"}},
        "Sweep.DependsOn/1",
        {"Sweep.DependsOn/-": {"Step": "Score", "Trigger": "Failed"}},
    ),
    Case("reads the other branch", "G107", {"Complain:x": get("Steps.Register.ModelPackageArn")}, "Complain:x"),
    Case(
        "waits for both branches",
        "G108",
        {"Ask.DependsOn": ["Announce", "Complain"]},
        "Ask.DependsOn/1",
        {"Ask.DependsOn": ["Announce"]},
    ),
    Case(
        "waits for a branch",
        "G109",
        {"Ask.DependsOn": ["Announce"]},
        "Ask.DependsOn/0",
        {"Ask.DependsOn": ["Train"]},
        WARNING,
    ),
    Case("reads a body from outside", "G110", {"Ask:x": get("Steps.Fit.OutputParameters['score']")}, "Ask:x"),
    Case(
        "waits for its own content",
        "G111",
        {"Gate.DependsOn": ["Register"]},
        "Gate.DependsOn/0",
        {"Gate.DependsOn": ["Train"]},
    ),
    # Shapes
    Case("unknown member", "S201", {"Train:ResourceConfg": {}}, "Train:ResourceConfg"),
    Case("missing member", "S202", {"Train:RoleArn": GONE}, "Train:RoleArn", {"Train:Tags": []}),
    Case("null for a required member", "S202", {"Train:RoleArn": None}, "Train:RoleArn"),
    Case(
        "number as text",
        "S203",
        {"Tune:TrainingJobDefinition/ResourceConfig/InstanceCount": "1"},
        "Tune:TrainingJobDefinition/ResourceConfig/InstanceCount",
    ),
    Case(
        "fraction for an integer",
        "S203",
        {"Train:ResourceConfig/VolumeSizeInGB": 30.5},
        "Train:ResourceConfig/VolumeSizeInGB",
    ),
    Case(
        "true for a number",
        "S203",
        {"Train:ResourceConfig/VolumeSizeInGB": True},
        "Train:ResourceConfig/VolumeSizeInGB",
    ),
    Case("text for an object", "S203", {"Train:StoppingCondition": "3600"}, "Train:StoppingCondition"),
    Case(
        "number as hyperparameter",
        "S203",
        {"Train:HyperParameters/lr": 0.1},
        "Train:HyperParameters/lr",
        {"Train:HyperParameters/lr": "0.1"},
    ),
    Case(
        "list as hyperparameter",
        "S203",
        {"Train:HyperParameters/lr": ["a"]},
        "Train:HyperParameters/lr",
        severity=WARNING,
    ),
    Case("unknown choice", "S204", {"Register:ModelApprovalStatus": "Pending"}, "Register:ModelApprovalStatus"),
    Case("role is a name", "S205", {"Train:RoleArn": "a-role-that-is-no-arn-at-all"}, "Train:RoleArn"),
    Case(
        "doubtful pattern",
        "S205",
        {"Register:InferenceSpecification/SupportedResponseMIMETypes/0": "*"},
        "Register:InferenceSpecification/SupportedResponseMIMETypes/0",
        severity=WARNING,
    ),
    Case(
        "tag key in another alphabet is fine",
        "S205",
        {"Train:Tags": [{"Key": "a#b", "Value": "c"}]},
        "Train:Tags/0/Key",
        {"Train:Tags": [{"Key": "größe", "Value": "c"}]},
    ),
    Case(
        "text too long",
        "S206",
        {"Prepare:AppSpecification/ContainerArguments/0": TEXT_257},
        "Prepare:AppSpecification/ContainerArguments/0",
        {"Prepare:AppSpecification/ContainerArguments/0": TEXT_257[1:]},
    ),
    Case(
        "number too small",
        "S207",
        {"Prepare:ProcessingResources/ClusterConfig/VolumeSizeInGB": 0},
        "Prepare:ProcessingResources/ClusterConfig/VolumeSizeInGB",
    ),
    Case(
        "number too large",
        "S207",
        {"Prepare:ProcessingResources/ClusterConfig/VolumeSizeInGB": 10**400},
        "Prepare:ProcessingResources/ClusterConfig/VolumeSizeInGB",
    ),
    Case(
        "list too short",
        "S208",
        {"Prepare:AppSpecification/ContainerArguments": []},
        "Prepare:AppSpecification/ContainerArguments",
    ),
    Case(
        "map too large",
        "S208",
        {"Batch:Environment": {f"K{index}": "" for index in range(17)}},
        "Batch:Environment",
        {"Batch:Environment": {f"K{index}": "" for index in range(16)}},
    ),
    Case("optional member is null", "S209", {"Train:VpcConfig": None}, "Train:VpcConfig", severity=WARNING),
    Case("slip of a type", "S210", {"Train.Type": "Trainning"}, "Train.Type"),
    Case("type in lower case", "S210", {"Train.Type": "training"}, "Train.Type"),
    Case("unheard-of type", "S210", {"Train.Type": "Quantum"}, "Train.Type", severity=INFO),
    # Expressions
    Case("unknown function", "R301", {"Score:x": {"Std:Concat": []}}, "Score:x"),
    Case(
        "join without values", "R301", {"Score:x": {"Std:Join": {"On": ""}}}, "Score:x/Std:Join", {"Score:x": join("a")}
    ),
    Case("get of a list", "R301", {"Score:x": {"Get": ["Parameters.Depth"]}}, "Score:x/Get"),
    Case("unknown root", "R302", {"Score:x": get("Params.Depth")}, "Score:x/Get", {"Score:x": get("Parameters.Depth")}),
    Case("open bracket", "R302", {"Score:x": get("Steps.Train.Tags[0")}, "Score:x/Get"),
    Case("undeclared parameter", "R303", {"Score:x": get("Parameters.Dpeth")}, "Score:x/Get"),
    Case(
        "undeclared parameter in a join",
        "R303",
        {"Score:x": join("a", get("Parameters.No"))},
        "Score:x/Std:Join/Values/1/Get",
    ),
    Case("drilling into a parameter", "R303", {"Score:x": get("Parameters.Depth.x")}, "Score:x/Get"),
    Case(
        "unknown execution variable",
        "R304",
        {"Score:x": get("Execution.PipelineId")},
        "Score:x/Get",
        {"Score:x": get("Execution.PipelineArn")},
    ),
    Case(
        "undeclared step",
        "R305",
        {"Score:x": get("Steps.Trian.TrainingJobName")},
        "Score:x/Get",
        {"Score:x": get("Steps.Train.TrainingJobName")},
    ),
    Case(
        "misspelt property",
        "R306",
        {"Score:model": get("Steps.Train.ModelArtefacts.S3ModelArtifacts")},
        "Score:model/Get",
    ),
    Case("bare step", "R306", {"Score:model": get("Steps.Train")}, "Score:model/Get"),
    Case(
        "undeclared output",
        "R306",
        {"Score:x": get("Steps.Prepare.ProcessingOutputConfig.Outputs['tset'].S3Output.S3Uri")},
        "Score:x/Get",
        {"Score:x": get("Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri")},
    ),
    Case(
        "index out of range",
        "R306",
        {"Score:x": get("Steps.Prepare.ProcessingInputs[2].InputName")},
        "Score:x/Get",
        {"Score:x": get("Steps.Prepare.ProcessingInputs[1].InputName")},
    ),
    Case(
        "undeclared Lambda output",
        "R306",
        {"Ask:x": get("Steps.Score.OutputParameters['rows']")},
        "Ask:x/Get",
        {"Ask:x": get("Steps.Score.OutputParameters['note']")},
    ),
    Case("property of a Fail", "R306", {"Complain:x": get("Steps.Stop.ErrorMessage")}, "Complain:x/Get"),
    Case(
        "undefined metric",
        "R306",
        {"Score:x": get("Steps.Train.FinalMetricDataList['rmse'].Value")},
        "Score:x/Get",
        {"Score:x": get("Steps.Train.FinalMetricDataList['loss'].Value")},
        WARNING,
    ),
    Case("unknown aggregate of a ForEach", "R306", {"Best:first": get("Steps.Regions.Count")}, "Best:first/Get"),
    Case("item outside of a body", "R307", {"Score:x": get("ForEach.CurrentItem")}, "Score:x/Get"),
    Case(
        "selector on an undeclared output",
        "R307",
        {"Regions:Selector/Field": get("IterationOutput.Fit.OutputParameters['no']")},
        "Regions:Selector/Field/Get",
    ),
    Case(
        "display name is an expression",
        "R308",
        {"Train.DisplayName": get("Parameters.Stage")},
        "Train.DisplayName",
        {"Train.DisplayName": "Train"},
    ),
    Case(
        "queue is an expression",
        "R308",
        {"Ask.SqsQueueUrl": get("Parameters.Data")},
        "Ask.SqsQueueUrl",
        severity=WARNING,
    ),
    Case(
        "expression as text",
        "R309",
        {"Score:x": '{"Get": "Parameters.Depth"}'},
        "Score:x",
        {"Score:x": '{"got": 1}'},
        WARNING,
    ),
    Case(
        "join of an object",
        "R310",
        {"Score:x": join("a", {"b": 1})},
        "Score:x/Std:Join/Values/1",
        {"Score:x": join("a", 1)},
    ),
    Case(
        "job name without a job",
        "R311",
        {"Score:x": get("Execution.TrainingJobName")},
        "Score:x/Get",
        {"Train:HyperParameters/x": get("Execution.TrainingJobName")},
        WARNING,
    ),
    # Property files
    Case(
        "property file without a path",
        "R320",
        {"Prepare.PropertyFiles/0/FilePath": GONE},
        "Prepare.PropertyFiles/0/FilePath",
    ),
    Case("property files as an object", "R320", {"Prepare.PropertyFiles": {}}, "Prepare.PropertyFiles"),
    Case(
        "property file of no output",
        "R321",
        {"Prepare.PropertyFiles/0/OutputName": "reprot"},
        "Prepare.PropertyFiles/0/OutputName",
    ),
    Case(
        "absolute path",
        "R322",
        {"Prepare.PropertyFiles/0/FilePath": "/quality.json"},
        "Prepare.PropertyFiles/0/FilePath",
        severity=WARNING,
    ),
    Case(
        "JsonGet of a text",
        "R323",
        {"Train:HyperParameters/rows/Std:JsonGet/PropertyFile": "quality"},
        "Train:HyperParameters/rows/Std:JsonGet/PropertyFile",
    ),
    Case(
        "JsonGet of a Training step",
        "R323",
        {"Score:x": {"Std:JsonGet": {"PropertyFile": get("Steps.Train.PropertyFiles.x"), "Path": "a"}}},
        "Score:x/Std:JsonGet/PropertyFile/Get",
    ),
    Case(
        "JsonGet with a numeric path",
        "R323",
        {"Train:HyperParameters/rows/Std:JsonGet/Path": 3},
        "Train:HyperParameters/rows/Std:JsonGet/Path",
    ),
    Case("property file as a value", "R324", {"Score:x": get("Steps.Prepare.PropertyFiles.quality")}, "Score:x/Get"),
    # Types of expressions
    Case(
        "text as a count",
        "R330",
        {"Train:ResourceConfig/InstanceCount": get("Parameters.Stage")},
        "Train:ResourceConfig/InstanceCount/Get",
    ),
    Case(
        "number as an instance type",
        "R330",
        {"Train:ResourceConfig/InstanceType": get("Parameters.Count")},
        "Train:ResourceConfig/InstanceType/Get",
    ),
    Case(
        "join as a number",
        "R330",
        {"Train:ResourceConfig/InstanceCount": join("1")},
        "Train:ResourceConfig/InstanceCount",
    ),
    Case(
        "stops at a structure",
        "R330",
        {"Model:PrimaryContainer/ModelDataUrl": get("Steps.Train.ModelArtifacts")},
        "Model:PrimaryContainer/ModelDataUrl/Get",
    ),
    Case(
        "text in place of a structure",
        "R330",
        {"Train:ResourceConfig": get("Parameters.Instance")},
        "Train:ResourceConfig/Get",
    ),
    Case("default of an instance type", "R331", {"Instance.DefaultValue": "ml.m5.huge"}, "Instance.DefaultValue"),
    Case("empty default", "R331", {"Instance.DefaultValue": ""}, "Instance.DefaultValue", severity=INFO),
    Case(
        "choice of an instance type",
        "R332",
        {"Instance.EnumValues": ["ml.m5.xlarge", "ml.m5.huge"]},
        "Instance.EnumValues/1",
        {"Instance.EnumValues": ["ml.m5.xlarge", "ml.m5.large"]},
        WARNING,
    ),
    Case(
        "join of a broken URI",
        "R333",
        {"Train:OutputDataConfig/S3OutputPath": join("s3:/", "b", on="")},
        "Train:OutputDataConfig/S3OutputPath",
        {"Train:OutputDataConfig/S3OutputPath": join("s3:/", "b")},
    ),
    # Parameters
    Case(
        "two parameters of one name", "P401", {"/Parameters/-": {"Name": "Depth", "Type": "Integer"}}, "/Parameters/7"
    ),
    Case("parameter name with a blank", "P402", {"Depth.Name": "the depth"}, "Depth.Name"),
    Case("long parameter name", "P402", {"Depth.Name": "d" * 65}, "Depth.Name", severity=WARNING),
    Case("unknown parameter type", "P403", {"Depth.Type": "Number"}, "Depth.Type"),
    Case("text default of an Integer", "P404", {"Depth.DefaultValue": "5"}, "Depth.DefaultValue"),
    Case("true default of an Integer", "P404", {"Depth.DefaultValue": True}, "Depth.DefaultValue"),
    Case("zero default of a String", "P404", {"Stage.DefaultValue": 0}, "Stage.DefaultValue", {"Depth.Type": "Float"}),
    Case("default is no choice", "P405", {"Stage.DefaultValue": "test"}, "Stage.DefaultValue"),
    Case("no choice", "P405", {"Stage.EnumValues": []}, "Stage.EnumValues"),
    Case("choice of another type", "P405", {"Stage.EnumValues": ["dev", 1]}, "Stage.EnumValues/1"),
    Case("unknown member of a parameter", "P406", {"Depth.Default": 5}, "Depth.Default"),
    Case(
        "long default",
        "P407",
        {"Data.DefaultValue": "s3://raw/" + "x" * 1016},
        "Data.DefaultValue",
        {"Data.DefaultValue": "s3://raw/" + "x" * 1015},
        WARNING,
    ),
    Case(
        "too many parameters",
        "P408",
        {"/Parameters": [{"Name": f"P{index}", "Type": "String"} for index in range(201)]},
        "/Parameters",
        {"/Parameters": [{"Name": f"P{index}", "Type": "String"} for index in range(200)]},
        WARNING,
    ),
    Case(
        "unused parameter",
        "P409",
        {"/Parameters/-": {"Name": "Spare", "Type": "String"}},
        "/Parameters/7",
        severity=INFO,
    ),
    # Document and steps
    Case("unknown member of the document", "E501", {"/steps": []}, "/steps"),
    Case("unknown version", "E502", {"/Version": "2021-01-01"}, "/Version"),
    Case("no steps", "E503", {"/Steps": []}, "/Steps"),
    Case("metadata is a list", "E504", {"/Metadata": []}, "/Metadata"),
    Case("metadata of an odd key", "E504", {"/Metadata/the owner": "me"}, "/Metadata/the owner", severity=WARNING),
    Case(
        "experiment name",
        "E505",
        {"/PipelineExperimentConfig/ExperimentName": "my_experiment"},
        "/PipelineExperimentConfig/ExperimentName",
        {"/PipelineExperimentConfig": None},
    ),
    Case(
        "no MLflow resource",
        "E506",
        {"/MlflowConfig": {"MlflowExperimentName": "a"}},
        "/MlflowConfig/MlflowResourceArn",
        {"/MlflowConfig": None},
    ),
    Case("large definition", "E507", {"Score:x": "x" * 1_048_577}, "", {"Score:x": "x" * 1_000_000}, WARNING),
    Case(
        "many steps",
        "E508",
        {"/Steps": [call(f"S{index}") for index in range(51)]},
        "/Steps",
        {"/Steps": [call(f"S{index}") for index in range(50)]},
        WARNING,
    ),
    Case("step name with a dot", "E520", {"Ask.Name": "ask.them"}, "Ask.Name"),
    Case("step name too long", "E520", {"Ask.Name": "a" * 65}, "Ask.Name", {"Ask.Name": "a" * 64}),
    Case("unknown member of a step", "E521", {"Score.DependOn": []}, "Score.DependOn"),
    Case(
        "cache on a Condition",
        "E521",
        {"Gate.CacheConfig": {}},
        "Gate.CacheConfig",
        {"Train.CacheConfig": {"Enabled": False}},
    ),
    Case(
        "DependsOn as a text", "E522", {"Score.DependsOn": "Train"}, "Score.DependsOn", {"Score.DependsOn": ["Train"]}
    ),
    Case("unknown trigger", "E522", {"Sweep.DependsOn/0/Trigger": "Done"}, "Sweep.DependsOn/0/Trigger"),
    Case(
        "dependency twice",
        "E522",
        {"Score.DependsOn": ["Train", "Train"]},
        "Score.DependsOn/1",
        {"Score.DependsOn": ["Train"]},
        WARNING,
    ),
    Case(
        "display name too long",
        "E523",
        {"Train.DisplayName": TEXT_257},
        "Train.DisplayName",
        {"Train.DisplayName": TEXT_257[1:]},
    ),
    Case("no arguments", "E524", {"Ask.Arguments": GONE}, "Ask.Arguments", {"Ask.Arguments": {}}),
    Case(
        "bare P",
        "E530",
        {"Prepare.CacheConfig/ExpireAfter": "P"},
        "Prepare.CacheConfig/ExpireAfter",
        {"Prepare.CacheConfig/ExpireAfter": "T12H"},
    ),
    Case("cache flag as a text", "E530", {"Prepare.CacheConfig/Enabled": "true"}, "Prepare.CacheConfig/Enabled"),
    Case(
        "cache without a time",
        "E530",
        {"Prepare.CacheConfig/ExpireAfter": GONE},
        "Prepare.CacheConfig/ExpireAfter",
        {"Prepare.CacheConfig": {"Enabled": False}},
    ),
    Case(
        "months for minutes",
        "E531",
        {"Prepare.CacheConfig/ExpireAfter": "P30M"},
        "Prepare.CacheConfig/ExpireAfter",
        {"Prepare.CacheConfig/ExpireAfter": "PT30M"},
        WARNING,
    ),
    Case(
        "too many attempts",
        "E540",
        {"Prepare.RetryPolicies/0/MaxAttempts": 21},
        "Prepare.RetryPolicies/0/MaxAttempts",
        {"Prepare.RetryPolicies/0/MaxAttempts": 20},
    ),
    Case(
        "both ends of a retry",
        "E540",
        {"Prepare.RetryPolicies/0/ExpireAfterMin": 10},
        "Prepare.RetryPolicies/0/ExpireAfterMin",
    ),
    Case(
        "unknown exception",
        "E540",
        {"Prepare.RetryPolicies/0/ExceptionType/0": "Step.FAULT"},
        "Prepare.RetryPolicies/0/ExceptionType/0",
    ),
    Case(
        "job exception of a Model",
        "E541",
        {"Model.RetryPolicies/0/ExceptionType/0": "SageMaker.CAPACITY_ERROR"},
        "Model.RetryPolicies/0/ExceptionType/0",
        {"Prepare.RetryPolicies/0/ExceptionType/0": "SageMaker.CAPACITY_ERROR"},
        WARNING,
    ),
    # Conditions
    Case("no conditions", "C601", {"Gate:Conditions": []}, "Gate:Conditions"),
    Case("branch is no list", "C601", {"Gate:ElseSteps": {}}, "Gate:ElseSteps", {"Gate:ElseSteps": []}),
    Case(
        "Not over Expression",
        "C602",
        {"Gate:Conditions/0": {"Type": "Not", "Expression": {}}},
        "Gate:Conditions/0/Expression",
    ),
    Case("no right side", "C602", {"Gate:Conditions/0/RightValue": GONE}, "Gate:Conditions/0/RightValue"),
    Case("unknown condition", "C602", {"Gate:Conditions/0/Type": "NotEquals"}, "Gate:Conditions/0/Type"),
    Case(
        "empty In, deep", "C602", {"Gate:Conditions/2/Conditions/0/Values": []}, "Gate:Conditions/2/Conditions/0/Values"
    ),
    Case("null operand", "C603", {"Gate:Conditions/1/RightValue": None}, "Gate:Conditions/1/RightValue"),
    Case(
        "structure as an operand",
        "C603",
        {"Gate:Conditions/1/LeftValue": get("Steps.Train.ModelArtifacts")},
        "Gate:Conditions/1/LeftValue/Get",
    ),
    Case(
        "text against a number",
        "C604",
        {"Gate:Conditions/1/RightValue": "0.8"},
        "Gate:Conditions/1/RightValue",
        {"Gate:Conditions/1/RightValue": 1},
        WARNING,
    ),
    Case(
        "order of truth values",
        "C604",
        {"Gate:Conditions/2/Conditions/1/Condition/Type": "LessThan"},
        "Gate:Conditions/2/Conditions/1/Condition/LeftValue",
        severity=WARNING,
    ),
    Case(
        "value outside of the choices",
        "C605",
        {"Gate:Conditions/0/RightValue": "production"},
        "Gate:Conditions/0/RightValue",
        severity=WARNING,
    ),
    Case("constant", "C606", {"Gate:Conditions/0/LeftValue": "prod"}, "Gate:Conditions/0", severity=WARNING),
    # Lambda and Callback
    Case(
        "function is a name",
        "X701",
        {"Score.FunctionArn": "score"},
        "Score.FunctionArn",
        {"Score.FunctionArn": LAMBDA + "score:live"},
    ),
    Case("queue is an ARN", "X702", {"Ask.SqsQueueUrl": "arn:aws:sqs:eu-west-1:111122223333:ask"}, "Ask.SqsQueueUrl"),
    Case("nested input", "X703", {"Score:options": {"depth": 3}}, "Score:options", {"Score:depth": 3}),
    Case(
        "output type of Python",
        "X704",
        {"Score.OutputParameters/0/OutputType": "float"},
        "Score.OutputParameters/0/OutputType",
    ),
    Case(
        "two outputs of one name",
        "X704",
        {"Score.OutputParameters/1/OutputName": "score"},
        "Score.OutputParameters/1/OutputName",
    ),
    # Checks
    Case(
        "check type in lower case",
        "X710",
        {"Drift.CheckType": "data_quality"},
        "Drift.CheckType",
        {"Drift.CheckType": "MODEL_QUALITY"},
    ),
    Case("flag as a text", "X711", {"Drift.SkipCheck": "true"}, "Drift.SkipCheck", {"Drift.SkipCheck": True}),
    Case("flag from an Integer", "X711", {"Drift.SkipCheck": get("Parameters.Depth")}, "Drift.SkipCheck/Get"),
    Case(
        "local baseline",
        "X712",
        {"Drift.SuppliedBaselineConstraints": "baseline.json"},
        "Drift.SuppliedBaselineConstraints",
        {"Drift.SuppliedBaselineConstraints": "s3://acme/baseline.json"},
        WARNING,
    ),
    Case(
        "bias without a model",
        "X713",
        {"Bias.ModelName": GONE},
        "Bias.ModelName",
        {"Bias.ModelName": GONE, "Bias.CheckType": "DATA_BIAS"},
    ),
    Case(
        "no baseline",
        "X714",
        {"Drift.SkipCheck": False, "Drift.ModelPackageGroupName": GONE},
        "Drift",
        {"Drift.SkipCheck": False},
        WARNING,
    ),
    Case(
        "monitor writes elsewhere",
        "X715",
        {"Drift:Environment/output_path": "/opt/ml/processing/results"},
        "Drift:Environment/output_path",
        severity=WARNING,
    ),
    # ForEach and Cleanup
    Case(
        "items as one text",
        "X720",
        {"Regions:IterableItems": "a,b"},
        "Regions:IterableItems",
        {"Regions:IterableItems": ["a", "b"]},
    ),
    Case("item is an object", "X720", {"Regions:IterableItems": [{"a": 1}]}, "Regions:IterableItems/0"),
    Case("default is no JSON list", "X721", {"Items.DefaultValue": "a,b"}, "Items.DefaultValue", severity=WARNING),
    Case("empty body", "X722", {"Regions:ForEachBody": []}, "Regions:ForEachBody"),
    Case("Fail in a body", "X722", {"Fit.Type": "Fail"}, "Fit"),
    Case(
        "concurrency is an expression",
        "X723",
        {"Regions:MaxConcurrency": get("Parameters.Count")},
        "Regions:MaxConcurrency",
    ),
    Case(
        "cleanup of a step in a VPC",
        "X724",
        {"Prepare:NetworkConfig": {"VpcConfig": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}},
        "Sweep:Resources/S3/0/StepName",
        severity=WARNING,
    ),
    Case("selector field is a text", "X725", {"Regions:Selector/Field": "score"}, "Regions:Selector/Field"),
    Case("name of an iteration", "X726", {"Ask.Name": "Fit-0"}, "Ask.Name", {"Ask.Name": "Fit-all"}),
    # EMR and lineage
    Case(
        "two clusters",
        "X730",
        {"Spark:ClusterId": "j-1"},
        "Spark:ClusterConfig",
        {"Spark:ClusterId": "j-1", "Spark:ClusterConfig": GONE},
    ),
    Case(
        "cluster stays alive",
        "X730",
        {"Spark:ClusterConfig/Instances/KeepJobFlowAliveWhenNoSteps": True},
        "Spark:ClusterConfig/Instances/KeepJobFlowAliveWhenNoSteps",
    ),
    Case("no application", "X731", {"Serverless:ApplicationId": GONE}, "Serverless.Arguments"),
    Case(
        "two forms of an end",
        "X732",
        {"Record:Associations/0/Source/Arn": "arn:aws:x"},
        "Record:Associations/0/Source/Arn",
    ),
    Case(
        "end of an unknown entity",
        "X732",
        {"Record:Associations/0/Source/Name": "tabels"},
        "Record:Associations/0/Source/Name",
    ),
    # Models
    Case(
        "both forms of containers", "X740", {"Chain:PrimaryContainer": {"Image": f"{REGISTRY}/a:1"}}, "Chain:Containers"
    ),
    Case(
        "container of nothing",
        "X741",
        {"Model:PrimaryContainer/Image": GONE},
        "Model:PrimaryContainer/Image",
        {
            "Model:PrimaryContainer": {
                "ModelPackageName": "arn:aws:sagemaker:eu-west-1:111122223333:model-package/churn/7"
            }
        },
    ),
    Case(
        "one container without a name",
        "X742",
        {"Chain:Containers/1/ContainerHostname": GONE},
        "Chain:Containers/1/ContainerHostname",
        {"Chain:Containers/0/ContainerHostname": GONE, "Chain:Containers/1/ContainerHostname": GONE},
    ),
    Case(
        "serial mode alone",
        "X743",
        {"Model:InferenceExecutionConfig": {"Mode": "Serial"}},
        "Model:InferenceExecutionConfig",
        {"Chain:InferenceExecutionConfig": {"Mode": "Serial"}},
        WARNING,
    ),
    Case(
        "zip archive",
        "X744",
        {"Chain:Containers/0/ModelDataUrl": "s3://acme/1.zip"},
        "Chain:Containers/0/ModelDataUrl",
        {"Chain:Containers/0/ModelDataUrl": "s3://acme/v1.2/model"},
        WARNING,
    ),
    Case(
        "private registry without a VPC",
        "X745",
        {"Model:PrimaryContainer/ImageConfig": {"RepositoryAccessMode": "Vpc"}},
        "Model:PrimaryContainer/ImageConfig",
        {
            "Model:PrimaryContainer/ImageConfig": {"RepositoryAccessMode": "Vpc"},
            "Model:VpcConfig": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        },
    ),
    Case("register by package name", "X746", {"Register:ModelPackageName": "churn"}, "Register:ModelPackageName"),
    Case(
        "marketplace",
        "X746",
        {"Register:CertifyForMarketplace": False},
        "Register:CertifyForMarketplace",
        severity=WARNING,
    ),
    Case(
        "additional sources",
        "X747",
        {"Model:PrimaryContainer/AdditionalModelDataSources": []},
        "Model:PrimaryContainer/AdditionalModelDataSources",
        severity=WARNING,
    ),
    Case(
        "group for a version",
        "X748",
        {"Model:PrimaryContainer/ModelPackageName": GROUP},
        "Model:PrimaryContainer/ModelPackageName",
        {"Model:PrimaryContainer/ModelPackageName": "churn"},
        WARNING,
    ),
    # Training
    Case(
        "spot without a wait",
        "X750",
        SPOT,
        "Train:StoppingCondition/MaxWaitTimeInSeconds",
        {**SPOT, "Train:StoppingCondition/MaxWaitTimeInSeconds": 7200},
    ),
    Case(
        "wait without spot",
        "X750",
        {"Train:StoppingCondition/MaxWaitTimeInSeconds": 7200},
        "Train:StoppingCondition/MaxWaitTimeInSeconds",
        {
            "Train:EnableManagedSpotTraining": get("Parameters.Skip"),
            "Train:StoppingCondition/MaxWaitTimeInSeconds": 7200,
        },
    ),
    Case(
        "long spot job",
        "X751",
        {**SPOT, "Train:StoppingCondition": {"MaxRuntimeInSeconds": 86400, "MaxWaitTimeInSeconds": 90000}},
        "Train:CheckpointConfig",
        {**SPOT, "Train:StoppingCondition": {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200}},
        WARNING,
    ),
    Case(
        "warm spot",
        "X752",
        {**SPOT, "Train:ResourceConfig/KeepAlivePeriodInSeconds": 600},
        "Train:EnableManagedSpotTraining",
        {"Train:ResourceConfig/KeepAlivePeriodInSeconds": 600},
    ),
    Case(
        "no training image",
        "X753",
        {"Train:AlgorithmSpecification/TrainingImage": GONE},
        "Train:AlgorithmSpecification/TrainingImage",
        {"Train:AlgorithmSpecification": {"AlgorithmName": "mine", "TrainingInputMode": "File"}},
    ),
    Case(
        "channel without a source",
        "X754",
        {"Train:InputDataConfig/0/DataSource": {}},
        "Train:InputDataConfig/0/DataSource/S3DataSource",
    ),
    Case(
        "two channels of one name",
        "X755",
        {"Train:InputDataConfig/-": channel("train", "s3://raw/2")},
        "Train:InputDataConfig/1/ChannelName",
        {"Train:InputDataConfig/-": channel("test", "s3://raw/2")},
    ),
    Case(
        "Pipe and FastFile",
        "X756",
        {
            "Train:InputDataConfig/0/InputMode": "Pipe",
            "Train:InputDataConfig/-": {**channel("b", "s3://raw/2"), "InputMode": "FastFile"},
        },
        "Train:InputDataConfig/1/InputMode",
        {"Train:InputDataConfig/0/InputMode": "Pipe"},
    ),
    Case(
        "file system without a VPC",
        "X757",
        {"Train:InputDataConfig/0/DataSource": {"FileSystemDataSource": {}}},
        "Train:VpcConfig",
    ),
    Case("groups and a type", "X758", {"Train:ResourceConfig/InstanceGroups": []}, "Train:ResourceConfig/InstanceType"),
    Case("default of no instance", "X758", {"Count.DefaultValue": 0}, "Count.DefaultValue"),
    Case(
        "volume key on local disks",
        "X759",
        {"Train:ResourceConfig": GPU},
        "Train:ResourceConfig/VolumeKmsKeyId",
        {"Train:ResourceConfig": {**GPU, "InstanceType": "ml.m5.xlarge"}},
    ),
    Case(
        "runtime over 28 days",
        "X760",
        {"Train:StoppingCondition/MaxRuntimeInSeconds": 2592000},
        "Train:StoppingCondition/MaxRuntimeInSeconds",
    ),
    Case(
        "runtime over the quota",
        "X760",
        {"Train:StoppingCondition/MaxRuntimeInSeconds": 2419200},
        "Train:StoppingCondition/MaxRuntimeInSeconds",
        severity=WARNING,
    ),
    Case(
        "broken expression",
        "X761",
        {"Train:AlgorithmSpecification/MetricDefinitions/0/Regex": "loss=("},
        "Train:AlgorithmSpecification/MetricDefinitions/0/Regex",
    ),
    Case(
        "no group",
        "X761",
        {"Train:AlgorithmSpecification/MetricDefinitions/0/Regex": "loss=.*"},
        "Train:AlgorithmSpecification/MetricDefinitions/0/Regex",
        severity=WARNING,
    ),
    Case(
        "augmented manifest",
        "X762",
        {"Train:InputDataConfig/0/DataSource/S3DataSource/S3DataType": "AugmentedManifestFile"},
        "Train:InputDataConfig/0/DataSource/S3DataSource/AttributeNames",
        severity=WARNING,
    ),
    Case(
        "no source archive",
        "X763",
        {"Train:HyperParameters/sagemaker_program": "train.py"},
        "Train:HyperParameters/sagemaker_submit_directory",
        {
            "Train:HyperParameters/sagemaker_program": "train.py",
            "Train:HyperParameters/sagemaker_submit_directory": "s3://acme/code.tar.gz",
        },
        WARNING,
    ),
    Case(
        "checkpoints over the model",
        "X764",
        {"Train:CheckpointConfig": {"S3Uri": "s3://acme/c", "LocalPath": "/opt/ml/model"}},
        "Train:CheckpointConfig/LocalPath",
        {"Train:CheckpointConfig": {"S3Uri": "s3://acme/c", "LocalPath": "/opt/ml/checkpoints"}},
        WARNING,
    ),
    Case(
        "unknown instance group",
        "X765",
        {"Train:InputDataConfig/0/DataSource/S3DataSource/InstanceGroupNames": ["a"]},
        "Train:InputDataConfig/0/DataSource/S3DataSource/InstanceGroupNames/0",
    ),
    # Tuning and AutoML
    Case(
        "logarithm of zero",
        "X770",
        {f"{RANGE}/MinValue": "0"},
        f"{RANGE}/MinValue",
        {f"{RANGE}/MinValue": "0", f"{RANGE}/ScalingType": "Linear"},
    ),
    Case("bounds the wrong way round", "X770", {f"{RANGE}/MinValue": "9"}, f"{RANGE}/MinValue"),
    Case("bound is a word", "X770", {f"{RANGE}/MaxValue": "much"}, f"{RANGE}/MaxValue"),
    Case(
        "tuned and static",
        "X771",
        {"Tune:TrainingJobDefinition/StaticHyperParameters/lr": "1"},
        "Tune:TrainingJobDefinition/StaticHyperParameters/lr",
    ),
    Case(
        "more in parallel than in all",
        "X772",
        {"Tune:HyperParameterTuningJobConfig/ResourceLimits/MaxParallelTrainingJobs": 9},
        "Tune:HyperParameterTuningJobConfig/ResourceLimits/MaxParallelTrainingJobs",
    ),
    Case("both forms of definitions", "X773", {"Tune:TrainingJobDefinitions": [job()]}, "Tune:TrainingJobDefinitions"),
    Case(
        "objective that nothing measures",
        "X774",
        {"Tune:HyperParameterTuningJobConfig/HyperParameterTuningJobObjective/MetricName": "rmse"},
        "Tune:HyperParameterTuningJobConfig/HyperParameterTuningJobObjective/MetricName",
    ),
    Case(
        "metric of another problem",
        "X775",
        {"Auto:AutoMLJobObjective/MetricName": "F1"},
        "Auto:AutoMLJobObjective/MetricName",
        {"Auto:AutoMLJobObjective/MetricName": "MSE"},
    ),
    Case("AutoML mode", "X775", {"Auto:AutoMLJobConfig/Mode": "HYPERPARAMETER_TUNING"}, "Auto:AutoMLJobConfig/Mode"),
    Case(
        "Hyperband stops early",
        "X776",
        {"Tune:HyperParameterTuningJobConfig/Strategy": "Hyperband"},
        "Tune:HyperParameterTuningJobConfig/TrainingJobEarlyStoppingType",
    ),
    # Processing
    Case(
        "two outputs of one name",
        "X780",
        {f"{PREPARE_OUT}/-": processing_output("train", "s3://acme/3", "/opt/ml/processing/3")},
        f"{PREPARE_OUT}/2/OutputName",
        {f"{PREPARE_OUT}/-": processing_output("test", "s3://acme/3", "/opt/ml/processing/3")},
    ),
    Case(
        "input without a path",
        "X781",
        {f"{PREPARE_IN}/0/S3Input/LocalPath": GONE},
        f"{PREPARE_IN}/0/S3Input/LocalPath",
        {f"{PREPARE_IN}/0/S3Input/LocalPath": GONE, f"{PREPARE_IN}/0/AppManaged": True},
    ),
    Case(
        "feature store output",
        "X782",
        {f"{PREPARE_OUT}/0": {"OutputName": "train", "FeatureStoreOutput": {"FeatureGroupName": "a"}}},
        f"{PREPARE_OUT}/0/FeatureStoreOutput",
        {
            f"{PREPARE_OUT}/0": {
                "OutputName": "train",
                "AppManaged": True,
                "FeatureStoreOutput": {"FeatureGroupName": "a"},
            }
        },
    ),
    Case(
        "path of a training job",
        "X783",
        {f"{PREPARE_IN}/0/S3Input/LocalPath": "/opt/ml/input/data"},
        f"{PREPARE_IN}/0/S3Input/LocalPath",
    ),
    Case(
        "output in an input",
        "X784",
        {f"{PREPARE_OUT}/0/S3Output/LocalPath": "/opt/ml/processing/input/raw/out"},
        f"{PREPARE_OUT}/0/S3Output/LocalPath",
    ),
    Case(
        "two inputs in one place",
        "X784",
        {f"{PREPARE_IN}/1/S3Input/LocalPath": "/opt/ml/processing/input/raw/"},
        f"{PREPARE_IN}/1/S3Input/LocalPath",
        {f"{PREPARE_IN}/1/S3Input/LocalPath": "/opt/ml/processing/input/raw/code"},
    ),
    Case(
        "script that nobody brings",
        "X785",
        {"Prepare:AppSpecification/ContainerEntrypoint/1": "/opt/ml/processing/code/prepare.py"},
        "Prepare:AppSpecification/ContainerEntrypoint/1",
        severity=WARNING,
    ),
    Case(
        "gzip of files",
        "X786",
        {f"{PREPARE_IN}/0/S3Input/S3CompressionType": "Gzip"},
        f"{PREPARE_IN}/0/S3Input/S3CompressionType",
        {f"{PREPARE_IN}/0/S3Input/S3CompressionType": "Gzip", f"{PREPARE_IN}/0/S3Input/S3InputMode": "Pipe"},
    ),
    # Transform
    Case(
        "filter is no JSONPath", "X790", {"Batch:DataProcessing/InputFilter": "a"}, "Batch:DataProcessing/InputFilter"
    ),
    Case(
        "join of two types",
        "X791",
        {"Batch:TransformOutput/Accept": "application/json"},
        "Batch:TransformOutput/Accept",
    ),
    Case(
        "join without a split",
        "X792",
        {"Batch:TransformInput/SplitType": GONE},
        "Batch:TransformInput/SplitType",
        severity=WARNING,
    ),
    Case(
        "payloads over 100 MB",
        "X793",
        {"Batch:MaxPayloadInMB": 26},
        "Batch:MaxPayloadInMB",
        {"Batch:MaxPayloadInMB": 25},
    ),
    # Endpoints
    Case(
        "two variants of one name",
        "X800",
        {"Variants:ProductionVariants/1/VariantName": "Blue"},
        "Variants:ProductionVariants/1/VariantName",
    ),
    Case(
        "serverless instances",
        "X800",
        {"Variants:ProductionVariants/1/InstanceType": "ml.m5.large"},
        "Variants:ProductionVariants/1/InstanceType",
    ),
    Case(
        "memory off the grid",
        "X801",
        {"Variants:ProductionVariants/1/ServerlessConfig/MemorySizeInMB": 1500},
        "Variants:ProductionVariants/1/ServerlessConfig/MemorySizeInMB",
    ),
    Case(
        "canary over half",
        "X802",
        {f"{ROUTING}/CanarySize/Value": 51},
        f"{ROUTING}/CanarySize/Value",
        {f"{ROUTING}/CanarySize/Value": 50},
    ),
    Case("linear without a size", "X802", {f"{ROUTING}/Type": "LINEAR"}, f"{ROUTING}/LinearStepSize"),
    Case(
        "time limit below the waits",
        "X802",
        {"Live:DeploymentConfig/BlueGreenUpdatePolicy/MaximumExecutionTimeoutInSeconds": 900},
        "Live:DeploymentConfig/BlueGreenUpdatePolicy/MaximumExecutionTimeoutInSeconds",
    ),
    Case(
        "memory the wrong way round",
        "X803",
        {"Component:Specification/ComputeResourceRequirements/MaxMemoryRequiredInMb": 512},
        "Component:Specification/ComputeResourceRequirements/MaxMemoryRequiredInMb",
    ),
    # Places
    Case(
        "image of another region",
        "X810",
        {"Train:AlgorithmSpecification/TrainingImage": f"{REGISTRY}/fit:1".replace("eu-west-1", "us-west-2")},
        "Train:AlgorithmSpecification/TrainingImage",
    ),
    Case(
        "bucket of another region",
        "X810",
        {"Train:OutputDataConfig/S3OutputPath": "s3://sagemaker-us-west-2-111122223333/a"},
        "Train:OutputDataConfig/S3OutputPath",
        {"Train:OutputDataConfig/S3OutputPath": "s3://sagemaker-eu-west-1-111122223333/a"},
        WARNING,
    ),
    Case("role of another account", "X811", {"Train:RoleArn": ROLE.replace("1111", "9999")}, "Train:RoleArn"),
    Case("role of another partition", "X812", {"Train:RoleArn": ROLE.replace("aws", "aws-cn", 1)}, "Train:RoleArn"),
    Case(
        "image of another partition",
        "X812",
        {"Train:AlgorithmSpecification/TrainingImage": f"{REGISTRY}.cn/fit:1"},
        "Train:AlgorithmSpecification/TrainingImage",
    ),
    Case(
        "image of a public registry",
        "X813",
        {"Train:AlgorithmSpecification/TrainingImage": "python:3.11"},
        "Train:AlgorithmSpecification/TrainingImage",
        {
            "Train:AlgorithmSpecification/TrainingImage": "registry.acme.example/fit:1",
            "Train:AlgorithmSpecification/TrainingImageConfig": {"TrainingRepositoryAccessMode": "Vpc"},
        },
    ),
    Case(
        "repository in upper case",
        "X813",
        {"Train:AlgorithmSpecification/TrainingImage": f"{REGISTRY}/Fit:1"},
        "Train:AlgorithmSpecification/TrainingImage",
        severity=WARNING,
    ),
    Case(
        "key of another service",
        "X814",
        {"Train:OutputDataConfig/KmsKeyId": "arn:aws:s3:::acme"},
        "Train:OutputDataConfig/KmsKeyId",
        {"Train:OutputDataConfig/KmsKeyId": "alias/ml"},
    ),
    Case(
        "double slash in a join",
        "X820",
        {"Train:OutputDataConfig/S3OutputPath": join("s3://acme/", get("Parameters.Stage"))},
        "Train:OutputDataConfig/S3OutputPath",
        {"Train:OutputDataConfig/S3OutputPath": join("s3://acme", get("Parameters.Stage"))},
        WARNING,
    ),
    Case(
        "placeholder",
        "X820",
        {"Train:OutputDataConfig/S3OutputPath": "s3://{{ bucket }}/a"},
        "Train:OutputDataConfig/S3OutputPath",
        severity=WARNING,
    ),
    # Data
    Case(
        "two outputs to one prefix",
        "X830",
        {f"{PREPARE_OUT}/0/S3Output/S3Uri": "s3://acme/report/"},
        f"{PREPARE_OUT}/1/S3Output/S3Uri",
        severity=WARNING,
    ),
    Case(
        "overwrites its input",
        "X831",
        {"Batch:TransformOutput/S3OutputPath": "s3://raw/batch"},
        "Batch:TransformOutput/S3OutputPath",
        severity=WARNING,
    ),
    Case(
        "reads without waiting",
        "X832",
        {"Auto:InputDataConfig/0/DataSource/S3DataSource/S3Uri": "s3://acme/report/a"},
        "Auto:InputDataConfig/0/DataSource/S3DataSource/S3Uri",
        {"Auto:InputDataConfig/0/DataSource/S3DataSource/S3Uri": "s3://acme/report/a", "Auto.DependsOn": ["Train"]},
        WARNING,
    ),
    Case(
        "secret by its name",
        "X840",
        {"Score:api_key": "0123456789abcdef"},
        "Score:api_key",
        {"Score:api_key": "${API_KEY}"},
        WARNING,
    ),
    Case(
        "credentials in a URL",
        "X840",
        {"Score:url": "https://me:pass@host.example/"},
        "Score:url",
        {"Score:url": "https://me@host.example/"},
        WARNING,
    ),
    Case(
        "secret in a command",
        "X840",
        {"Prepare:AppSpecification/ContainerArguments": ["--token", "abcdefgh12"]},
        "Prepare:AppSpecification/ContainerArguments/0",
        {"Prepare:AppSpecification/ContainerArguments": ["--tokens", "abcdefgh12"]},
        WARNING,
    ),
    # Built-in algorithms
    Case(
        "no feature_dim", "X850", {"Segments:HyperParameters/feature_dim": GONE}, "Segments:HyperParameters/feature_dim"
    ),
    Case(
        "k is a word",
        "X850",
        {"Segments:HyperParameters/k": "ten"},
        "Segments:HyperParameters/k",
        {"Segments:HyperParameters/k": get("Parameters.Depth")},
    ),
    Case(
        "XGBoost reads JSON",
        "X851",
        {
            "Segments:AlgorithmSpecification/TrainingImage": XGBOOST,
            "Segments:InputDataConfig/0/ContentType": "application/json",
        },
        "Segments:InputDataConfig/0/ContentType",
        {"Segments:InputDataConfig/0/ContentType": "application/json"},
        WARNING,
    ),
    Case(
        "serving code on the author's machine",
        "X852",
        {"Model:PrimaryContainer/Environment/SAGEMAKER_SUBMIT_DIRECTORY": "./serve"},
        "Model:PrimaryContainer/Environment/SAGEMAKER_SUBMIT_DIRECTORY",
        severity=WARNING,
    ),
    # What a job, a model or an endpoint misses although the request's shape lets it
    Case("serverless or not", "X753", {"Train:AlgorithmSpecification": GONE}, "Train:AlgorithmSpecification"),
    Case("no resources", "X758", {"Train:ResourceConfig": GONE}, "Train:ResourceConfig"),
    Case("no type", "X758", {"Train:ResourceConfig/InstanceType": GONE}, "Train:ResourceConfig/InstanceType"),
    Case(
        "transform volume key",
        "X759",
        {"Batch:TransformResources": {**GPU, "InstanceType": "ml.g4dn.xlarge"}},
        "Batch:TransformResources/VolumeKmsKeyId",
        {"Batch:TransformResources": {**GPU, "InstanceType": "ml.m5.xlarge"}},
    ),
    Case(
        "sources in isolation",
        "X763",
        {"Train:HyperParameters": SCRIPT, "Train:EnableNetworkIsolation": True},
        "Train:HyperParameters/sagemaker_submit_directory",
        {"Train:HyperParameters": SCRIPT},
        WARNING,
    ),
    Case(
        "parameter server on one",
        "X766",
        {f"Train:HyperParameters/{SERVER}": "true"},
        f"Train:HyperParameters/{SERVER}",
        {f"Train:HyperParameters/{SERVER}": "true", "Count.DefaultValue": 2},
        WARNING,
    ),
    Case(
        "data parallel on m5",
        "X766",
        {f"Train:HyperParameters/{PARALLEL}": "true"},
        f"Train:HyperParameters/{PARALLEL}",
        {f"Train:HyperParameters/{PARALLEL}": "true", "Instance.DefaultValue": "ml.p4d.24xlarge"},
        WARNING,
    ),
    Case(
        "Gzip by File",
        "X767",
        {"Train:InputDataConfig/0/CompressionType": "Gzip"},
        "Train:InputDataConfig/0/CompressionType",
        {"Train:InputDataConfig/0/CompressionType": "Gzip", "Train:InputDataConfig/0/InputMode": "Pipe"},
        WARNING,
    ),
    Case(
        "augmented manifest by File",
        "X767",
        {f"{S3_SOURCE}/S3DataType": "AugmentedManifestFile"},
        f"{S3_SOURCE}/S3DataType",
        {f"{S3_SOURCE}/S3DataType": "AugmentedManifestFile", "Train:InputDataConfig/0/InputMode": "Pipe"},
    ),
    Case(
        "thirty instances",
        "X768",
        {"Count.DefaultValue": 30},
        "Train:ResourceConfig/InstanceCount",
        {"Count.DefaultValue": 20},
        WARNING,
    ),
    Case(
        "groups for subnets",
        "X769",
        {"Train:VpcConfig": {"Subnets": ["sg-1"], "SecurityGroupIds": ["sg-1"]}},
        "Train:VpcConfig/Subnets/0",
        {"Train:VpcConfig": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}},
    ),
    Case(
        "metric of one of several",
        "X774",
        {**SEVERAL, "Tune:TrainingJobDefinitions/1/TuningObjective/MetricName": "rmse"},
        "Tune:TrainingJobDefinitions/1/TuningObjective/MetricName",
        SEVERAL,
    ),
    Case(
        "own image without metrics",
        "X774",
        {"Tune:TrainingJobDefinition/AlgorithmSpecification/MetricDefinitions": GONE},
        "Tune:TrainingJobDefinition/AlgorithmSpecification/MetricDefinitions",
        {
            "Tune:TrainingJobDefinition": {
                **job(XGBOOST),
                "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
            }
        },
        WARNING,
    ),
    Case(
        "several without a name",
        "X773",
        {**SEVERAL, "Tune:TrainingJobDefinitions/1/DefinitionName": GONE},
        "Tune:TrainingJobDefinitions/1/DefinitionName",
        SEVERAL,
    ),
    Case("AutoML without a mode", "X775", {"Auto:AutoMLJobConfig/Mode": GONE}, "Auto:AutoMLJobConfig/Mode"),
    Case(
        "channel without data", "X775", {"Auto:InputDataConfig/0/DataSource": GONE}, "Auto:InputDataConfig/0/DataSource"
    ),
    Case(
        "no ranges",
        "X777",
        {"Tune:HyperParameterTuningJobConfig/ParameterRanges": GONE},
        "Tune:HyperParameterTuningJobConfig/ParameterRanges",
        {"Tune:HyperParameterTuningJobConfig/ParameterRanges": GONE, "Tune:Autotune": {"Mode": "Enabled"}},
    ),
    Case(
        "no objective",
        "X777",
        {"Tune:HyperParameterTuningJobConfig/HyperParameterTuningJobObjective": GONE},
        "Tune:HyperParameterTuningJobConfig/HyperParameterTuningJobObjective",
        SEVERAL,
    ),
    Case(
        "category twice",
        "X778",
        {CATEGORIES: [{"Name": "o", "Values": ["adam", "adam"]}]},
        f"{CATEGORIES}/0/Values/1",
        {CATEGORIES: [{"Name": "o", "Values": ["adam", "sgd"]}]},
        WARNING,
    ),
    Case(
        "one longer than all",
        "X779",
        {CRITERIA: {"MaxRuntimePerTrainingJobInSeconds": 7200, "MaxAutoMLJobRuntimeInSeconds": 3600}},
        f"{CRITERIA}/MaxRuntimePerTrainingJobInSeconds",
        {CRITERIA: {"MaxRuntimePerTrainingJobInSeconds": 600, "MaxAutoMLJobRuntimeInSeconds": 3600}},
        WARNING,
    ),
    Case(
        "output without a directory",
        "X782",
        {f"{PREPARE_OUT}/0/S3Output/LocalPath": GONE},
        f"{PREPARE_OUT}/0/S3Output/LocalPath",
        {f"{PREPARE_OUT}/0/S3Output/LocalPath": GONE, f"{PREPARE_OUT}/0/AppManaged": True},
    ),
    Case(
        "out of the tree by dots",
        "X783",
        {f"{PREPARE_IN}/0/S3Input/LocalPath": "/opt/ml/processing/../x"},
        f"{PREPARE_IN}/0/S3Input/LocalPath",
    ),
    Case(
        "input inside of an output",
        "X784",
        {f"{PREPARE_IN}/0/S3Input/LocalPath": "/opt/ml/processing/output/train/x"},
        f"{PREPARE_IN}/0/S3Input/LocalPath",
        severity=WARNING,
    ),
    Case(
        "no instances to process on",
        "X787",
        {"Prepare:ProcessingResources/ClusterConfig/InstanceType": GONE},
        "Prepare:ProcessingResources/ClusterConfig/InstanceType",
        {"Prepare:ProcessingResources/ClusterConfig/InstanceType": get("Parameters.Instance")},
    ),
    Case(
        "command as one word",
        "X788",
        {"Prepare:AppSpecification/ContainerEntrypoint": ["python3 /x.py"]},
        "Prepare:AppSpecification/ContainerEntrypoint/0",
        {"Prepare:AppSpecification/ContainerEntrypoint": ["python3", "/my x.py"]},
        WARNING,
    ),
    Case(
        "filter that stays open",
        "X790",
        {"Batch:DataProcessing/InputFilter": "$[1:"},
        "Batch:DataProcessing/InputFilter",
        {"Batch:DataProcessing/InputFilter": "$['a]','b']"},
    ),
    Case(
        "payload over 100", "X793", {"Batch:MaxPayloadInMB": 101}, "Batch:MaxPayloadInMB", {"Batch:MaxPayloadInMB": 25}
    ),
    Case(
        "augmented batch",
        "X794",
        {"Batch:TransformInput/DataSource/S3DataSource/S3DataType": "AugmentedManifestFile"},
        "Batch:TransformInput/DataSource/S3DataSource/S3DataType",
        {"Batch:TransformInput/DataSource/S3DataSource/S3DataType": "ManifestFile"},
    ),
    Case(
        "filter of nothing",
        "X795",
        {"Batch:DataProcessing": {"OutputFilter": "$.SageMakerOutput"}},
        "Batch:DataProcessing/OutputFilter",
        {"Batch:DataProcessing": {"OutputFilter": "$.SageMakerOutput", "JoinSource": "Input"}},
        WARNING,
    ),
    Case(
        "registration without an image",
        "X749",
        {"Register:InferenceSpecification/Containers/0/Image": GONE},
        "Register:InferenceSpecification/Containers/0/Image",
    ),
    Case(
        "no content types",
        "X853",
        {"Register:InferenceSpecification/SupportedContentTypes": GONE},
        "Register:InferenceSpecification/SupportedContentTypes",
        severity=WARNING,
    ),
    Case(
        "no group", "X853", {"Register:ModelPackageGroupName": GONE}, "Register:ModelPackageGroupName", severity=WARNING
    ),
    Case(
        "prefix without a slash",
        "X854",
        {"Model:PrimaryContainer": PREFIX},
        "Model:PrimaryContainer/ModelDataSource/S3DataSource/S3Uri",
        {
            "Model:PrimaryContainer": {
                **PREFIX,
                "ModelDataSource": {
                    "S3DataSource": {**PREFIX["ModelDataSource"]["S3DataSource"], "S3Uri": "s3://a/m/"}
                },
            }
        },
        WARNING,
    ),
    Case(
        "variant without a number",
        "X800",
        {"Variants:ProductionVariants/0/InitialInstanceCount": GONE},
        "Variants:ProductionVariants/0/InitialInstanceCount",
    ),
    Case(
        "serverless with a volume",
        "X800",
        {"Variants:ProductionVariants/1/VolumeSizeInGB": 30},
        "Variants:ProductionVariants/1/VolumeSizeInGB",
        {"Variants:ProductionVariants/0/VolumeSizeInGB": 30},
    ),
    Case(
        "canary of another type",
        "X802",
        {f"{ROUTING}/Type": "ALL_AT_ONCE"},
        f"{ROUTING}/CanarySize",
        {f"{ROUTING}/Type": "ALL_AT_ONCE", f"{ROUTING}/CanarySize": GONE},
    ),
    Case("component on no variant", "X803", {"Component:VariantName": GONE}, "Component:VariantName"),
    Case(
        "endpoint key on local disks",
        "X804",
        {"Variants:KmsKeyId": "alias/ml", "Variants:ProductionVariants/0/InstanceType": "ml.g5.xlarge"},
        "Variants:KmsKeyId",
        {"Variants:KmsKeyId": "alias/ml"},
    ),
    Case(
        "weights of nothing",
        "X805",
        {f"Variants:ProductionVariants/{n}/InitialVariantWeight": 0 for n in (0, 1)},
        "Variants:ProductionVariants/0/InitialVariantWeight",
        {"Variants:ProductionVariants/0/InitialVariantWeight": 0},
        WARNING,
    ),
    Case(
        "unknown variant",
        "X806",
        {"Component:VariantName": "Purple"},
        "Component:VariantName",
        {"Component:VariantName": "Purple", "Component:EndpointName": "another"},
    ),
    Case(
        "no cluster id",
        "X735",
        {"Spark:ClusterConfig": GONE, "Spark:ClusterId": "mine"},
        "Spark:ClusterId",
        {"Spark:ClusterConfig": GONE, "Spark:ClusterId": "j-1"},
        WARNING,
    ),
    Case(
        "no master",
        "X735",
        {"Spark:ClusterConfig/Instances/InstanceGroups/0/InstanceRole": "CORE"},
        "Spark:ClusterConfig/Instances/InstanceGroups",
        severity=WARNING,
    ),
    Case(
        "local Spark program",
        "X736",
        {"Serverless:JobConfig/jobDriver/sparkSubmit/entryPoint": "job.py"},
        "Serverless:JobConfig/jobDriver/sparkSubmit/entryPoint",
        {"Serverless:JobConfig/jobDriver/sparkSubmit/entryPoint": "local:///usr/lib/x.jar"},
        WARNING,
    ),
    Case(
        "artifact twice",
        "X737",
        {
            "Record:Artifacts/-": {
                "ArtifactName": "tables",
                "ArtifactType": "DataSet",
                "Source": {"SourceUri": "s3://raw/2"},
            }
        },
        "Record:Artifacts/1/ArtifactName",
        severity=WARNING,
    ),
    Case(
        "group name with _",
        "X716",
        {"Drift.ModelPackageGroupName": "my_group"},
        "Drift.ModelPackageGroupName",
        {"Drift.ModelPackageGroupName": GROUP},
    ),
    Case(
        "group of a number",
        "X716",
        {"Drift.ModelPackageGroupName": get("Parameters.Depth")},
        "Drift.ModelPackageGroupName/Get",
        {"Drift.ModelPackageGroupName": get("Parameters.Stage")},
    ),
    Case(
        "null member",
        "E525",
        {"Train.RetryPolicies": None},
        "Train.RetryPolicies",
        {"Drift.FailOnViolation": None},
        WARNING,
    ),
    Case("null argument", "X703", {"Score:x": None}, "Score:x", severity=WARNING),
    Case("items of a number", "X720", {"Regions:IterableItems": get("Parameters.Depth")}, "Regions:IterableItems/Get"),
    Case(
        "member of a plain item",
        "X727",
        {"Regions:IterableItems": ["a", "b"]},
        "Fit:region/Get",
        {"Regions:IterableItems": ['{"name": "a"}']},
    ),
    Case(
        "largest text",
        "X728",
        {"Fit.OutputParameters/0/OutputType": "String"},
        "Regions:Selector/Field/Get",
        severity=WARNING,
    ),
    Case("cleanup of itself", "X729", {"Sweep:Resources/S3/0/StepName": "Sweep"}, "Sweep:Resources/S3/0/StepName"),
    Case(
        "cleanup of a Lambda",
        "X729",
        {"Sweep:Resources/S3/0/StepName": "Score"},
        "Sweep:Resources/S3/0/StepName",
        severity=WARNING,
    ),
    Case(
        "job error of a tuning job",
        "E541",
        {"Tune.RetryPolicies": [{"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"]}]},
        "Tune.RetryPolicies/0/ExceptionType/0",
        {"Train.RetryPolicies": [{"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"]}]},
        WARNING,
    ),
    # References of the wrong kind, and beyond what is there
    Case(
        "job name for a model", "R334", {"Batch:ModelName": get("Steps.Train.TrainingJobName")}, "Batch:ModelName/Get"
    ),
    Case(
        "URI for a name",
        "R334",
        {"Batch:ModelName": get("Steps.Train.ModelArtifacts.S3ModelArtifacts")},
        "Batch:ModelName/Get",
    ),
    Case(
        "name for a URI",
        "R334",
        {"Train:OutputDataConfig/S3OutputPath": get("Execution.PipelineName")},
        "Train:OutputDataConfig/S3OutputPath/Get",
        {"Train:OutputDataConfig/S3OutputPath": get("Steps.Batch.TransformOutput.S3OutputPath")},
    ),
    Case(
        "join that begins wrong",
        "R333",
        {"Train:OutputDataConfig/S3OutputPath": join("acme", get("Execution.PipelineName"))},
        "Train:OutputDataConfig/S3OutputPath",
        {"Train:OutputDataConfig/S3OutputPath": join("s3:/", "acme", get("Execution.PipelineName"))},
    ),
    Case(
        "join of a structure",
        "R310",
        {"Score:x": join("a", get("Steps.Train.ModelArtifacts"))},
        "Score:x/Std:Join/Values/1/Get",
        {"Score:x": join("a", get("Steps.Train.ModelArtifacts.S3ModelArtifacts"))},
    ),
    Case("fiftieth best", "R306", {"Ask:x": get("Steps.Tune.TrainingJobSummaries[50].TrainingJobName")}, "Ask:x/Get"),
    Case(
        "ninth of eight",
        "R306",
        {"Ask:x": get("Steps.Tune.TrainingJobSummaries[8].TrainingJobName")},
        "Ask:x/Get",
        {"Ask:x": get("Steps.Tune.TrainingJobSummaries[7].TrainingJobName")},
        WARNING,
    ),
    Case(
        "undeclared artifact",
        "R306",
        {"Ask:x": get("Steps.Record.ArtifactArns['no']")},
        "Ask:x/Get",
        {"Ask:x": get("Steps.Record.ArtifactArns['tables']")},
    ),
    Case(
        "below a plain output",
        "R306",
        {"Ask:x": get("Steps.Drift.CalculatedBaselineConstraints.S3Uri")},
        "Ask:x/Get",
        {"Ask:x": get("Steps.Drift.CalculatedBaselineConstraints")},
    ),
    Case(
        "hyperparameter that is not given",
        "R306",
        {"Ask:x": get("Steps.Train.HyperParameters['lr']")},
        "Ask:x/Get",
        {"Ask:x": get("Steps.Train.HyperParameters['depth']")},
        WARNING,
    ),
    Case("path that stops halfway", "R323", {f"{ROWS}/Path": "a['b"}, f"{ROWS}/Path", {f"{ROWS}/Path": "a['b]'].c[0]"}),
    Case("path with slashes", "R323", {f"{ROWS}/Path": "a/b"}, f"{ROWS}/Path", {f"{ROWS}/Path": "a['x/y']"}, WARNING),
    Case(
        "body reads its own ForEach",
        "G111",
        {"Fit:x": get("Steps.Regions.InputItemCount")},
        "Fit:x",
        {"Best:x": get("Steps.Regions.InputItemCount")},
    ),
    Case(
        "time as a count",
        "R330",
        {"Train:ResourceConfig/InstanceCount": get("Execution.StartDateTime")},
        "Train:ResourceConfig/InstanceCount/Get",
        {"Train:HyperParameters/x": get("Execution.StartDateTime")},
    ),
    Case(
        "model for an endpoint configuration",
        "R334",
        {"Live:EndpointConfigName": get("Steps.Model.ModelName")},
        "Live:EndpointConfigName/Get",
    ),
    Case(
        "model data for an image",
        "R334",
        {"Model:PrimaryContainer/Image": get("Steps.Train.ModelArtifacts.S3ModelArtifacts")},
        "Model:PrimaryContainer/Image/Get",
        {"Model:PrimaryContainer/Image": get("Steps.Train.AlgorithmSpecification.TrainingImage")},
    ),
    # Images
    Case(
        "GPU image on a CPU",
        "X860",
        {TRAIN_IMAGE: f"{DLC}/pytorch-training:2.3.0-gpu-py311-cu121"},
        "Train:ResourceConfig/InstanceType",
        {TRAIN_IMAGE: f"{DLC}/pytorch-training:2.3.0-gpu-py311-cu121", "Instance.DefaultValue": "ml.g5.xlarge"},
        WARNING,
    ),
    Case(
        "CPU image of a model on a GPU",
        "X860",
        {
            "Model:PrimaryContainer/Image": f"{DLC}/pytorch-inference:2.3.0-cpu-py311",
            "Variants:ProductionVariants/0/InstanceType": "ml.g5.xlarge",
        },
        "Variants:ProductionVariants/0/InstanceType",
        {"Model:PrimaryContainer/Image": f"{DLC}/pytorch-inference:2.3.0-cpu-py311"},
        WARNING,
    ),
    Case(
        "inference image in training",
        "X861",
        {TRAIN_IMAGE: f"{DLC}/pytorch-inference:2.3.0-cpu-py311"},
        TRAIN_IMAGE,
        {TRAIN_IMAGE: f"{DLC}/pytorch-training:2.3.0-cpu-py311"},
        WARNING,
    ),
    Case(
        "never published",
        "X862",
        {TRAIN_IMAGE: f"{DLC}/pytorch-training:2.3.0-cpu-py39"},
        TRAIN_IMAGE,
        {TRAIN_IMAGE: f"{DLC}/pytorch-training:2.3.0-cpu-py311"},
        WARNING,
    ),
    Case(
        "account of another region",
        "X862",
        {TRAIN_IMAGE: "683313688378.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"},
        TRAIN_IMAGE,
        {TRAIN_IMAGE: "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"},
        WARNING,
    ),
    Case(
        "image tag",
        "X813",
        {TRAIN_IMAGE: f"{REGISTRY}/fit:1:2"},
        TRAIN_IMAGE,
        {TRAIN_IMAGE: f"{REGISTRY}/team/fit:1_2.3"},
    ),
    Case(
        "joined image of another region",
        "X810",
        {TRAIN_IMAGE: join("111122223333.dkr.ecr", "us-west-2", "amazonaws.com/fit:1", on=".")},
        TRAIN_IMAGE,
        {TRAIN_IMAGE: join("111122223333.dkr.ecr", "eu-west-1", "amazonaws.com/fit:1", on=".")},
    ),
    Case(
        "camel case password",
        "X840",
        {"Train:HyperParameters/dbPassword": "hunter2hunter2"},
        "Train:HyperParameters/dbPassword",
        HARMLESS,
        WARNING,
    ),
    Case(
        "entropy of a key",
        "X840",
        {"Train:HyperParameters/s": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"},
        "Train:HyperParameters/s",
        HARMLESS,
        WARNING,
    ),
    Case(
        "password in a DSN",
        "X840",
        {"Prepare:Environment/URL": "jdbc:mysql://h/db?user=a&password=hunter22"},
        "Prepare:Environment/URL",
        HARMLESS,
        WARNING,
    ),
    Case(
        "web hook",
        "X840",
        {"Score:x": "https://hooks.slack.com/services/T0000/B0000".replace("0000", "0A" * 4) + "/" + "x1" * 12},
        "Score:x",
        HARMLESS,
        WARNING,
    ),
    Case(
        "tag of a password",
        "X840",
        {"Train:Tags": [{"Key": "password", "Value": "hunter2hunter2"}]},
        "Train:Tags/0/Value",
        HARMLESS,
        WARNING,
    ),
    Case(
        "argument of Spark",
        "X840",
        {"Spark:StepConfig/HadoopJarStep/Args": ["--db-password", "hunter2hunter2"]},
        "Spark:StepConfig/HadoopJarStep/Args/0",
        HARMLESS,
        WARNING,
    ),
    Case(
        "joined password",
        "X840",
        {"Prepare:Environment/DB_PASSWORD": join("hunter", "2hunter2", on="")},
        "Prepare:Environment/DB_PASSWORD",
        HARMLESS,
        WARNING,
    ),
    Case(
        "administrator",
        "X841",
        {"Train:RoleArn": "arn:aws:iam::111122223333:role/Administrator"},
        "Train:RoleArn",
        severity=INFO,
    ),
    Case(
        "URI inside of a URI",
        "X820",
        {"Train:OutputDataConfig/S3OutputPath": join("s3://acme", get("Parameters.Data"))},
        "Train:OutputDataConfig/S3OutputPath",
        severity=WARNING,
    ),
    Case(
        "tuned and static in one of several definitions",
        "X771",
        {
            **SEVERAL,
            "Tune:TrainingJobDefinitions/1/HyperParameterRanges": RANGES,
            "Tune:TrainingJobDefinitions/0/HyperParameterRanges": RANGES,
            "Tune:TrainingJobDefinitions/1/StaticHyperParameters": {"lr": "1"},
            "Tune:HyperParameterTuningJobConfig/ParameterRanges": GONE,
        },
        "Tune:TrainingJobDefinitions/1/StaticHyperParameters/lr",
        {
            **SEVERAL,
            "Tune:TrainingJobDefinitions/0/HyperParameterRanges": RANGES,
            "Tune:TrainingJobDefinitions/1/HyperParameterRanges": {"CategoricalParameterRanges": []},
            "Tune:TrainingJobDefinitions/1/StaticHyperParameters": {"lr": "1"},
            "Tune:HyperParameterTuningJobConfig/ParameterRanges": GONE,
        },
    ),
    Case(
        "volume key in a group with local disks",
        "X759",
        {"Train:ResourceConfig": {"VolumeSizeInGB": 1, "VolumeKmsKeyId": "alias/ml", "InstanceGroups": [GPU_GROUP]}},
        "Train:ResourceConfig/VolumeKmsKeyId",
        {"Train:ResourceConfig": {"VolumeSizeInGB": 1, "InstanceGroups": [GPU_GROUP]}},
    ),
    Case(
        "checkpoints in the input",
        "X764",
        {"Train:CheckpointConfig": {"S3Uri": "s3://acme/c", "LocalPath": "/opt/ml/input/data"}},
        "Train:CheckpointConfig/LocalPath",
        {"Train:CheckpointConfig": {"S3Uri": "s3://acme/c", "LocalPath": "/opt/ml/checkpoints/input"}},
        WARNING,
    ),
    Case(
        "subnets by name",
        "X769",
        {"Train:VpcConfig": {"Subnets": ["private"], "SecurityGroupIds": ["sg-0b2"]}},
        "Train:VpcConfig/Subnets/0",
        {"Train:VpcConfig": {"Subnets": ["subnet-0a1"], "SecurityGroupIds": ["sg-0b2"]}, "Score:Subnets": "private"},
        WARNING,
    ),
    Case(
        "channels for validation only",
        "X775",
        {"Auto:InputDataConfig/0/ChannelType": "validation"},
        "Auto:InputDataConfig/0/ChannelType",
        {"Auto:InputDataConfig/0/ChannelType": "training"},
        WARNING,
    ),
    Case(
        "two queries in one input",
        "X781",
        {f"{PREPARE_IN}/0/S3Input": GONE, f"{PREPARE_IN}/0/DatasetDefinition": {**ATHENA, **REDSHIFT}},
        f"{PREPARE_IN}/0/DatasetDefinition/RedshiftDatasetDefinition",
        {f"{PREPARE_IN}/0/S3Input": GONE, f"{PREPARE_IN}/0/DatasetDefinition": ATHENA},
    ),
    Case(
        "local path of a parameter's default",
        "X783",
        {f"{PREPARE_IN}/0/S3Input/LocalPath": get("Parameters.Data")},
        f"{PREPARE_IN}/0/S3Input/LocalPath",
        {f"{PREPARE_IN}/0/S3Input/LocalPath": join("/opt/ml/processing", get("Parameters.Stage"))},
    ),
    Case(
        "registered zip",
        "X744",
        {f"{SERVED}/ModelDataUrl": "s3://acme/model.zip"},
        f"{SERVED}/ModelDataUrl",
        {f"{SERVED}/ModelDataUrl": "s3://acme/model.tar.gz"},
        WARNING,
    ),
    Case(
        "direct calls of a nameless container",
        "X742",
        {
            "Chain:Containers/0/ContainerHostname": GONE,
            "Chain:Containers/1/ContainerHostname": GONE,
            "Chain:InferenceExecutionConfig": {"Mode": "Direct"},
        },
        "Chain:Containers/0/ContainerHostname",
        {"Chain:InferenceExecutionConfig": {"Mode": "Direct"}},
        WARNING,
    ),
    Case(
        "image beside a model package",
        "X741",
        {"Model:PrimaryContainer/ModelPackageName": "arn:aws:sagemaker:eu-west-1:111122223333:model-package/churn/7"},
        "Model:PrimaryContainer/Image",
        severity=WARNING,
    ),
    Case(
        "a cluster of SageMaker's instances",
        "X735",
        {"Spark:ClusterConfig/Instances/InstanceGroups/0/InstanceType": "ml.m5.xlarge"},
        "Spark:ClusterConfig/Instances/InstanceGroups/0/InstanceType",
        severity=WARNING,
    ),
    Case(
        "a release without its prefix",
        "X735",
        {"Spark:ClusterConfig/ReleaseLabel": "6.15.0"},
        "Spark:ClusterConfig/ReleaseLabel",
        severity=WARNING,
    ),
    Case(
        "data that no input brings",
        "X715",
        {"Drift:Environment/dataset_source": "/opt/ml/processing/data"},
        "Drift:Environment/dataset_source",
        {"Drift:Environment/dataset_source": "/opt/ml/processing/input/churn.csv"},
        WARNING,
    ),
    Case(
        "serverless and asynchronous",
        "X801",
        {"Variants:AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://acme/answers"}}},
        "Variants:ProductionVariants/1/ServerlessConfig",
        severity=WARNING,
    ),
    Case(
        "a transform over another step's output",
        "X830",
        {"Batch:TransformOutput/S3OutputPath": join("s3://acme", "report")},
        "Batch:TransformOutput/S3OutputPath",
        {"Batch:TransformOutput/S3OutputPath": join("s3://acme", "report", "scores")},
        WARNING,
    ),
    Case(
        "reads where it writes, by a parameter",
        "X831",
        {
            "Data.DefaultValue": "s3://acme/report",
        },
        f"{PREPARE_OUT}/1/S3Output/S3Uri",
        severity=WARNING,
    ),
    Case(
        "channel beyond the list",
        "R306",
        {"Ask:x": get("Steps.Train.InputDataConfig[1].ChannelName")},
        "Ask:x/Get",
        {"Ask:x": get("Steps.Train.InputDataConfig[0].ChannelName")},
    ),
    Case(
        "container beyond the list",
        "R306",
        {"Ask:x": get("Steps.Chain.Containers[2].Image")},
        "Ask:x/Get",
        {"Ask:x": get("Steps.Chain.Containers[1].Image")},
    ),
    Case(
        "hyperparameter that is not given, dotted",
        "R306",
        {"Ask:x": get("Steps.Train.HyperParameters.nope")},
        "Ask:x/Get",
        {"Ask:x": get("Steps.Train.HyperParameters.depth")},
        WARNING,
    ),
    Case(
        "bucket with two dots",
        "X820",
        {"Train:OutputDataConfig/S3OutputPath": "s3://a..b/x"},
        "Train:OutputDataConfig/S3OutputPath",
        {"Train:OutputDataConfig/S3OutputPath": "s3://a.b/x"},
        WARNING,
    ),
]


def test_the_sound_definition_has_no_finding() -> None:
    assert findings(SOUND) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code} {case.name}")
def test_fires(case: Case) -> None:
    if case.code == "X862" and sdk_data_folder() is None:
        pytest.skip("the official SDK, which has the lists, is not installed")
    found = findings(spoilt(case.bad), case.code)
    assert (place(case.at), case.severity) in [(item.path, item.severity) for item in found]


@pytest.mark.parametrize("case", [case for case in CASES if case.good], ids=lambda case: f"{case.code} {case.name}")
def test_does_not_fire(case: Case) -> None:
    assert findings(spoilt(case.good), case.code) == []


def test_every_rule_has_a_case() -> None:
    """The house policy and scripts beside a pipeline need files: test_house.py and test_script_imports.py."""
    here = {rule.code for rule in all_rules() if rule.code != "X870" and not rule.code.startswith("H9")}
    assert here == {case.code for case in CASES}


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_a_rule_tells_its_story(rule: Any) -> None:
    assert "Bad:" in rule.text
    assert "Good:" in rule.text
    assert rule.source
    assert rule.name == rule.name.lower().replace(" ", "-")
