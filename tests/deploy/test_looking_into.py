"""What a step printed and what lies in its places, as far as a service tells it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mlops.account.local import LocalAccount
from mlops.deploy.executions import log_pages
from mlops.deploy.executions.files import Placed, begin, files

PAGES = (("one",), (), ("two words",), ())
"""CloudWatch Logs gives empty pages before others."""


class Logs:
    """A stream of the service: its last token comes again."""

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=lambda **asked: iter([{"logStreams": [{"logStreamName": "job/algo-1"}]}]))

    def get_log_events(self, nextToken: str = "0", **asked: Any) -> Mapping[str, Any]:
        at = int(nextToken)
        events = PAGES[at] if at < len(PAGES) else ()
        return {
            "events": [{"message": line} for line in events],
            "nextForwardToken": str(min(at + 1, len(PAGES))),
            "nextBackwardToken": str(at),
        }


def test_a_search_goes_on_behind_an_empty_page() -> None:
    account: Any = SimpleNamespace(client=lambda service: Logs())
    step: Any = SimpleNamespace(log_group="/aws/sagemaker/TrainingJobs", log_streams=lambda account: "job/")
    found = log_pages.search(account, step, None, "WORDS", None, 100, 10)
    assert [match.line for match in found.found] == ["two words"]
    assert (found.following, found.searched) == (None, 2)


@pytest.mark.parametrize(
    ("uri", "found"),
    [
        ("s3://acme", {"a.csv": b"1", "out/b.csv": b"2", "output.csv": b"3"}),
        ("s3://acme/", {"a.csv": b"1", "out/b.csv": b"2", "output.csv": b"3"}),
        ("s3://acme/out", {"b.csv": b"2"}),
        ("s3://acme/a.csv", {"": b"1"}),
    ],
)
def test_files_of_a_place(tmp_path: Path, uri: str, found: dict[str, bytes]) -> None:
    account = LocalAccount(tmp_path / ".mlops", "us-east-1")
    account.ensure_bucket("acme")
    for key, content in (("a.csv", b"1"), ("out/b.csv", b"2"), ("output.csv", b"3")):
        account.client("s3").put_object(Bucket="acme", Key=key, Body=content)
    place = Placed("output", "out", uri)
    assert {file.path: begin(account, place, file.path, 10).content for file in files(account, place)[0]} == found
