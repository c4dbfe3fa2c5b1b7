"""The journal of feedback: a row for each cause, written before anything is done, and an event with each change.

A row is made once, and goes from one stage to the next once: who was killed in between finds the stage that was not
done, and two who are at it do not both begin it.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlops.account.local import clock, events, ownership
from mlops.account.local.state import State, dump, moment
from mlops.ir.events import Event
from mlops.ir.feedback import Loop

FOLDER = "feedback"
KIND = "Feedback"
"""What the clock is to start: a command, and where, for each environment."""


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
    def alone(self, environment: str) -> Iterator[bool]:
        """Whether nobody else acts in that environment meanwhile."""
        descriptor = ownership.take(self.folder(environment))
        try:
            yield descriptor is not None
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def switch_on(self, environment: str, command: Sequence[str], folder: Path) -> None:
        """The clock starts ``command`` in ``folder`` whenever there is something for it to do."""
        body = dump({"command": [*command], "folder": str(folder)})
        time = moment(datetime.now(UTC))
        self._state.store.write(
            "INSERT OR REPLACE INTO resource VALUES (?, ?, ?, ?, '', ?)", KIND, environment, time, time, body
        )
        clock.wake(self._state)

    def switch_off(self, environment: str) -> bool:
        """Whether it was on. What runs goes on to its end."""
        return self._state.store.write("DELETE FROM resource WHERE kind = ? AND name = ?", KIND, environment) > 0

    def is_on(self, environment: str) -> bool:
        found = self._state.store.one("SELECT 1 FROM resource WHERE kind = ? AND name = ?", KIND, environment)
        return found is not None

    def folder(self, environment: str) -> Path:
        """Whose lock is held by who acts."""
        return self._state.folder / FOLDER / environment

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
