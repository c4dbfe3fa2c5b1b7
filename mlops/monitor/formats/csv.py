"""CSV: the first line of each file names the columns, or they are ``_c0``, ``_c1``, … as Spark calls them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

from mlops.monitor.cells import Chunk, of_texts
from mlops.monitor.fault import Fault
from mlops.monitor.files import opened


def chunks(files: Sequence[Path], options: Mapping[str, Any], size: int) -> Iterator[Chunk]:
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
                rows = (row for row in reader if row)
                while block := list(islice(rows, size)):
                    widest = max(map(len, block))
                    names = names or [f"_c{number}" for number in range(widest)]
                    if widest > len(names):
                        raise Fault(_too_wide(file, block, names, reader.line_num))
                    columns = list(zip_longest(*block, fillvalue=""))
                    columns += [("",) * len(block)] * (len(names) - len(columns))
                    del block
                    yield {name: of_texts(cells) for name, cells in zip(names, columns, strict=True)}
                    del columns
        except csv.Error as fault:
            raise Fault(f"{file.name} is no CSV: {fault}") from None


def _distinct(names: list[str], file: Path) -> list[str]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Fault(f"{file.name} has more than one column {twice[0]!r}")
    return names


def _too_wide(file: Path, block: list[list[str]], names: list[str], end: int) -> str:
    at = next(number for number, row in enumerate(block) if len(row) > len(names))
    return f"{file.name} has {len(block[at])} cells near line {end - len(block) + at + 1}, and {len(names)} columns"
