"""What serves and was asked for: it is over when that is InService or will not be.

It goes on when the execution is stopped, as it does on the service.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.run.outcome import Outcome
from mlops.run.ports import RequestRefused
from mlops.run.work import Work

_UNDER_WAY = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack"})


def found(work: Work, kind: str, name: str) -> Mapping[str, Any] | None:
    """What serves already by that name; ``kind`` as operations spell it."""
    try:
        return work.ports.registry.describe(f"Describe{kind}", {f"{kind}Name": name})
    except RequestRefused:
        return None


@dataclass(slots=True)
class Serving:
    """``called`` is the kind in a sentence. ``lacks`` says of what is InService why that is not what was wanted."""

    work: Work
    kind: str
    called: str
    name: str
    lacks: Callable[[Mapping[str, Any]], str | None]
    _told: Mapping[str, Any] = field(default_factory=dict)
    _next: float = 0.0
    _stopping: bool = False

    @property
    def metadata(self) -> Mapping[str, Any]:
        arn = self._told.get(f"{self.kind}Arn")
        return {} if arn is None else {self.kind: {"Arn": arn}}

    def poll(self) -> Outcome | None:
        if self._stopping:
            return Outcome("Stopped", None, self.metadata, self._told)
        if time.monotonic() < self._next:
            return None
        asked = {f"{self.kind}Name": self.name}
        self._told = told = self.work.ports.registry.describe(f"Describe{self.kind}", asked)
        self._next = time.monotonic() + self.work.pace.asking
        status = told[f"{self.kind}Status"]
        if status in _UNDER_WAY:
            return None
        lacking = self.lacks(told) if status == "InService" else told.get("FailureReason") or "no reason"
        if lacking is None:
            return Outcome("Succeeded", None, self.metadata, told)
        return Outcome("Failed", f"{self.called} {self.name} is {status}: {lacking}", self.metadata, told)

    def stop(self) -> None:
        self._stopping = True

    def kill(self) -> None:
        return None
