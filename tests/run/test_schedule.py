"""Which steps may start."""

from __future__ import annotations

from typing import Any

import pytest
from ports_for_tests import Account, checked, condition, step

from mlops.ir import Step
from mlops.ir.definition import Block
from mlops.run.schedule import handled, ready


def after(name: str, *before: Any) -> Any:
    return step("Processing", name, {}, DependsOn=list(before))


LINE = (after("A"), after("B", "A"), after("C", "A"), after("D", "B", "C"))
BRANCH = (
    after("A"),
    condition(
        "If", [], then=(after("Then"),), otherwise=(after("Else"), condition("Inner", [], then=(after("Deep"),)))
    ),
    after("BehindThen", "Then"),
)
TRIGGER = (
    after("A"),
    after("Mend", {"Step": "A", "Trigger": "Failed"}),
    after("Always", {"Step": "A", "Trigger": "Any"}),
    after("Next", "A"),
)


def for_each(name: str, *body: Step, **members: Any) -> Step:
    return Step(name, "ForEach", {}, members=members, blocks=(Block("ForEachBody", body),))


LOOP = (after("A"), for_each("Loop", after("First", "A"), after("Second", "First")), after("Behind", "Loop"))


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ({"A": "Succeeded"}, ("Loop",)),
        ({"A": "Succeeded", "Loop": "Running"}, ()),
        ({"A": "Succeeded", "Loop": "Succeeded"}, ("Behind",)),
    ],
)
def test_what_a_loop_holds_is_never_ready_itself(states: Any, expected: tuple[str, ...]) -> None:
    given = checked(*LOOP)
    placed = {item.step.name: item for item in given.definition.placed()}
    assert tuple(ready(given, placed, states, {})) == expected


def test_a_loop_in_a_branch() -> None:
    given = checked(condition("If", [], then=(for_each("Loop", after("First")),)))
    placed = {item.step.name: item for item in given.definition.placed()}
    assert tuple(ready(given, placed, {"If": "Succeeded"}, {"If": True})) == ("Loop",)
    assert tuple(ready(given, placed, {"If": "Succeeded"}, {"If": False})) == ()


def test_what_holds_others_cannot_stand_in_a_loop(account: Account) -> None:
    assert account.run(after("A"), for_each("Loop", for_each("Inner", after("Deep")))) == "Failed"
    said = "Inner: steps that hold others cannot stand in a ForEach; nothing was started"
    assert account.journal.statuses == [("Failed", said)]
    assert account.journal.records == []


@pytest.mark.parametrize(
    ("steps", "states", "taken", "expected"),
    [
        (LINE, {}, {}, ("A",)),
        (LINE, {"A": "Running"}, {}, ()),
        (LINE, {"A": "Succeeded"}, {}, ("B", "C")),
        (LINE, {"A": "Failed"}, {}, ()),
        (LINE, {"A": "Stopped"}, {}, ()),
        (LINE, {"A": "Succeeded", "B": "Succeeded", "C": "Running"}, {}, ()),
        (LINE, {"A": "Succeeded", "B": "Failed", "C": "Succeeded"}, {}, ()),
        (LINE, {"A": "Succeeded", "B": "Succeeded", "C": "Succeeded"}, {}, ("D",)),
        (BRANCH, {"A": "Succeeded", "If": "Succeeded"}, {"If": True}, ("Then",)),
        (BRANCH, {"A": "Succeeded", "If": "Succeeded"}, {"If": False}, ("Else", "Inner")),
        (BRANCH, {"A": "Succeeded", "If": "Failed"}, {}, ()),
        (BRANCH, {"A": "Succeeded", "If": "Succeeded", "Then": "Succeeded"}, {"If": True}, ("BehindThen",)),
        (
            BRANCH,
            {"A": "Succeeded", "If": "Succeeded", "Else": "Succeeded", "Inner": "Succeeded"},
            {"If": False, "Inner": True},
            ("Deep",),
        ),
        (TRIGGER, {"A": "Failed"}, {}, ("Mend", "Always")),
        (TRIGGER, {"A": "Succeeded"}, {}, ("Always", "Next")),
    ],
)
def test_ready(steps: Any, states: Any, taken: Any, expected: tuple[str, ...]) -> None:
    given = checked(*steps)
    placed = {item.step.name: item for item in given.definition.placed()}
    assert tuple(ready(given, placed, states, taken)) == expected


@pytest.mark.parametrize(("started", "expected"), [("Mend", True), ("Always", True), ("Next", False)])
def test_handled(started: str, expected: bool) -> None:
    assert handled(checked(*TRIGGER), "A", {"A": "Failed", started: "Succeeded"}) is expected
