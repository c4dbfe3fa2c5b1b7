"""The clock of an account: one process that does what is due when nobody asks. What it does is in ``process/clock``.

Here is what those who give it work must know: how it is woken, and what was done for which moment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mlops.account.local import ownership
from mlops.account.local.state import State, dump, moment
from mlops.project.private import FILE

SWITCH = "MLOPS_CLOCK"
OFF = "off"
"""The value of the variable with which no clock is started: nothing is done but what somebody asks for."""


_WANTED = "wanted"
"""A file that is there as long as there is work: where nobody holds the lock beside it, the clock was killed."""


def wake(state: State) -> None:
    """Start it where it does not run. To be called behind the transaction that gives it work: one that is about to end
    for want of work ends in a transaction too."""
    if os.environ.get(SWITCH) == OFF:
        return
    try:
        if ownership.owned(state.clock_folder):
            return
        lock = ownership.take(state.clock_folder)
        if lock is not None:
            try:
                (state.clock_folder / _WANTED).touch(FILE)
            except OSError:
                os.close(lock)  # else nobody could start it as long as this process lives
                raise
            ownership.hand_over(lock, state.folder, state.region, "clock", "clock", state.clock_folder, anew=True)
    except OSError as error:
        import logging  # nobody else needs it

        # What was to be done is written down; whoever comes next starts it.
        logging.getLogger("mlops.clock").warning("the clock of %s cannot be started: %s", state.folder, error)


def wake_again(state: State) -> None:
    """Start it where it was killed: whoever opens the account does so."""
    if (state.clock_folder / _WANTED).exists():
        wake(state)


def end(state: State, lock: int) -> None:
    """The clock's own last word, in a transaction in which there is no work."""
    (state.clock_folder / _WANTED).unlink(missing_ok=True)
    os.close(lock)


def done(state: State, kind: str, name: str) -> datetime | None:
    """The last moment that something was done for."""
    row = state.store.one("SELECT moment FROM done WHERE kind = ? AND name = ?", kind, name)
    return None if row is None else datetime.fromisoformat(row["moment"])


def mark(state: State, kind: str, name: str, at: datetime) -> None:
    """In the transaction of what was done for the moment, so that it is done once."""
    state.store.write("INSERT OR REPLACE INTO done VALUES (?, ?, ?)", kind, name, moment(at))


def read_up_to(state: State, kind: str) -> int | None:
    """The sequence number of the last event of the account that something was done about; None before the first."""
    row = state.store.one("SELECT moment FROM done WHERE kind = ? AND name = ''", kind)
    return None if row is None else int(row["moment"])


def mark_read(state: State, kind: str, sequence: int) -> None:
    """In the transaction of what was done about them, so that it is done once."""
    state.store.write("INSERT OR REPLACE INTO done VALUES (?, '', ?)", kind, str(sequence))


def forget(state: State, kind: str, name: str) -> None:
    state.store.write("DELETE FROM done WHERE kind = ? AND name = ?", kind, name)


def post(
    state: State,
    target: Mapping[str, Any],
    about: str,
    ids: Mapping[str, str],
    *,
    token: str,
    now: datetime,
    until: datetime,
    text: str | None = None,
) -> None:
    """Have the clock deliver ``text`` to a target of EventBridge, in the caller's transaction. ``token`` is the same
    for what must be done once. Tried until it is taken or refused, or until the time is over; then ``about`` and
    ``ids`` tell what became of it."""
    body = {"target": target, "about": about, "ids": ids, "token": token, "text": text, "until": moment(until)}
    state.store.write("INSERT INTO delivery (due, body) VALUES (?, ?)", moment(now), dump(body))


def has_posted(state: State) -> bool:
    """Whether something waits to be delivered."""
    return state.store.one("SELECT 1 FROM delivery LIMIT 1") is not None
