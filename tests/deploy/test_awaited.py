"""Which steps an execution may still reach."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from mlops.deploy.executions.awaited import awaited, waiting
from mlops.deploy.executions.following import ExecutionState, StepState
from mlops.ir.reader import read


def step(name: str, type: str = "Training", **arguments: Any) -> Mapping[str, Any]:
    return {"Name": name, "Type": type, "Arguments": arguments}


DEFINITION = {
    "Version": "2020-12-01",
    "Steps": [
        step("Train"),
        step(
            "Good",
            "Condition",
            Conditions=[],
            IfSteps=[step("Register"), step("Deep", "Condition", IfSteps=[step("Promote")], ElseSteps=[])],
            ElseSteps=[step("Stop", "Fail")],
        ),
        step("Each", "ForEach", ForEachBody=[step("Item")]),
    ],
}


@pytest.mark.parametrize(
    ("outcomes", "left"),
    [
        ({}, "Train Good Register Deep Promote Stop Each"),
        ({"Train": None}, "Good Register Deep Promote Stop Each"),
        ({"Train": None, "Good": None}, "Register Deep Promote Stop Each"),
        ({"Train": None, "Good": "True"}, "Register Deep Promote Each"),
        ({"Train": None, "Good": "False"}, "Stop Each"),
        ({"Train": None, "Good": "True", "Deep": "False", "Register": None}, "Each"),
    ],
)
def test_what_is_waited_for(outcomes: Mapping[str, str | None], left: str) -> None:
    definition, _ = read(json.dumps(DEFINITION))
    assert definition is not None
    steps = tuple(
        StepState(name, "Executing", "Condition", metadata={"Condition": {"Outcome": outcome}} if outcome else {})
        for name, outcome in outcomes.items()
    )
    state = ExecutionState("arn", "p", "Executing", None, steps)
    assert waiting(awaited(definition), state) == tuple(left.split())


def test_of_a_selection_only_what_is_selected_is_waited_for() -> None:
    definition, _ = read(json.dumps(DEFINITION))
    assert definition is not None
    assert [item.name for item in awaited(definition, ["Register"])] == ["Register"]
