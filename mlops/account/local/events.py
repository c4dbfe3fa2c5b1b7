"""The table of events: who changes something appends what it did in the transaction of the change; views read.

Nothing is ever changed in it, and nothing leaves it but what belongs to an execution that is forgotten.
"""

from __future__ import annotations

import heapq
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from operator import attrgetter

from mlops.account.local.state import State, moment
from mlops.account.local.store import Store
from mlops.ir.events import Event
from mlops.ir.values import Value

PAGE = 1000
_NAMES = frozenset({"by", "config", "job", "kind", "phase", "stage", "status", "stub", "to"})
"""Members that are what something is called, or one of some words."""
_SHORTEST = 8
"""No secret is known that is shorter."""


class KeptEvents:
    """:func:`read` and :func:`append` as an account offers them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(
        self, after: int = 0, *, kinds: Sequence[str] = (), ids: Mapping[str, str] | None = None, limit: int = PAGE
    ) -> list[Event]:
        return read(self._store, after, kinds=kinds, ids=ids, limit=limit)

    def newest(self) -> int:
        return last(self._store)

    def append(self, *events: Event) -> None:
        append(self._store, *events)


def tell(
    state: State, kind: str, about: str, ids: Mapping[str, str], detail: Mapping[str, Value] | None = None
) -> None:
    """:func:`append` of what happens now, by whoever calls."""
    append(state.store, Event(kind, datetime.now(UTC), about, ids, {**(detail or {}), "by": state.user}))


def append(store: Store, *events: Event) -> None:
    """In the open transaction, or in one of its own."""
    with store.transaction() as connection:
        for event in events:
            sequence = connection.execute(
                "INSERT INTO event (time, kind, about, ids, detail) VALUES (?, ?, ?, ?, ?)",
                (
                    moment(event.time),
                    event.kind,
                    event.about,
                    _ENCODER.encode(dict(event.ids)),
                    _ENCODER.encode(_without_secrets(event.detail)),
                ),
            ).lastrowid
            connection.executemany(
                "INSERT INTO event_id VALUES (?, ?, ?)", [(name, value, sequence) for name, value in event.ids.items()]
            )


def _without_secrets(detail: Mapping[str, Value]) -> Mapping[str, Value]:
    """Whoever tells of something quotes what others wrote. What is told of a run that goes well is plain, and loads
    nothing."""
    if all(_is_plain(name, value) for name, value in detail.items()):
        return detail
    from mlops.ir.hiding import hide_value

    return {name: value if _is_plain(name, value) else hide_value(name, value) for name, value in detail.items()}


def _is_plain(name: str, value: Value) -> bool:
    if isinstance(value, str):
        return name in _NAMES or len(value) < _SHORTEST or value.isalpha() or value.startswith("arn:")
    return not isinstance(value, Mapping | list | tuple)


def read(
    store: Store,
    after: int = 0,
    *,
    kinds: Sequence[str] = (),
    ids: Mapping[str, str] | None = None,
    limit: int = PAGE,
) -> list[Event]:
    """The first ``limit`` events behind the sequence number ``after``, in their order: of any of the ``kinds``, with
    all of the ``ids``. Name the rarest id first: events are looked up by it and held against the others."""
    found = [_rows(store, after, kind, ids or {}, limit) for kind in dict.fromkeys(kinds) or (None,)]
    return list(islice(heapq.merge(*(map(_event, rows) for rows in found), key=attrgetter("sequence")), limit))


def last(store: Store) -> int:
    """The sequence number of the newest event, 0 where nothing has happened yet."""
    row = store.one("SELECT max(sequence) AS newest FROM event")
    return int(row["newest"] or 0) if row is not None else 0


def forget(connection: sqlite3.Connection, executions: Iterable[str]) -> None:
    """In the transaction that forgets the executions, behind that."""
    for execution in executions:
        rows = connection.execute(
            "SELECT event.sequence, ids FROM event_id JOIN event ON event.sequence = event_id.sequence "
            "WHERE name = 'execution' AND value = ?",
            (execution,),
        ).fetchall()
        connection.executemany("DELETE FROM event WHERE sequence = ?", [(row["sequence"],) for row in rows])
        connection.executemany(
            "DELETE FROM event_id WHERE name = ? AND value = ? AND sequence = ?",
            [(name, value, row["sequence"]) for row in rows for name, value in json.loads(row["ids"]).items()],
        )


def _rows(store: Store, after: int, kind: str | None, ids: Mapping[str, str], limit: int) -> list[sqlite3.Row]:
    tables, conditions = ["event"], list[str]()
    values: list[str | int] = []
    sequence = "event.sequence"
    for number, (name, value) in enumerate(ids.items()):
        # CROSS JOIN keeps SQLite to the order in which the ids are given.
        tables.insert(number, f"event_id AS id{number}")
        conditions.append(f"id{number}.name = ? AND id{number}.value = ?")
        values += [name, value]
        conditions.append(f"id{number}.sequence = {f'id{number - 1}' if number else 'event'}.sequence")
        sequence = "id0.sequence"
    conditions.append(f"{sequence} > ?")
    values.append(after)
    if kind is not None:
        # Not by the index of kinds where an id was given: it would list what happened to everybody.
        conditions.append("+event.kind = ?" if ids else "event.kind = ?")
        values.append(kind)
    return store.all(
        f"SELECT event.* FROM {' CROSS JOIN '.join(tables)} WHERE {' AND '.join(conditions)} "  # noqa: S608
        f"ORDER BY {sequence} LIMIT ?",
        *values,
        limit,
    )


def _event(row: sqlite3.Row) -> Event:
    return Event(
        kind=row["kind"],
        time=datetime.fromisoformat(row["time"]),
        about=row["about"],
        ids=json.loads(row["ids"]),
        detail=json.loads(row["detail"]),
        sequence=row["sequence"],
    )


_ENCODER = json.JSONEncoder()
