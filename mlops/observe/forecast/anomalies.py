"""Values that a model does not explain: far from it, measured by what most values are from it."""

from __future__ import annotations

import numpy as np

from mlops.ir.dataclass import dataclass
from mlops.observe.forecast.series import Numbers

FAR = 5.0
"""Standard deviations of the normal, by the median of the absolute residuals: of 1,000 values without an anomaly one
series in two thousand has one that is as far."""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """``distance`` is in robust standard deviations, below 0 where the value is too low."""

    position: int
    time: float
    value: float
    expected: float
    distance: float


def spread_of(residuals: Numbers, width: int) -> float:
    """1.4826 times the median of absolute residuals, and what ``width`` coefficients took of it."""
    count = len(residuals)
    left = max(1, count - width)
    return 1.4826 * float(np.median(np.abs(residuals))) * float(np.sqrt(count / left))
