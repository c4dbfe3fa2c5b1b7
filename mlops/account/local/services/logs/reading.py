"""Lines of a log by their places, without reading the whole of it: a log may hold a hundred megabytes.

A place counts the bytes of all that was ever written, so it stays what it was when the middle of a long log is taken
out. A line ends with a line feed, a carriage return, or both.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from mlops.ir.dataclass import dataclass
from mlops.run.output import gap

_END = re.compile(rb"\r\n|\r|\n")
_BLOCK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Page:
    """Lines that follow each other; ``begin`` is the place of the first, ``end`` that of the one behind the last."""

    lines: tuple[str, ...] = ()
    begin: int = 0
    end: int = 0


def each_line(file: Path, *, ended: bool) -> Iterator[str]:
    """All complete lines, one by one. A last one without its end is told when ``ended``: nothing more comes."""
    with suppress(FileNotFoundError), file.open("rb") as source:
        for line, _ in _lines(source, 0, ended):
            yield line


def forward(file: Path, place: int, limit: int, *, ended: bool) -> Page:
    """From the line on that stands at ``place``, or around it. Where that was taken out meanwhile, the line that tells
    of it comes first."""
    try:
        with file.open("rb") as source:
            log = _Log(source)
            return log.behind(log.line_at(log.offset(place), ended), limit, ended)
    except FileNotFoundError:
        return Page()


def backward(file: Path, place: int | None, limit: int, *, ended: bool) -> Page:
    """The lines before that one, or the last."""
    try:
        with file.open("rb") as source:
            log = _Log(source)
            offset = log.size + 1 if place is None else log.offset(place)
            return log.before(log.line_at(offset, ended), limit, ended)
    except FileNotFoundError:
        return Page()


class _Log:
    """Offsets are of the file as it is, places of all that was written."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.size = os.fstat(source.fileno()).st_size
        self._at, self._told, self._gone = gap(source.fileno(), self.size)

    def offset(self, place: int) -> int:
        if place < self._at + self._told or not self._told:
            return place
        return max(place - self._gone + self._told, self._at + 1)

    def _place(self, offset: int) -> int:
        return offset if offset < self._at + self._told or not self._told else offset - self._told + self._gone

    def line_at(self, offset: int, ended: bool) -> int:
        """Where the line begins that holds the byte; behind the last complete line, where the next one will."""
        if offset > self.size:
            if ended and not self._ends_a_line(self.size):
                return self.size + 1  # as if the last one had its end
            offset = self.size
        if offset == self.size and not ended and self._byte_before(offset) == b"\r":
            offset -= 1  # a line feed may follow
        return self._begin_before(offset)

    def behind(self, begin: int, limit: int, ended: bool) -> Page:
        lines, end = list[str](), begin
        if begin <= self.size:
            for line, following in _lines(self._source, begin, ended):
                if len(lines) == limit:
                    break
                lines.append(line)
                end = following
        return Page(tuple(lines), self._place(begin), self._place(end))

    def before(self, end: int, limit: int, ended: bool) -> Page:
        begin, count = end, 0
        while begin > 0 and count < limit:
            begin = self._begin_before(self._without_end(begin))
            count += 1
        page = self.behind(begin, count, ended)
        return Page(page.lines, page.begin, self._place(end))

    def _without_end(self, begin: int) -> int:
        """Where the text of the line ends that stands before the one that begins there."""
        if begin > self.size:
            return self.size
        return begin - 2 if begin > 1 and os.pread(self._source.fileno(), 2, begin - 2) == b"\r\n" else begin - 1

    def _ends_a_line(self, offset: int) -> bool:
        return offset == 0 or self._byte_before(offset) in (b"\n", b"\r")

    def _byte_before(self, offset: int) -> bytes:
        return os.pread(self._source.fileno(), 1, offset - 1) if offset else b""

    def _begin_before(self, offset: int) -> int:
        """Behind the last end of a line before it."""
        while offset > 0:
            start = max(offset - _BLOCK, 0)
            block = os.pread(self._source.fileno(), offset - start, start)
            found = max(block.rfind(b"\n"), block.rfind(b"\r"))
            if found >= 0:
                return start + found + 1
            offset = start
        return 0


def _lines(source: BinaryIO, begin: int, ended: bool) -> Iterator[tuple[str, int]]:
    """Each with the offset where the next one begins."""
    source.seek(begin)
    for written in source:
        at = 0
        for found in _END.finditer(written):
            if found[0] == b"\r" and found.end() == len(written) and not ended:
                break  # a line feed may follow
            yield written[at : found.start()].decode(errors="replace"), begin + found.end()
            at = found.end()
        if at < len(written) and ended:
            yield written[at:].decode(errors="replace"), begin + len(written) + 1
        begin += len(written)
