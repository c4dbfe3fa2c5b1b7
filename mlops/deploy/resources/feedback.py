"""Feedback that is declared in Python, in the local account: each is a rule of EventBridge that says what it watches,
and in its description what is done. It aims at nothing: who runs feedback answers the account's own events
(``mlops feedback run``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlops.deploy.tag_lists import told_tags
from mlops.ir import UsageError
from mlops.ir.resource import SHORT_NAME, Call, Kept, ResourceType

PREFIX = "mlops-feedback-"
_LONGEST = 512
"""botocore: RuleDescription."""


def rule_of(name: str) -> str:
    """
    >>> rule_of("drift")
    'mlops-feedback-drift'
    """
    return f"{PREFIX}{name}"


def declared_by(rule: Mapping[str, Any]) -> dict[str, Any]:
    """As its author said it, from a rule as the account tells it. Raises ValueError for one that is none of ours."""
    try:
        found = json.loads(rule.get("Description") or "")
    except (ValueError, RecursionError):
        raise ValueError("the rule is no feedback of ours") from None
    if not isinstance(found, dict):
        raise ValueError("the rule is no feedback of ours")
    return found


def _form(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {member: value for member, value in properties.items() if member != "Tags" and value not in (None, [], {})}


def _pattern(properties: Mapping[str, Any]) -> dict[str, Any]:
    from mlops.project.feedback import event_of  # it needs pydantic, and few declare any

    kind = "alarm" if properties.get("alarm") is not None else "monitor"
    return event_of(kind, str(properties.get(kind)))


def _rule(name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Raises UsageError where it says too much."""
    told = json.dumps(_form(properties), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if len(told) > _LONGEST:
        raise UsageError(
            f"what the feedback {name} declares has {len(told)} letters, and {_LONGEST} can be kept",
            hint=f"declare it in mlops.toml, as [env.NAME.feedback.{name}]",
        )
    pattern = json.dumps(_pattern(properties), sort_keys=True, separators=(",", ":"))
    return {"Name": rule_of(name), "EventPattern": pattern, "State": "DISABLED", "Description": told}


def _create(name: str, properties: Mapping[str, Any]) -> tuple[Call, ...]:
    tags = list(properties.get("Tags") or ())
    return (Call("PutRule", {**_rule(name, properties), **({"Tags": tags} if tags else {})}),)


def _read(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        return declared_by(reply)
    except ValueError:
        return {}


RESOURCE_TYPE = ResourceType(
    type="feedback",
    service="events",
    cloudformation="AWS::Events::Rule",
    describe=lambda name: (Call("DescribeRule", {"Name": rule_of(name)}),),
    read=_read,
    create=_create,
    update=lambda name, properties: (Call("PutRule", _rule(name, properties)),),
    delete=lambda name, inside: (Call("DeleteRule", {"Name": rule_of(name)}),),
    templated=lambda name, properties: _rule(name, properties),
    kept=Kept(
        called=SHORT_NAME,
        named="Name",
        arn="arn:{partition}:events:{region}:{account}:rule/mlops-feedback-{name}",
        tags=lambda arn, name: Call("ListTagsForResource", {"ResourceARN": arn}),
        told=told_tags,
        tag=lambda arn, name, tags: Call("TagResource", {"ResourceARN": arn, "Tags": tags}),
        change=lambda name, properties, reply: (Call("PutRule", _rule(name, properties)),),
        form=_form,
        behind=("alarm", "composite-alarm", "monitor", "endpoint"),
    ),
)
