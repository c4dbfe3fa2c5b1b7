"""The records of an execution's steps, to the store and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from mlops.account.local.state import State, dump, moment, now
from mlops.run.ports import StepRecord

_JOBS = ("TrainingJob", "ProcessingJob", "TransformJob")


def keep(state: State, execution: str, record: StepRecord) -> None:
    state.store.write(
        "INSERT OR REPLACE INTO step (execution, name, attempt, type, status, started, ended, failure, log, job, "
        "cache_source, metadata, response) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
    )


def succeeded(state: State, execution: str) -> dict[str, StepRecord]:
    """By step; of several attempts the last."""
    rows = state.store.all(
        "SELECT * FROM step WHERE execution = ? AND status = 'Succeeded' ORDER BY attempt", execution
    )
    return {row["name"]: _record(row) for row in rows}


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
    )


def _job(metadata: Mapping[str, Any]) -> str | None:
    """``<kind>/<name>``: log streams are found by the job's name."""
    for kind in _JOBS:
        arn = metadata.get(kind, {}).get("Arn")
        if arn:
            return f"{kind}/{arn.rpartition('/')[2]}"
    return None
