"""What was begun of an endpoint without a shift, which has a journal: the entry that its end writes into the history,
kept beside that before the first call. Whoever finds that what was begun has come writes its end, in its place.

Its ``number`` is that of the last entry there was by then: what came behind that ended it, or came between.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from mlops.account import Account
from mlops.deploy import conditional_object
from mlops.deploy.conditional_object import BucketMissing, Conflict
from mlops.deploy.endpoints import history
from mlops.deploy.endpoints.history import Entry
from mlops.ir import Refusal
from mlops.project.environments import Environment

CUT_OFF = "cut off"
"""How an entry says that it came, and that another one followed before it was brought to its end."""


class Overtaken(Refusal):
    """Somebody else began or ended something at the endpoint meanwhile; this command did nothing to it since. It may be
    the same that is wanted here."""


def read(account: Account, environment: Environment, endpoint: str) -> Entry | None:
    """None where nothing was begun that has not ended."""
    found = _stored(account, environment, endpoint)
    if found is None:
        return None
    entry, _ = found
    last = history.read(account, environment, endpoint, 1)
    return None if last and last[0].number > entry.number else entry


def begin(account: Account, environment: Environment, endpoint: str, entry: Entry, before: Entry | None) -> Entry:
    """The entry with which it is to end. ``before`` is what was begun and has not ended: where that is the same thing
    it is gone on with. Raises Overtaken where somebody else begins another one at this moment."""
    if before is not None and _same(before, entry):
        return replace(before, by=entry.by, reason=entry.reason or before.reason, at=entry.at)
    last = history.read(account, environment, endpoint, 1)
    entry = replace(entry, id=uuid.uuid4().hex, number=last[0].number if last else 0)
    found = _stored(account, environment, endpoint)
    if found is not None and found[0].number >= entry.number and (before is None or found[0].id != before.id):
        return _of_theirs(found[0], entry, environment, endpoint)  # behind our look
    content = json.dumps(asdict(entry), ensure_ascii=False, sort_keys=True).encode()
    key = _key(environment, endpoint)
    try:
        conditional_object.put(account, environment, key, content, found[1] if found is not None else None)
    except Conflict:
        theirs = _stored(account, environment, endpoint)
        return _of_theirs(None if theirs is None else theirs[0], entry, environment, endpoint)
    return entry


def _of_theirs(theirs: Entry | None, entry: Entry, environment: Environment, endpoint: str) -> Entry:
    """Raises Overtaken where it is not the same thing."""
    if theirs is not None and (theirs.id == entry.id or _same(theirs, entry)):
        return replace(theirs, at=entry.at)
    raise Overtaken(
        f"somebody else begins to change {endpoint} at this moment; nothing was changed by this command",
        hint=f"see `mlops endpoints show {endpoint}{environment.option}`, and run the same command again",
    )


def need_ours(account: Account, environment: Environment, endpoint: str, id: str) -> None:
    """Raises Overtaken where what was begun as ``id`` has ended, or somebody else has begun another thing since."""
    found, last = _stored(account, environment, endpoint), history.read(account, environment, endpoint, 1)
    if found is not None and (found[0].id != id or (last and last[0].number > found[0].number)):
        raise Overtaken(
            f"somebody else has changed {endpoint} since this command began to; it serves what it served, or theirs",
            hint=f"see `mlops endpoints history {endpoint}{environment.option}`, and run the same command again",
        )


def overtake(account: Account, environment: Environment, endpoint: str, begun: Entry | None, config: str) -> None:
    """What was ``begun`` serves with ``config``, and another one follows it: nobody will bring it to its end."""
    if begun is not None and begun.config == config:
        history.append(account, environment, endpoint, replace(begun, how=CUT_OFF))


def cut_off(entries: Sequence[Entry]) -> bool:
    """Whether the last one was not brought to its end."""
    return bool(entries) and entries[-1].how == CUT_OFF


def _same(one: Entry, other: Entry) -> bool:
    return (one.verb, one.config, one.before) == (other.verb, other.config, other.before)


def _stored(account: Account, environment: Environment, endpoint: str) -> tuple[Entry, str] | None:
    name = _key(environment, endpoint)
    try:
        found = conditional_object.get(account, environment, name)
    except BucketMissing:
        return None
    if found is None:
        return None
    try:
        return _parse(json.loads(found.content)), found.etag
    except (ValueError, RecursionError, TypeError, AttributeError):
        hint = "what was begun is not known; where nothing is under way, delete that object"
        raise conditional_object.unreadable(environment, name, hint=hint) from None


def _parse(told: Mapping[str, Any]) -> Entry:
    known = set(Entry.__dataclass_fields__)
    entry = Entry(**{member: value for member, value in told.items() if member in known})
    texts = (entry.verb, entry.config, entry.group, entry.id)
    if not all(isinstance(text, str) for text in texts) or not isinstance(entry.before, str | None):
        raise ValueError("other types")
    if not isinstance(entry.number, int) or not isinstance(entry.version, int):
        raise ValueError("other types")
    return entry


def _key(environment: Environment, endpoint: str) -> str:
    return conditional_object.key(environment, "promotions", endpoint, "begun.json")
