"""A shadow before a shift, on the local account: real servers under load, and which inputs they disagree on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from command_line import in_this_process

from mlops.deploy.endpoints import shift_records
from mlops.ir import Refusal

from ..conftest import World
from .test_shift_here import live, promoted, registered

ANSWERS = """
def model_fn(d): return 0
def transform_fn(m, body, t, a):
    text = body if isinstance(body, str) else body.decode()
    return ({wrong} if int(text.split(",")[0]) % 33 == 7 else "0.5"), a
"""
TOML = """
[env.local.promote]
strategy = "all-at-once"
shadow = { for = "40s", disagree = "1%", payloads = true, pairs = 200 }
patience = "20s"
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Versions 1 and 3 say the same, 2 says something else of three in a hundred inputs."""
    same, other = ANSWERS.format(wrong='"0.5"'), ANSWERS.format(wrong='"0.9"')
    yield from registered(tmp_path_factory.mktemp("shadow"), TOML, same, other, same)


@contextmanager
def asked(world: World, endpoint: str) -> Iterator[list[str]]:
    """Inputs that differ, from several threads; what failed."""
    over, numbers, failed = threading.Event(), count(), list[str]()
    runtime: Any = world.account.client("sagemaker-runtime")

    def run() -> None:
        while not over.wait(0.002):
            number = next(numbers)
            try:
                reply = runtime.invoke_endpoint(
                    EndpointName=endpoint, Body=f"{number},2", ContentType="text/csv", InferenceId=f"order-{number}"
                )
                if reply["Body"].read() != b"0.5":
                    failed.append(f"{number}: another answer")
            except Exception as error:
                failed.append(f"{number}: {error}")

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield failed
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_a_version_that_disagrees_goes_back_and_the_inputs_are_listed(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert promoted(world, 1, "differs").action == "created"
    before, said = live(world, "differs")["EndpointConfigName"], list[str]()
    with asked(world, "differs") as failed, pytest.raises(Refusal) as refused:
        promoted(world, 2, "differs", said)
    assert failed == []
    assert "as a shadow: the shadow disagrees on" in refused.value.message
    found = live(world, "differs")
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", before)
    listed = [line for line in said if line.startswith("disagrees: inference id order-")]
    assert 1 <= len(listed) <= 5
    numbers = [int(line.split("order-")[1].partition(":")[0]) for line in listed]
    assert {number % 33 for number in numbers} == {7}
    assert all(f"{number},2: said 0.5, and the shadow said 0.9" in line
               for number, line in zip(numbers, listed, strict=True))  # fmt: skip
    # What was seen is kept, and decides the same again, here and from a file elsewhere.
    kept = shift_records.latest(world.account, world.environment, "differs")
    assert kept is not None and kept.shadow is not None and kept.shadow.looks[-1].standing == "red"
    monkeypatch.chdir(world.folder)
    mlops = in_this_process(capfd)
    here = mlops("verdict", "explain", "differs", "--save", "shift.json", "--format", "json").json
    assert here["same"] and here["shadow"]["looks"][-1]["replayed"]["standing"] == "red"
    shown = mlops("verdict", "explain", "--file", "shift.json").out
    assert "goes back as a shadow: the shadow disagrees on" in shown and "disagrees: inference id order-" in shown
    toml = TOML.replace('"1%"', '"20%"')
    (world.folder / "mlops.toml").write_text(toml)
    try:
        otherwise = mlops("verdict", "explain", "differs", "--declared", code=1).out
    finally:
        (world.folder / "mlops.toml").write_text(TOML)
    assert "nothing is red until the last look, as a shadow; not as it was decided then" in otherwise


def quick(world: World) -> World:
    shadow = {"for": "2s", "disagree": "1%", "pairs": 20, "share": 50}
    return replace(
        world, environment=replace(world.environment, promote={**world.environment.promote, "shadow": shadow})
    )


@pytest.mark.proof("verdicts")
def test_a_version_that_agrees_goes_on_and_leaves_no_shadow(world: World) -> None:
    assert promoted(world, 1, "agrees").action == "created"
    said = list[str]()
    with asked(world, "agrees") as failed:
        assert promoted(quick(world), 3, "agrees", said).action == "updated"
    assert failed == []
    assert "shadow: it is shown 50 % of the requests, looked at for 2s" in said
    assert any(line.startswith("shadow: the shadow disagrees on 0 of") for line in said)
    found = live(world, "agrees")
    assert not found.get("ShadowProductionVariants")
    kept = shift_records.latest(world.account, world.environment, "agrees")
    assert kept is not None and kept.shadow is not None and kept.shadow.looks[-1].whole.disagree == 0


@pytest.mark.proof("verdicts")
def test_without_traffic_a_shadow_says_nothing(world: World) -> None:
    assert promoted(world, 1, "still").action == "created"
    quiet = quick(world)
    quiet = replace(quiet, environment=replace(quiet.environment, promote={**quiet.environment.promote, "patience": 1}))
    with pytest.raises(Refusal, match="as a shadow has no verdict: 0 of 20 pairs"):
        promoted(quiet, 3, "still")
    assert not live(world, "still").get("ShadowProductionVariants")
