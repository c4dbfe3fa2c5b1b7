"""Schedules, triggers, destroy and prune, on moto; what the local account has of it, there too."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from mlops.deploy import ledger
from mlops.deploy.pipelines import plan_report
from mlops.deploy.pipelines.destroy import destroy, plan_removal
from mlops.deploy.pipelines.plan import plan
from mlops.deploy.pipelines.prune import inventory, prunable, prune
from mlops.deploy.pipelines.upsert import upsert
from mlops.deploy.removed import FOLDER
from mlops.deploy.starts import judge_starts
from mlops.ir import ConfigurationError, Refusal
from mlops.ir.reader import read
from mlops.project.environments import Environment
from mlops.project.starts import Schedule, Trigger

from .conftest import World
from .test_plan import behind

on_moto = pytest.mark.parametrize("world", ["moto"], indirect=True)

DAILY = Schedule(pipeline="churn", expression="cron(0 6 * * ? *)", timezone="Europe/Berlin", parameters={"P": "1"})
PROD = Environment(name="prod", region="eu-west-1", role="arn:aws:iam::111122223333:role/r", bucket="acme-ml")
NEW_DATA = Trigger(pipeline="churn", event={"source": ["aws.s3"], "detail-type": ["Object Created"]})


def starting(world: World, **starts: Any) -> Environment:
    return replace(world.environment, **starts)


@on_moto
def test_schedules_and_triggers_are_planned_upserted_and_left_alone(world: World) -> None:
    environment = starting(world, schedules={"daily": DAILY}, triggers={"new": NEW_DATA})
    found = plan(world.account, environment, world.compiled())
    assert [(item.type, item.name, item.old) for item in found.companions] == [
        ("schedule", "churn-daily", None),
        ("trigger", "churn-new", None),
    ]
    upsert(world.account, environment, world.compiled())
    stored = world.account.client("scheduler").get_schedule(Name="churn-daily")
    assert (stored["ScheduleExpression"], stored["State"]) == ("cron(0 6 * * ? *)", "ENABLED")
    assert stored["Target"]["Arn"].endswith(":pipeline/churn")
    (target,) = world.account.client("events").list_targets_by_rule(Rule="churn-new")["Targets"]
    assert target["Arn"] == stored["Target"]["Arn"]
    assert plan(world.account, environment, world.compiled()).verb == "nothing"


@on_moto
def test_a_schedule_that_is_declared_no_more_is_removed(world: World) -> None:
    upsert(world.account, starting(world, schedules={"daily": DAILY}), world.compiled())
    assert upsert(world.account, world.environment, world.compiled()).action == "updated"
    assert world.account.client("scheduler").list_schedules()["Schedules"] == []
    (noted,) = ledger.read(world.account, world.environment, FOLDER)
    assert (noted["what"], noted["name"], noted["why"]) == (
        "schedule",
        "churn-daily",
        "churn does not declare it any more",
    )
    assert upsert(world.account, world.environment, world.compiled()).action == "unchanged"


@on_moto
def test_a_schedule_that_somebody_changed_is_drift(world: World) -> None:
    environment = starting(world, schedules={"daily": DAILY})
    upsert(world.account, environment, world.compiled())
    scheduler = world.account.client("scheduler")
    stored = scheduler.get_schedule(Name="churn-daily")
    scheduler.update_schedule(
        Name="churn-daily",
        ScheduleExpression="rate(1 minutes)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=stored["Target"],
    )
    with pytest.raises(Refusal, match="schedule churn-daily was changed"):
        upsert(world.account, environment, world.compiled())
    upsert(world.account, environment, world.compiled(), force=True)
    assert scheduler.get_schedule(Name="churn-daily")["ScheduleExpression"] == DAILY.expression
    later = starting(world, schedules={"daily": DAILY.model_copy(update={"enabled": False})})
    assert upsert(world.account, later, world.compiled()).action == "updated"
    assert scheduler.get_schedule(Name="churn-daily")["State"] == "DISABLED"


@on_moto
def test_what_differs_of_a_schedule_is_told_member_by_member_without_secrets(world: World) -> None:
    first = DAILY.model_copy(update={"parameters": {"P": "1", "DbPassword": "hunter2-hunter2"}})
    second = first.model_copy(update={"parameters": {"P": "2", "DbPassword": "hunter3-hunter3"}})
    upsert(world.account, starting(world, schedules={"daily": first}), world.compiled())
    found = plan(world.account, starting(world, schedules={"daily": second}), world.compiled())
    told = plan_report.text(found)
    assert "  ~ schedule churn-daily\n" in told
    assert '~ /Target/SageMakerPipelineParameters/PipelineParameterList/P/Value: "1" -> "2"\n' in told
    assert "PipelineParameterList/DbPassword/Value: (hidden) -> (hidden)" in told
    assert "ScheduleExpression" not in told
    everything = told + json.dumps(plan_report.as_dictionary(found)) + plan_report.markdown([found])
    assert "hunter" not in everything


@pytest.mark.parametrize(
    ("pipeline", "parameters", "said"),
    [
        ("churn", {"Word": "b", "Count": "2"}, None),
        ("churn", {}, None),
        ("other", {"Wrod": "b"}, None),
        ("churn", {"Wrod": "b"}, "there is no parameter Wrod; it has Word, Count; did you mean 'Word'"),
        ("churn", {"Count": "many"}, "Count takes an integer, not 'many'"),
    ],
    ids=["fits", "defaults", "of another pipeline", "a name", "a kind"],
)
@pytest.mark.parametrize("kind", ["schedules", "triggers"])
def test_a_start_that_would_fail_each_time_is_refused(
    pipeline: str, parameters: dict[str, str], said: str | None, kind: str
) -> None:
    start: Schedule | Trigger = DAILY if kind == "schedules" else NEW_DATA
    start = start.model_copy(update={"pipeline": pipeline, "parameters": parameters})
    environment = replace(PROD, **{kind: {"one": start}})
    declared = [{"Name": "Word", "Type": "String", "DefaultValue": "a"}, {"Name": "Count", "Type": "Integer"}]
    declared[1]["DefaultValue"] = 1  # type: ignore[assignment]
    definition, _ = read(json.dumps({"Version": "2020-12-01", "Parameters": declared, "Steps": []}))
    assert definition is not None
    definitions = [replace(definition, name="churn")]
    if said is None:
        judge_starts(environment, definitions)
        return
    with pytest.raises(ConfigurationError, match=said) as told:
        judge_starts(environment, definitions)
    assert told.value.message.startswith(f"[env.prod.{kind}.one] of churn: ")


@pytest.mark.parametrize("kind", ["schedules", "triggers"])
def test_a_value_that_an_event_gives_is_judged_by_nobody(kind: str) -> None:
    start: Schedule | Trigger = DAILY if kind == "schedules" else NEW_DATA
    start = start.model_copy(update={"pipeline": "churn", "parameters": {"Count": "$.detail.count"}})
    declared = [{"Name": "Count", "Type": "Integer"}]
    definition, _ = read(json.dumps({"Version": "2020-12-01", "Parameters": declared, "Steps": []}))
    assert definition is not None
    environment = replace(PROD, **{kind: {"one": start}})
    if kind == "triggers":
        judge_starts(environment, [replace(definition, name="churn")])
        return
    with pytest.raises(ConfigurationError, match="takes an integer"):
        judge_starts(environment, [replace(definition, name="churn")])


@on_moto
def test_a_suffix_starts_nothing_by_itself(world: World) -> None:
    environment = starting(world, schedules={"daily": DAILY})
    assert upsert(world.account, environment, world.compiled(), suffix="ada").action == "created"
    assert world.account.client("scheduler").list_schedules()["Schedules"] == []


def test_destroy_removes_what_upsert_made(world: World) -> None:
    starts = {} if world.environment.is_local else {"schedules": {"daily": DAILY}, "triggers": {"new": NEW_DATA}}
    upsert(world.account, starting(world, **starts), world.compiled())
    removal = plan_removal(world.account, world.environment, "churn")
    assert removal.labels[-2:] == ("pipeline churn", "record of churn") and not removal.foreign
    destroy(world.account, world.environment, removal)
    assert plan_removal(world.account, world.environment, "churn").labels == ()
    noted = [(item["what"], item["why"]) for item in ledger.read(world.account, world.environment, FOLDER)]
    assert noted == [*((kind.removesuffix("s"), "destroyed") for kind in sorted(starts)), ("pipeline", "destroyed")]
    assert upsert(world.account, world.environment, world.compiled()).action == "created"


def test_destroy_refuses_what_somebody_else_changed(world: World) -> None:
    upsert(world.account, world.environment, world.compiled())
    behind(world, lambda document: document.update(Metadata={"by": "hand"}))
    removal = plan_removal(world.account, world.environment, "churn")
    with pytest.raises(Refusal, match="not what mlops last wrote"):
        destroy(world.account, world.environment, removal)
    destroy(world.account, world.environment, removal, force=True)
    assert plan_removal(world.account, world.environment, "churn").labels == ()


def test_only_what_nobody_refers_to_is_pruned(world: World) -> None:
    upsert(world.account, world.environment, world.compiled())
    upsert(world.account, world.environment, world.compiled(code="print(2)\n"))
    stored = inventory(world.account, world.environment)
    assert sorted(item.referenced for item in stored.assets) == [False, True, True]
    assert prunable(stored, 30) == ()
    unused = prunable(stored, 0)
    prune(world.account, world.environment, unused)
    assert [item.referenced for item in inventory(world.account, world.environment).assets] == [True, True]
    assert upsert(world.account, world.environment, world.compiled(code="print(2)\n")).action == "unchanged"
    # Going back sends again what was removed.
    assert len(upsert(world.account, world.environment, world.compiled()).uploaded) == 1


def test_nothing_is_pruned_where_a_record_is_of_a_pipeline_that_is_not_here(world: World) -> None:
    upsert(world.account, world.environment, world.compiled())
    assert inventory(world.account, world.environment).elsewhere == ()
    world.account.client("sagemaker").delete_pipeline(PipelineName="churn", ClientRequestToken="0" * 32)
    found = inventory(world.account, world.environment)
    assert found.elsewhere == ("churn",) and not any(item.referenced for item in found.assets)
    with pytest.raises(Refusal, match="pipelines that this account does not have, churn: which code they use"):
        prunable(found, 0)
    destroy(world.account, world.environment, plan_removal(world.account, world.environment, "churn"))
    assert len(prunable(inventory(world.account, world.environment), 0)) == 2
