"""The records of an execution's steps, to the store and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

from mlops.account.local.state import State, dump, moment, now
from mlops.check.job_kinds import behind
from mlops.run.ports import CacheEntry, Part, StepRecord

_PAGE = 10


def keep(state: State, execution: str, record: StepRecord) -> None:
    state.store.write(
        "INSERT OR REPLACE INTO step (execution, name, attempt, type, status, started, ended, failure, log, job, "
        "cache_source, metadata, response, cache_key, cache) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        execution,
        record.name,
        record.attempt,
        record.type,
        record.status,
        moment(record.started) if record.started is not None else now(),
        moment(record.ended) if record.ended is not None else None,
        record.failure,
        str(record.log) if record.log is not None else None,
        _job(record.metadata),
        record.cache_source,
        dump(record.metadata),
        dump(record.response),
        record.cache.key if record.cache is not None else None,
        _dump_cache(record.cache) if record.cache is not None else None,
    )


def succeeded(state: State, execution: str) -> dict[str, StepRecord]:
    """By step; of several attempts the last."""
    rows = state.store.all(
        "SELECT * FROM step WHERE execution = ? AND status = 'Succeeded' ORDER BY attempt", execution
    )
    return {row["name"]: _record(row) for row in rows}


def of_step(state: State, execution: str, name: str) -> StepRecord | None:
    """The last attempt."""
    row = state.store.one(
        "SELECT * FROM step WHERE execution = ? AND name = ? ORDER BY attempt DESC LIMIT 1", execution, name
    )
    return _record(row) if row is not None else None


def successes(state: State, pipeline: str, name: str, key: str) -> Iterator[tuple[str, StepRecord]]:
    """Execution and record of those that really ran with that cache key, newest first. The first one serves mostly, and
    there may be thousands: they are read as they are asked for."""
    for page in count():
        rows = state.store.all(
            "SELECT step.* FROM step JOIN execution ON execution.id = step.execution WHERE step.name = ? "
            "AND step.cache_key = ? AND step.status = 'Succeeded' AND step.cache_source IS NULL "
            "AND execution.pipeline = ? ORDER BY step.ended DESC LIMIT ? OFFSET ?",
            name,
            key,
            pipeline,
            _PAGE,
            page * _PAGE,
        )
        yield from ((row["execution"], _record(row)) for row in rows)
        if len(rows) < _PAGE:
            return


def stubbed(state: State, execution: str) -> dict[str, str]:
    """By step what stood for it."""
    row = state.store.one("SELECT body FROM execution WHERE id = ?", execution)
    if row is None or '"Stubs": {' not in row["body"]:
        return {}
    rows = state.store.all("SELECT name, cache FROM step WHERE execution = ? AND cache IS NOT NULL", execution)
    found = {step["name"]: json.loads(step["cache"]).get("Stub") for step in rows}
    return {name: source for name, source in found.items() if source is not None}


def success_before(state: State, pipeline: str, name: str, started: datetime) -> tuple[str, StepRecord] | None:
    """The newest success of the step, served or run, that had ended when another one started."""
    row = state.store.one(
        "SELECT step.* FROM step JOIN execution ON execution.id = step.execution WHERE step.name = ? "
        "AND step.cache_key IS NOT NULL AND step.status = 'Succeeded' AND execution.pipeline = ? AND step.ended <= ? "
        "ORDER BY step.ended DESC LIMIT 1",
        name,
        pipeline,
        moment(started),
    )
    return (row["execution"], _record(row)) if row is not None else None


def _dump_cache(entry: CacheEntry) -> str:
    parts = {name: [part.digest, part.shown, part.uri, part.files] for name, part in entry.parts.items()}
    stub = {} if entry.stub is None else {"Stub": entry.stub}
    return dump({"Parts": parts, "Outputs": entry.outputs, "Note": entry.note, **stub})


def _read_cache(row: sqlite3.Row) -> CacheEntry | None:
    if row["cache"] is None:
        return None
    body = json.loads(row["cache"])
    parts = {name: Part(*values) for name, values in body["Parts"].items()}
    return CacheEntry(row["cache_key"], parts, body["Outputs"], body["Note"], body.get("Stub"))


def _record(row: sqlite3.Row) -> StepRecord:
    return StepRecord(
        name=row["name"],
        type=row["type"],
        status=row["status"],
        attempt=row["attempt"],
        started=datetime.fromisoformat(row["started"]),
        ended=datetime.fromisoformat(row["ended"]) if row["ended"] else None,
        failure=row["failure"],
        metadata=json.loads(row["metadata"]),
        response=json.loads(row["response"]),
        log=Path(row["log"]) if row["log"] else None,
        cache_source=row["cache_source"],
        cache=_read_cache(row),
    )


def _job(metadata: Mapping[str, Any]) -> str | None:
    """``<kind>/<name>``: log streams are found by the job's name."""
    found = behind(metadata)
    return f"{found[0].name}/{found[1]}" if found is not None else None
