"""What an account keeps of each time that a feedback was to act: once per cause, from its first decision to its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any

from mlops.ir.dataclass import dataclass

ASKS = frozenset({"ask-rollback", "ask-start", "ask-promote"})
"""Stages in which a person is waited for."""

ENDED = frozenset({"watched", "skipped", "done", "failed", "refused", "rejected"})
"""Its last states. ``watched``: it was looked at first then, and nothing before counts."""


@dataclass(frozen=True, slots=True)
class Loop:
    """``cause`` is the sequence number of the event that it answers; ``state`` is the stage that is next, or one of
    :data:`ENDED`. ``told`` is JSON: what was decided, and what came of each stage."""

    feedback: str
    cause: int
    state: str
    created: datetime
    modified: datetime
    told: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def asks(self) -> bool:
        return self.state in ASKS

    @property
    def acted(self) -> bool:
        """Whether it counts as one time."""
        return self.state not in ("watched", "skipped")
