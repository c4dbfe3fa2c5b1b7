"""JSON in and out. What JSON has no number for is written as text, as the containers write it."""

from __future__ import annotations

import gzip
import json
import math
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from mlops.monitor.fault import Fault


def read_json(path: Path) -> Any:
    """Raises :class:`Fault`."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Fault(f"{path.name} is not there") from None
    except (ValueError, RecursionError) as fault:
        raise Fault(f"{path.name} is no JSON: {fault}") from None


def write_json(folder: Path, name: str, document: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{name}.partial"
    partial.write_text(json.dumps(_finite(document), indent=1, allow_nan=False), encoding="utf-8")
    partial.replace(folder / name)


def _finite(value: Any) -> Any:
    match value:
        case float() if math.isnan(value):
            return "NaN"
        case float() if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        case dict():
            return {key: _finite(item) for key, item in value.items()}
        case list():
            return [_finite(item) for item in value]
    return value


def data_files(place: Path) -> list[Path]:
    """The files of a data set, a file or a folder, in the order of their names; markers of what wrote them are none.
    Raises :class:`Fault` where there is none."""
    if place.is_file():
        return [place]
    found = sorted(
        path
        for path in place.rglob("*")
        if path.is_file() and not any(part.startswith(("_", ".")) for part in path.relative_to(place).parts)
    )
    if not found:
        raise Fault(f"there is no file with data in {place}")
    return found


@contextmanager
def opened(path: Path) -> Iterator[TextIO]:
    """UTF-8 text, maybe gzipped; line ends are left to the reader. Raises :class:`Fault`, also while it is read."""
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
                yield file
        else:
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield file
    except UnicodeDecodeError as fault:
        raise Fault(f"{path.name} is not UTF-8: {fault}") from None
    except (gzip.BadGzipFile, zlib.error, EOFError) as fault:
        raise Fault(f"{path.name} is no gzip file, or not all of one: {fault}") from None


def lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """With their numbers; empty ones are left out. Raises :class:`Fault`."""
    with opened(path) as file:
        for number, line in enumerate(file, start=1):
            text = line.rstrip("\r\n")
            if text:
                yield number, text
