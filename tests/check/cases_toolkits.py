"""Rows of rules on settings of the toolkits in AWS's framework images, on commands, and on names."""

from __future__ import annotations

from rule_cases import WARNING, Case
from sound_definition import get

SKLEARN = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
ENV, VALUES = "Model:PrimaryContainer/Environment", "Train:HyperParameters"
SCRIPT = {
    f"{VALUES}/sagemaker_program": "train.py",
    f"{VALUES}/sagemaker_submit_directory": "s3://acme/code/sourcedir.tar.gz",
}
APPLICATION, ARGUMENTS = "Prepare:AppSpecification", "Prepare:AppSpecification/ContainerArguments"
COMMAND = f"{APPLICATION}/ContainerEntrypoint"

FILE = {"Std:JsonGet": {"PropertyFile": get("Steps.Prepare.PropertyFiles.quality"), "Path": "rows"}}
STAGE = {"Type": "Equals", "LeftValue": get("Parameters.Stage"), "RightValue": "prod"}
GROUP = {"InstanceGroupName": "fit", "InstanceType": "ml.m5.xlarge", "InstanceCount": 0}

CASES = [
    Case(
        "workers that are a word",
        "X970",
        {f"{ENV}/SAGEMAKER_MODEL_SERVER_WORKERS": "many"},
        f"{ENV}/SAGEMAKER_MODEL_SERVER_WORKERS",
        {f"{ENV}/SAGEMAKER_MODEL_SERVER_WORKERS": "2"},
        WARNING,
    ),
    Case(
        "a time with its unit",
        "X970",
        {"Train:Environment": {"SAGEMAKER_CONTAINER_LOG_LEVEL": "INFO"}},
        "Train:Environment/SAGEMAKER_CONTAINER_LOG_LEVEL",
        {"Train:Environment": {"SAGEMAKER_CONTAINER_LOG_LEVEL": "20"}},
        WARNING,
    ),
    Case(
        "sources that are no archive",
        "X970",
        {**SCRIPT, f"{VALUES}/sagemaker_submit_directory": "s3://acme/code/train.py"},
        f"{VALUES}/sagemaker_submit_directory",
        SCRIPT,
        WARNING,
    ),
    Case(
        "a program of the author's machine",
        "X970",
        {**SCRIPT, f"{VALUES}/sagemaker_program": "/home/me/train.py"},
        f"{VALUES}/sagemaker_program",
        {**SCRIPT, f"{VALUES}/sagemaker_program": "src/train.py"},
        WARNING,
    ),
    Case(
        "a program in S3",
        "X970",
        {**SCRIPT, f"{VALUES}/sagemaker_program": "s3://acme/code/train.py"},
        f"{VALUES}/sagemaker_program",
        {**SCRIPT, f"{VALUES}/sagemaker_program": "s3/train.py"},
        WARNING,
    ),
    Case(
        "a path that no output has",
        "X739",
        {ARGUMENTS: ["--out=/opt/ml/processing/output/reports"]},
        f"{ARGUMENTS}/0",
        {
            ARGUMENTS: [
                "--out=/opt/ml/processing/output/report/",
                "--in",
                "/opt/ml/processing/input",
                "/opt/ml/processing/tmp/a",
            ]
        },
        WARNING,
    ),
    Case(
        "a path that no input has, in a command",
        "X739",
        {COMMAND: ["bash", "-c", "ls /opt/ml/processing/input/rows"]},
        f"{COMMAND}/2",
        {COMMAND: ["bash", "-c", "ls /opt/ml/processing/input/raw/rows; ls /mnt/opt/ml/processing/input/rows"]},
        WARNING,
    ),
    Case(
        "a path that no input has, in a variable",
        "X739",
        {"Prepare:Environment/DATA": "/opt/ml/processing/raw"},
        "Prepare:Environment/DATA",
        {"Prepare:Environment/DATA": "/opt/ml/processing/input/raw/a.csv"},
        WARNING,
    ),
    Case(
        "sources without a program",
        "X970",
        {f"{VALUES}/sagemaker_submit_directory": "s3://acme/code/sourcedir.tar.gz"},
        f"{VALUES}/sagemaker_program",
        {
            f"{VALUES}/sagemaker_submit_directory": "s3://acme/code/sourcedir.tar.gz",
            "Train:Environment": {"SAGEMAKER_PROGRAM": "train.py"},
        },
        WARNING,
    ),
    Case(
        "an option with its value",
        "X971",
        {ARGUMENTS: ["--stage dev"]},
        f"{ARGUMENTS}/0",
        {ARGUMENTS: ["--note=a b", "--title", "two words", "--sql select 1 from x"]},
        WARNING,
    ),
    Case(
        "a script that no input brings",
        "X972",
        {f"{APPLICATION}/ImageUri": SKLEARN, COMMAND: ["python3", "prepare.py"]},
        f"{COMMAND}/1",
        {COMMAND: ["python3", "prepare.py"]},
        WARNING,
    ),
    Case(
        "a value against itself",
        "C606",
        {"Gate:Conditions/0": {"Type": "Equals", "LeftValue": FILE, "RightValue": FILE}},
        "Gate:Conditions/0",
        {},
        WARNING,
    ),
    Case("a condition twice", "C607", {"Gate:Conditions/-": STAGE}, "Gate:Conditions/3", {}, WARNING),
    Case(
        "a condition and its opposite",
        "C607",
        {"Gate:Conditions/-": {"Type": "Not", "Condition": STAGE}},
        "Gate:Conditions/3",
        {"Gate:Conditions/-": {"Type": "Not", "Condition": {**STAGE, "RightValue": "dev"}}},
        WARNING,
    ),
    Case(
        "an output of what failed",
        "G112",
        {
            "Complain.DependsOn": [{"Step": "Train", "Trigger": "Failed"}],
            "Complain:model": get("Steps.Train.ModelArtifacts.S3ModelArtifacts"),
        },
        "Complain:model/Get",
        {"Complain.DependsOn": [{"Step": "Train", "Trigger": "Failed"}]},
        WARNING,
    ),
    Case(
        "a group without instances",
        "X758",
        {"Segments:ResourceConfig": {"VolumeSizeInGB": 30, "InstanceGroups": [GROUP]}},
        "Segments:ResourceConfig/InstanceGroups/0/InstanceCount",
        {"Segments:ResourceConfig": {"VolumeSizeInGB": 30, "InstanceGroups": [{**GROUP, "InstanceCount": 1}]}},
    ),
    Case(
        "spot by a parameter without waiting",
        "X750",
        {"Skip.DefaultValue": True, "Train:EnableManagedSpotTraining": get("Parameters.Skip")},
        "Train:StoppingCondition/MaxWaitTimeInSeconds",
        {"Train:EnableManagedSpotTraining": get("Parameters.Skip")},
        WARNING,
    ),
    Case(
        "a wait below the run, by a parameter",
        "X750",
        {
            "Train:EnableManagedSpotTraining": get("Parameters.Skip"),
            "Train:StoppingCondition/MaxWaitTimeInSeconds": 60,
        },
        "Train:StoppingCondition/MaxWaitTimeInSeconds",
        {
            "Train:EnableManagedSpotTraining": get("Parameters.Skip"),
            "Train:StoppingCondition/MaxWaitTimeInSeconds": 7200,
        },
    ),
    Case(
        "checkpoints at a relative path",
        "X764",
        {"Train:CheckpointConfig": {"S3Uri": "s3://acme/c", "LocalPath": "checkpoints"}},
        "Train:CheckpointConfig/LocalPath",
        {},
        WARNING,
    ),
    Case(
        "an address as a bucket",
        "X820",
        {"Train:OutputDataConfig/S3OutputPath": "s3://192.168.1.1/models"},
        "Train:OutputDataConfig/S3OutputPath",
        {},
        WARNING,
    ),
    Case(
        "two configurations of one name",
        "X973",
        {"Host:EndpointConfigName": "churn-1"},
        "Host:EndpointConfigName",
        {"Host:EndpointConfigName": "churn-2"},
    ),
    Case(
        "one name by a default",
        "X973",
        {"Host:EndpointConfigName": get("Parameters.Stage"), "Variants:EndpointConfigName": "dev"},
        "Host:EndpointConfigName",
        {},
        WARNING,
    ),
]

WORDS = frozenset({"X970", "X971", "X972"})
