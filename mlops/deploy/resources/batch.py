"""Batches, declared beside pipelines: each is a schedule of EventBridge Scheduler that makes a Transform job, in a
group of its own, which has the tags."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlops.deploy import schedule_groups
from mlops.deploy.scheduled_calls import as_text, in_template, target_arn
from mlops.deploy.tag_lists import told_tags
from mlops.ir.resource import BATCH_NAME, BESIDE, Call, Kept, ResourceType

_JOB, _ID = "TransformJobName", "<aws.scheduler.execution-id>"
_PLAIN = ("ScheduleExpression", "ScheduleExpressionTimezone", "State")


def _group(name: str) -> str:
    return f"mlops-batch-{name}"


def _target(name: str, properties: Mapping[str, Any], text: Any) -> dict[str, Any]:
    role = properties["RoleArn"]
    return {"Arn": target_arn(str(role), "sagemaker", "createTransformJob"), "RoleArn": role, "Input": text}


def _job(name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {_JOB: f"{name}-{_ID}", **properties["Transform"]}


def _schedule(name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Name": name,
        "GroupName": _group(name),
        **{member: properties[member] for member in _PLAIN if properties.get(member)},
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": _target(name, properties, as_text(_job(name, properties))),
    }


def _create(name: str, properties: Mapping[str, Any]) -> tuple[Call, ...]:
    return (
        schedule_groups.created(_group(name), name, properties),
        Call("CreateSchedule", _schedule(name, properties)),
    )


def _read(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        job = json.loads(reply["Target"]["Input"])
        del job[_JOB]
    except (KeyError, TypeError, ValueError):
        return {}
    told = {member: reply.get(member) for member in _PLAIN}
    return _form({**told, "RoleArn": reply["Target"].get("RoleArn"), "Transform": job})


def _form(properties: Mapping[str, Any]) -> dict[str, Any]:
    told = {member: value for member, value in properties.items() if member != "Tags" and value}
    if told.get("ScheduleExpressionTimezone") == "UTC":
        del told["ScheduleExpressionTimezone"]
    return told


def _templated(name: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    written = in_template(_job(name, properties))
    told = {member: properties[member] for member in _PLAIN if properties.get(member)}
    window = {"FlexibleTimeWindow": {"Mode": "OFF"}}
    group = {"GroupName": {"Ref": f"{BESIDE}Group"}}
    return {"Name": name, **group, **told, **window, "Target": _target(name, properties, written)}


RESOURCE_TYPE = ResourceType(
    type="batch",
    service="scheduler",
    cloudformation="AWS::Scheduler::Schedule",
    describe=lambda name: (Call("GetSchedule", {"Name": name, "GroupName": _group(name)}),),
    read=_read,
    create=_create,
    update=None,
    delete=lambda name, inside: schedule_groups.deleted(_group(name)),
    permissions=("iam:PassRole",),
    templated=_templated,
    accompanied=lambda name, properties: {"Group": schedule_groups.in_template(_group(name), properties)},
    kept=Kept(
        called=BATCH_NAME,
        named="Name",
        arn="arn:{partition}:scheduler:{region}:{account}:schedule-group/mlops-batch-{name}",
        tags=lambda arn, name: Call("ListTagsForResource", {"ResourceArn": arn}),
        told=told_tags,
        tag=lambda arn, name, tags: Call("TagResource", {"ResourceArn": arn, "Tags": tags}),
        change=lambda name, properties, reply: (Call("UpdateSchedule", _schedule(name, properties)),),
        form=_form,
    ),
)
