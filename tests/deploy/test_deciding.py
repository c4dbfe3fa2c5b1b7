"""What is decided, from what was seen and what is wanted: values in, a list of actions out, and no account anywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from mlops.account import Identity
from mlops.check import check
from mlops.deploy.pipelines.actions import (
    CreatePipeline,
    PutResource,
    RemoveResource,
    RemoveTags,
    SetTags,
    UpdatePipeline,
    UploadDefinition,
    WriteRecord,
)
from mlops.deploy.pipelines.deciding import Plan, Wanted, decide, want
from mlops.deploy.pipelines.record import Record, Stored
from mlops.deploy.pipelines.seeing import Seen
from mlops.deploy.pipelines.state import INLINE_BYTES, Present
from mlops.ir.reader import read
from mlops.ir.resource import fingerprint
from mlops.project.environments import Environment
from mlops.project.starts import Schedule

ARN = "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/churn"
WHO = Identity("111122223333", "arn:aws:iam::111122223333:user/ada")
PROD = Environment(name="prod", region="eu-west-1", role="arn:aws:iam::111122223333:role/r", bucket="acme-ml")
DAILY = Schedule(pipeline="churn", expression="rate(1 day)")


def wanted(
    message: str = "no", tags: Mapping[str, str] | None = None, aliases: tuple[str, ...] = (), **environment: Any
) -> Wanted:
    step = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": message}}
    definition, _ = read(json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": [step]}))
    assert definition is not None
    checked = check(replace(definition, name="churn", tags=tags or {}))
    return want(replace(PROD, **environment), checked, aliases=aliases)


def present(of: Wanted, **changed: Any) -> Present:
    return Present(replace(of.state, **changed), ARN, modified="2026-11-28T06:00:00.000+00:00")


def written(of: Wanted, age: float = 3600.0, **changed: Any) -> Stored:
    """The record of an upsert of it."""
    (record,) = (item for item in decide(Seen(WHO, "eu-west-1"), of).actions if isinstance(item, WriteRecord))
    told = Record(
        wrote=record.wrote,
        over=None,
        over_modified=None,
        at="2026-11-28T05:00:00+00:00",
        by=WHO.arn,
        writer="0" * 32,
        pipeline=of.state.shown(),
        companions=record.companions,
        tags=record.tags,
        origin=record.origin,
    )
    return Stored(replace(told, **changed), '"etag"', age)


def seen(of: Wanted | None = None, **more: Any) -> Seen:
    """An account in which ``of`` was upserted."""
    if of is None:
        return Seen(WHO, "eu-west-1", **more)
    resources = {resource.key: resource.plain for resource in at_home(of)}
    told = {"present": present(of), "stored": written(of), "tags": of.checked.definition.tags, "resources": resources}
    return Seen(WHO, "eu-west-1", **{**told, **more})


def at_home(of: Wanted) -> tuple[Any, ...]:
    """Its resources, with the ARNs that they have."""
    found = decide(Seen(WHO, "eu-west-1", resources={item.key: None for item in of.resources}), of)
    return tuple(item.new for item in found.companions)


def kinds(plan: Plan) -> list[type]:
    return [type(action) for action in plan.actions]


SCHEDULED = {"schedules": {"daily": DAILY}}
NOT_THERE: dict[str, Any] = {"resources": {"schedule churn-daily": None}}
BY_HAND = {"ScheduleExpression": "rate(5 minutes)", "State": "ENABLED", "Target": {"Arn": ARN}}


@pytest.mark.parametrize(
    ("had", "now", "changed", "actions"),
    [
        (None, wanted(), {}, [WriteRecord, CreatePipeline]),
        (wanted(), wanted(), {}, []),
        (wanted("a"), wanted("b"), {}, [WriteRecord, UpdatePipeline]),
        (wanted("a"), wanted("b" * INLINE_BYTES), {}, [UploadDefinition, WriteRecord, UpdatePipeline]),
        (wanted("b" * INLINE_BYTES), wanted("b" * INLINE_BYTES), {}, []),
        (wanted(), wanted(aliases=("live",)), {}, [UpdatePipeline]),
        (wanted(), wanted(role="arn:aws:iam::111122223333:role/two"), {}, [WriteRecord, UpdatePipeline]),
        (wanted(tags={"a": "1"}), wanted(tags={"a": "2"}), {}, [WriteRecord, SetTags]),
        (wanted(tags={"a": "1"}), wanted(), {}, [WriteRecord, RemoveTags]),
        (wanted(tags={"a": "1"}), wanted(), {"tags": {"a": "theirs"}}, []),
        (wanted(), wanted(**SCHEDULED), NOT_THERE, [WriteRecord, PutResource]),
        (wanted(**SCHEDULED), wanted(**SCHEDULED), {}, []),
        (wanted(**SCHEDULED), wanted(), {}, [WriteRecord, RemoveResource]),
        (wanted(**SCHEDULED), wanted(), NOT_THERE, []),
        (wanted("a", **SCHEDULED), wanted("b", **SCHEDULED), {}, [WriteRecord, UpdatePipeline]),
        (wanted(), wanted(name="dev"), {}, []),
    ],
    ids=[
        "a new one",
        "nothing",
        "another definition",
        "a large one",
        "the same large one",
        "an alias",
        "another role",
        "a tag",
        "a tag that is declared no more",
        "a tag that was ours and is another's",
        "a schedule",
        "the same schedule",
        "a schedule that is declared no more",
        "one that is gone already",
        "a definition and the same schedule",
        "another environment with the same content",
    ],
)
def test_what_is_done(had: Wanted | None, now: Wanted, changed: dict[str, Any], actions: list[type]) -> None:
    found = decide(seen(had, **changed), now)
    assert kinds(found) == actions
    assert found.drift is None and found.unfinished is None


def test_a_removal_that_was_cut_off_is_still_known_to_be_ours() -> None:
    had, now = wanted(**SCHEDULED), wanted()
    (record, _) = decide(seen(had), now).actions
    assert isinstance(record, WriteRecord) and list(record.companions) == ["schedule churn-daily"]
    # It was killed behind its record: the schedule is there and declared no more.
    cut = written(now, companions=record.companions)
    assert kinds(decide(seen(now, stored=cut, resources=seen(had).resources), now)) == [WriteRecord, RemoveResource]
    # Once it is seen to be gone, nothing is done for it, and the next record forgets it.
    gone = decide(seen(now, stored=cut, **NOT_THERE), wanted("other"))
    assert kinds(gone) == [WriteRecord, UpdatePipeline]
    assert isinstance(gone.actions[0], WriteRecord) and gone.actions[0].companions == {}


def test_what_belongs_to_it_and_is_of_a_type_that_is_not_known_stays() -> None:
    now = wanted()
    stored = written(now, companions={"hologram churn-x": "f"})
    assert kinds(decide(seen(now, stored=stored), now)) == []
    found = decide(seen(now, stored=stored), wanted("other"))
    assert isinstance(found.actions[0], WriteRecord) and found.actions[0].companions == {"hologram churn-x": "f"}
    assert found.notes == (
        "the hologram churn-x belongs to it, of a type that this mlops does not know; it stays as it is",
    )


@pytest.mark.parametrize(
    ("had", "changed", "foreign", "members"),
    [
        (wanted("a"), {"present": present(wanted("by hand"))}, False, ["/Arguments/ErrorMessage"]),
        (wanted("a"), {"present": present(wanted("by hand")), "stored": None}, True, []),
        (wanted("b"), {"stored": None}, None, []),
        (wanted("a"), {}, None, []),
        (wanted("a", **SCHEDULED), {"resources": {"schedule churn-daily": BY_HAND}}, False, []),
    ],
    ids=["changed", "of somebody else", "of somebody else, and the same", "as we wrote it", "a schedule"],
)
def test_drift(had: Wanted, changed: dict[str, Any], foreign: bool | None, members: list[str]) -> None:
    now = wanted("b", schedules=had.environment.schedules)
    drift = decide(seen(had, **changed), now).drift
    assert (None if drift is None else drift.foreign) == foreign
    assert [change.at for change in drift.changes] == members if drift else not members
    assert drift is None or drift.companions == (("schedule churn-daily",) if had.environment.schedules else ())


@pytest.mark.parametrize(
    ("age", "dead", "content", "busy"),
    [(5.0, False, "c", True), (5.0, False, "b", False), (5.0, True, "c", False), (700.0, False, "c", False)],
    ids=["another content", "the same", "it is dead", "its lease is over"],
)
def test_an_upsert_that_wrote_its_record_alone(age: float, dead: bool, content: str, busy: bool) -> None:
    had, theirs, now = wanted("a"), wanted("b"), wanted(content)
    before = decide(seen(had), theirs).actions[0]
    assert isinstance(before, WriteRecord)
    stored = replace(written(theirs, age, over=before.over, over_modified=before.over_modified), dead=dead)
    found = decide(seen(had, stored=stored), now)
    assert found.drift is None and found.unfinished is not None
    assert (found.unfinished.busy, found.unfinished.dead) == (busy, dead)
    assert kinds(found) == [WriteRecord, UpdatePipeline]


def test_a_bucket_that_is_missing_and_a_limit_that_stays_are_told() -> None:
    now = wanted()
    found = decide(seen(now, present=present(now, parallelism=3), stored=None, bucket_missing="no bucket"), now)
    assert found.state.parallelism == 3 and not found.settings
    assert [note.partition(":")[0] for note in found.notes] == [
        "the account's limit of 3 steps at once stays",
        "no bucket; an upsert fails until it is",
    ]


def test_the_record_of_a_resource_is_what_is_compared() -> None:
    """What 0.1 wrote is still ours: the fingerprint of a schedule is over the same members in the same form."""
    told = {
        "ScheduleExpression": "rate(1 day)",
        "State": "ENABLED",
        "Target": {"Arn": ARN, "RoleArn": PROD.role},
    }
    (resource,) = at_home(wanted(**SCHEDULED))
    assert resource.fingerprint() == fingerprint(told)
