"""What waits to be delivered, in its order; what failed for reasons of the moment is tried again, ever more seldom."""

from __future__ import annotations

import json
import re
import sqlite3
import traceback
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache

from mlops.account.local import events
from mlops.account.local.clock import has_posted
from mlops.account.local.process.clock import targets as package
from mlops.account.local.process.clock.target import Delivery, Target
from mlops.account.local.process.clock.ticker import Ticker
from mlops.account.local.refusal import Refusal
from mlops.account.local.state import State, moment
from mlops.ir.discovery import modules
from mlops.ir.values import Value

MADE, FAILED = "delivery.made", "delivery.failed"
_FIRST_SECONDS, _LONGEST_SECONDS = 1.0, 300.0
_PASSING = frozenset({"ThrottlingException", "TooManyRequestsException", "InternalException", "InternalServerError"})


@cache
def all_targets() -> tuple[Target, ...]:
    return tuple(found.load().TARGET for found in modules(package).values())


def _tick(state: State, now: datetime) -> datetime | None:
    for row in state.store.all("SELECT * FROM delivery WHERE due <= ? ORDER BY sequence", moment(now)):
        _deliver(state, row, now)
    left = state.store.one("SELECT due FROM delivery ORDER BY due LIMIT 1")
    return None if left is None else datetime.fromisoformat(left["due"])


def _deliver(state: State, row: sqlite3.Row, now: datetime) -> None:
    body = json.loads(row["body"])
    attempt = row["attempts"] + 1
    # Before it is done: whoever is killed behind it is followed by a second try, not by a first.
    state.store.write("UPDATE delivery SET attempts = ? WHERE sequence = ?", attempt, row["sequence"])
    delivery = Delivery(body["target"], body["text"], body["token"], body["about"], body["ids"], attempt)
    arn = str(delivery.target.get("Arn") or "")
    target = next((found for found in all_targets() if found.arn.fullmatch(arn)), None)
    if target is None:
        _end(state, row, delivery, FAILED, {}, f"{arn} is nothing that the local account delivers to")
        return
    try:
        came = target.deliver(state, delivery)
    except Refusal as refusal:
        if refusal.code not in _PASSING or moment(now) >= body["until"]:
            _end(state, row, delivery, FAILED, {}, f"{refusal.code}: {refusal.message}")
            return
    except Exception as error:  # a full disk may have place in a moment; what it was is in the log
        with suppress(OSError):
            traceback.print_exc()
        if moment(now) >= body["until"]:
            _end(state, row, delivery, FAILED, {}, f"{type(error).__name__}, see the log of the clock")
            return
    else:
        _end(state, row, delivery, MADE, came, None)
        return
    pause = timedelta(seconds=min(_FIRST_SECONDS * 2 ** min(attempt - 1, 30), _LONGEST_SECONDS))
    state.store.write("UPDATE delivery SET due = ? WHERE sequence = ?", moment(now + pause), row["sequence"])


def _end(
    state: State, row: sqlite3.Row, delivery: Delivery, kind: str, came: Mapping[str, str], reason: str | None
) -> None:
    detail: dict[str, Value] = {"to": str(delivery.target.get("Arn") or ""), "attempts": delivery.attempt}
    if reason is not None:
        detail["reason"] = _short(reason)
    with state.store.transaction():
        if state.store.write("DELETE FROM delivery WHERE sequence = ?", row["sequence"]):
            events.tell(state, kind, delivery.about, {**delivery.ids, **came}, detail)


def _short(reason: str) -> str:
    return re.sub(r"\s+", " ", reason)[:500]


TICKER = Ticker(has_posted, _tick)
