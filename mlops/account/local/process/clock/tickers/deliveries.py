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
        for row in state.store.all("SELECT * FROM delivery WHERE due <= ? ORDER BY sequence", moment(now)):
            self._begin(state, row, now)
        later = state.store.one("SELECT due FROM delivery WHERE due > ? ORDER BY due LIMIT 1", moment(now))
        waits = state.store.one("SELECT 1 FROM delivery WHERE due <= ? LIMIT 1", moment(now)) is not None
        # Whose thread ends has written, and whoever waits for its place is asked then.
        due = [now + _LOOK] if waits else []
        return min([*due, *([datetime.fromisoformat(later["due"])] if later is not None else [])], default=None)

    def _begin(self, state: State, row: sqlite3.Row, now: datetime) -> None:
        called = state.folder, row["sequence"]
        if called in self._called:
            return
        body, attempt = json.loads(row["body"]), row["attempts"] + 1
        delivery = Delivery(body["target"], body["text"], body["token"], body["about"], body["ids"], attempt)
        arn = str(delivery.target.get("Arn") or "")
        target = next((found for found in all_targets() if found.arn.fullmatch(arn)), None)
        takes_long = target is not None and target.takes_long(delivery)
        if takes_long and sum(folder == state.folder for folder, _ in tuple(self._called)) >= _MOST_AT_ONCE:
            return
        # Before it is done: whoever is killed behind it is followed by a second try, not by a first.
        state.store.write("UPDATE delivery SET attempts = ? WHERE sequence = ?", attempt, row["sequence"])
        if target is None:
            _end(state, row, delivery, FAILED, {}, f"{arn} is nothing that the local account delivers to")
        elif takes_long:
            self._called.add(called)
            work = threading.Thread(
                target=self._call, args=(state, row, delivery, target, now), name=f"delivery to {arn}", daemon=True
            )
            try:
                work.start()
            except RuntimeError:  # no thread is to be had: it is tried again
                self._called.discard(called)
                raise
        else:
            _deliver(state, row, delivery, target, now)

    def _call(self, state: State, row: sqlite3.Row, delivery: Delivery, target: Target, now: datetime) -> None:
        try:
            _deliver(state, row, delivery, target, now)
        except Exception:  # the store does not take what came of it: it is tried again, as after a kill
            with suppress(OSError):
                traceback.print_exc()
        finally:
            self._called.discard((state.folder, row["sequence"]))


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
