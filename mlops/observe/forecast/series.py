"""A metric at even steps of time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mlops.ir import UsageError
from mlops.ir.dataclass import dataclass

Numbers: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Series:
    """``start`` is the time of the first value in seconds since 1970, ``step`` the seconds between two; NaN is a step
    that has no value."""

    start: float
    step: float
    values: Numbers

    def __len__(self) -> int:
        return len(self.values)

    @property
    def known(self) -> Numbers:
        """Which positions have a value."""
        return np.flatnonzero(np.isfinite(self.values)).astype(np.float64)

    def at(self, position: float) -> float:
        """
        >>> Series(0.0, 60.0, np.zeros(3)).at(2)
        120.0
        """
        return self.start + self.step * position

    def until(self, length: int) -> Series:
        """Its beginning."""
        return Series(self.start, self.step, self.values[:length])


def evenly(points: Iterable[tuple[float, float]], step: float) -> Series:
    """Of (time, value) in any order; steps between that nobody told have no value.

    >>> evenly([(120.0, 3.0), (0.0, 1.0)], 60.0).values.tolist()
    [1.0, nan, 3.0]

    Raises:
        UsageError: no points.
    """
    told = sorted(points)
    if not told:
        raise UsageError("there is no value to forecast from")
    start = told[0][0]
    places = [round((time - start) / step) for time, _ in told]
    values = np.full(places[-1] + 1, np.nan)
    values[places] = [value for _, value in told]
    return Series(start, step, values)
