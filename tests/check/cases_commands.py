"""What a container is told to run, and the form of a model's data: rows for ``test_rules.py``."""

# ruff: noqa: E501 - one row, one line
from __future__ import annotations

from typing import Any

from rule_cases import DLC, REGISTRY, WARNING, Case
from sound_definition import GONE, get, join

from mlops.ir import Severity

SKLEARN = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
IMAGE, COMMAND = "Train:AlgorithmSpecification/TrainingImage", "Prepare:AppSpecification/ContainerEntrypoint"
TORCH = f"{DLC}/pytorch-training:2.3.0-cpu-py311-ubuntu20.04-sagemaker"
SCRIPT = {
    "Train:HyperParameters/sagemaker_program": "train.py",
    "Train:HyperParameters/sagemaker_submit_directory": "s3://acme/code/sourcedir.tar.gz",
}
TUNED = "Tune:TrainingJobDefinition"
CODE = "/opt/ml/processing/input/code"
DATA, SERVED = "Model:PrimaryContainer/ModelDataUrl", "Register:InferenceSpecification/Containers/0/ModelDataUrl"
UNTOLD = {
    "Prepare:AppSpecification": {"ImageUri": SKLEARN},
    "Prepare:ProcessingInputs/1": GONE,
}


def _command(name: str, bad: list[Any], at: int, good: list[Any]) -> Case:
    return Case(
        name, "X921", {COMMAND: bad}, f"{COMMAND}/{at}", {COMMAND: good}, WARNING if len(bad) > 1 else Severity.ERROR
    )


CASES = [
    Case("PyTorch's image without a script", "X920", {IMAGE: TORCH}, IMAGE, {IMAGE: TORCH, **SCRIPT}),
    Case("scikit-learn's image without a script", "X920", {IMAGE: SKLEARN}, IMAGE,
         {IMAGE: SKLEARN, "Train:Environment": {"SAGEMAKER_PROGRAM": "train.py"}}),
    Case("an image of the same name in one's own account", "X920", {IMAGE: TORCH}, IMAGE,
         {IMAGE: f"{REGISTRY}/pytorch-training:2.3.0-cpu-py311"}),
    Case("a framework's image with an entrypoint", "X920", {IMAGE: SKLEARN}, IMAGE,
         {IMAGE: SKLEARN, "Train:AlgorithmSpecification/ContainerEntrypoint": ["python3", "/opt/ml/input/data/train/t.py"]}),
    Case("a tuned framework's image without a script", "X920", {f"{TUNED}/AlgorithmSpecification/TrainingImage": SKLEARN},
         f"{TUNED}/AlgorithmSpecification/TrainingImage",
         {f"{TUNED}/AlgorithmSpecification/TrainingImage": SKLEARN, f"{TUNED}/StaticHyperParameters":
          {"sagemaker_program": "t.py", "sagemaker_submit_directory": "s3://acme/code/sourcedir.tar.gz"}}),
    Case("XGBoost's image is an algorithm", "X920", {IMAGE: TORCH}, IMAGE,
         {IMAGE: "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1",
          "Train:AlgorithmSpecification/MetricDefinitions": GONE, "Train:HyperParameters": {"num_round": "5"}}),
    Case("a processing image without a command", "X920", UNTOLD, "Prepare:AppSpecification/ContainerEntrypoint",
         {**UNTOLD, "Prepare:AppSpecification": {"ImageUri": f"{REGISTRY}/prepare:1"}}, WARNING),
    _command("Python runs a shell script", ["python3", f"{CODE}/prepare.sh"], 1, ["/bin/bash", f"{CODE}/prepare.py.sh"][:1]),
    _command("bash runs Python", ["/bin/bash", f"{CODE}/prepare.py"], 1, ["/usr/bin/python3.11", "-u", f"{CODE}/prepare.py"]),
    _command("sh with an option runs Python", ["sh", "-x", f"{CODE}/prepare.py"], 2,
             ["sh", "-c", f"python3 {CODE}/prepare.py"]),
    _command("Python runs R", ["python", f"{CODE}/prepare.R"], 1, ["Rscript", f"{CODE}/prepare.py"][:1]),
    _command("Python runs a notebook", ["python3", f"{CODE}/prepare.ipynb"], 1, ["python3", "-m", "prepare.ipynb"]),
    _command("Python runs a query", ["python3", f"{CODE}/prepare.sql"], 1, ["psql", "-f", f"{CODE}/prepare.sql"]),
    _command("Java runs Python", ["java", "-jar", f"{CODE}/prepare.py"], 2, ["java", "-Xmx2g", "-jar", f"{CODE}/prepare.jar"]),
    _command("a script starts itself", [f"{CODE}/prepare.py"], 0, ["python3", f"{CODE}/prepare.py"]),
    Case("a script in a folder of its own starts itself", "X921",
         {COMMAND: ["/opt/ml/processing/scripts/go.py"], "Prepare:ProcessingInputs/1/S3Input/LocalPath": "/opt/ml/processing/scripts"},
         f"{COMMAND}/0", {COMMAND: ["/opt/ml/processing/scripts/go.py"]}),
    _command("a script of an input starts itself, and one of the image", [f"{CODE}/go.sh"], 0, ["/opt/ml/code/go.sh"]),
    Case("Python runs a shell script of the arguments", "X921",
         {COMMAND: ["python3"], "Prepare:AppSpecification/ContainerArguments": [f"{CODE}/prepare.sh", get("Parameters.Depth")]},
         "Prepare:AppSpecification/ContainerArguments/0",
         {COMMAND: ["python3"], "Prepare:AppSpecification/ContainerArguments": [f"{CODE}/prepare.py", get("Parameters.Depth")]},
         WARNING),
    Case("the toolkit runs a notebook", "X921", {IMAGE: SKLEARN, **SCRIPT, "Train:HyperParameters/sagemaker_program": "t.ipynb"},
         "Train:HyperParameters/sagemaker_program",
         {IMAGE: SKLEARN, **SCRIPT, "Train:HyperParameters/sagemaker_program": "t.sh"}, WARNING),
    # Model data
    Case("model data by a prefix", "X744", {DATA: "s3://acme/model/"}, DATA, {DATA: "s3://acme/model/model.tar.gz"}, WARNING),
    Case("registered data by a prefix", "X744", {SERVED: "s3://acme/model/"}, SERVED, {SERVED: "s3://acme/model/m.tar.gz"},
         WARNING),
    Case("model data without a suffix", "X744", {DATA: "s3://acme/fit/model"}, DATA, {DATA: "s3://acme/fit/model.tar.gz"}, WARNING),
    Case("model data of another suffix", "X744", {DATA: "s3://acme/fit/model.tgz"}, DATA, {DATA: "s3://acme/fit/a.tgz.tar.gz"},
         WARNING),
    Case("model data by a parameter", "X744", {DATA: get("Parameters.Data")}, DATA,
         {DATA: get("Parameters.Data"), "Data.DefaultValue": "s3://raw/churn.tar.gz"}, WARNING),
    Case("model data joined to a folder", "X744",
         {DATA: join(get("Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"), "model")}, DATA,
         {DATA: join(get("Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"), "model.tar.gz")}, WARNING),
    Case("model data by another step's output", "X744",
         {DATA: get("Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri")}, DATA,
         {DATA: get("Steps.Prepare.ProcessingInputs[0].S3Input.S3Uri")}),
    Case("model data by a training's output path", "X744", {DATA: get("Steps.Train.OutputDataConfig.S3OutputPath")}, DATA,
         {DATA: join(get("Steps.Train.OutputDataConfig.S3OutputPath"), get("Steps.Train.TrainingJobName"),
                     "output/model.tar.gz")}),
    Case("a component's artifact in a folder", "X744",
         {"Component:Specification/ModelName": GONE,
          "Component:Specification/Container": {"Image": f"{REGISTRY}/serve:1", "ArtifactUrl": "s3://acme/adapter/"}},
         "Component:Specification/Container/ArtifactUrl",
         {"Component:Specification/ModelName": GONE,
          "Component:Specification/Container": {"Image": f"{REGISTRY}/serve:1", "ArtifactUrl": "s3://acme/adapter.tar.gz"}},
         WARNING),
]  # fmt: skip
ELSEWHERE = {"X872", "X922", "X923", "X924", "X925", "X886", "X926", "X927", "X928", "X929", "X849"}
"""These look at files beside the definition: test_scripts.py."""

FOLLOW = {"X921": {"X785", "X788"}, "X860": {"X920"}, "X861": {"X920"}, "X862": {"X920"}}
"""Rows on images have no script for them."""
