"""Tags by key, and as most services list them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def listed(tags: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def told_tags(reply: Mapping[str, Any]) -> Mapping[str, str]:
    """By key, of a reply that lists them."""
    return {item["Key"]: item["Value"] for item in reply.get("Tags") or ()}
