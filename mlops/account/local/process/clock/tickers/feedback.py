"""Feedback: the command that runs it is started where something came that it answers, or where it was killed.

Which command that is has been said by who switched it on: it promotes, and no account does.
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mlops.account.local import ownership
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
        for order in orders:
            of = state.folder, order["name"]
            if not due(loops, newest, self._seen.get(of, 0), self._started.get(of), now):
                continue
            # What came behind the last look of one that runs is for the next.
            if ownership.owned(KeptLoops(state).folder(order["name"])):
                waits = True
                continue
            _start(state, json.loads(order["body"]))
            self._seen[of], self._started[of] = newest, now
        if waits:
            return now + _RUNS
        return now + _SOONEST if any(not loop.ended and not loop.asks for loop in loops) else None


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


_FEEDBACK = _Feedback()
TICKER = Ticker(_FEEDBACK.wanted, _FEEDBACK.tick)
