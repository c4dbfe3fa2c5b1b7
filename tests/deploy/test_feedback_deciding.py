"""What is done about a signal, by what was done before: a row a case, no account and no clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mlops.deploy.feedback.deciding import Signal, begun, decide, next_stage, signal_of, stages_of, values_of
from mlops.ir.events import Event
from mlops.ir.feedback import Loop
from mlops.project.feedback import Feedback

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
SIGNAL = Signal(7, NOW, "the alarm drift is in state ALARM: 3 of 3")
ALL = ("notify", "start", "train", "promote")


def declared(**more: Any) -> Feedback:
    return Feedback.model_validate({"alarm": "drift", "pipeline": "churn", "group": "churn", **more})


def loop(state: str, hours_ago: float, feedback: str = "drift", **told: Any) -> Loop:
    at = NOW - timedelta(hours=hours_ago)
    return Loop(feedback, 1, state, at, at, told)


STAGES: list[tuple[str, dict[str, Any], bool, tuple[str, ...]]] = [
    ("train and promote", {}, False, ALL),
    ("train only", {"group": None}, False, ("notify", "start", "train")),
    ("tell only", {"group": None, "pipeline": None}, False, ("notify",)),
    ("take a shift back", {"endpoint": "e", "rollback": True, "notify": False}, False, ("rollback", *ALL[1:])),
    ("a person before the start", {"approval": ["start"]}, False, ("notify", "ask-start", *ALL[1:])),
    ("a person before the promotion", {"approval": ["promote"]}, False, (*ALL[:3], "ask-promote", "promote")),
    (
        "a person before a shift is taken back",
        {"endpoint": "e", "rollback": True, "approval": ["rollback"], "pipeline": None, "group": None},
        False,
        ("notify", "ask-rollback", "rollback"),
    ),
    (
        "a shift of a protected environment",
        {"endpoint": "e", "rollback": True, "pipeline": None, "group": None},
        True,
        ("notify", "ask-rollback", "rollback"),
    ),
    ("a protected environment", {}, True, ("notify", "ask-start", "start", "train", "ask-promote", "promote")),
]


@pytest.mark.parametrize(("more", "protected", "stages"), [row[1:] for row in STAGES], ids=[row[0] for row in STAGES])
def test_stages(more: dict[str, Any], protected: bool, stages: tuple[str, ...]) -> None:
    assert stages_of(declared(**more), protected=protected) == stages


DECISIONS: list[tuple[str, dict[str, Any], list[Loop], str | None]] = [
    ("the first time", {}, [], None),
    ("it was only looked at before", {}, [loop("watched", 0)], None),
    ("not enabled", {"enabled": False}, [], "not enabled"),
    ("the last time goes on", {}, [loop("train", 5)], "still acts on event 1 (train)"),
    ("the last time waits for a person", {}, [loop("ask-start", 50)], "still acts on event 1 (ask-start)"),
    ("within the cooldown", {}, [loop("done", 0.5)], "it acted 30m ago, and its cooldown is 1h"),
    ("a failed time counts for the cooldown", {}, [loop("failed", 0.5)], "cooldown"),
    ("behind the cooldown", {}, [loop("done", 1)], None),
    ("without a cooldown", {"cooldown": 0}, [loop("done", 0)], None),
    ("a skipped time is none", {}, [loop("skipped", 0.1)], None),
    ("the most per day", {}, [loop("done", hours) for hours in (2, 5, 23)], "it acted 3 times within 24 hours"),
    ("one of them is a day old", {}, [loop("done", hours) for hours in (2, 5, 24)], None),
    ("as often as one likes", {"per_day": 0}, [loop("done", hours) for hours in (2, 3, 4, 5)], None),
    ("another trains the pipeline", {}, [loop("train", 1, "late", pipeline="churn")], "the feedback late trains churn"),
    ("another has trained it", {}, [loop("done", 1, "late", pipeline="churn")], None),
    ("another trains another", {}, [loop("train", 1, "late", pipeline="iris")], None),
    ("another trains it, and this only tells", {"pipeline": None, "group": None}, [loop("train", 1, "late")], None),
]


@pytest.mark.parametrize(("more", "loops", "why"), [row[1:] for row in DECISIONS], ids=[row[0] for row in DECISIONS])
def test_decisions(more: dict[str, Any], loops: list[Loop], why: str | None) -> None:
    found = decide("drift", declared(**more), SIGNAL, loops, NOW)
    assert bool(found.stages) == (why is None), found
    assert (why or SIGNAL.why) in found.why


def alarm(to: str) -> Event:
    return Event("alarm.changed", NOW, "drift", {"alarm": "drift"}, {"from": "OK", "to": to, "reason": "3 of 3"}, 7)


SIGNALS: list[tuple[str, Event, str | None]] = [
    ("an alarm", alarm("ALARM"), SIGNAL.why),
    ("all is well", alarm("OK"), None),
    ("nobody knows", alarm("INSUFFICIENT_DATA"), None),
    (
        "violations",
        Event("monitor.ended", NOW, "data", {"monitor": "data"}, {"violations": 2, "since": "9", "until": "10"}, 7),
        "the monitor data found 2 violations from 9 to 10",
    ),
    ("no violations", Event("monitor.ended", NOW, "data", {"monitor": "data"}, {"violations": 0}, 7), None),
    ("something else", Event("endpoint.updating", NOW, "e", {}, {}, 7), None),
]


@pytest.mark.parametrize(("event", "why"), [row[1:] for row in SIGNALS], ids=[row[0] for row in SIGNALS])
def test_signals(event: Event, why: str | None) -> None:
    found = signal_of(event)
    assert (found and found.why) == why


def test_the_window_of_new_data_ends_with_the_signal() -> None:
    given = {
        "Since": "{since}",
        "Until": "{until}",
        "From": "{captures}*",
        "Why": "{reason}",
        "Days": 7,
        "L": "{labels}",
    }
    found = values_of(declared(parameters=given, window="36h", endpoint="e"), SIGNAL, "s3://b/c/e/", "s3://b/o/e/")
    assert found == {
        "Since": "2026-11-28T00:00:00Z",
        "Until": "2026-11-29T12:00:00Z",
        "From": "s3://b/c/e/*",
        "Why": SIGNAL.why,
        "Days": "7",
        "L": "s3://b/o/e/",
    }


def test_what_is_written_down_before_anything_is_done() -> None:
    feedback = declared(parameters={"Days": 7})
    acts = begun("drift", feedback, SIGNAL, decide("drift", feedback, SIGNAL, [], NOW), {"Days": "7"}, NOW)
    assert (acts.state, acts.cause, acts.told["stages"]) == ("notify", 7, [*ALL])
    assert acts.told["parameters"] == {"Days": "7"}
    states = ["notify"]
    while states[-1] != "done":
        states.append(next_stage(acts.told["stages"], states[-1]))
    assert states == [*ALL, "done"]
    skips = begun("drift", feedback, SIGNAL, decide("drift", feedback, SIGNAL, [loop("done", 0)], NOW), {}, NOW)
    assert skips.ended and skips.state == "skipped" and "cooldown" in skips.told["why"]
