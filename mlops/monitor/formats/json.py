"""JSON: an object on each line, or with ``lines`` off one object or a list of them in each file. What is nested is
flattened: ``{"a": {"b": 1}}`` is the column ``a.b``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from mlops.monitor.cells import Chunk, of_values
from mlops.monitor.fault import Fault
from mlops.monitor.files import lines_of, read_json

_DEEPEST = 32
_MOST_CELLS = 4_000_000
"""In a chunk: a row with a thousand columns makes as many of each row around it."""


def chunks(files: Sequence[Path], options: Mapping[str, Any], size: int) -> Iterator[Chunk]:
    return by_column(_records(files, options.get("lines", True)), size)


def by_column(records: Iterable[Mapping[str, Any]], size: int) -> Iterator[Chunk]:
    """A column that a record lacks is missing there."""
    taken, seen = iter(records), dict[str, None]()
    while block := list(islice(taken, size)):
        rows = [*map(flat, block)]
        for record in rows:
            seen.update(dict.fromkeys(record))
        at_once = max(1, _MOST_CELLS // max(1, len(seen)))
        for start in range(0, len(rows), at_once):
            part = rows[start : start + at_once]
            there = seen.keys() if len(part) == len(rows) else {name for record in part for name in record}
            nothing = of_values([None] * len(part))
            yield {
                name: of_values([record.get(name) for record in part]) if name in there else nothing for name in seen
            }


def flat(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Raises :class:`Fault` for one that is nested too deep."""
    return record if _is_flat(record) else dict(_flattened(record, "", 0))


def _is_flat(record: Mapping[str, Any]) -> bool:
    return not any(isinstance(value, dict | list) for value in record.values())


def _flattened(value: Any, name: str, depth: int) -> Iterator[tuple[str, Any]]:
    if depth > _DEEPEST:
        raise Fault(f"a record is nested deeper than {_DEEPEST}, at {name[:60]}")
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flattened(item, f"{name}.{key}" if name else str(key), depth + 1)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _flattened(item, f"{name}.{number}" if name else str(number), depth + 1)
    else:
        yield name, value


def _records(files: Sequence[Path], lines: bool) -> Iterator[Mapping[str, Any]]:
    for file in files:
        if lines:
            for number, line in lines_of(file):
                try:
                    record = json.loads(line)
                except (ValueError, RecursionError) as fault:
                    raise Fault(f"line {number} of {file.name} is no JSON: {fault}") from None
                if not isinstance(record, dict):
                    raise Fault(f"line {number} of {file.name} is no JSON object")
                yield record
        else:
            document = read_json(file)
            for record in document if isinstance(document, list) else [document]:
                if not isinstance(record, dict):
                    raise Fault(f"{file.name} holds something else than JSON objects")
                yield record
