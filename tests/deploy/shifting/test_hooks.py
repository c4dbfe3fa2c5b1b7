"""What of the user's own is called on the way: when, with what, how often, and what becomes of the shift where that
fails."""

from __future__ import annotations

import http.server
import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlops.account.local.events import KeptEvents
from mlops.account.local.state import State
from mlops.deploy import hooks
from mlops.deploy.endpoints.conductor import Conductor
from mlops.deploy.endpoints.hooking import Hooks
from mlops.deploy.endpoints.people import People
from mlops.deploy.endpoints.promotion import Shift
from mlops.deploy.endpoints.sampling import NO_SAMPLES
from mlops.deploy.hooks.webhook import signature
from mlops.deploy.shifting.engines import Engine
from mlops.deploy.shifting.hooked_moves import with_hooks
from mlops.deploy.shifting.settings import Notify, PromotionSettings, read
from mlops.ir import ConfigurationError, Refusal
from mlops.ir.hook import MOMENTS, Around, Facts, Hook, HookFailed, HookKind
from mlops.ir.shift import CallHooks
from mlops.project.environments import read_project

from .service import Service
from .test_control import SETTINGS
from .test_controller import ENVIRONMENT, OLD, Killed, Time, controller, gone_on_with, journal, models, moves_of

FACTS = Facts(
    "churn",
    "churn",
    2,
    "after",
    "before",
    "weights",
    "ada",
    key="k" * 32,
    moment="stage",
    environment="prod",
    stage=1,
    share=5.0,
)


def called(table: dict[str, Any], around: Around, facts: Facts = FACTS) -> str:
    """What its failure says, empty where it does not fail."""
    (hook,) = hooks.read("stage", table)
    try:
        hook.kind.call(hook.settings, facts, around)
    except HookFailed as failure:
        return str(failure)
    return ""


@dataclass
class Place:
    """Where hooks are called from."""

    root: Path
    variables: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    client: Callable[[str], Any] = lambda service: None
    slept: list[float] = field(default_factory=list)

    @property
    def around(self) -> Around:
        return Around(self.client, self.root, self.variables, self.slept.append, lambda: 1000.0)


def python(program: str) -> dict[str, Any]:
    return {"command": [sys.executable, "-c", program]}


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import os; assert os.environ['MLOPS_HOOK_SHARE'] == '5.0' and os.environ['MLOPS_HOOK_KEY'] == 'k' * 32", ""),
        ("import json, sys; assert json.load(sys.stdin)['config'] == 'after'", ""),
        ("import os; assert 'MLOPS_HOOK_REASON' not in os.environ", ""),
        ("import os; open('here', 'w').close()", ""),
        ("print('no'); print('DB_PASSWORD=hunter2-x-0'); raise SystemExit(3)", "ended with 3: (hidden)"),
        ("raise SystemExit(1)", "ended with 1"),
    ],
)
def test_a_command_gets_the_facts_and_fails_by_its_code(tmp_path: Path, program: str, said: str) -> None:
    assert called(python(program), Place(tmp_path).around).removeprefix(f"{sys.executable} ") == said


def test_a_command_that_does_not_end_is_killed_with_what_it_started(tmp_path: Path) -> None:
    program = (
        "import os, subprocess, time; child = subprocess.Popen(['sleep', '60'])\n"
        "open('child.new', 'w').write(str(child.pid)); os.rename('child.new', 'child'); time.sleep(60)"
    )
    for seconds in (1, 5, 25):  # a loaded machine may not come to the child before the first is over
        said = called({**python(program), "timeout": seconds}, Place(tmp_path).around)
        assert said.endswith(f"did not end within {seconds} s")
        if (tmp_path / "child").exists():
            break
    child = Path("/proc") / (tmp_path / "child").read_text()
    until = time.monotonic() + 120  # it is killed at once, and gone when the kernel comes to it
    while _runs(child) and time.monotonic() < until:
        time.sleep(0.01)
    assert not _runs(child)


def _runs(process: Path) -> bool:
    try:
        return "Z" not in (process / "status").read_text().split("State:")[1][:3]
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_command_that_is_not_there_is_told(tmp_path: Path) -> None:
    said = called({"command": ["./nothing"]}, Place(tmp_path).around)
    assert said == "./nothing cannot be started: No such file or directory"


@pytest.fixture
def server() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]], list[int]]]:
    """Its address, what it got, and what it answers: one after the other, then 200."""
    got: list[tuple[dict[str, str], bytes]] = []
    answers: list[int] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            status = answers.pop(0) if answers else 200
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "http://169.254.169.254/")
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    found = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{found.server_port}/hook?a=1", got, answers
    found.shutdown()
    found.server_close()


def test_a_webhook_is_signed_and_says_the_same_key_again(server: Any, tmp_path: Path) -> None:
    url, got, answers = server
    answers[:] = [503, 429]
    place = Place(tmp_path, {"SECRET": "hunter2", "URL": url})
    table = {"webhook": "$URL", "secret_env": "SECRET", "private": True}
    assert called(table, place.around) == ""
    assert len(got) == 3 and len(place.slept) == 2 and place.slept[0] <= 0.5 and place.slept[1] <= 1.0
    for headers, body in got:
        assert headers["Idempotency-Key"] == "k" * 32 and json.loads(body)["stage"] == 1
        assert headers["X-Mlops-Signature"] == signature("hunter2", 1000, body)
        assert b"hunter2" not in body


@pytest.mark.parametrize(
    ("answers", "tries", "said"),
    [([400], 1, "it answered 400"), ([302], 1, "it answered 302"), ([500] * 9, 3, "it answered 500"), ([204], 1, "")],
)
def test_what_a_webhook_answers(server: Any, tmp_path: Path, answers: list[int], tries: int, said: str) -> None:
    url, got, ready = server
    ready[:] = answers
    table = {"webhook": url, "retries": 2, "private": True}
    assert called(table, Place(tmp_path).around) == said
    assert len(got) == tries


def test_a_webhook_reaches_no_private_address_unasked(server: Any, tmp_path: Path) -> None:
    url, got, _ = server
    said = called({"webhook": url}, Place(tmp_path).around)
    assert said == "its address is of this machine or of a private network; `private = true` lets it" and not got
    said = called({"webhook": "http://169.254.169.254/", "private": True}, Place(tmp_path).around)
    assert said == "its address is of this machine or of a private network"


def test_a_webhook_that_is_not_there_shows_no_address(tmp_path: Path) -> None:
    place = Place(tmp_path, {"URL": "http://127.0.0.1:9/services/hunter2"})
    said = called({"webhook": "$URL", "private": True, "retries": 1}, place.around)
    assert said == "it does not answer" and len(place.slept) == 1
    assert called({"webhook": "$NONE"}, place.around) == "the variable NONE holds no address"
    table = {"webhook": "$URL", "secret_env": "NONE"}
    assert called(table, place.around) == "the variable NONE holds no secret to sign with"


@dataclass
class Lambda:
    reply: dict[str, Any]
    asked: list[dict[str, Any]] = field(default_factory=list)

    def invoke(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        if "error" in self.reply:
            raise ClientError({"Error": {"Code": self.reply["error"], "Message": "no"}}, "Invoke")
        return {**self.reply, "Payload": BytesIO(self.reply["Payload"])}


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ({"Payload": b"null"}, ""),
        ({"FunctionError": "Unhandled", "Payload": b'{"errorMessage": "too warm"}'}, "failed: too warm"),
        ({"FunctionError": "Unhandled", "Payload": b"<"}, "failed"),
        ({"error": "ResourceNotFoundException"}, "warm: Invoke: ResourceNotFoundException: no"),
    ],
)
def test_a_function_is_invoked_and_waited_for(tmp_path: Path, reply: dict[str, Any], said: str) -> None:
    function = Lambda(reply)
    told = called({"lambda": "warm"}, Place(tmp_path, client=lambda service: function).around)
    assert told.removeprefix("the function ").removeprefix("warm ") == said
    assert function.asked[0]["InvocationType"] == "RequestResponse"
    assert json.loads(function.asked[0]["Payload"])["endpoint"] == "churn"


@pytest.mark.parametrize(
    ("moment", "table", "said"),
    [
        ("sometimes", {"command": ["a"]}, "there is no moment 'sometimes'; there are: before, stage"),
        ("stage", {}, "a hook has exactly one of command, lambda, webhook"),
        ("stage", {"command": ["a"], "lambda": "b"}, "a hook has exactly one of"),
        ("stage", {"command": "rm -rf /"}, "give a list of words"),
        ("stage", {"command": ["a"], "retries": 2}, "'retries' is not a key of it; known: command, timeout, failing"),
        ("stage", {"command": ["a"], "failing": "maybe"}, 'give "abort" or "go-on"'),
        ("rollback", {"command": ["a"], "failing": "abort"}, "nothing can be aborted any more"),
        ("stage", {"command": ["a"], "timeout": 0}, "more than 0 and at most 3600 seconds"),
        ("stage", {"webhook": "ftp://a"}, "give an https:// or http:// address"),
        ("stage", {"webhook": "https://u:p@a/"}, "give an https:// or http:// address"),
        ("stage", {"webhook": "https://a/\r\nHost: b"}, "give an https:// or http:// address"),
        ("stage", {"webhook": "https://a", "secret_env": "hunter 2"}, "not the secret"),
        ("stage", {"webhook": "https://a", "retries": 11}, "0 to 10"),
        ("stage", {"lambda": 7}, "give the name of a function"),
        ("stage", "a", "give a table, or a list of tables"),
    ],
)
def test_what_a_hook_may_not_be(tmp_path: Path, moment: str, table: Any, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        hooks.read(moment, table)


def test_a_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "mlops.toml").write_text('[env.local.promote.hooks]\nbefore = { command = "a" }\nnever = []\n')
    with pytest.raises(ConfigurationError, match=r"mlops.toml:2.*hooks.before: command: give a list") as error:
        read(read_project(tmp_path).environment("local"), tmp_path)
    assert "mlops.toml:3" in str(error.value)


def test_when_hooks_are_called() -> None:
    moves = with_hooks(moves_of("stepped"), MOMENTS)
    told = [move for move in moves if isinstance(move, CallHooks)]
    assert [(move.moment, move.stage, move.share) for move in told] == [
        ("before", None, None),
        ("stage", 1, 5.0),
        ("stage", 2, 25.0),
        ("stage", 3, 50.0),
        ("before-last", 4, 100.0),
        ("stage", 4, 100.0),
        ("after", None, None),
    ]
    assert moves[0] == CallHooks("before") and moves[-1] == CallHooks("after")
    assert with_hooks(moves_of("stepped"), ()) == moves_of("stepped")


@dataclass
class Noting:
    """A kind that notes what it is called with, and fails at a moment."""

    fails: str = ""
    got: list[Facts] = field(default_factory=list)

    def settings(self, failing: Any = None) -> PromotionSettings:
        kind = HookKind("noting", "", lambda table: None, self._call)
        made = tuple(
            Hook(moment, kind, None, failing or ("go-on" if moment in ("after", "rollback") else "abort"))
            for moment in MOMENTS
        )
        return replace(SETTINGS, hooks=made)

    def _call(self, settings: Any, facts: Facts, around: Around) -> None:
        self.got.append(facts)
        if f"{facts.moment} {facts.stage}" == self.fails or facts.moment == self.fails:
            raise HookFailed("it says no")

    def hooks(self, service: Service, failing: Any = None, say: Any = lambda text: None) -> Hooks:
        account: Any = service
        return Hooks(account, ENVIRONMENT, self.settings(failing), say=say, clock=Time().clock)


@pytest.mark.parametrize(
    ("fails", "verb", "reason"),
    [
        ("", "shifted", None),
        ("before", "taken back", "the noting hook of before failed: it says no"),
        ("stage 2", "taken back", "the noting hook of stage 2 failed: it says no"),
        ("before-last", "taken back", "the noting hook of before-last failed: it says no"),
        ("after", "shifted", None),
    ],
)
def test_what_fails_takes_it_back_where_it_can(fails: str, verb: str, reason: str | None) -> None:
    service, noting = Service(OLD), Noting(fails)
    moves = with_hooks(moves_of("stepped"), MOMENTS)
    outcome = controller(service, hooks=noting.hooks(service)).go(journal(moves), None)
    assert (outcome.verb, outcome.journal.reason) == (verb, reason)
    assert models(service) == [("new" if verb == "shifted" else "old", 3)]
    assert (noting.got[-1].moment == "rollback") == (verb == "taken back")
    if verb == "taken back":
        assert noting.got[-1].reason == reason


def test_what_fails_and_may_is_told_and_it_goes_on() -> None:
    service, noting, said = Service(OLD), Noting("stage 1"), list[str]()
    moves = with_hooks(moves_of("stepped"), MOMENTS)
    made = noting.hooks(service, "go-on", said.append)
    assert controller(service, hooks=made).go(journal(moves), None).verb == "shifted"
    assert "the noting hook of stage 1 failed, and it goes on: it says no" in said


@pytest.mark.parametrize("at", range(1, 8))
def test_who_goes_on_calls_again_with_the_same_key(at: int) -> None:
    """Killed after the call of each hook, before that was written down."""
    service, noting = Service(OLD), Noting()
    moves = with_hooks(moves_of("stepped"), MOMENTS)
    made = noting.hooks(service)

    def killing(move: CallHooks, known: Any) -> None:
        made(move, known)
        if len(noting.got) == at:
            raise Killed

    with pytest.raises(Killed):
        controller(service, hooks=killing).go(journal(moves), None)
    assert gone_on_with(service, hooks=made).verb == "shifted"
    keys = [facts.key for facts in noting.got]
    assert len(keys) == 8 and len(set(keys)) == 7 and keys[at - 1] == keys[at]


def test_a_hook_that_only_who_began_it_had_is_told() -> None:
    said: list[str] = []
    account: Any = Service(OLD)
    none = Hooks(account, ENVIRONMENT, SETTINGS, say=said.append, clock=Time().clock)
    none(CallHooks("stage", 1), journal(moves_of("stepped")))
    assert said == ["no hook is declared for stage here, and there was one where this was begun"]


# Notices.


def told(service: Service, notify: Notify, root: Path, judge_red: bool = False) -> tuple[list[str], list[str]]:
    """What was said here, and the kinds of what was told elsewhere."""
    account: Any = service
    said: list[str] = []
    settings = replace(SETTINGS, notify=notify, root=root)
    conductor = Conductor(account, ENVIRONMENT, settings, by="ada", timeout=60, say=said.append, clock=Time().clock)
    if judge_red:
        service.broken = frozenset({"new"})
    shift = Shift("churn", Engine.WEIGHTS, "a test", OLD, moves_of("canary"), "blue")
    try:
        conductor.begin(shift, "churn", 2, NO_SAMPLES)
    except Refusal as refusal:
        said.append(refusal.message)
    file = root / "notices.jsonl"
    lines = file.read_text().splitlines() if file.exists() else []
    return said, [json.loads(line)["kind"] for line in lines]


ALL = ["start", "stage", "verdict", "rollback", "end"]


@pytest.mark.parametrize(
    ("on", "red", "kinds"),
    [
        (ALL, False, ["start", "stage", "verdict", "end"]),
        (ALL, True, ["start", "rollback", "end"]),
        (["end"], False, ["end"]),
    ],
)
def test_people_are_told_on_the_way(tmp_path: Path, on: Any, red: bool, kinds: list[str]) -> None:
    assert told(Service(OLD), Notify(on=on, file="notices.jsonl"), tmp_path, red)[1] == kinds


def test_what_could_not_be_sent_is_told_and_fails_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_HOOK", raising=False)
    service = Service(OLD)
    said, _ = told(service, Notify(webhook_env="NO_HOOK", command=["./nothing"]), tmp_path)
    assert models(service) == [("new", 3)]
    assert said.count("the notice could not be sent by webhook: the variable NO_HOOK holds no URL") == 2


def test_who_is_told_slowly_delays_nothing(tmp_path: Path) -> None:
    """A reader that nobody feeds: the shift ends all the same, and says what it left."""
    os.mkfifo(tmp_path / "notices.jsonl")
    account: Any = Service(OLD)
    people = People(account, ENVIRONMENT, Notify(on=["start"], file="notices.jsonl"), tmp_path)
    people.tell("start", "begins", journal(moves_of("canary")))
    said: list[str] = []
    people.close(said.append, 0.2)
    assert said == ["not sent in time: the notice of start"]
    os.close(os.open(tmp_path / "notices.jsonl", os.O_RDONLY | os.O_NONBLOCK))


def test_every_key_is_of_its_shift() -> None:
    noting = Noting()
    made = noting.hooks(Service(OLD))
    for number in ("a", "b", "a"):
        made(CallHooks("before"), replace(journal(moves_of("canary")), id=number))
    keys = [facts.key for facts in noting.got]
    assert keys[0] == keys[2] != keys[1]


def test_what_people_are_told_is_an_event_of_the_shift_once(tmp_path: Path) -> None:
    """Also where nobody is told, and where it is gone on with and told again."""
    account: Any = Service(OLD)
    account.events = KeptEvents(State(tmp_path / ".mlops", "eu-west-1").store)
    shift = replace(journal(moves_of("canary")), id="s1", version=2)
    for _ in range(2):
        people = People(account, ENVIRONMENT, None, tmp_path)
        people.tell("start", "begins", shift)
        people.tell("verdict", "stage 1 is green: 3 of 100 failed", replace(shift, done=2))
        people.close(lambda text: None)
    found = account.events.read(ids={"shift": "s1"})
    assert [(event.kind, event.detail["said"]) for event in found] == [
        ("shift.started", "begins"),
        ("shift.verdict", "stage 1 is green: 3 of 100 failed"),
    ]
    assert {(event.ids["endpoint"], event.ids["model-package"]) for event in found} == {("churn", "churn/2")}


def test_a_table_that_cannot_be_written_is_told_and_fails_nothing(tmp_path: Path) -> None:
    class Broken:
        def read(self, *_: object, **__: object) -> list[Any]:
            raise ConfigurationError("the disk is full")

    account: Any = Service(OLD)
    account.events = Broken()
    people, said = People(account, ENVIRONMENT, None, tmp_path), list[str]()
    people.tell("start", "begins", journal(moves_of("canary")))
    people.close(said.append)
    assert said == ["an event could not be kept: the disk is full"]
