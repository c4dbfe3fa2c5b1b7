"""Expressions to plain values."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from ports_for_tests import ARN, Account, checked, processing

from mlops.ir.values import from_json
from mlops.run.outcome import StepFailed
from mlops.run.resolve import Context, resolve

RESPONSES: dict[str, dict[str, Any]] = {
    "Eval": {
        "ProcessingJobName": "job",
        "ProcessingInputs": [{"InputName": "code", "S3Input": {"S3Uri": "s3://bucket/code"}}],
        "ProcessingOutputConfig": {
            "Outputs": [
                {"OutputName": "other", "S3Output": {"S3Uri": "s3://bucket/other"}},
                {"OutputName": "report", "S3Output": {"S3Uri": "s3://bucket/report/"}},
            ]
        },
        "Environment": {"a.b": "c"},
    }
}
REPORT = {"metrics": {"mse": {"value": 4.5}}, "list": [1, {"k v": "deep"}], "ok": True, "none": None}


@pytest.fixture
def context(account: Account) -> Context:
    files = (
        {"PropertyFileName": "quality", "OutputName": "report", "FilePath": "evaluation.json"},
        {"PropertyFileName": "absent", "OutputName": "report", "FilePath": "absent.json"},
        {"PropertyFileName": "broken", "OutputName": "report", "FilePath": "broken.json"},
        {"PropertyFileName": "homeless", "OutputName": "nowhere", "FilePath": "x.json"},
    )
    step = processing(account, "Eval", "", outputs=("report",), property_files=files)
    account.objects.write("s3://bucket/report/evaluation.json", json.dumps(REPORT))
    account.objects.write("s3://bucket/report/broken.json", "{")
    definition = checked(
        step,
        members={
            "PipelineExperimentConfig": {
                "ExperimentName": from_json({"Get": "Execution.PipelineName"}),
                "TrialName": from_json({"Get": "PipelineExperimentConfig.TrialName"}),
            }
        },
    )
    return Context(
        definition,
        account.execution(parameters={"Depth": 5, "Rate": 1.0, "On": True, "Name": "n"}),
        account.objects,
        RESPONSES,
        datetime(2026, 5, 6, 7, 8, 9, 123456, tzinfo=UTC),
        "my-job",
    )


def get(expression: str) -> dict[str, str]:
    return {"Get": expression}


def from_file(path: Any, name: str = "quality") -> dict[str, Any]:
    return {"Std:JsonGet": {"PropertyFile": get(f"Steps.Eval.PropertyFiles.{name}"), "Path": path}}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": [1, "x", None, True]}, {"a": [1, "x", None, True]}),
        (get("Parameters.Depth"), 5),
        (get("Execution.StartDateTime"), "2026-01-02T03:04:05.000Z"),
        (get("Execution.CurrentDateTime"), "2026-05-06T07:08:09.123Z"),
        (get("Execution.PipelineName"), "churn"),
        (get("Execution.PipelineArn"), f"{ARN}:pipeline/churn"),
        (get("Execution.PipelineExecutionId"), "abc123def456"),
        (get("Execution.PipelineExecutionArn"), f"{ARN}:pipeline/churn/execution/abc123def456"),
        (get("Execution.TrainingJobName"), "my-job"),
        (get("Execution.ProcessingJobName"), "my-job"),
        (get("PipelineExperimentConfig.ExperimentName"), "churn"),
        (get("Steps.Eval.ProcessingJobName"), "job"),
        (get("Steps.Eval.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri"), "s3://bucket/report/"),
        (get("Steps.Eval.ProcessingOutputConfig.Outputs[0].OutputName"), "other"),
        (get("Steps.Eval.ProcessingInputs['code'].S3Input.S3Uri"), "s3://bucket/code"),
        (get("Steps.Eval.Environment['a.b']"), "c"),
        ({"Std:Join": {"On": "/", "Values": ["s3:/", get("Parameters.Name"), get("Parameters.Depth")]}}, "s3://n/5"),
        ({"Std:Join": {"On": "", "Values": [get("Parameters.Rate")]}}, "1.0"),
        ({"Std:Join": {"On": "", "Values": [get("Parameters.On")]}}, "true"),
        ({"Std:Join": {"On": "-", "Values": [{"Std:Join": {"On": "", "Values": ["a", "b"]}}, "c"]}}, "ab-c"),
        (from_file("metrics.mse.value"), 4.5),
        (from_file("$.metrics['mse'].value"), 4.5),
        (from_file("list[1]['k v']"), "deep"),
        (from_file("list[-2]"), 1),
        (from_file({"Std:Join": {"On": ".", "Values": ["metrics", "mse"]}}), {"value": 4.5}),
        ({"Std:JsonGet": {"S3Uri": "s3://bucket/report/evaluation.json", "Path": "ok"}}, True),
    ],
)
def test_value(context: Context, value: Any, expected: Any) -> None:
    found = resolve(from_json(value), context)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (get("Parameters.Missing"), "Parameters.Missing: the pipeline has no such parameter"),
        (get("nonsense"), "'nonsense' is not an expression"),
        (get("Execution.Nothing"), "Execution.Nothing is not an execution variable"),
        (get("ForEach.CurrentItem"), "ForEach.CurrentItem cannot be evaluated on this machine yet"),
        (get("PipelineExperimentConfig.TrialName"), "PipelineExperimentConfig.TrialName refers to itself"),
        (get("Steps.Other.X"), "Steps.Other.X: step Other has no result, it did not run"),
        (
            get("Steps.Eval.Nope"),
            "Steps.Eval.Nope: the result of step Eval has no such member; "
            "it holds: Environment, ProcessingInputs, ProcessingJobName, ProcessingOutputConfig",
        ),
        (
            get("Steps.Eval.ProcessingOutputConfig.Outputs['x']"),
            "Steps.Eval.ProcessingOutputConfig.Outputs['x']: the result of step Eval has no such member; "
            "it is a list of 2",
        ),
        ({"Std:Join": {"On": "", "Values": [None]}}, "text or a number was needed, found null"),
        (
            from_file("accuracy"),
            "Steps.Eval property file quality has no path accuracy; it holds: list, metrics, none, ok",
        ),
        (from_file("list[7]"), "Steps.Eval property file quality has no path list[7]; it is a list of 2"),
        (from_file("metrics.mse.value.x"), "property file quality has no path metrics.mse.value.x; it is 4.5"),
        (from_file("list[*]"), "'list[*]' is not a path of members, indexes and quoted keys"),
        (from_file("a", "absent"), "absent does not exist: nothing is stored at s3://bucket/report/absent.json"),
        (from_file("a", "broken"), "Steps.Eval property file broken at s3://bucket/report/broken.json is not JSON"),
        (from_file("a", "homeless"), "Steps.Eval property file homeless: the step has no output 'nowhere' in S3"),
        (from_file("a", "undeclared"), "property file undeclared is not declared in that step's PropertyFiles"),
        ({"Std:JsonGet": {"S3Uri": "s3://bucket/none", "Path": "a"}}, "nothing is stored at s3://bucket/none"),
        ({"Std:JsonGet": {"S3Uri": "/etc/passwd", "Path": "a"}}, "JsonGet needs an s3:// URI, found '/etc/passwd'"),
    ],
)
def test_no_value(context: Context, value: Any, reason: str) -> None:
    with pytest.raises(StepFailed) as fault:
        resolve(from_json(value), context)
    assert reason in str(fault.value)
