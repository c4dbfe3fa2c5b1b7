"""Records as objects: one for each partition of a buffer, one for each kind of failure, one of all as they came."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from mlops.account.local.delivery import bodies
from mlops.account.local.delivery.bodies import Body
from mlops.account.local.delivery.conversion import Unfit
from mlops.account.local.delivery.record import Failed, Record
from mlops.account.local.delivery.settings import Place
from mlops.ir.dataclass import dataclass
from mlops.ir.values import Value
from mlops.knowledge.streams.names import CONVERSION_FAILED, PROCESSING_FAILED, BadPrefix

MOST_PARTITIONS = 500
Put: TypeAlias = Callable[[str, str, Iterable[bytes]], None]
"""Writes an object: bucket, key, content. The service's own words where it cannot: raises :class:`Unwritten`."""


class Unwritten(Exception):
    """An object could not be written, and may be later."""


@dataclass(slots=True)
class _Filling:
    """An object that is being filled."""

    bucket: str
    key: str
    body: Body


class Objects:
    """Gathers what one buffer becomes, ``begin`` in the spool, and writes all of it at once. Each object is named after
    its oldest record, which is the first."""

    def __init__(self, begin: str, folder: Path, put: Put, columns: Callable[[], Body] | None = None) -> None:
        self._columns = columns
        self._begin = begin
        self._folder = folder
        self._put = put
        self._filling: dict[tuple[str, ...], _Filling] = {}
        self._partitions: dict[tuple[tuple[str, str, str], ...], tuple[str, ...]] = {}

    def add(self, record: Record, at: Place) -> Failed | None:
        """Where it cannot be written with the others, why."""
        partition = _partition(record.keys)
        slot = self._partitions.get(partition)
        if slot is None:
            if len(self._partitions) >= MOST_PARTITIONS:
                return Failed(
                    record,
                    PROCESSING_FAILED,
                    "DynamicPartitioning.ActivePartitionLimitExceeded",
                    f"The number of active partitions has exceeded the limit of {MOST_PARTITIONS}.",
                )
            slot = ("object", *map(repr, partition))
            try:
                key = at.naming.object("/".join((self._begin, *slot)), record.arrived, record.keys)
            except BadPrefix as error:
                return Failed(record, PROCESSING_FAILED, "DynamicPartitioning.PartitionKeyNotFound", str(error))
            self._partitions[partition] = slot
            made = bodies.body(at.compression, self._folder) if self._columns is None else self._columns()
            self._filling[slot] = _Filling(at.bucket, key, made)
        try:
            self._filling[slot].body.add(record.data)
        except Unfit as error:
            return Failed(record, CONVERSION_FAILED, error.code, str(error))
        return None

    def add_all(self, arrived: int, records: Iterable[bytes], at: Place) -> None:
        """Of a stream that does nothing to them: as :meth:`add`, of many at a time."""
        slot = ("object",)
        filling = self._filling.get(slot)
        if filling is None:
            key = at.naming.object("/".join((self._begin, *slot)), arrived)
            filling = self._filling[slot] = _Filling(at.bucket, key, bodies.body(at.compression, self._folder))
        filling.body.add(b"".join(records))

    def fail(self, failed: Failed, at: Place, more: Mapping[str, Value] | None = None) -> None:
        slot = ("failed", failed.kind)
        filling = self._filling.get(slot)
        if filling is None:
            key = at.naming.failed(failed.kind, self._begin, failed.record.arrived)
            filling = _Filling(at.bucket, key, bodies.Plain(self._folder))
            self._filling[slot] = filling
        filling.body.add(failed.line(more if failed.kind == CONVERSION_FAILED else None))

    def back_up(self, arrived: int, data: bytes, at: Place) -> None:
        """As it came."""
        slot = ("source",)
        filling = self._filling.get(slot)
        if filling is None:
            key = at.naming.object(f"{self._begin}/source", arrived)
            filling = _Filling(at.bucket, key, bodies.body(at.compression, self._folder))
            self._filling[slot] = filling
        filling.body.add(data)

    def write(self) -> None:
        """Raises :class:`Unwritten`."""
        for slot, filling in self._filling.items():
            if self._columns is not None and slot[0] == "object" and not filling.body.size:
                continue  # no record of it could be written
            self._put(filling.bucket, filling.key, filling.body.content())


def _partition(keys: Mapping[str, Mapping[str, Value]]) -> tuple[tuple[str, str, str], ...]:
    if not keys:
        return ()
    return tuple((space, name, str(value)) for space, named in keys.items() for name, value in named.items())
