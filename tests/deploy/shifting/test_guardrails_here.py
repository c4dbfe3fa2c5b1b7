"""Promotions by deployment guardrails on the local account, which does what SageMaker does: real fleets under load, an
alarm that rings in the middle, what does not start, an abort, a controller that is gone, and the engines in turns."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from mlops.cli import main
from mlops.deploy.endpoints import history
from mlops.deploy.endpoints.control import Steering
from mlops.deploy.shifting import journal as journals
from mlops.deploy.shifting.settings import read
from mlops.deploy.waiting import Clock
from mlops.ir import Refusal

from ..conftest import World
from .test_shift_here import SOUND, Target, live, load, promoted, registered

BROKEN = "def model_fn(d): raise ValueError('the weights are of another model')\n"
ALARM = "churn-5xx"
TOML = """
[env.local.promote]
strategy = {{ canary = {{ share = 30, bake = "{bake}" }} }}
alarms = ["churn-5xx"]
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Approved versions: 1 and 2 answer, 3 does not start. Endpoints of three instances."""
    handlers = SOUND.format(n=1), SOUND.format(n=2), BROKEN
    for made in registered(tmp_path_factory.mktemp("guarded"), TOML.format(bake="1s"), *handlers):
        made.account.client("cloudwatch").put_metric_alarm(
            AlarmName=ALARM,
            Namespace="AWS/SageMaker",
            MetricName="Invocation5XXErrors",
            Dimensions=[{"Name": "EndpointName", "Value": "guarded"}, {"Name": "VariantName", "Value": "AllTraffic"}],
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="notBreaching",
        )
        yield made


def baking(world: World, bake: str) -> World:
    promote = {**world.environment.promote, "strategy": {"canary": {"share": 30, "bake": bake}}}
    return World(world.folder, replace(world.environment, promote=promote), world.account)


def in_the_middle(world: World, endpoint: str, act: Callable[[], Any]) -> threading.Thread:
    """``act`` once the new fleet has its first traffic."""

    def wait() -> None:
        deadline = time.monotonic() + 120
        while '"Baking"' not in str(live(world, endpoint)).replace("'", '"') and time.monotonic() < deadline:
            time.sleep(0.02)
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def ring(world: World) -> None:
    world.account.client("cloudwatch").set_alarm_state(AlarmName=ALARM, StateValue="ALARM", StateReason="a test")


def hush(world: World) -> None:
    world.account.client("cloudwatch").set_alarm_state(AlarmName=ALARM, StateValue="OK", StateReason="it is over")


def variants(world: World, endpoint: str) -> list[tuple[str, int]]:
    found = live(world, endpoint)["ProductionVariants"]
    return [(item["VariantName"], item["CurrentInstanceCount"]) for item in found]


def fresh(world: World, endpoint: str) -> str:
    """What serves: version 1 with three instances; and all is quiet."""
    hush(world)
    return promoted(world, 1, endpoint, target=Target(endpoint, count=3, timeout=60)).config


def test_a_good_version_goes_over_and_a_bad_one_comes_back(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    fresh(world, "guarded")
    said: list[str] = []
    with load(world, "guarded") as under:
        done = promoted(world, 2, "guarded", said)
    assert done.action == "updated" and under.failed == []
    assert "guarded: by guardrails, because SageMaker's guardrails express it" in said
    assert variants(world, "guarded") == [("AllTraffic", 3)]
    assert {told for _, _, told in under.answers} == {"version 1", "version 2"}
    # By the command: the service goes back without a word, and that is no success.
    (world.folder / "mlops.toml").write_text(TOML.format(bake="10m"))
    monkeypatch.chdir(world.folder)
    ringing = in_the_middle(world, "guarded", lambda: ring(world))
    promote = ("promote", "churn", "--to", "local", "--endpoint", "guarded", "--version", "1")
    assert main(promote) == 1
    ringing.join()
    err = capfd.readouterr().err
    assert f"the alarm {ALARM} is in state ALARM: a test" in err and "serves what it served before" in err
    found = live(world, "guarded")
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", done.config)
    assert variants(world, "guarded") == [("AllTraffic", 3)]
    last = history.read(world.account, world.environment, "guarded")[-1]
    assert (last.verb, last.version) == ("taken back", 1) and ALARM in str(last.reason)


@pytest.mark.proof("kills")
def test_what_does_not_start_is_told_and_gets_no_traffic(world: World) -> None:
    before = fresh(world, "unloadable")
    with load(world, "unloadable") as under, pytest.raises(Refusal) as told:
        promoted(world, 3, "unloadable")
    assert "the weights are of another model" in told.value.message and under.failed == []
    assert live(world, "unloadable")["EndpointConfigName"] == before
    assert {told for _, _, told in under.answers} == {"version 1"}


@pytest.mark.proof("kills")
def test_an_abort_makes_the_service_go_back(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    before = fresh(world, "aborted")
    monkeypatch.chdir(world.folder)
    long = baking(world, "10m")
    steering = Steering(world.account, world.environment, "aborted", read(world.environment, world.folder))

    def abort() -> None:
        with pytest.raises(Refusal, match="guardrails, and cannot be paused"):
            steering.pause()
        assert main(("endpoints", "show", "aborted")) == 0
        assert "who is at it" in steering.abort("lunch")

    said: list[str] = []
    aborting = in_the_middle(world, "aborted", abort)
    with pytest.raises(Refusal, match="it was aborted: lunch"):
        promoted(long, 2, "aborted", said)
    aborting.join()
    waits = "Baking for 600 seconds (WaitIntervalInSeconds) with traffic enabled on canary capacity of 1 instance(s)."
    assert f"aborted: AllTraffic: {waits}" in said and f"AllTraffic  {waits}" in capfd.readouterr().out
    assert f"aborted: the alarm {ALARM} is set to ALARM, so that SageMaker goes back" in said
    assert live(world, "aborted")["EndpointConfigName"] == before and variants(world, "aborted") == [("AllTraffic", 3)]


class Gone(BaseException):
    """Nothing of ours catches it: what it leaves is what a kill leaves."""


def cut_off(world: World, endpoint: str) -> None:
    """A promotion whose controller is gone while the service bakes."""

    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        if "'Baking'" in str(live(world, endpoint)):
            raise Gone

    with pytest.raises(Gone):
        promoted(world, 2, endpoint, clock=Clock(sleep=sleep))


@pytest.mark.proof("kills")
def test_what_the_service_did_while_nobody_was_at_it_is_seen_by_who_comes_next(world: World) -> None:
    before = fresh(world, "left")
    for ends, act in (("taken back", lambda: ring(world)), ("shifted", lambda: None)):
        cut_off(baking(world, "10m" if ends == "taken back" else "2s"), "left")
        act()
        deadline = time.monotonic() + 120
        while live(world, "left")["EndpointStatus"] != "InService":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        if ends == "taken back":
            with pytest.raises(Refusal, match="SageMaker has taken it back by itself"):
                promoted(world, 2, "left", take_over=True)
            assert live(world, "left")["EndpointConfigName"] == before
            hush(world)
        else:
            promoted(world, 2, "left", take_over=True)
        stored = journals.read(world.account, world.environment, "left")
        assert stored is not None and stored.journal.phase == ends
    assert variants(world, "left") == [("AllTraffic", 3)]


@pytest.mark.proof("kills")
def test_one_that_was_left_is_aborted_by_somebody_else(world: World) -> None:
    before = fresh(world, "orphan")
    cut_off(baking(world, "10m"), "orphan")
    stored = journals.read(world.account, world.environment, "orphan")
    assert stored is not None
    gone = replace(stored.journal, wish="pause")
    journals.write(world.account, world.environment, gone, stored.etag)
    settings = read(world.environment, world.folder)
    said = Steering(world.account, world.environment, "orphan", settings, timeout=60).abort("nobody is at it")
    assert said == "orphan serves what it served before: it was aborted: nobody is at it"
    assert live(world, "orphan")["EndpointConfigName"] == before


@pytest.mark.proof("kills")
def test_engines_take_turns_and_instances_stay(world: World) -> None:
    """Guardrails keep the name of the variant, weights take the other one; and another count is had where asked for."""
    fresh(world, "turns")
    promote = {**world.environment.promote, "engine": "weights"}
    weights = World(world.folder, replace(world.environment, promote=promote), world.account)
    for number, (by, name) in enumerate(
        [(world, "AllTraffic"), (weights, "blue"), (world, "blue"), (weights, "green")]
    ):
        with load(world, "turns") as under:
            assert promoted(by, 2 - number % 2, "turns").action == "updated"
        assert under.failed == []
        assert variants(world, "turns") == [(name, 3)]
    promoted(world, 2, "turns", target=Target("turns", count=4, timeout=60))
    assert variants(world, "turns") == [("green", 4)]


def test_an_alarm_that_is_not_there_judges_nothing(world: World) -> None:
    """It is told before anything is made."""
    before = promoted(world, 1, "unjudged").config
    mistyped = replace(world.environment, promote={**world.environment.promote, "alarms": ["churn-5x"]})
    with pytest.raises(Refusal, match="there is no alarm churn-5x in local"):
        promoted(World(world.folder, mistyped, world.account), 2, "unjudged")
    assert live(world, "unjudged")["EndpointConfigName"] == before
