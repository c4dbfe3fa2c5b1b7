"""Durations as people write them."""

from __future__ import annotations

import math
import re

_LONGEST = 100 * 365 * 86400.0
"""A hundred years: dates that lie further away cannot be reckoned with."""
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])\s*")
_WHOLE = re.compile(rf"\s*(?:{_PART.pattern})+")


def seconds_of(written: str | float) -> float:
    """Raises ValueError with a sentence.

    >>> seconds_of("1h 30m"), seconds_of("90s"), seconds_of(90)
    (5400.0, 90.0, 90.0)
    """
    if isinstance(written, int | float) and not isinstance(written, bool):
        if not 0 <= written < float("inf"):
            raise ValueError(f"{written!r} is no duration: it cannot be negative")
        return _bounded(written, float(written) if written <= _LONGEST else math.inf)
    if not isinstance(written, str) or not _WHOLE.fullmatch(written):
        raise ValueError(f'{written!r} is no duration; one is, for example, "90s", "10m" or "1h 30m"')
    return _bounded(written, sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(written)))


def typed(text: str) -> float:
    """As an option of a command has it: a number alone is of seconds. Raises ValueError with a sentence.

    >>> typed("90"), typed("0.5"), typed("10m")
    (90.0, 0.5, 600.0)
    """
    return seconds_of(float(text) if text.replace(".", "", 1).isdecimal() else text)


def _bounded(written: str | float, seconds: float) -> float:
    if seconds > _LONGEST:
        raise ValueError(f"{str(written)[:40]} is no duration: it is longer than a hundred years")
    return seconds


def said(seconds: float) -> str:
    """
    >>> said(5400), said(45), said(0.5), said(0)
    ('1h 30m', '45s', '0.5s', '0s')
    """
    if seconds != int(seconds) or not seconds:
        return f"{seconds:g}s"
    left, parts = int(seconds), []
    for unit, size in reversed(_UNITS.items()):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts)
