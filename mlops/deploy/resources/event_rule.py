"""Rules of EventBridge that put events into a stream, declared beside pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.deploy.event_rules import rule_type

_TARGET_ID = "stream"


def _target(properties: Mapping[str, Any]) -> dict[str, Any]:
    told = {"Id": _TARGET_ID, "Arn": properties["Stream"], "RoleArn": properties["RoleArn"]}
    return {**told, "InputPath": properties["Part"]} if properties.get("Part") else told


RESOURCE_TYPE = rule_type("event-rule", lambda properties: properties["Pattern"], _target, behind=("stream",))
