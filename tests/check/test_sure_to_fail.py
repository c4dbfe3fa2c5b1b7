"""Steps that the checker only warns of, and that fail here with the values that a run is given."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlops.check import check
from mlops.ir import Severity
from mlops.ir.reader import read
from mlops.use_cases.runnable import obstacles

WORD, COUNT = {"Get": "Parameters.Word"}, {"Get": "Parameters.Count"}
FAIL = {"Name": "No", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}


def pipeline(condition: dict[str, Any], *, in_branch: bool = False) -> str:
    def step(name: str, asked: dict[str, Any], then: dict[str, Any]) -> dict[str, Any]:
        return {
            "Name": name,
            "Type": "Condition",
            "Arguments": {"Conditions": [asked], "IfSteps": [then], "ElseSteps": []},
        }

    gate = step("Gate", condition, FAIL)
    sound = {"Type": "Equals", "LeftValue": COUNT, "RightValue": 3}
    parameters = [
        {"Name": "Word", "Type": "String", "DefaultValue": "good"},
        {"Name": "Count", "Type": "Integer", "DefaultValue": 3},
    ]
    steps = [step("Outer", sound, gate) if in_branch else gate]
    return json.dumps({"Version": "2020-12-01", "Parameters": parameters, "Steps": steps})


def told(text: str, **values: str) -> list[tuple[Severity, str]]:
    definition, findings = read(text)
    assert definition is not None
    judged = obstacles(check(definition, findings=findings), values=values)
    return [(item.severity, item.path or "") for item in judged]


UNLIKE = {"Type": "Equals", "LeftValue": COUNT, "RightValue": "3"}
AT = "/Steps/0/Arguments/Conditions/0"
ROWS: list[tuple[dict[str, Any], list[str]]] = [
    (UNLIKE, [f"{AT}/RightValue"]),
    ({"Type": "Not", "Condition": UNLIKE}, [f"{AT}/Condition/RightValue"]),
    ({"Type": "LessThan", "LeftValue": WORD, "RightValue": 3}, [f"{AT}/RightValue"]),
    ({"Type": "Equals", "LeftValue": COUNT, "RightValue": 3.0}, []),
    ({"Type": "Equals", "LeftValue": WORD, "RightValue": "3"}, []),
    ({"Type": "In", "QueryValue": COUNT, "Values": ["3", 3]}, []),
]


@pytest.mark.parametrize(("condition", "places"), ROWS)
def test_types_that_never_compare_are_refused_before_the_start(condition: dict[str, Any], places: list[str]) -> None:
    assert told(pipeline(condition)) == [(Severity.ERROR, place) for place in places]


def test_what_a_branch_holds_is_a_warning() -> None:
    assert [severity for severity, _ in told(pipeline(UNLIKE, in_branch=True))] == [Severity.WARNING]


def loop(*, default: str) -> str:
    read = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": {"Get": "ForEach.CurrentItem.name"}}}
    each = {
        "Name": "Each",
        "Type": "ForEach",
        "Arguments": {"IterableItems": {"Get": "Parameters.Items"}, "ForEachBody": [read]},
    }
    parameters = [{"Name": "Items", "Type": "String", "DefaultValue": default}]
    return json.dumps({"Version": "2020-12-01", "Parameters": parameters, "Steps": [each]})


GOOD, OTHER, PLAIN = '[{"name": "north"}]', '[{"place": "north"}]', '["north"]'
REFUSED = [(Severity.ERROR, "/Steps/0/Arguments/ForEachBody/0/Arguments/ErrorMessage/Get")]


@pytest.mark.parametrize(
    ("default", "given", "expected"),
    [
        (GOOD, {}, []),
        (OTHER, {}, REFUSED),
        (PLAIN, {}, REFUSED),
        (GOOD, {"Items": OTHER}, REFUSED),
        (OTHER, {"Items": GOOD}, []),
    ],
)
def test_items_without_what_the_body_reads(default: str, given: dict[str, str], expected: list[Any]) -> None:
    assert told(loop(default=default), **given) == expected


@pytest.mark.parametrize(
    ("name", "expected"), [("asked.fifo", [(Severity.ERROR, "/Steps/0/SqsQueueUrl")]), ("asked", [])]
)
def test_a_queue_that_is_not_kept_here(name: str, expected: list[Any]) -> None:
    url = f"https://sqs.us-east-1.amazonaws.com/000000000000/{name}"
    step = {"Name": "Ask", "Type": "Callback", "SqsQueueUrl": url, "Arguments": {}, "OutputParameters": []}
    assert told(json.dumps({"Version": "2020-12-01", "Steps": [step]})) == expected
