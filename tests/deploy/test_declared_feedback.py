"""Feedback that Python declares: a rule that says what it watches, made, changed where it stands, removed; and answered
by whoever runs feedback of the environment that declared it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from mlops.check.sources import open_targets
from mlops.deploy.declared.destroy import destroy, plan_removal
from mlops.deploy.declared.wanting import RESOURCE
from mlops.deploy.resources.feedback import RESOURCE_TYPE
from mlops.ir import ConfigurationError, UsageError
from mlops.project.environments import Environment
from mlops.use_cases import feedback
from mlops.use_cases.connecting import Connected

from .conftest import World
from .test_declared import planned, upserted

DECLARED = """
from mlops import resources
drift = resources.Alarm(
    "churn-drift", metric=resources.Metric("shop", "drift"), statistic="Maximum", period=60,
    comparison="GreaterThanThreshold", threshold=0.2,
)
resources.Feedback(
    "drift", alarm=drift.alarm_name, pipeline="churn", group="churn", endpoint="churn", window="{a}",
    parameters={{"Since": "{{since}}", "Deep": True}}, approval=["promote"], tags={{"team": "growth"}},
)
"""
pytestmark = pytest.mark.parametrize("world", ["local"], indirect=True)


def found(world: World, environment: Environment | None = None) -> Any:
    return feedback.declared(Connected(environment or world.environment, world.account, world.folder))


def test_it_is_made_changed_and_removed(world: World) -> None:
    plan = planned(world, DECLARED, a="7d")
    assert [action.label for action in plan.actions] == ["create the alarm churn-drift", "create the feedback drift"]
    upserted(world, DECLARED, a="7d")
    assert not planned(world, DECLARED, a="7d").actions
    client = world.account.client("events")
    rule = client.describe_rule(Name="mlops-feedback-drift")
    assert json.loads(rule["EventPattern"])["detail"]["alarmName"] == ["churn-drift"]
    assert rule["State"] == "DISABLED", "the account's own process answers"
    tags = {item["Key"]: item["Value"] for item in client.list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"]}
    assert (tags[RESOURCE], tags["team"]) == ("feedback drift", "growth")
    told = found(world)["drift"]
    assert (told.watches, told.pipeline, told.group, told.approval) == (
        ("alarm", "churn-drift"),
        "churn",
        "churn",
        ["promote"],
    )
    assert (told.window, told.parameters, told.cooldown) == ("7d", {"Since": "{since}", "Deep": "true"}, "1h")
    upserted(world, DECLARED, a="2d")
    assert found(world)["drift"].window == "2d"
    assert found(world, replace(world.environment, name="other")) == {}, "it is of the environment that declared it"
    client.put_rule(Name="mlops-feedback-others", EventPattern='{"source": ["x"]}', Description="not ours")
    assert found(world).keys() == {"drift"}
    removal = plan_removal(world.account, world.environment, "drift")
    assert removal.labels == ("feedback drift",)
    destroy(world.account, world.environment, removal)
    assert found(world) == {}


def test_one_that_both_declare_is_told(world: World) -> None:
    upserted(world, DECLARED, a="7d")
    both = replace(world.environment, feedback=dict(found(world)))
    with pytest.raises(ConfigurationError, match="declared in mlops"):
        found(world, both)


PROD = (
    '[env.prod]\naccount = "111122223333"\nregion = "eu-west-1"\nrole = "arn:aws:iam::111122223333:role/p"\n'
    'bucket = "acme-ml"\n'
)
PIPELINE = """
from mlops import Pipeline, Fail, resources
with Pipeline("churn") as pipeline:
    Fail("Stop", "it is enough")
"""
ELSEWHERE = {
    "beside its pipeline": ('alarm="a", pipeline="churn"', None),
    "away from its pipeline": ('alarm="a", pipeline="other"', "the feedback x starts other, which this file does not"),
    "without a pipeline": ('alarm="a"', "the feedback x starts no pipeline, and in prod nobody does the rest"),
    "by an ARN": (
        'alarm=resources.CompositeAlarm("c", rule="ALARM(b)").alarm_arn, pipeline="churn"',
        "only an execution",
    ),
    "of what a run knows": ('alarm=pipeline.string("A"), pipeline="churn"', "names what only an execution knows"),
}


@pytest.mark.parametrize(("given", "said"), ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_in_another_account_it_is_of_its_pipeline(world: World, given: str, said: str | None) -> None:
    (world.folder / "mlops.toml").write_text(PROD)
    file = world.folder / "feedback.py"
    file.write_text(f'{PIPELINE}resources.Feedback("x", {given})\n')
    opened = open_targets([str(file)], "prod")
    if said is None:
        assert not opened.findings and not opened.resources
        assert [step.where.line for step in opened.pipelines[0].definition.feedback] == [5]
        (chosen,) = open_targets([f"{file}:churn"], "prod").pipelines
        assert chosen.definition.feedback == opened.pipelines[0].definition.feedback
    else:
        assert [(item.code, item.where.line) for item in opened.findings if said in item.message] == [("D042", 5)]


def test_what_is_too_long_to_be_kept_is_told(world: World) -> None:
    with pytest.raises(UsageError, match="can be kept"):
        RESOURCE_TYPE.create("drift", {"alarm": "a" * 255, "parameters": {"a": "b" * 300}})


def test_of_a_monitor(world: World) -> None:
    (call,) = RESOURCE_TYPE.create("drift", {"monitor": "watch"})
    assert json.loads(call.request["EventPattern"])["detail"] == {
        "monitor": ["watch"],
        "violations": [{"numeric": [">", 0]}],
    }
