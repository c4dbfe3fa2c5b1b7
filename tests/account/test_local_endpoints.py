"""Endpoints of the embedded account really serve: HTTP, variants, updates, and what happens when things die."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import tarfile
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from account_definitions import IMAGE, ROLE
from account_parts import runner_with
from botocore.exceptions import ClientError

from mlops.account.local import LocalAccount
from mlops.run.sandbox import probe

INFERENCE = """
import os
def model_fn(folder):
    return {name!r}
def input_fn(body, content_type):
    return body if isinstance(body, str) else body.decode()
def predict_fn(text, model):
    if text == "boom":
        raise ValueError("no such word")
    if text == "die":
        os._exit(9)
    return model + ": " + text
def output_fn(answer, accept):
    return answer
"""
UNLOADABLE = "def model_fn(folder):\n    raise ValueError('the weights are of another model')\n"


def refused(code: str, text: str = "") -> Any:
    return pytest.raises(ClientError, match=rf"(?s)\({code}\).*{text}")


class World:
    """One account with models, and whatever is served there stopped in the end."""

    def __init__(self, local: LocalAccount) -> None:
        self.local = local
        self.sagemaker = local.client("sagemaker")
        self.runtime = local.client("sagemaker-runtime")

    def model(self, name: str, code: str | None = None) -> None:
        text = (code or INFERENCE.format(name=name)).encode()
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            member = tarfile.TarInfo("code/inference.py")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))
        self.local.client("s3").put_object(Bucket="mlops-tests", Key=f"{name}.tar.gz", Body=packed.getvalue())
        self.sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=ROLE,
            PrimaryContainer={
                "Image": IMAGE,
                "ModelDataUrl": f"s3://mlops-tests/{name}.tar.gz",
                "Environment": {"SAGEMAKER_PROGRAM": "inference.py"},
            },
        )

    def pipeline(self, name: str, *parts: str, **more: Any) -> None:
        """A model whose containers are those of the models ``parts``."""
        containers = [self.sagemaker.describe_model(ModelName=part)["PrimaryContainer"] for part in parts]
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, Containers=containers, **more)

    def config(self, name: str, *variants: tuple[str, str, float], shadow: str | None = None) -> None:
        more = {"ShadowProductionVariants": [variant("Shadow", shadow, 1.0)]} if shadow else {}
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[variant(*item) for item in variants], **more
        )

    def settled(self, seconds: float = 30) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName="door")
            if found["EndpointStatus"] not in ("Creating", "Updating"):
                return found
            time.sleep(0.02)
        raise AssertionError(f"not settled: {found}")

    def serve(self, config: str) -> dict[str, Any]:
        self.sagemaker.create_endpoint(EndpointName="door", EndpointConfigName=config)
        return self.settled()

    def update(self, config: str, **more: Any) -> dict[str, Any]:
        self.sagemaker.update_endpoint(EndpointName="door", EndpointConfigName=config, **more)
        return self.settled()

    def ask(self, text: str = "hello", **more: Any) -> str:
        reply = self.runtime.invoke_endpoint(EndpointName="door", Body=text, ContentType="text/plain", **more)
        return f"{reply['InvokedProductionVariant']} {reply['Body'].read().decode()}"

    def close(self) -> None:
        for item in self.sagemaker.list_endpoints()["Endpoints"]:
            if item["EndpointStatus"] != "Deleting":
                self.sagemaker.delete_endpoint(EndpointName=item["EndpointName"])


def variant(name: str, model: str, weight: float) -> dict[str, Any]:
    return {
        "VariantName": name,
        "ModelName": model,
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
        "InitialVariantWeight": weight,
    }


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
    os.kill(runner_with(str(world.local.state.folder)), signal.SIGKILL)
    deadline = time.monotonic() + 5
    while (found := world.settled())["EndpointStatus"] == "InService" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert found["EndpointStatus"] == "Failed"
    assert "its process is gone" in found["FailureReason"]
    with refused("ValidationError", "its process is gone"):
        world.ask()
    assert world.update("first")["EndpointStatus"] == "InService"
    assert world.ask() == "A one: hello"


def test_a_model_server_that_dies_is_started_again(world: World) -> None:
    world.serve("first")
    with refused("ModelError"):
        world.ask("die")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            assert world.ask() == "A one: hello"
            return
        except ClientError:
            time.sleep(0.1)
    raise AssertionError("it stayed dead")


def test_a_shadow_gets_the_requests_and_nobody_its_answers(world: World) -> None:
    world.config("shadowed", ("A", "one", 1), shadow="two")
    found = world.serve("shadowed")
    assert [item["VariantName"] for item in found["ShadowProductionVariants"]] == ["Shadow"]
    assert {world.ask() for _ in range(3)} == {"A one: hello"}
    logs = world.local.client("logs")
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        events = logs.filter_log_events(
            logGroupName="/aws/sagemaker/Endpoints/door", logStreamNamePrefix="Shadow/", filterPattern="invocations"
        )["events"]
        if len(events) == 3:
            return
        time.sleep(0.05)
    raise AssertionError(f"the shadow saw {events}")


def test_the_door_over_plain_http(world: World) -> None:
    world.serve("first")
    row = world.local.state.store.one("SELECT body FROM resource WHERE kind = 'Endpoint'")
    assert row is not None
    port = json.loads(row["body"])["Port"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping") as reply:
        assert reply.status == 200
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/endpoints/door/invocations", b"hello", {"Content-Type": "text/plain"}
    )
    with urllib.request.urlopen(request) as reply:
        assert reply.read() == b"one: hello"
        assert reply.headers["x-amzn-invoked-production-variant"] == "A"


@pytest.mark.parametrize(
    ("variants", "text"),
    [
        ([variant("A", "absent", 1)], "Could not find model"),
        ([variant("A", "one", 1), variant("A", "two", 1)], "unique"),
        ([variant("A", "one", 0)], "weight above 0"),
        ([{"VariantName": "A", "ModelName": "one"}], "InstanceType or a ServerlessConfig"),
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
