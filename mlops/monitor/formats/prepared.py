"""Lines that somebody's ``preprocess_handler`` makes records of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops.monitor.cells import Chunk
from mlops.monitor.fault import Fault
from mlops.monitor.files import lines_of
from mlops.monitor.formats.json import by_column


def chunks(files: Sequence[Path], options: Mapping[str, Any], size: int) -> Iterator[Chunk]:
    return by_column(_records(files, options["by"]), size)


def _records(files: Sequence[Path], prepare: Callable[[str], Any]) -> Iterator[Mapping[str, Any]]:
    for file in files:
        for number, line in lines_of(file):
            answered = prepare(line)
            for record in answered if isinstance(answered, list) else [answered]:
                if not isinstance(record, dict):
                    kind = type(record).__name__
                    raise Fault(f"preprocess_handler made {kind} of line {number} of {file.name}: a dict is wanted")
                yield {str(name): value for name, value in record.items()}
