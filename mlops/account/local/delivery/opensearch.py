"""The requests of an OpenSearch destination: documents in bulk, and what an answer to that means for each of them.

Source: "Data delivery" of Data Firehose's guide, and OpenSearch's document of the bulk API.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from mlops.account.local.delivery.record import Failed, Record
from mlops.account.local.delivery.sending import Answer, Attempt, Post, place
from mlops.account.local.delivery.settings import Cluster
from mlops.ir.dataclass import dataclass
from mlops.knowledge.streams.names import OPENSEARCH_FAILED

MOST_BYTES = 5 * 1024 * 1024
"""Of one request: a small instance takes 10 MiB."""
_MALFORMED = "400"
_TOO_LARGE = 413
_INTERNAL = "InternalError"
"""Where nobody answered. The guide has it of other destinations; of this one it says that codes are the cluster's."""
_BLOCKED = (403, 429)
"""Of one document: its index takes nothing now, or there is too much to do."""
_DAYS = 7


def index(name: str, rotation: str, arrived: int) -> str:
    """The index of a document that came then, in milliseconds. Weeks begin on Sunday, and the first one of a year has
    its first Saturday; they are counted from 0, as only so the guide's own example comes out.

    >>> at = int(datetime(2016, 2, 25, 13, 30, tzinfo=UTC).timestamp() * 1000)
    >>> [index("i", rotation, at) for rotation in ("NoRotation", "OneHour", "OneDay", "OneWeek", "OneMonth")]
    ['i', 'i-2016-02-25-13', 'i-2016-02-25', 'i-2016-w08', 'i-2016-02']
    """
    at = datetime.fromtimestamp(arrived / 1000, UTC)
    match rotation:
        case "OneHour":
            return f"{name}-{at:%Y-%m-%d-%H}"
        case "OneDay":
            return f"{name}-{at:%Y-%m-%d}"
        case "OneWeek":
            year, week = _week(at.date())
            return f"{name}-{year:04}-w{week:02}"
        case "OneMonth":
            return f"{name}-{at:%Y-%m}"
    return name


def _week(day: date) -> tuple[int, int]:
    """
    >>> [_week(date(2016, *day)) for day in ((1, 1), (1, 2), (1, 3), (12, 31))], _week(date(2017, 1, 1))
    ([(2016, 0), (2016, 0), (2016, 1), (2016, 52)], (2017, 0))
    """
    saturday = day + timedelta(days=(5 - day.weekday()) % _DAYS)
    return saturday.year, (saturday.timetuple().tm_yday - 1) // _DAYS


@dataclass(frozen=True, slots=True)
class Documents:
    """Sends to ``cluster``."""

    cluster: Cluster
    post: Post

    @property
    def retry_seconds(self) -> int:
        return self.cluster.retry_seconds

    def parts(self, records: Iterable[Record]) -> Iterator[list[Record]]:
        """What goes in one request. Documents of a record that was taken apart get ids of their own."""
        seen: Counter[str] = Counter()
        part: list[Record] = []
        size = 0
        for record in records:
            if part and size + len(record.data) > MOST_BYTES:
                yield part
                part, size = [], 0
            seen[record.id] += 1
            number = seen[record.id]
            part.append(record if number == 1 else replace(record, id=f"{record.id}-{number}"))
            size += len(record.data)
        if part:
            yield part

    def attempt(self, records: Sequence[Record], request_id: str, attempts: int, now: int) -> Attempt:
        good, failed = list[Record](), list[Failed]()
        lines: list[bytes] = []
        for record in records:
            line = _line(record.data)
            if line is None:
                told = _told("mapper_parsing_exception", "a record is one JSON object in one line of UTF-8")
                failed.append(self._failed(record, _MALFORMED, told, attempts, now))
            else:
                lines += (self._action(record), line)
                good.append(record)
        if not good:
            return Attempt(0, failed=failed)
        lines.append(b"")
        headers = {"Content-Type": "application/x-ndjson", "Accept": "application/json"}
        try:
            answer = self.post(f"{self.cluster.address.rstrip('/')}/_bulk", headers, b"\n".join(lines))
        except OSError as error:
            return Attempt(
                0, again=good, failed=failed, reason=f"no answer from {place(self.cluster.address)}: {error}"
            )
        return self._judged(answer, good, failed, attempts, now)

    def given_up(self, record: Record, reason: str, attempts: int, now: int) -> Failed:
        status = reason.partition(" ")[0]
        return self._failed(record, status if status.isdigit() else _INTERNAL, reason, attempts, now)

    def _action(self, record: Record) -> bytes:
        told = {"_index": self._index(record)}
        if self.cluster.type:
            told["_type"] = self.cluster.type
        if self.cluster.with_ids:
            told["_id"] = record.id
        return json.dumps({"index": told}, separators=(",", ":")).encode()

    def _index(self, record: Record) -> str:
        return index(self.cluster.index, self.cluster.rotation, record.arrived)

    def _judged(self, answer: Answer, good: list[Record], failed: list[Failed], attempts: int, now: int) -> Attempt:
        if answer.status == _TOO_LARGE:
            if len(good) > 1:
                return Attempt(0, again=good, failed=failed, reason=str(_TOO_LARGE), smaller=True)
            told = _told("content_too_long", "the cluster takes no request with this document")
            return Attempt(0, failed=[*failed, self._failed(good[0], str(_TOO_LARGE), told, attempts, now)])
        items = _items(answer, len(good))
        if items is None:
            return Attempt(0, again=good, failed=failed, reason=_reason(answer))
        again, reason, taken = list[Record](), "", 0
        for record, item in zip(good, items, strict=True):
            status, error = item
            if 200 <= status < 300:
                taken += 1
            elif status in _BLOCKED or status >= 500:
                again.append(record)
                reason = reason or f"{status} {_type(error)}"
            else:
                failed.append(self._failed(record, str(status), json.dumps(error), attempts, now))
        return Attempt(taken, again=again, failed=failed, reason=reason)

    def _failed(self, record: Record, code: str, message: str, attempts: int, now: int) -> Failed:
        more = {
            "esDocumentId": record.id if self.cluster.with_ids else None,
            "esIndexName": self._index(record),
            "esTypeName": self.cluster.type,
        }
        return Failed(record, OPENSEARCH_FAILED, code, message, attempts, now, more)


def _line(data: bytes) -> bytes | None:
    """The document that a record is: one JSON object, in one line; None for what no request can hold.

    >>> [_line(data) for data in (b'{"a": 1}\\n', b"[1]", '{"a": 1}'.encode("utf-16"))]
    [b'{"a": 1}', None, None]
    """
    line = data.strip()
    if b"\n" in line or b"\r" in line:
        return None
    try:
        return line if isinstance(json.loads(line.decode()), dict) else None
    except (ValueError, RecursionError):
        return None


def _items(answer: Answer, count: int) -> list[tuple[int, Any]] | None:
    """Of each document its status and error, in their order; None where that is not what was answered."""
    if answer.status != 200:
        return None
    try:
        listed = json.loads(answer.body)["items"]
        found = [next(iter(item.values())) for item in listed]
        told = [(int(item["status"]), item.get("error")) for item in found]
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError, StopIteration):
        return None
    return told if len(told) == count else None


def _reason(answer: Answer) -> str:
    """By the type of the error alone: its text may hold a part of a document."""
    if answer.status == 200:
        return "200 with an answer that does not tell of each document"
    try:
        return f"{answer.status} {_type(json.loads(answer.body)['error'])}"
    except (ValueError, RecursionError, KeyError, TypeError):
        return f"{answer.status} without a reason"


def _type(error: Any) -> str:
    return str(error.get("type")) if isinstance(error, Mapping) else "without a reason"


def _told(kind: str, reason: str) -> str:
    return json.dumps({"type": kind, "reason": reason})
