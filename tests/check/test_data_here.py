"""Data that nobody brought to this machine: told of what a step reads, and of nothing that another step may write."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sound_definition import channel, get, job, join, processing_input, processing_output

from mlops.check import check
from mlops.check.data_here import missing_data
from mlops.check.filled import filled
from mlops.ir.reader import read

THERE = ("s3://acme/code/prepare.py", "s3://acme/all/a.csv")


def prepare(source: Any, target: Any = "s3://acme/out", name: str = "Prepare") -> dict[str, Any]:
    inputs = [processing_input("raw", source, "/opt/ml/processing/in")] if source is not None else []
    outputs = {"Outputs": [processing_output("out", target, "/opt/ml/processing/out")]}
    return {
        "Name": name,
        "Type": "Processing",
        "Arguments": {"ProcessingInputs": inputs, "ProcessingOutputConfig": outputs},
    }


def fit(uri: Any, *after: str, **code: str) -> dict[str, Any]:
    request = {**job(), "InputDataConfig": [channel("train", uri)], "HyperParameters": code}
    return {"Name": "Fit", "Type": "Training", "Arguments": request, "DependsOn": [*after]}


LAMBDA = {"Name": "Load", "Type": "Lambda", "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:f"}
DATED = join("s3://acme", "no", get("Execution.StartDateTime"))
BY_EXECUTION = join("s3://acme", get("Execution.PipelineExecutionId"), "out")
AROUND = {**prepare("s3://acme/all", "s3://acme/", "Later"), "DependsOn": ["First"]}
CHECK = {
    "Name": "Drift",
    "Type": "QualityCheck",
    "SuppliedBaselineStatistics": "s3://acme/none.json",
    "Arguments": {},
}
TUNE = {"Name": "Tune", "Type": "Tuning", "Arguments": {"TrainingJobDefinition": fit("s3://acme/none")["Arguments"]}}


@pytest.mark.parametrize(
    ("steps", "missing"),
    [
        ([prepare("s3://acme/none")], ["s3://acme/none"]),
        ([prepare("s3://acme/all")], []),
        ([prepare(get("Parameters.Data"))], ["s3://acme/default/"]),
        ([prepare(join("s3://acme", get("Parameters.Day"), "raw"))], ["s3://acme/monday/raw"]),
        ([prepare(join("s3://acme", get("Execution.PipelineExecutionId")))], []),
        ([fit("s3://acme/none"), prepare(None, "s3://acme/none/x")], []),
        ([fit("s3://acme/none/x"), prepare(None, "s3://acme/none")], []),
        ([fit("s3://acme/none"), prepare(None, DATED)], ["s3://acme/none"]),
        ([fit("s3://acme/no/ne"), prepare(None, DATED)], []),
        ([fit("s3://acme/none"), prepare(None, get("Execution.PipelineArn"))], []),
        ([fit("s3://acme/none/x"), prepare(None, BY_EXECUTION)], []),
        ([fit("s3://acme/no_one/x"), prepare(None, join(BY_EXECUTION, "x"))], ["s3://acme/no_one/x"]),
        ([fit("s3://acme/none/x"), prepare(None, join("s3://acme", join("none", get("Execution.StartDateTime"))))], []),
        ([fit("s3://acme/no_one/x"), prepare(None, BY_EXECUTION)], ["s3://acme/no_one/x"]),
        ([prepare("s3://acme/none", "s3://acme/")], ["s3://acme/none"]),
        ([prepare("s3://acme/none", name="First"), AROUND], ["s3://acme/none"]),
        ([prepare("s3://acme/none", DATED)], ["s3://acme/none"]),
        ([prepare("s3://acme/none", get("Execution.PipelineArn"))], ["s3://acme/none"]),
        ([LAMBDA, fit("s3://acme/none", "Load")], []),
        ([LAMBDA, fit("s3://acme/none")], ["s3://acme/none"]),
        ([LAMBDA, {**prepare(None), "DependsOn": ["Load"]}, fit("s3://acme/none", "Prepare")], []),
        ([fit("s3://acme/all", sagemaker_submit_directory='"s3://acme/code.tar.gz"')], ["s3://acme/code.tar.gz"]),
        ([fit("s3://acme/all", sagemaker_submit_directory="s3://acme/code/prepare.py")], []),
        ([CHECK], ["s3://acme/none.json"]),
        ([TUNE], ["s3://acme/none"]),
    ],
    ids=[
        "nothing there",
        "an object",
        "a parameter's default",
        "joined of a parameter",
        "known when it runs",
        "another step writes below",
        "another step writes around",
        "another step writes elsewhere",
        "another step may write there",
        "another step writes nobody knows where",
        "another step writes to what may be the execution's folder",
        "the same in a join of joins",
        "another step may write there by a join of joins",
        "another step writes to the execution's folder",
        "it writes around itself",
        "who waits for it writes around",
        "it writes there itself, afterwards",
        "it writes nobody knows where itself",
        "behind a function",
        "beside a function",
        "behind a step behind a function",
        "the code of a job",
        "code that is there",
        "a baseline",
        "of a tuning job",
    ],
)  # fmt: skip
def test_data_that_nobody_brought(steps: list[dict[str, Any]], missing: list[str]) -> None:
    parameters = [
        {"Name": "Data", "Type": "String", "DefaultValue": "s3://acme/default/"},
        {"Name": "Day", "Type": "String", "DefaultValue": "monday"},
    ]
    document = {"Version": "2020-12-01", "Parameters": parameters, "Steps": steps}
    checked = check(read(json.dumps(document), "p.json")[0])
    found = [*missing_data(checked, filled(checked, {}), lambda uri: any(key.startswith(uri) for key in THERE))]
    assert [item.message.split()[5].rstrip(",") for item in found] == missing
    assert all("mlops local put FILE" in (item.help or "") for item in found)
    assert ["-p Data=FILE" in (item.help or "") for item in found] == ["default" in uri for uri in missing]
