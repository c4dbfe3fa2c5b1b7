"""How a component is scaled, declared by itself: made, changed, gone on with, removed; to none and back by an alarm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlops.account.local.refusal import invalid
from mlops.account.local.services.sagemaker import endpoints, resources
from mlops.account.local.state import State
from mlops.deploy.declared import plan_report
from mlops.deploy.declared.destroy import destroy, plan_removal
from mlops.ir import AccountError

from .conftest import World
from .cut_off import killed_behind
from .test_declared import LOCAL, planned, upserted

DECLARED = """
from mlops import resources
night = resources.At("cron(0 20 * * ? *)", least=0, most=1, timezone="Europe/Berlin")
resources.ComponentScaling("churn", least={a}, most=4, invocations=70, schedule={{"night": night}}, tags={{"t": "g"}})
"""
AWAKE = """
from mlops import resources
resources.ComponentScaling("churn", least={a}, most=4, requests=5)
"""
OF = {"ServiceNamespace": "sagemaker", "ResourceId": "inference-component/churn"}


def a_component(world: World) -> None:
    """One of the name ``churn``, as a promotion makes it."""
    state = State(world.folder / ".mlops", "us-east-1")
    resources.insert(state, endpoints.COMPONENT, "churn", {"EndpointName": "door"}, taken=invalid("it is there"))


@pytest.fixture
def held(world: World) -> World:
    a_component(world)
    return world


def there(world: World) -> tuple[dict[str, int], list[str], list[str], list[Any]]:
    client = world.account.client("application-autoscaling")
    targets = client.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    policies = client.describe_scaling_policies(**OF)["ScalingPolicies"]
    actions = client.describe_scheduled_actions(**OF)["ScheduledActions"]
    alarms = world.account.client("cloudwatch").describe_alarms()["MetricAlarms"]
    arns = {item["PolicyARN"]: item["PolicyName"] for item in policies}
    return (
        {member: item[member] for item in targets for member in ("MinCapacity", "MaxCapacity")},
        sorted(arns.values()),
        [item["ScheduledActionName"] for item in actions],
        [(item["AlarmName"], [arns[action] for action in item["AlarmActions"]]) for item in alarms],
    )


@LOCAL
def test_it_is_made_changed_and_removed(held: World) -> None:
    upserted(held, DECLARED, a="0")
    wakes = [("churn-wakes", ["wakes"])]
    assert there(held) == ({"MinCapacity": 0, "MaxCapacity": 4}, ["invocations", "wakes"], ["night"], wakes)
    assert not planned(held, DECLARED, a="0").actions
    assert "~ /MinCapacity: 0 -> 1" in plan_report.text(planned(held, DECLARED, a="1"))

    upserted(held, AWAKE, a="1")
    assert there(held) == ({"MinCapacity": 1, "MaxCapacity": 4}, ["requests"], [], [])
    assert not planned(held, AWAKE, a="1").actions

    upserted(held, DECLARED, a="0")
    held.account.client("cloudwatch").delete_alarms(AlarmNames=["churn-wakes"])
    assert "/Wakes" in plan_report.text(planned(held, DECLARED, a="0"))
    upserted(held, DECLARED, a="0", force=True)
    assert there(held)[3] == wakes

    removal = plan_removal(held.account, held.environment, "churn")
    assert removal.labels == ("component-scaling churn",)
    destroy(held.account, held.environment, removal)
    assert there(held) == ({}, [], [], [])


@LOCAL
@pytest.mark.parametrize(
    "after", ["RegisterScalableTarget", "PutScheduledAction", "PutScalingPolicy", "PutMetricAlarm"]
)
def test_what_was_cut_off_is_gone_on_with(held: World, after: str) -> None:
    with killed_behind(after):
        upserted(held, DECLARED, a="0")
    assert planned(held, DECLARED, a="0").drift == ()
    upserted(held, DECLARED, a="0")
    assert there(held)[1:3] == (["invocations", "wakes"], ["night"])
    assert there(held)[3] == [("churn-wakes", ["wakes"])]
    assert not planned(held, DECLARED, a="0").actions


@LOCAL
def test_without_the_component_it_is_told(world: World, tmp_path: Path) -> None:
    with pytest.raises(AccountError, match="churn does not exist"):
        upserted(world, DECLARED, a="0")
