"""What a shift intends and how far it has come, one object for each endpoint in the account's bucket: whoever comes
next, on whatever machine, goes on with it.

It is written before each call, under the condition that nobody else wrote meanwhile, with a number that rises with each
that takes the shift over. So one that was superseded makes at most the call that it was about to make.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal, TypeAlias

from pydantic import TypeAdapter

from mlops.account import Account
from mlops.deploy import conditional_object
from mlops.deploy.fencing import is_over
from mlops.ir.dataclass import dataclass
from mlops.ir.shift import (
    Bake,
    CallHooks,
    MakeConfig,
    Mirror,
    Move,
    PointTo,
    Probe,
    RemoveScaling,
    RestoreScaling,
    Scale,
    Scaling,
    Serving,
    SuspendScaling,
    Weigh,
)
from mlops.project.environments import Environment

VERSION = 1
Phase: TypeAlias = Literal["shifting", "going back", "shifted", "taken back"]
Wish: TypeAlias = Literal["pause", "promote-now", "abort"]
Steer: TypeAlias = Literal["paused", "resumed", "promoted now", "aborted"]
_KINDS = (
    MakeConfig,
    PointTo,
    Probe,
    Scale,
    Weigh,
    Bake,
    Mirror,
    SuspendScaling,
    RemoveScaling,
    RestoreScaling,
    CallHooks,
)
_MOVES: Mapping[str, type[Move]] = {kind.__name__: kind for kind in _KINDS}


@dataclass(frozen=True, slots=True)
class Steered:
    """What somebody did to a shift while it was under way."""

    what: Steer
    by: str
    at: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Journal:
    """Of one shift from ``old`` to what ``moves`` lead to. The first ``done`` moves have ended; the next may be under
    way. ``writer`` is the token of who does it, ``at`` the time of its last word. ``since`` is when the bake that is
    under way began, in seconds since 1970; ``looked`` are beginning and end of those that have ended. ``wish`` is what
    somebody else wants of it, with their ``wish_reason``. ``scaling`` is what scaled the old variants when it was
    begun. ``ending`` is what the history says when it has come to its end, where that is no promotion. ``id``
    stays the same whoever goes on with it."""

    endpoint: str
    group: str
    version: int
    engine: str
    old: Serving
    moves: tuple[Move, ...]
    fence: int
    writer: str
    by: str
    at: str
    done: int = 0
    phase: Phase = "shifting"
    reason: str | None = None
    since: float | None = None
    looked: tuple[tuple[float, float], ...] = ()
    wish: Wish | None = None
    wish_reason: str | None = None
    scaling: tuple[Scaling, ...] = ()
    ending: Mapping[str, Any] | None = None
    id: str = ""
    package: str | None = None
    """The ARN of the version."""
    began: float | None = None
    """When the first look at the new version began, in seconds since 1970: what is kept of the shift is found by it."""
    note: str | None = None
    """Why, as whoever began it said."""
    passed_over: tuple[str, ...] = ()
    """Gates."""
    environment: str = ""
    """The one that it was begun with, by whose declaration it is judged. An older version wrote none."""
    begun_by: str = ""
    steered: tuple[Steered, ...] = ()
    cut_short: tuple[str, ...] = ()
    """Looks that were not looked at to their end, since somebody wished so."""
    aborted: bool = False
    """It goes back since somebody wished so, and not for what was seen."""

    def is_of(self, other: Journal) -> bool:
        """Whether the same hand writes both: nobody has taken the shift over, or begun another."""
        return (self.fence, self.writer) == (other.fence, other.writer)

    @property
    def is_over(self) -> bool:
        return self.phase in ("shifted", "taken back")

    @property
    def by_people(self) -> tuple[str, ...]:
        """What people did to it, a clause each."""
        told = [f"{item.what} by {item.by}{f': {item.reason}' if item.reason else ''}" for item in self.steered]
        return (*told, f"cut short: {', '.join(self.cut_short)}") if self.cut_short else tuple(told)


@dataclass(frozen=True, slots=True)
class Stored:
    """``age`` is how long ago its writer said something, in seconds; ``dead``: it was one of this machine, and is
    gone."""

    journal: Journal
    etag: str
    age: float
    dead: bool


class Superseded(Exception):
    """Somebody else has taken the shift over, or begun another."""


def key(environment: Environment, endpoint: str) -> str:
    return conditional_object.key(environment, "promotions", f"{endpoint}.json")


def read(account: Account, environment: Environment, endpoint: str) -> Stored | None:
    """Raises Refusal for what cannot be read: then nobody knows what is under way."""
    name = key(environment, endpoint)
    found = conditional_object.get(account, environment, name)
    if found is None:
        return None
    try:
        journal = _parse(found.content)
    except (ValueError, RecursionError, KeyError, TypeError):
        hint = "see what serves with `mlops endpoints show`; where no shift is under way, delete that object"
        raise conditional_object.unreadable(environment, name, hint=hint) from None
    return Stored(journal, found.etag, found.age, is_over(journal.writer))


def write(account: Account, environment: Environment, journal: Journal, replaces: str | None) -> str:
    """The new ETag. Raises Superseded."""
    content = json.dumps({"format": VERSION, **_members(journal)}, default=_members, ensure_ascii=False).encode()
    try:
        return conditional_object.put(account, environment, key(environment, journal.endpoint), content, replaces)
    except conditional_object.Conflict:
        # A write that succeeded and whose answer was lost is repeated by botocore, and then refused.
        stored = read(account, environment, journal.endpoint)
        if stored is not None and stored.journal == journal:
            return stored.etag
        raise Superseded from None


def moment() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _members(record: Any) -> dict[str, Any]:
    """Of a record, one level: the encoder asks for what lies below."""
    named = {"move": type(record).__name__} if type(record).__name__ in _MOVES else {}
    return {**named, **{item.name: getattr(record, item.name) for item in fields(record)}}


def _parse(content: bytes) -> Journal:
    told = json.loads(content)
    if not isinstance(told, dict) or told.pop("format", None) != VERSION:
        raise ValueError("another format")
    moves = tuple(_schema(item.pop("move")).validate_python(item) for item in told.pop("moves"))
    journal: Journal = _schema(Journal.__name__).validate_python({**told, "moves": ()})
    return replace(journal, moves=moves)


@cache
def _schema(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(Journal if kind == Journal.__name__ else _MOVES[kind])
