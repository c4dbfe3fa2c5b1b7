"""The objective while a job runs: its values in the order in which the log has them."""

from __future__ import annotations

import re
from pathlib import Path

from mlops.run.log import numbers_in
from mlops.run.log_tail import Tail


class Observed:
    """Of several hosts the first one's log counts, as for the final metrics."""

    def __init__(self, log: Path, pattern: re.Pattern[str]) -> None:
        self._tail = Tail(log)
        self._pattern = pattern

    def further(self) -> list[float]:
        """Those that came since."""
        return [value for line in self._tail.further() for value in numbers_in(self._pattern, line)]
