"""Which seasons a series has, where nobody says: the strongest wave that noise would not have, again and again.

A peak of the periodogram is judged as the largest of many (R. A. Fisher, Tests of Significance in Harmonic Analysis,
1929), against what lies around it. Its period is made exact by least squares, and what it explains is taken away before
the next is looked for.
"""

from __future__ import annotations

import math

import numpy as np

from mlops.observe.forecast.design import Design, Season, most_waves
from mlops.observe.forecast.linear import solve
from mlops.observe.forecast.series import Numbers, Series

MOST = 3
"""Seasons that are looked for."""
_TIMES = 3
"""How often a season has to be seen."""
_SAME = 0.15
"""Periods that are as near as this are one season's."""
_SURE = 1e-4
"""What share of series of pure noise may show a season."""
_AT_ONCE = 1 << 20
"""Numbers whose medians are found in one go."""


def found(series: Series, most: int = MOST) -> tuple[float, ...]:
    """Periods in steps, the shortest first. The half, third or fourth of another found one is a wave of that one."""
    positions = series.known
    if len(positions) < 12:
        return ()
    values = series.values[positions.astype(int)]
    periods: list[float] = []
    for _ in range(2 * most):
        rest = _left(positions, values, periods)
        period = _strongest(positions, rest, len(series), periods)
        if period is None:
            break
        periods.append(period)
    return tuple(sorted(period for period in periods if not _is_wave(period, periods)))[-most:]


def _is_wave(period: float, others: list[float]) -> bool:
    return any(abs(other / period - times) < 0.03 * times for other in others for times in (2, 3, 4))


def _left(positions: Numbers, values: Numbers, periods: list[float]) -> Numbers:
    design = Design([Season(period, min(6, most_waves(period))) for period in periods], False, 1.0)
    # A trend that bends is no season.
    bent = np.polynomial.legendre.legvander(2 * positions / positions[-1] - 1, 3)[:, 1:]
    columns = np.column_stack([design.columns(positions), bent])
    rest: Numbers = values - columns @ solve(columns, values)
    return rest


def _strongest(positions: Numbers, rest: Numbers, length: int, known: list[float]) -> float | None:
    even = np.zeros(2 * length)
    even[positions.astype(int)] = rest
    # Padded, so that a season between two frequencies is not halved.
    power = np.abs(np.fft.rfft(even))[1:] ** 2
    if float(power.sum()) <= 1e-16 * length * (1 + float(np.abs(rest).max())) ** 2:
        return None
    # What lasts longer than a third of the series was seen too seldom, and a trend's remains lie there.
    first = 2 * _TIMES - 1
    above = (power / _background(power))[first:]
    frequencies = np.arange(first + 1, len(power) + 1) / (2 * length)
    for period in known:
        # A season that is now early and now late shows beside its own period, too.
        above[np.abs(frequencies * period - 1) < _SAME] = 0.0
    order = int(np.argmax(above))
    # Of noise each share is exponential: so large is the largest of so many in one series of ten thousand.
    if above[order] < -math.log(1 - (1 - _SURE) ** (1 / len(above))):
        return None
    return _exact(positions, rest, 2 * length / (order + first + 1), length)


def _background(power: Numbers) -> Numbers:
    """What noise has around each frequency: the mean that an exponential has by its median, which a few lines do not
    move. Noise that follows itself has more of the long waves, so that a level for all would show seasons there."""
    reach = max(24, len(power) // 8)
    if len(power) <= reach + 1:
        return np.full(len(power), max(float(np.median(power)) / math.log(2), 1e-300))
    padded = np.concatenate([power[reach:0:-1], power, power[-2 : -reach - 2 : -1]])
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    # The median copies what it is given, which is a window for each frequency.
    rows = max(1, _AT_ONCE // windows.shape[1])
    parts = [np.median(windows[at : at + rows], axis=1) for at in range(0, len(windows), rows)]
    medians: Numbers = np.concatenate(parts) / math.log(2)
    return np.maximum(medians, 1e-12 * float(power.max()))


def _exact(positions: Numbers, rest: Numbers, about: float, length: int) -> float:
    """The period near ``about`` that explains most; a whole one where that explains as much."""
    low, high = length / (length / about + 0.75), length / max(length / about - 0.75, 0.5)
    best = min(np.linspace(low, high, 41), key=lambda period: _unexplained(positions, rest, float(period)))
    step = (high - low) / 40
    best = min(
        np.linspace(best - step, best + step, 21), key=lambda period: _unexplained(positions, rest, float(period))
    )
    whole = float(round(best))
    if whole >= 2 and abs(whole - best) <= max(0.02 * best * best / length, 0.02 * best):
        near = _unexplained(positions, rest, whole)
        if near <= _unexplained(positions, rest, float(best)) * 1.02:
            return whole
    return float(best)


def _unexplained(positions: Numbers, rest: Numbers, period: float) -> float:
    columns = Design([Season(period, min(2, most_waves(period)))], False, 1.0).columns(positions)
    left = rest - columns @ np.linalg.lstsq(columns, rest, rcond=None)[0]
    return float(left @ left)
