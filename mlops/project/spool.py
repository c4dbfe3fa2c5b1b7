"""Records that were accepted and are not delivered yet: files to which any process appends, and one process reads.

A file begins with how many of its bytes count. Who appends writes behind them first and raises that number then, one
write of eight bytes: whoever is killed before has accepted nothing, and the next one writes over it. So an accepted
record outlives every process; it does not outlive a machine that loses its power.

Everything has a checksum. Where a file is damaged, all records that are what they were come out of it, the rest is told
(:class:`Damage`), and the file is kept beside the others for whoever wants to look at it.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

from mlops.ir.dataclass import dataclass
from mlops.project.private import FILE, private_folder

_MAGIC, _PLAIN = b"mlopsSP2", b"mlopsSP1"
"""The files of earlier versions have no checksums: they are read as they are, and appended to no more."""
_COUNTED, _COUNTED_PLAIN = struct.Struct("<II"), struct.Struct("<Q")
_HEADER = len(_MAGIC) + _COUNTED.size
_MARK = b"\xf1Sp\xae"
_BLOCK, _BLOCK_PLAIN = struct.Struct("<4sQIII"), struct.Struct("<QII")
"""A mark; when it came, in milliseconds since 1970; how many records; how many bytes they are together; a checksum of
these. A table of lengths and one of checksums stand before the records."""
_FILE_BYTES = 16 * 1024 * 1024
_STRIDE = 1024 * 1024
_LOCK = "append.lock"
_SUFFIX, _DAMAGED = ".spool", ".damaged"
_FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW
"""A folder that a program chose may be one where others put a link to a file of ours."""


class Place(NamedTuple):
    """Where a block begins. Places are in the order in which records were accepted."""

    file: int
    offset: int


def place_of(told: Any) -> Place:
    """From JSON. Raises ValueError for what is no place.

    >>> place_of([1, 16])
    Place(file=1, offset=16)
    """
    match told:
        case [int(file), int(offset)] if file >= 0 and offset >= 0:
            return Place(file, offset)
    raise ValueError("it is no place in a spool")


BEGINNING = Place(1, _HEADER)


@dataclass(frozen=True, slots=True)
class Block:
    """What one call put. ``end`` is the place of the next one."""

    place: Place
    end: Place
    arrived: int
    count: int
    size: int
    plain: bool = False

    @property
    def table(self) -> int:
        """Bytes before the records."""
        return (4 if self.plain else 8) * self.count

    @property
    def head(self) -> int:
        return (_BLOCK_PLAIN if self.plain else _BLOCK).size


class Damage(NamedTuple):
    """What could not be read of a file: so many bytes at that place, of which ``records`` are known to have been
    records, and why."""

    file: Path
    offset: int
    size: int
    records: int
    why: str


class _File(NamedTuple):
    """``end`` is where that ends what counts."""

    descriptor: int
    end: int
    plain: bool


def _silent(damage: Damage) -> None:
    pass


class Spool:
    """``folder`` is one stream's own; it is made when something is put. ``tell`` hears once of each damage, by whoever
    reads first."""

    def __init__(self, folder: Path, file_bytes: int = _FILE_BYTES, tell: Callable[[Damage], None] = _silent) -> None:
        self._folder = folder
        self._file_bytes = file_bytes
        self._tell = tell
        self._told: set[tuple[int, int]] = set()

    def append(self, records: Sequence[bytes], arrived: int) -> Place:
        """Accepted when this returns: all of them or, where it raises, none."""
        count = len(records)
        lengths = [len(record) for record in records]
        table = struct.pack(f"<{2 * count}I", *lengths, *map(crc32, records))
        head = _head(arrived, count, sum(lengths))
        data = b"".join((head, table, *records))
        private_folder(self._folder)
        with self.held():
            number = self._newest() or BEGINNING.file
            descriptor, end = self._opened(number)
            try:
                if end < 0 or (end > _HEADER and end + len(data) > self._file_bytes):
                    number += 1
                    full, (descriptor, end) = descriptor, self._opened(number)
                    os.close(full)
                _write_all(descriptor, data, end)
                _write_all(descriptor, _counted(end + len(data)), len(_MAGIC))
            finally:
                os.close(descriptor)
        return Place(number, end)

    def blocks(self, after: Place) -> Iterator[Block]:
        """From that place on, as far as there are any now."""
        newest = self._newest() or 0
        for number in range(after.file, newest + 1):
            start = after.offset if number == after.file else _HEADER
            with self._reading(number) as file:
                yield from self._in(file, number, start)

    def _in(self, file: _File, number: int, start: int) -> Iterator[Block]:
        while start < file.end:
            block = _block_at(file, number, start)
            if block is None:
                found = file.end if file.plain else _next_mark(file, start + 1)
                self._damaged(number, start, found - start, 0, "there is no block")
                start = found
                continue
            yield block
            start = block.end.offset

    def read(self, after: Place, until: Place) -> Iterator[tuple[Block, list[bytes]]]:
        """The records of all blocks between two places, a block at a time."""
        number, descriptor = 0, -1
        try:
            for block in self.blocks(after):
                if block.place >= until:
                    return
                if block.place.file != number:
                    if descriptor >= 0:
                        os.close(descriptor)
                    number = block.place.file
                    descriptor = os.open(self._path(number), os.O_RDONLY | _FLAGS)
                held = os.pread(descriptor, block.table + block.size, block.place.offset + block.head)
                found, lost = _records(block, held)
                if lost:
                    self._damaged(number, block.place.offset, len(held), lost, "checksums do not fit")
                yield block, found
        finally:
            if descriptor >= 0:
                os.close(descriptor)

    def forget(self, before: Place) -> None:
        """Whole files that nobody reads any more. The newest one stays: it tells how places go on."""
        newest = self._newest() or 0
        for number in self._numbers():
            if number < min(before.file, newest):
                self._path(number).unlink(missing_ok=True)

    def newest(self) -> Place:
        """Where the newest file begins: the one that is never forgotten."""
        return Place(self._newest() or BEGINNING.file, _HEADER)

    def backlog(self, after: Place) -> int:
        """How many bytes wait behind that place, by the sizes of files."""
        waiting = 0
        for number in self._numbers():
            if number >= after.file:
                with self._reading(number) as file:
                    waiting += max(file.end - (after.offset if number == after.file else _HEADER), 0)
        return waiting

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody appends meanwhile."""
        descriptor = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | _FLAGS, FILE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _opened(self, number: int) -> tuple[int, int]:
        """For writing, and how many bytes count; -1 of one that nothing is appended to. A file without its first bytes
        is one that nobody got to fill."""
        descriptor = os.open(self._path(number), os.O_RDWR | os.O_CREAT | _FLAGS, FILE)
        try:
            head = os.pread(descriptor, _HEADER, 0)
            if len(head) == _HEADER:
                counted = _COUNTED.unpack_from(head, len(_MAGIC))
                end = counted[0]
                sound = head.startswith(_MAGIC) and counted[1] == crc32(head[len(_MAGIC) : len(_MAGIC) + 4])
                return descriptor, end if sound and end <= os.fstat(descriptor).st_size else -1
            if head and not (_MAGIC + _counted(_HEADER)).startswith(head):
                return descriptor, -1
            _write_all(descriptor, _MAGIC + _counted(_HEADER), 0)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor, _HEADER

    @contextmanager
    def _reading(self, number: int) -> Iterator[_File]:
        try:
            descriptor = os.open(self._path(number), os.O_RDONLY | _FLAGS)
        except FileNotFoundError:
            yield _File(-1, _HEADER, False)
            return
        try:
            yield self._judged(number, descriptor)
        finally:
            os.close(descriptor)

    def _judged(self, number: int, descriptor: int) -> _File:
        """How much of it counts, and may be read."""
        head, size = os.pread(descriptor, _HEADER, 0), os.fstat(descriptor).st_size
        if len(head) < _HEADER:
            if head and not (_MAGIC + _counted(_HEADER)).startswith(head):
                self._damaged(number, 0, size, 0, "it is no file of a spool")
            return _File(descriptor, _HEADER, False)
        plain = head.startswith(_PLAIN)
        if plain:
            counted, sound = _COUNTED_PLAIN.unpack_from(head, len(_PLAIN))[0], True
        else:
            counted, check = _COUNTED.unpack_from(head, len(_MAGIC))
            sound = check == crc32(head[len(_MAGIC) : len(_MAGIC) + 4])
        if not plain and not head.startswith(_MAGIC) and not sound:
            self._damaged(number, 0, size, 0, "it is no file of a spool")
            return _File(descriptor, _HEADER, False)
        if not sound:
            # Blocks tell themselves how far they go.
            self._damaged(number, len(_MAGIC), _COUNTED.size, 0, "what counts of it is not known")
            return _File(descriptor, size, False)
        if counted > size:
            self._damaged(number, size, counted - size, 0, "it is shorter than it was")
        return _File(descriptor, min(counted, size), plain)

    def _damaged(self, number: int, offset: int, size: int, records: int, why: str) -> None:
        if (number, offset) in self._told:
            return
        self._told.add((number, offset))
        path = self._path(number)
        kept = path.with_name(path.name + _DAMAGED)
        with suppress(FileExistsError, FileNotFoundError):
            os.link(path, kept, follow_symlinks=False)
        self._tell(Damage(kept, offset, size, records, why))

    def _newest(self) -> int | None:
        return max(self._numbers(), default=None)

    def _numbers(self) -> list[int]:
        found: list[int] = []
        with suppress(FileNotFoundError):
            for name in os.listdir(self._folder):  # noqa: PTH208
                number = name.removesuffix(_SUFFIX)
                if number != name and number.isascii() and number.isdigit():
                    found.append(int(number))
        return sorted(found)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:012d}{_SUFFIX}"


def _head(arrived: int, count: int, size: int) -> bytes:
    told = _BLOCK.pack(_MARK, arrived, count, size, 0)[:-4]
    return told + crc32(told).to_bytes(4, "little")


def _counted(end: int) -> bytes:
    told = end.to_bytes(4, "little")
    return told + crc32(told).to_bytes(4, "little")


def _block_at(file: _File, number: int, start: int) -> Block | None:
    """None where there is none, or it reaches beyond what counts."""
    shape = _BLOCK_PLAIN if file.plain else _BLOCK
    head = os.pread(file.descriptor, shape.size, start)
    if len(head) < shape.size:
        return None
    if file.plain:
        arrived, count, size = _BLOCK_PLAIN.unpack(head)
    else:
        mark, arrived, count, size, check = _BLOCK.unpack(head)
        if mark != _MARK or check != crc32(head[:-4]):
            return None
    end = start + shape.size + (4 if file.plain else 8) * count + size
    if end > file.end and file.plain:
        return None
    return Block(Place(number, start), Place(number, min(end, file.end)), arrived, count, size, file.plain)


def _next_mark(file: _File, start: int) -> int:
    """Where the next block begins, by its mark and checksum; the end where there is none."""
    while start < file.end:
        held = os.pread(file.descriptor, min(_STRIDE + _BLOCK.size, file.end - start), start)
        at = held.find(_MARK)
        while at >= 0:
            head = held[at : at + _BLOCK.size]
            if len(head) == _BLOCK.size and int.from_bytes(head[-4:], "little") == crc32(head[:-4]):
                return start + at
            at = held.find(_MARK, at + 1)
        if len(held) <= _BLOCK.size:
            break
        start += len(held) - _BLOCK.size + 1
    return file.end


def _records(block: Block, held: bytes) -> tuple[list[bytes], int]:
    """Of a block's bytes behind its head; and how many of them are not what they were."""
    count, table = block.count, block.table
    if len(held) < table:
        return [], count
    lengths = struct.unpack_from(f"<{count}I", held)
    found, at = list[bytes](), table
    for length in lengths:
        found.append(held[at : at + length])
        at += length
    if block.plain:
        # Of an earlier version: what is there, is believed.
        whole = [record for record, length in zip(found, lengths, strict=True) if len(record) == length]
        return whole, count - len(whole)
    checks = struct.unpack_from(f"<{count}I", held, 4 * count)
    if at == table + block.size and tuple(map(crc32, found)) == checks:
        return found, 0
    whole = _whole(held, table, table + block.size, lengths, checks)
    return whole, count - len(whole)


def _whole(held: bytes, start: int, end: int, lengths: Sequence[int], checks: Sequence[int]) -> list[bytes]:
    """Those that fit their checksums: found from the front as far as lengths lead, and from the back."""
    count, ahead, behind = len(lengths), dict[int, bytes](), dict[int, bytes]()
    at = start
    for number in range(count):
        record = held[at : at + lengths[number]]
        at += lengths[number]
        if len(record) == lengths[number] and crc32(record) == checks[number]:
            ahead[number] = record
    at = end
    for number in reversed(range(count)):
        record = held[max(at - lengths[number], start) : at]
        at -= lengths[number]
        if at < start:
            break
        if len(record) == lengths[number] and crc32(record) == checks[number]:
            behind.setdefault(number, record)
    found = behind | ahead
    for number in range(count):
        if number not in found and len(held) >= end:
            # Its own length alone is wrong: it is what lies between its neighbours.
            begin = start + sum(lengths[:number])
            record = held[begin : end - sum(lengths[number + 1 :])]
            if crc32(record) == checks[number]:
                found[number] = record
    return [found[number] for number in sorted(found)]


def _write_all(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
