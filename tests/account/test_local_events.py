"""The table of events: read by place, by kind and by id, told with the change or not at all, and never changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mlops.account.local import events
from mlops.account.local.store import Store
from mlops.ir.events import Event

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


def event(kind: str, number: int = 0, **ids: str) -> Event:
    return Event(kind, BEGINNING + timedelta(seconds=number), ids.get("step", kind), ids, {"number": number})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "account.sqlite")


def kinds(found: list[Event]) -> list[str]:
    return [item.kind for item in found]


def test_events_come_back_as_they_were_told(store: Store) -> None:
    told = event("step.ended", 1, pipeline="churn", execution="one", step="Train")
    events.append(store, told)
    (found,) = events.read(store)
    assert (found.kind, found.time, found.about, found.ids, found.detail) == (
        "step.ended",
        told.time,
        "Train",
        told.ids,
        {"number": 1},
    )
    assert found.sequence == events.last(store) == 1


BOTH = ("step.ended", "execution.started")
READS = [
    ("all", {}, ["execution.started", "step.ended", "endpoint.created", "step.ended", "execution.ended"]),
    ("behind a place", {"after": 3}, ["step.ended", "execution.ended"]),
    ("at most so many", {"limit": 2}, ["execution.started", "step.ended"]),
    ("of a kind", {"kinds": ("step.ended",)}, ["step.ended", "step.ended"]),
    ("of two kinds, in order", {"kinds": BOTH}, ["execution.started", "step.ended", "step.ended"]),
    ("of two kinds, at most so many", {"kinds": BOTH, "limit": 2}, ["execution.started", "step.ended"]),
    ("of a kind that never was", {"kinds": ("step.stopping",)}, []),
    ("by an id", {"ids": {"execution": "one"}}, ["execution.started", "step.ended", "step.ended", "execution.ended"]),
    ("by two ids", {"ids": {"step": "Test", "execution": "one"}}, ["step.ended"]),
    ("by ids that do not meet", {"ids": {"endpoint": "front", "execution": "one"}}, []),
    ("by id and kind", {"ids": {"execution": "one"}, "kinds": ("execution.ended",)}, ["execution.ended"]),
    ("by id behind a place", {"ids": {"execution": "one"}, "after": 2}, ["step.ended", "execution.ended"]),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "expected"), [row[1:] for row in READS], ids=[row[0] for row in READS])
def test_events_are_read_by(store: Store, asked: dict[str, object], expected: list[str]) -> None:
    events.append(
        store,
        event("execution.started", execution="one"),
        event("step.ended", execution="one", step="Train"),
        event("endpoint.created", endpoint="front"),
        event("step.ended", execution="one", step="Test"),
        event("execution.ended", execution="one"),
    )
    assert kinds(events.read(store, **asked)) == expected  # type: ignore[arg-type]


def test_an_event_is_told_with_its_change_or_not_at_all(store: Store) -> None:
    with pytest.raises(RuntimeError), store.transaction():
        events.append(store, event("step.ended", execution="one"))
        raise RuntimeError
    assert events.read(store) == []


def test_an_event_never_changes_and_goes_only_with_its_execution(store: Store) -> None:
    store.write("INSERT INTO execution VALUES ('one', 'churn', 1, 'Succeeded', 0, '', '', NULL, '{}')")
    events.append(
        store, event("step.ended", execution="one", step="Train"), event("endpoint.created", endpoint="front")
    )
    for statement in (
        "UPDATE event SET kind = 'another'",
        "DELETE FROM event WHERE sequence = 1",
        "DELETE FROM event WHERE sequence = 2",
    ):
        with pytest.raises(sqlite3.IntegrityError):
            store.write(statement)
    with store.transaction() as connection:
        connection.execute("DELETE FROM execution")
        events.forget(connection, ["one"])
    assert kinds(events.read(store)) == ["endpoint.created"]
    assert [row["value"] for row in store.all("SELECT value FROM event_id")] == ["front"]
    events.append(store, event("step.ended", execution="two"))
    assert events.last(store) == 3, "a number is not given again"


def test_the_newest_number_is_not_given_again(store: Store) -> None:
    events.append(store, event("step.ended", execution="gone"))
    with store.transaction() as connection:
        events.forget(connection, ["gone"])
    assert events.read(store) == []
    events.append(store, event("step.ended", execution="next"))
    assert [item.sequence for item in events.read(store)] == [2]


def test_no_secret_comes_into_the_table(store: Store) -> None:
    events.append(
        store,
        Event(
            "step.ended",
            BEGINNING,
            "Train",
            {"execution": "one"},
            {
                "failure": "cannot log in with AKIAIOSFODNN7EXAMPLE at https://me:hunter22@host/x",
                "api_key": "0123456789abcdef",
                "nested": {"texts": ["password=correcthorse", "harmless"]},
            },
        ),
    )
    (found,) = events.read(store)
    for secret in ("AKIAIOSFODNN7EXAMPLE", "hunter22", "0123456789abcdef", "correcthorse"):
        assert secret not in repr(found)
    assert "harmless" in repr(found)


def test_no_read_walks_or_sorts_the_table(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a read costs does not grow with the table: asked of SQLite's plans, of a table that holds something."""
    with store.transaction() as connection:
        connection.executemany("INSERT INTO event VALUES (?, '2026-01-01', ?, '', ?, '{}')", _many(20_000))
        connection.execute(
            "INSERT INTO event_id SELECT 'execution', json_extract(ids, '$.execution'), sequence FROM event"
        )
    plans: list[str] = []
    ask = store.all

    def explained(statement: str, *values: object) -> list[sqlite3.Row]:
        plans.extend(row["detail"] for row in ask(f"EXPLAIN QUERY PLAN {statement}", *values))
        return ask(statement, *values)

    monkeypatch.setattr(store, "all", explained)
    mine, both = {"execution": "execution-37"}, ("step.ended", "execution.ended")
    assert len(events.read(store, ids=mine)) == 100
    assert len(events.read(store, ids=mine, kinds=both)) == 50
    assert len(events.read(store, 9_000, ids=mine, kinds=("step.ended",))) == 14
    assert len(events.read(store, 9_000, ids={**mine, "step": "none"})) == 0
    assert len(events.read(store, 9_000, limit=10)) == len(events.read(store, 9_000, kinds=both, limit=10)) == 10
    assert plans
    assert not [plan for plan in plans if "SCAN" in plan or "TEMP B-TREE" in plan]


def _many(count: int) -> Iterator[tuple[int, str, str]]:
    names = ("step.starting", "step.executing", "step.ended", "execution.ended")
    for number in range(count):
        yield number + 1, names[number // 200 % 4], f'{{"execution": "execution-{number % 200}"}}'
