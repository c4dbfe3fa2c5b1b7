"""Expressions of EventBridge Scheduler: ``cron(…)``, ``rate(…)`` and ``at(…)``.

Fields, values and wildcards are those of the service's page (docs.aws.amazon.com/scheduler/latest/UserGuide,
schedule-types). What that page leaves open (a range that goes backwards, a step in the day of the week, ``L-3``) is
taken as it reads in Quartz, whose language this is, and is not judged.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from datetime import date, datetime, time

from mlops.ir.dataclass import dataclass

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FORM = re.compile(r"(cron|rate|at)\(([^()]*)\)")
_RATE = re.compile(r"1 (minute|hour|day)|(?!1 )[1-9]\d* (minutes|hours|days)")
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_WEEK = 7


class Malformed(ValueError):
    """The text says what is wrong with the expression."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def number(self, word: str) -> int:
        if word.isdecimal() and word.isascii():
            found = int(word)
            if not self.low <= found <= self.high:
                raise Malformed(f"{self.name} goes from {self.low} to {self.high}, not {word}")
            return found
        if word.upper() in self.names:
            return self.names.index(word.upper()) + 1
        known = f" or {self.names[0]} to {self.names[-1]}" if self.names else ""
        raise Malformed(f"{self.name} is {word!r}: give {self.low} to {self.high}{known}")

    def values(self, part: str) -> Iterator[int]:
        """Of one part between commas, without the field's own wildcards."""
        reach, slash, step = part.partition("/")
        if slash and (not step.isdecimal() or not int(step)):
            raise Malformed(f"{self.name} is {part!r}: behind the slash stands the step, a number from 1")
        first, dash, last = reach.partition("-")
        if reach in ("*", ""):
            if not slash and not reach:
                raise Malformed(f"{self.name} has nothing between two commas")
            begin, end = self.low, self.high
        elif dash:
            begin, end = self.number(first), self.number(last)
        else:
            begin = self.number(first)
            end = self.high if slash else begin
        width = self.high - self.low + 1
        # Backwards it goes around the end.
        for value in range(begin, end + 1 if end >= begin else end + width + 1, int(step) if slash else 1):
            yield value if value <= self.high else value - width


_MINUTES = _Field("minutes", 0, 59)
_HOURS = _Field("hours", 0, 23)
_DAY = _Field("day of the month", 1, 31)
_MONTH = _Field("month", 1, 12, _MONTHS)
_WEEKDAY = _Field("day of the week", 1, 7, _DAYS)
_YEAR = _Field("year", 1970, 2199)
_FIELDS = (_MINUTES, _HOURS, _DAY, _MONTH, _WEEKDAY, _YEAR)


@dataclass(frozen=True, slots=True)
class Cron:
    """``days`` are those of any month that are asked for by the day of the month, by the day of the week else."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: tuple[str, ...] | None
    months: frozenset[int]
    weekdays: tuple[str, ...] | None
    years: frozenset[int]

    def dates(self, since: date) -> Iterator[date]:
        for year in sorted(found for found in self.years if found >= since.year):
            for month in sorted(self.months):
                for day in sorted(self._days(year, month)):
                    if (found := date(year, month, day)) >= since:
                        yield found

    def _days(self, year: int, month: int) -> set[int]:
        if self.days is not None:
            return {day for part in self.days for day in _days_of_month(part, year, month)}
        return {day for part in self.weekdays or () for day in _days_of_week(part, year, month)}


def judge(expression: str) -> None:
    """Raises Malformed for what the service refuses, and for what never fires, whenever it is asked."""
    found = _FORM.fullmatch(expression)
    if found is None:
        raise Malformed("write cron(…), rate(…) or at(…), for example rate(1 day)")
    kind, inside = found.groups()
    if kind == "rate" and not _RATE.fullmatch(inside):
        raise Malformed(
            "rate is a number and minutes, hours or days, one of them in the singular: rate(1 day), rate(5 minutes)"
        )
    if kind == "at":
        _moment(inside)
    if kind == "cron" and next(cron(inside).dates(date(_YEAR.low, 1, 1)), None) is None:
        raise Malformed("it never fires: no year, month and day of it ever meet")


def later(expression: str, minutes: int) -> str:
    """On the same days and in the same hours, so many minutes behind. Raises Malformed where no expression says that.

    >>> later("cron(0 3 ? * SUN *)", 15)
    'cron(15 3 ? * SUN *)'
    """
    found = _FORM.fullmatch(expression)
    minute, _, rest = found[2].strip().partition(" ") if found is not None and found[1] == "cron" else ("", "", "")
    if not minute.isdecimal() or int(minute) + minutes > _MINUTES.high:
        raise Malformed(f"write cron(…) with one minute, from 0 to {_MINUTES.high - minutes}")
    return f"cron({int(minute) + minutes} {rest})"


def next_time(expression: str, since: datetime) -> datetime | None:
    """When a sound ``cron`` or ``at`` fires next, ``since`` included; None where it never does any more. Both are times
    of the schedule's own zone, without one. A ``rate`` fires at once."""
    found = _FORM.fullmatch(expression)
    if found is None:
        raise Malformed(expression)
    kind, inside = found.groups()
    if kind == "rate":
        return since
    if kind == "at":
        moment = _moment(inside)
        return moment if moment >= since else None
    parsed = cron(inside)
    times = sorted(time(hour, minute) for hour in parsed.hours for minute in parsed.minutes)
    # Of the first day the hours may be over.
    for day, _ in zip(parsed.dates(since.date()), range(2), strict=False):
        for at in times:
            if (moment := datetime.combine(day, at)) >= since.replace(second=0, microsecond=0):
                return moment
    return None


def cron(inside: str) -> Cron:
    """What stands between the parentheses. Raises Malformed."""
    fields = inside.split()
    if len(fields) != len(_FIELDS):
        names = ", ".join(field.name for field in _FIELDS)
        raise Malformed(f"cron has six fields ({names}), not {len(fields)}, as in cron(0 6 * * ? *)")
    if (fields[2] == "?") == (fields[4] == "?"):
        raise Malformed("one of day of the month and day of the week has to be ?, as in cron(0 6 * * ? *)")
    minutes, hours, day, month, weekday, year = fields
    if "#" in weekday and "," in weekday:
        raise Malformed("day of the week has '#' and several values; with '#' it takes one")
    days = None if day == "?" else tuple(day.split(","))
    weekdays = None if weekday == "?" else tuple(weekday.split(","))
    # What is wrong is told before anything is counted.
    for part in days or ():
        _days_of_month(part, 2000, 1)
    for part in weekdays or ():
        _days_of_week(part, 2000, 1)
    return Cron(
        minutes=_all(_MINUTES, minutes),
        hours=_all(_HOURS, hours),
        days=days,
        months=_all(_MONTH, month),
        weekdays=weekdays,
        years=_all(_YEAR, year),
    )


def _all(field: _Field, text: str) -> frozenset[int]:
    return frozenset(value for part in text.split(",") for value in field.values(part))


def _days_of_month(part: str, year: int, month: int) -> set[int]:
    """
    >>> _days_of_month("L", 2024, 2), _days_of_month("15W", 2026, 8), _days_of_month("31", 2026, 4)
    ({29}, {14}, set())
    """
    last = calendar.monthrange(year, month)[1]
    match re.fullmatch(r"(L)(?:-(\d+))?(W)?|(\d+)(W)", part.upper()):
        case None:
            return {day for day in _DAY.values(part) if day <= last}
        case found if found[1]:
            day = last - int(found[2] or 0)
            return {_nearest_weekday(year, month, day, last) if found[3] else day} if day >= 1 else set()
        case found:
            day = _DAY.number(found[4])
            return {_nearest_weekday(year, month, day, last)} if day <= last else set()


def _nearest_weekday(year: int, month: int, day: int, last: int) -> int:
    """Within the month."""
    match calendar.weekday(year, month, day):
        case calendar.SATURDAY:
            return day - 1 if day > 1 else day + 2
        case calendar.SUNDAY:
            return day + 1 if day < last else day - 2
    return day


def _days_of_week(part: str, year: int, month: int) -> set[int]:
    """
    >>> _days_of_week("6L", 2026, 1), _days_of_week("MON#5", 2026, 2), _days_of_week("2#1", 2026, 2)
    ({30}, set(), {2})
    """
    begins, last = calendar.monthrange(year, month)

    def on(weekday: int) -> list[int]:
        # SUN is 1 here, and 6 in Python's calendar.
        first = 1 + (weekday + 5 - begins) % _WEEK
        return [*range(first, last + 1, _WEEK)]

    if part.upper() == "L":
        return {*on(_WEEK)}
    if "#" in part:
        weekday, _, count = part.partition("#")
        if not count.isdecimal() or not 1 <= int(count) <= 5:
            raise Malformed(f"day of the week is {part!r}: behind '#' stands which of the month, 1 to 5")
        return {*on(_WEEKDAY.number(weekday))[int(count) - 1 : int(count)]}
    if part.upper().endswith("L") and part.upper() != "L":
        return {on(_WEEKDAY.number(part[:-1]))[-1]}
    return {day for weekday in _WEEKDAY.values(part) for day in on(weekday)}


def _moment(inside: str) -> datetime:
    if _AT.fullmatch(inside):
        try:
            return datetime.fromisoformat(inside)
        except ValueError as error:
            raise Malformed(f"at has no such moment: {error}") from None
    raise Malformed("at is a time without a zone: at(2026-11-22T06:00:00)")
