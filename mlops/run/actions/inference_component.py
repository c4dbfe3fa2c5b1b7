"""InferenceComponent: CreateInferenceComponent, or UpdateInferenceComponent where one of that name is there. It is over
when that is InService or will not be.

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

_UNDER_WAY = frozenset({"Creating", "Updating"})
_OF_UPDATES = ("InferenceComponentName", "Specification", "RuntimeConfig")


def start(work: Work) -> Task:
    work.need_possible(work.request)
    request = {"InferenceComponentName": work.name, **work.request}
    name = str(request["InferenceComponentName"])
    before = _found(work, name)
    if before is None:
        work.ports.registry.create("CreateInferenceComponent", request)
    else:
        # It stays on its endpoint, with its tags.
        changed = {member: request[member] for member in _OF_UPDATES if request.get(member) is not None}
        work.note(f"{before['InferenceComponentArn']} is there already, so it is updated")
        work.ports.registry.create("UpdateInferenceComponent", changed)
    return _Awaited(work, name)


def _found(work: Work, name: str) -> Mapping[str, Any] | None:
    try:
        return work.ports.registry.describe("DescribeInferenceComponent", {"InferenceComponentName": name})
    except RequestRefused:
        return None


@dataclass(slots=True)
class _Awaited:
    work: Work
    name: str
    _told: Mapping[str, Any] = field(default_factory=dict)
    _next: float = 0.0
    _stopping: bool = False

    @property
    def metadata(self) -> Mapping[str, Any]:
        arn = self._told.get("InferenceComponentArn")
        return {} if arn is None else {"InferenceComponent": {"Arn": arn}}

    def poll(self) -> Outcome | None:
        if self._stopping:
            return Outcome("Stopped", None, self.metadata, self._told)
        if time.monotonic() < self._next:
            return None
        asked = {"InferenceComponentName": self.name}
        self._told = told = self.work.ports.registry.describe("DescribeInferenceComponent", asked)
        self._next = time.monotonic() + self.work.pace.asking
        status, reason = told["InferenceComponentStatus"], told.get("FailureReason")
        if status in _UNDER_WAY:
            return None
        if status == "InService" and reason is None:
            return Outcome("Succeeded", None, self.metadata, told)
        failure = f"inference component {self.name} is {status}: {reason or 'no reason'}"
        return Outcome("Failed", failure, self.metadata, told)

    def stop(self) -> None:
        self._stopping = True

    def kill(self) -> None:
        return None
