"""Rules of EventBridge with one target each, as resources that are declared beside pipelines."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from mlops.deploy.tag_lists import told_tags
from mlops.ir.resource import SHORT_NAME, Call, Kept, ResourceType, at_rest


def rule_type(
    type_: str,
    pattern: Callable[[Mapping[str, Any]], Any],
    target: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    *,
    behind: tuple[str, ...] = (),
    not_here: Callable[[Mapping[str, Any]], str | None] = at_rest,
) -> ResourceType:
    """``pattern`` and ``target`` are of what is declared. In the account the rule is called ``mlops-TYPE-NAME``."""

    def rule(name: str) -> str:
        return f"mlops-{type_}-{name}"

    def put(name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        told = json.dumps(pattern(properties), sort_keys=True, separators=(",", ":"))
        return {"Name": rule(name), "EventPattern": told, "State": properties.get("State") or "ENABLED"}

    def create(name: str, properties: Mapping[str, Any]) -> tuple[Call, ...]:
        tags = {"Tags": list(properties["Tags"])} if properties.get("Tags") else {}
        return (Call("PutRule", {**put(name, properties), **tags}),)

    def change(name: str, properties: Mapping[str, Any], reply: Mapping[str, Any]) -> tuple[Call, ...]:
        targets = {"Rule": rule(name), "Targets": [dict(target(properties))]}
        return (Call("PutRule", put(name, properties)), Call("PutTargets", targets))

    def form(properties: Mapping[str, Any]) -> dict[str, Any]:
        """The rule and its targets, as they are made."""
        state = properties.get("State") or "ENABLED"
        return {"EventPattern": pattern(properties), "State": state, "Targets": [dict(target(properties))]}

    def delete(name: str, inside: Mapping[str, Any]) -> tuple[Call, ...]:
        """A rule goes only without its targets."""
        ids = [item["Id"] for item in inside.get("Targets") or ()]
        gone = (Call("RemoveTargets", {"Rule": rule(name), "Ids": ids}),) if ids else ()
        return (*gone, Call("DeleteRule", {"Name": rule(name)}))

    def listed(name: str) -> Call:
        return Call("ListTargetsByRule", {"Rule": rule(name)}, pages="Targets")

    return ResourceType(
        type=type_,
        service="events",
        cloudformation="AWS::Events::Rule",
        describe=lambda name: (Call("DescribeRule", {"Name": rule(name)}), listed(name)),
        read=_read,
        create=create,
        update=None,
        inside=lambda name: (listed(name),),
        delete=delete,
        permissions=("iam:PassRole",),
        templated=lambda name, properties: {"Name": rule(name), **form(properties)},
        kept=Kept(
            called=SHORT_NAME,
            named="Name",
            arn=f"arn:{{partition}}:events:{{region}}:{{account}}:rule/mlops-{type_}-{{name}}",
            tags=lambda arn, name: Call("ListTagsForResource", {"ResourceARN": arn}),
            told=told_tags,
            tag=lambda arn, name, tags: Call("TagResource", {"ResourceARN": arn, "Tags": tags}),
            change=change,
            form=form,
            in_parts=True,
            behind=behind,
            not_here=not_here,
        ),
    )


def _read(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        pattern = json.loads(reply.get("EventPattern") or "null")
    except ValueError:
        pattern = reply.get("EventPattern")
    return {"EventPattern": pattern, "State": reply.get("State"), "Targets": list(reply.get("Targets") or ())}
