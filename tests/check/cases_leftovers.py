"""Rows of rules on tags, on what a program left in texts, and on sizes and choices in the document."""

from __future__ import annotations

from rule_cases import MOUNTED, WARNING, Case
from sound_definition import REGISTRY, get, join

TAG = {"Key": "team", "Value": "growth"}
FILES = "Prepare.PropertyFiles/0/FilePath"
ENV = "Prepare:Environment/STAGE"
DESCRIBED = "Register:ModelPackageDescription"
BY_URI = {"Std:JsonGet": {"S3Uri": "s3://acme/report/quality.json", "Path": "rows"}}
DIRECTORY = "Train:InputDataConfig/0/DataSource/FileSystemDataSource/DirectoryPath"
PROFILED = {"S3OutputPath": "s3://acme/profile", "ProfilingIntervalInMilliseconds": 300}

CASES = [
    Case("one key twice", "X890", {"Train:Tags": [TAG, TAG]}, "Train:Tags/1/Key", {"Train:Tags": [TAG]}),
    Case(
        "a key of AWS's",
        "X890",
        {"Prepare:Tags": [{"Key": "AWS:team", "Value": "x"}]},
        "Prepare:Tags/0/Key",
        {"Prepare:Tags": [{"Key": "team:aws:x", "Value": "x"}]},
    ),
    Case(
        "a key of AWS's on a cluster",
        "X890",
        {"Spark:ClusterConfig/Tags": [{"Key": "aws:team", "Value": "x"}]},
        "Spark:ClusterConfig/Tags/0/Key",
        {"Spark:ClusterConfig/Tags": [{"Key": "team", "Value": "x"}]},
    ),
    Case(
        "tags of a version",
        "X890",
        {"Register:Tags": [TAG]},
        "Register:Tags",
        {"Register:Tags": []},
    ),
    Case("an expression as Python writes it", "X891", {ENV: "{'Get': 'Parameters.Stage'}"}, ENV, {}, WARNING),
    Case(
        "a parameter of the SDK",
        "X891",
        {ENV: "x-ParameterString(name='Stage')"},
        ENV,
        {ENV: "Parameter store"},
        WARNING,
    ),
    Case(
        "an object of Python", "X891", {ENV: "<sagemaker.workflow.Join object at 0x7f3a>"}, ENV, {ENV: "a < b"}, WARNING
    ),
    Case("a path as a text", "X891", {ENV: "Parameters.Stage"}, ENV, {ENV: "Parameters.Nobody"}, WARNING),
    Case(
        "a path inside of a text", "X891", {ENV: "s3://acme/Parameters.Stage/x"}, ENV, {ENV: "Steps.to.take"}, WARNING
    ),
    Case("a placeholder of a parameter", "X891", {ENV: "${Stage}/x"}, ENV, {ENV: "${HOME}/x"}, WARNING),
    Case("a placeholder of an f-string", "X891", {ENV: "--stage={stage}"}, ENV, {ENV: "--day={day}"}, WARNING),
    Case(
        "a placeholder among the arguments",
        "X891",
        {"Prepare:AppSpecification/ContainerArguments": ["--stage={Stage}"]},
        "Prepare:AppSpecification/ContainerArguments/0",
        {"Prepare:AppSpecification/ContainerArguments": ["-c", "echo ${Stage}"]},
        WARNING,
    ),
    Case("None as a description", "X891", {DESCRIBED: "None"}, DESCRIBED, {DESCRIBED: "None of them"}, WARNING),
    Case(
        "None in a tag", "X891", {"Train:Tags": [{"Key": "team", "Value": "None"}]}, "Train:Tags/0/Value", {}, WARNING
    ),
    Case("a table for a property file", "R325", {FILES: "quality.csv"}, FILES, {FILES: "quality/latest"}, WARNING),
    Case(
        "a file of another step without waiting",
        "X832",
        {"Tune:TrainingJobDefinition/StaticHyperParameters/rows": BY_URI},
        "Tune:TrainingJobDefinition/StaticHyperParameters/rows/Std:JsonGet/S3Uri",
        {"Tune:TrainingJobDefinition/StaticHyperParameters/rows": BY_URI, "Tune.DependsOn": ["Prepare"]},
        WARNING,
    ),
    Case(
        "a joined text for a list",
        "R330",
        {"Prepare:AppSpecification/ContainerArguments": join("--a", "b", on=" ")},
        "Prepare:AppSpecification/ContainerArguments",
    ),
    Case(
        "a value of a file for an object",
        "R330",
        {
            "Train:StoppingCondition": {
                "Std:JsonGet": {"PropertyFile": get("Steps.Prepare.PropertyFiles.quality"), "Path": "a"}
            }
        },
        "Train:StoppingCondition",
    ),
    Case(
        "an ordering by a number in quotes",
        "C604",
        {
            "Gate:Conditions/1/LeftValue": {
                "Std:JsonGet": {"PropertyFile": get("Steps.Prepare.PropertyFiles.quality"), "Path": "a"}
            },
            "Gate:Conditions/1/RightValue": "0.8",
        },
        "Gate:Conditions/1/RightValue",
        {},
        WARNING,
    ),
    Case("a choice twice", "P405", {"Stage.EnumValues": ["dev", "dev", "prod"]}, "Stage.EnumValues/1", {}, WARNING),
    Case(
        "a default with an impossible bucket",
        "X820",
        {"Data.DefaultValue": "s3://Raw_/churn"},
        "Data.DefaultValue",
        {},
        WARNING,
    ),
    Case("a body that waits for its ForEach", "G111", {"Fit.DependsOn": ["Regions"]}, "Fit.DependsOn/0"),
    Case(
        "a member that no default item has",
        "X727",
        {"Items.DefaultValue": '[{"title": "north"}]'},
        "Fit:region/Get",
        {"Items.DefaultValue": '[{"title": "north"}, {"name": "south"}]'},
        WARNING,
    ),
    Case(
        "a member that no item has",
        "X727",
        {"Regions:IterableItems": ['{"title": "north"}', '{"title": "south"}']},
        "Fit:region/Get",
        {"Regions:IterableItems": ['{"title": "north"}', '{"name": "south"}']},
    ),
    Case("a directory that is no full path", "X789", {**MOUNTED, DIRECTORY: "d"}, DIRECTORY, MOUNTED),
    Case(
        "an empty directory",
        "X789",
        {**MOUNTED, DIRECTORY: ""},
        DIRECTORY,
        {
            **MOUNTED,
            DIRECTORY: get("Parameters.Mount"),
            "/Parameters/-": {"Name": "Mount", "Type": "String", "DefaultValue": ""},
        },
    ),
    Case(
        "an interval that the profiler does not have",
        "X899",
        {"Train:ProfilerConfig": PROFILED},
        "Train:ProfilerConfig/ProfilingIntervalInMilliseconds",
        {"Train:ProfilerConfig": {**PROFILED, "ProfilingIntervalInMilliseconds": 500}},
    ),
    Case(
        "a prefix to be unpacked",
        "X854",
        {
            "Model:PrimaryContainer": {
                "Image": f"{REGISTRY}/serve:1",
                "ModelDataSource": {
                    "S3DataSource": {"S3Uri": "s3://acme/m/", "S3DataType": "S3Prefix", "CompressionType": "Gzip"}
                },
            }
        },
        "Model:PrimaryContainer/ModelDataSource/S3DataSource/CompressionType",
        {},
    ),
]

MERGED = {"R325": "Prepare.PropertyFiles/0"}
WORDS = frozenset({"X789", "X890", "X891", "X899"})
FOLLOW = {"G111": {"G104"}}
