"""A record on its way: what it holds, when it came, and what became of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import field, replace
from datetime import UTC, datetime

from mlops.ir.dataclass import dataclass
from mlops.ir.values import Value


@dataclass(frozen=True, slots=True)
class Record:
    """``id`` is what PutRecord answered; ``raw`` what was put, where ``data`` is something else by now; ``keys`` are
    partition keys by the namespace of a prefix."""

    id: str
    arrived: int
    data: bytes
    raw: bytes | None = None
    keys: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)

    def changed(self, data: bytes) -> Record:
        return replace(self, data=data, raw=self.source)

    @property
    def source(self) -> bytes:
        return self.data if self.raw is None else self.raw


@dataclass(frozen=True, slots=True)
class Failed:
    """A record that goes to the error prefix. ``kind`` is the error-output-type; ``more`` are further members of what
    is written of it."""

    record: Record
    kind: str
    code: str
    message: str
    attempts: int = 1
    ended: int | None = None
    more: Mapping[str, Value] = field(default_factory=dict)

    def line(self, converted: Mapping[str, Value] | None = None) -> bytes:
        """As the service writes it, and ``mlops streams replay`` reads it; ``converted`` is the table, of a record that
        could not be a row of it."""
        last = converted is not None
        told: dict[str, Value] = {
            "attemptsMade": self.attempts,
            "arrivalTimestamp": self.record.arrived,
            "lastErrorCode" if last else "errorCode": self.code,
            "lastErrorMessage" if last else "errorMessage": self.message,
            "attemptEndingTimestamp": self.record.arrived if self.ended is None else self.ended,
            "rawData": base64.b64encode(self.record.source).decode(),
            **self.more,
        }
        if converted is not None:
            told |= {"sequenceNumber": self.record.id, "subSequenceNumber": 0, "dataCatalogTable": converted}
        return json.dumps(told).encode() + b"\n"


def milliseconds(time: datetime) -> int:
    """
    >>> milliseconds(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000
    """
    return int(time.astimezone(UTC).timestamp() * 1000)
