"""CSV: the first line of each file names the columns, or they are ``_c0``, ``_c1``, … as Spark calls them."""

from __future__ import annotations

import csv
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import Any

from mlops.monitor.cells import Chunk, of_texts
from mlops.monitor.fault import Fault
from mlops.monitor.files import opened
from mlops.monitor.number_blocks import Blocks


def chunks(files: Sequence[Path], options: Mapping[str, Any], size: int) -> Iterator[Chunk]:
    return _read(files, options, size, None)


def quick(files: Sequence[Path], options: Mapping[str, Any], size: int, texts: Collection[str]) -> Iterator[Chunk]:
    return _read(files, options, size, texts)


def _read(
    files: Sequence[Path], options: Mapping[str, Any], size: int, texts: Collection[str] | None
) -> Iterator[Chunk]:
    """With ``texts`` by blocks, as long as nothing in a file is quoted."""
    named = bool(options.get("header"))
    names = list(map(str, options.get("names") or ())) or None
    for file in files:
        try:
            with opened(file) as text:
                reader = csv.reader(text)
                if named:
                    first = next(reader, None)
                    if first is None:
                        continue
                    if names is not None and first != names and options.get("names") is None:
                        raise Fault(f"{file.name} has other columns than {files[0].name}")
                    names = names or _distinct(first, file)
                before = 0
                if texts is not None:
                    head, rest = _head(text, size)
                    if names is None and not any('"' in line for line in head):
                        names = [
                            f"_c{number}" for number in range(max((line.count(",") for line in head), default=0) + 1)
                        ]
                    if names is not None:
                        rest, before = yield from _by_blocks(rest, names, texts, size)
                    before += reader.line_num
                    reader = csv.reader(rest)
                rows = (row for row in reader if row)
                while block := list(islice(rows, size)):
                    widest = max(map(len, block))
                    names = names or [f"_c{number}" for number in range(widest)]
                    if widest > len(names):
                        raise Fault(_too_wide(file, block, names, before + reader.line_num))
                    columns = list(zip_longest(*block, fillvalue=""))
                    columns += [("",) * len(block)] * (len(names) - len(columns))
                    del block
                    yield {name: of_texts(cells) for name, cells in zip(names, columns, strict=True)}
                    del columns
        except csv.Error as fault:
            raise Fault(f"{file.name} is no CSV: {fault}") from None


def _head(text: Iterator[str], size: int) -> tuple[list[str], Iterator[str]]:
    """The first lines, and all."""
    head = list(islice(text, size))
    return head, chain(head, text)


def _by_blocks(
    text: Iterator[str], names: Sequence[str], texts: Collection[str], size: int
) -> Generator[Chunk, None, tuple[Iterator[str], int]]:
    """As long as nothing is quoted and no line is too wide. Answers what is left, and how many lines were read."""
    reader, read = Blocks(names, texts), 0
    while lines := list(islice(text, size)):
        plain = [line for line in (line.rstrip("\r\n") for line in lines) if line]
        found = None if any('"' in line for line in plain) else reader.chunk(plain) if plain else {}
        if found is None:
            return chain(lines, text), read
        read += len(lines)
        if found:
            yield found
    return iter(()), read


def _distinct(names: list[str], file: Path) -> list[str]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Fault(f"{file.name} has more than one column {twice[0]!r}")
    return names


def _too_wide(file: Path, block: list[list[str]], names: list[str], end: int) -> str:
    at = next(number for number, row in enumerate(block) if len(row) > len(names))
    return f"{file.name} has {len(block[at])} cells near line {end - len(block) + at + 1}, and {len(names)} columns"
