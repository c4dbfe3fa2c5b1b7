"""The clock: what fires when nobody asks. Turned by hand here, at moments of the test's own; in ``kills`` it is a
process that dies."""

from __future__ import annotations

import io
import json
import os
import signal
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from account_definitions import ROLE, fail

from mlops.account.local import clock, events, ownership
from mlops.account.local.answering import answer
from mlops.account.local.process.clock.targets import monitor, operation
from mlops.account.local.process.clock.ticker import Ticker
from mlops.account.local.process.clock.tickers import schedules
from mlops.account.local.process.clock.ticking import Clock, all_tickers
from mlops.account.local.services.lambda_ import functions
from mlops.account.local.state import State

QUEUE = "arn:aws:sqs:us-east-1:000000000000:q"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function"
MINUTE = timedelta(minutes=1)


class World:
    """An account, and a clock whose time is ours. Schedules are made in the real present, so time begins there."""

    def __init__(self, folder: Path) -> None:
        self.state = State(folder / ".mlops", "us-east-1")
        self.time = datetime.now(UTC)
        self.ask("sqs", "CreateQueue", QueueName="q")

    def ask(self, service: str, operation: str, **request: Any) -> Mapping[str, Any]:
        return answer(self.state, service, operation, request)

    def clock(self) -> Clock:
        return Clock(self.state, now=lambda: self.time)

    def schedule(self, name: str = "s", target: Mapping[str, Any] | None = None, **more: Any) -> None:
        given = {"Arn": QUEUE, "RoleArn": ROLE, "Input": "<aws.scheduler.scheduled-time>"} | dict(target or {})
        wanted = {"ScheduleExpression": "rate(5 minutes)", **more}
        self.ask("scheduler", "CreateSchedule", Name=name, FlexibleTimeWindow={"Mode": "OFF"}, Target=given, **wanted)

    def received(self) -> list[str]:
        found = self.ask("sqs", "ReceiveMessage", QueueUrl="q", MaxNumberOfMessages=10).get("Messages") or ()
        return [message["Body"] for message in found]

    def told(self, kind: str) -> list[Mapping[str, Any]]:
        return [{**event.ids, **event.detail} for event in events.read(self.state.store, kinds=(kind,))]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def turned(world: World, at: timedelta, start: datetime) -> list[str]:
    world.time = start + at
    clock = world.clock()
    clock.turn()
    return world.received()


def test_a_window_fires_once_whichever_clock_turns(world: World) -> None:
    world.schedule()
    start = datetime.now(UTC)
    assert len(turned(world, timedelta(0), start)) == 1
    assert turned(world, 4 * MINUTE, start) == []
    assert len(turned(world, 5 * MINUTE, start)) == 1
    assert turned(world, 5 * MINUTE, start) == []


def test_windows_that_passed_while_no_clock_ran_are_made_up_oldest_first(world: World) -> None:
    """One a second, each with the time that it was for."""
    world.schedule()
    start = datetime.now(UTC)
    clock, found = world.clock(), list[str]()
    for second in range(5):
        world.time = start + 12 * MINUTE + timedelta(seconds=second)
        clock.turn()
        found += world.received()
    assert len(found) == 3 and found == sorted(set(found))


def test_what_is_older_than_its_target_allows_is_told_and_not_done(world: World) -> None:
    world.schedule(target={"RetryPolicy": {"MaximumEventAgeInSeconds": 60}})
    found = turned(world, timedelta(minutes=15, seconds=30), datetime.now(UTC))
    assert len(found) == 1
    assert len(world.told("schedule.passed-over")) == 3


ENDS: dict[str, tuple[dict[str, Any], int]] = {
    "disabled": ({"State": "DISABLED"}, 0),
    "it has an end": ({"EndDate": timedelta(minutes=7)}, 2),
    "it begins later": ({"StartDate": timedelta(minutes=11)}, 1),
    "it began when it was asked for": ({"StartDate": timedelta(seconds=-20)}, 3),
    "it began before": ({"StartDate": timedelta(minutes=-2)}, 2),
    "once, and is over": ({"ScheduleExpression": "at({3})", "ActionAfterCompletion": "DELETE"}, 1),
}


@pytest.mark.parametrize("case", ENDS)
def test_a_schedule_fires_within_its_bounds(world: World, case: str) -> None:
    given, wanted = ENDS[case]
    start = datetime.now(UTC)
    more = {name: start + value if isinstance(value, timedelta) else value for name, value in given.items()}
    if "ScheduleExpression" in more:
        more["ScheduleExpression"] = f"at({start + 3 * MINUTE:%Y-%m-%dT%H:%M:%S})"
    world.schedule(**more)
    found = [body for minute in range(13) for body in turned(world, minute * MINUTE + MINUTE / 2, start)]
    assert len(found) == wanted
    left = world.ask("scheduler", "ListSchedules")["Schedules"]
    assert len(left) == (0 if "ActionAfterCompletion" in given else 1)


@pytest.fixture
def pipeline(world: World) -> None:
    world.ask(
        "sagemaker",
        "CreatePipeline",
        PipelineName="p",
        RoleArn=ROLE,
        ClientRequestToken="t" * 32,
        PipelineDefinition=fail(),
    )


def executions(world: World) -> list[Any]:
    found = world.ask("sagemaker", "ListPipelineExecutions", PipelineName="p")["PipelineExecutionSummaries"]
    return list(found)


class Killed(BaseException):
    """Nothing of ours catches it: what it leaves is what a kill leaves."""


@pytest.mark.usefixtures("pipeline")
def test_a_pipeline_is_started_once_though_the_clock_died_behind_the_start(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.schedule(target={"Arn": world.state.arn("pipeline/p"), "Input": "{}"})
    start = datetime.now(UTC)
    with monkeypatch.context() as patch:

        def killed(*_: object, **__: object) -> None:
            raise Killed

        patch.setattr(events, "tell", killed)
        with pytest.raises(Killed):
            turned(world, timedelta(0), start)
    assert len(executions(world)) == 1
    turned(world, timedelta(seconds=1), start)
    assert len(executions(world)) == 1
    (told,) = world.told("delivery.made")
    assert told["execution"] == executions(world)[0]["PipelineExecutionArn"].rpartition("/")[2]
    eventually(lambda: executions(world)[0]["PipelineExecutionStatus"] == "Failed")


def test_what_nobody_takes_is_told(world: World) -> None:
    world.schedule(target={"Arn": world.state.arn("pipeline/nobody")})
    world.schedule("other", target={"Arn": "arn:aws:ecs:us-east-1:000000000000:cluster/c"})
    turned(world, timedelta(0), datetime.now(UTC))
    reasons = {str(told["reason"]).split(":")[0] for told in world.told("delivery.failed")}
    assert reasons == {"ResourceNotFound", "arn"}


def test_an_operation_is_called_as_a_universal_target(world: World) -> None:
    group = {"ModelPackageGroupName": "by-the-clock"}
    arn = "arn:aws:scheduler:::aws-sdk:sagemaker:createModelPackageGroup"
    world.schedule(target={"Arn": arn, "Input": json.dumps(group)})
    turned(world, timedelta(0), datetime.now(UTC))
    found = world.ask("sagemaker", "ListModelPackageGroups")["ModelPackageGroupSummaryList"]
    assert [item["ModelPackageGroupName"] for item in found] == ["by-the-clock"]


NO_MONITOR: dict[str, tuple[Any, str]] = {
    "a way out of the account's folder": ("../../out", "no name of a monitor"),
    "an option of the command": ("--help", "no name of a monitor"),
    "a job that says nothing": (None, "starts no monitor"),
}


@pytest.mark.parametrize("case", NO_MONITOR)
def test_a_monitor_by_another_name_is_not_started(world: World, tmp_path: Path, case: str) -> None:
    name, said = NO_MONITOR[case]
    job: dict[str, Any] = {"AppSpecification": {"ContainerArguments": ["monitor", "{}"]}} if name else {}
    job["Environment"] = {"MLOPS_MONITOR": name or "watch", "MLOPS_MONITOR_UNTIL": "2026-01-05T10:20:00Z"}
    arn = "arn:aws:scheduler:::aws-sdk:sagemaker:createProcessingJob"
    world.schedule(target={"Arn": arn, "Input": json.dumps(job)})
    turned(world, timedelta(0), datetime.now(UTC))
    assert [said in str(told["reason"]) for told in world.told("delivery.failed")] == [True]
    assert not (tmp_path / "out").exists()


def test_a_schedule_that_is_changed_while_it_ends_is_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    start, whole, asked = datetime.now(UTC), schedules.next_window, list[int]()
    once = {"ScheduleExpression": f"at({start + 3 * MINUTE:%Y-%m-%dT%H:%M:%S})", "ActionAfterCompletion": "DELETE"}
    world.schedule(**once)
    later = {**once, "ScheduleExpression": f"at({start + 60 * MINUTE:%Y-%m-%dT%H:%M:%S})"}
    target = {"Arn": QUEUE, "RoleArn": ROLE, "Input": "later"}

    def changed(*given: Any) -> datetime | None:
        if not asked:
            asked.append(1)
            off = {"Mode": "OFF"}
            world.ask("scheduler", "UpdateSchedule", Name="s", FlexibleTimeWindow=off, Target=target, **later)
        return whole(*given)

    monkeypatch.setattr(schedules, "next_window", changed)
    assert turned(world, 4 * MINUTE, start) == []
    assert turned(world, 61 * MINUTE, start) == ["later"]


def test_one_schedule_that_cannot_be_reckoned_with_keeps_no_other_from_firing(world: World) -> None:
    world.schedule("a", ScheduleExpression="at(9999-12-31T23:59:59)", ScheduleExpressionTimezone="America/New_York")
    world.schedule("b")
    assert len(turned(world, timedelta(0), datetime.now(UTC))) == 1


def test_what_was_done_before_the_clock_died_has_not_failed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = "arn:aws:scheduler:::aws-sdk:sagemaker:createModelPackageGroup"
    world.schedule(target={"Arn": arn, "Input": '{"ModelPackageGroupName": "by-the-clock"}'})
    start, whole = datetime.now(UTC), operation.answer

    def killed(*given: Any) -> Any:
        whole(*given)
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(operation, "answer", killed)
        turned(world, timedelta(0), start)
    turned(world, timedelta(seconds=1), start)
    assert (len(world.told("delivery.made")), world.told("delivery.failed")) == (1, [])


TOLD: dict[str, tuple[dict[str, Any], Any]] = {
    "a part": ({"InputPath": "$.detail.a[0]"}, {"b": 1}),
    "a text of its own": ({"Input": "[1]"}, [1]),
    "a template": (
        {
            "InputTransformer": {
                "InputPathsMap": {"n": "$.detail.name"},
                "InputTemplate": '{"said": "it is <n>", "n": <n>}',
            }
        },
        {"said": "it is x", "n": "x"},
    ),
}


@pytest.mark.parametrize("case", TOLD)
def test_a_rule_hands_on_what_it_says(world: World, case: str) -> None:
    target, wanted = TOLD[case]
    world.ask("events", "PutRule", Name="r", EventPattern='{"source": ["shop"]}')
    world.ask("events", "PutTargets", Rule="r", Targets=[{"Id": "1", "Arn": QUEUE, **target}])
    entry = {"Source": "shop", "DetailType": "sold", "Detail": '{"name": "x", "a": [{"b": 1}]}'}
    reply = world.ask("events", "PutEvents", Entries=[entry, {**entry, "Source": "else"}, {**entry, "Detail": "no"}])
    assert [("EventId" in item) for item in reply["Entries"]] == [True, True, False]
    assert [json.loads(body) for body in turned(world, timedelta(0), datetime.now(UTC))] == [wanted]


def test_a_rule_with_a_schedule_tells_of_it(world: World) -> None:
    world.ask("events", "PutRule", Name="r", ScheduleExpression="rate(5 minutes)")
    world.ask("events", "PutTargets", Rule="r", Targets=[{"Id": "1", "Arn": QUEUE}])
    (told,) = turned(world, timedelta(seconds=1), datetime.now(UTC))
    assert json.loads(told)["detail-type"] == "Scheduled Event"


def test_one_ticker_that_fails_keeps_no_other_from_ticking(world: World) -> None:
    def broken(state: State, now: datetime) -> datetime | None:
        raise RuntimeError("a mistake of ours")

    asked: list[datetime] = []

    def sound(state: State, now: datetime) -> datetime | None:
        asked.append(now)
        return None

    tickers = {"a": Ticker(lambda state: True, broken), "b": Ticker(lambda state: False, sound)}
    Clock(world.state, tickers, now=lambda: world.time).turn()
    assert asked == [world.time]


FUNCTIONS = {
    "hangs": "import time\ndef handler(event, context): time.sleep(600)",
    "dies": "import os\ndef handler(event, context): os.kill(os.getpid(), 9)",
}


def test_what_a_function_does_keeps_no_schedule_from_firing(world: World) -> None:
    """One that hangs is waited for beside; the queue behind it gets its message in the same turn."""
    for called, code in FUNCTIONS.items():
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("app.py", code)
        world.ask("lambda", "CreateFunction", FunctionName=called, Runtime="python3.11", Handler="app.handler",
                  Role=ROLE, Code={"ZipFile": content.getvalue()}, Timeout=1)  # fmt: skip
        world.schedule(called, target={"Arn": f"{FUNCTION}:{called}", "Input": "{}"})
    world.schedule("z")
    world.time = datetime.now(UTC)
    clock = world.clock()
    clock.turn()
    assert len(world.received()) == 1
    assert not world.told("delivery.failed")
    eventually(lambda: len(world.told("delivery.failed")) == 2)
    clock.turn()
    assert {str(told["reason"]).partition(":")[0] for told in world.told("delivery.failed")} == {"FunctionError"}
    assert {told["attempts"] for told in world.told("delivery.failed")} == {1}


def backlog(world: World, count: int) -> None:
    """For a function: each waits for its place."""
    for number in range(count):
        given = {"token": str(number), "now": world.time, "until": world.time + MINUTE}
        clock.post(world.state, {"Arn": f"{FUNCTION}:nobody"}, "a law", {}, **given)


def joined() -> None:
    for thread in threading.enumerate():
        if thread.name.startswith("delivery to "):
            thread.join()


def reads(world: World, count: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Rows that the clock reads until so many are delivered: eight while it looks, which end before it looks again."""
    backlog(world, count)
    looks, read, look = threading.Lock(), 0, world.state.store.all

    def invoke(*_: object) -> Mapping[str, Any]:
        with looks:
            return {}

    def counted(statement: str, *values: Any) -> Any:
        nonlocal read
        found = look(statement, *values)
        read += len(found)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(functions, "invoke", invoke)
        patch.setattr(world.state.store, "all", counted)
        while clock.has_posted(world.state):
            with looks:
                all_tickers()["deliveries"].tick(world.state, world.time)
            joined()
    assert len(world.told("delivery.made")) == count
    return read


def test_what_waits_is_read_in_proportion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = World(tmp_path / "few"), World(tmp_path / "many")
    assert reads(many, 144, monkeypatch) <= 6 * reads(few, 24, monkeypatch)


def test_those_that_wait_for_a_place_keep_nothing_else_waiting(world: World) -> None:
    backlog(world, 20)
    clock.post(world.state, {"Arn": QUEUE}, "a law", {}, token="q", now=world.time, until=world.time, text="here")
    assert all_tickers()["deliveries"].tick(world.state, world.time) == world.time + timedelta(seconds=5)
    assert world.received() == ["here"]
    joined()


def test_what_ended_while_the_clock_looked_is_not_called_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that ends between the look at what waits and the call."""
    backlog(world, 1)
    called, ends = list[int](), threading.Event()

    def invoke(*_: object) -> Mapping[str, Any]:
        called.append(1)
        assert ends.wait(60)
        return {}

    monkeypatch.setattr(functions, "invoke", invoke)
    tick, look = all_tickers()["deliveries"].tick, world.state.store.all

    def looked(statement: str, *values: Any) -> Any:
        found = look(statement, *values)
        if called and found and "takes_long" in found[0].keys():  # noqa: SIM118
            ends.set()
            joined()
        return found

    tick(world.state, world.time)
    monkeypatch.setattr(world.state.store, "all", looked)
    tick(world.state, world.time)
    joined()
    assert (len(called), len(world.told("delivery.made"))) == (1, 1)


def test_an_account_whose_clock_cannot_be_started_takes_what_is_asked(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv(clock.SWITCH)
    world.state.clock_folder.touch()
    world.schedule(State="ENABLED")
    assert "cannot be started" in caplog.text
    monkeypatch.setenv(clock.SWITCH, clock.OFF)
    world.state.clock_folder.unlink()
    assert len(turned(world, timedelta(0), datetime.now(UTC))) == 1


ENVIRONMENTS = {
    "churn.py in production": "production",
    "in out/churn.py in local": "local",
    "churn.py in --help": None,
    "elsewhere": None,
}


@pytest.mark.parametrize("told", ENVIRONMENTS)
def test_a_monitor_is_run_in_the_environment_that_declared_it(told: str, world: World) -> None:
    tags = [{"Key": "mlops:origin", "Value": told}]
    world.ask("scheduler", "CreateScheduleGroup", Name="mlops-monitor-watch", Tags=tags)
    assert monitor.environment_of(world.state, "watch") == ENVIRONMENTS[told]


def test_it_ends_where_nothing_is_left_and_whoever_comes_then_finds_nobody(world: World) -> None:
    lock = ownership.take(world.state.clock_folder)
    assert lock is not None
    world.schedule()
    assert not world.clock().ended(lock)
    world.ask("scheduler", "DeleteSchedule", Name="s")
    assert ownership.owned(world.state.clock_folder)
    assert world.clock().ended(lock)
    assert not ownership.owned(world.state.clock_folder)


@pytest.fixture
def running(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.delenv(clock.SWITCH)
    yield world
    for name in [item["Name"] for item in world.ask("scheduler", "ListSchedules")["Schedules"]]:
        world.ask("scheduler", "DeleteSchedule", Name=name)
    eventually(lambda: not ownership.owned(world.state.clock_folder))


def eventually(holds: Any) -> Any:
    deadline = time.monotonic() + 60
    while not (found := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def test_one_that_cannot_be_started_is_left_to_whoever_comes_next(world: World, monkeypatch: Any) -> None:
    monkeypatch.delenv(clock.SWITCH, raising=False)
    folder = world.state.clock_folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "wanted").symlink_to(folder / "nowhere" / "wanted")
    clock.wake(world.state)
    assert not ownership.owned(folder)


@pytest.mark.proof("kills")
def test_a_killed_clock_misses_no_window_and_fires_none_twice(running: World) -> None:
    """Three of them a second apart, and a kill between; nobody asks but who opens the account again."""
    state = running.state
    start = datetime.now(UTC) + timedelta(seconds=4)
    for second in range(3):
        running.schedule(f"s{second}", ScheduleExpression=f"at({start + timedelta(seconds=second):%Y-%m-%dT%H:%M:%S})")
    pid = eventually(lambda: owner(state))
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not ownership.owned(state.clock_folder))
    eventually(lambda: datetime.now(UTC) > start + timedelta(seconds=3))
    clock.wake_again(State(state.folder, state.region))
    eventually(lambda: len(running.told("delivery.made")) == 3)
    assert len(running.received()) == 3


def owner(state: State) -> int | None:
    """The process that has the lock's file open."""
    for process in Path("/proc").iterdir():
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if str(state.folder).encode() in command and b"clock" in command:
            return int(process.name)
    return None
