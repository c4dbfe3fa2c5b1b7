"""Upserts that bring new code alone leave the record as it is: of two at once, or with anybody else, one still wins
whole and the other is told."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from mlops.account import connect
from mlops.deploy.pipelines.actions import UpdatePipeline, WriteRecord
from mlops.deploy.pipelines.apply import apply
from mlops.deploy.pipelines.plan import Plan, plan
from mlops.deploy.pipelines.record import Beaten, read
from mlops.deploy.pipelines.state import describe
from mlops.deploy.pipelines.upsert import upsert
from mlops.ir import Checked, MlopsError

from .conftest import World
from .test_large_definitions import large
from .test_upsert import WRITES, calls

with_versions = pytest.mark.parametrize("world", ["local"], indirect=True)
without_versions = pytest.mark.parametrize("world", ["moto"], indirect=True)
"""moto counts none."""


def beside(world: World, name: str) -> World:
    """Somebody else: a checkout of their own, and clients of their own."""
    folder = world.folder / name
    folder.mkdir(exist_ok=True)
    return replace(world, folder=folder, account=connect(world.environment))


def planned(world: World, checked: Checked) -> Plan:
    return plan(world.account, world.environment, checked)


def put(world: World, checked: Checked, **given: Any) -> str:
    return upsert(world.account, world.environment, checked, **given).action


def is_in_place(world: World, checked: Checked) -> bool:
    """Nothing would be done for it, and nobody changed it behind our back."""
    found = planned(world, checked)
    return (found.verb, found.drift, found.unfinished) == ("nothing", None, None)


@contextmanager
def at_the_update(world: World, moment: str, act: Callable[[], object]) -> Iterator[None]:
    """``act`` once, right before or after an UpdatePipeline of this world: what somebody else does in that moment."""
    events = world.account.client("sagemaker").meta.events
    name = f"{moment}-call.sagemaker.UpdatePipeline"

    def happen(**_: Any) -> None:
        events.unregister(name, happen)
        act()

    events.register_first(name, happen)
    yield
    events.unregister(name, happen)


def test_new_code_alone_leaves_the_record(world: World) -> None:
    put(world, world.compiled())
    before = read(world.account, world.environment, "churn")
    found = planned(world, world.compiled(code="print(2)\n"))
    assert [type(action) for action in found.actions][1:] == [UpdatePipeline]
    apply(world.account, world.environment, found)
    after = read(world.account, world.environment, "churn")
    assert before is not None and after is not None and (before.etag, before.record) == (after.etag, after.record)
    assert is_in_place(world, world.compiled(code="print(2)\n"))
    # Going back sends nothing, and is one write.
    with calls(world) as made:
        put(world, world.compiled())
    assert [name for name in made if name.startswith(WRITES)] == ["UpdatePipeline"]
    # Anything else is recorded.
    found = planned(world, world.compiled("Who stays?"))
    assert [type(action) for action in found.actions] == [WriteRecord, UpdatePipeline]


def test_code_from_another_place_is_drift(world: World) -> None:
    put(world, world.compiled())
    put(world, world.compiled(code="print(2)\n"))
    present = describe(world.account, "churn")
    assert present is not None
    world.account.client("sagemaker").update_pipeline(
        PipelineName="churn",
        RoleArn=present.state.role,
        PipelineDescription="Who leaves?",
        PipelineDefinition=present.state.definition.replace("/sourcedir.tar.gz", "/other.tar.gz"),
    )
    drift = planned(world, world.compiled(code="print(2)\n")).drift
    assert drift is not None
    assert [change.at.rpartition("/")[2] for change in drift.changes] == ["sagemaker_submit_directory"]


def test_of_two_plans_of_code_the_second_is_told(world: World) -> None:
    other = beside(world, "other")
    put(world, world.compiled())
    late = planned(other, other.compiled(code="print('late')\n"))
    put(world, world.compiled(code="print('early')\n"))
    with pytest.raises(Beaten, match="since the plan was made"):
        apply(other.account, other.environment, late)
    assert is_in_place(world, world.compiled(code="print('early')\n"))


def test_two_at_once_with_new_code_one_wins_whole(world: World) -> None:
    put(world, world.compiled())
    sides = [beside(world, name) for name in ("left", "right")]
    for number in range(3):
        plans = [planned(side, side.compiled(code=f"print({number}, {side.folder.name!r})\n")) for side in sides]
        start = threading.Barrier(2)
        ended = ["", ""]

        def one(index: int, plans: list[Plan], start: threading.Barrier, ended: list[str]) -> None:
            start.wait()
            try:
                ended[index] = apply(sides[index].account, world.environment, plans[index]).action
            except Beaten:
                ended[index] = "told"

        threads = [threading.Thread(target=one, args=(index, plans, start, ended)) for index in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(ended) == ["told", "updated"]
        present = describe(world.account, "churn")
        assert present is not None
        assert present.state.document == plans[ended.index("updated")].state.document


@with_versions
@pytest.mark.parametrize("description", ["Who leaves?", "Who stays?"], ids=["code alone", "more than code"])
def test_who_writes_between_a_look_and_an_update_stays(world: World, description: str) -> None:
    other = beside(world, "other")
    put(world, world.compiled())
    theirs = other.compiled(code="print('theirs')\n")
    ours = planned(world, world.compiled(description, "print('ours')\n"))
    with (
        at_the_update(world, "before", lambda: put(other, theirs)),
        pytest.raises(Beaten, match="was faster; theirs is in place again"),
    ):
        apply(world.account, world.environment, ours)
    assert is_in_place(other, theirs)
    assert put(world, world.compiled(description, "print('ours')\n")) == "updated"


@with_versions
def test_a_large_definition_is_put_back_too(world: World) -> None:
    put(world, large(300_000, "first"))
    ours = planned(world, large(300_000, "ours"))
    present = describe(world.account, "large")
    assert present is not None
    theirs = large(300_000, "their")
    content = planned(world, theirs).state.definition

    def foreign() -> None:
        connect(world.environment).client("sagemaker").update_pipeline(
            PipelineName="large", RoleArn=present.state.role, PipelineDefinition=content
        )

    with at_the_update(world, "before", foreign), pytest.raises(Beaten, match="in place again"):
        apply(world.account, world.environment, ours)
    after = describe(world.account, "large")
    assert after is not None and after.state.definition == content
    # It was no upsert of ours: who changed it is asked.
    assert planned(world, theirs).drift is None and planned(world, large(300_000, "ours")).drift is not None


@without_versions
def test_without_versions_who_was_first_is_told(world: World) -> None:
    other = beside(world, "other")
    put(world, world.compiled())
    late = planned(other, other.compiled(code="print('late')\n"))
    ours = planned(world, world.compiled(code="print('ours')\n"))
    started = threading.Event()
    looked = threading.Event()

    def write_late() -> None:
        with at_the_update(other, "before", lambda: (looked.set(), started.wait(120))):
            apply(other.account, other.environment, late)

    thread = threading.Thread(target=write_late)
    thread.start()
    assert looked.wait(120)
    with (
        at_the_update(world, "after", lambda: started.set()),
        pytest.raises(Beaten, match="another definition; somebody else wrote it"),
    ):
        apply(world.account, world.environment, ours)
    thread.join()
    assert is_in_place(other, other.compiled(code="print('late')\n"))


@with_versions
def test_an_update_that_was_sent_twice_is_not_somebody_elses(world: World) -> None:
    put(world, world.compiled())
    ours = planned(world, world.compiled(code="print('ours')\n"))
    present = ours.state

    def lost() -> None:
        connect(world.environment).client("sagemaker").update_pipeline(
            PipelineName="churn", RoleArn=present.role, PipelineDefinition=present.definition
        )

    with at_the_update(world, "before", lost):
        assert apply(world.account, world.environment, ours).action == "updated"


@with_versions
def test_with_force_the_last_one_stays(world: World) -> None:
    other = beside(world, "other")
    put(world, world.compiled())
    theirs = other.compiled(code="print('theirs')\n")
    ours = world.compiled(code="print('ours')\n")
    with at_the_update(world, "before", lambda: put(other, theirs)):
        assert put(world, ours, force=True) == "updated"
    assert is_in_place(world, ours)
    # One that comes before it looks is no hindrance either.
    late = planned(world, world.compiled(code="print('late')\n"))
    put(other, other.compiled(code="print('again')\n"))
    with pytest.raises(Beaten):
        apply(world.account, world.environment, late, force=True)
    assert put(world, world.compiled(code="print('late')\n"), force=True) == "updated"


def test_a_new_role_does_not_send_the_definition_again(world: World) -> None:
    other = beside(world, "other")
    put(world, world.compiled())
    role = replace(world.environment, role=world.environment.role + "-two")
    ours = plan(world.account, role, world.compiled())
    theirs = other.compiled(code="print('theirs')\n")
    with at_the_update(world, "before", lambda: put(other, theirs, force=True)), contextlib.suppress(MlopsError):
        apply(world.account, role, ours)
    present = describe(world.account, "churn")
    assert present is not None and present.state.role == role.role
    assert present.state.document == planned(other, theirs).state.document


def test_an_alias_alone_is_a_version_of_its_own(world: World) -> None:
    put(world, world.compiled())
    found = plan(world.account, world.environment, world.compiled(), aliases=("live",))
    assert [type(action) for action in found.actions] == [UpdatePipeline]
    apply(world.account, world.environment, found)
    present = describe(world.account, "churn")
    assert present is not None and present.aliases == (("live",) if world.environment.is_local else ())
