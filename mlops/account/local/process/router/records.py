"""What was asked of an endpoint and how it was answered: one record a request, in files that other processes may read.

A file of ``<endpoint's folder>/requests`` begins with a line of JSON that names its format and its columns, and has a
line with an array of their values for each request, in the order of the answers. A new file begins when one is full,
and with each process; names sort by time. The newest files are kept, the oldest removed. ``{"lost": n}`` in place of an
array says that n records were not written by its ``time``: they came faster than the disk took them, or it took none.

Columns: ``time`` of the answer in seconds since 1970; ``config`` and ``variant`` (empty where none was chosen);
``shadow``; ``status`` as the caller saw it, 499 where the caller had gone, for a shadow as if it had been asked;
``model_status`` of the container that answered last, 0 where none did (Invocation4XXErrors, Invocation5XXErrors);
microseconds inside the model and around it (ModelLatency, OverheadLatency); bytes of the bodies;
``inference_id`` or null.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from mlops.ir.dataclass import dataclass

FOLDER = "requests"
FORMAT = 1
_FILE_BYTES = 8 * 1024 * 1024
_FILES = 8
_WAITING = 20_000
_BATCH = 1000
_SECONDS = 1.0
_SLACK = 60.0
"""A record is written some time after its answer; by then the next file may have been begun."""
_log = logging.getLogger("mlops.runner")


class Record(NamedTuple):
    time: float
    config: str
    variant: str
    shadow: bool
    status: int
    model_status: int
    model_microseconds: int
    overhead_microseconds: int
    bytes_in: int
    bytes_out: int
    inference_id: str | None


@dataclass(frozen=True, slots=True)
class Position:
    """How far somebody has read."""

    file: str = ""
    offset: int = 0


class Recorder:
    """Takes records without waiting and writes them in batches, in a thread of its own. ``columns`` are those of a
    record, of which the first is the time. The folder above ``folder`` is there: one that somebody removed with the
    account is not made anew."""

    def __init__(
        self,
        folder: Path,
        *,
        seconds: float = _SECONDS,
        file_bytes: int = _FILE_BYTES,
        files: int = _FILES,
        waiting: int = _WAITING,
        columns: tuple[str, ...] = Record._fields,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._seconds, self._file_bytes, self._files, self._most = seconds, file_bytes, files, waiting
        self._clock, self._columns = clock, columns
        self._waiting: list[tuple[Any, ...]] = []
        self._lost = 0
        self._untold = 0  # the thread's own: what could not even be told yet
        self._ended = threading.Event()
        self._descriptor = -1
        self._size = 0
        self._thread = threading.Thread(target=self._run, name="request records", daemon=True)
        self._thread.start()

    def add(self, record: tuple[Any, ...]) -> None:
        if len(self._waiting) < self._most:
            self._waiting.append(record)
        else:
            self._lost += 1

    def lose(self, count: int) -> None:
        """So many came to nothing before they could be added."""
        self._lost += count

    def close(self) -> None:
        """What was added is written then."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._seconds):
            self.write()
        self.write()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def write(self) -> None:
        """What waits; the thread does so."""
        records, self._waiting = self._waiting, []
        lost, self._lost = self._lost + self._untold, 0
        self._untold = 0
        if not records and not lost:
            return
        written = 0
        try:
            for start in range(0, len(records), _BATCH):
                batch = records[start : start + _BATCH]
                self._append(_ARRAY.encode(record) for record in batch)
                written += len(batch)
            if lost:
                self._append([json.dumps({"lost": lost, "time": round(self._clock(), 6)})])
        except OSError as error:
            self._untold = lost + len(records) - written
            _log.warning("%d request records cannot be written: %s", self._untold, error)

    def _append(self, texts: Any) -> None:
        if self._descriptor < 0 or self._size >= self._file_bytes:
            self._begin()
        self._put("".join(f"{line}\n" for line in texts).encode())

    def _put(self, text: bytes) -> None:
        """All of it, or nothing: half a line would be read as one with the next."""
        whole = self._size
        try:
            while text:
                written = os.write(self._descriptor, text)
                self._size += written
                text = text[written:]
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, whole)
            self._size = whole
            raise

    def _begin(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        self._folder.mkdir(exist_ok=True)
        name = f"{self._clock():017.6f}-{os.getpid()}.jsonl"
        self._descriptor = os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._size = 0
        try:
            self._put((json.dumps({"format": FORMAT, "columns": self._columns}) + "\n").encode())
        except OSError:
            os.close(self._descriptor)
            self._descriptor = -1
            (self._folder / name).unlink(missing_ok=True)
            raise
        for old in _names(self._folder)[: -self._files]:
            with contextlib.suppress(FileNotFoundError):
                (self._folder / old).unlink()


def read(folder: Path, after: Position | None = None) -> tuple[list[Record], Position]:
    """The records that were written since ``after``, and where to go on. Another process may be writing, or may have
    removed what was not read in time."""
    rows, at = rows_after(folder, after)
    return [Record(*values) for values in rows if isinstance(values, list)], at


def rows_after(folder: Path, after: Position | None = None) -> tuple[list[Any], Position]:
    """The same of records of any columns, as lists, and of what was lost, as it is written."""
    at = after or Position()
    found: list[Any] = []
    for name in _names(folder):
        if name < at.file:
            continue
        offset = at.offset if name == at.file else 0
        try:
            with (folder / name).open("rb") as file:
                file.seek(offset)
                text = file.read()
        except FileNotFoundError:
            continue
        whole = text[: text.rfind(b"\n") + 1]
        found += (told for told in map(_told, whole.splitlines()) if told is not None)
        at = Position(name, offset + len(whole))
    return found, at


def between(folder: Path, start: float, end: float) -> Iterator[Record]:
    """Those that were answered from ``start`` to before ``end``, in seconds since 1970."""
    return map(Record._make, rows_between(folder, start, end))


def rows_between(folder: Path, start: float, end: float) -> Iterator[list[Any]]:
    """The same of records of any columns."""
    names = _names(folder)
    for name, following in zip_longest(names, names[1:]):
        # A file is named by the time at which it was begun.
        if float(name.partition("-")[0]) >= end or (following and float(following.partition("-")[0]) < start - _SLACK):
            continue
        try:
            lines = (folder / name).read_bytes().splitlines(keepends=True)
        except FileNotFoundError:
            continue
        for line in lines:
            # The time stands first: what is too early or too late is not worth reading.
            if line.startswith(b"[") and line.endswith(b"\n") and start <= _time(line) < end:
                told = _told(line)
                if told is not None:
                    yield told


def lost(folder: Path) -> int:
    """How many records of those files that are kept were not written."""
    found = 0
    for name in _names(folder):
        with contextlib.suppress(FileNotFoundError):
            for line in (folder / name).read_bytes().splitlines():
                if line.startswith(b'{"lost"') and (told := _told(line)) is not None:
                    found += told["lost"]
    return found


def _told(line: bytes) -> Any:
    """None for what is no line of ours: an older version left half a one where the disk was full."""
    try:
        return json.loads(line)
    except ValueError:
        return None


def _time(line: bytes) -> float:
    try:
        return float(line[1 : line.index(b",")])
    except ValueError:
        return math.nan  # of which nothing holds


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.jsonl"))


_ARRAY = json.JSONEncoder(separators=(",", ":"))
