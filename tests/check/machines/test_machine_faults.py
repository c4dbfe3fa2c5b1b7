"""Of a sound machine nothing is said, and each fault that is planted in one is told, at its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops.check.machines.judging import FINDINGS, judge
from mlops.check.sources import open_targets

SOUND = (Path(__file__).parents[2] / "contract" / "seeds" / "shifting" / "state_machine_corrected.json").read_text(
    encoding="utf-8"
)
JSONATA = json.dumps(
    {
        "QueryLanguage": "JSONata",
        "StartAt": "Both",
        "States": {
            "Both": {
                "Type": "Parallel",
                "Branches": [
                    {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}},
                    {
                        "StartAt": "B",
                        "States": {
                            "B": {
                                "Type": "Map",
                                "Items": "{% [1] %}",
                                "ItemProcessor": {
                                    "StartAt": "C",
                                    "States": {
                                        "C": {
                                            "Type": "Task",
                                            "Resource": "arn:aws:states:::sagemaker:createTransformJob.sync",
                                            "Arguments": "{% $states.input %}",
                                            "Retry": [{"ErrorEquals": ["States.ALL"]}],
                                            "Next": "D",
                                        },
                                        "D": {
                                            "Type": "Task",
                                            "Resource": "arn:aws:states:::aws-sdk:sagemaker:describeModel",
                                            "Arguments": {"ModelName": "{% $states.input.ModelName %}"},
                                            "End": True,
                                        },
                                    },
                                },
                                "End": True,
                            }
                        },
                    },
                ],
                "Next": "Done",
            },
            "Done": {"Type": "Succeed"},
        },
    },
    indent=1,
)
ROWS: dict[str, tuple[str, str, str, str]] = {
    "a comment": (SOUND, '  "StartAt"', '  // from here\n  "StartAt"', "M001"),
    "half of a text": (SOUND, '"StartAt": "', '"StartAt": ', "M001"),
    "a state that is misspelt": (SOUND, '"Next": "RollBack"', '"Next": "Rollback"', "M002"),
    "a beginning that is not there": (JSONATA, '"StartAt": "Both"', '"StartAt": "both"', "M002"),
    "out of a branch": (
        JSONATA,
        '"Type": "Pass",\n       "End": true',
        '"Type": "Pass",\n       "Next": "Done"',
        "M002",
    ),
    "no way on": (SOUND, '"Next": "LookAt5Percent"', '"Comment": "LookAt5Percent"', "M003"),
    "a type that there is not": (JSONATA, '"Type": "Succeed"', '"Type": "Success"', "M003"),
    "no end": (JSONATA, '"Type": "Succeed"', '"Type": "Pass",\n   "Next": "Both"', "M004"),
    "a state by itself": (JSONATA, '"Done": {', '"Alone": {"Type": "Succeed"},\n  "Done": {', "M005"),
    "a Retry that is no list": (JSONATA, '"Retry": [', '"Retry": "no", "Was": [', "M006"),
    "errors that are a text": (JSONATA, '"ErrorEquals": [', '"ErrorEquals": "States.ALL", "Was": [', "M006"),
    "any error beside another": (JSONATA, '"States.ALL"', '"States.ALL", "States.Timeout"', "M006"),
    "no errors": (JSONATA, '"ErrorEquals": [', '"Errors": [', "M006"),
    "no resource": (JSONATA, "arn:aws:states:::sagemaker:create", "arn:aws:sagemaker:create", "M010"),
    "a function without an account": (
        JSONATA,
        "arn:aws:states:::aws-sdk:sagemaker:describeModel",
        "arn:aws:lambda:function:f",
        "M010",
    ),
    "an action that there is not": (JSONATA, "describeModel", "describeModels", "M010"),
    "an action that is not optimised": (JSONATA, "aws-sdk:sagemaker:describeModel", "sagemaker:describeModel", "M010"),
    "waiting that there is not": (JSONATA, "createTransformJob.sync", "createTransformJob.waitForTaskToken", "M010"),
    "a member that is misspelt": (JSONATA, '"ModelName":', '"ModelNam":', "M011"),
    "a weight that is a text": (SOUND, '"DesiredWeight": 95', '"DesiredWeight": "95"', "M011"),
    "nobody looks": (SOUND, "aws-sdk:sagemaker:describeEndpoint", "aws-sdk:sagemaker:listEndpoints", "M020"),
}


@pytest.mark.parametrize("text", [SOUND, JSONATA], ids=["by paths", "in JSONata"])
def test_of_a_sound_one_nothing_is_said(text: str) -> None:
    assert judge(text.encode(), "machine.json") == ()


@pytest.mark.parametrize(("text", "old", "new", "code"), ROWS.values(), ids=ROWS.keys())
def test_a_planted_fault_is_told(text: str, old: str, new: str, code: str) -> None:
    assert old in text
    found = judge(text.replace(old, new).encode(), "machine.json")
    assert code in {finding.code for finding in found}, found
    assert all(finding.where.line for finding in found)


def test_every_code_is_planted() -> None:
    assert {row[3] for row in ROWS.values()} == set(FINDINGS)
    assert all("Bad:" in told.text and "Good:" in told.text for told in FINDINGS.values())


SUBSTITUTED = (
    ('"arn:aws:states:::aws-sdk:sagemaker:describeModel"', '"${Describe}"'),
    ('"arn:aws:states:::', '"arn:${AWS::Partition}:states:::'),
    ('"arn:aws:states:::aws-sdk:', '"arn:aws:states:eu-west-1:111122223333:aws-sdk:'),
    ('"{% $states.input.ModelName %}"', '"${Model}"'),
)


@pytest.mark.parametrize(("old", "new"), SUBSTITUTED)
def test_what_who_deploys_it_fills_in_is_not_judged(old: str, new: str) -> None:
    assert old in JSONATA
    assert judge(JSONATA.replace(old, new).encode(), "machine.json") == ()


ODD: tuple[Any, ...] = (
    {"StartAt": 1, "States": []},
    {"StartAt": "A", "States": {"A": 1}},
    {"StartAt": ["A"], "States": {"A": {"Type": ["Task"], "Next": 1, "Choices": 1, "Catch": {"Next": 1}}}},
    {"StartAt": "A", "States": {"A": {"Type": "Parallel", "Branches": 1, "ItemProcessor": 2}}},
    {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": 1, "Arguments": [1]}}},
    {"StartAt": "A", "States": {"A": {"Type": "Map", "Iterator": {"States": {"B": None}}, "Branches": [1]}}},
)


@pytest.mark.parametrize("value", ODD, ids=range(len(ODD)))
def test_what_is_no_machine_is_told_and_breaks_nothing(value: Any) -> None:
    assert judge(json.dumps(value).encode(), "machine.json")


def test_each_comment_is_told_at_its_own_line() -> None:
    text = '{"StartAt": "A",\n// one\n\n  # two\n"States": {"A": {"Type": "Succeed"}}}\n//'
    assert [finding.where.line for finding in judge(text.encode(), "machine.json")] == [2, 4, 6]


def test_what_cannot_be_read_is_told() -> None:
    deep = (
        '{"StartAt": "A", "States": '
        + '{"A": {"Type": "Parallel", "Branches": [{"States": ' * 300
        + "{}"
        + "}]}}" * 300
        + "}"
    )
    for content in (b"\xff", b"[1]", b"{" * 100_000, b'{"States": "\\ud800"}', b" " * 2_000_000, deep.encode()):
        assert judge(content, "machine.json")[0].code == "M001"


def test_a_file_is_taken_for_what_it_is(tmp_path: Path) -> None:
    for name, text in (
        ("m.json", SOUND),
        ("m.asl.json", JSONATA),
        ("m.asl", "{}"),
        ("d.json", '{"Steps": []}'),
        ("e.json", '{"a": {"StartAt": 1, "States": 2}}'),
    ):
        (tmp_path / name).write_text(text)
    opened = open_targets(
        [str(tmp_path / name) for name in ("m.json", "m.asl.json", "m.asl", "d.json", "e.json")], "local"
    )
    assert [Path(file).name for file in opened.machines] == ["m.json", "m.asl.json", "m.asl"]
    assert {finding.code[0] for finding in opened.findings if (finding.where.file or "").endswith("d.json")} == {"E"}
