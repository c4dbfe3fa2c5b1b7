"""Series that are known to hold what they hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlops.observe.forecast.series import Numbers, Series

HOUR = 3600.0


def planted(
    seed: int,
    length: int = 672,
    seasons: Sequence[tuple[float, float]] = ((24, 3), (168, 2)),
    *,
    follows: float = 0.0,
    trend: float = 0.01,
    spread: float = 1.0,
) -> Series:
    """``seasons`` are (period in steps, size of its first wave; the second has half of it). ``follows`` is how much
    noise follows the noise before."""
    random = np.random.default_rng(seed)
    positions: Numbers = np.arange(length, dtype=np.float64)
    noise = random.normal(0, spread, length)
    for i in range(1, length):
        noise[i] += follows * noise[i - 1]
    values: Numbers = 50 + trend * positions + noise
    for period, size in seasons:
        for order in (1, 2):
            turned = random.uniform(0, 2 * np.pi)
            values = values + size / order * np.sin(2 * np.pi * order * positions / period + turned)
    return Series(0.0, HOUR, values)
