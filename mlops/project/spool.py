"""Records that were accepted and are not delivered yet: files to which any process appends, and one process reads.

A file begins with how many of its bytes count. Who appends writes behind them first and raises that number then, one
write of eight bytes: whoever is killed before has accepted nothing, and the next one writes over it. So an accepted
record outlives every process; it does not outlive a machine that loses its power.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from mlops.ir.dataclass import dataclass
from mlops.project.private import FILE, private_folder

_MAGIC = b"mlopsSP1"
_COUNTED = struct.Struct("<Q")
_HEADER = len(_MAGIC) + _COUNTED.size
_BLOCK = struct.Struct("<QII")
"""When it came, in milliseconds since 1970; how many records; how many bytes they are together."""
_FILE_BYTES = 16 * 1024 * 1024
_LOCK = "append.lock"
_SUFFIX = ".spool"
_FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW
"""A folder that a program chose may be one where others put a link to a file of ours."""


class Place(NamedTuple):
    """Where a block begins. Places are in the order in which records were accepted."""

    file: int
    offset: int


BEGINNING = Place(1, _HEADER)


@dataclass(frozen=True, slots=True)
class Block:
    """What one call put. ``end`` is the place of the next one."""

    place: Place
    end: Place
    arrived: int
    count: int
    size: int


class Spool:
    """``folder`` is one stream's own; it is made when something is put."""

    def __init__(self, folder: Path, file_bytes: int = _FILE_BYTES) -> None:
        self._folder = folder
        self._file_bytes = file_bytes

    def append(self, records: Sequence[bytes], arrived: int) -> Place:
        """Accepted when this returns: all of them or, where it raises, none."""
        lengths = struct.pack(f"<{len(records)}I", *map(len, records))
        data = b"".join((_BLOCK.pack(arrived, len(records), sum(map(len, records))), lengths, *records))
        private_folder(self._folder)
        with self.held():
            number = self._newest() or BEGINNING.file
            descriptor, end = self._opened(number)
            try:
                if end > _HEADER and end + len(data) > self._file_bytes:
                    os.close(descriptor)
                    number += 1
                    descriptor, end = self._opened(number)
                _write_all(descriptor, data, end)
                _write_all(descriptor, _COUNTED.pack(end + len(data)), len(_MAGIC))
            finally:
                os.close(descriptor)
        return Place(number, end)

    def blocks(self, after: Place) -> Iterator[Block]:
        """From that place on, as far as there are any now."""
        newest = self._newest() or 0
        for number in range(after.file, newest + 1):
            start = after.offset if number == after.file else _HEADER
            with self._reading(number) as (descriptor, end):
                while start < end:
                    arrived, count, size = _BLOCK.unpack(os.pread(descriptor, _BLOCK.size, start))
                    after_it = start + _BLOCK.size + 4 * count + size
                    yield Block(Place(number, start), Place(number, after_it), arrived, count, size)
                    start = after_it

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
                held = os.pread(descriptor, 4 * block.count + block.size, block.place.offset + _BLOCK.size)
                lengths = struct.unpack_from(f"<{block.count}I", held)
                at, found = 4 * block.count, []
                for length in lengths:
                    found.append(held[at : at + length])
                    at += length
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

    def backlog(self, after: Place) -> int:
        """How many bytes wait behind that place, by the sizes of files."""
        waiting = 0
        for number in self._numbers():
            if number >= after.file:
                with self._reading(number) as (_, end):
                    waiting += end - (after.offset if number == after.file else _HEADER)
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
        """For writing, and how many bytes count. A file without its first bytes is one that nobody got to fill."""
        descriptor = os.open(self._path(number), os.O_RDWR | os.O_CREAT | _FLAGS, FILE)
        head = os.pread(descriptor, _HEADER, 0)
        if len(head) == _HEADER:
            return descriptor, int(_COUNTED.unpack_from(head, len(_MAGIC))[0])
        try:
            _write_all(descriptor, _MAGIC + _COUNTED.pack(_HEADER), 0)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor, _HEADER

    @contextmanager
    def _reading(self, number: int) -> Iterator[tuple[int, int]]:
        try:
            descriptor = os.open(self._path(number), os.O_RDONLY | _FLAGS)
        except FileNotFoundError:
            yield -1, _HEADER
            return
        try:
            head = os.pread(descriptor, _HEADER, 0)
            yield descriptor, int(_COUNTED.unpack_from(head, len(_MAGIC))[0]) if len(head) == _HEADER else _HEADER
        finally:
            os.close(descriptor)

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


def _write_all(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
