"""A declared alarm is planned, made, changed where it stands and removed: the proof that another type of declared
resource is a file in each of two folders."""

from __future__ import annotations

import pytest

from mlops.deploy.declared import plan_report
from mlops.deploy.declared.destroy import destroy, plan_removal
from mlops.deploy.declared.wanting import RESOURCE
from mlops.ir import Refusal

from .conftest import World
from .test_declared import LOCAL, planned, upserted

ALARM = """
from mlops import resources
resources.Alarm(
    "churn/5xx",
    metric=resources.Metric("AWS/SageMaker", "Invocation5XXErrors", {{"VariantName": "a", "EndpointName": "churn"}}),
    statistic="Sum", period=60, periods=3, datapoints=2, threshold={a}, comparison="GreaterThanThreshold",
    missing="notBreaching", on_alarm=["arn:aws:sns:us-east-1:123456789012:ops"], tags={{"team": "growth"}},
)
"""


def test_it_is_made_changed_and_removed(world: World) -> None:
    cloudwatch = world.account.client("cloudwatch")
    plan = planned(world, ALARM)
    assert [action.label for action in plan.actions] == ["create the alarm churn/5xx"]
    assert "  + alarm churn/5xx\n" in plan_report.text(plan)
    upserted(world, ALARM)
    assert not planned(world, ALARM).actions
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=["churn/5xx"])["MetricAlarms"]
    assert (alarm["DatapointsToAlarm"], alarm["TreatMissingData"], alarm["Threshold"]) == (2, "notBreaching", 1.0)
    tags = {item["Key"]: item["Value"] for item in _tags(world, alarm["AlarmArn"])}
    assert (tags[RESOURCE], tags["team"]) == ("alarm churn/5xx", "growth")

    plan = planned(world, ALARM, a="7")
    assert ([action.label for action in plan.actions], plan.verb) == (["update the alarm churn/5xx"], "update")
    assert "Threshold: 1.0 -> 7" in plan_report.text(plan)
    upserted(world, ALARM, a="7")
    assert not planned(world, ALARM, a="7").actions

    theirs = {member: alarm[member] for member in ("Namespace", "MetricName", "Statistic", "Period")}
    cloudwatch.put_metric_alarm(
        AlarmName="churn/5xx",
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanThreshold",
        Threshold=1,
        **theirs,
    )
    assert "changed by somebody else" in planned(world, ALARM, a="7").drift[0]
    with pytest.raises(Refusal, match="changed by somebody else"):
        upserted(world, ALARM, a="7")
    upserted(world, ALARM, a="7", force=True)
    assert not planned(world, ALARM, a="7").actions

    removal = plan_removal(world.account, world.environment, "churn/5xx")
    assert removal.labels == ("alarm churn/5xx",)
    destroy(world.account, world.environment, removal)
    assert not cloudwatch.describe_alarms()["MetricAlarms"]
    assert not plan_removal(world.account, world.environment, "churn/5xx").gone


def test_what_somebody_else_made_is_told_and_left_alone(world: World) -> None:
    world.account.client("cloudwatch").put_metric_alarm(
        AlarmName="churn/5xx",
        Namespace="a",
        MetricName="b",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanThreshold",
        Threshold=1,
    )
    with pytest.raises(Refusal, match="was not made by mlops"):
        upserted(world, ALARM)
    assert not plan_removal(world.account, world.environment, "churn/5xx").gone


def _tags(world: World, arn: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = world.account.client("cloudwatch").list_tags_for_resource(ResourceARN=arn)["Tags"]
    return found


COMPOSITE = """
from mlops import resources
c = resources.CompositeAlarm("churn", rule="ALARM(low) OR ALARM(high)", suppressor="low", wait=30, extension={a},
                             description="either")
for name in ("low", "high"):
    resources.Alarm(name, metric=resources.Metric("shop", name), statistic="Sum", period=60, threshold=1,
                    comparison="GreaterThanThreshold")
"""


@LOCAL
def test_a_composite_alarm_comes_behind_those_that_it_names(world: World) -> None:
    """moto has none."""
    plan = planned(world, COMPOSITE)
    assert [action.label for action in plan.actions] == [
        "create the alarm low",
        "create the alarm high",
        "create the composite-alarm churn",
    ]
    upserted(world, COMPOSITE)
    assert not planned(world, COMPOSITE).actions
    upserted(world, COMPOSITE, a="60")
    assert not planned(world, COMPOSITE, a="60").actions
    cloudwatch = world.account.client("cloudwatch")
    (found,) = cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    assert found["ActionsSuppressorExtensionPeriod"] == 60
    destroy(world.account, world.environment, plan_removal(world.account, world.environment, "churn"))
    assert not cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm"]).get("CompositeAlarms")
