"""What a terminal shows of an execution while it runs."""

from __future__ import annotations

import os
import pty
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from mlops.cli.watching import Watching
from mlops.deploy.executions.awaited import Awaited
from mlops.ir import Event
from mlops.ir.execution_events import step_event
from mlops.use_cases.execution_news import Awaits
from mlops.use_cases.news import Said

ARN = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/churn/execution/abc"
NAMES = ("Train", "Good", "Register", *(f"Score[{number}]" for number in range(12)))
AWAITS = Awaits(about=ARN, steps=(*map(Awaited, NAMES), Awaited("Stop", (("Good", "False"),))))


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """What a terminal that stands for standard error is sent while these events are heard."""

    def told(*events: Event) -> str:
        ours, theirs = pty.openpty()
        with monkeypatch.context() as inside, os.fdopen(theirs, "w") as stream, os.fdopen(ours, "rb", 0) as screen:
            inside.setenv("TERM", "xterm")
            inside.setenv("COLUMNS", "80")
            inside.delenv("NO_COLOR", raising=False)
            inside.setattr("sys.stderr", stream)
            with Watching(as_json=False) as watching:
                for event in events:
                    watching(event)
            stream.write("the end")
            stream.flush()
            found = b""
            while not found.endswith(b"the end"):
                found += screen.read(65536)
            return found.decode()

    return told


def happened(step: str, status: str, seconds: float | None = None) -> Event:
    return step_event(ARN, step, status, datetime.now(UTC), seconds=seconds)


def plain(text: str) -> list[str]:
    """The lines of the last picture, without colours."""
    picture = re.split(r"\x1b\[2K|\x1b\[1A", text.rpartition("\x1b[?25l")[2])
    last = [piece for piece in picture if "steps" in piece][-1]
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", last).splitlines()
    return [line.rstrip() for line in lines if line.strip()]


def test_the_picture_tells_what_waits_and_how_many_are_done(watched: Callable[..., str]) -> None:
    done = happened("Train", "Succeeded", 3.0), happened("Good", "Succeeded"), happened("Register", "Executing")
    lines = plain(watched(AWAITS, *done))
    assert lines[0].split() == ["Train", "Succeeded", "in", "3.0", "s"]
    assert lines[2].split()[:2] == ["Register", "Executing"]
    assert lines[3].split() == ["Score[0]", "waiting"]
    assert "and 4 more" in lines[-2]
    assert "2 of 15 steps" in lines[-1]


def test_a_sentence_takes_the_place_of_the_picture(watched: Callable[..., str]) -> None:
    shown = watched(AWAITS, Said(text="stopping abc"), happened("Train", "Stopped"))
    before, _, after = shown.partition("stopping abc")
    assert before.endswith("\x1b[2K")
    assert before.rpartition("\x1b[?25")[2].startswith("h")  # the picture has ended
    assert after.lstrip().startswith("\x1b[?25l")  # and another begins
