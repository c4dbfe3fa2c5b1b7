"""``mlops endpoints shadow-start`` and ``shadow-stop``: what is planned, asked for, done once, and written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from command_line import Told, in_this_process

from mlops.deploy.endpoints import history, shadow_tests
from mlops.deploy.endpoints.promote import Target
from mlops.ir import Refusal

from ..conftest import World
from .test_shift_here import SOUND, live, promoted, registered

Mlops = Callable[..., Told]
TOML = '[env.local.promote]\n[env.guarded]\naccount = "000000000000"\napproval = true\n'


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    yield from registered(tmp_path_factory.mktemp("trials"), TOML, *(SOUND.format(n=number) for number in (1, 2, 3)))


@pytest.fixture
def mlops(world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Mlops:
    monkeypatch.chdir(world.folder)
    return in_this_process(capfd)


def told(world: World, endpoint: str) -> list[tuple[str, int, str | None]]:
    entries = history.whole(world.account, world.environment, endpoint)
    return [(entry.verb, entry.version, entry.reason) for entry in entries]


def test_a_shadow_is_planned_begun_once_changed_and_ended(world: World, mlops: Mlops) -> None:
    promoted(world, 1, "door", target=Target("door", timeout=60))
    before = live(world, "door")["EndpointConfigName"]
    asked = ("endpoints", "shadow-start", "door", "churn", "--version", "2")
    planned = mlops(*asked, "--plan", "--share", "50", "--for", "2h", "--payloads").out.splitlines()
    assert planned[0].startswith("CreateModel churn-2-")
    assert planned[1].startswith("CreateInferenceExperiment door-shadow-1: door has churn-2-")
    assert planned[1].endswith("as its shadow, shown 50 % of the requests, for 2h")
    assert shadow_tests.under_way(world.account, "door") is None
    said = mlops(*asked, "--share", "50", "--for", "2h", "--reason", "a look", "--format", "json").json
    assert (said["experiment"], said["status"], said["share"]) == ("door-shadow-1", "Running", 50)
    # The same again does nothing; another share is changed, another version refused.
    assert mlops(*asked, "--share", "50", "--plan").out == "nothing to do\n"
    assert "door-shadow-1 is Running" in mlops(*asked, "--share", "50", "--for", "2h").out
    changed = mlops(*asked, "--share", "20", "--format", "json").json
    assert changed["calls"] == ["UpdateInferenceExperiment door-shadow-1: it is shown 20 % of the requests"]
    other = mlops("endpoints", "shadow-start", "door", "churn", "--version", "3", code=1).err
    assert "door has another shadow: churn-2-" in other and "shadow-stop door" in other
    # A promotion would end it unseen; and a protected environment is asked.
    with pytest.raises(Refusal, match="has a shadow test, door-shadow-1, which is Running"):
        promoted(world, 3, "door")
    refused = mlops("endpoints", "shadow-stop", "door", "--env", "guarded", code=1).err
    assert "wants an approval to remove the shadow of door" in refused
    assert mlops("endpoints", "shadow-stop", "door", "--plan").out.startswith("StopInferenceExperiment door-shadow-1")
    assert "door-shadow-1 is Completed" in mlops("endpoints", "shadow-stop", "door", "--reason", "seen").out
    assert live(world, "door")["EndpointConfigName"] == before
    assert told(world, "door") == [
        ("created", 1, None),
        ("shadow begun", 2, "a look"),
        ("shadow ended", 2, "seen"),
    ]
    assert [entry.verb for entry in history.read(world.account, world.environment, "door")] == ["created"]
    assert "no shadow test is under way" in mlops("endpoints", "shadow-stop", "door", code=1).err
    assert "shadow begun" in mlops("endpoints", "history", "door").out


@pytest.mark.proof("verdicts")
def test_a_shadow_that_is_promoted_serves_and_is_in_the_history(world: World, mlops: Mlops) -> None:
    promoted(world, 1, "gate", target=Target("gate", timeout=60))
    mlops("endpoints", "shadow-start", "gate", "churn", "--version", "2")
    mlops("endpoints", "shadow-stop", "gate", "--promote", "--reason", "better")
    assert [entry[:2] for entry in told(world, "gate")] == [
        ("created", 1), ("shadow begun", 2), ("updated", 2), ("shadow ended", 2),
    ]  # fmt: skip
    served = history.serving(
        history.read(world.account, world.environment, "gate"), live(world, "gate")["EndpointConfigName"]
    )
    assert served is not None and served.serves == 2
    # One that was promoted keeps the variant's name, and the next has another.
    mlops("endpoints", "shadow-start", "gate", "churn", "--version", "3")
    trial = shadow_tests.under_way(world.account, "gate")
    assert trial is not None and (trial.source, trial.shadow) == ("shadow", "other-shadow")
    mlops("endpoints", "shadow-stop", "gate")


@pytest.mark.proof("verdicts")
def test_one_that_ended_with_nobody_there_is_written_down_by_whoever_comes(world: World, mlops: Mlops) -> None:
    promoted(world, 1, "left", target=Target("left", timeout=60))
    mlops("endpoints", "shadow-start", "left", "churn", "--version", "2")
    sagemaker: Any = world.account.client("sagemaker")
    trial = shadow_tests.under_way(world.account, "left")
    assert trial is not None
    sagemaker.stop_inference_experiment(
        Name=trial.name, ModelVariantActions={trial.source: "Retain", trial.shadow: "Remove"}
    )
    mlops("endpoints", "shadow-stop", "left")
    assert [entry[0] for entry in told(world, "left")] == ["created", "shadow begun", "shadow ended"]


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        pytest.param(("nowhere", "churn"), 2, "there is no endpoint 'nowhere'", id="no endpoint"),
        pytest.param(("nowhere", "chrun"), 2, "there is no model package group", id="no group"),
        pytest.param(("nowhere", "churn", "--for", "31d"), 2, "30 days at the most", id="too long"),
        pytest.param(("nowhere", "churn", "--share", "0"), 2, "share", id="no share"),
    ],
)
def test_what_cannot_begin_is_told(mlops: Mlops, words: tuple[str, ...], code: int, why: str) -> None:
    assert why in mlops("endpoints", "shadow-start", *words, code=code).err
