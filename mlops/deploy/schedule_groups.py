"""Groups of EventBridge Scheduler: what has schedules has them in one of its own, which has the tags. A schedule has
none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.ir.resource import Call, fingerprint


def created(group: str, name: str, properties: Mapping[str, Any]) -> Call:
    """``name`` is that of whatever has the schedules. The same again is no conflict: an upsert that was cut off behind
    it is made again."""
    tags = list(properties.get("Tags") or ())
    token = fingerprint({"name": name, "tags": tags})
    return Call("CreateScheduleGroup", {"Name": group, "Tags": tags, "ClientToken": token})


def deleted(group: str) -> tuple[Call, ...]:
    """With the schedules in it."""
    return (Call("DeleteScheduleGroup", {"Name": group}),)


def in_template(group: str, properties: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Its type and properties."""
    return "AWS::Scheduler::ScheduleGroup", {"Name": group, "Tags": list(properties.get("Tags") or ())}
