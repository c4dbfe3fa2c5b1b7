"""When the clock starts a process that runs feedback: a row a case. In ``loop`` it is a real one, which is killed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mlops.account.local.process.clock.tickers.feedback import due
from mlops.ir.feedback import Loop

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def ago(**much: float) -> datetime:
    return NOW - timedelta(**much)


def loop(state: str, changed: datetime) -> Loop:
    return Loop("drift", 1, state, changed, changed)


ROWS: list[tuple[str, list[Loop], int, int, datetime | None, bool]] = [
    ("nothing has ever come", [], 0, 0, None, False),
    ("something came", [], 5, 0, None, True),
    ("it was answered", [loop("done", ago(seconds=9))], 5, 5, ago(seconds=9), False),
    ("more came", [loop("done", ago(seconds=9))], 6, 5, ago(seconds=9), True),
    ("it was killed, and the clock with it", [loop("train", ago(hours=1))], 5, 5, None, True),
    ("it was killed a moment ago", [loop("train", ago(seconds=9))], 5, 5, ago(seconds=9), False),
    ("it was killed", [loop("train", ago(seconds=40))], 5, 5, ago(seconds=31), True),
    ("a version waits for its approval for a day", [loop("promote", ago(days=1))], 5, 5, ago(minutes=50), False),
    ("and is looked at each hour", [loop("promote", ago(days=1))], 5, 5, ago(minutes=60), True),
    ("a person is waited for", [loop("ask-start", ago(days=1))], 5, 5, ago(days=1), False),
]


@pytest.mark.parametrize(
    ("loops", "newest", "seen", "started", "wanted"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_when_a_process_is_started(
    loops: list[Loop], newest: int, seen: int, started: datetime | None, wanted: bool
) -> None:
    assert due(loops, newest, seen, started, NOW) is wanted
