"""When the clock starts a process that runs feedback: a row a case. In ``loop`` it is a real one, which is killed."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mlops.account.local import events
from mlops.account.local.feedback import KeptLoops
from mlops.account.local.process.clock.tickers import feedback
from mlops.account.local.process.clock.tickers.feedback import TICKER, due
from mlops.account.local.state import State
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


def test_what_comes_while_one_runs_is_for_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have come behind the last look of the one that runs."""
    state, started = State(tmp_path / ".mlops", "us-east-1"), list[str]()

    def start(state: State, order: dict[str, Any]) -> None:
        started.append(order["command"][0])

    monkeypatch.setattr(feedback, "_start", start)
    loops = KeptLoops(state)
    loops.switch_on("local", ["here"], tmp_path)
    loops.switch_on("other", ["there"], tmp_path)
    events.tell(state, "alarm.changed", "drift", {"alarm": "drift"})
    with loops.alone("local"):
        again = TICKER.tick(state, NOW)
        assert (started, again) == (["there"], NOW + timedelta(seconds=5))
    assert TICKER.tick(state, NOW + timedelta(seconds=5)) is None
    assert TICKER.tick(state, NOW + timedelta(seconds=9)) is None
    assert started == ["there", "here"]


def test_an_order_whose_folder_is_gone_keeps_no_other_waiting_and_is_told_once(tmp_path: Path) -> None:
    state, loops = State(tmp_path / ".mlops", "us-east-1"), KeptLoops(State(tmp_path / ".mlops", "us-east-1"))
    loops.switch_on("a", ["true"], tmp_path / "gone")
    loops.switch_on("b", ["touch", str(tmp_path / "ran")], tmp_path)
    events.tell(state, "alarm.changed", "drift", {"alarm": "drift"})
    state.clock_folder.mkdir(exist_ok=True)
    ticker = feedback.new_ticker()
    assert ticker.tick(state, NOW) == NOW + timedelta(seconds=30)
    deadline = time.monotonic() + 60
    while not (tmp_path / "ran").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert ticker.tick(state, NOW + timedelta(seconds=29)) == NOW + timedelta(seconds=30)
    assert ticker.tick(state, NOW + timedelta(seconds=30)) == NOW + timedelta(seconds=90)
    told = events.read(state.store, kinds=("feedback.not-started",))
    assert [(event.about, "gone" in str(event.detail["reason"])) for event in told] == [("a", True)]
    (tmp_path / "gone").mkdir()
    assert ticker.tick(state, NOW + timedelta(seconds=90)) is None


def test_an_order_that_is_given_anew_does_not_wait_for_what_the_one_before_waited(tmp_path: Path) -> None:
    state, loops = State(tmp_path / ".mlops", "us-east-1"), KeptLoops(State(tmp_path / ".mlops", "us-east-1"))
    loops.switch_on("a", ["true"], tmp_path / "gone")
    events.tell(state, "alarm.changed", "drift", {"alarm": "drift"})
    state.clock_folder.mkdir(exist_ok=True)
    ticker = feedback.new_ticker()
    assert ticker.tick(state, NOW) == NOW + timedelta(seconds=30)
    loops.switch_on("a", ["true"], tmp_path)
    assert ticker.tick(state, NOW + timedelta(seconds=1)) is None
