"""Rules of EventBridge: a pipeline is started by an event."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mlops.deploy.feedback import machines_of
from mlops.deploy.starts import name_of, read_target, target
from mlops.ir import Value
from mlops.ir.resource import Call, Resource, ResourceType
from mlops.project.environments import Environment
from mlops.project.feedback import event_of, triggers_of

_TARGET_ID = "pipeline"


def declared(environment: Environment, pipeline: str) -> Iterator[Resource]:
    """``[env.NAME.triggers]``, and what begins ``[env.NAME.feedback]``, which the local account runs itself."""
    for name, trigger in triggers_of(environment).items():
        if trigger.pipeline != pipeline:
            continue
        told: dict[str, Value] = {
            "EventPattern": _pattern(trigger.event),
            "State": "ENABLED" if trigger.enabled else "DISABLED",
            "Target": target(trigger, environment, pipeline),
        }
        if trigger.description is not None:
            told["Description"] = trigger.description
        yield Resource("trigger", name_of(pipeline, name), told)
    for machine in machines_of(environment, pipeline):
        yield Resource(
            "trigger",
            machine.called,
            {
                "EventPattern": _pattern(event_of(machine.kind, machine.watched)),
                "State": "ENABLED" if machine.enabled else "DISABLED",
                "Target": {"Arn": machine.arn, "RoleArn": machine.role},
                "Description": f"feedback {machine.name}: the {machine.kind} {machine.watched} starts its machine"[
                    :512
                ],
            },
        )


def _pattern(event: Any) -> str:
    return json.dumps(event, sort_keys=True, separators=(",", ":"))


def _read(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    told = {member: reply[member] for member in ("State", "Description") if reply.get(member)}
    try:
        pattern = json.loads(reply.get("EventPattern") or "null")
    except ValueError:
        pattern = reply.get("EventPattern")
    targets = reply["Targets"]
    whole = read_target(targets[0]) if len(targets) == 1 else {"Targets": len(targets)}
    return {**told, "EventPattern": _pattern(pattern), "Target": whole}


def _targets(name: str) -> tuple[Call, ...]:
    return (Call("ListTargetsByRule", {"Rule": name}, pages="Targets"),)


def _put(name: str, properties: Mapping[str, Any]) -> tuple[Call, ...]:
    rule = {member: value for member, value in properties.items() if member != "Target"}
    return (
        Call("PutRule", {"Name": name, **rule}),
        Call("PutTargets", {"Rule": name, "Targets": [_named(properties["Target"])]}),
    )


def _named(target: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"Id": _TARGET_ID, **target}


def _templated(name: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """The pattern is an object there, and the target a property."""
    rule = {member: value for member, value in properties.items() if member != "Target"}
    pattern = json.loads(properties["EventPattern"])
    return {"Name": name, **rule, "EventPattern": pattern, "Targets": [_named(properties["Target"])]}


def _delete(name: str, inside: Mapping[str, Any]) -> tuple[Call, ...]:
    """A rule goes only without its targets."""
    ids = [item["Id"] for item in inside["Targets"]]
    return (
        *((Call("RemoveTargets", {"Rule": name, "Ids": ids}),) if ids else ()),
        Call("DeleteRule", {"Name": name}),
    )


RESOURCE_TYPE = ResourceType(
    type="trigger",
    service="events",
    cloudformation="AWS::Events::Rule",
    describe=lambda name: (Call("DescribeRule", {"Name": name}), *_targets(name)),
    read=_read,
    create=_put,
    update=_put,
    inside=_targets,
    delete=_delete,
    permissions=("iam:PassRole",),
    templated=_templated,
)
