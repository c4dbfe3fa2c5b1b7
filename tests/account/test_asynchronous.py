"""Asynchronous inference: the answer or the failure of a request is an object, whoever asked and whatever died."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from endpoint_parts import World, refused, variant

from mlops.account.local import LocalAccount
from mlops.account.local.process.ports import LocalObjects
from mlops.account.local.process.serving.waiting import Queue, Waiting, wait_for

OUT, FAILED = "s3://mlops-tests/answers", "s3://mlops-tests/failures"


@pytest.fixture
def world(local: LocalAccount) -> Iterator[World]:
    found = World(local)
    yield found
    found.close()


def object_at(local: LocalAccount, uri: str, seconds: float = 30) -> str:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    s3, deadline = local.client("s3"), time.monotonic() + seconds
    while time.monotonic() < deadline:
        if s3.list_objects_v2(Bucket=bucket, Prefix=key).get("KeyCount"):
            return str(s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode())
        time.sleep(0.02)
    raise AssertionError(f"nothing came to {uri}")


def too_big(world: World) -> bool:
    """Whether the endpoint refuses seven megabytes, as one that answers at once does. No more than their head is sent:
    it is asked whether the rest is wanted."""
    with socket.create_connection(("127.0.0.1", world.port), 10) as door:
        door.sendall(
            b"POST /endpoints/door/invocations HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\n"
            b"Content-Length: 7000000\r\n\r\n"
        )
        return door.recv(4096).split()[1] == b"413"


def test_requests_wait_for_the_model_and_leave_objects(world: World, local: LocalAccount) -> None:
    world.model("one")
    asked = {"EndpointName": "door", "ContentType": "text/plain"}
    output = {"S3OutputPath": OUT, "S3FailurePath": FAILED}
    world.sagemaker.create_endpoint_config(
        EndpointConfigName="waits",
        ProductionVariants=[variant("A", "one", 1.0)],
        AsyncInferenceConfig={"ClientConfig": {"MaxConcurrentInvocationsPerInstance": 2}, "OutputConfig": output},
    )
    world.config("at-once", ("A", "one", 1.0))
    world.serve("at-once")
    assert too_big(world)
    assert world.update("waits")["EndpointStatus"] == "InService"
    assert not too_big(world)
    local.client("s3").put_object(Bucket="mlops-tests", Key="asked.txt", Body=b"hello")
    told = world.runtime.invoke_endpoint_async(**asked, InputLocation="s3://mlops-tests/asked.txt", InferenceId="mine")
    assert told["InferenceId"] == "mine" and told["OutputLocation"].startswith(f"{OUT}/")
    assert object_at(local, told["OutputLocation"]) == "one: hello"
    inline = world.runtime.invoke_endpoint_async(
        **asked, Body=b"inline", Filename="it.txt", S3OutputPathExtension="day/one"
    )
    assert inline["OutputLocation"] == f"{OUT}/day/one/it.txt"
    assert object_at(local, inline["OutputLocation"]) == "one: inline"
    for given, failure in (
        ({"Body": b"boom"}, "no such word"),
        ({"InputLocation": "s3://mlops-tests/absent"}, "s3://mlops-tests/absent does not exist"),
    ):
        told = world.runtime.invoke_endpoint_async(**asked, **given)
        assert failure in object_at(local, told["FailureLocation"])
    with refused("ValidationError", "cannot be sent"):
        world.runtime.invoke_endpoint_async(**asked, Body=b"x", CustomAttributes="a\nb")
    with refused("ValidationError", "exactly one of InputLocation and Body"):
        world.runtime.invoke_endpoint_async(**asked)
    world.update("at-once")
    assert too_big(world)
    with refused("ValidationError", "no AsyncInferenceConfig"):
        world.runtime.invoke_endpoint_async(**asked, Body=b"x")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"until": 99.0}, "expired in the queue"),
        ({"input": "s3://mlops-tests/absent"}, "does not exist"),
        ({"headers": {"X-Amzn-SageMaker-Custom-Attributes": "a\nb"}}, "a header of the request cannot be sent"),
    ],
)
def test_what_waited_for_too_long_or_for_nothing_fails(
    local: LocalAccount, tmp_path: Path, changes: dict[str, Any], told: str
) -> None:
    """Written before anybody looks: as a process leaves it that died."""
    request: dict[str, Any] = {
        "id": "a/b",
        "endpoint": "e",
        "input": "",
        "output": f"{OUT}/x",
        "failure": f"{FAILED}/x",
    }
    times = {"came": 90.0, "until": 200.0, "seconds": 5.0}
    wait_for(tmp_path, Waiting(**{**request, "headers": {}, **times, **changes}))
    (tmp_path / "waiting" / "broken.json").write_text("{")
    queue = Queue(tmp_path, 9, LocalObjects(local.state), clock=lambda: 100.0)
    assert told in object_at(local, f"{FAILED}/x")
    while [*(tmp_path / "waiting").iterdir()]:
        time.sleep(0.01)
    queue.close()


def test_what_cannot_be_kept_anywhere_does_not_wait_for_ever(local: LocalAccount, tmp_path: Path) -> None:
    nowhere = {"output": "https://example.com/x", "failure": "s3://No_Bucket/x"}
    times = {"came": 90.0, "until": 99.0, "seconds": 5.0}
    for _ in range(2):
        wait_for(tmp_path, Waiting(id="same", endpoint="e", input="", headers={}, **nowhere, **times))
    assert len([*(tmp_path / "waiting").iterdir()]) == 2
    queue = Queue(tmp_path, 9, LocalObjects(local.state), clock=lambda: 100.0)
    deadline = time.monotonic() + 30
    while [*(tmp_path / "waiting").iterdir()] and time.monotonic() < deadline:
        time.sleep(0.01)
    queue.close()
    assert not [*(tmp_path / "waiting").iterdir()]
