"""What waits to be delivered, in its order; what failed for reasons of the moment is tried again, ever more seldom.

What takes long is waited for in threads, some at a time: a function that hangs until it is timed out keeps no alarm
from being judged and no schedule from firing.
"""

from __future__ import annotations

import json
import re
import sqlite3
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

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
_MOST_AT_ONCE = 8
_MOST_IN_A_ROW = 1000
"""Then alarms and schedules have their turn."""
_LOOK = timedelta(seconds=5)
_PASSING = frozenset({"ThrottlingException", "TooManyRequestsException", "InternalException", "InternalServerError"})


@cache
def all_targets() -> tuple[Target, ...]:
    return tuple(found.load().TARGET for found in modules(package).values())


class _Deliveries:
    """``_called`` are those that a thread waits for, by account and sequence number."""

    def __init__(self) -> None:
        self._called: set[tuple[Path, int]] = set()

    def tick(self, state: State, now: datetime) -> datetime | None:
        """Each row is read once to see what it is, and once more when it is called, however many wait."""
        for _ in range(_MOST_IN_A_ROW):
            found = _next(state, now, takes_long=False)
            if not found:
                break
            _take(state, found[0], now)
        for row in _next(state, now, takes_long=True, most=_MOST_AT_ONCE):
            self._begin(state, row, now)
        if _next(state, now, takes_long=False):
            return now
        later = state.store.one("SELECT due FROM delivery WHERE due > ? ORDER BY due LIMIT 1", moment(now))
        waits = bool(_next(state, now, takes_long=True))
        # Whose thread ends has written, and whoever waits for its place is asked then.
        due = [now + _LOOK] if waits else []
        return min([*due, *([datetime.fromisoformat(later["due"])] if later is not None else [])], default=None)

    def _begin(self, state: State, row: sqlite3.Row, now: datetime) -> None:
        called = state.folder, row["sequence"]
        running = sum(folder == state.folder for folder, _ in tuple(self._called))
        if called in self._called or running >= _MOST_AT_ONCE or not _claimed(state, row):
            return
        delivery, target = _read(row)
        if target is None:
            _nobody(state, row, delivery)
            return
        self._called.add(called)
        arn = delivery.target["Arn"]
        work = threading.Thread(
            target=self._call, args=(state, row, delivery, target, now), name=f"delivery to {arn}", daemon=True
        )
        try:
            work.start()
        except RuntimeError:  # no thread is to be had: it is tried again
            self._called.discard(called)
            raise

    def _call(self, state: State, row: sqlite3.Row, delivery: Delivery, target: Target, now: datetime) -> None:
        try:
            _deliver(state, row, delivery, target, now)
        except Exception:  # the store does not take what came of it: it is tried again, as after a kill
            with suppress(OSError):
                traceback.print_exc()
        finally:
            self._called.discard((state.folder, row["sequence"]))


def _next(state: State, now: datetime, *, takes_long: bool, most: int = 1) -> list[sqlite3.Row]:
    """Those that have been due for longest."""
    statement = "SELECT * FROM delivery WHERE takes_long = ? AND due <= ? ORDER BY due, sequence LIMIT ?"
    return state.store.all(statement, int(takes_long), moment(now), most)


def _read(row: sqlite3.Row) -> tuple[Delivery, Target | None]:
    body = json.loads(row["body"])
    delivery = Delivery(body["target"], body["text"], body["token"], body["about"], body["ids"], row["attempts"] + 1)
    arn = str(delivery.target.get("Arn") or "")
    return delivery, next((found for found in all_targets() if found.arn.fullmatch(arn)), None)


def _claimed(state: State, row: sqlite3.Row) -> bool:
    """Before it is done: whoever is killed behind it is followed by a second try, not by a first. False where somebody
    has tried it since it was read."""
    claim = "UPDATE delivery SET attempts = attempts + 1 WHERE sequence = ? AND attempts = ?"
    return bool(state.store.write(claim, row["sequence"], row["attempts"]))


def _take(state: State, row: sqlite3.Row, now: datetime) -> None:
    """What is done at once is; what takes long waits for its place."""
    delivery, target = _read(row)
    if target is not None and target.takes_long(delivery):
        state.store.write("UPDATE delivery SET takes_long = 1 WHERE sequence = ?", row["sequence"])
    elif not _claimed(state, row):
        return
    elif target is None:
        _nobody(state, row, delivery)
    else:
        _deliver(state, row, delivery, target, now)


def _nobody(state: State, row: sqlite3.Row, delivery: Delivery) -> None:
    arn = str(delivery.target.get("Arn") or "")
    _end(state, row, delivery, FAILED, {}, f"{arn} is nothing that the local account delivers to")


def _deliver(state: State, row: sqlite3.Row, delivery: Delivery, target: Target, now: datetime) -> None:
    body, attempt = json.loads(row["body"]), delivery.attempt
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


TICKER = Ticker(has_posted, _Deliveries().tick)
