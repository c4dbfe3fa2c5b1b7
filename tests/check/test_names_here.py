"""Models and configurations that nobody made on this machine: told of what a step names, and of nothing that a step
before it may make."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sound_definition import get, processing_output

from mlops.check import check
from mlops.check.filled import filled
from mlops.check.names_here import missing_names
from mlops.ir.reader import read

THERE = {("Model", "known"), ("EndpointConfig", "known")}
LAMBDA = {"Name": "First", "Type": "Lambda", "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:f"}
OUTPUTS = {"Outputs": [processing_output("out", "s3://acme/out", "/opt/ml/processing/out")]}
SCRIPT = {"Name": "First", "Type": "Processing", "Arguments": {"ProcessingOutputConfig": OUTPUTS}}
MAKES = {"Name": "First", "Type": "Model", "Arguments": {"ModelName": "new"}}


def step(kind: str, arguments: dict[str, Any], *after: str, **members: Any) -> dict[str, Any]:
    return {"Name": "Then", "Type": kind, "Arguments": arguments, "DependsOn": [*after], **members}


def score(name: Any, *after: str) -> dict[str, Any]:
    return step("Transform", {"ModelName": name}, *after)


@pytest.mark.parametrize(
    ("steps", "missing"),
    [
        ([score("new")], "/Steps/0/Arguments/ModelName"),
        ([score("known")], None),
        ([score(get("Parameters.Model"))], "/Steps/0/Arguments/ModelName"),
        ([MAKES, score("new")], None),
        ([MAKES, score(get("Steps.First.ModelName"))], None),
        ([LAMBDA, score("new", "First")], None),
        ([LAMBDA, score("new")], "/Steps/1/Arguments/ModelName"),
        ([SCRIPT, score("new", "First")], "/Steps/1/Arguments/ModelName"),
        ([step("ClarifyCheck", {}, ModelName="new")], "/Steps/0/ModelName"),
        ([step("QualityCheck", {})], None),
        ([step("InferenceComponent", {"Specification": {"ModelName": "new"}})],
         "/Steps/0/Arguments/Specification/ModelName"),
        ([step("EndpointConfig", {"ProductionVariants": [{"ModelName": "known"}, {"ModelName": "new"}]})],
         "/Steps/0/Arguments/ProductionVariants/1/ModelName"),
        ([step("Endpoint", {"EndpointConfigName": "new"})], "/Steps/0/Arguments/EndpointConfigName"),
        ([step("Endpoint", {"EndpointConfigName": "known"})], None),
    ],
    ids=["nobody made it", "it is there", "a parameter's default", "a step makes it by name", "a step's own name",
         "behind a function", "beside a function", "behind a script", "a check's", "a check without one",
         "a component's", "a variant's", "an endpoint's", "an endpoint's that is there"],
)  # fmt: skip
def test_names_that_nobody_made(steps: list[dict[str, Any]], missing: str | None) -> None:
    document = {"Version": "2020-12-01", "Parameters": [MODEL], "Steps": steps}
    checked = filled(check(read(json.dumps(document), "p.json")[0]), {})
    found = [*missing_names(checked, lambda kind, name: (kind, name) in THERE, scripts_may_ask=False)]
    assert [item.path for item in found] == ([missing] if missing else [])
    assert all(item.message.endswith(" new here, and no step before this one makes it") for item in found)


MODEL = {"Name": "Model", "Type": "String", "DefaultValue": "new"}


def test_a_script_that_may_ask_the_account_may_make_one() -> None:
    document = {"Version": "2020-12-01", "Steps": [SCRIPT, score("new", "First")]}
    checked = check(read(json.dumps(document), "p.json")[0])
    assert [*missing_names(checked, lambda kind, name: False, scripts_may_ask=True)] == []
