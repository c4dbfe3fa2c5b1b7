"""Logs while they are written: who comes back with a token gets what was written since, all of it and once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops.account.local import LocalAccount

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
