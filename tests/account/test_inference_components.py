"""Inference components: several models on one endpoint, each asked by its name, with copies that come and go."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from account_definitions import IMAGE, ROLE
from endpoint_parts import World, refused

from mlops.account.local import LocalAccount
from mlops.account.local.process.serving.component_rows import ComponentRows
from mlops.account.local.refusal import invalid
from mlops.account.local.services.sagemaker import inference_components, resources
from mlops.deploy.endpoints.serving import describe

NEEDS = {"MinMemoryRequiredInMb": 512}
HOSTING = {"VariantName": "All", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}


@pytest.fixture
def world(local: LocalAccount) -> Iterator[World]:
    found = World(local)
    yield found
    for item in found.sagemaker.list_inference_components()["InferenceComponents"]:
        settled(found, item["InferenceComponentName"])
        found.sagemaker.delete_inference_component(InferenceComponentName=item["InferenceComponentName"])
    until_gone(found)
    found.close()


def hosting(world: World, name: str = "holds") -> None:
    world.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[HOSTING], ExecutionRoleArn=ROLE)


def component(world: World, name: str, model: str, **more: Any) -> None:
    specification = {"ModelName": model, "ComputeResourceRequirements": NEEDS}
    given = {"EndpointName": "door", "VariantName": "All", "Specification": specification}
    world.sagemaker.create_inference_component(
        InferenceComponentName=name, **{**given, "RuntimeConfig": {"CopyCount": 1}, **more}
    )


def settled(world: World, name: str, seconds: float = 30) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found: dict[str, Any] = world.sagemaker.describe_inference_component(InferenceComponentName=name)
        if found["InferenceComponentStatus"] not in ("Creating", "Updating"):
            return found
        time.sleep(0.02)
    raise AssertionError(f"not settled: {found}")


def until_gone(world: World, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while world.sagemaker.list_inference_components()["InferenceComponents"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_component_answers_by_its_name_and_scales_to_nothing(world: World) -> None:
    world.model("one")
    hosting(world)
    assert world.serve("holds")["EndpointStatus"] == "InService"
    assert describe(world.local, "door")["Models"] == {}
    component(world, "churn", "one")
    with refused("ValidationException", "while it is in state CREATE_IN_PROGRESS"):
        world.sagemaker.delete_inference_component(InferenceComponentName="churn")
    told = settled(world, "churn")
    assert (told["InferenceComponentStatus"], told["RuntimeConfig"]) == (
        "InService",
        {"DesiredCopyCount": 1, "CurrentCopyCount": 1},
    )
    assert world.ask("hello", InferenceComponentName="churn") == "All one: hello"
    for given, said in (
        ({}, "header is required for endpoints to which you plan to deploy"),
        ({"InferenceComponentName": "other"}, "Inference Component other was not found for endpoint door"),
    ):
        with refused("ValidationError", said):
            world.ask("hello", **given)
    with refused("ValidationException", "has the inference components churn"):
        world.sagemaker.delete_endpoint(EndpointName="door")
    world.sagemaker.update_inference_component_runtime_config(
        InferenceComponentName="churn", DesiredRuntimeConfig={"CopyCount": 0}
    )
    assert settled(world, "churn")["RuntimeConfig"] == {"DesiredCopyCount": 0, "CurrentCopyCount": 0}
    with refused("ValidationError", "Inference Component has no capacity"):
        world.ask("hello", InferenceComponentName="churn")


@pytest.mark.parametrize(
    ("served", "pending", "told"),
    [
        (True, {"Revision": 2, "Specification": {"ModelName": "new"}}, "The update was given up"),
        (True, {"Revision": 2, "Specification": {"ModelName": "old"}}, None),
        (True, None, None),
        (False, {"Revision": 1, "Specification": {"ModelName": "old"}}, None),
    ],
)
def test_an_update_that_ends_with_its_process_is_told(
    local: LocalAccount, served: bool, pending: dict[str, Any] | None, told: str | None
) -> None:
    state, rows = local.state, ComponentRows(local.state, "door")
    body = {
        "InferenceComponentName": "a", "EndpointName": "door", "VariantName": "All", "CopyCount": 1, "Revision": 2,
        "CurrentCopyCount": 1, "Specification": {"ModelName": "old"}, "Pending": pending, "Served": served,
    }  # fmt: skip
    resources.insert(state, "InferenceComponent", "a", body, taken=invalid("taken"), status="x")
    for _ in range(2):  # it may be killed again
        rows.begin_anew()
    rows.serving("a", "4", 1)
    (found,) = inference_components.of_endpoint(state, "door")
    assert (found["Status"], found["Specification"], found["Pending"]) == ("InService", {"ModelName": "old"}, None)
    assert (found["FailureReason"] or "").startswith(told or "") and bool(found["FailureReason"]) is bool(told)
    kinds = [event.kind for event in local.events.read()]
    assert kinds == [f"inference-component.{'update-failed' if told else 'in-service'}"]
    rows.serving("a", "4", 1)
    assert inference_components.of_endpoint(state, "door")[0]["FailureReason"] is None


@pytest.mark.proof("deep")
def test_models_of_one_endpoint_are_updated_killed_and_deleted_alone(world: World, local: LocalAccount) -> None:
    for name in ("one", "two", "three"):
        world.model(name)
    world.model("bad", "def model_fn(folder):\n    raise ValueError('the weights are of another model')\n")
    hosting(world)
    world.serve("holds")
    component(world, "a", "one")
    container = {
        "Image": IMAGE,
        "ArtifactUrl": "s3://mlops-tests/two.tar.gz",
        "Environment": {"SAGEMAKER_PROGRAM": "inference.py"},
    }
    component(world, "b", "", Specification={"Container": container, "ComputeResourceRequirements": NEEDS},
              RuntimeConfig={"CopyCount": 2})  # fmt: skip
    component(world, "c", "bad")
    assert (
        settled(world, "a")["InferenceComponentStatus"]
        == settled(world, "b")["InferenceComponentStatus"]
        == "InService"
    )
    failed = settled(world, "c")
    assert failed["InferenceComponentStatus"] == "Failed" and "of another model" in failed["FailureReason"]
    assert world.ask("x", InferenceComponentName="a") == "All one: x"
    assert world.ask("x", InferenceComponentName="b") == "All two: x"
    world.sagemaker.update_inference_component(
        InferenceComponentName="a", Specification={"ModelName": "three", "ComputeResourceRequirements": NEEDS}
    )
    with refused("ValidationException", "while it is in state UPDATE_IN_PROGRESS"):
        world.sagemaker.update_inference_component_runtime_config(
            InferenceComponentName="a", DesiredRuntimeConfig={"CopyCount": 2}
        )
    assert settled(world, "a")["Specification"]["ModelName"] == "three"
    assert world.ask("x", InferenceComponentName="a") == "All three: x"
    world.sagemaker.update_inference_component(InferenceComponentName="a", Specification={"ModelName": "bad"})
    kept = settled(world, "a")
    assert (kept["InferenceComponentStatus"], kept["Specification"]["ModelName"]) == ("InService", "three")
    assert world.ask("x", InferenceComponentName="a") == "All three: x"
    for given, said in (
        ({"Container": {"Image": IMAGE}, "ModelName": "two"}, "exclude each other"),
        ({"Container": {"ArtifactUrl": "s3://mlops-tests/two.tar.gz"}}, "has no Image"),
        ({"ModelName": "none"}, "Could not find model"),
    ):
        with refused("ValidationException", said):
            world.sagemaker.update_inference_component(InferenceComponentName="a", Specification=given)
    with refused("ModelError", "no such word"):
        world.ask("boom", InferenceComponentName="b")
    with refused("ModelError"):
        world.ask("die", InferenceComponentName="a")
    assert world.ask("x", InferenceComponentName="a") == "All three: x"
    logs = local.client("logs")
    streams = logs.describe_log_streams(logGroupName="/aws/sagemaker/InferenceComponents/b")["logStreams"]
    assert len(streams) == 2 and all(item["logStreamName"].startswith("All/") for item in streams)
    world.config("models", ("All", "one", 1.0))
    with refused("ValidationException", "delete it first"):
        world.update("models")
    for name in "abc":
        world.sagemaker.delete_inference_component(InferenceComponentName=name)
    until_gone(world)
    with refused("ValidationError", "Inference Component a was not found"):
        world.ask("x", InferenceComponentName="a")
    world.update("models")
    assert world.ask("x") == "All one: x"
    with refused("ValidationError", "header is not allowed for endpoints"):
        world.ask("x", InferenceComponentName="a")
    with refused("ValidationException", "Inference Components are not supported in this Endpoint"):
        component(world, "d", "one")


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("a base", {"Specification": {"BaseInferenceComponentName": "b", "Container": {}}}, "give it a model of its own"),
    ("no copy", {"RuntimeConfig": {"CopyCount": 0}}, "copy count"),
    ("no variant", {"VariantName": "Other"}, "has no variant Other; it has All"),
    ("no endpoint", {"EndpointName": "none"}, "Could not find endpoint"),
    (
        "no model",
        {"Specification": {"ModelName": "none", "ComputeResourceRequirements": NEEDS}},
        "Could not find model",
    ),
    (
        "nothing to run",
        {"Specification": {"ComputeResourceRequirements": NEEDS}},
        "nothing says what the component runs",
    ),
]


def test_what_is_no_component(world: World) -> None:
    world.model("one")
    hosting(world)
    with refused("ValidationException", "ExecutionRoleArn"):
        world.sagemaker.create_endpoint_config(EndpointConfigName="bare", ProductionVariants=[HOSTING])
    world.serve("holds")
    for _, given, said in REFUSED:
        with refused("ValidationException", said):
            component(world, "churn", "one", **given)
    for call, given in (
        ("describe_inference_component", {}),
        ("delete_inference_component", {}),
        ("update_inference_component", {"RuntimeConfig": {"CopyCount": 1}}),
    ):
        with refused("ValidationException", "Could not find inference component"):
            getattr(world.sagemaker, call)(InferenceComponentName="none", **given)
    assert world.sagemaker.list_inference_components()["InferenceComponents"] == []
