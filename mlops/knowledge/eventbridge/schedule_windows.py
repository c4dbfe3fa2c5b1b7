"""When an expression of EventBridge fires between two moments.

Of the Scheduler's guide: a ``rate`` counts from the start of the schedule, which fires at once; ``cron`` and ``at`` are
times of the schedule's zone. A time that a change of clocks leaves out is skipped, one that comes twice fires once
("Daylight savings time on EventBridge Scheduler").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from mlops.knowledge.eventbridge.schedule_expressions import next_time

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}
_MINUTE = timedelta(minutes=1)


def windows(expression: str, zone: str, start: datetime, since: datetime, until: datetime) -> Iterator[datetime]:
    """Behind ``since``, up to ``until``, in UTC. ``start`` is when the schedule began; nothing fires before.

    >>> day = datetime(2026, 3, 1, tzinfo=UTC)
    >>> [at.hour for at in windows("rate(8 hours)", "UTC", day, day - _MINUTE, day + timedelta(hours=20))]
    [0, 8, 16]
    """
    for moment in _from(expression, zone, start, since):
        if moment > until:
            return
        yield moment


def next_window(expression: str, zone: str, start: datetime, since: datetime) -> datetime | None:
    """The first behind ``since``; None where it never fires any more."""
    return next(_from(expression, zone, start, since), None)


def _from(expression: str, zone: str, start: datetime, since: datetime) -> Iterator[datetime]:
    rate = _RATE.fullmatch(expression)
    if rate is not None:
        yield from _steps(int(rate[1]) * _SECONDS[rate[2]], start, since)
        return
    there = ZoneInfo(zone)
    asked = max(since, start - timedelta(microseconds=1))
    # To the minute or the second: what is due at this very moment is behind it, and found again and passed over.
    at: datetime | None = asked.astimezone(there).replace(tzinfo=None, microsecond=0)
    before = None
    while at is not None and (at := next_time(expression, at)) is not None:
        try:
            moment = at.replace(tzinfo=there).astimezone(UTC)
            is_skipped = moment.astimezone(there).replace(tzinfo=None) != at
        except OverflowError:
            return
        if moment > asked and not is_skipped and moment != before:
            yield moment
        before = moment
        at = at + _MINUTE if expression.startswith("cron") else None


def _steps(seconds: int, start: datetime, since: datetime) -> Iterator[datetime]:
    """None beyond the last day of the calendar."""
    try:
        step = timedelta(seconds=seconds)
    except OverflowError:
        step = timedelta.max
    for number in count(max(0, (since - start) // step + 1) if since >= start else 0):
        try:
            moment = start + number * step
        except OverflowError:
            return
        yield moment
