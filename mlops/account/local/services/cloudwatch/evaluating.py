"""Alarms are evaluated: by the clock when the time of each has come, and by whoever asks how one stands. What came of
it is written under the store's lock, unless somebody else was faster."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from mlops.account.local import clock
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.cloudwatch import alarm_bodies, changes, judging
from mlops.account.local.services.cloudwatch.alarm_bodies import KIND, OWED, SET_UNTIL
from mlops.account.local.services.cloudwatch.queries import period_of
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import State, moment
from mlops.knowledge.cloudwatch import alarm_rules

MOST_MADE_UP = 1440
"""Evaluations that passed while no clock ran: a day of minutes."""
_FAILED = "EVALUATION_ERROR"
_AGAIN = timedelta(seconds=60)
"""After one that could not be evaluated."""


def evaluated(state: State, name: str, now: datetime) -> dict[str, Any] | None:
    """As DescribeAlarms tells it, with its state by ``now``; None where there is none. Alarms that a composite one is
    made of are evaluated first."""
    body = _evaluated(state, name, now)
    if body is None:
        return None
    changes.wake(state)
    return alarm_bodies.told(state, body)


def red(state: State, names: Iterable[str]) -> str | None:
    """Why a deployment that these watch is to go back, a clause; None where none of them is in alarm. One that is gone
    can tell nothing good."""
    for name in names:
        found = evaluated(state, name, datetime.now(UTC))
        if found is None:
            return f"the alarm {name} does not exist any more"
        if found["StateValue"] == "ALARM":
            return f"the alarm {name} is in state ALARM: {found['StateReason']}"
    return None


def _evaluated(
    state: State, name: str, now: datetime, above: tuple[str, ...] = (), seen: set[str] | None = None
) -> dict[str, Any] | None:
    """``above`` are the composite alarms on the way here: one that is made of itself is not evaluated. ``seen`` are
    those that were evaluated for the one on top: each one time, however many are made of it."""
    seen = set() if seen is None else seen
    body = alarm_bodies.find(state, name)
    if body is None or name in above:
        return body
    if alarm_bodies.is_composite(body):
        rule = alarm_rules.parse(body["AlarmRule"])
        for told in dict.fromkeys((*alarm_rules.alarms(rule), body.get("ActionsSuppressor") or "")):
            child = alarm_bodies.name_of(told)
            if child not in seen:
                seen.add(child)
                _evaluated(state, child, now, (*above, name), seen)
    if moment(now) < body.get(SET_UNTIL, ""):
        return _settled(state, name, now)
    try:
        verdict = (
            judging.of_others(state, body) if alarm_bodies.is_composite(body) else judging.of_metrics(state, body, now)
        )
    except Refusal:
        return _wrote(state, body, {**body, "EvaluationState": _FAILED})
    clean = {member: value for member, value in body.items() if member != "EvaluationState"}
    if verdict.standing == body["StateValue"]:
        _wrote(state, body, clean)
    else:
        with state.store.transaction():
            there = alarm_bodies.find(state, name)
            if there is None:
                return None
            if there == body:
                changes.change(state, clean, verdict, now)
    return _settled(state, name, now)


def _wrote(state: State, body: Mapping[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    if changed != body:
        with state.store.transaction():
            if alarm_bodies.find(state, body["AlarmName"]) == body:
                resources.replace(state, KIND, body["AlarmName"], changed)
    return changed


def _settled(state: State, name: str, now: datetime) -> dict[str, Any] | None:
    """With what is owed of its actions done, where the time has come."""
    body = alarm_bodies.find(state, name)
    if body is None or not body.get(OWED):
        return body
    with state.store.transaction():
        there = alarm_bodies.find(state, name)
        return None if there is None else changes.settle(state, there, now)[0]


def by_the_clock(state: State, now: datetime) -> datetime | None:
    """Every alarm for each of its times up to now, oldest first, also those that passed while no clock ran. Gives when
    the next one's time comes. Composite alarms follow those that they are made of, whose changes are their times."""
    due: list[datetime] = []
    composite: list[str] = []
    for name, body in alarm_bodies.every(state):
        if alarm_bodies.is_composite(body):
            composite.append(name)
            continue
        try:
            due.append(_at_its_times(state, name, body, now))
        except Refusal:  # an older store has kept it as it came
            _wrote(state, body, {**body, "EvaluationState": _FAILED})
            due.append(now + _AGAIN)
        except Exception:  # a mistake with one of them keeps no other from being evaluated
            with suppress(OSError):
                traceback.print_exc()
            due.append(now + _AGAIN)
    for name in composite:
        try:
            found = _evaluated(state, name, now)
        except Exception:
            with suppress(OSError):
                traceback.print_exc()
            due.append(now + _AGAIN)
            continue
        owed = (found or {}).get(OWED) or {}
        if owed.get("until"):
            due.append(datetime.fromisoformat(owed["until"]))
    return min(due, default=None)


def _at_its_times(state: State, name: str, body: Mapping[str, Any], now: datetime) -> datetime:
    """Gives when its next one comes."""
    seconds = alarm_bodies.every_seconds(period_of(alarm_bodies.queries_of(body)))
    last = int(now.timestamp()) // seconds * seconds
    for at in _times(state, name, body, last, seconds):
        if _evaluated(state, name, datetime.fromtimestamp(at, UTC)) is None:
            break
        _mark(state, name, at)
    return datetime.fromtimestamp(last + seconds, UTC)


def _times(state: State, name: str, body: Mapping[str, Any], last: int, seconds: int) -> range:
    """Nothing before it was changed last, be it by who asked, and not too many."""
    done = clock.done(state, KIND, name)
    known = max((done.timestamp() if done else 0.0), datetime.fromisoformat(body["StateUpdatedTimestamp"]).timestamp())
    first = max(int(known) // seconds * seconds + seconds, last - (MOST_MADE_UP - 1) * seconds)
    return range(first, last + 1, seconds)


def _mark(state: State, name: str, at: int) -> None:
    with state.store.transaction():
        if alarm_bodies.find(state, name) is not None:
            clock.mark(state, KIND, name, datetime.fromtimestamp(at, UTC))


def set_until(body: Mapping[str, Any], now: datetime) -> str:
    """How long a state stands that somebody set: to the next evaluation."""
    if alarm_bodies.is_composite(body):
        return moment(now + timedelta(seconds=alarm_bodies.every_seconds(0)))
    return moment(now + timedelta(seconds=alarm_bodies.every_seconds(period_of(alarm_bodies.queries_of(body)))))
