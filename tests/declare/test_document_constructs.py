"""What stands around the steps and between them: types that nobody knows, conditions in every shape, the document."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops.check.sources import Opened, open_targets
from mlops.ir import Severity
from mlops.ir.document import document

BASE = """
a = p.float("A", default=0.5)
b = p.integer("B", default=1)
f = Training("T", image="111122223333.dkr.ecr.us-east-1.amazonaws.com/fit:1")
"""

A, B = {"Get": "Parameters.A"}, {"Get": "Parameters.B"}
A1 = {"Type": "Equals", "LeftValue": A, "RightValue": 1.0}
B2 = {"Type": "LessThan", "LeftValue": B, "RightValue": 2}

CONDITIONS: list[tuple[str, str, list[Any]]] = [
    ("a list that is and-ed", "all_of(a == 1.0, b < 2)", [A1, B2]),
    ("| makes one list", "(a == 1.0) | (b < 2) | (b < 2)", [{"Type": "Or", "Conditions": [A1, B2, B2]}]),
    (
        "an Or in an Or",
        "any_of(any_of(a == 1.0, b < 2), b < 2)",
        [{"Type": "Or", "Conditions": [{"Type": "Or", "Conditions": [A1, B2]}, B2]}],
    ),
    ("an Or of one", "any_of(b < 2)", [{"Type": "Or", "Conditions": [B2]}]),
    ("a Not in a Not", "~~(b < 2)", [{"Type": "Not", "Condition": {"Type": "Not", "Condition": B2}}]),
    ("a literal on the left", 'compare(2, ">", b)', [{"Type": "GreaterThan", "LeftValue": 2, "RightValue": B}]),
    ("not equal", 'compare(a, "!=", 1.0)', [{"Type": "Not", "Condition": A1}]),
    ("In with a literal", "is_in(1, b, 2)", [{"Type": "In", "QueryValue": 1, "Values": [B, 2]}]),
    ("In with a reference", "b.in_(1, 2)", [{"Type": "In", "QueryValue": B, "Values": [1, 2]}]),
    (
        "an and inside an or, by De Morgan",
        "((a == 1.0) & ~(b < 2)) | (b < 2)",
        [
            {
                "Type": "Or",
                "Conditions": [
                    {
                        "Type": "Not",
                        "Condition": {"Type": "Or", "Conditions": [{"Type": "Not", "Condition": A1}, B2]},
                    },
                    B2,
                ],
            }
        ],
    ),
]


def steps(opened: Opened) -> list[dict[str, Any]]:
    assert opened.pipelines[0].ok, opened.findings
    listed: list[dict[str, Any]] = document(opened.pipelines[0].definition)["Steps"]
    return listed


@pytest.mark.parametrize(
    ("condition", "wanted"), [case[1:] for case in CONDITIONS], ids=[case[0] for case in CONDITIONS]
)
def test_a_condition_is_written_as_it_reads(declare: Callable[..., Opened], condition: str, wanted: list[Any]) -> None:
    opened = declare(BASE + f'with when({condition}, "C"):\n    Fail("F")')
    assert steps(opened)[-1]["Arguments"]["Conditions"] == wanted


def test_a_condition_has_an_envelope(declare: Callable[..., Opened]) -> None:
    opened = declare(
        BASE + 'with when(b > 2, "C", display_name="Deep?", description="why", after=[f]):\n    Fail("F", after=["T"])'
    )
    step = steps(opened)[-1]
    assert (step["DisplayName"], step["Description"], step["DependsOn"]) == ("Deep?", "why", ["T"])
    assert step["Arguments"]["IfSteps"][0] == {
        "Name": "F",
        "Type": "Fail",
        "Arguments": {"ErrorMessage": ""},
        "DependsOn": ["T"],
    }


MISUSES = [
    ("a wrong operator", 'with when(compare(b, "=", 2)):\n    Fail("F")', "D011", "=="),
    ("a value among conditions", 'with when(any_of(b < 2, True)):\n    Fail("F")', "D011", "True"),
    ("after one step that is no list", 'with when(b < 2, after=f):\n    Fail("F")', "D042", "after"),
    ("after a value", 'with when(b < 2, after=[b]):\n    Fail("F")', "D042", "after"),
    ("a display name that is none", 'with when(b < 2, display_name=3):\n    Fail("F")', "D042", "display_name"),
    ("a type that is no text", 'OtherStep("X", type=3)', "D042", "type"),
    ("no type", 'OtherStep("X")', "D041", "type"),
    ("a Bedrock step without its model", 'BedrockModelImport("X", job="j", data="s3://bkt/m/")', "D041", "model"),
    ("an experiment without a name", 'Pipeline("q", experiment=Experiment())', "D041", "name"),
    ("an experiment as text", 'Pipeline("q", experiment="e")', "D005", "Experiment(…)"),
    ("a tracking server as text", 'Pipeline("q", mlflow="arn:x")', "D005", "Mlflow(…)"),
    ("members that are none", 'Pipeline("q", members=[])', "D005", "members"),
]


@pytest.mark.parametrize(("line", "code", "word"), [case[1:] for case in MISUSES], ids=[case[0] for case in MISUSES])
def test_a_misuse_is_told(declare: Callable[..., Opened], line: str, code: str, word: str) -> None:
    opened = declare(BASE + line)
    errors = [finding for finding in opened.findings if finding.severity is Severity.ERROR and finding.code != "E503"]
    assert {finding.code for finding in errors} == {code}, errors
    assert any(word in f"{error.message} {error.help}" for error in errors), errors


def test_a_type_that_nobody_knows_passes_with_a_note(declare: Callable[..., Opened]) -> None:
    opened = declare(
        BASE + 'x = OtherStep("X", type="Quantum", arguments={"Depth": b, "Deep": {"At": [a]}}, '
        'members={"Extra": {"Kept": True}}, after=[f])\nFail("F", x.property("Result.Value"))'
    )
    assert opened.pipelines[0].ok
    assert [finding.severity for finding in opened.findings] == [Severity.INFO], opened.findings
    assert steps(opened)[-2] == {
        "Name": "X",
        "Type": "Quantum",
        "Arguments": {"Depth": B, "Deep": {"At": [A]}},
        "DependsOn": ["T"],
        "Extra": {"Kept": True},
    }


def test_another_constructor_of_a_known_type_is_checked(declare: Callable[..., Opened]) -> None:
    opened = declare(BASE + 'OtherStep("X", type="Lambda", arguments={"a": 1})')
    assert "X701" in {finding.code for finding in opened.findings}


BEDROCK: list[tuple[str, dict[str, Any]]] = [
    (
        'BedrockCustomModel("X", job="j", model="mine", base="amazon.nova-micro-v1:0", data="s3://bkt/d.jsonl", '
        'to="s3://bkt/o/", kind="FINE_TUNING", validation="s3://bkt/v.jsonl", hyperparameters={"epochCount": 2})',
        {
            "jobName": "j",
            "customModelName": "mine",
            "roleArn": "arn:aws:iam::000000000000:role/mlops-local",
            "baseModelIdentifier": "amazon.nova-micro-v1:0",
            "customizationType": "FINE_TUNING",
            "trainingDataConfig": {"s3Uri": "s3://bkt/d.jsonl"},
            "validationDataConfig": {"validators": [{"s3Uri": "s3://bkt/v.jsonl"}]},
            "outputDataConfig": {"s3Uri": "s3://bkt/o/"},
            "hyperParameters": {"epochCount": "2"},
        },
    ),
    (
        'BedrockModelImport("X", job="j", model="mine", data="s3://bkt/m/")',
        {
            "jobName": "j",
            "importedModelName": "mine",
            "roleArn": "arn:aws:iam::000000000000:role/mlops-local",
            "modelDataSource": {"s3DataSource": {"s3Uri": "s3://bkt/m/"}},
        },
    ),
    (
        'BedrockCustomModelDeployment("X", deployment="d", model=x.property("ModelArn"))',
        {"modelDeploymentName": "d", "modelArn": {"Get": "Steps.Before.ModelArn"}},
    ),
    (
        'BedrockProvisionedModelThroughput("X", throughput="t", model="m", units=2, commitment="OneMonth")',
        {"modelUnits": 2, "provisionedModelName": "t", "modelId": "m", "commitmentDuration": "OneMonth"},
    ),
]


@pytest.mark.parametrize(("line", "wanted"), BEDROCK, ids=[line.partition("(")[0] for line, _ in BEDROCK])
def test_a_bedrock_step_holds_bedrocks_request(
    declare: Callable[..., Opened], line: str, wanted: dict[str, Any]
) -> None:
    opened = declare('x = OtherStep("Before", type="Quantum")\n' + line)
    assert {finding.severity for finding in opened.findings} == {Severity.INFO}, opened.findings
    step = steps(opened)[-1]
    assert (step["Type"], step["Arguments"]) == (line.partition("(")[0], wanted)


@pytest.mark.parametrize(
    ("bedrock", "request_shape"),
    [
        ("BedrockCustomModel", "CreateModelCustomizationJobRequest"),
        ("BedrockModelImport", "CreateModelImportJobRequest"),
        ("BedrockCustomModelDeployment", "CreateCustomModelDeploymentRequest"),
        ("BedrockProvisionedModelThroughput", "CreateProvisionedModelThroughputRequest"),
    ],
)
def test_bedrocks_request_is_botocores(declare: Callable[..., Opened], bedrock: str, request_shape: str) -> None:
    from mlops.check.shapes import Misfit, shape, walk
    from mlops.ir.values import from_json

    (wanted,) = [wanted for line, wanted in BEDROCK if line.startswith(f"{bedrock}(")]
    against = shape("bedrock", request_shape)
    assert against is not None
    assert [item for item in walk(from_json(wanted), against, "") if isinstance(item, Misfit)] == []


DOCUMENTS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "by default",
        "",
        {
            "Metadata": {},
            "PipelineExperimentConfig": {
                "ExperimentName": {"Get": "Execution.PipelineName"},
                "TrialName": {"Get": "Execution.PipelineExecutionId"},
            },
        },
    ),
    ("without Experiments", ", experiment=False", {"Metadata": {}, "PipelineExperimentConfig": None}),
    (
        "an experiment and a tracking server",
        ', experiment=Experiment("e"), mlflow=Mlflow("arn:aws:sagemaker:us-east-1:000000000000:mlflow-app/a", "runs")',
        {
            "Metadata": {},
            "PipelineExperimentConfig": {
                "ExperimentName": "e",
                "TrialName": {"Get": "Execution.PipelineExecutionId"},
            },
            "MlflowConfig": {
                "MlflowResourceArn": "arn:aws:sagemaker:us-east-1:000000000000:mlflow-app/a",
                "MlflowExperimentName": "runs",
            },
        },
    ),
    (
        "members at will",
        ', members={"Metadata": omit, "PipelineExperimentConfig": omit, "MlflowConfig": None}',
        {"MlflowConfig": None},
    ),
]


@pytest.mark.parametrize(("arguments", "wanted"), [case[1:] for case in DOCUMENTS], ids=[case[0] for case in DOCUMENTS])
def test_a_pipeline_writes(tmp_path: Path, arguments: str, wanted: dict[str, Any]) -> None:
    (tmp_path / "mlops.toml").touch()
    (tmp_path / "pipeline.py").write_text(
        f'from mlops import *\nwith Pipeline("p"{arguments}):\n'
        '    Fail("F", join(execution.experiment_name, execution.trial_name))\n'
    )
    opened = open_targets([str(tmp_path / "pipeline.py")], "local")
    written = document(opened.pipelines[0].definition)
    assert {key: value for key, value in written.items() if key not in ("Version", "Parameters", "Steps")} == wanted
    assert written["Steps"][0]["Arguments"]["ErrorMessage"]["Std:Join"]["Values"] == [
        {"Get": "PipelineExperimentConfig.ExperimentName"},
        {"Get": "PipelineExperimentConfig.TrialName"},
    ]
