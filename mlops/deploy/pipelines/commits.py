"""Which commit a definition was made from: noted beside the account's records when it is put there, since a definition
with a commit in it would be another one after each."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from datetime import UTC, datetime

from mlops.account import Account, answers
from mlops.deploy import conditional_object
from mlops.deploy.conditional_object import BucketMissing, Conflict
from mlops.project.environments import Environment
from mlops.project.git import Commit


def note(account: Account, environment: Environment, definition: str, commit: Commit | None) -> None:
    """``definition`` is its text. What was noted from a clean working copy stays; with files that are in no commit, a
    clean one takes its place."""
    if commit is None:
        return
    name = _name(environment, definition)
    with answers():
        there = conditional_object.get(account, environment, name)
        if there is not None and (commit.dirty or _parsed(there.content) == commit):
            return
        noted = _parsed(there.content) if there is not None else None
        if noted is not None and not noted.dirty:
            return
        body = {"commit": commit.id, "dirty": commit.dirty, "at": datetime.now(UTC).isoformat(timespec="seconds")}
        try:
            conditional_object.put(
                account, environment, name, json.dumps(body).encode(), there.etag if there is not None else None
            )
        except Conflict:
            return  # whoever was faster noted the same definition


def find(account: Account, environment: Environment, definition: str) -> Commit | None:
    try:
        with answers():
            there = conditional_object.get(account, environment, _name(environment, definition))
    except BucketMissing:
        return None
    return _parsed(there.content) if there is not None else None


def _parsed(content: bytes) -> Commit | None:
    try:
        told = json.loads(content)
        return Commit(str(told["commit"]), bool(told["dirty"]))
    except (ValueError, RecursionError, KeyError, TypeError):
        return None


def _name(environment: Environment, definition: str) -> str:
    """The same for the same JSON value, whatever its spelling."""
    with suppress(ValueError, RecursionError):
        definition = json.dumps(json.loads(definition), sort_keys=True)
    digest = hashlib.sha256(definition.encode()).hexdigest()
    return conditional_object.key(environment, "commits", f"{digest}.json")
