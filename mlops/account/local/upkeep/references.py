"""Which objects the documents of an account name: what an object is kept for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from mlops.account.local.objects import StoredObject
from mlops.account.local.state import State, moment
from mlops.check.job_kinds import all_kinds
from mlops.ir.dataclass import dataclass

_URI = re.compile(r"s3://[^\s\"'<>\\]+")
# A place where results go says nothing of what lies there already, unless it names the execution itself.
_JOINED = "Std:Join"
# A row is given its time before its transaction has the lock, for which it may wait.
_LONGEST_TRANSACTION = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class Going:
    """What does not count, since it goes itself: executions, (pipeline, number) of versions, (kind, name) of jobs and
    models."""

    executions: frozenset[str] = frozenset()
    versions: frozenset[tuple[str, int]] = frozenset()
    resources: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment of an account, to ask later what came since. Rows that are written anew get a new number."""

    time: str
    steps: int
    executions: int
    versions: int

    @classmethod
    def now(cls, state: State) -> Mark:
        """Inside the transaction that reads what it is to be held against."""
        numbers = [
            state.store.all(f"SELECT coalesce(max(rowid), 0) AS newest FROM {table}")[0]["newest"]  # noqa: S608
            for table in ("step", "execution", "pipeline_version")
        ]
        return cls(moment(datetime.now(UTC) - _LONGEST_TRANSACTION), *numbers)


def documents(state: State, going: Going) -> Iterator[Any]:
    """Every document of the account but what goes, as plain JSON."""
    for row in state.store.all("SELECT kind, name, body FROM resource"):
        if (row["kind"], row["name"]) not in going.resources:
            yield json.loads(row["body"])
    for row in state.store.all("SELECT body FROM package"):
        yield json.loads(row["body"])
    for row in state.store.all("SELECT pipeline, version, definition FROM pipeline_version"):
        if (row["pipeline"], row["version"]) not in going.versions:
            yield json.loads(row["definition"])
    for row in state.store.all("SELECT id, body FROM execution"):
        if row["id"] not in going.executions:
            yield json.loads(row["body"])
    for row in state.store.all("SELECT execution, metadata, response FROM step"):
        if row["execution"] not in going.executions:
            yield json.loads(row["metadata"])
            yield json.loads(row["response"])


def documents_since(state: State, mark: Mark, going: Going) -> Iterator[Any]:
    """Those that came or were written anew, and some of the moments before."""
    for row in state.store.all("SELECT kind, name, body FROM resource WHERE modified >= ?", mark.time):
        if (row["kind"], row["name"]) not in going.resources:
            yield json.loads(row["body"])
    for row in state.store.all(
        "SELECT body FROM package WHERE created >= ? OR json_extract(body, '$.LastModifiedTime') >= ?",
        mark.time,
        mark.time,
    ):
        yield json.loads(row["body"])
    for row in state.store.all("SELECT definition FROM pipeline_version WHERE rowid > ?", mark.versions):
        yield json.loads(row["definition"])
    for row in state.store.all("SELECT id, body FROM execution WHERE rowid > ?", mark.executions):
        yield json.loads(row["body"])
    for row in state.store.all("SELECT execution, metadata, response FROM step WHERE rowid > ?", mark.steps):
        if row["execution"] not in going.executions:
            yield json.loads(row["metadata"])
            yield json.loads(row["response"])


def documents_of(state: State, executions: Iterable[str]) -> Iterator[Any]:
    for execution in executions:
        for row in state.store.all("SELECT body FROM execution WHERE id = ?", execution):
            yield json.loads(row["body"])
        for row in state.store.all("SELECT metadata, response FROM step WHERE execution = ?", execution):
            yield json.loads(row["metadata"])
            yield json.loads(row["response"])


class References:
    """All ``s3://`` URIs in documents."""

    def __init__(self, documents: Iterable[Any]) -> None:
        self._destinations = {_JOINED, *filter(None, (kind.destination for kind in all_kinds()))}
        self._read: set[str] = set()
        self._written: set[str] = set()
        for document in documents:
            self._note(document, destination=False)

    def names(self, item: StoredObject, own: frozenset[str]) -> bool:
        """Whether a URI is this object or a folder above it. A place where results go means it only if it lies as deep
        as the part of the key in ``own``, which makes the object an execution's."""
        parts = f"s3://{item.bucket}/{item.key}".split("/")
        above = ["/".join(parts[:depth]) for depth in range(3, len(parts) + 1)]
        deepest = next((depth for depth, part in enumerate(parts) if part in own), len(parts))
        return not self._read.isdisjoint(above) or not self._written.isdisjoint(above[deepest - 2 :])

    def _note(self, value: Any, destination: bool) -> None:
        match value:
            case dict():
                for member, item in value.items():
                    self._note(item, destination or member in self._destinations)
            case list():
                for item in value:
                    self._note(item, destination)
            case str() if "s3://" in value:
                found = {uri.rstrip("/") for uri in (*_URI.findall(value), value) if uri.startswith("s3://")}
                if destination:
                    self._written.update(found)
                else:
                    self._read.update(found)
