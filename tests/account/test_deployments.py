"""UpdateEndpoint with a DeploymentConfig, on servers that serve: what is refused, what is told, what comes of it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from account_parts import runner_with
from botocore.exceptions import ClientError
from endpoint_parts import World, refused, variant

from mlops.account.local import LocalAccount, events
from mlops.account.local.process.router import records
from mlops.account.local.services.events.service_events import service_events
from mlops.account.local.services.sagemaker import deployments, endpoints
from mlops.knowledge.eventbridge.known_events import DEPLOYMENT

Deployment = dict[str, Any]
LONG = 3600
ALARM = "door-errors"


def blue_green(
    kind: str, size: Mapping[str, Any] | None = None, *, wait: int = 0, last: int = 0, limit: int | None = None
) -> Deployment:
    member = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}.get(kind)
    sized = {member: size} if member and size else {}
    limited = {"MaximumExecutionTimeoutInSeconds": limit} if limit else {}
    routing = {"Type": kind, "WaitIntervalInSeconds": wait, **sized}
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": last,
            **limited,
        }
    }


def rolling(size: Mapping[str, Any], *, wait: int = 0, **more: Any) -> Deployment:
    return {"RollingUpdatePolicy": {"MaximumBatchSize": size, "WaitIntervalInSeconds": wait, **more}}


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def instances(value: int) -> dict[str, Any]:
    return {"Type": "INSTANCE_COUNT", "Value": value}


def watched(deployment: Deployment) -> Deployment:
    return {**deployment, "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": ALARM}]}}


@pytest.fixture
def world(local: LocalAccount) -> Iterator[World]:
    found = World(local)
    found.model("one")
    found.model("two", SAGEMAKER_MODEL_SERVER_WORKERS="2")
    for name, model, count in (("small", "one", 1), ("before", "one", 2), ("after", "two", 2), ("many", "one", 10)):
        make(found, name, variant("A", model, 1, count))
    found.local.client("cloudwatch").put_metric_alarm(
        AlarmName=ALARM,
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Dimensions=[{"Name": "EndpointName", "Value": "door"}, {"Name": "VariantName", "Value": "A"}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    yield found
    found.close()


def make(world: World, name: str, *variants: Mapping[str, Any]) -> None:
    world.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=list(variants))


def update(world: World, config: str, deployment: Deployment | None = None, **more: Any) -> None:
    given = {"DeploymentConfig": deployment} if deployment else {}
    world.sagemaker.update_endpoint(EndpointName="door", EndpointConfigName=config, **given, **more)


def seen(world: World) -> dict[str, Any]:
    found: dict[str, Any] = world.sagemaker.describe_endpoint(EndpointName="door")
    return found


def until(world: World, holds: Callable[[dict[str, Any]], Any], seconds: float = 30) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while not holds(found := seen(world)):
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    return found


def ended(world: World) -> dict[str, Any]:
    return until(world, lambda found: found["EndpointStatus"] not in ("Creating", "Updating", "RollingBack"))


def status(found: Mapping[str, Any]) -> str:
    (told,) = found["PendingDeploymentSummary"]["ProductionVariants"]
    return str(told["VariantStatus"][0]["Status"])


def is_baking(found: Mapping[str, Any]) -> bool:
    return "PendingDeploymentSummary" in found and status(found) == "Baking"


def ring(world: World) -> None:
    world.local.client("cloudwatch").set_alarm_state(AlarmName=ALARM, StateValue="ALARM", StateReason="a test")


def servers(world: World) -> set[str]:
    return {world.ask(str(number)).split(":")[0] for number in range(40)}


@contextmanager
def load(world: World) -> Iterator[Counter[str]]:
    """Who answered how often; anything else is counted by its words."""
    answers: Counter[str] = Counter()
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.002):
            try:
                answers[world.ask("load").split(":")[0]] += 1
            except ClientError as error:
                answers[str(error)] += 1

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        over.set()
        for thread in threads:
            thread.join()


REFUSED: list[tuple[str, Deployment, str]] = [
    ("after", {**blue_green("ALL_AT_ONCE"), **rolling(percent(50))}, "and not both"),
    ("after", blue_green("CANARY"), "CanarySize is required"),
    ("after", blue_green("LINEAR"), "LinearStepSize is required"),
    ("many", blue_green("CANARY", percent(60)), "CanarySize must be at most 50 percent"),
    ("many", blue_green("CANARY", instances(6)), "CanarySize must be at most 50 percent of the 10 instances"),
    ("small", blue_green("CANARY", percent(10)), "which has one"),
    ("small", blue_green("CANARY", instances(1)), "at most 50 percent of the 1 instances"),
    ("many", blue_green("LINEAR", percent(5)), "LinearStepSize must be 10 to 50 percent"),
    ("many", rolling(percent(4)), "MaximumBatchSize must be 5 to 50 percent"),
    ("many", rolling(percent(50), RollbackMaximumBatchSize=percent(101)), "RollbackMaximumBatchSize"),
    ("many", rolling(percent(50), RollbackMaximumBatchSize=instances(11)), "RollbackMaximumBatchSize"),
    ("after", blue_green("CANARY", percent(50), wait=400, last=300, limit=700), "larger than the waiting time of 700"),
    ("after", rolling(percent(50), wait=700, MaximumExecutionTimeoutInSeconds=600), "waiting time of 700"),
    ("both", rolling(percent(50)), "several production variants"),
    ("serverless", rolling(percent(50)), "the serverless variant A"),
    ("serverless", blue_green("CANARY", instances(1)), "is serverless"),
    ("other", blue_green("CANARY", percent(50)), "the same variant names"),
    ("other", blue_green("ALL_AT_ONCE", last=10), "the same variant names"),
    (
        "after",
        {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "mistyped"}]}},
        'Could not find the CloudWatch alarm "mistyped"',
    ),
]
TAKEN: list[tuple[str, Deployment]] = [
    ("many", blue_green("CANARY", percent(50))),
    ("many", blue_green("LINEAR", instances(1))),
    ("many", rolling(percent(5))),
    ("small", watched(blue_green("ALL_AT_ONCE", wait=3600, last=3600))),
    ("serverless", blue_green("CANARY", percent(10))),
    ("both", blue_green("CANARY", percent(50))),
]


def test_what_is_refused_and_what_is_not(world: World) -> None:
    """On CreateEndpoint what does not depend on a former configuration is refused too, and the rest is kept."""
    serverless = {
        "VariantName": "A",
        "ModelName": "one",
        "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1},
    }
    make(world, "serverless", serverless)
    make(world, "both", variant("A", "one", 1, 2), variant("B", "one", 1, 2))
    make(world, "other", variant("B", "one", 1, 2))
    world.serve("small")
    before = seen(world)
    for config, deployment, words in REFUSED:
        with refused("ValidationException", words):
            update(world, config, deployment)
        if words not in ("the same variant names",):
            with refused("ValidationException", words):
                world.sagemaker.create_endpoint(
                    EndpointName="never", EndpointConfigName=config, DeploymentConfig=deployment
                )
    with refused("ValidationException", "takes no other one"):
        update(world, "after", blue_green("ALL_AT_ONCE"), RetainDeploymentConfig=True)
    assert seen(world)["LastModifiedTime"] == before["LastModifiedTime"]
    state = world.local.state
    for config, deployment in TAKEN:
        wanted = deployments.wanted_of(state, endpoints.config(state, config), {})
        serving = [item.name for item in wanted]
        taken = deployments.effective(state, deployment, wanted, serving)
        assert taken == (None if config == "serverless" else deployment)


@pytest.mark.proof("kills")
def test_a_canary_under_load_loses_nothing_and_tells_where_it_is(world: World) -> None:
    """With two instances, and two workers for each in the new fleet."""
    world.serve("before")
    with load(world) as answers:
        deployment = watched(blue_green("CANARY", percent(50), wait=2, last=1, limit=600))
        update(world, "after", deployment)
        begun = seen(world)["PendingDeploymentSummary"]
        assert begun["EndpointConfigName"] == "after" and begun["ProductionVariants"][0]["DesiredInstanceCount"] == 2
        with refused("ValidationException", "while it is Updating"):
            update(world, "before")
        with refused("ValidationException", "in use"):
            world.sagemaker.delete_endpoint_config(EndpointConfigName="after")
        baking = until(world, is_baking)
        answers.clear()
        assert servers(world) == {"A one", "A two"}
        (told,) = baking["PendingDeploymentSummary"]["ProductionVariants"]
        assert told["VariantStatus"][0]["StatusMessage"] == (
            "Baking for 2 seconds (WaitIntervalInSeconds) with traffic enabled on canary capacity of 1 instance(s)."
        )
        assert baking["PendingDeploymentSummary"]["StartTime"] == begun["StartTime"]
        assert baking["EndpointConfigName"] == "before" and baking["LastDeploymentConfig"] == deployment
        shifting = events.read(world.local.state.store, kinds=["endpoint.shifting"])[-1]
        (put,) = service_events(world.local.state, shifting)
        assert put["detail-type"] == DEPLOYMENT and put["detail"]["EndpointStatus"] == "UPDATING"
        (variant,) = put["detail"]["PendingDeploymentSummary"]["ProductionVariants"]
        assert variant["VariantStatus"][0]["Status"] == "Baking"
        assert isinstance(variant["VariantStatus"][0]["StartTime"], int)
        until(world, lambda found: not is_baking(found) or "full capacity" in str(found))
        halves = Counter(answers)
        assert set(halves) == {"A one", "A two"}
        found = ended(world)
        answers.clear()
        assert servers(world) == {"A two"}
    assert set(answers) == {"A two"}
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "after")
    assert "FailureReason" not in found and "PendingDeploymentSummary" not in found
    assert [item["CurrentInstanceCount"] for item in found["ProductionVariants"]] == [2]
    kinds = [event.kind for event in events.read(world.local.state.store, ids={"endpoint": "door"})]
    assert kinds.count("endpoint.shifting") == 3


@pytest.mark.proof("kills")
@pytest.mark.parametrize(
    "deployment",
    [
        blue_green("CANARY", instances(1), wait=LONG),
        rolling(instances(1), wait=LONG),
        blue_green("ALL_AT_ONCE", last=LONG),
    ],
    ids=["canary", "rolling", "all at once"],
)
def test_an_alarm_in_the_middle_takes_it_back(world: World, deployment: Deployment) -> None:
    world.serve("before")
    with load(world) as answers:
        update(world, "after", watched(deployment))
        until(world, is_baking)
        ring(world)
        found = ended(world)
        answers_then = Counter(answers)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "before")
    assert found["FailureReason"].startswith(
        f"The update to after failed, before still serves: the alarm {ALARM} is in state ALARM: a test"
    )
    assert servers(world) == {"A one"} and set(answers_then) == {"A one", "A two"}
    assert [item["CurrentInstanceCount"] for item in found["ProductionVariants"]] == [2]
    told = [event.kind for event in events.read(world.local.state.store, ids={"endpoint": "door"})]
    assert told.index("endpoint.rolling-back") < told.index("endpoint.update-failed")
    # The last deployment's configuration is used again where that is asked for.
    assert found["LastDeploymentConfig"] == watched(deployment)


def test_a_process_that_is_killed_while_it_bakes_is_followed_by_one_that_goes_back(world: World) -> None:
    world.serve("before")
    update(world, "after", blue_green("CANARY", percent(50), wait=LONG))
    until(world, is_baking)
    runner = runner_with(str(world.local.state.folder))
    os.kill(runner, signal.SIGKILL)
    found = until(world, lambda found: found["EndpointStatus"] == "RollingBack")
    assert found["PendingDeploymentSummary"]["EndpointConfigName"] == "after"
    with refused("ValidationException", "while it is RollingBack"):
        update(world, "after")
    found = ended(world)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "before")
    assert "the endpoint's process died while it was under way" in found["FailureReason"]
    assert servers(world) == {"A one"}
    assert [item["CurrentInstanceCount"] for item in found["ProductionVariants"]] == [2]


@pytest.mark.proof("kills")
def test_a_process_that_is_killed_while_it_scales_is_followed_by_one_that_has_what_was_asked(world: World) -> None:
    world.serve("before")
    runner = runner_with(str(world.local.state.folder))
    os.kill(runner, signal.SIGSTOP)
    wanted = [{"VariantName": "A", "DesiredInstanceCount": 3}]
    world.sagemaker.update_endpoint_weights_and_capacities(EndpointName="door", DesiredWeightsAndCapacities=wanted)
    os.kill(runner, signal.SIGKILL)
    found = until(world, lambda found: found["EndpointStatus"] == "InService")
    assert (found["ProductionVariants"][0]["CurrentInstanceCount"], found.get("FailureReason")) == (3, None)
    assert servers(world) == {"A one"}


@pytest.mark.proof("kills")
def test_where_guardrails_are_excluded_all_traffic_goes_at_once_without_a_word(world: World) -> None:
    make(world, "inf1", {**variant("A", "two", 1, 2), "InstanceType": "ml.inf1.xlarge"})
    world.serve("before")
    deployment = watched(blue_green("CANARY", percent(50), wait=LONG))
    update(world, "inf1", deployment)
    found = ended(world)
    assert (found["EndpointConfigName"], found["LastDeploymentConfig"]) == ("inf1", deployment)
    assert servers(world) == {"A two"}
    update(world, "before", rolling(percent(50), wait=1), RetainAllVariantProperties=True)
    ended(world)
    update(world, "after", RetainDeploymentConfig=True)
    until(world, is_baking)
    assert ended(world)["EndpointConfigName"] == "after"
    folder = world.local.state.endpoint_folder("door") / records.FOLDER
    assert {record.config for record in records.read(folder)[0]} <= {"inf1", "before", "after"}
