"""Endpoints of the embedded account really serve: HTTP, variants, updates, and what happens when things die."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from account_parts import runner_with
from botocore.exceptions import ClientError
from endpoint_parts import INFERENCE, World, refused, variant

from mlops.account.local import LocalAccount
from mlops.deploy.shifting.seeing import see
from mlops.run.sandbox import probe

UNLOADABLE = "def model_fn(folder):\n    raise ValueError('the weights are of another model')\n"


@pytest.fixture
def world(local: LocalAccount) -> Iterator[World]:
    found = World(local)
    found.model("one")
    found.model("two")
    found.model("bad", UNLOADABLE)
    found.config("first", ("A", "one", 1))
    found.config("both", ("A", "one", 1), ("B", "two", 0))
    found.config("broken", ("A", "bad", 1))
    yield found
    found.close()


def weights(found: dict[str, Any]) -> dict[str, float]:
    return {item["VariantName"]: item["CurrentWeight"] for item in found["ProductionVariants"]}


def test_an_endpoint_answers_and_is_deleted(world: World) -> None:
    found = world.serve("first")
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "first")
    assert world.ask() == "A one: hello"
    with refused("ModelError", "no such word") as error:
        world.ask("boom")
    assert error.value.response["OriginalStatusCode"] == 500
    assert "no such word" in error.value.response["OriginalMessage"]
    with refused("ValidationException", "already existing"):
        world.sagemaker.create_endpoint(EndpointName="door", EndpointConfigName="first")
    with refused("ValidationException", "in use"):
        world.sagemaker.delete_endpoint_config(EndpointConfigName="first")
    messages = [
        event["message"]
        for event in world.local.client("logs").filter_log_events(logGroupName="/aws/sagemaker/Endpoints/door")[
            "events"
        ]
    ]
    assert any("no such word" in message for message in messages)
    world.sagemaker.delete_endpoint(EndpointName="door")
    world.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="door", WaiterConfig={"Delay": 1})
    with refused("ValidationError", "not found"):
        world.ask()


def test_variants_by_weight_and_by_name(world: World) -> None:
    assert weights(world.serve("both")) == {"A": 1.0, "B": 0.0}
    assert {world.ask() for _ in range(5)} == {"A one: hello"}
    assert world.ask(TargetVariant="B") == "B two: hello"
    with refused("ValidationError", "Variant C"):
        world.ask(TargetVariant="C")
    shift = [{"VariantName": "A", "DesiredWeight": 0}, {"VariantName": "B", "DesiredWeight": 3}]
    world.sagemaker.update_endpoint_weights_and_capacities(EndpointName="door", DesiredWeightsAndCapacities=shift)
    assert weights(world.settled()) == {"A": 0.0, "B": 3.0}
    assert {world.ask() for _ in range(5)} == {"B two: hello"}
    with refused("ValidationException", "no variant C"):
        world.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName="door", DesiredWeightsAndCapacities=[{"VariantName": "C", "DesiredWeight": 1}]
        )
    assert weights(world.update("both", RetainAllVariantProperties=True)) == {"A": 0.0, "B": 3.0}
    assert weights(world.update("both")) == {"A": 1.0, "B": 0.0}


def test_a_failed_update_leaves_the_old_one_serving(world: World) -> None:
    world.serve("first")
    found = world.update("broken")
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "first")
    assert "first still serves" in found["FailureReason"]
    assert "the weights are of another model" in found["FailureReason"]
    there = see(world.sagemaker, "door")
    assert there is not None and there.failure is not None
    sentence = "The update to broken failed, first still serves: the model server ended, exit code 1: ValueError: the "
    place = r"weights are of another model \(inference\.py, line \d+, in model_fn\)"
    assert re.fullmatch(re.escape(sentence) + place, there.failure)
    assert world.ask() == "A one: hello"
    assert "FailureReason" not in world.update("both")


def test_a_failed_creation_says_why(world: World) -> None:
    found = world.serve("broken")
    assert found["EndpointStatus"] == "Failed"
    assert "the weights are of another model" in found["FailureReason"]
    with refused("ValidationError", "Failed"):
        world.ask()


def test_a_killed_process_is_told_and_an_update_starts_another(world: World) -> None:
    world.serve("first")
    port = world.port
    os.kill(runner_with(str(world.local.state.folder)), signal.SIGKILL)
    deadline = time.monotonic() + 60
    while (found := world.settled())["EndpointStatus"] == "InService" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert found["EndpointStatus"] == "Failed"
    assert "its process is gone" in found["FailureReason"]
    with refused("ValidationError", "its process is gone"):
        world.ask()
    assert world.local.address("door") is None
    assert world.update("first")["EndpointStatus"] == "InService"
    assert world.ask() == "A one: hello"
    assert world.port == port


def test_a_model_server_that_dies_is_started_again(world: World) -> None:
    world.serve("first")
    with refused("ModelError"):
        world.ask("die")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            assert world.ask() == "A one: hello"
            return
        except ClientError:
            time.sleep(0.1)
    raise AssertionError("it stayed dead")


def test_a_shadow_gets_the_requests_and_nobody_its_answers(world: World) -> None:
    world.model("shadow", INFERENCE.format(name="two") + "print('niceness', os.nice(0), flush=True)\n")
    world.config("shadowed", ("A", "one", 1), shadow="shadow")
    found = world.serve("shadowed")
    assert [item["VariantName"] for item in found["ShadowProductionVariants"]] == ["Shadow"]
    assert {world.ask() for _ in range(3)} == {"A one: hello"}
    logs = world.local.client("logs")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        events = logs.filter_log_events(
            logGroupName="/aws/sagemaker/Endpoints/door", logStreamNamePrefix="Shadow/", filterPattern="invocations"
        )["events"]
        if len(events) == 3:
            break
        time.sleep(0.05)
    else:
        raise AssertionError(f"the shadow saw {events}")
    (said,) = logs.filter_log_events(logGroupName="/aws/sagemaker/Endpoints/door", filterPattern="niceness")["events"]
    assert int(said["message"].split()[-1]) == min(os.nice(0) + 10, 19), "it takes no time from who is waited for"
    while len(pairs := [*world.local.shadow_pairs("door")[0]]) < 3:
        assert time.monotonic() < deadline + 15
        time.sleep(0.05)
    assert {(pair.variant, pair.shadow, pair.same, pair.answer) for pair in pairs} == {("A", "Shadow", False, None)}


def test_the_door_over_plain_http(world: World) -> None:
    world.serve("first")
    port = world.port
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping") as reply:
        assert reply.status == 200
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/endpoints/door/invocations", b"hello", {"Content-Type": "text/plain"}
    )
    with urllib.request.urlopen(request) as reply:
        assert reply.read() == b"one: hello"
        assert reply.headers["x-amzn-invoked-production-variant"] == "A"
    assert world.local.address("door") == request.full_url
    assert world.local.address("window") is None
    # A client as anybody makes it, that signs what it asks.
    keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any", "region_name": "us-east-1"}
    runtime = boto3.client("sagemaker-runtime", endpoint_url=f"http://127.0.0.1:{port}", **keys)
    asked: dict[str, Any] = {"EndpointName": "door", "ContentType": "text/plain"}
    answer = runtime.invoke_endpoint(**asked, Body=b"hello", TargetVariant="A", InferenceId="1", CustomAttributes="c")
    assert (answer["Body"].read(), answer["InvokedProductionVariant"]) == (b"one: hello", "A")
    stream = runtime.invoke_endpoint_with_response_stream(**asked, Body=b"hello")
    assert b"".join(event["PayloadPart"]["Bytes"] for event in stream["Body"]) == b"one: hello"
    for invoke in (runtime.invoke_endpoint, runtime.invoke_endpoint_with_response_stream):
        with refused("ModelError", "no such word") as error:
            invoke(**asked, Body=b"boom")
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 424
        assert error.value.response["OriginalStatusCode"] == 500
        assert error.value.response["LogStreamArn"].endswith("/aws/sagemaker/Endpoints/door")
        with refused("ValidationError", "Variant C") as error:
            invoke(**asked, Body=b"hello", TargetVariant="C")
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    with refused("ValidationError", "window is not found"):
        runtime.invoke_endpoint(EndpointName="window", Body=b"hello")


@pytest.mark.parametrize(
    ("variants", "text"),
    [
        ([variant("A", "absent", 1)], "Could not find model"),
        ([variant("A", "one", 1), variant("A", "two", 1)], "two variants are named"),
        ([variant("A", "one", 0)], "weight above 0"),
        ([{"VariantName": "A", "ModelName": "one"}], "neither InstanceType nor ServerlessConfig"),
        ([{**variant("A", "one", 1), "InstanceType": "ml.huge"}], "enum value set"),
        ([variant("no spaces", "one", 1)], "regular expression"),
    ],
)
def test_configurations_that_are_refused(world: World, variants: list[dict[str, Any]], text: str) -> None:
    with refused("ValidationException", text):
        world.sagemaker.create_endpoint_config(EndpointConfigName="config", ProductionVariants=variants)


def test_a_model_of_several_containers(world: World) -> None:
    world.model("first")
    world.model("second")
    world.pipeline("both", "first", "second")
    world.config("c", ("A", "both", 1.0))
    assert world.serve("c")["EndpointStatus"] == "InService"
    assert world.ask() == "A second: first: hello"
    with refused("ModelError", "no such word"):
        world.ask("boom")


REACH = """
import shutil
import socket
def model_fn(folder): return None
def transform_fn(model, body, content_type, accept):
    try:
        socket.create_connection(("127.0.0.1", int(body)), 5).close()
    except OSError:
        return "shut"
    return "open"
"""


@pytest.mark.parametrize("isolated", [False, True])
def test_network_isolation_of_a_model(world: World, isolated: bool) -> None:
    if probe().mode != "namespaces":
        pytest.skip(probe().reason)
    world.model("part", REACH)
    world.pipeline("m", "part", EnableNetworkIsolation=isolated)
    world.config("c", ("A", "m", 1.0))
    world.serve("c")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        assert world.ask(str(listening.getsockname()[1])) == ("A shut" if isolated else "A open")


def test_an_endpoint_ends_with_its_account(local: LocalAccount) -> None:
    """Whoever removes the account's folder asks nobody to end."""
    world = World(local)
    world.model("m")
    world.config("c", ("A", "m", 1.0))
    world.serve("c")
    port = world.port
    assert world.ask() == "A m: hello"
    shutil.rmtree(local.state.folder)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
        except OSError:
            break
        time.sleep(0.05)
    else:
        raise AssertionError("it still answers")
    assert not local.state.folder.exists()
