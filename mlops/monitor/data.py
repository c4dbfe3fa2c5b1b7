"""A data set on this disk, read as often as somebody wants it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from mlops.monitor.cells import Chunk
from mlops.monitor.fault import Fault
from mlops.monitor.files import data_files

ROWS = 32768
_NONE_OF_THEM = ("__init__", "prepared")
_CALLED = {"captured": "sagemakerCaptureJson"}
_MODULES = {
    _CALLED.get(file.stem, file.stem): file.stem
    for file in sorted((Path(__file__).parent / "formats").glob("*.py"))
    if file.stem not in _NONE_OF_THEM
}


class Source(Protocol):
    """What can be read again and again, a chunk at a time."""

    def chunks(self, size: int = ROWS, texts: Collection[str] | None = None) -> Iterator[Chunk]:
        """With ``texts`` the columns of that name come as they are written, and of others numbers may come without how
        they were written; without it all come as they are written."""


@dataclass(frozen=True, slots=True)
class Data:
    """A data set that can be read again and again. With ``prepare`` each line is handed to that function, and what it
    answers is read instead."""

    files: tuple[Path, ...]
    format: str
    options: Mapping[str, Any] = field(default_factory=dict)
    prepare: Callable[[str], Any] | None = None

    def chunks(self, size: int = ROWS, texts: Collection[str] | None = None) -> Iterator[Chunk]:
        name, options = (self.format, self.options) if self.prepare is None else ("prepared", {"by": self.prepare})
        reader = import_module(f"mlops.monitor.formats.{name}")
        if texts is not None and hasattr(reader, "quick"):
            quick: Iterator[Chunk] = reader.quick(self.files, options, size, texts)
            return quick
        found: Iterator[Chunk] = reader.chunks(self.files, options, size)
        return found


def data_at(place: Path, layout: Any, prepare: Callable[[str], Any] | None = None) -> Data:
    """``layout`` is a ``dataset_format``: ``{"csv": {"header": true}}``. Raises :class:`Fault`."""
    if not isinstance(layout, dict) or len(layout) != 1:
        raise Fault(f"dataset_format is {layout!r}; one of {', '.join(_MODULES)} with its options is wanted")
    [(name, options)] = layout.items()
    if name not in _MODULES:
        raise Fault(f"data written as {name} cannot be read yet; {', '.join(_MODULES)} can")
    return Data(tuple(data_files(place)), _MODULES[name], options if isinstance(options, dict) else {}, prepare)
