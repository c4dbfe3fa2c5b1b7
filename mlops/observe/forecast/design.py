"""The columns that a series is explained by: a level, a trend, and waves of each season (harmonic regression, as in
Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., 7.4)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlops.ir.dataclass import dataclass
from mlops.observe.forecast.series import Numbers

DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Season:
    """``period`` is in steps of the series and need not be whole; ``waves`` are how many sines and cosines."""

    period: float
    waves: int


@dataclass(frozen=True, slots=True)
class Design:
    """``per_day`` is how many steps a day has: the trend is told per day."""

    seasons: Sequence[Season]
    trend: bool
    per_day: float

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns, in their order."""
        waves = [
            f"{wave} {season.period:g}/{order}"
            for season in self.seasons
            for order in range(1, season.waves + 1)
            for wave in ("sine", "cosine")
        ]
        return ("level", *(("trend per day",) if self.trend else ()), *waves)

    def columns(self, positions: Numbers) -> Numbers:
        """One row per position."""
        made = [np.ones_like(positions)]
        if self.trend:
            made.append(positions / self.per_day)
        for season in self.seasons:
            for order in range(1, season.waves + 1):
                angle = 2 * np.pi * order * positions / season.period
                made += [np.sin(angle), np.cos(angle)]
        return np.column_stack(made)


def most_waves(period: float) -> int:
    """A wave shorter than two steps cannot be seen.

    >>> most_waves(24), most_waves(7), most_waves(2)
    (10, 3, 1)
    """
    return max(1, min(10, int(period // 2)))
