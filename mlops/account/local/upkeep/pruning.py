"""Bounded disk use: forgets old executions of the local account, with their files and whatever only they refer to.

An object belongs to an execution if a part of its key is the execution's id or the name of one of its jobs. Objects
that anybody else put there belong to no execution and stay. What belongs to an old execution stays too as long as
anything that is kept names it: a registered version, a model, an endpoint, a later execution that took it over.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mlops.account.local import events, ownership
from mlops.account.local.objects import WRITING, StoredObject
from mlops.account.local.settling import RUNNING, settle
from mlops.account.local.state import State, moment
from mlops.check.job_kinds import all_kinds
from mlops.run.beneath import Barred, Folder, remove

LEFT_OVER_SECONDS = 86_400.0
"""A temporary file or an asset may be one that somebody is about to use; after a day nobody is."""
# The process of an execution ends a moment after its last word.
_WAIT_SECONDS = 2.0

_ASSET = re.compile(r"(^|.*/)assets/[0-9a-f]{64}(/|$)")
_URI = re.compile(r"s3://[^\s\"'<>\\]+")
# A place where results go says nothing of what lies there already, unless it names the execution itself.
_JOINED = "Std:Join"


@dataclass(frozen=True, slots=True)
class Old:
    """An execution that can be forgotten. ``objects`` are its own that nothing kept refers to; ``models`` the Model
    resources that it made and no endpoint configuration uses."""

    id: str
    pipeline: str
    status: str
    created: str
    folder: Path
    objects: tuple[StoredObject, ...]
    models: tuple[str, ...]
    bytes: int


@dataclass(frozen=True, slots=True)
class Pruning:
    """What would go. ``versions`` are (pipeline, number) of definitions that no kept execution ran, ``assets`` the
    uploads that nothing names any more, ``left_over`` files and folders of processes that were killed."""

    executions: tuple[Old, ...]
    versions: tuple[tuple[str, int], ...]
    assets: tuple[StoredObject, ...]
    left_over: tuple[Path, ...]
    bytes: int


def plan(state: State, *, keep: int, older_than: timedelta | None = None) -> Pruning:
    """Of each pipeline the newest ``keep`` executions stay, and with ``older_than`` all that are younger; running ones
    always, and those whose results a kept one uses."""
    for row in state.store.all("SELECT id FROM execution WHERE status IN ('Executing', 'Stopping')"):
        settle(state, row["id"])
    with state.store.transaction():
        old = _old(state, keep, older_than)
        gone = frozenset(row["id"] for row in old)
        versions = _unused_versions(state, gone)
        models = {row["id"]: tuple(_own_models(state, row["id"])) for row in old}
        references = _References(_kept_texts(state, gone, versions, models))
        executions = []
        for row in old:
            own = _own_names(state, row["id"])
            owned = tuple(item for item in _own_objects(state, own) if not references.names(item, own))
            folder = state.execution_folder(row["id"])
            size = _size(folder) + sum(item.size for item in owned)
            executions.append(
                Old(row["id"], row["pipeline"], row["status"], row["created"], folder, owned, models[row["id"]], size)
            )
        assets = tuple(item for item in _assets(state) if not references.names(item, frozenset()))
    left_over = tuple(_left_over(state))
    size = sum(item.bytes for item in executions) + sum(item.size for item in assets) + sum(map(_size, left_over))
    return Pruning(tuple(executions), versions, assets, left_over, size)


def prune(state: State, planned: Pruning) -> Pruning:
    """Do it, and answer what really went: an execution that runs again by now stays. Each execution goes in one
    transaction, its folder after that; cut off in between, the next pruning finds the rest."""
    gone = [old for old in planned.executions if _forget(state, old)]
    # Whatever came or stayed meanwhile may need what was free before: only what still is free goes.
    with state.store.transaction() as connection:
        used = {(row["pipeline"], row["version"]) for row in state.store.all("SELECT pipeline, version FROM execution")}
        newest = set(_newest_versions(state))
        versions = tuple(version for version in planned.versions if version not in used | newest)
        for pipeline, number in versions:
            connection.execute("DELETE FROM pipeline_version WHERE pipeline = ? AND version = ?", (pipeline, number))
        references = _References(_kept_texts(state, frozenset(), (), {}))
        assets = tuple(item for item in planned.assets if not references.names(item, frozenset()))
        for item in assets:
            state.objects.delete(item.bucket, item.key)
    left_over = tuple(set(planned.left_over) & set(_left_over(state)))
    freed = sum(old.bytes for old in gone) + sum(item.size for item in assets) + sum(map(_size, left_over))
    for path in left_over:
        remove(path)
    return Pruning(tuple(gone), versions, assets, left_over, freed)


def _forget(state: State, old: Old) -> bool:
    descriptor = ownership.take(old.folder, _WAIT_SECONDS)
    if descriptor is None:
        return False
    try:
        with state.store.transaction() as connection:
            row = state.store.one("SELECT status FROM execution WHERE id = ?", old.id)
            if row is None or row["status"] in RUNNING:
                return False
            jobs = _jobs(state, old.id)
            models = {old.id: old.models}
            references = _References(_kept_texts(state, frozenset({old.id}), (), models))
            own = _own_names(state, old.id)
            for item in old.objects:
                if not references.names(item, own):
                    state.objects.delete(item.bucket, item.key)
            for kind, name in (*jobs, *(("Model", name) for name in old.models)):
                connection.execute("DELETE FROM resource WHERE kind = ? AND name = ?", (kind, name))
            connection.execute("DELETE FROM step WHERE execution = ?", (old.id,))
            connection.execute("DELETE FROM execution WHERE id = ?", (old.id,))
            events.forget(connection, [old.id])
        remove(old.folder)
    finally:
        os.close(descriptor)
    return True


def _old(state: State, keep: int, older_than: timedelta | None) -> list[sqlite3.Row]:
    rows = state.store.all("SELECT * FROM execution ORDER BY pipeline, created DESC, id DESC")
    before = moment(datetime.now(UTC) - older_than) if older_than is not None else None
    seen: dict[str, int] = {}
    old: list[sqlite3.Row] = []
    kept: list[sqlite3.Row] = []
    for row in rows:
        seen[row["pipeline"]] = seen.get(row["pipeline"], 0) + 1
        young = seen[row["pipeline"]] <= keep or (before is not None and row["created"] >= before)
        (kept if young or row["status"] in RUNNING else old).append(row)
    sources = {row["id"]: _sources(state, row) for row in rows}
    # Sources of sources too: a retry of the last reads the first.
    needed: set[str] = set()
    waiting = [row["id"] for row in kept]
    while waiting:
        more = sources.get(waiting.pop(), set()) - needed
        needed |= more
        waiting.extend(more)
    return [row for row in old if row["id"] not in needed]


def _sources(state: State, execution: sqlite3.Row) -> set[str]:
    """Executions whose results this one uses: the one it selects from, and those whose steps it took over."""
    arns = [(json.loads(execution["body"]).get("SelectiveExecutionConfig") or {}).get("SourcePipelineExecutionArn")]
    arns += [
        row["cache_source"]
        for row in state.store.all(
            "SELECT DISTINCT cache_source FROM step WHERE execution = ? AND cache_source IS NOT NULL", execution["id"]
        )
    ]
    return {arn.rpartition("/")[2] for arn in arns if arn}


def _unused_versions(state: State, gone: frozenset[str]) -> tuple[tuple[str, int], ...]:
    """Not the newest of its pipeline, without an alias, and run by nothing that is kept."""
    used = {
        (row["pipeline"], row["version"])
        for row in state.store.all("SELECT id, pipeline, version FROM execution")
        if row["id"] not in gone
    }
    used.update(_newest_versions(state))
    return tuple(
        (row["pipeline"], row["version"])
        for row in state.store.all("SELECT pipeline, version, body FROM pipeline_version ORDER BY pipeline, version")
        if (row["pipeline"], row["version"]) not in used and not json.loads(row["body"]).get("Aliases")
    )


def _newest_versions(state: State) -> Iterator[tuple[str, int]]:
    for row in state.store.all("SELECT pipeline, max(version) AS version FROM pipeline_version GROUP BY pipeline"):
        yield row["pipeline"], row["version"]


def _jobs(state: State, execution: str) -> list[tuple[str, str]]:
    """(kind, name) of the jobs that were made for this execution; one that was taken over is another's."""
    rows = state.store.all(
        "SELECT DISTINCT job FROM step WHERE execution = ? AND job IS NOT NULL AND cache_source IS NULL", execution
    )
    return [(kind, name) for kind, _, name in (row["job"].partition("/") for row in rows)]


def _own_names(state: State, execution: str) -> frozenset[str]:
    return frozenset({execution, *(name for _, name in _jobs(state, execution))})


def _own_objects(state: State, own: frozenset[str]) -> Iterator[StoredObject]:
    for bucket in _buckets(state):
        for item in state.objects.list(bucket):
            if not own.isdisjoint(item.key.split("/")):
                yield item


def _own_models(state: State, execution: str) -> Iterator[str]:
    in_use = {
        variant.get("ModelName")
        for row in state.store.all("SELECT body FROM resource WHERE kind = 'EndpointConfig'")
        for member in ("ProductionVariants", "ShadowProductionVariants")
        for variant in json.loads(row["body"]).get(member) or ()
    }
    for row in state.store.all(
        "SELECT metadata FROM step WHERE execution = ? AND cache_source IS NULL AND type = 'Model'", execution
    ):
        name = json.loads(row["metadata"]).get("Model", {}).get("Arn", "").rpartition("/")[2]
        if name and name not in in_use:
            yield name


def _kept_texts(
    state: State,
    gone: frozenset[str],
    versions: Iterable[tuple[str, int]],
    models: Mapping[str, tuple[str, ...]],
) -> Iterator[Any]:
    """Every document of the account but those of executions, definitions and models that go, as plain JSON."""
    without = {("Model", name) for names in models.values() for name in names}
    for execution in gone:
        without.update(_jobs(state, execution))
    for row in state.store.all("SELECT kind, name, body FROM resource"):
        if (row["kind"], row["name"]) not in without:
            yield json.loads(row["body"])
    for row in state.store.all("SELECT body FROM package"):
        yield json.loads(row["body"])
    dropped = set(versions)
    for row in state.store.all("SELECT pipeline, version, definition FROM pipeline_version"):
        if (row["pipeline"], row["version"]) not in dropped:
            yield json.loads(row["definition"])
    for row in state.store.all("SELECT id, body FROM execution"):
        if row["id"] not in gone:
            yield json.loads(row["body"])
    for row in state.store.all("SELECT execution, metadata, response FROM step"):
        if row["execution"] not in gone:
            yield json.loads(row["metadata"])
            yield json.loads(row["response"])


class _References:
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


def _assets(state: State) -> Iterator[StoredObject]:
    before = datetime.now(UTC) - timedelta(seconds=LEFT_OVER_SECONDS)
    for bucket in _buckets(state):
        for item in state.objects.list(bucket):
            if _ASSET.match(item.key) and item.modified < before:
                yield item


def _buckets(state: State) -> list[str]:
    return [row["name"] for row in state.store.all("SELECT name FROM bucket ORDER BY name")]


def _left_over(state: State) -> Iterator[Path]:
    """Folders of executions that nobody knows, and uploads that never became objects."""
    executions = state.folder / "executions"
    known = {row["id"] for row in state.store.all("SELECT id FROM execution")}
    for folder in sorted(executions.iterdir()) if executions.is_dir() else ():
        # One that is just being started has its owner before it has its row.
        if folder.name not in known and folder.is_dir() and not ownership.owned(folder):
            yield folder
    writing = state.folder / "objects" / WRITING
    before = time.time() - LEFT_OVER_SECONDS
    for file in sorted(writing.iterdir()) if writing.is_dir() else ():
        if file.stat().st_mtime < before:
            yield file


def _size(path: Path) -> int:
    """A runner may still take away what its last step left; what is gone weighs nothing."""
    try:
        with Folder.at(path) as folder:
            return sum(entry.state.st_size for entry in folder.walk(pass_unreadable=True) if not entry.is_folder)
    except Barred:
        return path.lstat().st_size if path.exists() else 0
