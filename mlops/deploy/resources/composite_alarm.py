"""Composite alarms, declared beside pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.deploy.tag_lists import told_tags
from mlops.ir.resource import Call, Kept, ResourceType, called_by

_MEMBERS = (
    "ActionsEnabled",
    "AlarmActions",
    "AlarmDescription",
    "AlarmRule",
    "InsufficientDataActions",
    "OKActions",
    "ActionsSuppressor",
    "ActionsSuppressorWaitPeriod",
    "ActionsSuppressorExtensionPeriod",
)


def _form(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without what the service fills in where nothing is said."""
    told = {member: properties[member] for member in _MEMBERS if properties.get(member) not in (None, [], "")}
    if told.get("ActionsEnabled") is True:
        del told["ActionsEnabled"]
    return told


def _put(name: str, properties: Mapping[str, Any]) -> tuple[Call, ...]:
    return (Call("PutCompositeAlarm", {"AlarmName": name, **properties}),)


RESOURCE_TYPE = ResourceType(
    type="composite-alarm",
    service="cloudwatch",
    cloudformation="AWS::CloudWatch::CompositeAlarm",
    describe=lambda name: (Call("DescribeAlarms", {"AlarmNames": [name], "AlarmTypes": ["CompositeAlarm"]}),),
    read=lambda reply: _form(reply["CompositeAlarms"][0]),
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
        found=lambda reply: bool(reply.get("CompositeAlarms")),
        form=_form,
        behind=("alarm",),
        named="AlarmName",
    ),
)
