"""How the service would describe what a file has just made: with the request's members, done and well."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

_WELL = (
    "Succeeded",
    "Completed",
    "InService",
    "Active",
    "ACTIVE",
    "Created",
    "CreateCompleted",
    "Scheduled",
    "SUCCEEDED",
    "Enabled",
)
_THEN = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)


def described(shape: Any, kind: str, made: Mapping[str, Any], arn: str) -> dict[str, Any]:
    """``shape`` is botocore's of the answer, ``made`` the request that made the thing, of which ``kind`` it is. A
    status is one that ends a wait with success, a time is a constant, and of what only a run would bring nothing is
    said."""
    told: dict[str, Any] = {}
    for name, member in shape.members.items():
        if name in made:
            told[name] = made[name]
        elif name == "PipelineArn":
            told[name] = arn.partition("/execution/")[0]
        elif name == f"{kind}Arn" or (name.endswith("Arn") and name in shape.required_members):
            told[name] = arn
        elif name.endswith("Status") and getattr(member, "enum", None):
            told[name] = next((word for word in _WELL if word in member.enum), member.enum[0])
        elif member.type_name == "timestamp":
            told[name] = _THEN
        elif name in shape.required_members:
            told[name] = {"list": [], "structure": {}, "map": {}, "string": "", "boolean": False}.get(
                member.type_name, 0
            )
    return told
