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


LOOP = (
    after("A"),
    for_each(
        "Loop",
        after("First", "A"),
        after("Second", "First"),
        condition("Choice", [], then=(after("Yes", "First"),), otherwise=(after("No"),)),
        for_each("Inner", after("Deep")),
    ),
    after("Behind", "Loop"),
)


@pytest.mark.parametrize(
    ("states", "taken", "loop", "expected"),
    [
        ({"A": "Succeeded"}, {}, None, ("Loop",)),
        ({"A": "Succeeded", "Loop": "Running"}, {}, None, ()),
        ({"A": "Succeeded", "Loop": "Succeeded"}, {}, None, ("Behind",)),
        ({}, {}, "Loop", ("First", "Choice", "Inner")),
        ({"First": "Succeeded"}, {}, "Loop", ("Second", "Choice", "Inner")),
        ({"First": "Failed", "Choice": "Succeeded"}, {"Choice": True}, "Loop", ("Inner",)),
        ({"First": "Succeeded", "Choice": "Succeeded"}, {"Choice": True}, "Loop", ("Second", "Yes", "Inner")),
        ({"First": "Running", "Choice": "Succeeded"}, {"Choice": False}, "Loop", ("No", "Inner")),
        ({}, {}, "Inner", ("Deep",)),
    ],
)
def test_a_loop_is_scheduled_by_itself(states: Any, taken: Any, loop: str | None, expected: tuple[str, ...]) -> None:
    """By its container, for each item; without a word for that its steps were never ready."""
    given = checked(*LOOP)
    placed = {item.step.name: item for item in given.definition.placed()}
    assert tuple(ready(given, placed, states, taken, loop=loop)) == expected


def test_a_loop_in_a_branch() -> None:
    given = checked(condition("If", [], then=(for_each("Loop", after("First")),)))
    placed = {item.step.name: item for item in given.definition.placed()}
    assert tuple(ready(given, placed, {"If": "Succeeded"}, {"If": True})) == ("Loop",)
    assert tuple(ready(given, placed, {"If": "Succeeded"}, {"If": False})) == ()
    assert tuple(ready(given, placed, {}, {}, loop="Loop")) == ("First",)


def test_what_loops_is_refused_before_it_starts(account: Account) -> None:
    assert account.run(*LOOP) == "Failed"
    assert account.journal.statuses == [
        (
            "Failed",
            "Loop, Inner run steps once for each item (ForEach), which this machine cannot do yet; nothing was started",
        )
    ]
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
