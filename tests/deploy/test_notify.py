"""Who is told of what, by which channel; a channel that fails fails nothing and shows no address."""

from __future__ import annotations

import http.server
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlops.deploy.executions.following import ExecutionState, StepState
from mlops.deploy.notify import Notice, drift_notices, notices, tell
from mlops.deploy.pipelines.plan import plan
from mlops.deploy.pipelines.upsert import upsert
from mlops.project.starts import Notify

from .conftest import World
from .test_plan import behind

NOTICE = Notice("failed", "churn", "prod", "churn in prod: execution 1 is Failed", "arn")


@pytest.fixture
def hook() -> Iterator[tuple[str, list[Any]]]:
    """A webhook's URL, with a secret in its path, and what it got."""
    got: list[Any] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(404 if "gone" in self.path else 200)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/services/T0/hunter2", got
    server.shutdown()
    server.server_close()


def told(world: World, notify: Notify, notice: Notice = NOTICE) -> tuple[str, ...]:
    environment = replace(world.environment, notify=notify)
    return tell(world.account, environment, notice, world.folder)


local = pytest.mark.parametrize("world", ["local"], indirect=True)


@local
def test_a_file_and_a_command_get_the_whole_notice(world: World) -> None:
    program = "import json, sys, pathlib; pathlib.Path(sys.argv[1]).write_text(json.load(sys.stdin)['text'])"
    target = world.folder / "told"
    notify = Notify(file="notes/notices.jsonl", command=[sys.executable, "-c", program, str(target)])
    assert told(world, notify) == ()
    assert json.loads((world.folder / "notes/notices.jsonl").read_text())["kind"] == "failed"
    assert target.read_text() == NOTICE.text


@local
def test_a_webhook_gets_slacks_form(world: World, hook: tuple[str, list[Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", hook[0])
    assert told(world, Notify(webhook_env="HOOK")) == ()
    assert hook[1] == [{"text": NOTICE.text}]


@local
@pytest.mark.parametrize("suffix", ["/gone", None], ids=["it answers 404", "it is not there"])
def test_what_fails_shows_no_address(
    world: World, hook: tuple[str, list[Any]], monkeypatch: pytest.MonkeyPatch, suffix: str | None
) -> None:
    monkeypatch.setenv("HOOK", f"{hook[0]}{suffix}" if suffix else "http://127.0.0.1:9/hunter2")
    (failure,) = told(world, Notify(webhook_env="HOOK", command=None))
    assert "could not be sent by webhook" in failure and "hunter2" not in failure


@local
@pytest.mark.parametrize(
    "kind", ["a command", "a command with children", "a webhook", "a webhook, drop by drop", "a file"]
)
def test_a_channel_that_never_ends_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    step = 0.2 if "drop" not in kind else 60
    monkeypatch.setattr("mlops.deploy.notify._TIMEOUT_SECONDS", step)
    monkeypatch.setattr("mlops.deploy.notify.LONGEST_SECONDS", 1.0)
    sleep = "import time; time.sleep(600)"
    with socket.create_server(("127.0.0.1", 0)) as server:
        match kind:
            case "a command":
                notify = Notify(command=[sys.executable, "-c", sleep])
            case "a command with children":
                child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {sleep!r}])"
                notify = Notify(command=[sys.executable, "-c", child])
            case "a file":
                os.mkfifo(world.folder / "pipe")
                notify = Notify(file="pipe")
            case _:
                if "drop" in kind:
                    threading.Thread(target=_drip, args=(server,), daemon=True).start()
                monkeypatch.setenv("HOOK", f"http://127.0.0.1:{server.getsockname()[1]}/x")
                notify = Notify(webhook_env="HOOK")
        (failure,) = told(world, notify)
    assert failure.startswith("the notice could not be sent by ")


def _drip(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection, suppress(OSError):
        while True:
            connection.sendall(b"H")
            time.sleep(0.05)


ANSWERS = {"what is no HTTP": b"SSH-2.0-OpenSSH\r\n\r\n", "nothing": b"", "half a line": b"HTTP/1.1 2"}


@local
@pytest.mark.parametrize("case", [*ANSWERS, "no place in a file", "an address that is none"])
def test_whatever_a_channel_does_it_is_told_without_its_address(
    world: World, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            taken, _ = server.accept()
            with taken:
                taken.recv(65536)
                taken.sendall(ANSWERS[case])

        notify = Notify(webhook_env="HOOK")
        port: object = server.getsockname()[1]
        if case in ANSWERS:
            threading.Thread(target=answer, daemon=True).start()
        elif "address" in case:
            port = "no port"
        else:
            notify = Notify(file="/dev/full")
        monkeypatch.setenv("HOOK", f"http://127.0.0.1:{port}/hunter2")
        (failure,) = told(world, notify)
    assert failure.startswith("the notice could not be sent by ") and "hunter2" not in failure


@local
def test_who_did_not_ask_is_not_told(world: World) -> None:
    assert told(world, Notify(on=["drift"], file="notices.jsonl")) == ()
    assert not Path(world.folder / "notices.jsonl").exists()


@pytest.mark.parametrize("world", ["moto"], indirect=True)
def test_a_topic_is_published_to(world: World) -> None:
    topic = world.account.client("sns").create_topic(Name="ml")["TopicArn"]
    assert told(world, Notify(sns=topic)) == ()
    (failure,) = told(world, Notify(sns=topic + "-gone"))
    assert "could not be sent by sns" in failure


@local
def test_a_notice_of_a_failure_has_the_steps_reasons_and_no_secret(world: World) -> None:
    token = "ghp_0123456789012345678901234567890123456789"
    steps = tuple(
        StepState(name, "Failed", "ProcessingJob", failure=failure)
        for name, failure in (
            ("One", "exit code 1:\nKeyError: 'label'"),
            ("Two", f"bad token {token}"),
            ("Three", "x" * 900),
        )
    )
    state = ExecutionState("arn:execution/e1", "churn", "Failed", "One or multiple steps failed", steps)
    (notice,) = notices(world.account, world.environment, state)
    assert notice.text.splitlines()[1:] == [
        "One: exit code 1: KeyError: 'label'",
        "Two: bad token (hidden)",
        f"Three: {'x' * 500}…",
    ]


@local
def test_drift_is_a_notice_of_what_was_changed(world: World) -> None:
    upsert(world.account, world.environment, world.compiled())
    assert drift_notices([plan(world.account, world.environment, world.compiled())]) == ()
    behind(world, lambda document: document["Steps"][0]["Arguments"]["ResourceConfig"].update(InstanceCount=7))
    (notice,) = drift_notices([plan(world.account, world.environment, world.compiled())])
    assert notice.kind == "drift" and "InstanceCount: 1 -> 7" in notice.text
