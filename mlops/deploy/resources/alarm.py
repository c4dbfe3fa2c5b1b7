"""Metric alarms, declared beside pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.deploy.tag_lists import told_tags
from mlops.ir.resource import Call, Kept, ResourceType, called_by

_TOLD = frozenset(
    {
        "AlarmName",
        "AlarmArn",
        "AlarmConfigurationUpdatedTimestamp",
        "StateValue",
        "StateReason",
        "StateReasonData",
        "StateUpdatedTimestamp",
        "StateTransitionedTimestamp",
        "EvaluationState",
    }
)
"""Of one that is there, and no part of what it was made with."""


def _form(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without what the service fills in where nothing is said."""
    told = {member: value for member, value in properties.items() if value not in (None, [], {}, "")}
    told.pop("Tags", None)
    if told.get("ActionsEnabled") is True:
        del told["ActionsEnabled"]
    if told.get("TreatMissingData") == "missing":
        del told["TreatMissingData"]
    if told.get("DatapointsToAlarm") == told.get("EvaluationPeriods"):
        told.pop("DatapointsToAlarm", None)
    if "Threshold" in told:
        told["Threshold"] = float(told["Threshold"])
    if "Metrics" in told:
        told["Metrics"] = [_query(query) for query in told["Metrics"]]
    if "Dimensions" in told:
        told["Dimensions"] = _sorted(told["Dimensions"])
    return told


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    told = {member: value for member, value in query.items() if value not in (None, "")}
    if told.get("ReturnData") is True:
        del told["ReturnData"]
    if "MetricStat" in told:
        watched = told["MetricStat"]
        metric = {member: value for member, value in watched["Metric"].items() if value}
        if "Dimensions" in metric:
            metric["Dimensions"] = _sorted(metric["Dimensions"])
        told["MetricStat"] = {**{member: value for member, value in watched.items() if value}, "Metric": metric}
    return told


def _sorted(dimensions: Any) -> list[dict[str, Any]]:
    return sorted(map(dict, dimensions), key=lambda item: str(item["Name"]))


def _read(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    (alarm,) = reply["MetricAlarms"]
    return _form({member: value for member, value in alarm.items() if member not in _TOLD})


def _put(name: str, properties: Mapping[str, Any]) -> tuple[Call, ...]:
    return (Call("PutMetricAlarm", {"AlarmName": name, **properties}),)


RESOURCE_TYPE = ResourceType(
    type="alarm",
    service="cloudwatch",
    cloudformation="AWS::CloudWatch::Alarm",
    describe=lambda name: (Call("DescribeAlarms", {"AlarmNames": [name], "AlarmTypes": ["MetricAlarm"]}),),
    read=_read,
    create=_put,
    update=_put,
    delete=lambda name, inside: (Call("DeleteAlarms", {"AlarmNames": [name]}),),
    from_template=called_by("AlarmName"),
    kept=Kept(
        called=r".{1,255}",
        arn="arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}",
        tags=lambda arn, name: Call("ListTagsForResource", {"ResourceARN": arn}),
        told=told_tags,
        tag=lambda arn, name, tags: Call("TagResource", {"ResourceARN": arn, "Tags": tags}),
        change=lambda name, properties, reply: _put(name, properties),
        found=lambda reply: bool(reply.get("MetricAlarms")),
        form=_form,
    ),
)
