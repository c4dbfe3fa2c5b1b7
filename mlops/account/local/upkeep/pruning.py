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
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mlops.account.local import events, kept_values, ownership, reserve
from mlops.account.local.objects import WRITING, StoredObject
from mlops.account.local.settling import ALIVE, RUNNING, remove_containers, settle
from mlops.account.local.state import State, moment
from mlops.account.local.upkeep.references import (
    Going,
    Mark,
    References,
    documents,
    documents_of,
    documents_since,
)
from mlops.check.job_kinds import by_segment
from mlops.ir import ConfigurationError
from mlops.ir.dataclass import dataclass
from mlops.project.private import how_to_own, not_ours
from mlops.run.beneath import Barred, Folder, remove
from mlops.run.tidying import OF_A_JOB

LEFT_OVER_SECONDS = 86_400.0
"""A temporary file or an asset may be one that somebody is about to use; after a day nobody is."""
# The process of an execution ends a moment after its last word.
_WAIT_SECONDS = 2.0
# Whoever else writes to the account waits for one of these at most.
_BATCH_EXECUTIONS, _BATCH_OBJECTS, _BATCH_ROWS = 100, 300, 1000

_ASSET = re.compile(r"(^|.*/)(assets|data|given/[^/]+/[^/]+)/[0-9a-f]{64}(/|$)")


@dataclass(frozen=True, slots=True)
class Old:
    """An execution that can be forgotten. ``objects`` are its own that nothing kept refers to; ``models`` the Model
    resources that it made and no endpoint configuration uses; ``names`` the parts of a key that make an object its
    own; ``jobs`` the (kind, name) of what it ran."""

    id: str
    pipeline: str
    status: str
    created: str
    modified: str
    folder: Path
    names: frozenset[str]
    jobs: tuple[tuple[str, str], ...]
    objects: tuple[StoredObject, ...]
    models: tuple[str, ...]
    bytes: int


@dataclass(frozen=True, slots=True)
class Pruning:
    """What would go. ``versions`` are (pipeline, number) of definitions that no kept execution ran, ``assets`` the
    uploads that nothing names any more, ``left_over`` files and folders of processes that were killed and of uploads
    that nobody went on with. ``mark`` is when that was seen."""

    executions: tuple[Old, ...]
    versions: tuple[tuple[str, int], ...]
    assets: tuple[StoredObject, ...]
    left_over: tuple[Path, ...]
    bytes: int
    mark: Mark


def plan(state: State, *, keep: int, older_than: timedelta | None = None) -> Pruning:
    """Of each pipeline the newest ``keep`` executions stay, and with ``older_than`` all that are younger; running ones
    always, and those whose results a kept one uses. Nobody has to wait: it looks at one moment of the account."""
    for row in state.store.all("SELECT id FROM execution WHERE status IN ('Executing', 'Stopping')"):
        settle(state, row["id"])
    with state.store.snapshot():
        mark = Mark.now(state)
        old = _old(state, keep, older_than)
        jobs = _jobs(state)
        models = _own_models(state)
        ids = frozenset(row["id"] for row in old)
        versions = _unused_versions(state, ids)
        references = References(documents(state, Going(ids, frozenset(versions), _resources(ids, jobs, models))))
        names = {execution: frozenset({execution, *(name for _, name in jobs[execution])}) for execution in ids}
        owned, assets = _objects(state, names, references)
    executions = []
    for row in old:
        folder, objects = state.execution_folder(row["id"]), tuple(owned[row["id"]])
        executions.append(
            Old(
                row["id"],
                row["pipeline"],
                row["status"],
                row["created"],
                row["modified"],
                folder,
                names[row["id"]],
                tuple(jobs[row["id"]]),
                objects,
                tuple(models[row["id"]]),
                _size(folder) + sum(item.size for item in objects),
            )
        )
    left_over = (*_left_over(state), *(_upload_folder(state, upload) for upload in _abandoned_uploads(state)))
    size = sum(item.bytes for item in executions) + sum(item.size for item in assets) + sum(map(_size, left_over))
    return Pruning(tuple(executions), versions, tuple(assets), left_over, size, mark)


def prune(state: State, planned: Pruning) -> Pruning:
    """Do it, and answer what really went: an execution that runs again by now stays, and whatever came meanwhile keeps
    what it names. Each execution goes in one transaction, with some others, its folder after that; cut off in between,
    the next pruning finds the rest."""
    _need_ours(planned)
    remove_containers()
    going = _going(planned)
    gone = [old for batch in _batches(planned.executions) for old in _forget(state, planned.mark, going, batch)]
    versions = tuple(_forget_versions(state, planned.versions))
    stayed = sorted(going.executions - {old.id for old in gone})
    assets = tuple(_forget_assets(state, planned, stayed))
    _forget_tokens(state)
    uploads = {_upload_folder(state, upload): upload for upload in _abandoned_uploads(state)}
    still = {*_left_over(state), *uploads}
    left_over = tuple(path for path in planned.left_over if path in still)
    freed = sum(old.bytes for old in gone) + sum(item.size for item in assets) + sum(map(_size, left_over))
    for path in left_over:
        if path in uploads:
            with state.store.transaction() as connection:
                connection.execute("DELETE FROM part WHERE upload = ?", (uploads[path],))
                connection.execute("DELETE FROM upload WHERE id = ?", (uploads[path],))
        remove(path)
    reserve.keep(state.folder)
    return Pruning(tuple(gone), versions, assets, left_over, freed, planned.mark)


def _need_ours(planned: Pruning) -> None:
    """Raises ConfigurationError before anything is forgotten that could not be removed."""
    folders = [*(old.folder for old in planned.executions), *planned.left_over]
    others = {folder: owner for folder in folders if (owner := not_ours(folder)) is not None}
    if others:
        folder, owner = next(iter(others.items()))
        more = f" and {len(others) - 1} others" if len(others) > 1 else ""
        raise ConfigurationError(
            f"{folder}{more} cannot be removed: what {owner} made belongs to {owner}",
            hint=how_to_own(folder.parent.parent),
        )


def _going(planned: Pruning) -> Going:
    ids = [old.id for old in planned.executions]
    jobs, models = (
        {old.id: old.jobs for old in planned.executions},
        {old.id: old.models for old in planned.executions},
    )
    return Going(frozenset(ids), frozenset(planned.versions), _resources(ids, jobs, models))


def _batches(executions: Sequence[Old]) -> Iterator[list[Old]]:
    batch: list[Old] = []
    for old in executions:
        if batch and (len(batch) == _BATCH_EXECUTIONS or sum(len(item.objects) for item in batch) > _BATCH_OBJECTS):
            yield batch
            batch = []
        batch.append(old)
    if batch:
        yield batch


def _forget(state: State, mark: Mark, going: Going, batch: Sequence[Old]) -> list[Old]:
    held: dict[str, int] = {}
    try:
        for old in batch:
            descriptor = ownership.take(old.folder, _WAIT_SECONDS)
            if descriptor is not None:
                held[old.id] = descriptor
        gone = _forget_held(state, mark, going, [old for old in batch if old.id in held])
        for old in gone:
            remove(old.folder)
    finally:
        for descriptor in held.values():
            os.close(descriptor)
    return gone


def _forget_held(state: State, mark: Mark, going: Going, batch: Sequence[Old]) -> list[Old]:
    with state.store.transaction() as connection:
        gone = [old for old in batch if _is_as_planned(state, old)]
        needed = References(documents_since(state, mark, going))
        for old in gone:
            for item in old.objects:
                if not needed.names(item, old.names):
                    state.objects.delete(item.bucket, item.key)
            for kind, name in (*old.jobs, *(("Model", name) for name in old.models)):
                connection.execute("DELETE FROM resource WHERE kind = ? AND name = ?", (kind, name))
            connection.execute("DELETE FROM step WHERE execution = ?", (old.id,))
            connection.execute("DELETE FROM job WHERE execution = ? AND execution != ''", (old.id,))
            connection.execute("DELETE FROM execution WHERE id = ?", (old.id,))
        events.forget(connection, [old.id for old in gone])
    return gone


def _is_as_planned(state: State, old: Old) -> bool:
    row = state.store.one("SELECT status, modified FROM execution WHERE id = ?", old.id)
    return row is not None and row["status"] not in RUNNING and row["modified"] == old.modified


def _forget_versions(state: State, planned: Sequence[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    for begin in range(0, len(planned), _BATCH_ROWS):
        with state.store.transaction() as connection:
            used = {(row[0], row[1]) for row in state.store.all("SELECT DISTINCT pipeline, version FROM execution")}
            used.update(_newest_versions(state))
            going = [version for version in planned[begin : begin + _BATCH_ROWS] if version not in used]
            connection.executemany("DELETE FROM pipeline_version WHERE pipeline = ? AND version = ?", going)
        yield from going


def _forget_assets(state: State, planned: Pruning, stayed: Sequence[str]) -> Iterator[StoredObject]:
    for begin in range(0, len(planned.assets), _BATCH_OBJECTS):
        with state.store.transaction():
            kept = (*documents_since(state, planned.mark, Going()), *documents_of(state, stayed))
            needed = References(kept)
            batch = planned.assets[begin : begin + _BATCH_OBJECTS]
            going = [item for item in batch if not needed.names(item, frozenset())]
            for item in going:
                state.objects.delete(item.bucket, item.key)
        yield from going


def _forget_tokens(state: State) -> None:
    """Who sends a request again does so within a day."""
    before = moment(datetime.now(UTC) - timedelta(seconds=LEFT_OVER_SECONDS))
    old = state.store.all("SELECT operation, token FROM token WHERE created < ?", before)
    for begin in range(0, len(old), _BATCH_ROWS):
        with state.store.transaction() as connection:
            keys = [(row["operation"], row["token"]) for row in old[begin : begin + _BATCH_ROWS]]
            connection.executemany("DELETE FROM token WHERE operation = ? AND token = ?", keys)


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
    sources = _sources(state, rows)
    # Sources of sources too: a retry of the last reads the first.
    needed: set[str] = set()
    waiting = [row["id"] for row in kept]
    while waiting:
        more = sources.get(waiting.pop(), set()) - needed
        needed |= more
        waiting.extend(more)
    return [row for row in old if row["id"] not in needed]


def _sources(state: State, rows: Sequence[sqlite3.Row]) -> Mapping[str, set[str]]:
    """By execution those whose results it uses: the one it selects from, and those whose steps it took over."""
    sources: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        arn = (json.loads(row["body"]).get("SelectiveExecutionConfig") or {}).get("SourcePipelineExecutionArn")
        if arn:
            sources[row["id"]].add(arn.rpartition("/")[2])
    for row in state.store.all("SELECT DISTINCT execution, cache_source FROM step WHERE cache_source IS NOT NULL"):
        sources[row["execution"]].add(row["cache_source"].rpartition("/")[2])
    return sources


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


def _jobs(state: State) -> Mapping[str, list[tuple[str, str]]]:
    """By execution (kind, name) of the jobs that were made for it; one that was taken over is another's."""
    jobs: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in state.store.all(
        "SELECT DISTINCT execution, job FROM step WHERE job IS NOT NULL AND cache_source IS NULL"
    ):
        kind, _, name = row["job"].partition("/")
        jobs[row["execution"]].append((kind, name))
    for row in state.store.all("SELECT execution, kind, name FROM job WHERE execution != '' AND parent != ''"):
        jobs[row["execution"]].append((row["kind"], row["name"]))
    return jobs


def _own_models(state: State) -> Mapping[str, list[str]]:
    in_use = {
        variant.get("ModelName")
        for row in state.store.all("SELECT body FROM resource WHERE kind = 'EndpointConfig'")
        for member in ("ProductionVariants", "ShadowProductionVariants")
        for variant in json.loads(row["body"]).get(member) or ()
    }
    for row in state.store.all("SELECT body FROM resource WHERE kind = 'InferenceComponent'"):
        body = json.loads(row["body"])
        told = (body["Specification"], (body.get("Pending") or {}).get("Specification") or {})
        in_use |= {specification.get("ModelName") for specification in told}
    models: dict[str, list[str]] = defaultdict(list)
    for row in state.store.all("SELECT execution, metadata FROM step WHERE cache_source IS NULL AND type = 'Model'"):
        name = json.loads(row["metadata"]).get("Model", {}).get("Arn", "").rpartition("/")[2]
        if name and name not in in_use:
            models[row["execution"]].append(name)
    return models


def _resources(
    executions: Iterable[str], jobs: Mapping[str, Iterable[tuple[str, str]]], models: Mapping[str, Iterable[str]]
) -> frozenset[tuple[str, str]]:
    return frozenset(
        resource
        for execution in executions
        for resource in (*jobs[execution], *(("Model", name) for name in models[execution]))
    )


def _objects(
    state: State, names: Mapping[str, frozenset[str]], references: References
) -> tuple[Mapping[str, list[StoredObject]], list[StoredObject]]:
    """By execution its own objects that nothing refers to, and the assets that nothing refers to."""
    owners: dict[str, list[str]] = defaultdict(list)
    for execution, parts in names.items():
        for part in parts:
            owners[part].append(execution)
    before = datetime.now(UTC) - timedelta(seconds=LEFT_OVER_SECONDS)
    owned: dict[str, list[StoredObject]] = defaultdict(list)
    assets = []
    for bucket in _buckets(state):
        for item in state.objects.list(bucket):
            for execution in {owner for part in item.key.split("/") for owner in owners.get(part, ())}:
                if not references.names(item, names[execution]):
                    owned[execution].append(item)
            if _ASSET.match(item.key) and item.modified < before and not references.names(item, frozenset()):
                assets.append(item)
    return owned, assets


def _abandoned_uploads(state: State) -> list[str]:
    """In parts; nothing was added to them for a day."""
    before = moment(datetime.now(UTC) - timedelta(seconds=LEFT_OVER_SECONDS))
    rows = state.store.all(
        "SELECT id FROM upload WHERE created < ? "
        "AND NOT EXISTS (SELECT 1 FROM part WHERE upload = upload.id AND part.modified >= ?) ORDER BY id",
        before,
        before,
    )
    return [row["id"] for row in rows]


def _upload_folder(state: State, upload: str) -> Path:
    return state.folder / "uploads" / upload


def _buckets(state: State) -> list[str]:
    return [row["name"] for row in state.store.all("SELECT name FROM bucket ORDER BY name")]


def _left_over(state: State) -> Iterator[Path]:
    """Folders of executions that nobody knows, what created jobs have left, values whose secret was never told of, and
    uploads that never became objects."""
    executions = state.folder / "executions"
    known = {row["id"] for row in state.store.all("SELECT id FROM execution")}
    for folder in sorted(executions.iterdir()) if executions.is_dir() else ():
        # One that is just being started has its owner before it has its row.
        if folder.name not in known and folder.is_dir() and not ownership.owned(folder):
            yield folder
    yield from _left_by_jobs(state)
    before = time.time() - LEFT_OVER_SECONDS
    yield from kept_values.unnamed(state, before)
    writing = state.folder / "objects" / WRITING
    for file in sorted(writing.iterdir()) if writing.is_dir() else ():
        if file.stat().st_mtime < before:
            yield file

    uploads = state.folder / "uploads"
    begun = {row["id"] for row in state.store.all("SELECT id FROM upload")}
    for folder in sorted(uploads.iterdir()) if uploads.is_dir() else ():
        if folder.name not in begun and folder.stat().st_mtime < before:
            yield folder


def _left_by_jobs(state: State) -> Iterator[Path]:
    """Folders of created jobs that were deleted, and of those that ended a day ago or longer all but the logs."""
    before = moment(datetime.now(UTC) - timedelta(seconds=LEFT_OVER_SECONDS))
    jobs = state.folder / "jobs"
    for kind in sorted(jobs.iterdir()) if jobs.is_dir() else ():
        named = by_segment(kind.name)
        for folder in sorted(kind.iterdir()):
            told = (named.name if named is not None else "", folder.name)
            row = state.store.one("SELECT status, modified FROM resource WHERE kind = ? AND name = ?", *told)
            if ownership.owned(folder):
                continue
            if row is None:
                yield folder
            elif row["status"] not in ALIVE and row["modified"] < before:
                places = [folder / "job" / "1", *sorted(folder.glob("job/1/jobs/*"))]
                yield from (place / name for place in places for name in OF_A_JOB if (place / name).is_dir())


def _size(path: Path) -> int:
    """A runner may still take away what its last step left; what is gone weighs nothing."""
    try:
        with Folder.at(path) as folder:
            return sum(entry.state.st_size for entry in folder.walk(pass_unreadable=True) if not entry.is_folder)
    except Barred:
        return path.lstat().st_size if path.exists() else 0
