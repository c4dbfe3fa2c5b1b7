"""What starts one pipeline twice at a time, more often than anybody means, or never as often as it says."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from itertools import combinations, islice
from pathlib import Path
from typing import TypeAlias

from mlops.check.tables import finding
from mlops.ir import Finding
from mlops.ir.duration import said, seconds_of
from mlops.knowledge.eventbridge.schedule_expressions import Cron, cron
from mlops.project.environments import Environment
from mlops.project.feedback import Feedback
from mlops.project.starts import Schedule

_DAY = 24 * 60 * 60.0
_MINUTES = {"minute": 1, "hour": 60, "day": 24 * 60}
_SINCE, _DAYS = date(2026, 1, 1), 400
"""Any year will do: days of months and of weeks meet, or do not, in each."""
_Times: TypeAlias = "int | Cron | None"
"""Minutes between two starts, or the fields of a cron; None for once."""


def starts_too_often(environment: Environment, root: Path) -> Iterator[Finding]:
    name = environment.name
    schedules = {key: item for key, item in environment.schedules.items() if item.enabled}
    for key, schedule in schedules.items() if not environment.is_local else ():
        times = _times(schedule)
        if times == 1 or (isinstance(times, Cron) and len(times.minutes) == _MINUTES["hour"]):
            message = f"{schedule.expression} starts {schedule.pipeline} each minute, and each execution is paid for"
            yield finding("A062", root, name, ("schedules", key, "expression"), message, "e.g. rate(1 hour)")
    for (first, one), (second, other) in combinations(schedules.items(), 2):
        if _start_the_same(one, other) and _meet(_times(one), _times(other)):
            message = f"{first} and {second} start {one.pipeline} at the same time, with the same parameters"
            yield finding("A062", root, name, ("schedules", second, "expression"), message, "keep one of them")
    yield from _feedback(environment, root)


def _start_the_same(one: Schedule, other: Schedule) -> bool:
    return (one.pipeline, one.parameters, one.timezone) == (other.pipeline, other.parameters, other.timezone)


def _times(schedule: Schedule) -> _Times:
    """
    >>> _times(Schedule(pipeline="p", expression="rate(2 hours)"))
    120
    """
    kind, _, inside = schedule.expression.rstrip(")").partition("(")
    if kind == "rate":
        count, unit = inside.split()
        return int(count) * _MINUTES[unit.rstrip("s")]
    return cron(inside) if kind == "cron" else None


def _meet(one: _Times, other: _Times) -> bool:
    """Of two rates that are the same nobody knows when they begin, and each start is one of two."""
    if isinstance(one, Cron) and isinstance(other, Cron):
        dates = [set(islice(item.dates(_SINCE), _DAYS)) for item in (one, other)]
        return bool(one.minutes & other.minutes and one.hours & other.hours and dates[0] & dates[1])
    return one is not None and one == other


def _feedback(environment: Environment, root: Path) -> Iterator[Finding]:
    declared = {key: item for key, item in environment.feedback.items() if item.enabled}
    for key, feedback in declared.items():
        least = seconds_of(feedback.cooldown)
        most = math.ceil(_DAY / least) if least else None
        if "per_day" in feedback.model_fields_set and most is not None and feedback.per_day > most:
            message = f"per_day = {feedback.per_day}, and with a cooldown of {said(least)} it is {most} at most"
            inside = ("feedback", key, "per_day")
            yield finding("A062", root, environment.name, inside, message, "lower one of them")
    for (first, one), (second, other) in combinations(declared.items(), 2):
        twice = _twice(one, other) if one.watches == other.watches else None
        if twice is not None:
            kind, watched = one.watches
            message = f"{first} and {second} are both of the {kind} {watched}, and {twice}"
            inside = ("feedback", second, kind)
            yield finding("A062", root, environment.name, inside, message, "keep one of them")


def _twice(one: Feedback, other: Feedback) -> str | None:
    if one.pipeline is not None and one.pipeline == other.pipeline:
        return f"{one.pipeline} is started twice"
    if one.rollback and other.rollback and one.endpoint == other.endpoint:
        return f"both take back what goes to {one.endpoint}"
    return None
