"""Keys of KMS, declared beside pipelines: called by an alias, since a key itself has a number. None is ever removed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlops.ir.resource import ITSELF, Call, Declarable, FromTemplate, Kept, Others, ResourceType, Told
from mlops.ir.values import Value

_LIKE = "00000000-0000-0000-0000-000000000000"
_WINDOW_DAYS = 30


def _alias(name: str) -> str:
    return f"alias/{name}"


def _id(name: str) -> Told:
    """Behind its alias."""

    def find(told: Mapping[str, Any]) -> str | None:
        made: str | None = told.get("KeyMetadata", {}).get("KeyId")
        behind = (item.get("TargetKeyId") for item in told.get("Aliases", ()) if item["AliasName"] == _alias(name))
        return next(filter(None, behind), made)

    return Told(_LIKE, find)


def _read(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    key, policy = reply["KeyMetadata"], json.loads(reply["Policy"])
    return _form(
        {
            "Description": key.get("Description"),
            "EnableKeyRotation": reply.get("KeyRotationEnabled", False),
            "Policy": None if _is_default(policy, key.get("AWSAccountId")) else policy,
        }
    )


def _form(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        member: properties[member]
        for member in ("Description", "EnableKeyRotation", "Policy")
        if properties.get(member)
    }


def _is_default(policy: Mapping[str, Any], account: str | None) -> bool:
    """What a key has where nobody gives one (guide: key-policy-default). Whoever declares the like calls the statement
    otherwise, or does without."""
    match policy:
        case {
            "Statement": [
                {
                    "Sid": "Enable IAM User Permissions",
                    "Effect": "Allow",
                    "Principal": {"AWS": str(whom)},
                    "Action": "kms:*",
                    **more,
                }
            ]
        }:
            return whom.split(":")[4:] == [account, "root"] and not more.get("Condition")
    return False


def _create(name: str, properties: Mapping[str, Any]) -> tuple[Call, ...]:
    tags = [{"TagKey": item["Key"], "TagValue": item["Value"]} for item in properties.get("Tags") or ()]
    made = {"Description": properties.get("Description") or "", "Tags": tags}
    return (Call("CreateKey", made), Call("CreateAlias", {"AliasName": _alias(name), "TargetKeyId": _id(name)}))


def _change(name: str, properties: Mapping[str, Any], reply: Mapping[str, Any]) -> tuple[Call, ...]:
    was, now, key = _read(reply) if reply.get("KeyMetadata") else {}, _form(properties), {"KeyId": _id(name)}
    calls: list[Call] = []
    if was.get("Description") != now.get("Description"):
        calls.append(Call("UpdateKeyDescription", {**key, "Description": now.get("Description", "")}))
    if was.get("EnableKeyRotation") != now.get("EnableKeyRotation"):
        calls.append(Call("EnableKeyRotation" if now.get("EnableKeyRotation") else "DisableKeyRotation", key))
    if was.get("Policy") != now.get("Policy") and "Policy" in now:
        calls.append(Call("PutKeyPolicy", {**key, "PolicyName": "default", "Policy": json.dumps(now["Policy"])}))
    return tuple(calls)


def _cannot(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    if "Policy" in before and "Policy" not in now:
        return ("it has a policy of its own, and none is declared: declare the one that it is to have",)
    return ()


def _templated(name: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    told = {member: properties[member] for member in ("Description", "EnableKeyRotation") if member in properties}
    tags = {"Tags": properties["Tags"]} if properties.get("Tags") else {}
    policy = {"KeyPolicy": properties["Policy"]} if properties.get("Policy") else {}
    return {**told, **policy, "PendingWindowInDays": _WINDOW_DAYS, **tags}


_ALIAS = "AWS::KMS::Alias"
_DECLARED = {"Description": "Description", "KeyPolicy": "Policy", "Tags": "Tags"}
_LEFT_OUT = ("EnableKeyRotation", "PendingWindowInDays")


def _from_template(properties: Mapping[str, Value], others: Others, region: str) -> Declarable:
    """Called by its alias, without which nobody says what it is."""
    aliases = [alias for item in others.get(_ALIAS, ()) if isinstance(alias := item.get("AliasName"), str)]
    told = {ours: properties[theirs] for theirs, ours in _DECLARED.items() if theirs in properties}
    told["EnableKeyRotation"] = properties.get("EnableKeyRotation", False)
    left = [f"{member}: it is not declared" for member in properties if member not in (*_DECLARED, *_LEFT_OUT)]
    if properties.get("PendingWindowInDays", _WINDOW_DAYS) != _WINDOW_DAYS:
        left.append(f"PendingWindowInDays: it is {_WINDOW_DAYS}")
    if len(aliases) > 1:
        left.append(f"AliasName: one is declared, and these are not: {', '.join(aliases[1:])}")
    return Declarable(aliases[0].removeprefix("alias/") if aliases else None, told, tuple(left))


RESOURCE_TYPE = ResourceType(
    type="key",
    service="kms",
    cloudformation="AWS::KMS::Key",
    describe=lambda name: (
        Call("ListAliases", {}, pages="Aliases"),
        Call("DescribeKey", {"KeyId": _id(name)}),
        Call("GetKeyRotationStatus", {"KeyId": _id(name)}),
        Call("GetKeyPolicy", {"KeyId": _id(name), "PolicyName": "default"}),
    ),
    read=_read,
    create=_create,
    update=None,
    delete=lambda name, inside: (),
    templated=_templated,
    from_template=FromTemplate(_from_template, {_ALIAS: "TargetKeyId"}),
    accompanied=lambda name, properties: {
        "Alias": ("AWS::KMS::Alias", {"AliasName": _alias(name), "TargetKeyId": ITSELF})
    },
    retained=True,
    kept=Kept(
        called=r"[a-zA-Z0-9][a-zA-Z0-9/_\-]{0,249}",
        named=None,
        arn="arn:{partition}:kms:{region}:{account}:alias/{name}",
        tags=lambda arn, name: Call("ListResourceTags", {"KeyId": _id(name)}, pages="Tags"),
        told=lambda reply: {item["TagKey"]: item["TagValue"] for item in reply["Tags"]},
        tag=lambda arn, name, tags: Call(
            "TagResource",
            {
                "KeyId": _id(name),
                "Tags": [{"TagKey": item["Key"], "TagValue": item["Value"]} for item in tags],
            },
        ),
        change=_change,
        found=lambda reply: bool(reply.get("KeyMetadata")),
        form=_form,
        in_parts=True,
        cannot=_cannot,
        stays=lambda inside: "what it encrypted could not be read without it",
        allowed=("arn:{partition}:kms:{region}:{account}:key/*",),
        anywhere=("CreateKey", "ListAliases"),
    ),
)
