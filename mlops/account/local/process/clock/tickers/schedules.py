"""Schedules of EventBridge Scheduler and rules with a schedule: a window fires once, also one that passed while no
clock ran, until it is older than the target's ``MaximumEventAgeInSeconds`` (a day, where it says none): those are told.

What is late comes one window of a schedule a second, oldest first: a machine that slept is not flooded.
"""

from __future__ import annotations

import hashlib
import traceback
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from mlops.account.local import clock, events
from mlops.account.local.process.clock.ticker import Ticker
from mlops.account.local.services.events import bus, rules
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.services.scheduler import schedules
from mlops.account.local.state import ACCOUNT_ID, State
from mlops.ir.dataclass import dataclass
from mlops.knowledge.eventbridge.schedule_windows import next_window

PASSED_OVER = "schedule.passed-over"
_LATE = timedelta(seconds=60)
_ONE_BY_ONE = timedelta(seconds=1)
_AGAIN = timedelta(seconds=30)
"""After a mistake with one of them."""
_OLDEST_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class _Entry:
    """What fires by itself: a schedule, or a rule with one. It counts from ``start``, and nothing before ``since``,
    when it was changed last, is its matter."""

    kind: str
    name: str
    expression: str
    zone: str
    start: datetime
    since: datetime
    end: datetime | None
    body: Mapping[str, Any]


def _entries(state: State) -> Iterator[_Entry]:
    for row in state.store.all(
        "SELECT * FROM resource WHERE kind IN (?, ?) AND json_extract(body, '$.State') = 'ENABLED' "
        "AND json_extract(body, '$.ScheduleExpression') IS NOT NULL ORDER BY kind, name",
        schedules.KIND,
        rules.KIND,
    ):
        body = resources.body_of(row)
        changed = datetime.fromisoformat(row["modified"])
        start = datetime.fromisoformat(body["StartDate"]) if body.get("StartDate") else changed
        end = datetime.fromisoformat(body["EndDate"]) if body.get("EndDate") else None
        zone = body.get("ScheduleExpressionTimezone") or "UTC"
        yield _Entry(row["kind"], row["name"], body["ScheduleExpression"], zone, start, changed, end, body)


def _wanted(state: State) -> bool:
    return next(_entries(state), None) is not None


def _tick(state: State, now: datetime) -> datetime | None:
    due: list[datetime] = []
    for entry in _entries(state):
        try:
            coming = _fire(state, entry, now)
        except Exception:  # the others fire, and it is tried again
            with suppress(OSError):
                traceback.print_exc()
            coming = now + _AGAIN
        if coming is not None:
            due.append(coming)
    return min(due, default=None)


def _fire(state: State, entry: _Entry, now: datetime) -> datetime | None:
    """The windows up to ``now``, of late ones the first; gives when the next one is."""
    changed = _first(entry) - timedelta(microseconds=1)
    behind = max(changed, clock.done(state, entry.kind, entry.name) or changed)
    while True:
        window = next_window(entry.expression, entry.zone, entry.start, behind)
        if window is None or (entry.end is not None and window > entry.end):
            _complete(state, entry, now)
            return None
        if window > now:
            return window
        behind = window
        if _fired(state, entry, window, now) and now - window > _LATE:
            return now + _ONE_BY_ONE


def _first(entry: _Entry) -> datetime:
    """The moment from which on it fires. StartDate is the first time of a rate, and who means now by it says what was
    now a moment before (as the SDK's PipelineSchedule does); the service is no more exact than a minute."""
    is_now = entry.expression.startswith("rate") and timedelta(0) <= entry.since - entry.start <= _LATE
    return entry.start if is_now else entry.since


def _fired(state: State, entry: _Entry, window: datetime, now: datetime) -> bool:
    """Whether something is delivered for it; not where it is too old."""
    oldest = timedelta(seconds=min((_age(target) for target in _targets(entry)), default=_OLDEST_SECONDS))
    with state.store.transaction():
        if not _is_as_it_was(state, entry):
            return False
        clock.mark(state, entry.kind, entry.name, window)
        if now - window > oldest:
            told = {"window": window.isoformat()}
            events.tell(state, PASSED_OVER, entry.name, {"schedule": entry.name}, told)
            return False
        if entry.kind == rules.KIND:
            bus.aim(state, entry.name, entry.body, _scheduled(state, entry, window), now)
        else:
            target = entry.body["Target"]
            token = _token(entry, window)
            clock.post(
                state,
                target,
                entry.name,
                {"schedule": entry.name, "window": window.isoformat()},
                token=token,
                now=now,
                until=window + oldest,
                text=_filled(target.get("Input"), state, entry, window),
            )
    return True


def _complete(state: State, entry: _Entry, now: datetime) -> None:
    """One that is over goes where it says so."""
    if entry.body.get("ActionAfterCompletion") == "DELETE":
        with state.store.transaction():
            if _is_as_it_was(state, entry):
                resources.remove(state, entry.kind, entry.name, schedules.arn(state, entry.name))
                clock.forget(state, entry.kind, entry.name)


def _is_as_it_was(state: State, entry: _Entry) -> bool:
    """Somebody may have changed it meanwhile: then it is looked at anew."""
    row = state.store.one("SELECT modified FROM resource WHERE kind = ? AND name = ?", entry.kind, entry.name)
    return row is not None and datetime.fromisoformat(row["modified"]) == entry.since


def _targets(entry: _Entry) -> list[Mapping[str, Any]]:
    if entry.kind == schedules.KIND:
        return [entry.body["Target"]]
    return [entry.body["Targets"][key] for key in sorted(entry.body["Targets"])]


def _age(target: Mapping[str, Any]) -> int:
    return int((target.get("RetryPolicy") or {}).get("MaximumEventAgeInSeconds") or _OLDEST_SECONDS)


def _token(entry: _Entry, window: datetime) -> str:
    return hashlib.sha256(f"{entry.kind} {entry.name} {entry.since} {window}".encode()).hexdigest()


def _filled(text: str | None, state: State, entry: _Entry, window: datetime) -> str | None:
    """With the context attributes of the service."""
    if text is None:
        return None
    known = {
        "schedule-arn": schedules.arn(state, entry.name),
        "scheduled-time": window.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "execution-id": str(uuid.uuid5(uuid.NAMESPACE_URL, _token(entry, window))),
        "attempt-number": "1",
    }
    for name, value in known.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def _scheduled(state: State, entry: _Entry, window: datetime) -> dict[str, Any]:
    """The event of a rule with a schedule."""
    return {
        "version": "0",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, _token(entry, window))),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT_ID,
        "time": window.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": state.region,
        "resources": [f"arn:aws:events:{state.region}:{ACCOUNT_ID}:rule/{entry.name.rpartition('/')[2]}"],
        "detail": {},
    }


TICKER = Ticker(_wanted, _tick)
