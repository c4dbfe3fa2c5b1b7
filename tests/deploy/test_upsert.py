"""Upsert makes the account what the source says, and does nothing when it is that already."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from mlops.deploy.pipelines.upsert import upsert
from mlops.ir import ConfigurationError
from mlops.ir.document import document

from .conftest import World

WRITES = ("Create", "Update", "Put", "Delete", "Add", "Start", "Upload", "Complete")


@contextmanager
def calls(world: World) -> Iterator[list[str]]:
    """Names of the operations that go to the account."""
    made: list[str] = []

    def note(model: Any, **_: Any) -> None:
        made.append(model.name)

    clients = [world.account.client(name) for name in ("s3", "sagemaker", "sts")]
    for client in clients:
        client.meta.events.register_first("before-call.*.*", note)
    yield made
    for client in clients:
        client.meta.events.unregister("before-call.*.*", note)


def test_the_first_time_it_is_created_with_its_assets(world: World) -> None:
    checked = world.compiled()
    done = upsert(world.account, world.environment, checked)
    assert (done.action, len(done.uploaded)) == ("created", 2)
    stored = world.account.client("sagemaker").describe_pipeline(PipelineName="churn")
    assert json.loads(stored["PipelineDefinition"]) == document(checked.definition)
    assert stored["PipelineDescription"] == "Who leaves?"
    tags = world.account.client("sagemaker").list_tags(ResourceArn=done.arn)["Tags"]
    assert {"Key": "team", "Value": "growth"} in tags
    for asset in checked.definition.assets:
        bucket, _, key = asset.uri.removeprefix("s3://").partition("/")
        assert world.account.client("s3").head_object(Bucket=bucket, Key=key)["ContentLength"] > 0


def test_the_second_time_nothing_is_written(world: World) -> None:
    upsert(world.account, world.environment, world.compiled())
    with calls(world) as made:
        done = upsert(world.account, world.environment, world.compiled())
    assert (done.action, done.uploaded) == ("unchanged", ())
    assert not [name for name in made if name.startswith(WRITES)]
    assert made.count("HeadObject") == 2
    assert made.count("DescribePipeline") == 1


def test_one_changed_line_is_one_upload_and_one_update(world: World) -> None:
    upsert(world.account, world.environment, world.compiled())
    with calls(world) as made:
        done = upsert(world.account, world.environment, world.compiled(code="print(2)\n"))
    assert (done.action, len(done.uploaded)) == ("updated", 1)
    assert [name for name in made if name.startswith(WRITES)] == ["PutObject", "UpdatePipeline"]


def test_a_changed_description_is_an_update(world: World) -> None:
    upsert(world.account, world.environment, world.compiled())
    assert upsert(world.account, world.environment, world.compiled("Who stays?")).action == "updated"
    stored = world.account.client("sagemaker").describe_pipeline(PipelineName="churn")
    assert stored["PipelineDescription"] == "Who stays?"


def test_a_display_name_is_made_changed_and_taken_back(world: World) -> None:
    sagemaker = world.account.client("sagemaker")
    for given, action, shown in (
        ('", display_name="Churn-1', "created", "Churn-1"),
        ('", display_name="Churn-1', "unchanged", "Churn-1"),
        ('", display_name="Churn-2', "updated", "Churn-2"),
        ("", "updated", "churn"),
        ("", "unchanged", "churn"),
        ('", display_name="churn', "unchanged", "churn"),
    ):
        assert upsert(world.account, world.environment, world.compiled(f"Who leaves?{given}")).action == action
        assert sagemaker.describe_pipeline(PipelineName="churn")["PipelineDisplayName"] == shown


def test_the_wrong_account_is_refused_before_any_write(world: World) -> None:
    if world.environment.is_local:
        return  # the local account is always the right one
    wrong = replace(world.environment, account="999988887777")
    with calls(world) as made, pytest.raises(ConfigurationError, match=r"999988887777.*123456789012"):
        upsert(world.account, wrong, world.compiled())
    assert made == ["GetCallerIdentity"]
