"""The objective while a job runs: its values in the order in which the log has them."""

from __future__ import annotations

import os
import re
from pathlib import Path

from mlops.run.log import numbers_in

_MOST_AT_ONCE = 1024 * 1024


class Observed:
    """Reads on where it was. Of several hosts the first one's log counts, as for the final metrics."""

    def __init__(self, log: Path, pattern: re.Pattern[str]) -> None:
        self._log = log
        self._pattern = pattern
        self._place = 0
        self._rest = b""

    def further(self) -> list[float]:
        """Those that came since; lines count when they are whole."""
        found: list[float] = []
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
                        found += numbers_in(self._pattern, line.decode("utf-8", errors="replace"))
        except FileNotFoundError:
            pass
        return found
