"""Conditions over plain values."""

from __future__ import annotations

from typing import Any

import pytest

from mlops.run.conditions import all_hold
from mlops.run.outcome import StepFailed


def compare(kind: str, left: Any, right: Any) -> dict[str, Any]:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


YES, NO = compare("Equals", 1, 1), compare("Equals", 1, 2)


@pytest.mark.parametrize(
    ("conditions", "holds"),
    [
        ([], True),
        ([YES], True),
        ([NO], False),
        ([YES, NO], False),
        ([compare("Equals", 1, 1.0)], True),
        ([compare("Equals", "a", "a")], True),
        ([compare("Equals", True, False)], False),
        ([compare("GreaterThan", 2, 1.5)], True),
        ([compare("GreaterThan", 2, 2)], False),
        ([compare("GreaterThanOrEqualTo", 2, 2)], True),
        ([compare("LessThan", 1, 2)], True),
        ([compare("LessThan", 2, 2)], False),
        ([compare("LessThanOrEqualTo", 2, 2)], True),
        ([compare("LessThan", "2026-01-01", "2026-01-02")], True),
        ([{"Type": "In", "QueryValue": "a", "Values": ["b", "a"]}], True),
        ([{"Type": "In", "QueryValue": "1", "Values": [1, "2"]}], False),
        ([{"Type": "In", "QueryValue": 1, "Values": [True]}], False),
        ([{"Type": "Not", "Condition": NO}], True),
        ([{"Type": "Or", "Conditions": [NO, YES]}], True),
        ([{"Type": "Or", "Conditions": [NO, NO]}], False),
        ([{"Type": "Not", "Condition": {"Type": "Or", "Conditions": [NO, {"Type": "Not", "Condition": YES}]}}], True),
    ],
)
def test_holds(conditions: Any, holds: bool) -> None:
    assert all_hold(conditions) is holds


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        (compare("Equals", 1, "1"), "Equals cannot compare the number 1 with the text '1'"),
        (compare("Equals", True, 1), "Equals cannot compare the boolean True with the number 1"),
        (compare("GreaterThan", True, False), "GreaterThan cannot order the boolean True and the boolean False"),
        (compare("LessThan", "a", 1), "LessThan cannot order the text 'a' and the number 1"),
        (compare("Equals", None, 1), "a condition compares text, numbers and booleans, found None"),
        (compare("Equals", {"a": 1}, 1), "found {'a': 1}"),
        (compare("NotEquals", 1, 1), "not a condition that can be evaluated"),
        ({"Type": "Or", "Conditions": [YES, compare("Equals", 1, "1")]}, "Equals cannot compare"),
        ({"Type": "In", "QueryValue": 1, "Values": "1"}, "Values is to be a list"),
    ],
)
def test_cannot_be_decided(condition: Any, reason: str) -> None:
    with pytest.raises(StepFailed) as fault:
        all_hold([condition])
    assert reason in str(fault.value)
