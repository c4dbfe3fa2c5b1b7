"""The record of a gate: what has to be so before a version may serve, and what is looked at to say so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Approval:
    """A decision on a version. ``by`` is an ARN or a name, None where nobody knows: it was made elsewhere."""

    status: Literal["Approved", "Rejected"]
    by: str | None
    reason: str | None
    at: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a gate may look at; what takes a call is asked when a gate wants it.

    ``author`` is who registered the version, None where that is not known. ``metrics`` are the numbers of its reports
    by dotted name, ``serving_metrics`` those of the version that serves now; None where none does. ``details`` is
    DescribeModelPackage's reply.
    """

    environment: str
    group: str
    version: int
    approval: str
    author: str | None
    created: datetime | None
    now: datetime
    details: Mapping[str, Any] = field(default_factory=dict)
    approvals: Callable[[], Sequence[Approval]] = tuple
    metrics: Callable[[], Mapping[str, float]] = dict
    serving_metrics: Callable[[], Mapping[str, float] | None] = lambda: None
    passed: Callable[[str], str | None] = lambda environment: None
    """Why the version has not passed another environment; None where it has."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """``found`` is what was found, in words, whether it passes or not."""

    passes: bool
    found: str


@dataclass(frozen=True, slots=True)
class Gate:
    """``read`` makes settings of what ``mlops.toml`` says and raises ValueError with a sentence."""

    name: str
    summary: str
    read: Callable[[Any], Any]
    judge: Callable[[Any, Asked], Judgement]


def table(cls: type[Any]) -> Callable[[Any], Any]:
    """A ``read`` whose settings are a dataclass: its fields are the keys."""

    def read(raw: Any) -> Any:
        known = ", ".join(cls.__dataclass_fields__)
        if not isinstance(raw, Mapping):
            raise ValueError(f"give a table, with the keys {known}")
        for key in raw:
            if key not in cls.__dataclass_fields__:
                raise ValueError(f"{key!r} is not a key of it; known: {known}")
        return cls(**raw)

    return read
