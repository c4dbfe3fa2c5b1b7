"""Endpoint: CreateEndpoint, or UpdateEndpoint where one of that name is there. It is over when that is InService or
will not be.

What serves goes on when the execution is stopped, as it does on the service.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.run.outcome import Outcome, Task
from mlops.run.ports import RequestRefused
from mlops.run.work import Work

_UNDER_WAY = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack"})


def start(work: Work) -> Task:
    request = {"EndpointName": work.name, **work.request}
    name = request["EndpointName"]
    before = _found(work, name)
    if before is None:
        work.ports.registry.create("CreateEndpoint", request)
    else:
        # Tags are given when it is made; UpdateEndpoint has no such member.
        changed = {member: value for member, value in request.items() if member != "Tags"}
        work.note(f"{before['EndpointArn']} is there already, so it is updated")
        work.ports.registry.create("UpdateEndpoint", changed)
    return _Awaited(work, str(name), str(request["EndpointConfigName"]))


def _found(work: Work, name: Any) -> Mapping[str, Any] | None:
    try:
        return work.ports.registry.describe("DescribeEndpoint", {"EndpointName": name})
    except RequestRefused:
        return None


@dataclass(slots=True)
class _Awaited:
    work: Work
    name: str
    config: str
    _told: Mapping[str, Any] = field(default_factory=dict)
    _next: float = 0.0
    _stopping: bool = False

    @property
    def metadata(self) -> Mapping[str, Any]:
        arn = self._told.get("EndpointArn")
        return {} if arn is None else {"Endpoint": {"Arn": arn}}

    def poll(self) -> Outcome | None:
        if self._stopping:
            return Outcome("Stopped", None, self.metadata, self._told)
        if time.monotonic() < self._next:
            return None
        self._told = told = self.work.ports.registry.describe("DescribeEndpoint", {"EndpointName": self.name})
        self._next = time.monotonic() + self.work.pace.asking
        status = told["EndpointStatus"]
        if status in _UNDER_WAY:
            return None
        if status == "InService" and told.get("EndpointConfigName") == self.config:
            return Outcome("Succeeded", None, self.metadata, told)
        reason = told.get("FailureReason") or (
            f"it serves {told.get('EndpointConfigName')} and not {self.config}"
            if status == "InService"
            else "no reason"
        )
        return Outcome("Failed", f"endpoint {self.name} is {status}: {reason}", self.metadata, told)

    def stop(self) -> None:
        self._stopping = True

    def kill(self) -> None:
        return None
