"""What lies in the record's place and is none of ours is told, never believed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlops.deploy.pipelines.destroy import plan_removal
from mlops.deploy.pipelines.plan import plan
from mlops.deploy.pipelines.record import key
from mlops.ir import Refusal

from .conftest import World
from .test_contention import is_in_place, planned, put

UNREADABLE = {
    "empty": b"",
    "no text": b"\xff\xfe",
    "a list": b"[]",
    "an earlier version": b'{"version": 1, "wrote": "x", "assets": []}',
    "nothing in it": b'{"version": 2}',
    "wrong types": b'{"version": 2, "wrote": 5, "over": [], "tags": 7, "companions": "", "pipeline": null}',
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize(
    ("world", "name"),
    # What is read does not depend on who kept it.
    [*(("local", name) for name in UNREADABLE), ("moto", "empty")],
    indirect=["world"],
)
def test_a_record_that_cannot_be_read_is_told_and_overwritten_with_force(world: World, name: str) -> None:
    put(world, world.compiled())
    place = {"Bucket": world.environment.bucket, "Key": key(world.environment, "churn")}
    world.account.client("s3").put_object(**place, Body=UNREADABLE[name])
    found = planned(world, world.compiled())
    assert (found.verb, found.drift) == ("nothing", None) and "cannot be read" in found.notes[0]
    assert plan_removal(world.account, world.environment, "churn").foreign
    changed = world.compiled("Who stays?")
    with pytest.raises(Refusal, match="was not written by mlops from this bucket"):
        put(world, changed)
    assert put(world, changed, force=True) == "updated"
    assert is_in_place(world, changed) and planned(world, changed).notes == ()


def test_a_bucket_that_is_not_there_is_told_by_the_plan(world: World) -> None:
    if world.environment.is_local:
        return  # its bucket is made where it is missing
    nowhere = replace(world.environment, bucket="acme-missing")
    missing = "the bucket acme-missing is not there; an upsert fails until it is"
    assert missing in plan(world.account, nowhere, world.compiled()).notes
    assert missing not in plan(world.account, world.environment, world.compiled()).notes
    assert plan_removal(world.account, nowhere, "churn").labels == ()
