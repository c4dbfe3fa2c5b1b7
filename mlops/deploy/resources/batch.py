"""Batches, declared beside pipelines: each is a schedule of EventBridge Scheduler that makes a Transform job, in a
group of its own, which has the tags."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mlops.deploy.tag_lists import told_tags
from mlops.ir.resource import BATCH_NAME, BESIDE, Call, Kept, ResourceType, fingerprint
from mlops.ir.surroundings import partition_of

_TARGET = "arn:{partition}:scheduler:::aws-sdk:sagemaker:createTransformJob"
_JOB, _ID = "TransformJobName", "<aws.scheduler.execution-id>"
_PLAIN = ("ScheduleExpression", "ScheduleExpressionTimezone", "State")


def _group(name: str) -> str:
    return f"mlops-batch-{name}"


def _target(name: str, properties: Mapping[str, Any], text: Any) -> dict[str, Any]:
    partition = partition_of(str(properties["RoleArn"]))
    return {"Arn": _TARGET.format(partition=partition), "RoleArn": properties["RoleArn"], "Input": text}


def _job(name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {_JOB: f"{name}-{_ID}", **properties["Transform"]}


def _schedule(name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    text = json.dumps(_job(name, properties), sort_keys=True, separators=(",", ":"))
    return {
        "Name": name,
        "GroupName": _group(name),
        **{member: properties[member] for member in _PLAIN if properties.get(member)},
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": _target(name, properties, text),
    }


def _create(name: str, properties: Mapping[str, Any]) -> tuple[Call, ...]:
    tags = list(properties.get("Tags") or ())
    # The same again is no conflict: an upsert that was cut off between the two calls is made again.
    token = fingerprint({"name": name, "tags": tags})
    return (
        Call("CreateScheduleGroup", {"Name": _group(name), "Tags": tags, "ClientToken": token}),
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
    text = list(_pieces(_job(name, properties)))
    told = {member: properties[member] for member in _PLAIN if properties.get(member)}
    written = text[0] if len(text) == 1 else {"Fn::Join": ["", text]}
    window = {"FlexibleTimeWindow": {"Mode": "OFF"}}
    group = {"GroupName": {"Ref": f"{BESIDE}Group"}}
    return {"Name": name, **group, **told, **window, "Target": _target(name, properties, written)}


def _pieces(job: Mapping[str, Any]) -> Iterator[Any]:
    """The text of a request, with what is known to CloudFormation alone, such as a model's name, between its texts."""
    found: list[Mapping[str, Any]] = []

    def marked(value: Any) -> Any:
        if isinstance(value, Mapping) and any(key == "Ref" or key.startswith("Fn::") for key in value):
            found.append(value)
            return f"\0{len(found) - 1}\0"
        if isinstance(value, Mapping):
            return {member: marked(item) for member, item in value.items()}
        return [marked(item) for item in value] if isinstance(value, list | tuple) else value

    text = json.dumps(marked(job), sort_keys=True, separators=(",", ":"))
    for number, piece in enumerate(text.split("\\u0000")):
        yield found[int(piece)] if number % 2 else piece


RESOURCE_TYPE = ResourceType(
    type="batch",
    service="scheduler",
    cloudformation="AWS::Scheduler::Schedule",
    describe=lambda name: (Call("GetSchedule", {"Name": name, "GroupName": _group(name)}),),
    read=_read,
    create=_create,
    update=None,
    delete=lambda name, inside: (Call("DeleteScheduleGroup", {"Name": _group(name)}),),
    permissions=("iam:PassRole",),
    templated=_templated,
    accompanied=lambda name, properties: {
        "Group": ("AWS::Scheduler::ScheduleGroup", {"Name": _group(name), "Tags": list(properties.get("Tags") or ())})
    },
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
