"""What happens, as facts: an execution started, a step ended, a version was approved, traffic moved.

An event is told once, by whoever did it, and never changed. Views (logs, progress, ``--format json``, later a console
and streams) are made of events; nothing that decides reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import datetime
from typing import TypeAlias

from mlops.ir.dataclass import dataclass
from mlops.ir.values import Value


@dataclass(frozen=True, slots=True)
class Event:
    """``kind`` is ``<noun>.<what happened>``, e.g. ``execution.started``, ``step.ended``, ``endpoint.in-service``,
    ``model-package.approved``, ``promotion.shifted``. ``about`` is the ARN, or the name, of what it happened to.

    ``ids`` joins events: by ``pipeline``, ``execution``, ``step``, ``job``, ``endpoint``, ``variant``,
    ``model-package``, ``promotion``. ``detail`` is JSON without a payload; what looks like a secret in it is hidden.
    ``sequence`` is its place in the table that keeps it, None before it is kept.
    """

    kind: str
    time: datetime
    about: str
    ids: Mapping[str, str] = field(default_factory=dict)
    detail: Mapping[str, Value] = field(default_factory=dict)
    sequence: int | None = None

    def __post_init__(self) -> None:
        if self.detail:
            from mlops.ir.hiding import hide  # takes its time to load, and many events have no detail

            object.__setattr__(self, "detail", hide(self.detail))


Listener: TypeAlias = Callable[[Event], None]
"""Hears of each event when it has happened. What a listener raises is the caller's fault and ends the work."""


def unheard(event: Event) -> None:
    """The listener of who does not listen."""
