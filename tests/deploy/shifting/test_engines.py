"""The table that picks an engine: each row fires, and does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mlops.deploy.shifting.engines import ROWS, Engine, Situation, pick
from mlops.ir.shift import Course, Serving, Stage, Variant

CANARY = Course((Stage(10.0, 300.0), Stage(100.0)))
STEPPED = Course(tuple(Stage(share, 60.0) for share in (5.0, 25.0, 50.0, 100.0)))
AT_ONCE = Course((Stage(100.0),))


def variant(name: str, count: int | None = 10, kind: str = "ml.m5.large") -> Variant:
    where = {"InstanceType": kind} if count is not None else {"ServerlessConfig": {"MemorySizeInMB": 2048}}
    return Variant(name, where, 1.0, count)


ONE = Serving("before", (variant("blue"),))
PLAIN = Situation(CANARY, ONE, variant("green"))

CASES: dict[str, tuple[dict[str, Any], Engine, str]] = {
    "a canary": ({}, Engine.GUARDRAILS, "express it"),
    "all at once": ({"course": AT_ONCE}, Engine.UPDATE, "at once"),
    "all at once, and alarms": ({"course": AT_ONCE, "alarms": ("errors",)}, Engine.GUARDRAILS, "express it"),
    "all at once, judged by more": ({"course": AT_ONCE, "own_verdicts": True}, Engine.WEIGHTS, "alarms only"),
    "steps": ({"course": STEPPED}, Engine.WEIGHTS, "one canary or equal steps"),
    "several variants": (
        {"old": Serving("before", (variant("a"), variant("b")))},
        Engine.WEIGHTS,
        "several variants",
    ),
    "ten variants": (
        {"old": Serving("before", tuple(variant(f"v{number}") for number in range(10)))},
        Engine.NONE,
        "at most 10 variants",
    ),
    "one instance": ({"new": variant("green", 1)}, Engine.WEIGHTS, "of 1 instance none"),
    "serverless before": ({"old": Serving("before", (variant("blue", None),))}, Engine.NONE, "serverless"),
    "serverless now": ({"new": variant("green", None)}, Engine.NONE, "serverless"),
    "serverless at once": ({"new": variant("green", None), "course": AT_ONCE}, Engine.UPDATE, "at once"),
    "Inf1 before": (
        {"old": Serving("before", (variant("blue", kind="ml.inf1.xlarge"),))},
        Engine.WEIGHTS,
        "Inf1",
    ),
    "Inf1 now": ({"new": variant("green", kind="ml.inf1.2xlarge")}, Engine.WEIGHTS, "Inf1"),
    "Inf2": ({"new": variant("green", kind="ml.inf2.xlarge")}, Engine.GUARDRAILS, "express it"),
    "Marketplace": ({"marketplace": True}, Engine.WEIGHTS, "Marketplace"),
    "a shadow": ({"shadows": True}, Engine.GUARDRAILS, "express it"),
    "a shadow, and steps": ({"shadows": True, "course": STEPPED}, Engine.NONE, "beside a shadow variant"),
    "hooks between stages": ({"hooks_within": True}, Engine.WEIGHTS, "wait for no hook"),
    "own verdicts": ({"own_verdicts": True}, Engine.WEIGHTS, "alarms only"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_engine(case: str) -> None:
    changes, engine, why = CASES[case]
    found, told = pick(replace(PLAIN, **changes))
    assert found is engine
    assert why in told


def test_each_row_is_some_case() -> None:
    situations = [replace(PLAIN, **changes) for changes, _, _ in CASES.values()]
    firsts = [next(row for row in ROWS if row.holds(situation)) for situation in situations]
    assert {id(row) for row in firsts} == {id(row) for row in ROWS}
