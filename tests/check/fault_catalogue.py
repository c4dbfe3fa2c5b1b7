"""Known faults of pipelines: what happens, which code tells it, and a definition with the fault to prove that.

``docs/faults.md`` is made of this by ``docs/write_faults.py``. Changes are those of ``sound_definition.spoilt``; a text
in their place is a whole document. A row with a reason and no changes is not told from a definition alone.
"""

# ruff: noqa: E501 - one row, one line
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sound_definition import (
    GONE,
    REGISTRY,
    call,
    channel,
    get,
    join,
    processing_input,
    processing_output,
    spoilt,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """``code`` is None, or a code that the definition alone does not show, where ``reason`` says so."""

    id: str
    what: str
    code: str | None = None
    changes: Mapping[str, Any] | str | None = None
    reason: str = ""


GROUPS = {
    "G": "Graph and structure",
    "X": "Expressions and references",
    "C": "Conditions",
    "M": "Parameters",
    "A": "Values against the service model",
    "S": "Members of steps",
    "Q": "Calls on the pipeline",
    "R": "Refused or failing when a step runs",
    "E": "Endpoints",
}

T, P, TUNE, B, R = "Train:", "Prepare:", "Tune:", "Batch:", "Register:"
CLUSTER = "Prepare:ProcessingResources/ClusterConfig"
COMMAND = "Prepare:AppSpecification/ContainerArguments"
VPC = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
SERVING = "Register:InferenceSpecification"
LIMITS = "Tune:HyperParameterTuningJobConfig/ResourceLimits"
RANGES = "Tune:HyperParameterTuningJobConfig/ParameterRanges"
BLUE_GREEN = "Live:DeploymentConfig/BlueGreenUpdatePolicy"
EFS = {"FileSystemId": "fs-0123456789a", "FileSystemAccessMode": "ro", "FileSystemType": "EFS", "DirectoryPath": "/d"}
ELSEWHERE = "111122223333.dkr.ecr.us-west-2.amazonaws.com/fit:1"
ROLLING = {"MaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 60}, "WaitIntervalInSeconds": 60}
ACCOUNT = "depends on what is in the account"
START = "is no fault of the definition: `mlops start` refuses it before the call"


def many(count: int, length: int = 1) -> dict[str, str]:
    return {f"K{number}": "v" * length for number in range(count)}


FAULTS = (
    Fault("G01", "two steps of one name", "G101", {"Score.Name": "Train"}),
    Fault("G02", "a step at the top and in a branch", "G101", {"/Steps/-": call("Announce")}),
    Fault("G03", "one name in both branches", "G101", {"Complain.Name": "Announce"}),
    Fault("G05", "steps that read each other", "G104", {"Train:HyperParameters/x": get("Steps.Score.OutputParameters['note']")}),
    Fault("G06", "a step that waits for itself", "G103", {"Score.DependsOn": ["Score"]}),
    Fault("G07", "DependsOn of a step that does not exist", "G102", {"Score.DependsOn": ["Trian"]}),
    Fault("G09", "a property of a Fail step", "R306", {"Complain:x": get("Steps.Stop.ErrorMessage")}),
    Fault("G11", "one branch reads the other", "G107", {"Complain:x": get("Steps.Register.ModelPackageArn")}),
    Fault("G13", "DependsOn of a Condition", "G105", {"Ask.DependsOn": ["Gate"]}),
    Fault("G14", "waiting for both branches", "G108", {"Ask.DependsOn": ["Announce", "Complain"]}),
    Fault("G15", "a Condition without conditions", "C601", {"Gate:Conditions": []}),
    Fault("G16", "no steps", "E503", {"/Steps": []}),
    Fault("G17", "a step type that does not exist", "S210", {"Train.Type": "Trainning"}),
    Fault("G19", "a step name with dots or blanks", "E520", {"Ask.Name": "ask.them now"}),
    Fault("G20", "a step name of more than 64 characters", "E520", {"Ask.Name": "a" * 65}),
    Fault("G21", "DependsOn as one text", "E522", {"Score.DependsOn": "Train"}),
    Fault("G22", "text that is not JSON", "J003", '{"Version": "2020-12-01",}'),
    Fault("G25", "a misspelt member of a step", "E521", {"Score.DependOn": ["Train"]}),
    Fault("X01", "a parameter that is not declared", "R303", {"Score:x": get("Parameters.Lr")}),
    Fault("X02", "a reference that begins with nothing known", "R302", {"Score:x": get("Params.Depth")}),
    Fault("X03", "a property that the response does not have", "R306", {"Score:x": get("Steps.Train.ModelArtefacts.S3ModelArtifacts")}),
    Fault("X05", "an execution variable that does not exist", "R304", {"Score:x": get("Execution.PipelineId")}),
    Fault("X07", "a property file in no output of its step", "R321", {"Prepare.PropertyFiles/0/OutputName": "reprot"}),
    Fault("X10", "a JsonGet path that the file does not have", None, reason="the file is written when the step runs; `mlops run` tells it"),
    Fault("X11", "a JsonGet path that is an expression", "R323", {"Train:HyperParameters/rows/Std:JsonGet/Path": join("a", "b")}),
    Fault("X12", "a JsonGet value of another type than what it is compared with", None, reason="the file is written when the step runs; `mlops run` tells it"),
    Fault("X13", "Join of an object", "R310", {"Score:x": join("a", {"b": 1})}),
    Fault("X14", "a function that does not exist", "R301", {"Score:x": {"Std:Concat": ["a"]}}),
    Fault("X15", "an expression where only a literal may stand", "R308", {"Train.DisplayName": get("Parameters.Stage")}),
    Fault("X16", "an output that the Lambda does not declare", "R306", {"Ask:x": get("Steps.Score.OutputParameters['rows']")}),
    Fault("X18", "an Integer parameter where only a text fits", "R330", {f"{T}ResourceConfig/InstanceType": get("Parameters.Count")}),
    Fault("X19", "a String parameter where an integer is wanted", "R330", {f"{T}ResourceConfig/InstanceCount": get("Parameters.Stage")}),
    Fault("X20", "a default that breaks the place which it fills", "R331", {"Instance.DefaultValue": "ml.m5.huge"}),
    Fault("X21", "a Join that gives a broken text", "R333", {f"{T}OutputDataConfig/S3OutputPath": join("s3:/", "b", on="")}),
    Fault("X23", "an index beyond the list", "R306", {"Score:x": get("Steps.Prepare.ProcessingInputs[7].InputName")}),
    Fault("X24", "a reference that stops at a structure", "R330", {"Model:PrimaryContainer/ModelDataUrl": get("Steps.Train.ModelArtifacts")}),
    Fault("C02", "a comparison without its right side", "C602", {"Gate:Conditions/0/RightValue": GONE}),
    Fault("C03", "Not with Expression in place of Condition", "C602", {"Gate:Conditions/0": {"Type": "Not", "Expression": {}}}),
    Fault("C05", "In with a scalar or an empty list", "C602", {"Gate:Conditions/2/Conditions/0/Values": "dev"}),
    Fault("C06", "an ordering of truth values", "C604", {"Gate:Conditions/2/Conditions/1/Condition/Type": "LessThan"}),
    Fault("M01", "two parameters of one name", "P401", {"/Parameters/-": {"Name": "Depth", "Type": "Integer"}}),
    Fault("M02", "a parameter name with blanks", "P402", {"Depth.Name": "the depth"}),
    Fault("M03", "a number as the default of a String", "P404", {"Stage.DefaultValue": 5}),
    Fault("M06", "true as the default of an Integer", "P404", {"Depth.DefaultValue": True}),
    Fault("M07", "an empty text as the default of an Integer", "P404", {"Depth.DefaultValue": ""}),
    Fault("M08", "a text as the default of a Boolean", "P404", {"Skip.DefaultValue": "true"}),
    Fault("M09", "a default that is none of the choices", "P405", {"Stage.DefaultValue": "test"}),
    Fault("M10", "a parameter type that does not exist", "P403", {"Depth.Type": "Number"}),
    Fault("M12", "a default that no start can override", "P407", {"Data.DefaultValue": "s3://raw/" + "x" * 1016}),
    Fault("M13", "more parameters than a start can set", "P408", {"/Parameters": [{"Name": f"P{n}", "Type": "String"} for n in range(201)]}),
    Fault("M14", "a start without a required parameter", reason=START),
    Fault("M16", "a start with a value of another type", reason=START),
    Fault("M17", "a start with an empty text", reason=START),
    Fault("M18", "a start with a value over 1,024 characters", reason=START),
    Fault("M20", "a parameter that EventBridge cannot set", reason="an underscore is legal everywhere else, and whether an EventBridge rule starts the pipeline is not in its definition"),
    Fault("A01", "a misspelt argument", "S201", {f"{T}ResourceConfg": {}}),
    Fault("A02", "no TrainingInputMode", "S202", {f"{T}AlgorithmSpecification/TrainingInputMode": GONE}),
    Fault("A03", "no OutputDataConfig", "S202", {f"{T}OutputDataConfig": GONE}),
    Fault("A04", "no RoleArn", "S202", {f"{T}RoleArn": GONE}),
    Fault("A06", "no ProcessingResources", "S202", {f"{P}ProcessingResources": GONE}),
    Fault("A07", "no ImageUri", "S202", {f"{P}AppSpecification/ImageUri": GONE}),
    Fault("A08", "no volume size", "S202", {f"{CLUSTER}/VolumeSizeInGB": GONE}),
    Fault("A09", "an instance type that does not exist", "S204", {f"{T}ResourceConfig/InstanceType": "ml.m5.huge"}),
    Fault("A10", "the SDK's local mode left in", "S204", {f"{T}ResourceConfig/InstanceType": "local"}),
    Fault("A11", "an instance type of training only, in processing", "S204", {f"{CLUSTER}/InstanceType": "ml.trn1.32xlarge"}),
    Fault("A13", "FastFile on a processing input", "S204", {f"{P}ProcessingInputs/0/S3Input/S3InputMode": "FastFile"}),
    Fault("A14", "a misspelt S3DataType", "S204", {f"{T}InputDataConfig/0/DataSource/S3DataSource/S3DataType": "Prefix"}),
    Fault("A15", "a misspelt S3UploadMode", "S204", {f"{P}ProcessingOutputConfig/Outputs/0/S3Output/S3UploadMode": "Always"}),
    Fault("A16", "a misspelt TrainingInputMode", "S204", {f"{T}AlgorithmSpecification/TrainingInputMode": "Stream"}),
    Fault("A17", "a compression in lower case", "S204", {f"{T}InputDataConfig/0/CompressionType": "gzip"}),
    Fault("A18", "a processing volume of nothing", "S207", {f"{CLUSTER}/VolumeSizeInGB": 0}),
    Fault("A19", "a processing volume that is too large", "S207", {f"{CLUSTER}/VolumeSizeInGB": 20000}),
    Fault("A20", "no instance to process on", "S207", {f"{CLUSTER}/InstanceCount": 0}),
    Fault("A21", "more than 100 instances", "S207", {f"{CLUSTER}/InstanceCount": 101}),
    Fault("A22", "a time limit of nothing", "S207", {f"{T}StoppingCondition/MaxRuntimeInSeconds": 0}),
    Fault("A23", "processing for more than nine days", "S207", {f"{P}StoppingCondition": {"MaxRuntimeInSeconds": 777601}}),
    Fault("A25", "eleven processing inputs", "S208", {f"{P}ProcessingInputs": [processing_input(f"i{n}", "s3://raw/x", f"/opt/ml/processing/{n}") for n in range(11)]}),
    Fault("A26", "21 channels", "S208", {f"{T}InputDataConfig": [channel(f"c{n}", "s3://raw/x") for n in range(21)]}),
    Fault("A28", "a variable whose name begins with a digit", "S205", {f"{P}Environment": {"1-BAD": "x"}}),
    Fault("A30", "a variable of more than 512 characters", "S206", {f"{T}Environment": {"A": "x" * 513}}),
    Fault("A31", "a container argument of more than 256 characters", "S206", {f"{COMMAND}/0": "x" * 260}),
    Fault("A32", "an empty list of container arguments", "S208", {COMMAND: []}),
    Fault("A33", "more than 100 container arguments", "S208", {COMMAND: ["x"] * 101}),
    Fault("A35", "a number as a hyperparameter", "S203", {f"{T}HyperParameters/lr": 0.1}),
    Fault("A36", "a hyperparameter of more than 2,500 characters", "S206", {f"{T}HyperParameters/lr": "x" * 2501}),
    Fault("A37", "a local path as input data", "S205", {f"{T}InputDataConfig/0": channel("train", "data/train.csv")}),
    Fault("A40", "a role's name in place of its ARN", "S205", {f"{P}RoleArn": "SageMakerExecutionRole"}),
    Fault("A42", "a key with characters that none has", "S205", {f"{T}OutputDataConfig/KmsKeyId": "alias/my key!"}),
    Fault("A44", "a tag key with characters that none has", "S205", {f"{T}Tags": [{"Key": "a#b", "Value": "c"}]}),
    Fault("A45", "a tag without a value", "S202", {f"{T}Tags": [{"Key": "a"}]}),
    Fault("A46", "VpcConfig without subnets", "S202", {f"{T}VpcConfig": {"SecurityGroupIds": ["sg-1"]}}),
    Fault("A47", "more than five security groups", "S208", {f"{T}VpcConfig": {**VPC, "SecurityGroupIds": [f"sg-{n}" for n in range(6)]}}),
    Fault("A48", "a subnet with characters that none has", "S205", {f"{P}NetworkConfig": {"VpcConfig": {**VPC, "Subnets": ["subnet_1!"]}}}),
    Fault("A49", "a subnet in place of a list", "S203", {f"{P}NetworkConfig": {"VpcConfig": {**VPC, "Subnets": "subnet-1"}}}),
    Fault("A51", "a file system without a directory", "S202", {f"{T}InputDataConfig/0/DataSource": {"FileSystemDataSource": {key: EFS[key] for key in EFS if key != "DirectoryPath"}}}),
    Fault("A53", "more than 40 metrics", "S208", {f"{T}AlgorithmSpecification/MetricDefinitions": [{"Name": f"m{n}", "Regex": "(.*)"} for n in range(41)]}),
    Fault("A54", "a metric's expression of more than 500 characters", "S206", {f"{T}AlgorithmSpecification/MetricDefinitions/0/Regex": "(" + "x" * 500 + ")"}),
    Fault("A55", "checkpoints without a place", "S202", {f"{T}CheckpointConfig": {"LocalPath": "/opt/ml/checkpoints"}}),
    Fault("A56", "a number as a text", "S203", {f"{CLUSTER}/InstanceCount": "1"}),
    Fault("A57", "a text in place of an object", "S203", {f"{T}StoppingCondition": "3600"}),
    Fault("A58", "an image URI of more than 255 characters", "S206", {f"{P}AppSpecification/ImageUri": f"{REGISTRY}/" + "x" * 255}),
    Fault("A59", "more than 30 retries of a job", "S207", {f"{T}RetryStrategy": {"MaximumRetryAttempts": 31}}),
    Fault("A60", "a debugger hook without a place", "S202", {f"{T}DebugHookConfig": {"LocalPath": "/opt/ml/output/tensors"}}),
    Fault("A61", "more than 20 debugger rules", "S208", {f"{T}DebugRuleConfigurations": [{"RuleConfigurationName": f"r{n}", "RuleEvaluatorImage": f"{REGISTRY}/r:1"} for n in range(21)]}),
    Fault("A64", "a transform filter of more than 63 characters", "S206", {f"{B}DataProcessing/InputFilter": "$." + "x" * 62}),
    Fault("A65", "a misspelt BatchStrategy", "S204", {f"{B}BatchStrategy": "Multi"}),
    Fault("A66", "a misspelt SplitType", "S204", {f"{B}TransformInput/SplitType": "Lines"}),
    Fault("A67", "more than 16 variables of a transform", "S208", {f"{B}Environment": many(17)}),
    Fault("A69", "a payload below nothing", "S207", {f"{B}MaxPayloadInMB": -1}),
    Fault("A70", "a model name of more than 63 characters", "S206", {f"{B}ModelName": "m" * 64}),
    Fault("A71", "a tuning strategy that does not exist", "S204", {f"{TUNE}HyperParameterTuningJobConfig/Strategy": "TPE"}),
    Fault("A73", "a tuning bound as a number", "S203", {f"{RANGES}/ContinuousParameterRanges/0/MinValue": 0.1}),
    Fault("A74", "a misspelt objective type", "S204", {f"{TUNE}HyperParameterTuningJobConfig/HyperParameterTuningJobObjective/Type": "Min"}),
    Fault("A75", "more than 30 categories", "S208", {f"{RANGES}/CategoricalParameterRanges": [{"Name": "o", "Values": [str(n) for n in range(31)]}]}),
    Fault("A76", "more than 48 variables of a tuning job", "S208", {f"{TUNE}TrainingJobDefinition/Environment": many(49)}),
    Fault("A77", "tuning without limits", "S202", {LIMITS: GONE}),
    Fault("A79", "more than 15 containers", "S208", {"Chain:Containers": [{"Image": f"{REGISTRY}/a:1"}] * 16}),
    Fault("A80", "a model's variable with a dash", "S205", {"Model:PrimaryContainer/Environment": {"a-b": "c"}}),
    Fault("A81", "an image URI with a blank", "S205", {"Model:PrimaryContainer/Image": "my image:1"}),
    Fault("A82", "a local path as model data", "S205", {"Model:PrimaryContainer/ModelDataUrl": "./model.tar.gz"}),
    Fault("A84", "an approval status that does not exist", "S204", {f"{R}ModelApprovalStatus": "Pending"}),
    Fault("A85", "a group name with an underscore", "S205", {f"{R}ModelPackageGroupName": "my_group"}),
    Fault("A86", "a registration without containers", "S208", {f"{SERVING}/Containers": []}),
    Fault("A87", "an empty list of transform instances", "S208", {f"{SERVING}/SupportedTransformInstanceTypes": []}),
    Fault("A89", "a response type that is no MIME type", "S205", {f"{SERVING}/SupportedResponseMIMETypes": ["csv"]}),
    Fault("A90", "metrics without a content type", "S202", {f"{R}ModelMetrics": {"ModelQuality": {"Statistics": {"S3Uri": "s3://acme/m.json"}}}}),
    Fault("A91", "SkipModelValidation as a truth value", "S204", {f"{R}SkipModelValidation": "true"}),
    Fault("A92", "a description of more than 1,024 characters", "S206", {f"{R}ModelPackageDescription": "x" * 1025}),
    Fault("A93", "an image digest that is none", "S205", {f"{SERVING}/Containers/0/ImageDigest": "sha256:abc"}),
    Fault("S02", "a cache of months where minutes were meant", "E531", {"Prepare.CacheConfig/ExpireAfter": "P30M"}),
    Fault("S03", "a cache on a step that has none", "E521", {"Gate.CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}),
    Fault("S05", "a retry policy with both ends", "E540", {"Prepare.RetryPolicies/0/ExpireAfterMin": 10}),
    Fault("S07", "a retry interval over twelve hours", "E540", {"Prepare.RetryPolicies/0/IntervalSeconds": 43201}),
    Fault("S08", "retries for more than ten days", "E540", {"Prepare.RetryPolicies/0": {"ExceptionType": ["Step.THROTTLING"], "ExpireAfterMin": 14401}}),
    Fault("S09", "an exception type that does not exist", "E540", {"Prepare.RetryPolicies/0/ExceptionType/0": "SageMaker.CAPACITY"}),
    Fault("S11", "a function's name in place of its ARN", "X701", {"Score.FunctionArn": "my-func"}),
    Fault("S12", "an object as a Lambda argument", "X703", {"Score:options": {"depth": 3}}),
    Fault("S14", "two Lambda outputs of one name", "X704", {"Score.OutputParameters/1/OutputName": "score"}),
    Fault("S19", "two property files of one name", "R320", {"Prepare.PropertyFiles/-": {"PropertyFileName": "quality", "OutputName": "report", "FilePath": "b.json"}}),
    Fault("S20", "a property file without a path", "R320", {"Prepare.PropertyFiles/0/FilePath": GONE}),
    Fault("S23", "a cluster that has ended, or a full queue of steps", reason=ACCOUNT),
    Fault("S24", "a check without a baseline", "X714", {"Drift.SkipCheck": False, "Drift.ModelPackageGroupName": GONE}),
    Fault("S25", "a Clarify check that contradicts itself", "X713", {"Bias.ModelName": GONE}),
    Fault("S28", "an experiment name with an underscore", "E505", {"/PipelineExperimentConfig/ExperimentName": "my_exp"}),
    Fault("S30", "AdditionalModelDataSources in a model", "X747", {"Model:PrimaryContainer/AdditionalModelDataSources": []}),
    Fault("Q01", "a pipeline name of more than 82 characters", "D005", reason="the name is not in the document; the DSL tells it"),
    Fault("Q02", "a pipeline name with a dot or an underscore", "D005", reason="the name is not in the document; the DSL tells it"),
    Fault("Q03", "a definition of more than a mebibyte", "E507", {"Score:x": "x" * 1_048_577}),
    Fault("Q04", "a description of more than 3,072 characters", "D005", reason="it is not in the document; the DSL tells it"),
    Fault("Q05", "more than 50 tags on the pipeline", "D005", reason="they are not in the document; the DSL tells it"),
    Fault("Q06", "a pipeline role that is no ARN", reason="it is not in the document; `mlops.toml` is refused with file and line"),
    Fault("Q08", "more steps than the account allows", "E508", {"/Steps": [call(f"S{n}") for n in range(51)]}),
    Fault("Q09", "a display name of an execution that is too long", reason=START),
    Fault("Q10", "selecting a step that does not exist", reason=START),
    Fault("Q11", "selecting steps without an execution to take the others from", reason=START),
    Fault("Q13", "both or neither of a definition and its place in S3", reason="is a matter of the call, which `mlops upsert` makes"),
    Fault("R03", "spot training without MaxWaitTimeInSeconds", "X750", {f"{T}EnableManagedSpotTraining": True}),
    Fault("R04", "long spot training without checkpoints", "X751", {f"{T}EnableManagedSpotTraining": True, f"{T}StoppingCondition": {"MaxRuntimeInSeconds": 86400, "MaxWaitTimeInSeconds": 90000}}),
    Fault("R05", "Pipe and FastFile in one job", "X756", {f"{T}InputDataConfig/0/InputMode": "Pipe", f"{T}InputDataConfig/-": {**channel("b", "s3://raw/2"), "InputMode": "FastFile"}}),
    Fault("R07", "an input and an output in one directory", "X784", {f"{P}ProcessingOutputConfig/Outputs/0/S3Output/LocalPath": "/opt/ml/processing/input/raw"}),
    Fault("R08", "two outputs of one name", "X780", {f"{P}ProcessingOutputConfig/Outputs/-": processing_output("train", "s3://acme/2", "/opt/ml/processing/2")}),
    Fault("R09", "two inputs of one name", "X780", {f"{P}ProcessingInputs/-": processing_input("raw", "s3://raw/2", "/opt/ml/processing/2")}),
    Fault("R10", "two channels of one name", "X755", {f"{T}InputDataConfig/-": channel("train", "s3://raw/2")}),
    Fault("R12", "a training image of another region", "X810", {f"{T}AlgorithmSpecification/TrainingImage": ELSEWHERE}),
    Fault("R13", "a processing image of another region", "X810", {f"{P}AppSpecification/ImageUri": ELSEWHERE}),
    Fault("R14", "a model's image of another region", "X810", {"Model:PrimaryContainer/Image": ELSEWHERE}),
    Fault("R15", "an image that is not in ECR", "X813", {f"{P}AppSpecification/ImageUri": "python:3.11"}),
    Fault("R16", "a repository that is absent or closed", reason=ACCOUNT),
    Fault("R21", "an instance type with a quota of nothing", reason=ACCOUNT),
    Fault("R27", "a model package group that is absent", reason=ACCOUNT),
    Fault("R28", "an unversioned model package with an Environment", "X749", {f"{R}ModelPackageGroupName": GONE, f"{SERVING}/Containers/0/Environment": {"A": "b"}}),
    Fault("R29", "a model with both forms of containers", "X740", {"Chain:PrimaryContainer": {"Image": f"{REGISTRY}/a:1"}}),
    Fault("R30", "a transform of another thing than a model", "R334", {f"{B}ModelName": get("Steps.Train.TrainingJobName")}),
    Fault("R31", "a transform filter that is no JSONPath", "X790", {f"{B}DataProcessing/OutputFilter": "SageMakerOutput"}),
    Fault("R35", "more tuning jobs in parallel than in total", "X772", {f"{LIMITS}/MaxParallelTrainingJobs": 10}),
    Fault("R37", "a file system without a VPC", "X757", {f"{T}InputDataConfig/0/DataSource": {"FileSystemDataSource": EFS}}),
    Fault("R39", "instance groups and an instance type", "X758", {f"{T}ResourceConfig/InstanceGroups": []}),
    Fault("R40", "a built-in algorithm without what it requires", "X850", {"Segments:HyperParameters/feature_dim": GONE}),
    Fault("R41", "a script that is not in the shipped code", "X785", {f"{P}AppSpecification/ContainerEntrypoint": ["python3", "/opt/ml/processing/code/prepare.py"]}),
    Fault("R42", "an import that the image does not have", "X870", reason="the script is beside the pipeline, not in the document: told for pipelines of the DSL in AWS's own images"),
    Fault("R44", "a time limit over the account's", "X760", {f"{T}StoppingCondition/MaxRuntimeInSeconds": 2419200}),
    Fault("R45", "a secret in the definition", "X840", {f"{P}Environment/AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG"}),
    Fault("R46", "a name over 63 characters", "S206", {"Variants:EndpointConfigName": "e" * 64}),
    Fault("R48", "new data under an old URI, served from the cache", reason="what lies under a URI is not in the document; the local cache looks at content"),
    Fault("E02", "an endpoint configuration that exists", reason=f"{ACCOUNT}; `mlops promote` names by content"),
    Fault("E04", "two policies of one deployment", "X802", {"Live:DeploymentConfig/RollingUpdatePolicy": ROLLING}),
    Fault("E05", "a time limit below the waits", "X802", {f"{BLUE_GREEN}/TerminationWaitInSeconds": 3600, f"{BLUE_GREEN}/MaximumExecutionTimeoutInSeconds": 600}),
    Fault("E06", "a wait of more than an hour", "S207", {f"{BLUE_GREEN}/TerminationWaitInSeconds": 3601}),
    Fault("E07", "a rolling batch of more than half", "X802", {"Live:DeploymentConfig": {"RollingUpdatePolicy": ROLLING}}),
    Fault("E08", "serverless memory that is no step of 1,024 MB", "X801", {"Small:ProductionVariants/0/ServerlessConfig/MemorySizeInMB": 1500}),
    Fault("E11", "an image that may not be pulled", reason=ACCOUNT),
    Fault("E12", "a container that does not answer", reason="is seen when it runs; `mlops promote --to local` tells it"),
    Fault("E15", "a model that nobody approved", reason=f"{ACCOUNT}; `mlops promote` takes approved models only"),
    Fault("E17", "two variants of one name", "X800", {"Variants:ProductionVariants/1/VariantName": "Blue"}),
)  # fmt: skip


def document(fault: Fault) -> Any:
    """The definition with the fault: a JSON value, or the text that is none."""
    if isinstance(fault.changes, Mapping):
        return spoilt(fault.changes)
    return fault.changes
