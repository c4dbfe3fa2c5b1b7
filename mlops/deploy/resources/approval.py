"""Approvals that start a promotion, declared beside pipelines: each is a rule of EventBridge for versions of a group
that become approved, with one target. Any change of an approved version is told again, and promoting what serves is
nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlops.deploy.tag_lists import told_tags
from mlops.ir.resource import SHORT_NAME, Call, Kept, ResourceType

_TARGET_ID = "promotion"
_VERSION = "version"
_GIVEN = {"ModelPackageArn": f"<{_VERSION}>"}
"""What a promotion's state machine takes."""


def _rule(name: str) -> str:
    return f"mlops-approval-{name}"


def _pattern(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {"ModelPackageGroupName": [properties["Group"]], "ModelApprovalStatus": ["Approved"]},
    }


def _target(properties: Mapping[str, Any]) -> dict[str, Any]:
    machine = ":states:" in str(properties["Starts"])
    body = properties.get("Body") or (_GIVEN if machine else None)
    told = {"Id": _TARGET_ID, "Arn": properties["Starts"], "RoleArn": properties["RoleArn"]}
    if body is None:
        return told
    # A variable of EventBridge's stands in JSON without quotes.
    template = json.dumps(body, sort_keys=True).replace(f'"<{_VERSION}>"', f"<{_VERSION}>")
    paths = {_VERSION: "$.detail.ModelPackageArn"}
    return {**told, "InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}


def _put(name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    pattern = json.dumps(_pattern(properties), sort_keys=True, separators=(",", ":"))
    return {"Name": _rule(name), "EventPattern": pattern, "State": properties.get("State") or "ENABLED"}


def _create(name: str, properties: Mapping[str, Any]) -> tuple[Call, ...]:
    tags = {"Tags": list(properties["Tags"])} if properties.get("Tags") else {}
    return (Call("PutRule", {**_put(name, properties), **tags}),)


def _change(name: str, properties: Mapping[str, Any], reply: Mapping[str, Any]) -> tuple[Call, ...]:
    targets = {"Rule": _rule(name), "Targets": [_target(properties)]}
    return (Call("PutRule", _put(name, properties)), Call("PutTargets", targets))


def _form(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The rule and its targets, as they are made."""
    state = properties.get("State") or "ENABLED"
    return {"EventPattern": _pattern(properties), "State": state, "Targets": [_target(properties)]}


def _read(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        pattern = json.loads(reply.get("EventPattern") or "null")
    except ValueError:
        pattern = reply.get("EventPattern")
    return {"EventPattern": pattern, "State": reply.get("State"), "Targets": list(reply.get("Targets") or ())}


def _delete(name: str, inside: Mapping[str, Any]) -> tuple[Call, ...]:
    """A rule goes only without its targets."""
    ids = [item["Id"] for item in inside.get("Targets") or ()]
    gone = (Call("RemoveTargets", {"Rule": _rule(name), "Ids": ids}),) if ids else ()
    return (*gone, Call("DeleteRule", {"Name": _rule(name)}))


def _listed(name: str) -> Call:
    return Call("ListTargetsByRule", {"Rule": _rule(name)}, pages="Targets")


RESOURCE_TYPE = ResourceType(
    type="approval",
    service="events",
    cloudformation="AWS::Events::Rule",
    describe=lambda name: (Call("DescribeRule", {"Name": _rule(name)}), _listed(name)),
    read=_read,
    create=_create,
    update=None,
    inside=lambda name: (_listed(name),),
    delete=_delete,
    permissions=("iam:PassRole",),
    templated=lambda name, properties: {"Name": _rule(name), **_form(properties)},
    kept=Kept(
        called=SHORT_NAME,
        named="Name",
        arn="arn:{partition}:events:{region}:{account}:rule/mlops-approval-{name}",
        tags=lambda arn, name: Call("ListTagsForResource", {"ResourceARN": arn}),
        told=told_tags,
        tag=lambda arn, name, tags: Call("TagResource", {"ResourceARN": arn, "Tags": tags}),
        change=_change,
        form=_form,
        in_parts=True,
        not_here=lambda properties: "state machines, CodePipeline or API destinations",
    ),
)
