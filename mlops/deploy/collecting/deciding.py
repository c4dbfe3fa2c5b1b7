"""What nothing needs any more, decided without an account.

Only what promotions made, and only what is older than some days: what is being made right now is needed by something
that cannot be seen yet. What serves, what a rollback goes back to, and what a promotion that was begun wants, stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from mlops.ir.dataclass import dataclass

Kind: TypeAlias = Literal["endpoint", "config", "model"]


@dataclass(frozen=True, slots=True)
class EndpointThere:
    """``configs`` are those that it serves or goes to. ``window`` are those that it can be rolled back to, ``wanted``
    those of a promotion that was begun and has not ended. ``ours``: a promotion made it. ``invocations`` are of the
    time that was asked for, None where they say nothing of whether it is used; then ``why_not`` says so."""

    name: str
    status: str
    modified: datetime
    configs: frozenset[str]
    window: frozenset[str] = frozenset()
    wanted: frozenset[str] = frozenset()
    ours: bool = False
    invocations: float | None = None
    why_not: str | None = None


@dataclass(frozen=True, slots=True)
class ConfigThere:
    name: str
    created: datetime
    models: frozenset[str]
    ours: bool


@dataclass(frozen=True, slots=True)
class ModelThere:
    name: str
    created: datetime
    ours: bool


@dataclass(frozen=True, slots=True)
class Account:
    """``wanted`` are configurations of promotions that have not ended, at endpoints that are not there."""

    endpoints: tuple[EndpointThere, ...]
    configs: tuple[ConfigThere, ...]
    models: tuple[ModelThere, ...]
    wanted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Removal:
    """``why`` is a clause."""

    kind: Kind
    name: str
    why: str


def decide(there: Account, now: datetime, *, older_than: timedelta, idle: timedelta | None) -> tuple[Removal, ...]:
    """In the order in which it can be removed."""
    before = now - older_than
    configs = tuple(_configs(there, before))
    return (*_endpoints(there, now, idle), *configs, *_models(there, before, {item.name for item in configs}))


def unsure(there: Account, now: datetime, idle: timedelta | None) -> tuple[str, ...]:
    """What cannot be told of endpoints that may be idle, a sentence each."""
    if idle is None:
        return ()
    return tuple(
        f"{item.name} is left: {item.why_not}"
        for item in there.endpoints
        if item.ours and item.why_not is not None and item.modified < now - idle
    )


def _endpoints(there: Account, now: datetime, idle: timedelta | None) -> Iterable[Removal]:
    if idle is None:
        return
    days = f"{idle.total_seconds() / 86400:g} days"
    for item in there.endpoints:
        may = item.ours and item.status == "InService" and not item.wanted and item.modified < now - idle
        if may and item.why_not is None and not item.invocations:
            yield Removal("endpoint", item.name, f"nobody invoked it for {days}")


def _configs(there: Account, before: datetime) -> Iterable[Removal]:
    needed = there.wanted.union(*(item.configs | item.window | item.wanted for item in there.endpoints))
    for item in there.configs:
        if item.ours and item.name not in needed and item.created < before:
            yield Removal("config", item.name, "no endpoint serves it, and none can be rolled back to it")


def _models(there: Account, before: datetime, removed: set[str]) -> Iterable[Removal]:
    left: Sequence[ConfigThere] = [item for item in there.configs if item.name not in removed]
    needed = frozenset().union(*(item.models for item in left))
    for item in there.models:
        if item.ours and item.name not in needed and item.created < before:
            yield Removal("model", item.name, "no endpoint configuration that stays names it")
