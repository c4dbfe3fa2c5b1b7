"""Round marks along an axis, and how they are written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800)


def marks(low: float, high: float, most: int) -> list[float]:
    """Round numbers within the range, at most so many.

    >>> marks(0, 1, 6), marks(3, 97, 5)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [20.0, 40.0, 60.0, 80.0])
    """
    if not high > low:
        return [low]
    size = 10 ** math.floor(math.log10((high - low) / most))
    step = next((part * size for part in _STEPS if math.floor((high - low) / (part * size)) < most), 10 * size)
    return _each(low, high, step)


def second_marks(low: float, high: float, most: int) -> list[float]:
    """Round seconds, minutes, hours and days.

    >>> second_marks(0, 100, 6)
    [0.0, 30.0, 60.0, 90.0]
    """
    if high - low < most:
        return marks(low, high, most)
    step = next((step for step in _SECONDS if (high - low) / step < most), None)
    return marks(low, high, most) if step is None else _each(low, high, step)


def _each(low: float, high: float, step: float) -> list[float]:
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    # Rounded, since 3 * 0.1 is not 0.3.
    digits = max(0, 3 - math.floor(math.log10(step)))
    return [round(number * step, digits) + 0.0 for number in range(first, last + 1)]


def said_number(value: float) -> str:
    """
    >>> said_number(0.2), said_number(1500000.0), said_number(0.00002), said_number(2.0)
    ('0.2', '1.5 M', '2e-05', '2')
    """
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "")):
        if abs(value) >= size:
            return f"{value / size:.4g} {letter}" if letter else f"{value:,.0f}".replace(",", "\u202f")
    return f"{value:.4g}"


def said_seconds(value: float) -> str:
    """
    >>> said_seconds(0.0296), said_seconds(90.0), said_seconds(3600.0), said_seconds(200000.0)
    ('0.03 s', '1:30 min', '1 h', '2 d 7 h')
    """
    if abs(value) < 1:
        return f"{value:.2g} s" if abs(value) >= 0.01 or not value else "0.01 s"
    if abs(value) < 60:
        return f"{value:.3g} s"
    whole = round(value)
    days, rest = divmod(whole, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours}:{minutes:02d} h" if minutes else f"{hours} h"
    return f"{minutes}:{seconds:02d} min" if seconds else f"{minutes} min"


def said_time(value: float) -> str:
    """A moment in UTC, with a part of a second where it is one.

    >>> said_time(0.0), said_time(1.25)
    ('00:00:00', '00:00:01.25')
    """
    whole = math.floor(value + 1e-6)
    part = f"{value - whole:.3f}".strip("0") if value - whole > 1e-3 else ""
    return f"{datetime.fromtimestamp(whole, UTC):%H:%M:%S}{part if part != '.' else ''}"


def said_day(values: Sequence[float]) -> str:
    """The days on which moments are, in UTC.

    >>> said_day([0.0, 60.0]), said_day([0.0, 86400.0])
    ('1970-01-01 UTC', '1970-01-01 to 1970-01-02 UTC')
    """
    first, last = (f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}" for at in (min(values), max(values)))
    return f"{first} UTC" if first == last else f"{first} to {last} UTC"
