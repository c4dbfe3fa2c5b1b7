"""What may be said of a table without copying a row of it: how many rows, and of each column the kind of its values,
how many are missing, how many differ, and from where to where numbers and times go.

No value of a text is told, and of few values no range: the least of three salaries is somebody's.
"""

from __future__ import annotations

import csv
import json
import math
import operator
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any

from mlops.ir.dataclass import dataclass

FEWEST = 10
"""Of fewer values no range is told."""
_MOST_COLUMNS = 500
_MOST_DISTINCT = 1000
_BLOCK = 4096
"""Rows that are looked at together."""
_LOOK = 200
"""Rows that are looked at to tell a header from a row."""
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "nil", "?", "#n/a"})
_JSON_LINES = ("application/jsonlines", "application/x-ndjson")
_TRUTHS = frozenset({"true", "false"})


@dataclass(frozen=True, slots=True)
class Column:
    """``kind`` is integer, number, boolean, time, text, nested or empty. ``low`` and ``high`` are texts, of numbers
    and times; ``distinct`` is None where there are more than are counted, or that is not told."""

    name: str
    kind: str
    present: int
    missing: int
    distinct: int | None = None
    low: str | None = None
    high: str | None = None
    mean: float | None = None
    hidden: bool = False
    """It is declared private."""


@dataclass(frozen=True, slots=True)
class TableStatistics:
    """``width`` is how many columns there are, of which the first are described. ``odd`` rows have another number of
    values. ``headed``: the names stand in the data."""

    rows: int
    width: int
    columns: tuple[Column, ...]
    headed: bool = True
    odd: int = 0


@dataclass(slots=True)
class _Seen:
    """A column while it is read."""

    name: str
    present: int = 0
    missing: int = 0
    numbers: int = 0
    whole: int = 0
    truths: int = 0
    times: int = 0
    nested: int = 0
    low: float = math.inf
    high: float = -math.inf
    total: float = 0.0
    distinct: set[int] | None = field(default_factory=set)

    def add_all(self, cells: Iterable[str]) -> None:
        """Of a column of texts: most of it is done once for cells that are alike."""
        counts = Counter(map(str.strip, cells))
        for text in [text for text in counts if text.lower() in _MISSING]:
            self.missing += counts.pop(text)
        if not counts:
            return
        if self.distinct is not None:
            self.distinct.update(map(hash, counts))
            if len(self.distinct) > _MOST_DISTINCT:
                self.distinct = None
        values = _numbers(counts) if self.numbers == self.present else None
        if values is None:
            for text, count in counts.items():
                self._add(text, count)
            return
        many = counts.total()
        together = "".join(counts).lower()
        whole = "." not in together and "e" not in together
        self.whole += many if whole else sum(map(_count_whole, counts.items()))
        self._measure(min(values), max(values), math.fsum(map(operator.mul, values, counts.values())))
        self.numbers += many
        self.present += many

    def add(self, text: str) -> None:
        text = text.strip()
        if text.lower() in _MISSING:
            self.missing += 1
            return
        if self.distinct is not None:
            self.distinct.add(hash(text))
            if len(self.distinct) > _MOST_DISTINCT:
                self.distinct = None
        self._add(text, 1)

    def _add(self, text: str, count: int) -> None:
        before = self.present
        self.present += count
        if self.numbers == before:
            value = _number(text)
            if value is not None:
                self._measure(value, value, value * count)
                self.numbers += count
                self.whole += _count_whole((text, count))
                return
        if text.lower() in _TRUTHS:
            self.truths += count
        elif self.times == before and (moment := _moment(text)) is not None:
            self.times += count
            self._measure(moment, moment, moment * count)

    def add_json(self, value: Any) -> None:
        match value:
            case None:
                self.missing += 1
            case bool():
                self.add("true" if value else "false")
            case dict() | list():
                self.present += 1
                self.nested += 1
            case _:
                self.add(str(value))

    def _measure(self, low: float, high: float, total: float) -> None:
        self.low, self.high = min(self.low, low), max(self.high, high)
        self.total += total

    def column(self, private: bool) -> Column:
        kind = self._kind()
        if private:
            return Column(self.name, kind, self.present, self.missing, hidden=True)
        distinct = len(self.distinct) if self.distinct is not None and not self.nested else None
        bare = Column(self.name, kind, self.present, self.missing, distinct)
        if self.present < FEWEST or kind not in ("integer", "number", "time"):
            return bare
        told = _told_time if kind == "time" else _told_number
        mean = None if kind == "time" else self.total / self.present
        return replace(bare, low=told(self.low), high=told(self.high), mean=mean)

    def _kind(self) -> str:
        for kind, count in (("integer", self.whole), ("number", self.numbers), ("boolean", self.truths)):
            if self.present and count == self.present:
                return kind
        if self.present and self.times == self.present:
            return "time"
        if self.nested:
            return "nested"
        return "text" if self.present else "empty"


class Reading:
    """Statistics of one table that may lie in several files, each of them read once, from its beginning."""

    def __init__(self, private: Sequence[str] = (), block: int = _BLOCK) -> None:
        self._block = block
        self._private = frozenset(private)
        self._columns: dict[str, _Seen] = {}
        self._rows = self._odd = 0
        self._width = 0
        self._headed: bool | None = None

    def delimited(self, lines: Iterable[str], delimiter: str) -> None:
        """Of a file. What the first one has decides whether names stand in the first line of all."""
        try:
            self._delimited(csv.reader(lines, delimiter=delimiter))
        except csv.Error as error:
            raise ValueError(str(error)) from None

    def _delimited(self, rows: Iterator[list[str]]) -> None:
        first = list(islice((row for row in rows if row), _LOOK))
        if not first:
            return
        headed = _is_header(first[0], first[1:])
        if self._headed is None:
            self._headed = headed
        if headed:
            names = [name.strip() for name in first.pop(0)]
        elif self._headed and len(first[0]) == len(self._columns):
            names = list(self._columns)
        else:
            names = [f"column {number}" for number in range(1, len(first[0]) + 1)]
        self._width = max(self._width, len(names))
        seen = [self._column(name) for name in names[:_MOST_COLUMNS]]
        following = (row for row in chain(first, rows) if row)
        while block := list(islice(following, self._block)):
            self._rows += len(block)
            odd = [row for row in block if len(row) != len(names)]
            self._odd += len(odd)
            if odd:
                block = [(row + [""] * len(names))[: len(names)] for row in block]
            for column, cells in zip(seen, zip(*block, strict=True), strict=False):
                column.add_all(cells)

    def json_lines(self, lines: Iterable[str]) -> None:
        """Of a file. Raises ValueError for a line that is no JSON."""
        for line in lines:
            if line.strip():
                self.record(json.loads(line))

    def json_document(self, lines: Iterable[str]) -> None:
        """Of a file: a list of rows, or one."""
        for row in _listed(json.loads("".join(lines))):
            self.record(row)

    def record(self, value: Any) -> None:
        """A row as JSON has it: an object by column, or a list."""
        self._headed = self._headed is None or self._headed
        told = value if isinstance(value, Mapping) else {f"column {at}": it for at, it in enumerate(_listed(value), 1)}
        for name in told:
            if name not in self._columns and len(self._columns) < _MOST_COLUMNS:
                self._column(str(name)).missing = self._rows
        self._width = max(self._width, len(told), len(self._columns))
        for name, column in self._columns.items():
            column.add_json(told.get(name))
        self._rows += 1

    def _column(self, name: str) -> _Seen:
        if name not in self._columns:
            self._columns[name] = _Seen(name)
        return self._columns[name]

    def ended(self) -> TableStatistics:
        columns = tuple(column.column(column.name in self._private) for column in self._columns.values())
        return TableStatistics(self._rows, self._width, columns, self._headed is not False, self._odd)


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def _is_header(row: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Words, each once, above a column at least that has other things than words: else the first row may be one of the
    data, and its values would be told as names.

    >>> _is_header(["age", "city"], [["31", "Bonn"]]), _is_header(["31", "Bonn"], [["32", "Ulm"]])
    (True, False)
    >>> _is_header(["Ann", "Bonn"], [["Bob", "Ulm"]]), _is_header(["Ann", "?"], [["Bob", "3"]])
    (False, False)
    """
    names = [name.strip() for name in row]
    if len({*names}) != len(names) or any(name.lower() in _MISSING or _is_no_word(name) for name in names):
        return False
    for at in range(len(names)):
        values = [line[at].strip() for line in below if at < len(line) and line[at].strip().lower() not in _MISSING]
        if values and all(map(_is_no_word, values)):
            return True
    return False


def _is_no_word(text: str) -> bool:
    return _number(text) is not None or text.lower() in _TRUTHS or _moment(text) is not None


def _numbers(texts: Collection[str]) -> list[float] | None:
    """All of them, where all are numbers."""
    try:
        values = list(map(float, texts))
    except ValueError:
        return None
    return values if all(map(math.isfinite, values)) and "_" not in "".join(texts) else None


def _count_whole(counted: tuple[str, int]) -> int:
    """
    >>> [_count_whole((text, 2)) for text in ("3", "3.0", "1e3")]
    [2, 0, 0]
    """
    text, count = counted
    return count if "." not in text and "e" not in text.lower() else 0


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in text else None


def _moment(text: str) -> float | None:
    """Seconds since 1970 of an ISO date or time.

    >>> _moment("1970-01-02"), _moment("1970-01-01T00:00:05Z"), _moment("yesterday"), _moment("19700102")
    (86400.0, 5.0, None, None)
    """
    if len(text) < 10 or text[4:5] != "-":
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _told_number(value: float) -> str:
    """
    >>> _told_number(3.0), _told_number(0.1234567), _told_number(12345678.0)
    ('3', '0.123457', '12345678')
    """
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"


def _told_time(value: float) -> str:
    """
    >>> _told_time(86400.0), _told_time(5.0)
    ('1970-01-02', '1970-01-01T00:00:05+00:00')
    """
    moment = datetime.fromtimestamp(value, UTC)
    return f"{moment:%Y-%m-%d}" if value % 86400 == 0 else moment.isoformat(timespec="seconds")


def reader(name: str, content_type: str = "") -> Callable[[Reading, Iterable[str]], None] | None:
    """By which a file of that name, without what compresses it, is read; None where it is of a form that is not.

    >>> [reader(name) is not None for name in ("a.csv", "b.TSV", "c.jsonl", "d.bin")]
    [True, True, True, False]
    """
    lowered, kind = name.lower(), content_type.partition(";")[0].strip().lower()
    if lowered.endswith((".jsonl", ".ndjson", ".jsonlines")) or kind in _JSON_LINES:
        return Reading.json_lines
    if lowered.endswith(".json"):
        return Reading.json_document
    if lowered.endswith(".tsv") or kind == "text/tab-separated-values":
        return lambda reading, lines: reading.delimited(lines, "\t")
    return _commas if lowered.endswith(".csv") or kind == "text/csv" else None


def _commas(reading: Reading, lines: Iterable[str]) -> None:
    """Or semicolons, where the first line has only these."""
    following = iter(lines)
    first = next(following, "")
    reading.delimited(chain([first], following), ";" if ";" in first and "," not in first else ",")
