"""Boards into OpenSearch Dashboards: planned, brought once, and what its answers really say. There is none of it here,
so this is a door that answers as its sources do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials
from click.testing import CliRunner

from mlops.cli import cli
from mlops.ir import AccountError, MlopsError
from mlops.observe.dashboards.importing import HEADERS, bring, changes, objects
from mlops.observe.search.asking import asking
from tests.observe.search.dashboards_door import Door, opened
from tests.observe.search.place import At

LINES = "".join(
    json.dumps({"type": type, "id": known, "attributes": {"title": known}, "references": references}) + "\n"
    for type, known, references in (
        ("index-pattern", "events", []),
        ("dashboard", "board", [{"name": "panel_0", "type": "index-pattern", "id": "events"}]),
    )
)


@pytest.fixture
def door() -> Iterator[tuple[str, Door]]:
    with opened() as found:
        yield found


def test_what_is_there_as_wanted_is_left(door: Any) -> None:
    url, there = door
    ask = asking(At(url), "us-east-1", lambda: None, headers=HEADERS)
    wanted = objects(LINES)
    assert [item.label for item in changes(ask, wanted)] == [
        "make the index-pattern events",
        "make the dashboard board",
    ]
    bring(ask, wanted)
    assert changes(ask, wanted) == ()
    there.there["dashboard", "board"]["attributes"]["title"] = "another"
    assert [item.label for item in changes(ask, wanted)] == ["change the dashboard board"]
    there.there["dashboard", "board"]["attributes"]["title"] = "board"
    there.there["dashboard", "board"]["references"] = []
    assert [item.label for item in changes(ask, wanted)] == ["change the dashboard board"]


FAILED = [
    ({"success": False, "successCount": 1, "errors": [{"type": "dashboard", "id": "board", "meta": {"title": "Board"},
      "error": {"type": "missing_references", "references": [{"type": "index-pattern", "id": "events"}]}}]},
     "1 of 2 objects were taken: dashboard Board: what it refers to is missing: index-pattern events"),
    ({"success": False, "successCount": 0, "errors": [{"type": "search", "id": "s", "error": {"type": "conflict"}}]},
     "0 of 2 objects were taken: search s: conflict"),
    ({"success": True, "successCount": 2, "errors": [{"type": "x", "id": "y", "error": {"type": "unsupported_type"}}]},
     "x y: unsupported_type"),
    ({"success": False, "successCount": 0}, "no reason is told"),
    ({"success": True, "successCount": 2}, "not there as sent: index-pattern events, dashboard board"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "said"), FAILED)
def test_an_answer_of_200_is_read(door: Any, answer: dict[str, Any], said: str) -> None:
    url, there = door
    there.answer = answer
    with pytest.raises(AccountError, match=said):
        bring(asking(At(url), "us-east-1", lambda: None, headers=HEADERS), objects(LINES))


@pytest.mark.parametrize("theirs", [LINES, LINES.replace('"title": "board"', '"title": "another"')])
def test_of_two_at_once_the_last_stands_and_the_other_is_told(door: Any, theirs: str) -> None:
    ask = asking(At(door[0]), "us-east-1", lambda: None, headers=HEADERS)

    def interrupted(method: str, path: str, body: Any) -> Any:
        answer = ask(method, path, body)
        if "_import" in path:
            bring(ask, objects(theirs))
        return answer

    if theirs == LINES:
        bring(interrupted, objects(LINES))
    else:
        with pytest.raises(AccountError, match=r"not there as sent: dashboard board$") as raised:
            bring(interrupted, objects(LINES))
        assert "somebody brought others meanwhile" in str(raised.value.hint)
    assert changes(ask, objects(theirs)) == ()


def test_requests_are_signed(door: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url, there = door
    monkeypatch.setenv("OPENSEARCH_PASSWORD", "p4ss")
    for place in (At(url, "basic", user="ada", password_env="OPENSEARCH_PASSWORD"), At(url, "aws")):
        bring(asking(place, "eu-west-1", lambda: Credentials("AKIDEXAMPLE", "s"), headers=HEADERS), objects(LINES))
    told = [headers["authorization"].split()[0] for _, headers in there.came]
    assert told == ["Basic"] * 2 + ["AWS4-HMAC-SHA256"] * 2
    assert there.came[0][0] == "/_dashboards/api/saved_objects/_import?overwrite=true"


def test_the_command_plans_brings_and_finds_nothing_more_to_do(
    door: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, there = door
    text = 'from mlops import Fail, Pipeline\nwith Pipeline("churn"):\n    Fail("Stop", "no")\n'
    (tmp_path / "pipeline.py").write_text(text)
    (tmp_path / "mlops.toml").write_text("")
    monkeypatch.chdir(tmp_path)

    def push(*words: str) -> Any:
        return CliRunner().invoke(cli, ["dashboards", "push", "pipeline.py", *words], catch_exceptions=False)

    with pytest.raises(MlopsError, match="names no OpenSearch"):
        push()
    (tmp_path / "mlops.toml").write_text(
        f'[env.local.search]\nurl = "{url.removesuffix("/_dashboards")}"\nauth = "none"\n'
    )
    dry = push("--dry-run").output
    assert "would make the index-pattern mlops-events" in dry and not there.there
    told = json.loads(push("--format", "json").stdout)
    assert len(told["changes"]) == told["objects"] == len(there.there) > 20
    assert push().output.strip() == "nothing to do"
    there.keeps, there.there = False, {}
    with pytest.raises(AccountError, match="reported as imported, and not there as sent"):
        push()
