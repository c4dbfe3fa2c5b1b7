"""The metadata of the local account: one SQLite file that several processes share."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from mlops.ir import ConfigurationError, full_disk
from mlops.project.private import how_to_own, not_ours, opener, state_folder

BUSY_SECONDS = 30.0
"""So long nobody else may get anything done, before who waits for them gives up."""
LONGEST_SECONDS = 600.0
_PAUSE_SECONDS = (0.0005, 0.02)
"""The first pause and the longest; a transaction takes a millisecond."""
_LEAST_BYTES = 65_536
"""What SQLite writes at once."""

# Times are ISO 8601 in UTC with six digits, so that they sort as text. ``body`` is JSON, in the members' own names.
_FIRST = """
CREATE TABLE resource (
    kind TEXT NOT NULL, name TEXT NOT NULL, created TEXT NOT NULL, modified TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT '', body TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;
CREATE INDEX resource_created ON resource (kind, created, name);
CREATE TABLE pipeline_version (
    pipeline TEXT NOT NULL, version INTEGER NOT NULL, created TEXT NOT NULL, definition TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (pipeline, version)
);
CREATE TABLE execution (
    id TEXT PRIMARY KEY, pipeline TEXT NOT NULL, version INTEGER NOT NULL, status TEXT NOT NULL,
    stop_requested INTEGER NOT NULL DEFAULT 0, created TEXT NOT NULL, modified TEXT NOT NULL, failure TEXT,
    body TEXT NOT NULL
);
CREATE INDEX execution_created ON execution (pipeline, created, id);
CREATE INDEX execution_status ON execution (pipeline, status);
CREATE TABLE step (
    execution TEXT NOT NULL, name TEXT NOT NULL, attempt INTEGER NOT NULL, type TEXT NOT NULL, status TEXT NOT NULL,
    started TEXT NOT NULL, ended TEXT, failure TEXT, log TEXT, job TEXT, cache_source TEXT,
    metadata TEXT NOT NULL, response TEXT NOT NULL,
    PRIMARY KEY (execution, name, attempt)
);
CREATE INDEX step_job ON step (job) WHERE job IS NOT NULL;
CREATE TABLE package (
    name TEXT NOT NULL, version INTEGER NOT NULL, created TEXT NOT NULL, approval TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (name, version)
);
CREATE INDEX package_created ON package (created, name, version);
CREATE TABLE tag (
    arn TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (arn, key)
) WITHOUT ROWID;
CREATE TABLE token (
    operation TEXT NOT NULL, token TEXT NOT NULL, request TEXT NOT NULL, reply TEXT NOT NULL, created TEXT NOT NULL,
    PRIMARY KEY (operation, token)
) WITHOUT ROWID;
CREATE TABLE bucket (name TEXT PRIMARY KEY, created TEXT NOT NULL);
CREATE TABLE object (
    bucket TEXT NOT NULL, key BLOB NOT NULL, path TEXT NOT NULL, size INTEGER NOT NULL, stamp TEXT NOT NULL,
    etag TEXT NOT NULL, modified TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (bucket, key)
) WITHOUT ROWID;
CREATE TABLE upload (
    id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, created TEXT NOT NULL, body TEXT NOT NULL
);
CREATE TABLE part (
    upload TEXT NOT NULL, number INTEGER NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL, modified TEXT NOT NULL,
    PRIMARY KEY (upload, number)
) WITHOUT ROWID;
"""

_STEP_CACHE = """
ALTER TABLE step ADD COLUMN cache_key TEXT;
ALTER TABLE step ADD COLUMN cache TEXT;
CREATE INDEX step_cache_key ON step (name, cache_key) WHERE cache_key IS NOT NULL;
"""

# ``ids`` and ``detail`` are JSON. A sequence number is never given twice: who has read up to one goes on behind it.
_EVENTS = """
CREATE TABLE event (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, time TEXT NOT NULL, kind TEXT NOT NULL, about TEXT NOT NULL,
    ids TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE INDEX event_kind ON event (kind, sequence);
CREATE TABLE event_id (
    name TEXT NOT NULL, value TEXT NOT NULL, sequence INTEGER NOT NULL,
    PRIMARY KEY (name, value, sequence)
) WITHOUT ROWID;
CREATE TRIGGER event_never_changes BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'an event never changes'); END;
CREATE TRIGGER event_goes_with_its_execution BEFORE DELETE ON event
WHEN json_extract(old.ids, '$.execution') IS NULL
    OR EXISTS (SELECT 1 FROM execution WHERE id = json_extract(old.ids, '$.execution'))
BEGIN SELECT RAISE(ABORT, 'an event goes with its execution'); END;
"""

# What changed since some moment is asked again and again while old executions are forgotten.
_CHANGES = """
CREATE INDEX resource_modified ON resource (modified);
CREATE INDEX package_modified ON package (json_extract(body, '$.LastModifiedTime'));
"""

# What was put; ``dimensions`` are sorted pairs in JSON. Metrics of endpoints are in their request records.
_METRICS = """
CREATE TABLE metric (
    namespace TEXT NOT NULL, name TEXT NOT NULL, dimensions TEXT NOT NULL, time TEXT NOT NULL, value REAL NOT NULL,
    count INTEGER NOT NULL
);
CREATE INDEX metric_time ON metric (namespace, name, dimensions, time);
"""

# Of queues. ``visible`` is the time (seconds since 1970) from which somebody may take it, ``receipt`` the handle of who
# took it last, ``first`` when that was first done.
_MESSAGES = """
CREATE TABLE message (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
    attributes TEXT NOT NULL, sent REAL NOT NULL, visible REAL NOT NULL, receipt TEXT, first REAL,
    received INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX message_visible ON message (queue, visible);
CREATE INDEX message_receipt ON message (receipt) WHERE receipt IS NOT NULL;
"""

# Jobs that no step stands for: those that somebody created (without ``execution`` and ``parent``; ``body`` is the
# request), and those that the job ``parent`` started (``body`` is what its list tells of them).
_JOBS = """
CREATE TABLE job (
    kind TEXT NOT NULL, name TEXT NOT NULL, execution TEXT NOT NULL, parent TEXT NOT NULL, log TEXT,
    stop_requested INTEGER NOT NULL DEFAULT 0, body TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;
CREATE INDEX job_parent ON job (parent) WHERE parent != '';
CREATE INDEX job_execution ON job (execution) WHERE execution != '';
CREATE INDEX resource_alive ON resource (kind, name) WHERE status IN ('InProgress', 'Stopping');
"""

# Where an execution asks for an earlier result, and there are a hundred thousand.
_RESULTS = """
CREATE INDEX step_ran ON step (name, cache_key, ended) WHERE cache_source IS NULL AND status = 'Succeeded';
CREATE INDEX step_ended ON step (name, ended);
"""

# Of the clock. ``done`` is the last moment that something by this kind and name was done for, and without a name the
# sequence number of the last event; what is to be delivered
# waits in ``delivery`` from the transaction of its cause on, ``body`` is what, to whom and until when.
_CLOCK = """
CREATE TABLE done (
    kind TEXT NOT NULL, name TEXT NOT NULL, moment TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;
CREATE TABLE delivery (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, due TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    body TEXT NOT NULL
);
CREATE INDEX delivery_due ON delivery (due);
"""

# What was done about what was seen (mlops.account.local.feedback); ``cause`` is the sequence number of an event.
_FEEDBACK = """
CREATE TABLE feedback (
    name TEXT NOT NULL, cause INTEGER NOT NULL, state TEXT NOT NULL, created TEXT NOT NULL, modified TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (name, cause)
) WITHOUT ROWID;
"""

# What takes long waits for its place by itself: who looks for what is due reads none of it again.
_LONG = """
ALTER TABLE delivery ADD COLUMN takes_long INTEGER NOT NULL DEFAULT 0;
CREATE INDEX delivery_next ON delivery (takes_long, due);
"""

_SCHEMAS = (_FIRST, _STEP_CACHE, _EVENTS, _CHANGES, _METRICS, _MESSAGES, _JOBS, _RESULTS, _CLOCK, _FEEDBACK, _LONG)
"""Each makes the next version out of the one before."""

SCHEMA_VERSION = len(_SCHEMAS)
_T = TypeVar("_T")


class Store:
    """One connection per thread and process; reads outside :meth:`transaction` see the last commit."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        state_folder(path.parent, path.name)
        self._prepare()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Holds the write lock from the start, so nothing that is read inside can change; joins an outer one. All who
        write wait for it: what takes time, as loading a module, is done before."""
        with self._told():
            connection = self._connection()
            if connection.in_transaction:
                yield connection
                return
            self._patiently(lambda: connection.execute("BEGIN IMMEDIATE"))
            try:
                yield connection
            except BaseException:
                # Where the file is broken there may be nothing to take back any more.
                with suppress(sqlite3.OperationalError):
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """What is read inside is of one moment. Keeps nobody from writing, and must not write itself."""
        with self._told():
            connection = self._connection()
            if connection.in_transaction:
                yield
                return
            connection.execute("BEGIN")
            try:
                yield
            finally:
                connection.execute("COMMIT")

    def all(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        with self._told():
            return self._patiently(lambda: self._connection().execute(statement, values).fetchall())

    def one(self, statement: str, *values: Any) -> sqlite3.Row | None:
        with self._told():
            row: sqlite3.Row | None = self._patiently(lambda: self._connection().execute(statement, values).fetchone())
        return row

    def changes(self) -> tuple[int, int]:
        """Another value than before where somebody else, or this thread, has written since."""
        with self._told():
            connection = self._connection()
            return self._patiently(lambda: _data_version(connection)), connection.total_changes

    def examine(self) -> None:
        """Reads the whole file. Raises ConfigurationError where it is damaged."""
        found = [row[0] for row in self.all("PRAGMA quick_check(1)")]
        if found != ["ok"]:
            raise self._unusable(found[0])

    def write(self, statement: str, *values: Any) -> int:
        """One statement in its own transaction, or in the open one; returns the number of rows touched."""
        with self.transaction() as connection:
            return connection.execute(statement, values).rowcount

    def _patiently(self, act: Callable[[], _T]) -> _T:
        """``act()``, as often as others are in its way. SQLite's own waiting soon looks ten times a second only: where
        many write, and the machine has more to do than it can, others come in between for half a minute. So here looks
        are frequent, no two waiters keep step, and as long as others get on nothing is wrong."""
        began = moved = time.monotonic()
        known, pause = None, _PAUSE_SECONDS[0]
        while True:
            try:
                return act()
            except sqlite3.OperationalError as error:
                if _code(error) != sqlite3.SQLITE_BUSY:
                    raise
                now = time.monotonic()
                version = self._seen_version()
                if version is not None and version != known:
                    known, moved = version, now
                if now - moved >= BUSY_SECONDS or now - began >= LONGEST_SECONDS:
                    raise
            from random import uniform  # few have to wait

            time.sleep(uniform(_PAUSE_SECONDS[0], pause))  # noqa: S311
            pause = min(2 * pause, _PAUSE_SECONDS[1])

    def _seen_version(self) -> int | None:
        """None where even that cannot be read."""
        try:
            return _data_version(self._connection())
        except sqlite3.OperationalError:
            return None

    @contextmanager
    def _told(self) -> Iterator[None]:
        """A file that is damaged, full, locked for too long or gone is no mistake of the statement's."""
        try:
            yield
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError):
            raise
        except sqlite3.DatabaseError as error:
            raise self._unusable(error) from error

    def _unusable(self, reason: object) -> ConfigurationError:
        if self._has_no_place(reason):
            return ConfigurationError(full_disk.told(self._path.parent), hint=full_disk.HINT)
        if (owner := not_ours(self._path)) is not None:
            return ConfigurationError(
                f"{self._path} belongs to {owner}, and is not yours to write: {reason}",
                hint=how_to_own(self._path.parent),
            )
        if not self._path.exists():
            return ConfigurationError(
                f"{self._path} was removed while it was in use: {reason}",
                hint="run it again: that begins with an empty local account",
            )
        if _code(reason) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return ConfigurationError(
                f"{self._path} was held by another process for longer than {BUSY_SECONDS:g} seconds: {reason}",
                hint="nothing is wrong with it: run it again when this machine has less to do",
            )
        return ConfigurationError(
            f"{self._path} cannot be used as the local account: {reason}",
            hint="move the file away to begin with an empty local account",
        )

    def _has_no_place(self, reason: object) -> bool:
        """SQLite says so of its own file; of what lies beside it, only that it cannot be written."""
        code = _code(reason)
        if code not in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):
            return bool(code == sqlite3.SQLITE_FULL)
        try:
            return shutil.disk_usage(self._path.parent).free < _LEAST_BYTES
        except OSError:
            return False

    def _connection(self) -> sqlite3.Connection:
        # A connection must not be carried over a fork.
        if getattr(self._local, "process", None) != os.getpid():
            self._local.connection = self._open()
            self._local.process = os.getpid()
        connection: sqlite3.Connection = self._local.connection
        return connection

    def _open(self) -> sqlite3.Connection:
        # SQLite makes a file that everybody may read, and gives its companions the file's own mode.
        if not self._path.exists():
            os.close(opener(str(self._path), os.O_RDWR | os.O_CREAT))
        connection = sqlite3.connect(self._path, timeout=0, isolation_level=None)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    def _prepare(self) -> None:
        """Two processes that make the file at once would meet SQLITE_BUSY at the switch to WAL, timeout or not."""
        try:
            version = self._version()
            if version < SCHEMA_VERSION:
                with open(self._path.with_suffix(".lock"), "w", opener=opener) as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    self._create()
                version = self._version()
        except sqlite3.DatabaseError as error:
            raise self._unusable(error) from error
        if version != SCHEMA_VERSION:
            raise ConfigurationError(
                f"{self._path} has schema version {version}, this mlops knows {SCHEMA_VERSION}",
                hint="use the mlops that wrote it, or move the file away to begin with an empty local account",
            )

    def _version(self) -> int:
        row = self._patiently(lambda: self._connection().execute("PRAGMA user_version").fetchone())
        return int(row[0])

    def _create(self) -> None:
        connection = self._connection()
        self._patiently(lambda: connection.execute("PRAGMA journal_mode = WAL"))
        lacking = "".join(_SCHEMAS[self._version() :])
        script = f"BEGIN IMMEDIATE; {lacking} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        self._patiently(lambda: connection.executescript(script))


def _data_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def _code(reason: object) -> int:
    """SQLite's primary code of an error; 0 of anything else."""
    return (getattr(reason, "sqlite_errorcode", None) or 0) & 0xFF
