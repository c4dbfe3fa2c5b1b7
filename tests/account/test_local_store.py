"""The store of an older version is brought up to date, with what it holds."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from mlops.account.local import store
from mlops.account.local.store import SCHEMA_VERSION, Store
from mlops.ir import ConfigurationError


def write_version(path: Path, version: int) -> None:
    with sqlite3.connect(path) as connection:
        for script in store._SCHEMAS[:version]:
            connection.executescript(script)
        connection.execute("INSERT INTO bucket VALUES ('kept', '2026-01-01')")
        connection.execute(f"PRAGMA user_version = {version}")


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))
def test_an_older_store_is_upgraded_once_by_whoever_comes_first(tmp_path: Path, version: int) -> None:
    path = tmp_path / "account.sqlite"
    write_version(path, version)
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(lambda _: Store(path), range(8)))
    fresh = Store(tmp_path / "fresh.sqlite")
    schema = "SELECT type, name, sql FROM sqlite_master ORDER BY name"
    for upgraded in stores:
        assert [row["name"] for row in upgraded.all("SELECT name FROM bucket")] == ["kept"]
        assert [tuple(row) for row in upgraded.all(schema)] == [tuple(row) for row in fresh.all(schema)]


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "account.sqlite"
    write_version(path, SCHEMA_VERSION)
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(ConfigurationError, match="schema version"):
        Store(path)


def test_a_file_that_is_damaged_while_it_is_used(tmp_path: Path) -> None:
    path = tmp_path / "account.sqlite"
    opened = Store(path)
    opened.examine()
    opened.all("PRAGMA journal_mode = DELETE")
    path.write_bytes(b"x" * path.stat().st_size)
    with pytest.raises(ConfigurationError, match="cannot be used as the local account"):
        opened.all("SELECT * FROM bucket")


def test_a_store_that_others_write_to_for_too_long_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is told to move it away."""
    monkeypatch.setattr(store, "BUSY_SECONDS", 0.05)
    opened, other = Store(tmp_path / "account.sqlite"), Store(tmp_path / "account.sqlite")
    with ThreadPoolExecutor(1) as pool, opened.transaction():
        with pytest.raises(ConfigurationError, match="held by another process for longer than") as told:
            pool.submit(other.write, "INSERT INTO bucket VALUES ('one', '2026-01-01')").result()
    assert "run it again" in (told.value.hint or "") and "move" not in (told.value.hint or "")
    other.write("INSERT INTO bucket VALUES ('one', '2026-01-01')")


@pytest.mark.parametrize("others_get_on", [True, False])
def test_who_waits_gives_up_only_where_nobody_gets_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, others_get_on: bool
) -> None:
    """A hundred looks, each at a moment when somebody writes, and a second of waiting between two."""
    opened, looks = Store(tmp_path / "account.sqlite"), list[float]()
    with closing(sqlite3.connect(tmp_path / "account.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        def sleep(_: float) -> None:
            looks.append(1.0)
            if others_get_on or len(looks) == 100:
                other.execute("INSERT INTO bucket VALUES (?, '2026-01-01')", (f"other-{len(looks)}",))
                other.execute("COMMIT")
                if len(looks) < 100:
                    other.execute("BEGIN IMMEDIATE")

        monkeypatch.setattr(store, "time", SimpleNamespace(monotonic=lambda: sum(looks), sleep=sleep))
        refused = nullcontext() if others_get_on else pytest.raises(ConfigurationError, match="held by another process")
        with refused:
            opened.write("INSERT INTO bucket VALUES ('one', '2026-01-01')")
        if other.in_transaction:
            other.execute("ROLLBACK")
    assert len(looks) == (100 if others_get_on else store.BUSY_SECONDS)
    assert (opened.one("SELECT 1 FROM bucket WHERE name = 'one'") is not None) == others_get_on


def test_a_mistake_of_ours_is_no_damage(tmp_path: Path) -> None:
    opened = Store(tmp_path / "account.sqlite")
    opened.write("INSERT INTO bucket VALUES ('one', '2026-01-01')")
    with pytest.raises(sqlite3.IntegrityError):
        opened.write("INSERT INTO bucket VALUES ('one', '2026-01-01')")
