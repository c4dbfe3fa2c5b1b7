"""Times by the patterns that a stream's JSON deserialiser is given, as Joda's DateTimeFormat reads them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

MILLIS = "millis"
"""Instead of a pattern: milliseconds since 1970."""
_PIECE = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NUMBERS = {"M": "month", "d": "day", "H": "hour", "k": "hour24", "h": "hour12", "K": "hour11", "m": "minute",
            "s": "second", "D": "yearday"}  # fmt: skip


def reader(pattern: str) -> Callable[[str], datetime]:
    """What makes a time of a text, in UTC and without a zone. Raises ValueError for letters that are not read here, and
    what it gives for a text that does not fit.

    >>> str(reader("dd/MMM/yyyy:HH:mm:ss Z")("10/Oct/2000:13:55:36 -0700"))
    '2000-10-10 20:55:36'
    >>> str(reader("yyyy-MM-dd'T'HH:mm:ss.SSS")("2018-07-09T23:04:05.006"))
    '2018-07-09 23:04:05.006000'
    """
    if pattern == MILLIS:
        return lambda text: datetime.fromtimestamp(int(text) / 1000, UTC).replace(tzinfo=None)
    shape = re.compile(_shape(pattern))

    def read(text: str) -> datetime:
        found = shape.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"it is not written as {pattern}")
        return _time({name: value for name, value in found.groupdict().items() if value is not None})

    return read


def _shape(pattern: str) -> str:
    told, end, named = "", 0, set[str]()
    for found in _PIECE.finditer(pattern):
        if found.start() != end:
            break
        end = found.end()
        if found[1] is not None:
            told += re.escape(found[1].replace("''", "'") or "'")
            continue
        if found[2] is None:
            told += re.escape(found[0])
            continue
        name, shape = _group(found[2], len(found[0]), pattern)
        if name in named:
            raise ValueError(f"{pattern!r} says {name} twice")
        named.add(name)
        told += f"(?P<{name}>{shape})"
    if end != len(pattern):
        raise ValueError(f"{pattern!r} has a quote that does not end")
    return told


def _group(letter: str, count: int, pattern: str) -> tuple[str, str]:
    match letter:
        case "y" | "Y" | "x" | "u":
            return ("year2", r"\d{2}") if count == 2 else ("year", r"[+-]?\d{1,9}" if count == 1 else r"\d{4}")
        case "M" if count >= 3:
            return "monthname", r"[A-Za-z]{3,9}"
        case "S":
            return "fraction", rf"\d{{{count}}}"
        case "a":
            return "half", r"(?i:AM|PM)"
        case "E":
            return "weekday", r"[A-Za-z]{3,9}"
        case "Z" if count >= 3:
            return "zone", r"[A-Za-z_+/-]+(?:/[A-Za-z_+-]+)*"
        case "Z":
            return "offset", r"Z|[+-]\d{2}:?\d{2}"
        case "z":
            return "zone", r"[A-Za-z_+/-]+"
        case _ if letter in _NUMBERS:
            return _NUMBERS[letter], rf"\d{{{count}}}" if count >= 2 else r"\d{1,3}"
    raise ValueError(f"the letters {letter * count!r} of {pattern!r} are not known here")


def _time(told: dict[str, str]) -> datetime:
    number = {name: int(value) for name, value in told.items() if value.lstrip("+-").isdigit() and name != "fraction"}
    year = number.get("year", 1970)
    if "year2" in number:
        year = _whole_year(number["year2"], datetime.now(UTC).year)
    month = number.get("month", 1)
    if "monthname" in told:
        month = _MONTHS.index(told["monthname"][:3].lower()) + 1
    hour = number.get("hour", number.get("hour24", 0) % 24)
    if "hour12" in number or "hour11" in number:
        hour = number.get("hour12", number.get("hour11", 0)) % 12 + (12 if told.get("half", "").lower() == "pm" else 0)
    fraction = int(told["fraction"][:6].ljust(6, "0")) if "fraction" in told else 0
    at = datetime(year, month, number.get("day", 1), hour, number.get("minute", 0), number.get("second", 0), fraction)
    if "yearday" in number:
        at = at.replace(month=1, day=1) + timedelta(days=number["yearday"] - 1)
    return _in_utc(at, told)


def _whole_year(digits: int, now: int) -> int:
    """Of two digits. Joda's pivot is 30 years before ``now``, and a year lies from 50 before that to 49 behind it.

    >>> [_whole_year(digits, 2026) for digits in (0, 26, 45, 46, 99)]
    [2000, 2026, 2045, 1946, 1999]
    """
    first = now - 80
    return first + (digits - first) % 100


def _in_utc(at: datetime, told: dict[str, str]) -> datetime:
    offset, zone = told.get("offset"), told.get("zone")
    if offset not in (None, "Z"):
        assert offset is not None  # noqa: S101
        minutes = int(offset[1:3]) * 60 + int(offset[-2:])
        at = at.replace(tzinfo=timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes)))
    elif zone is not None:
        try:
            at = at.replace(tzinfo=ZoneInfo(zone))
        except (KeyError, OSError):
            raise ValueError(f"{zone} is no zone that is known here") from None
    return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo is not None else at
