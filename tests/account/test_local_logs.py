"""Logs while they are written: who comes back with a token gets what was written since, all of it and once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest

from mlops.account.local import LocalAccount
from mlops.run.output import append

GROUP = "/aws/sagemaker/ProcessingJobs"
TIME = "2026-01-01T00:00:00.000000+00:00"


@pytest.fixture
def log(local: LocalAccount, tmp_path: Path) -> Path:
    """Of a step that runs."""
    local.state.store.write(
        "INSERT INTO step (execution, name, attempt, type, status, started, log, job, metadata, response) "
        "VALUES ('one', 'Work', 1, 'Processing', 'Executing', ?, ?, 'ProcessingJob/work', '{}', '{}')",
        TIME,
        str(tmp_path / "log.txt"),
    )
    return tmp_path / "log.txt"


def reader(local: LocalAccount) -> Iterator[list[str]]:
    client = local.client("logs")
    stream = client.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix="work/")["logStreams"][0]
    more: dict[str, Any] = {"startFromHead": True}
    while True:
        page = client.get_log_events(logGroupName=GROUP, logStreamName=stream["logStreamName"], **more)
        more = {"nextToken": page["nextForwardToken"]}
        yield [event["message"] for event in page["events"]]


def filtered(local: LocalAccount) -> list[str]:
    found = local.client("logs").filter_log_events(logGroupName=GROUP, logStreamNamePrefix="work/")
    return [event["message"] for event in found["events"]]


def test_a_line_is_told_whole_when_it_has_its_end_or_nothing_more_comes(local: LocalAccount, log: Path) -> None:
    told = reader(local)
    for text, expected in (("one\ntw", ["one"]), ("o", []), ("\n\nthr", ["two", ""]), ("ee", [])):
        with log.open("a") as file:
            file.write(text)
        assert next(told) == expected
        assert "thr" not in filtered(local)
    local.state.store.write("UPDATE step SET status = 'Succeeded', ended = ?", TIME)
    assert next(told) == ["three"]
    assert next(told) == []
    assert filtered(local) == ["one", "two", "", "three"]


def test_a_log_that_is_not_there_yet_has_no_lines(local: LocalAccount, log: Path) -> None:
    assert next(reader(local)) == []
    log.write_text("")
    assert next(reader(local)) == []


def test_a_log_whose_middle_was_taken_out_goes_on_where_it_was_read(
    local: LocalAccount, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlops.run.output.HEAD_BYTES", 100)
    monkeypatch.setattr("mlops.run.output.END_BYTES", 200)
    told = reader(local)
    heard, numbers = list[str](), count(1)

    def printed(lines: int) -> None:
        descriptor = os.open(log, os.O_RDWR | os.O_CREAT)
        for number in islice(numbers, lines):
            append(descriptor, f"line {number:03}\n".encode())
        os.close(descriptor)

    for _ in range(30):
        printed(5)
        heard += next(told)
    # Read as often as it is cut: every line once, and no word of what is gone.
    assert [line for line in heard if line.startswith("line")] == [f"line {item:03}" for item in range(1, 151)]
    assert "left out" in log.read_text()
    printed(100)
    late = next(told)
    assert any("bytes of output are left out here" in line for line in late)
    assert late[-1] == "line 250" and next(told) == []
