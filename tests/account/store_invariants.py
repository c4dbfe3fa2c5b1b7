"""What must hold of a local account's folder at any time, whatever was killed: read from the files themselves, so that
no repair of ours can hide what is wrong."""

from __future__ import annotations

import fcntl
import hashlib
import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

RUNNING = ("Executing", "Stopping")
STEP_RUNNING = ("Starting", "Executing", "Stopping")
BESIDE_BUCKETS = ".writing"


def violations(folder: Path) -> list[str]:
    """``folder`` is ``.mlops``. Ask the account for its executions before: it tells then which processes are gone."""
    connection = sqlite3.connect(f"file:{folder / 'account.sqlite'}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        return [
            *(f"database: {row[0]}" for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"),
            *_executions(connection, folder),
            *_attempts(connection),
            *_jobs(connection),
            *_objects(connection, folder / "objects"),
            *_artefacts(connection),
            *_events(connection),
        ]
    finally:
        connection.close()


def _executions(connection: sqlite3.Connection, folder: Path) -> Iterator[str]:
    for row in connection.execute("SELECT * FROM execution"):
        owned = _locked(folder / "executions" / row["id"] / "owner.lock")
        if row["status"] in RUNNING and not owned:
            yield f"execution {row['id']} is {row['status']}, but no process owns it"
        if row["status"] not in RUNNING and owned and not _let_go(folder / "executions" / row["id"] / "owner.lock"):
            yield f"execution {row['id']} is {row['status']}, but a process still owns it"
        if row["status"] == "Failed" and not row["failure"]:
            yield f"execution {row['id']} is Failed without a reason"
    for row in connection.execute(
        "SELECT step.*, execution.status AS whole FROM step LEFT JOIN execution ON execution.id = step.execution"
    ):
        named = f"step {row['name']} of {row['execution']}"
        if row["whole"] is None:
            yield f"{named} has no execution"
        elif row["status"] in STEP_RUNNING and row["whole"] not in RUNNING:
            yield f"{named} is {row['status']} in an execution that is {row['whole']}"
        if row["status"] not in STEP_RUNNING and row["ended"] is None:
            yield f"{named} is {row['status']} without an end"
        if row["log"] and not Path(row["log"]).is_file():
            yield f"{named} lacks its log {row['log']}"


def _attempts(connection: sqlite3.Connection) -> Iterator[str]:
    last: dict[tuple[str, str], sqlite3.Row] = {}
    for row in connection.execute("SELECT * FROM step ORDER BY execution, name, attempt"):
        place = (row["execution"], row["name"])
        before = last.get(place)
        if before is not None and before["status"] == "Succeeded":
            yield f"step {row['name']} of {row['execution']} had succeeded and was repeated as attempt {row['attempt']}"
        if before is not None and row["started"] < before["started"]:
            yield f"attempt {row['attempt']} of {row['name']} of {row['execution']} began before the one it follows"
        last[place] = row


def _jobs(connection: sqlite3.Connection) -> Iterator[str]:
    """A job may only look alive while its step does."""
    alive = connection.execute("SELECT job FROM step WHERE status IN ('Starting', 'Executing', 'Stopping')")
    # A step is written down as Starting before its job's name is known.
    names = {row["job"] for row in alive}
    if None in names:
        return
    # Those that a tuning job started live with it.
    started = connection.execute("SELECT kind, name, parent FROM job WHERE parent != ''")
    parents = {name.partition("/")[2] for name in names}
    names |= {f"{row['kind']}/{row['name']}" for row in started if row["parent"] in parents}
    for row in connection.execute("SELECT kind, name, status FROM resource WHERE kind LIKE '%Job'"):
        if row["status"] in ("InProgress", "Stopping") and f"{row['kind']}/{row['name']}" not in names:
            yield f"{row['kind']} {row['name']} is {row['status']}, but its step is not"


def _objects(connection: sqlite3.Connection, folder: Path) -> Iterator[str]:
    buckets = {row["name"] for row in connection.execute("SELECT name FROM bucket")}
    for row in connection.execute("SELECT * FROM object"):
        uri = f"s3://{row['bucket']}/{bytes(row['key']).decode()}"
        file = folder / row["path"]
        if row["bucket"] not in buckets:
            yield f"{uri} is in no bucket"
        if row["path"].startswith(BESIDE_BUCKETS):
            yield f"{uri} is a temporary file"
        if not file.is_file():
            yield f"{uri} has no file"
        elif file.stat().st_size != row["size"]:
            yield f"{uri} has {row['size']} bytes, its file {file.stat().st_size}"
        elif "-" not in row["etag"] and hashlib.md5(file.read_bytes()).hexdigest() != row["etag"]:
            yield f"{uri} has another content than its ETag says"


def _artefacts(connection: sqlite3.Connection) -> Iterator[str]:
    stored = {
        f"s3://{row['bucket']}/{bytes(row['key']).decode()}" for row in connection.execute("SELECT * FROM object")
    }
    bodies = [
        (f"package {row['name']}/{row['version']}", row["body"]) for row in connection.execute("SELECT * FROM package")
    ]
    bodies += [
        (f"model {row['name']}", row["body"])
        for row in connection.execute("SELECT * FROM resource WHERE kind = 'Model'")
    ]
    for what, body in bodies:
        for uri in _model_data(json.loads(body)):
            if uri not in stored and not any(item.startswith(f"{uri.rstrip('/')}/") for item in stored):
                yield f"{what} has lost {uri}"


def _events(connection: sqlite3.Connection) -> Iterator[str]:
    """The last word of the events about an execution or a step is what its row says."""
    told: dict[tuple[str, str | None], tuple[int | None, str]] = {}
    for row in connection.execute("SELECT kind, ids, detail FROM event ORDER BY sequence"):
        ids, detail = json.loads(row["ids"]), json.loads(row["detail"])
        if row["kind"].startswith(("execution.", "step.")):
            told[ids["execution"], ids.get("step")] = (detail.get("attempt"), detail["status"])
    rows = {(row["id"], None): (None, row["status"]) for row in connection.execute("SELECT * FROM execution")}
    for row in connection.execute("SELECT * FROM step ORDER BY attempt"):
        rows[row["execution"], row["name"]] = (row["attempt"], row["status"])
    for place in sorted(rows.keys() | told.keys(), key=str):
        if rows.get(place) != told.get(place):
            yield f"{place} is {rows.get(place)}, its last event says {told.get(place)}"


def _model_data(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for member, item in value.items():
            if member == "ModelDataUrl" and isinstance(item, str) and item.startswith("s3://"):
                yield item
            else:
                yield from _model_data(item)
    elif isinstance(value, list):
        for item in value:
            yield from _model_data(item)


def _let_go(file: Path, seconds: float = 3.0) -> bool:
    """The owner ends a moment after its last word."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not _locked(file):
            return True
        time.sleep(0.02)
    return False


def _locked(file: Path) -> bool:
    if not file.exists():
        return False
    with file.open() as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
