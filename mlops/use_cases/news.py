"""What a use case tells while it is under way. Unlike other events these are kept nowhere: each holds the value itself
that it is about, for whoever shows it in this process."""

from __future__ import annotations

from dataclasses import field
from datetime import UTC, datetime

from mlops.ir import Event, Finding, MlopsError
from mlops.ir.dataclass import dataclass


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class News(Event):
    kind: str = "use-case.told"
    time: datetime = field(default_factory=_now)
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said(News):
    """A sentence for people."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged(News):
    """What the checker finds in the targets, before anything is done with them."""

    kind: str = "targets.judged"
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(News):
    """One of several things could not be done; the others are gone on with."""

    kind: str = "use-case.failed"
    error: MlopsError
