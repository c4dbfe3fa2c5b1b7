"""Requests that EventBridge Scheduler makes by itself: its universal targets, and what they are told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mlops.ir.surroundings import partition_of


def target_arn(role: str, service: str, operation: str) -> str:
    """In the partition of ``role``; ``operation`` begins with a small letter.

    >>> target_arn("arn:aws-cn:iam::111122223333:role/r", "sagemaker", "createTransformJob")
    'arn:aws-cn:scheduler:::aws-sdk:sagemaker:createTransformJob'
    """
    return f"arn:{partition_of(role)}:scheduler:::aws-sdk:{service}:{operation}"


def as_text(request: Mapping[str, Any]) -> str:
    """The same for the same request.

    >>> as_text({"b": 1, "a": 2})
    '{"a":2,"b":1}'
    """
    return json.dumps(request, sort_keys=True, separators=(",", ":"))


def in_template(request: Mapping[str, Any]) -> Any:
    """A request as a text, joined where something in it is known to CloudFormation alone, such as a model's name."""
    text = list(_pieces(request))
    return text[0] if len(text) == 1 else {"Fn::Join": ["", text]}


def _pieces(request: Mapping[str, Any]) -> Iterator[Any]:
    """What is known to CloudFormation alone between its texts."""
    found: list[Mapping[str, Any]] = []

    def marked(value: Any) -> Any:
        if isinstance(value, Mapping) and any(key == "Ref" or key.startswith("Fn::") for key in value):
            found.append(value)
            return f"\0{len(found) - 1}\0"
        if isinstance(value, Mapping):
            return {member: marked(item) for member, item in value.items()}
        return [marked(item) for item in value] if isinstance(value, list | tuple) else value

    for number, piece in enumerate(as_text(marked(request)).split("\\u0000")):
        yield found[int(piece)] if number % 2 else piece
