"""Monitors of endpoints: each is a schedule of EventBridge Scheduler in a group of its own, which has the tags.

The schedule's target starts a Processing job, since Model Monitor takes no new customers. All that the monitor says
goes with the job, as its arguments: so nothing else need be kept of it, and what stands in the account is what runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlops.deploy import schedule_groups
from mlops.deploy.tag_lists import told_tags
from mlops.ir import UsageError
from mlops.ir.resource import BESIDE, SHORT_NAME, Call, Kept, ResourceType
from mlops.ir.surroundings import partition_of

TARGET = "arn:{partition}:scheduler:::aws-sdk:sagemaker:createProcessingJob"
ENTRY = "/opt/ml/processing/input/code/monitor/entry.py"
UNTIL, WORD = "MLOPS_MONITOR_UNTIL", "monitor"
_UNSCHEDULED = "rate(1 day)"
"""What stands there of a monitor that nobody starts but people."""
_PIECE, _PIECES = 256, 96
"""botocore: the length of one of ContainerArguments, and how many there are but a few for us."""


def group(name: str) -> str:
    """
    >>> group("churn")
    'mlops-monitor-churn'
    """
    return f"mlops-monitor-{name}"


def pieces(properties: Mapping[str, Any]) -> list[str]:
    """What is declared as arguments of a command. Raises UsageError where it is too long."""
    text = json.dumps(_form(properties), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    found = [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]
    if len(found) > _PIECES:
        raise UsageError(
            f"what the monitor declares has {len(text)} letters, and {_PIECE * _PIECES} can be kept",
            hint="name fewer features: the baseline has them too",
        )
    return found


def declared_by(schedule: Mapping[str, Any]) -> dict[str, Any]:
    """What :func:`pieces` was given, from a schedule as the account tells it. Raises ValueError for one that is none of
    ours."""
    try:
        job = json.loads(schedule["Target"]["Input"])
        word, *parts = job["AppSpecification"]["ContainerArguments"]
        found: dict[str, Any] = json.loads("".join(parts))
    except (KeyError, TypeError, ValueError):
        raise ValueError("the schedule starts no monitor") from None
    if word != WORD:
        raise ValueError("the schedule starts no monitor")
    return found


def job(name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """The request for a Processing job, without what differs between runs."""
    return {
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": properties.get("instance") or "ml.m5.large",
                "VolumeSizeInGB": 30,
            }
        },
        "AppSpecification": {
            "ImageUri": properties.get("image") or "mlops/monitor",
            "ContainerEntrypoint": ["python3", ENTRY],
            "ContainerArguments": [WORD, *pieces(properties)],
        },
        "RoleArn": properties.get("role"),
        "ProcessingInputs": [_input("code", str(properties["code"]), "code")],
        "Environment": {"MLOPS_MONITOR": name},
    }


def _input(name: str, uri: str, folder: str) -> dict[str, Any]:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": f"/opt/ml/processing/input/{folder}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
        },
    }


def _schedule(name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    request = job(name, properties)
    request["ProcessingJobName"] = f"{name}-<aws.scheduler.execution-id>"
    request["Environment"][UNTIL] = "<aws.scheduler.scheduled-time>"
    role = str(properties.get("role") or "")
    return {
        "Name": name,
        "GroupName": group(name),
        "ScheduleExpression": properties.get("schedule") or _UNSCHEDULED,
        "State": "ENABLED" if properties.get("schedule") else "DISABLED",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {
            "Arn": TARGET.format(partition=partition_of(role)),
            "RoleArn": role,
            "Input": json.dumps(request, sort_keys=True, separators=(",", ":")),
        },
    }


def _create(name: str, properties: Mapping[str, Any]) -> tuple[Call, ...]:
    return (
        schedule_groups.created(group(name), name, properties),
        Call("CreateSchedule", _schedule(name, properties)),
    )


def _change(name: str, properties: Mapping[str, Any], reply: Mapping[str, Any]) -> tuple[Call, ...]:
    return (Call("UpdateSchedule", _schedule(name, properties)),)


def _read(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        return declared_by(reply)
    except ValueError:
        return {}


def _form(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    return {member: value for member, value in properties.items() if member != "Tags" and value not in (None, [], ())}


RESOURCE_TYPE = ResourceType(
    type="monitor",
    service="scheduler",
    cloudformation="AWS::Scheduler::Schedule",
    describe=lambda name: (Call("GetSchedule", {"Name": name, "GroupName": group(name)}),),
    read=_read,
    create=_create,
    update=lambda name, properties: (Call("UpdateSchedule", _schedule(name, properties)),),
    delete=lambda name, inside: schedule_groups.deleted(group(name)),
    permissions=("iam:PassRole",),
    templated=lambda name, properties: {**_schedule(name, properties), "GroupName": {"Ref": f"{BESIDE}Group"}},
    in_text=True,
    accompanied=lambda name, properties: {"Group": schedule_groups.in_template(group(name), properties)},
    kept=Kept(
        called=SHORT_NAME,
        named="Name",
        arn="arn:{partition}:scheduler:{region}:{account}:schedule-group/mlops-monitor-{name}",
        tags=lambda arn, name: Call("ListTagsForResource", {"ResourceArn": arn}),
        told=told_tags,
        tag=lambda arn, name, tags: Call("TagResource", {"ResourceArn": arn, "Tags": tags}),
        change=_change,
        form=_form,
    ),
)
