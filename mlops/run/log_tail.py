"""A log while a command writes it: its lines, each once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_MOST_AT_ONCE = 1024 * 1024


class Tail:
    """Reads on where it was."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._place = 0
        self._rest = b""

    def further(self) -> Iterator[str]:
        """Lines that came since; they count when they are whole."""
        try:
            with self._log.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                if size < self._place:  # the middle of what is too long was taken out
                    self._place, self._rest = size, b""
                file.seek(self._place)
                while read := file.read(_MOST_AT_ONCE):
                    self._place += len(read)
                    *lines, self._rest = (self._rest + read).split(b"\n")
                    for line in lines:
                        yield line.decode("utf-8", errors="replace")
        except FileNotFoundError:
            return

    def rest(self) -> str:
        """A last line without an end, when nothing comes any more."""
        rest, self._rest = self._rest, b""
        return rest.decode("utf-8", errors="replace")
