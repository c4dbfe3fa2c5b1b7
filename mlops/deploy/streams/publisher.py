"""Puts records into a stream: many in one request, those that failed again, those that nobody takes on disk.

Data Firehose answers 200 to a request of which a part failed, and whoever looks at the status alone loses that part. A
request without an answer may have been taken, so a record may arrive twice: documents carry an id by which readers know
them again.
"""

from __future__ import annotations

import json
import logging
import random
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from mlops.account.answers import Refused, Unreachable, answers
from mlops.deploy.streams.splitting import parts
from mlops.ir import AccountError, UsageError
from mlops.ir.dataclass import dataclass
from mlops.project.private import opener, private_folder
from mlops.project.spool import BEGINNING, Damage, Place, Spool, place_of

MOST_RECORDS, LARGEST_BATCH, LARGEST_RECORD = 500, 4 * 1024 * 1024, 1000 * 1024
ID = "id"
"""The member of a document by which it is known again."""
SPOOL_BYTES = 256 * 1024 * 1024
LINGER_SECONDS = 1.0
_FOLLOWED = 0.2
"""How much the newest gap between two puts counts in their mean. The next one is thought to be no longer than either: a
pause within a burst is an exception, and so is a burst among pauses."""
ATTEMPTS = 8
_FIRST_SECONDS, _LONGEST_SECONDS = 0.1, 10.0
_PASSING = frozenset(
    {
        "ServiceUnavailableException",
        "ServiceUnavailable",
        "InternalFailure",
        "InternalServerError",
        "RequestTimeout",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""Codes after which the same request may succeed."""
_READ = "read.json"
_log = logging.getLogger("mlops.streams")


def _pause(attempt: int) -> float:
    """At most, before an attempt; the first is 0."""
    return min(_LONGEST_SECONDS, _FIRST_SECONDS * 2.0**attempt)


def pauses(attempts: int) -> float:
    """Seconds between the first and the last of so many, at most.

    >>> round(pauses(8), 1)
    22.6
    """
    return sum(_pause(attempt) for attempt in range(1, attempts))


class Undelivered(AccountError):
    """``records`` were not taken, and there is no room for them on disk."""

    def __init__(self, message: str, records: Sequence[bytes], *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.records = tuple(records)


@dataclass(frozen=True, slots=True)
class Published:
    """``sent`` were taken by the stream in so many ``requests``, ``again`` is how often one was sent another time,
    ``waiting`` what lies on disk, in bytes."""

    sent: int = 0
    again: int = 0
    requests: int = 0
    waiting: int = 0


class Publisher:
    """``client`` is boto3's of Data Firehose. With a ``folder`` what the stream does not take is kept there, up to
    ``spool_bytes``, and goes first when it is taken again, by this publisher or the next one of the folder: one at a
    time. Without, it is raised. Not for several threads.

    What is put is sent when a request is full, or by :meth:`flush`, or when its oldest record would be older than
    ``linger_seconds`` at the next put: at the rate at which records come it is told when that will be, so that those of
    a slow program do not wait for each other. With ``split`` a document that is too large for a record becomes several
    (:mod:`mlops.deploy.streams.splitting`)."""

    def __init__(
        self,
        client: Any,
        stream: str,
        *,
        folder: Path | None = None,
        spool_bytes: int = SPOOL_BYTES,
        batch: int = MOST_RECORDS,
        linger_seconds: float = LINGER_SECONDS,
        split: bool = False,
        attempts: int = ATTEMPTS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        chance: random.Random | None = None,
    ) -> None:
        self._client, self._stream = client, stream
        self._folder = None if folder is None else private_folder(folder)
        self._spool = None if folder is None else Spool(folder, tell=self._damaged)
        self._spool_bytes, self._batch, self._linger = spool_bytes, min(batch, MOST_RECORDS), linger_seconds
        self._attempts, self._clock, self._sleep, self._split = attempts, clock, sleep, split
        self._chance = chance or random.Random()  # noqa: S311 - spreads attempts, hides nothing
        self._waiting: list[bytes] = []
        self._size = 0
        self._since = 0.0
        self._put: float | None = None
        self._gap: float | None = None
        self._told = Published()

    def __enter__(self) -> Publisher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Also where something was raised: what was put was put."""
        self.flush()

    def put(self, document: Mapping[str, Any]) -> str:
        """One line of JSON. Its id: the one that it has, or a new one. Raises UsageError for what is too large, and not
        to be split."""
        given = document.get(ID)
        known = str(uuid.uuid4()) if given is None else given
        told = document if given is not None else {ID: known, **document}
        line = _line(told)
        if self._split and len(line) > LARGEST_RECORD:
            for part in parts(known, line.decode()):
                self.put_bytes(_line(part))
        else:
            self.put_bytes(line)
        return str(known)

    def put_bytes(self, record: bytes) -> None:
        """As it is: it has to end as records of the stream end."""
        if len(record) > LARGEST_RECORD:
            raise UsageError(
                f"a record has {len(record)} bytes, and {LARGEST_RECORD} may be",
                hint="put what is large into S3, and its key into the stream, or have a Publisher `split` documents",
            )
        if self._size + len(record) > LARGEST_BATCH or len(self._waiting) >= self._batch:
            self._send()
        now = self._clock()
        expected = self._follows(now)
        if not self._waiting:
            self._since = now
        self._waiting.append(record)
        self._size += len(record)
        # Nobody but the next put looks how old they are.
        if len(self._waiting) >= self._batch or now + expected - self._since >= self._linger:
            self._send()

    def _follows(self, now: float) -> float:
        """In how many seconds the next put is thought to come; 0 where nothing is known."""
        before, self._put = self._put, now
        if before is None:
            return 0.0
        newest = now - before
        self._gap = newest if self._gap is None else self._gap + (newest - self._gap) * _FOLLOWED
        return min(newest, self._gap)

    def flush(self) -> Published:
        """All that was put is taken when this returns, or lies on disk. What was done since the last flush. Raises
        Undelivered where neither could be."""
        self._send(last=True)
        waiting = 0 if self._spool is None else self._spool.backlog(self._read())
        told, self._told = self._told, Published()
        return Published(told.sent, told.again, told.requests, waiting)

    def _send(self, *, last: bool = False) -> None:
        """Where a part failed and more is to come, that part goes with it, without a pause."""
        records, self._waiting, self._size = self._waiting, [], 0
        try:
            if self._spool is not None and not self._drained(self._spool, self._read()):
                self._keep(records)
                return
            if not records:
                return
            left = records if last else self._asked(records)
            if not last and 0 < len(left) < len(records):
                self._again(len(left))
                self._waiting, self._size, self._since = left, sum(map(len, left)), self._clock()
                return
            left = self._tried(left, 0 if last else 1)
        except Undelivered:
            raise
        except BaseException:
            # Refused for good, or interrupted: what was put stays put, and comes twice where it was taken already.
            if self._spool is not None:
                self._keep(records)
            else:
                self._waiting, self._size = records, sum(map(len, records))
            raise
        self._keep(left)

    def _damaged(self, damage: Damage) -> None:
        """What is left of it is sent all the same."""
        _log.warning(
            "what waits for the stream %s is damaged: %s, %d bytes at %d of %s (%d records of it are lost)",
            self._stream, damage.why, damage.size, damage.offset, damage.file, damage.records,
        )  # fmt: skip

    def _drained(self, spool: Spool, place: Place) -> bool:
        """Whether nothing waits on disk any more."""
        while True:
            records, end = _next(spool, place, self._batch)
            if not records:
                return True
            left = self._tried(records)
            if left:
                # What was taken of them must not be sent again, so that the rest goes to the end.
                spool.append(left, 0)
            self._write(end)
            spool.forget(end)
            place = end
            if left:
                return False

    def _tried(self, records: Sequence[bytes], attempt: int = 0) -> list[bytes]:
        """What the stream has not taken after all attempts."""
        left = list(records)
        while left and attempt < self._attempts:
            if attempt:
                self._again(len(left))
                self._sleep(self._chance.uniform(0, _pause(attempt)))
            left = self._asked(left)
            attempt += 1
        return left

    def _again(self, count: int) -> None:
        told = self._told
        self._told = Published(told.sent, told.again + count, told.requests)

    def _asked(self, records: list[bytes]) -> list[bytes]:
        """One request: what failed of it."""
        left = self._failed(records)
        told = self._told
        self._told = Published(told.sent + len(records) - len(left), told.again, told.requests + 1)
        return left

    def _failed(self, records: list[bytes]) -> list[bytes]:
        try:
            with answers():
                reply = self._client.put_record_batch(
                    DeliveryStreamName=self._stream, Records=[{"Data": record} for record in records]
                )
        except Unreachable:
            return records
        except Refused as refused:
            if refused.code not in _PASSING:
                raise
            return records
        if not reply["FailedPutCount"]:
            return []
        told = reply["RequestResponses"]
        return [record for record, item in zip(records, told, strict=True) if item.get("ErrorCode")]

    def _keep(self, records: Sequence[bytes]) -> None:
        """On disk, where there is room."""
        if not records:
            return
        if self._spool is None:
            raise Undelivered(
                f"the stream {self._stream} did not take {len(records)} records",
                records,
                hint="give the publisher a folder to keep them in meanwhile",
            )
        size = sum(map(len, records))
        if self._spool.backlog(self._read()) + size > self._spool_bytes:
            raise Undelivered(
                f"the stream {self._stream} takes nothing, and {self._spool_bytes} bytes wait for it already", records
            )
        self._spool.append(records, 0)

    def _read(self) -> Place:
        """How far what waits on disk was sent."""
        if self._folder is None:
            return BEGINNING
        try:
            return place_of(json.loads((self._folder / _READ).read_bytes()))
        except FileNotFoundError:
            return BEGINNING
        except ValueError as error:
            _log.warning("%s is damaged, all that waits is sent once more: %s", self._folder / _READ, error)
            return BEGINNING

    def _write(self, place: Place) -> None:
        if self._folder is not None:
            new = self._folder / f"{_READ}.new"
            with open(new, "w", opener=opener) as file:
                json.dump(place, file)
            new.replace(self._folder / _READ)


def _line(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _next(spool: Spool, place: Place, most: int) -> tuple[list[bytes], Place]:
    """The records of some blocks, no more than one request takes, and where those behind them begin."""
    found: list[bytes] = []
    size, end = 0, place
    for block in spool.blocks(place):
        if found and (len(found) + block.count > most or size + block.size > LARGEST_BATCH):
            break
        for _, records in spool.read(block.place, block.end):
            found += records
        size += block.size
        end = block.end
    return found, end


def published(client: Any, stream: str, records: Iterable[bytes], folder: Path | None = None) -> Published:
    """All of them, as they are."""
    with Publisher(client, stream, folder=folder) as publisher:
        for record in records:
            publisher.put_bytes(record)
        return publisher.flush()
