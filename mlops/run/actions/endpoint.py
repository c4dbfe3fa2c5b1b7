"""Endpoint: CreateEndpoint, or UpdateEndpoint where one of that name is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.run.in_service import Serving, found
from mlops.run.outcome import Task
from mlops.run.work import Work


def start(work: Work) -> Task:
    request = {"EndpointName": work.name, **work.request}
    name, config = str(request["EndpointName"]), str(request["EndpointConfigName"])
    before = found(work, "Endpoint", name)
    if before is None:
        work.ports.registry.create("CreateEndpoint", request)
    else:
        # Tags are given when it is made; UpdateEndpoint has no such member.
        changed = {member: value for member, value in request.items() if member != "Tags"}
        work.note(f"{before['EndpointArn']} is there already, so it is updated")
        work.ports.registry.create("UpdateEndpoint", changed)

    def lacks(told: Mapping[str, Any]) -> str | None:
        if told.get("EndpointConfigName") == config:
            return None
        return told.get("FailureReason") or f"it serves {told.get('EndpointConfigName')} and not {config}"

    return Serving(work, "Endpoint", "endpoint", name, lacks)
