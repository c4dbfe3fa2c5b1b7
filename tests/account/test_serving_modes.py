"""Containers that host many models, containers that are asked one by one, and what does not go together."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest
from account_definitions import IMAGE, ROLE
from endpoint_parts import INFERENCE, World, refused, variant

from mlops.account.local import LocalAccount
from mlops.account.local.process.serving.shelves import MOST

COUNTED = """
import os
with open(os.path.join(os.path.dirname(__file__), "..", "word")) as file: word = file.read()
def model_fn(folder):
    print("loaded " + word, flush=True)
    if word == "bad":
        raise ValueError("no such weights")
    return word
def transform_fn(model, body, kind, accept):
    if body == b"die":
        os._exit(9)
    return model + " " + os.environ["SAGEMAKER_MULTI_MODEL"]
"""


@pytest.fixture
def world(local: LocalAccount) -> Iterator[World]:
    found = World(local)
    yield found
    found.close()


def put(world: World, key: str, word: str) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in (("code/inference.py", COUNTED), ("word", word)):
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    world.local.client("s3").put_object(Bucket="mlops-tests", Key=key, Body=packed.getvalue())


def many(world: World, **more: Any) -> dict[str, Any]:
    return {"Image": IMAGE, "Mode": "MultiModel", "ModelDataUrl": "s3://mlops-tests/many/", **more}


def loaded(world: World) -> list[str]:
    logs = world.local.state.endpoint_folder("door").glob("logs/*/*.txt")
    lines = [line for log in logs for line in log.read_text().splitlines()]
    return sorted(line.removeprefix("loaded ") for line in lines if line.startswith("loaded "))


def test_models_are_loaded_when_they_are_asked_for_and_unloaded_when_they_are_many(world: World) -> None:
    words = [f"m{number}" for number in range(MOST + 1)]
    for word in (*words, "bad"):
        put(world, f"many/{word}.tar.gz", word)
    world.sagemaker.create_model(ModelName="many", ExecutionRoleArn=ROLE, PrimaryContainer=many(world))
    world.config("c1", ("A", "many", 1))
    assert world.serve("c1")["EndpointStatus"] == "InService"
    assert loaded(world) == []
    assert world.ask(TargetModel="m0.tar.gz") == world.ask(TargetModel="m0.tar.gz") == "A m0 true"
    assert loaded(world) == ["m0"]
    for headers, said in (
        ({}, "Target model header is required"),
        ({"TargetModel": "absent.tar.gz"}, "many/absent.tar.gz does not exist"),
        ({"TargetModel": "../many/m0.tar.gz"}, "is not below s3://mlops-tests/many/"),
    ):
        with refused("ValidationError", said):
            world.ask(**headers)
    with refused("ModelError", "no such weights"):
        world.ask(TargetModel="bad.tar.gz")
    # One that dies fails who was inside, and is loaded again for the next.
    with refused("ModelError"):
        world.ask("die", TargetModel="m0.tar.gz")
    assert world.ask(TargetModel="m0.tar.gz") == "A m0 true"
    # The one that was asked least recently gives way.
    for word in words[1:]:
        world.ask(TargetModel=f"{word}.tar.gz")
    before = loaded(world)
    assert world.ask(TargetModel=f"{words[-1]}.tar.gz") == f"A {words[-1]} true" and loaded(world) == before
    assert world.ask(TargetModel="m0.tar.gz") == "A m0 true"
    assert loaded(world) == sorted([*before, "m0"])
    # What is loaded stays while another configuration with the variant comes.
    world.config("c2", ("A", "many", 1))
    world.update("c2")
    assert world.ask(TargetModel="m0.tar.gz") == "A m0 true"


def test_without_a_cache_each_request_loads_its_model(world: World) -> None:
    put(world, "many/m0.tar.gz", "m0")
    setting = {"MultiModelConfig": {"ModelCacheSetting": "Disabled"}}
    world.sagemaker.create_model(ModelName="many", ExecutionRoleArn=ROLE, PrimaryContainer=many(world, **setting))
    world.config("c1", ("A", "many", 1))
    assert world.serve("c1")["EndpointStatus"] == "InService"
    for _ in range(2):
        assert world.ask(TargetModel="m0.tar.gz") == "A m0 true"
    assert loaded(world) == ["m0", "m0"]


def test_containers_that_are_invoked_directly(world: World) -> None:
    for part in ("first", "second"):
        world.model(part, INFERENCE.format(name=part))
    containers = [
        {**world.sagemaker.describe_model(ModelName=part)["PrimaryContainer"], "ContainerHostname": f"{part}-one"}
        for part in ("first", "second")
    ]
    direct = {"InferenceExecutionConfig": {"Mode": "Direct"}, "ExecutionRoleArn": ROLE}
    world.sagemaker.create_model(ModelName="direct", Containers=containers, **direct)
    world.config("c1", ("A", "direct", 1))
    assert world.serve("c1")["EndpointStatus"] == "InService"
    assert world.ask(TargetContainerHostname="first-one") == "A first: hello"
    assert world.ask(TargetContainerHostname="second-one") == "A second: hello"
    with refused("ModelError", "no such word"):
        world.ask("boom", TargetContainerHostname="second-one")
    with refused("ValidationError", "is required for direct invocation: variant A has first-one, second-one"):
        world.ask()
    with refused("ValidationError", "third was not found"):
        world.ask(TargetContainerHostname="third")
    with refused("ValidationError", "Target model header is not allowed"):
        world.ask(TargetModel="m.tar.gz", TargetContainerHostname="first-one")


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        pytest.param({"Containers": [many(None), {"Image": IMAGE}]}, "not supported with inference", id="in a row"),
        pytest.param(
            {"PrimaryContainer": {"Image": IMAGE, "Mode": "MultiModel"}},
            "needs an Image and a ModelDataUrl",
            id="where",
        ),
        pytest.param(
            {"Containers": [{"Image": IMAGE}] * 2, "InferenceExecutionConfig": {"Mode": "Direct"}},
            "need a ContainerHostname each",
            id="direct without names",
        ),
    ],
)
def test_models_that_are_refused(world: World, request_: dict[str, Any], said: str) -> None:
    with refused("ValidationException", said):
        world.sagemaker.create_model(ModelName="m", ExecutionRoleArn=ROLE, **request_)


@pytest.mark.parametrize(
    ("model", "more", "said"),
    [
        pytest.param({"EnableNetworkIsolation": True}, {}, "network isolation", id="isolated"),
        pytest.param({"PrimaryContainer": many(None)}, {}, "a MultiModel container", id="many models"),
        pytest.param({}, {"other": True}, "other variants", id="beside another"),
        pytest.param({"Containers": [{"Image": IMAGE}] * 2}, {}, "several containers", id="a row"),
        pytest.param({}, {"DataCaptureConfig": True}, "data capture", id="captured"),
    ],
)
def test_what_does_not_go_with_a_serverless_variant(
    world: World, model: dict[str, Any], more: dict[str, Any], said: str
) -> None:
    container = {} if "Containers" in model else {"PrimaryContainer": {"Image": IMAGE}}
    world.sagemaker.create_model(ModelName="m", ExecutionRoleArn=ROLE, **{**container, **model})
    serverless = {
        "VariantName": "A",
        "ModelName": "m",
        "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1},
    }
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://mlops-tests/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    variants = [serverless, *([variant("B", "m", 1)] if more.get("other") else [])]
    with refused("ValidationException", f"is serverless, which does not go with {said}"):
        world.sagemaker.create_endpoint_config(
            EndpointConfigName="c",
            ProductionVariants=variants,
            **({"DataCaptureConfig": capture} if "DataCaptureConfig" in more else {}),
        )
