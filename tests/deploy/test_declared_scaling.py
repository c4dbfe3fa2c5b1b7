"""Declared scaling of an endpoint in an account: planned and brought with it, changed, and gone on with."""

from __future__ import annotations

from typing import Any

import pytest

from mlops.deploy.declared import plan_report
from mlops.deploy.declared.destroy import destroy, plan_removal

from .conftest import World
from .test_declared import planned, upserted
from .test_promote import SOUND

DECLARED = """
from mlops import resources
m = resources.Model("churn", image="{image}", model={model})
c = resources.EndpointConfig("churn", model=m.model_name, instance="ml.m5.large")
resources.Endpoint("churn", config=c.config_name, scaling={{a}})
"""
BY_LOAD = "resources.Scaling(least=1, most=4, invocations=600)"
BY_BOTH = (
    "resources.Scaling(least=1, most=6, requests=5, "
    'schedule={"morning": resources.At("cron(0 8 ? * MON-FRI *)", 2, 6, timezone="Europe/Berlin")})'
)
OF = {"ServiceNamespace": "sagemaker"}


def text_of(world: World) -> str:
    if world.account.here is None:
        return DECLARED.format(image="{image}", model='"s3://acme-ml/m.tar.gz"')
    code = world.folder / "model" / "code"
    code.mkdir(parents=True, exist_ok=True)
    (code / "inference.py").write_text(SOUND.format(n=1))
    return DECLARED.format(image="{image}", model='"model"')


def there(world: World) -> tuple[list[tuple[int, int]], list[str], list[str]]:
    client: Any = world.account.client("application-autoscaling")
    bounds = [
        (item["MinCapacity"], item["MaxCapacity"]) for item in client.describe_scalable_targets(**OF)["ScalableTargets"]
    ]
    policies = [item["PolicyName"] for item in client.describe_scaling_policies(**OF)["ScalingPolicies"]]
    actions = [item["ScheduledActionName"] for item in client.describe_scheduled_actions(**OF)["ScheduledActions"]]
    return bounds, policies, actions


def test_it_is_planned_with_the_endpoint_changed_and_taken_away_with_it(world: World) -> None:
    text = text_of(world)
    try:
        plan = planned(world, text, a=BY_LOAD)
        assert [action.label for action in plan.actions][-2:] == [
            "create the endpoint churn",
            "scale the endpoint churn",
        ]
        upserted(world, text, a=BY_LOAD)
        assert there(world) == ([(1, 4)], ["invocations"], [])
        assert not planned(world, text, a=BY_LOAD).actions

        plan = planned(world, text, a=BY_BOTH)
        assert [action.label for action in plan.actions] == ["scale the endpoint churn"]
        assert "~ /churn" not in plan_report.text(plan) and "most: 4 -> 6" in plan_report.text(plan)
        upserted(world, text, a=BY_BOTH)
        assert there(world) == ([(1, 6)], ["requests"], ["morning"])
        assert not planned(world, text, a=BY_BOTH).actions

        # What is not declared is whoever's.
        assert not planned(world, text, a="None").actions
        client = world.account.client("application-autoscaling")
        (target,) = client.describe_scalable_targets(**OF)["ScalableTargets"]
        of = {member: target[member] for member in ("ServiceNamespace", "ResourceId", "ScalableDimension")}
        client.register_scalable_target(**of, MaxCapacity=9)
        assert [action.label for action in planned(world, text, a=BY_BOTH).actions] == ["scale the endpoint churn"]
    finally:
        destroy(world.account, world.environment, plan_removal(world.account, world.environment, "churn"))


class Killed(BaseException):
    """Nothing of ours catches it."""


@pytest.mark.parametrize("world", ["moto"], indirect=True)
def test_what_was_cut_off_is_gone_on_with(world: World) -> None:
    text = text_of(world)
    client = world.account.client("application-autoscaling")
    for last in ("RegisterScalableTarget", "PutScalingPolicy", "PutScheduledAction"):

        def cut(model: Any, last: str = last, **_: Any) -> None:
            if model.name == last:
                raise Killed

        client.meta.events.register_last("after-call.*.*", cut)
        with pytest.raises(Killed):
            upserted(world, text, a=BY_BOTH)
        client.meta.events.unregister("after-call.*.*", cut)
    upserted(world, text, a=BY_BOTH)
    assert there(world) == ([(1, 6)], ["requests"], ["morning"])
    assert not planned(world, text, a=BY_BOTH).actions
