"""Rules of AWS IoT that put messages into a stream, declared beside pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.ir.resource import Call, Kept, ResourceType

_NOT_THERE = ("UnauthorizedException", "ResourceNotFoundException")
"""GetTopicRule says the first of a rule that there is not, too (API reference, and known of its SDKs)."""
_SQL_VERSION = "2016-03-23"


def _payload(properties: Mapping[str, Any]) -> dict[str, Any]:
    action = {"roleArn": properties["RoleArn"], "deliveryStreamName": properties["Stream"]}
    action |= {"separator": properties["Separator"]} if properties.get("Separator") else {}
    return {
        "sql": properties["Sql"],
        "awsIotSqlVersion": _SQL_VERSION,
        "ruleDisabled": properties.get("State") == "DISABLED",
        "actions": [{"firehose": action}],
    }


def _create(name: str, properties: Mapping[str, Any]) -> tuple[Call, ...]:
    """Its tags come behind: IoT takes them as a query here, where letters have to be escaped."""
    return (Call("CreateTopicRule", {"ruleName": name, "topicRulePayload": _payload(properties)}),)


def _change(name: str, properties: Mapping[str, Any], reply: Mapping[str, Any]) -> tuple[Call, ...]:
    return (Call("ReplaceTopicRule", {"ruleName": name, "topicRulePayload": _payload(properties)}),)


def _read(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    rule = reply.get("rule") or {}
    return {
        "sql": rule.get("sql"),
        "awsIotSqlVersion": rule.get("awsIotSqlVersion") or _SQL_VERSION,
        "ruleDisabled": bool(rule.get("ruleDisabled")),
        "actions": [_action(item) for item in rule.get("actions") or ()],
    }


def _action(action: Mapping[str, Any]) -> dict[str, Any]:
    return {
        kind: {member: value for member, value in told.items() if member != "batchMode" or value}
        for kind, told in action.items()
    }


def _spelt(value: Any) -> Any:
    """As a template spells it."""
    match value:
        case Mapping():
            return {member[:1].upper() + member[1:]: _spelt(item) for member, item in value.items()}
        case list():
            return [_spelt(item) for item in value]
    return value


def _templated(name: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    tags = {"Tags": list(properties["Tags"])} if properties.get("Tags") else {}
    return {"RuleName": name, "TopicRulePayload": _spelt(_payload(properties)), **tags}


RESOURCE_TYPE = ResourceType(
    type="topic-rule",
    service="iot",
    cloudformation="AWS::IoT::TopicRule",
    describe=lambda name: (Call("GetTopicRule", {"ruleName": name}, nothing=_NOT_THERE),),
    read=_read,
    create=_create,
    update=None,
    delete=lambda name, inside: (Call("DeleteTopicRule", {"ruleName": name}),),
    permissions=("iam:PassRole",),
    templated=_templated,
    kept=Kept(
        called=r"[a-zA-Z0-9_]{1,128}",
        named="RuleName",
        arn="arn:{partition}:iot:{region}:{account}:rule/{name}",
        tags=lambda arn, name: Call("ListTagsForResource", {"resourceArn": arn}),
        told=lambda reply: {item["Key"]: item.get("Value", "") for item in reply.get("tags") or ()},
        tag=lambda arn, name, tags: Call("TagResource", {"resourceArn": arn, "tags": tags}),
        change=_change,
        found=lambda reply: bool(reply.get("rule")),
        form=_payload,
        in_parts=True,
        behind=("stream",),
        not_here=lambda properties: "messages of IoT",
    ),
)
