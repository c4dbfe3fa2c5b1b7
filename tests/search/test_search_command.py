"""``mlops search`` and ``mlops run --events`` on a laptop that has no OpenSearch, and with one that is named."""

from __future__ import annotations

import json
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mlops.account.local import LocalAccount
from mlops.cli import cli
from mlops.ir import AccountError, MlopsError
from mlops.ir.event_fields import INDEX
from mlops.observe.search.asking import TIMEOUT, asking
from mlops.use_cases import search
from tests.observe.search.place import At
from tests.search.conftest import emptied
from tests.search.happened import happened


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With events in its account."""
    (tmp_path / "mlops.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    LocalAccount(tmp_path / ".mlops", "us-east-1").events.append(*happened())
    return tmp_path


def mlops(*words: str, code: int = 0) -> Any:
    told = CliRunner().invoke(cli, [*words])
    assert told.exit_code == code, (told.output, told.exception)
    return json.loads(told.stdout) if "json" in words else told.output


def test_a_laptop_searches_its_own_events(project: Path) -> None:
    found = mlops("search", "query", "kind:step.ended AND status:Failed", "--format", "json")
    (event,) = found["events"]
    assert (found["total"], event["ids"]["step"], event["detail"]["failure"]) == (1, "Evaluate", "no data")
    assert (event["environment"], event["account"]) == ("local", "000000000000")
    told = mlops("search", "query", "--by", "pipeline", "--format", "json")
    assert {item["value"] for item in told["counts"]} == {"churn", "offers"}
    assert "none" in mlops("search", "query", "--since", "1h")


MISTAKES = [
    (("query", "statu:Failed"), "events have no field 'statu'\n  help: did you mean status?"),
    (("query", "--by", "zebra"), "events have no field 'zebra'"),
    (("query", "kind:(step"), "is no query"),
    (("query", "--since", "yesterday"), "'yesterday' is no time"),
    (("query", "--since", "0001-01-01T00:00+14:00"), "'0001-01-01T00:00+14:00' is no time"),
    (("query", "--until", "9999-12-31T23:00-14:00"), "'9999-12-31T23:00-14:00' is no time"),
    (("query", "--limit", "10001"), "10001 are not told at once"),
    (("put",), "the local environment names no OpenSearch; `mlops search query` has its events without one"),
    (("setup", "--env", "production"), "there is no environment 'production'"),
]


@pytest.mark.parametrize(("words", "said"), MISTAKES)
def test_mistakes_are_told(project: Path, words: tuple[str, ...], said: str) -> None:
    with pytest.raises(MlopsError) as raised:
        CliRunner().invoke(cli, ["search", *words], catch_exceptions=False)
    told = f"{raised.value}\n  help: {getattr(raised.value, 'hint', '')}"
    assert said in told


def test_one_that_is_named_is_set_up_filled_and_asked(project: Path, osmem: str) -> None:
    emptied(asking(At(osmem), "us-east-1", lambda: None))
    (project / "mlops.toml").write_text(f'[env.local.search]\nurl = "{osmem}"\nauth = "none"\n')
    count = len(happened())
    dry = mlops("search", "setup", "--dry-run", "--format", "json")
    assert (len(dry["changes"]), dry["managed"]) == (2, False)
    assert f"would make the index {INDEX}-000001" in mlops("search", "setup", "--dry-run")
    assert "nothing removes old events" in mlops("search", "setup")
    assert mlops("search", "setup", "--dry-run", "--format", "json")["changes"] == []
    assert mlops("search", "put", "--format", "json")["created"] == count
    assert mlops("search", "put") == f"0 put, {count} there already\n"
    assert mlops("search", "query", "--format", "json")["total"] == count


def test_events_that_come_meanwhile_are_there_and_it_ends_with_whoever_asked(project: Path) -> None:
    account = LocalAccount(project / ".mlops", "us-east-1")
    said: list[Any] = []
    with search.serving(None, said.append) as url:
        before = asking(At(url), "us-east-1", lambda: None)
        assert before("POST", f"/{INDEX}/_count", {})["count"] == len(happened())
        account.events.append(*happened()[:3])
        search_ended = datetime.now(UTC)
        while before("POST", f"/{INDEX}/_count", {})["count"] != len(happened()) + 3:
            assert (datetime.now(UTC) - search_ended).total_seconds() < 60
    with pytest.raises(AccountError, match="cannot be reached"):
        before("GET", "/", None)
    assert said == []


@pytest.mark.parametrize("there", [False, True])
def test_what_searches_no_events_ends_no_run(project: Path, osmem: str, there: bool) -> None:
    """One that cannot be reached, and one that nobody has set up."""
    emptied(asking(At(osmem), "us-east-1", lambda: None))
    url = osmem if there else "http://127.0.0.1:9"
    (project / "mlops.toml").write_text(f'[env.local.search]\nurl = "{url}"\nauth = "none"\n')
    (project / "pipeline.py").write_text(
        'from mlops import Fail, Pipeline\nwith Pipeline("churn"):\n    Fail("Stop", "no")\n'
    )
    told = mlops("run", "pipeline.py", "--events", code=1)
    assert "events are not searched while this runs" in told and "Stop failed: no" in told


def test_one_that_accepts_and_never_answers_holds_no_run_up(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}"
        (project / "mlops.toml").write_text(f'[env.local.search]\nurl = "{url}"\nauth = "none"\n')
        (project / "pipeline.py").write_text(
            'from mlops import Fail, Pipeline\nwith Pipeline("churn"):\n    Fail("Stop", "no")\n'
        )
        began = time.monotonic()
        told = mlops("run", "pipeline.py", "--events", code=1)
    assert "events are not searched while this runs" in told and "Stop failed: no" in told
    assert time.monotonic() - began < TIMEOUT


def test_a_run_has_its_events_searched(project: Path) -> None:
    (project / "pipeline.py").write_text(
        'from mlops import Fail, Pipeline\nwith Pipeline("churn"):\n    Fail("Stop", "no")\n'
    )
    told = mlops("run", "pipeline.py", "--events", code=1)
    assert f"/{INDEX}/_search while this runs" in told
    assert mlops("search", "query", "step:Stop kind:step.ended", "--format", "json")["total"] == 1
