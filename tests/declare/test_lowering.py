"""What each constructor writes: one row, one member of the document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mlops.check.sources import Opened
from mlops.ir.document import document

BASE = """
sk = "111122223333.dkr.ecr.us-east-1.amazonaws.com/fit:1"
lr = p.float("Lr", default=0.5)
n = p.integer("N", default=1)
a = Processing("A", code="prepare.py", image=sk, outputs=["x", "report"], reports={"q": "report/q.json"})
"""

NETWORK = """
[env.local]
subnets = ["subnet-0123"]
security_groups = ["sg-0123"]
kms_key = "alias/ml"
tags = { team = "growth" }
parameters = { Lr = 0.25 }
instance = "ml.c5.xlarge"
"""

CASES: list[tuple[str, str, str, Any]] = [
    ("names stay as written", 'Training("My-Step_1", image=sk)', "/Steps/1/Name", "My-Step_1"),
    ("after a step", 'Training("B", image=sk, after=[a])', "/Steps/1/DependsOn", ["A"]),
    ("after a name", 'Training("B", image=sk, after=["A"])', "/Steps/1/DependsOn", ["A"]),
    ("a display name", 'Training("B", image=sk, display_name="Fit")', "/Steps/1/DisplayName", "Fit"),
    (
        "a cache",
        'Training("B", image=sk, cache="P30D")',
        "/Steps/1/CacheConfig",
        {"Enabled": True, "ExpireAfter": "P30D"},
    ),
    (
        "a place in the environment's bucket",
        'Training("B", image=sk, to=join("s3://", environment.bucket, "/raw"))',
        "/Steps/1/Arguments/OutputDataConfig/S3OutputPath",
        "s3://mlops-local/raw",
    ),
    (
        "the same in a parameter's default",
        'p.string("D", join("s3:/", environment.bucket, environment.region, 7, on="/"))',
        "/Parameters/2/DefaultValue",
        "s3://mlops-local/us-east-1/7",
    ),
    (
        "the same beside what the run knows",
        'Training("B", image=sk, to=join("s3:/", environment.bucket, execution.execution_id, on="/"))',
        "/Steps/1/Arguments/OutputDataConfig/S3OutputPath",
        {"Std:Join": {"On": "/", "Values": ["s3:/", "mlops-local", {"Get": "Execution.PipelineExecutionId"}]}},
    ),
    (
        "the same where JSON is read",
        'with when(json_file(join("s3://", environment.bucket, "/q.json"))["a"] > 1): Fail("X", environment.role)',
        "/Steps/1/Arguments/Conditions/0/LeftValue/Std:JsonGet/S3Uri",
        "s3://mlops-local/q.json",
    ),
    ("no cache", 'Training("B", image=sk, cache=False)', "/Steps/1/CacheConfig", {"Enabled": False}),
    (
        "hyperparameters are strings, references stay",
        'Training("B", image=sk, hyperparameters={"lr": lr, "n": 3, "s": "text", "flag": True, "list": [1, 2]})',
        "/Steps/1/Arguments/HyperParameters",
        {"lr": {"Get": "Parameters.Lr"}, "n": "3", "s": "text", "flag": "true", "list": "[1,2]"},
    ),
    (
        "arguments are merged into the request",
        'Training("B", image=sk, arguments={"ResourceConfig": {"KeepAlivePeriodInSeconds": 60}})',
        "/Steps/1/Arguments/ResourceConfig",
        {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30, "KeepAlivePeriodInSeconds": 60},
    ),
    (
        "a count by parameter",
        'Training("B", image=sk, count=n)',
        "/Steps/1/Arguments/ResourceConfig/InstanceCount",
        {"Get": "Parameters.N"},
    ),
    (
        "a channel of a step's output",
        'Training("B", image=sk, channels={"t": a.outputs["x"]})',
        "/Steps/1/Arguments/InputDataConfig/0/DataSource/S3DataSource/S3Uri",
        {"Get": "Steps.A.ProcessingOutputConfig.Outputs['x'].S3Output.S3Uri"},
    ),
    (
        "a channel with more to say",
        'Training("B", image=sk, channels={"t": Channel("s3://b/k", content_type="text/csv", mode="FastFile")})',
        "/Steps/1/Arguments/InputDataConfig/0/InputMode",
        "FastFile",
    ),
    (
        "metrics",
        'Training("B", image=sk, metrics={"loss": "loss=(.*)"})',
        "/Steps/1/Arguments/AlgorithmSpecification/MetricDefinitions",
        [{"Name": "loss", "Regex": "loss=(.*)"}],
    ),
    (
        "a report's value",
        'Fail("F", join("acc ", a.reports["q"]["metrics"]["odd key"][0]))',
        "/Steps/1/Arguments/ErrorMessage/Std:Join/Values/1/Std:JsonGet",
        {"PropertyFile": {"Get": "Steps.A.PropertyFiles.q"}, "Path": "metrics['odd key'][0]"},
    ),
    (
        "property files",
        'Fail("F", "x")',
        "/Steps/0/PropertyFiles",
        [{"PropertyFileName": "q", "OutputName": "report", "FilePath": "q.json"}],
    ),
    (
        "an execution variable",
        'Fail("F", join("in ", execution.execution_id))',
        "/Steps/1/Arguments/ErrorMessage/Std:Join/Values/1",
        {"Get": "Execution.PipelineExecutionId"},
    ),
    (
        "any property",
        'b = Training("B", image=sk)\nFail("F", b.property("TrainingJobName"))',
        "/Steps/2/Arguments/ErrorMessage",
        {"Get": "Steps.B.TrainingJobName"},
    ),
    (
        "a condition is named after its first step",
        'with when(lr > 1):\n    Fail("F", "x")',
        "/Steps/1/Name",
        "WhenF",
    ),
    (
        "a condition with a name",
        'with when(lr > 1, name="High") as high:\n    pass\nwith high.otherwise():\n    Fail("F", "x")',
        "/Steps/1/Arguments/ElseSteps/0/Name",
        "F",
    ),
    (
        "a condition's outcome",
        'with when(lr > 1, name="High") as high:\n    Training("B", image=sk)\nFail("F", high.step.outcome)',
        "/Steps/2/Arguments/ErrorMessage",
        {"Get": "Steps.High.Outcome"},
    ),
    (
        "a transform of a created model",
        'm = Model("M", model="s3://b/model.tar.gz", image=sk)\n'
        't = Transform("T", model=m.model_name, data=a.outputs["x"])\nFail("F", t.output)',
        "/Steps/2/Arguments/ModelName",
        {"Get": "Steps.M.ModelName"},
    ),
    (
        "an output with a place of its own",
        'Processing("B", image=sk, outputs={"y": Output(to="s3://b/k", upload="Continuous")})',
        "/Steps/1/Arguments/ProcessingOutputConfig/Outputs/0/S3Output",
        {"S3Uri": "s3://b/k", "LocalPath": "/opt/ml/processing/output/y", "S3UploadMode": "Continuous"},
    ),
    (
        "container arguments",
        'Processing("B", image=sk, args=["--lr", join(lr)])',
        "/Steps/1/Arguments/AppSpecification/ContainerArguments",
        ["--lr", {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.Lr"}]}}],
    ),
]

ENVIRONMENT_CASES: list[tuple[str, str, Any]] = [
    ("parameter defaults", "/Parameters/0/DefaultValue", 0.25),
    ("the instance", "/Steps/0/Arguments/ProcessingResources/ClusterConfig/InstanceType", "ml.c5.xlarge"),
    (
        "the network of processing",
        "/Steps/0/Arguments/NetworkConfig/VpcConfig",
        {"SecurityGroupIds": ["sg-0123"], "Subnets": ["subnet-0123"]},
    ),
    ("the network of training", "/Steps/1/Arguments/VpcConfig/Subnets", ["subnet-0123"]),
    ("the key of outputs", "/Steps/1/Arguments/OutputDataConfig/KmsKeyId", "alias/ml"),
    ("tags", "/Steps/1/Arguments/Tags", [{"Key": "team", "Value": "growth"}]),
]


def at(document: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


@pytest.mark.parametrize(("line", "pointer", "wanted"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_step_writes(declare: Callable[..., Opened], line: str, pointer: str, wanted: Any) -> None:
    opened = declare(BASE + line)
    assert opened.pipelines[0].ok, opened.findings
    assert at(document(opened.pipelines[0].definition), pointer) == wanted


@pytest.mark.parametrize(
    ("pointer", "wanted"), [case[1:] for case in ENVIRONMENT_CASES], ids=[case[0] for case in ENVIRONMENT_CASES]
)
def test_an_environment_gives(declare: Callable[..., Opened], pointer: str, wanted: Any) -> None:
    opened = declare(BASE + 'Training("B", image=sk)', toml=NETWORK)
    assert opened.pipelines[0].ok, opened.findings
    assert at(document(opened.pipelines[0].definition), pointer) == wanted


def test_a_folder_of_code_needs_its_entry(declare: Callable[..., Opened], tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.py").write_text("print(1)\n")
    without = declare(BASE + 'Training("B", image=sk, code="src")')
    assert "D061" in {finding.code for finding in without.findings}
    absent = declare(BASE + 'Training("B", image=sk, code="src", entry="other.py")')
    assert "D052" in {finding.code for finding in absent.findings}
    sound = declare(BASE + 'Training("B", image=sk, code="src", entry="main.py")')
    assert sound.pipelines[0].ok
    (asset,) = [asset for asset in sound.pipelines[0].definition.assets if asset.archive]
    assert [name for name, _ in asset.files] == ["main.py"]


def test_local_data_becomes_an_asset(declare: Callable[..., Opened], tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "data.csv").write_text("1,2\n")
    opened = declare(BASE + 'Processing("B", image=sk, inputs={"raw": "data.csv"})')
    uri = at(document(opened.pipelines[0].definition), "/Steps/1/Arguments/ProcessingInputs/0/S3Input/S3Uri")
    assert uri.startswith("s3://mlops-local/mlops/assets/")
    assert uri.endswith("/data.csv")


def test_subclasses_and_functions_are_components(declare: Callable[..., Opened]) -> None:
    body = """
class Big(Training):
    def __init__(self, name: str, **more: object) -> None:
        super().__init__(name, instance="ml.m5.24xlarge", **more)

Big("B", image=image.sklearn("1.2-1"))
"""
    opened = declare(body)
    written = document(opened.pipelines[0].definition)
    assert written["Steps"][0]["Arguments"]["ResourceConfig"]["InstanceType"] == "ml.m5.24xlarge"
    assert opened.pipelines[0].definition.steps[0].where.line == 8


@pytest.mark.parametrize(
    ("script", "program"),
    [("go.sh", "/bin/bash"), ("fit.R", "Rscript"), ("prepare.py", "python3"), ("main", "python3")],
)
def test_a_script_is_started_by_what_its_name_tells(declare: Callable[..., Opened], script: str, program: str) -> None:
    opened = declare(BASE + f'Processing("B", image=sk, code="{script}")', scripts=("prepare.py", "train.py", script))
    command = at(document(opened.pipelines[0].definition), "/Steps/1/Arguments/AppSpecification/ContainerEntrypoint")
    assert command == [program, f"/opt/ml/processing/input/code/{script}"]
    assert {item.code for item in opened.findings} <= {"P409"}


def test_a_folder_of_model_data_is_packed(declare: Callable[..., Opened], tmp_path) -> None:  # type: ignore[no-untyped-def]
    """ModelDataUrl wants one .tar.gz; many models are found below their prefix."""
    (tmp_path / "m" / "code").mkdir(parents=True)
    (tmp_path / "m" / "code" / "inference.py").write_text("")
    packed = declare(BASE + 'Model("M", model="m/", image=sk)')
    uri = at(document(packed.pipelines[0].definition), "/Steps/1/Arguments/PrimaryContainer/ModelDataUrl")
    assert uri.endswith("/model.tar.gz")
    (asset,) = [asset for asset in packed.pipelines[0].definition.assets if asset.archive]
    assert (asset.uri, [name for name, _ in asset.files]) == (uri, ["code/inference.py"])
    many = declare(BASE + 'Model("M", containers=[Container(sk, "m/", multi_model=True)])')
    assert at(document(many.pipelines[0].definition), "/Steps/1/Arguments/Containers/0/ModelDataUrl").endswith("/")


def test_an_image_that_there_is_not_is_told_once(declare: Callable[..., Opened]) -> None:
    lines = "\n".join(f'Processing("{name}", code="prepare.py", image=image.sklearn("9.9"))' for name in "ABC")
    found = [item for item in declare(lines).findings if item.code == "D050"]
    assert [item.step for item in found] == ["A"]
