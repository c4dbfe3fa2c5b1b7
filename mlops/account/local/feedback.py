"""The journal of feedback: a row for each cause, written before anything is done, and an event with each change.

A row is made once, and goes from one stage to the next once: who was killed in between finds the stage that was not
done, and two who are at it do not both begin it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from mlops.account.local import events, ownership
from mlops.account.local.state import State, dump, moment
from mlops.ir.events import Event
from mlops.ir.feedback import Loop

FOLDER = "feedback"


class KeptLoops:
    def __init__(self, state: State) -> None:
        self._state = state

    def read(self, feedback: str | None = None) -> tuple[Loop, ...]:
        """In the order of their causes."""
        if feedback is None:
            rows = self._state.store.all("SELECT * FROM feedback ORDER BY cause, name")
        else:
            rows = self._state.store.all("SELECT * FROM feedback WHERE name = ? ORDER BY cause", feedback)
        return tuple(map(_loop, rows))

    def begin(self, loop: Loop, ids: Mapping[str, str]) -> bool:
        """Whether it is new."""
        with self._state.store.transaction() as connection:
            made = connection.execute(
                "INSERT OR IGNORE INTO feedback VALUES (?, ?, ?, ?, ?, ?)",
                (
                    loop.feedback,
                    loop.cause,
                    loop.state,
                    moment(loop.created),
                    moment(loop.modified),
                    dump(loop.told),
                ),
            ).rowcount
            if made and loop.state != "watched":
                self._tell(loop, ids)
        return bool(made)

    def change(self, loop: Loop, state: str, told: Mapping[str, Any], ids: Mapping[str, str]) -> Loop | None:
        """From the state that ``loop`` has to ``state``; None where somebody else has changed it."""
        changed = Loop(loop.feedback, loop.cause, state, loop.created, datetime.now(UTC), {**loop.told, **told})
        with self._state.store.transaction() as connection:
            made = connection.execute(
                "UPDATE feedback SET state = ?, modified = ?, body = ? WHERE name = ? AND cause = ? AND state = ? "
                "AND modified = ?",
                (
                    state,
                    moment(changed.modified),
                    dump(changed.told),
                    loop.feedback,
                    loop.cause,
                    loop.state,
                    moment(loop.modified),
                ),
            ).rowcount
            if made:
                self._tell(changed, ids)
        return changed if made else None

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether nobody else acts meanwhile."""
        import os

        descriptor = ownership.take(self._state.folder / FOLDER)
        try:
            yield descriptor is not None
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def _tell(self, loop: Loop, ids: Mapping[str, str]) -> None:
        known = {"feedback": loop.feedback, "cause": str(loop.cause), **ids}
        detail = {name: loop.told[name] for name in ("why", "version", "verdict") if loop.told.get(name) is not None}
        kind = f"feedback.{loop.state if loop.ended else 'goes-on'}"
        told = {**detail, **({} if loop.ended else {"stage": loop.state})}
        events.append(self._state.store, Event(kind, loop.modified, loop.feedback, known, told))


def _loop(row: sqlite3.Row) -> Loop:
    return Loop(
        row["name"],
        row["cause"],
        row["state"],
        datetime.fromisoformat(row["created"]),
        datetime.fromisoformat(row["modified"]),
        json.loads(row["body"]),
    )
