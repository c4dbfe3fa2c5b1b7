"""Restarts of notebook instances, declared beside pipelines: two schedules of EventBridge Scheduler, one that stops the
instance and one that starts it, in a group of their own, which has the tags."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from mlops.deploy import schedule_groups
from mlops.deploy.scheduled_calls import as_text, in_template, target_arn
from mlops.deploy.tag_lists import told_tags
from mlops.ir.resource import BESIDE, SHORT_NAME, Call, Kept, ResourceType

_STOP, _START = "Stop", "Start"
_EXPRESSIONS = {_STOP: "ScheduleExpression", _START: "StartExpression"}
_RETRIES: Mapping[str, Mapping[str, Any]] = {
    # What is tried again behind the start would stop the instance once more.
    _STOP: {"MaximumRetryAttempts": 0},
    # It is refused while the instance is stopping still.
    _START: {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 10},
}
_PLAIN = ("ScheduleExpressionTimezone", "State")
_NAME = "NotebookInstanceName"


def _group(name: str) -> str:
    return f"mlops-restart-{name}"


def _place(name: str, part: str) -> dict[str, Any]:
    return {"Name": f"{name}-{part.lower()}", "GroupName": _group(name)}


def _schedule(part: str, properties: Mapping[str, Any], text: Any) -> dict[str, Any]:
    role = str(properties["RoleArn"])
    return {
        "ScheduleExpression": properties[_EXPRESSIONS[part]],
        **{member: properties[member] for member in _PLAIN if properties.get(member)},
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {
            "Arn": target_arn(role, "sagemaker", f"{part.lower()}NotebookInstance"),
            "RoleArn": role,
            "Input": text,
            "RetryPolicy": dict(_RETRIES[part]),
        },
    }


def _asked(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {_NAME: properties["Notebook"]}


def _create(name: str, properties: Mapping[str, Any]) -> tuple[Call, ...]:
    return (schedule_groups.created(_group(name), name, properties),)


def _change(name: str, properties: Mapping[str, Any], reply: Mapping[str, Any]) -> tuple[Call, ...]:
    found: list[Call] = []
    for part in _EXPRESSIONS:
        request = {**_place(name, part), **_schedule(part, properties, as_text(_asked(properties)))}
        found.append(Call("CreateSchedule", request, when=partial(_lacks, part)))
        found.append(Call("UpdateSchedule", request, when=partial(_has, part)))
    return tuple(found)


def _has(part: str, told: Mapping[str, Any]) -> bool:
    return part in told


def _lacks(part: str, told: Mapping[str, Any]) -> bool:
    return part not in told


def _read(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    return {part: _told(reply[part]) for part in _EXPRESSIONS if part in reply}


def _form(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    return {part: _told(_schedule(part, properties, as_text(_asked(properties)))) for part in _EXPRESSIONS}


def _told(schedule: Mapping[str, Any]) -> dict[str, Any]:
    target = schedule.get("Target") or {}
    told = {member: schedule[member] for member in ("ScheduleExpression", *_PLAIN) if schedule.get(member)}
    if told.get("ScheduleExpressionTimezone") == "UTC":
        del told["ScheduleExpressionTimezone"]
    return {**told, "Target": {member: target.get(member) for member in ("Arn", "RoleArn", "Input", "RetryPolicy")}}


def _templated(name: str, properties: Mapping[str, Any], part: str = _STOP) -> Mapping[str, Any]:
    place = {**_place(name, part), "GroupName": {"Ref": f"{BESIDE}Group"}}
    return {**place, **_schedule(part, properties, in_template(_asked(properties)))}


RESOURCE_TYPE = ResourceType(
    type="notebook-restart",
    service="scheduler",
    cloudformation="AWS::Scheduler::Schedule",
    describe=lambda name: (
        Call("GetScheduleGroup", {"Name": _group(name)}),
        *(
            Call("GetSchedule", _place(name, part), nothing=("ResourceNotFoundException",), below=part)
            for part in _EXPRESSIONS
        ),
    ),
    read=_read,
    create=_create,
    update=None,
    delete=lambda name, inside: schedule_groups.deleted(_group(name)),
    permissions=("iam:PassRole",),
    templated=_templated,
    accompanied=lambda name, properties: {
        "Group": schedule_groups.in_template(_group(name), properties),
        _START: ("AWS::Scheduler::Schedule", _templated(name, properties, _START)),
    },
    kept=Kept(
        called=SHORT_NAME,
        named="Name",
        arn="arn:{partition}:scheduler:{region}:{account}:schedule-group/mlops-restart-{name}",
        tags=lambda arn, name: Call("ListTagsForResource", {"ResourceArn": arn}),
        told=told_tags,
        tag=lambda arn, name, tags: Call("TagResource", {"ResourceArn": arn, "Tags": tags}),
        in_parts=True,
        change=_change,
        form=_form,
        behind=("notebook-instance",),
    ),
)
