"""Subscriptions of streams to log groups, declared beside pipelines and called as their groups.

CloudWatch Logs has no tags for a subscription: whose it is stands in tags of its log group, which go with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlops.ir.resource import Call, Kept, ResourceType, Told

FILTER = "mlops"
"""What each is called within its group."""
_GROUPS, _FILTERS = "logGroups", "subscriptionFilters"


def _filter(name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "logGroupName": name,
        "filterName": FILTER,
        "filterPattern": properties.get("Pattern") or "",
        "destinationArn": properties["Stream"],
        "roleArn": properties["RoleArn"],
    }


def _put(name: str, properties: Mapping[str, Any]) -> tuple[Call, ...]:
    return (Call("PutSubscriptionFilter", _filter(name, properties)),)


def _create(name: str, properties: Mapping[str, Any]) -> tuple[Call, ...]:
    """SageMaker makes a group with the first line that it writes, and none can be subscribed to before. Tags come
    first: what is cut off behind them is known as ours."""
    made = Call("CreateLogGroup", {"logGroupName": name}, nothing=("ResourceAlreadyExistsException",))
    tags = properties.get("Tags")
    tagged = (_tag(_arn_of(name), tags),) if tags else ()
    return (made, _group(name), *tagged, *_put(name, properties))


def _found(reply: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return next((item for item in reply.get(_FILTERS) or () if item["filterName"] == FILTER), None)


def _read(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    there = _found(reply) or {}
    return _form({"Pattern": there.get("filterPattern"), "Stream": there.get("destinationArn"),
                  "RoleArn": there.get("roleArn")})  # fmt: skip


def _form(properties: Mapping[str, Any]) -> dict[str, Any]:
    told = {member: properties.get(member) for member in ("Pattern", "Stream", "RoleArn")}
    return {member: value for member, value in told.items() if value}


def _listed(name: str) -> Call:
    return Call("DescribeSubscriptionFilters", {"logGroupName": name, "filterNamePrefix": FILTER})


def _group(name: str) -> Call:
    return Call("DescribeLogGroups", {"logGroupNamePrefix": name}, pages=_GROUPS)


def _arn_of(name: str) -> Told:
    """Of its group, as its tags are asked for: without the star."""

    def taken(told: Mapping[str, Any]) -> str | None:
        found = [item for item in told.get(_GROUPS) or () if item["logGroupName"] == name]
        return str(found[0]["arn"]).removesuffix(":*") if found else None

    return Told(f"arn:aws:logs:::log-group:{name}", taken)


def _tag(group: str | Told, tags: Sequence[Mapping[str, str]]) -> Call:
    return Call("TagResource", {"resourceArn": group, "tags": {item["Key"]: item["Value"] for item in tags}})


def _delete(name: str, inside: Mapping[str, Any]) -> tuple[Call, ...]:
    tags = [key for key in inside.get("tags") or () if key.startswith("mlops:")]
    gone = (Call("UntagResource", {"resourceArn": _arn_of(name), "tagKeys": tags}),) if tags else ()
    return (Call("DeleteSubscriptionFilter", {"logGroupName": name, "filterName": FILTER}), *gone)


RESOURCE_TYPE = ResourceType(
    type="log-subscription",
    service="logs",
    cloudformation="AWS::Logs::SubscriptionFilter",
    describe=lambda name: (_listed(name),),
    read=_read,
    create=_create,
    update=None,
    inside=lambda name: (_group(name), Call("ListTagsForResource", {"resourceArn": _arn_of(name)})),
    delete=_delete,
    permissions=("iam:PassRole",),
    templated=lambda name, properties: {
        member[:1].upper() + member[1:]: value for member, value in _filter(name, properties).items()
    },
    kept=Kept(
        called=r"[.\-_/#A-Za-z0-9]{1,512}",
        named="LogGroupName",
        arn="arn:{partition}:logs:{region}:{account}:log-group:{name}",
        tags=lambda arn, name: Call("ListTagsForResource", {"resourceArn": arn}),
        told=lambda reply: dict(reply.get("tags") or {}),
        tag=lambda arn, name, tags: _tag(arn, tags),
        change=lambda name, properties, reply: _put(name, properties),
        found=lambda reply: _found(reply) is not None,
        form=_form,
        in_parts=True,
        behind=("stream",),
        allowed=("arn:{partition}:logs:{region}:{account}:log-group:{name}:*",),
        anywhere=("DescribeLogGroups",),
    ),
)
