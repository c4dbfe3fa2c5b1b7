"""Schedules of EventBridge Scheduler: a pipeline is started by the clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.deploy.starts import name_of, read_target, target
from mlops.ir import Value
from mlops.ir.resource import Call, Resource, ResourceType
from mlops.project.environments import Environment

_ZONE = "UTC"
"""The service's own default, which it also tells for a schedule that was given none."""


def declared(environment: Environment, pipeline: str) -> Iterator[Resource]:
    """``[env.NAME.schedules]``."""
    for name, schedule in environment.schedules.items():
        if schedule.pipeline != pipeline:
            continue
        told: dict[str, Value] = {
            "ScheduleExpression": schedule.expression,
            "State": "ENABLED" if schedule.enabled else "DISABLED",
            "Target": target(schedule, environment, pipeline),
        }
        if schedule.timezone not in (None, _ZONE):
            told["ScheduleExpressionTimezone"] = schedule.timezone
        if schedule.description is not None:
            told["Description"] = schedule.description
        yield Resource("schedule", name_of(pipeline, name), told)


def _read(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    told = {member: reply[member] for member in ("ScheduleExpression", "State", "Description") if reply.get(member)}
    zone = reply.get("ScheduleExpressionTimezone")
    if zone and zone != _ZONE:
        told["ScheduleExpressionTimezone"] = zone
    return {**told, "Target": read_target(reply.get("Target") or {})}


def _request(name: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"Name": name, "FlexibleTimeWindow": {"Mode": "OFF"}, **properties}


RESOURCE_TYPE = ResourceType(
    type="schedule",
    service="scheduler",
    cloudformation="AWS::Scheduler::Schedule",
    describe=lambda name: (Call("GetSchedule", {"Name": name}),),
    read=_read,
    create=lambda name, properties: (Call("CreateSchedule", _request(name, properties)),),
    update=lambda name, properties: (Call("UpdateSchedule", _request(name, properties)),),
    delete=lambda name, inside: (Call("DeleteSchedule", {"Name": name}),),
    permissions=("iam:PassRole",),
    templated=_request,
)
