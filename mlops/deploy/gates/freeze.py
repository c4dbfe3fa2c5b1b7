"""Times at which nothing is promoted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from mlops.ir.dataclass import dataclass
from mlops.ir.gate import Asked, Gate, Judgement

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WHOLE = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_KEYS = ("from", "to", "days", "hours", "timezone", "why")


@dataclass(frozen=True, slots=True)
class Window:
    """``first`` and ``last`` are days, both inside; ``days`` of the week; from ``begins`` to before ``ends`` on
    each, which is on the next day where it is the earlier one."""

    first: date | None
    last: date | None
    days: frozenset[int]
    begins: time
    ends: time
    zone: tzinfo
    why: str

    def holds(self, now: datetime) -> bool:
        here = now.astimezone(self.zone)
        day, hour = here.date(), here.time().replace(tzinfo=None)
        if self.begins < self.ends:
            return self._has(day) and self.begins <= hour < self.ends
        return (self._has(day) and hour >= self.begins) or (self._has(day - timedelta(days=1)) and hour < self.ends)

    def _has(self, day: date) -> bool:
        return (
            (self.first is None or day >= self.first)
            and (self.last is None or day <= self.last)
            and (not self.days or day.weekday() in self.days)
        )


def read(raw: Any) -> Sequence[Window]:
    if not isinstance(raw, list) or not raw:
        raise ValueError('give a list of windows, for example [{ from = "2026-12-20", to = "2027-01-02" }]')
    return [_window(item) for item in raw]


def _window(raw: Any) -> Window:
    if not isinstance(raw, Mapping) or not raw or not set(raw) <= set(_KEYS):
        raise ValueError(f"a window has the keys {', '.join(_KEYS)}")
    days = raw.get("days", [])
    if not isinstance(days, list) or any(str(day).lower() not in (*_DAYS, *_WHOLE) for day in days):
        raise ValueError(f"days = {days!r}: give a list of {', '.join(_DAYS)}")
    begins, _, ends = str(raw.get("hours", "00:00-24:00")).partition("-")
    try:
        zone = ZoneInfo(str(raw.get("timezone", "UTC")))
        window = Window(
            _day(raw.get("from")),
            _day(raw.get("to")),
            frozenset(_DAYS.index(str(day).lower()[:3]) for day in days),
            time.fromisoformat(begins.strip()),
            time.max if ends.strip() == "24:00" else time.fromisoformat(ends.strip()),
            zone,
            str(raw.get("why", "")),
        )
    except (ValueError, KeyError, OSError) as error:
        example = 'from = "2026-12-20", hours = "16:00-24:00", timezone = "Europe/Berlin"'
        raise ValueError(f"a window cannot be read: {error}; write for example {example}") from None
    if window.begins.tzinfo is not None or window.ends.tzinfo is not None:
        raise ValueError("hours: an hour is that of the timezone beside it, and has none of its own")
    if window.begins == window.ends:
        raise ValueError(f'hours = "{raw["hours"]}": that never holds; the whole day is "00:00-24:00"')
    if window.first is not None and window.last is not None and window.first > window.last:
        raise ValueError(f"from = {window.first}, to = {window.last}: that never holds")
    return window


def _day(written: Any) -> date | None:
    if written is None or (isinstance(written, date) and not isinstance(written, datetime)):
        return written
    return date.fromisoformat(str(written))


def judge(settings: Sequence[Window], asked: Asked) -> Judgement:
    for window in settings:
        if window.holds(asked.now):
            return Judgement(False, f"nothing is promoted now{f': {window.why}' if window.why else ''}")
    return Judgement(True, "no window holds")


GATE = Gate("freeze", "times at which nothing is promoted", read, judge)
