"""What a plan looks like to a program, and in the comment of a pull request."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlops.deploy.pipelines import plan_report
from mlops.deploy.pipelines.definition_diff import MemberChange
from mlops.deploy.pipelines.plan import Plan, plan
from mlops.deploy.pipelines.upsert import upsert

from .conftest import World

MOST = 65_536
"""Characters that GitHub takes in a comment."""

local_only = pytest.mark.parametrize("world", ["local"], indirect=True)


def named(found: Plan, name: str) -> Plan:
    return replace(found, state=replace(found.state, name=name))


def test_what_is_created_has_no_former_members(world: World) -> None:
    told = plan_report.as_dictionary(plan(world.account, world.environment, world.compiled()))
    assert told["action"] == "create"
    assert {"step": "Train", "at": "", "code": False, "new": "Training"} in told["changes"]
    assert not [change for change in told["changes"] if "old" in change]


@local_only
@pytest.mark.parametrize(("count", "members"), [(2, 3), (1, 5_000), (1_000, 2), (20, 400)])
def test_a_comment_of_any_plan_is_one_that_github_takes(world: World, count: int, members: int) -> None:
    upsert(world.account, world.environment, world.compiled())
    found = plan(world.account, world.environment, world.compiled(code="print(2)\n"))
    changes = tuple(MemberChange("Train", f"/Arguments/M{number}", 1, "<b>```") for number in range(members))
    plans = [replace(named(found, f"p{number}"), changes=changes) for number in range(count)]
    told = plan_report.markdown(plans)
    assert len(told) < MOST - 1_000
    assert f"{count} to update" in told and "<b>" not in told.replace("```diff", "").split("<details>")[0]
    assert told.count("<details>") == told.count("</details>") == told.count("```diff") == told.count("```") / 2
    shown, lines = told.count("<details>"), told.count("<b>")
    assert (f"{count - shown} more pipeline" in told) == (shown < count)
    assert ("more lines" in told) == (lines < shown * members)
    # What fits is there as a whole.
    assert (count, members) != (2, 3) or (shown, lines) == (2, 6)


@local_only
def test_what_is_unchanged_takes_no_row_among_others(world: World) -> None:
    upsert(world.account, world.environment, world.compiled())
    same = plan(world.account, world.environment, world.compiled())
    other = plan(world.account, world.environment, world.compiled(code="print(2)\n"))
    told = plan_report.markdown([named(same, "same"), named(other, "other")])
    assert "| other | local | update | ~ Train | Train | no |" in told
    assert "| same |" not in told and "1 unchanged" in told
    assert "| same | local | no changes | - | - | no |" in plan_report.markdown([named(same, "same")])
    assert "|" not in plan_report.markdown([])
