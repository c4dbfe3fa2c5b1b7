"""Feedback: the command that runs it is started where something came that it answers, or where it was killed.

Which command that is has been said by who switched it on: it promotes, and no account does.
"""

from __future__ import annotations

import json
import subprocess
import threading
import traceback
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mlops.account.local import events, ownership
from mlops.account.local.feedback import KIND, KeptLoops
from mlops.account.local.process.clock.ticker import Ticker
from mlops.account.local.state import State
from mlops.ir.feedback import Loop
from mlops.project.private import opener

_ANSWERED = (
    "alarm.changed",
    "monitor.ended",
    "model-package.approved",
    "model-package.rejected",
    "feedback.goes-on",
)
_SOONEST, _LATEST = timedelta(seconds=30), timedelta(hours=1)
_RUNS = timedelta(seconds=5)
"""Between two looks whether one still runs behind which another is to be started."""
_LOG = "feedback.log"
NOT_STARTED = "feedback.not-started"


def due(loops: Sequence[Loop], newest: int, seen: int, started: datetime | None, now: datetime) -> bool:
    """Whether a process is to be started while none runs: ``newest`` is the last event that one would look at, ``seen``
    that at the last start. What only goes on is looked at ever more seldom."""
    if newest > seen:
        return True
    changed = max((loop.modified for loop in loops if not loop.ended and not loop.asks), default=None)
    if changed is None:
        return False
    pause = min(max((now - changed) / 10, _SOONEST), _LATEST)
    return started is None or now - started >= pause


class _Feedback:
    def __init__(self) -> None:
        self._seen: dict[tuple[Path, str], int] = {}
        self._started: dict[tuple[Path, str], datetime] = {}
        self._failed: dict[tuple[Path, str], tuple[int, datetime, str]] = {}
        """How often one could not be started, when it is tried again, and why it was."""
        self._orders: dict[tuple[Path, str], str] = {}
        """What could not be started: who is told something else is asked at once."""

    def wanted(self, state: State) -> bool:
        return state.store.one("SELECT 1 FROM resource WHERE kind = ? LIMIT 1", KIND) is not None

    def tick(self, state: State, now: datetime) -> datetime | None:
        orders = state.store.all("SELECT name, body FROM resource WHERE kind = ? ORDER BY name", KIND)
        if not orders:
            return None
        marks = ", ".join("?" for _ in _ANSWERED)
        row = state.store.one(f"SELECT max(sequence) AS newest FROM event WHERE kind IN ({marks})", *_ANSWERED)  # noqa: S608
        newest = int(row["newest"] or 0) if row is not None else 0
        loops = KeptLoops(state).read()
        waits = False
        again: list[datetime] = []
        for order in orders:
            of = state.folder, order["name"]
            if self._orders.get(of) != order["body"]:
                self._failed.pop(of, None)
            if of in self._failed and now < self._failed[of][1]:
                again.append(self._failed[of][1])
                continue
            if not due(loops, newest, self._seen.get(of, 0), self._started.get(of), now):
                continue
            # What came behind the last look of one that runs is for the next.
            if ownership.owned(KeptLoops(state).folder(order["name"])):
                waits = True
                continue
            try:
                _start(state, json.loads(order["body"]))
            except OSError as error:  # its folder or its Python is gone: the others are not kept waiting by that
                self._orders[of] = order["body"]
                again.append(self._not_started(state, order["name"], str(error), now))
                continue
            self._failed.pop(of, None)
            self._seen[of], self._started[of] = newest, now
        if waits:
            again.append(now + _RUNS)
        elif any(not loop.ended and not loop.asks for loop in loops):
            again.append(now + _SOONEST)
        return min(again, default=None)

    def _not_started(self, state: State, name: str, why: str, now: datetime) -> datetime:
        """Told once, as long as it is the same, and tried ever more seldom."""
        of = state.folder, name
        times, _, before = self._failed.get(of, (0, now, ""))
        then: datetime = now + min(_SOONEST * 2 ** min(times, 10), _LATEST)
        self._failed[of] = times + 1, then, why
        if why != before:
            with suppress(OSError):
                traceback.print_exc()
            events.tell(state, NOT_STARTED, name, {"environment": name}, {"reason": why})
        return then


def _start(state: State, order: dict[str, Any]) -> None:
    """It has a session of its own, and outlives the clock."""
    with open(state.clock_folder / _LOG, "ab", opener=opener) as log:
        process = subprocess.Popen(
            order["command"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=order["folder"],
            start_new_session=True,
        )
    threading.Thread(target=process.wait, daemon=True).start()


def new_ticker() -> Ticker:
    feedback = _Feedback()
    return Ticker(feedback.wanted, feedback.tick)


TICKER = new_ticker()
