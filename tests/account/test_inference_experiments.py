"""Inference experiments of the embedded account: a shadow for a time, on a real endpoint, and whoever is killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from account_definitions import ROLE
from account_parts import runner_with
from botocore.exceptions import ClientError
from endpoint_parts import World, refused

from mlops.account.local import LocalAccount

CSV = {"CsvContentTypes": ["text/plain"]}


def model_variant(name: str, model: str, count: int = 1, instance: str = "ml.m5.large") -> dict[str, Any]:
    real_time = {"InstanceType": instance, "InstanceCount": count}
    infrastructure = {"InfrastructureType": "RealTimeInference", "RealTimeInferenceConfig": real_time}
    return {"ModelName": model, "VariantName": name, "InfrastructureConfig": infrastructure}


def mode(percent: int = 100, source: str = "A", shadow: str = "S") -> dict[str, Any]:
    shown = {"ShadowModelVariantName": shadow, "SamplingPercentage": percent}
    return {"SourceModelVariantName": source, "ShadowModelVariants": [shown]}


def asked(**more: Any) -> dict[str, Any]:
    usual = {
        "Name": "trial",
        "Type": "ShadowMode",
        "RoleArn": ROLE,
        "EndpointName": "door",
        "ModelVariants": [model_variant("A", "one"), model_variant("S", "two")],
        "ShadowModeConfig": mode(),
    }
    return {**usual, **more}


def soon(**after: float) -> datetime:
    return datetime.now(UTC) + timedelta(**after)


class Trials(World):
    def create(self, **more: Any) -> None:
        self.sagemaker.create_inference_experiment(**asked(**more))

    def see(self, name: str = "trial") -> dict[str, Any]:
        found: dict[str, Any] = self.sagemaker.describe_inference_experiment(Name=name)
        return found

    def until(self, *statuses: str, seconds: float = 60) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while (found := self.see())["Status"] not in statuses:
            assert time.monotonic() < deadline, found
            time.sleep(0.02)
        return found

    def stop(self, source: str, shadow: str, **more: Any) -> None:
        self.sagemaker.stop_inference_experiment(Name="trial", ModelVariantActions={"A": source, "S": shadow}, **more)

    def answers(self, but: int) -> bool:
        """A process that is not the one that was killed."""
        try:
            # Asked first: a runner that nobody has started is waited for, and nobody would see then that one is gone.
            return bool(self.ask()) and runner_with(str(self.local.state.folder)) != but
        except (ClientError, AssertionError, StopIteration):
            return False

    def variants(self) -> dict[str, list[str]]:
        config = self.sagemaker.describe_endpoint(EndpointName="door")["EndpointConfigName"]
        found = self.sagemaker.describe_endpoint_config(EndpointConfigName=config)
        members = ("ProductionVariants", "ShadowProductionVariants")
        return {member[0]: [f"{item['VariantName']} {item['ModelName']}" for item in found.get(member, [])]
                for member in members}  # fmt: skip


@pytest.fixture
def world(local: LocalAccount) -> Iterator[Trials]:
    found = Trials(local)
    found.model("one")
    found.model("two")
    found.config("first", ("A", "one", 1))
    yield found
    found.close()


def test_a_trial_is_shown_what_production_is_shown_and_ends_as_it_is_asked_to(world: Trials) -> None:
    world.serve("first")
    storage = {"Destination": "s3://mlops-tests/kept", "ContentType": CSV}
    world.create(DataStorageConfig=storage, Description="two beside one", Tags=[{"Key": "team", "Value": "ml"}])
    found = world.until("Running")
    assert [(item["VariantName"], item["Status"]) for item in found["ModelVariants"]] == [
        ("A", "InService"),
        ("S", "InService"),
    ]
    assert found["Schedule"]["EndTime"] - found["Schedule"]["StartTime"] == timedelta(days=7)
    tags = world.sagemaker.list_tags(ResourceArn=found["Arn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "ml"}]
    assert world.variants() == {"P": ["A one"], "S": ["S two"]}
    assert {world.ask() for _ in range(5)} == {"A one: hello"}
    deadline = time.monotonic() + 60
    while len(pairs := [*world.local.shadow_pairs("door")[0]]) < 5:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert {(pair.shadow, pair.same, pair.input) for pair in pairs} == {("S", False, "hello")}
    # What served before is kept for the way back.
    with refused("ValidationException", "trial brings first back"):
        world.sagemaker.delete_endpoint_config(EndpointConfigName="first")
    with refused("ConflictException", "Running"):
        world.sagemaker.delete_inference_experiment(Name="trial")
    with refused("ResourceInUse", "trial is Running on endpoint door"):
        world.create(Name="another")
    world.stop("Retain", "Remove", DesiredState="Completed", Reason="seen enough")
    found = world.until("Completed")
    assert found["StatusReason"] == "seen enough" and found["CompletionTime"] <= datetime.now(UTC)
    assert found["EndpointMetadata"]["EndpointConfigName"] == "first"
    assert [item["Status"] for item in found["ModelVariants"]] == ["InService", "Deleted"]
    assert world.ask() == "A one: hello"
    kinds = [item.kind for item in world.local.events.read() if item.kind.startswith("inference-experiment.")]
    assert kinds == [f"inference-experiment.{kind}" for kind in
                     ("created", "starting", "running", "stopping", "completed")]  # fmt: skip
    world.sagemaker.delete_inference_experiment(Name="trial")
    with refused("ResourceNotFound"):
        world.see()


@pytest.mark.proof("verdicts")
def test_a_shadow_is_promoted_with_the_instances_that_are_wanted(world: Trials) -> None:
    world.serve("first")
    world.create(ShadowModeConfig=mode(50))
    world.until("Running")
    for actions, said in (
        ({"A": "Promote"}, "only S can be promoted"),
        ({"A": "Remove"}, "nothing would serve"),
        ({"X": "Retain"}, "X is no variant"),
    ):
        with refused("ValidationException", said):
            world.sagemaker.stop_inference_experiment(Name="trial", ModelVariantActions=actions)
    with refused("ValidationException", "A is no variant that stays"):
        world.stop("Remove", "Promote", DesiredModelVariants=[model_variant("A", "one")])
    world.stop("Remove", "Promote", DesiredModelVariants=[model_variant("S", "two", 2)])
    # Ended early by somebody: "Cancelled", unless another state is asked for.
    assert world.until("Completed", "Cancelled")["Status"] == "Cancelled"
    assert world.variants() == {"P": ["S two"], "S": []}
    (served,) = world.sagemaker.describe_endpoint(EndpointName="door")["ProductionVariants"]
    assert served["CurrentInstanceCount"] == 2
    assert world.ask() == "S two: hello"


@pytest.mark.proof("verdicts")
def test_a_trial_begins_and_ends_by_its_schedule_with_nobody_asking(world: Trials) -> None:
    world.serve("first")
    world.create(Schedule={"StartTime": soon(hours=1), "EndTime": soon(hours=2)})
    assert world.see()["Status"] == "Created"
    update = world.sagemaker.update_inference_experiment
    update(Name="trial", ShadowModeConfig=mode(20), ModelVariants=[model_variant("S", "two", 2)])
    update(Name="trial", Schedule={"StartTime": soon(seconds=0.5), "EndTime": soon(seconds=2)})
    rows = "SELECT status FROM resource WHERE kind = 'InferenceExperiment'"
    deadline = time.monotonic() + 60
    while (row := world.local.state.store.one(rows)) is None or row["status"] != "Completed":
        assert time.monotonic() < deadline, row and row["status"]
        time.sleep(0.05)
    found = world.see()
    assert found["EndpointMetadata"]["EndpointConfigName"] == "first"
    assert found["ShadowModeConfig"] == mode(20)
    seen = [item.kind.rpartition(".")[2] for item in world.local.events.read() if "experiment" in item.kind]
    assert seen == ["created", "starting", "running", "stopping", "completed"]


@pytest.mark.proof("verdicts")
def test_a_running_trial_is_changed_in_what_may_be_and_started_early(world: Trials) -> None:
    world.serve("first")
    world.create(Schedule={"StartTime": soon(hours=1)})
    world.sagemaker.start_inference_experiment(Name="trial")
    world.until("Running")
    update = world.sagemaker.update_inference_experiment
    for more, said in (
        ({"ModelVariants": [model_variant("S", "two", 2)]}, "While it runs only"),
        ({"Schedule": {"StartTime": soon(hours=2)}}, "only its EndTime"),
        ({"ShadowModeConfig": mode(shadow="T")}, "ModelVariants|stay as they are"),
    ):
        with refused("ValidationException", said):
            update(Name="trial", **more)
    with refused("ConflictException"):
        world.sagemaker.start_inference_experiment(Name="trial")
    update(Name="trial", ShadowModeConfig=mode(40), Description="less", Schedule={"EndTime": soon(days=1)})
    found = world.until("Running")
    assert (found["Description"], found["ShadowModeConfig"]) == ("less", mode(40))
    (shadow,) = world.sagemaker.describe_endpoint(EndpointName="door")["ShadowProductionVariants"]
    assert shadow["CurrentWeight"] == 0.4
    # Whoever takes the endpoint elsewhere ends it.
    world.update("first")
    found = world.until("Cancelled")
    assert "updated to first meanwhile" in found["StatusReason"]


@pytest.mark.proof("verdicts")
@pytest.mark.parametrize("at", ["Starting", "Running", "Stopping"])
def test_a_process_that_is_killed_is_followed_by_another_one(world: Trials, at: str) -> None:
    world.serve("first")
    world.create()
    if at != "Starting":
        world.until("Running")
    if at == "Stopping":
        world.stop("Retain", "Remove", DesiredState="Completed")
    killed = runner_with(str(world.local.state.folder))
    os.kill(killed, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while world.see()["Status"] not in ("Running", "Completed") or not world.answers(but=killed):
        assert time.monotonic() < deadline, world.see()
        time.sleep(0.02)
    world.until("Completed" if at == "Stopping" else "Running")
    assert world.variants() == {"P": ["A one"], "S": [] if at == "Stopping" else ["S two"]}
    assert world.ask() == "A one: hello"


def test_a_shadow_that_does_not_come_up_changes_nothing(world: Trials) -> None:
    world.model("bad", "def model_fn(folder):\n    raise ValueError('the weights are of another model')\n")
    world.serve("first")
    world.create(ModelVariants=[model_variant("A", "one"), model_variant("S", "bad")])
    assert "weights are of another model" in world.until("Cancelled")["StatusReason"]
    assert world.ask() == "A one: hello"


@pytest.mark.proof("verdicts")
def test_a_trial_makes_the_endpoint_where_there_is_none(world: Trials) -> None:
    world.create()
    world.until("Running")
    assert world.variants() == {"P": ["A one"], "S": ["S two"]}
    world.stop("Retain", "Remove", DesiredState="Completed")
    world.until("Completed")
    assert world.variants() == {"P": ["A one"], "S": []}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        pytest.param({"ModelVariants": [model_variant("A", "one")]}, "each once", id="one variant"),
        pytest.param({"ShadowModeConfig": mode(shadow="T")}, "each once", id="a shadow of another name"),
        pytest.param({"ShadowModeConfig": mode(0)}, "from 1 to 100", id="no request at all"),
        pytest.param({"ShadowModeConfig": mode(source="S", shadow="S")}, "each once", id="its own shadow"),
        pytest.param({"Schedule": {"EndTime": soon(hours=-1)}}, "not over", id="over already"),
        pytest.param({"Schedule": {"EndTime": soon(days=31)}}, "30 days", id="longer than a month"),
        pytest.param(
            {"Schedule": {"StartTime": soon(hours=2), "EndTime": soon(hours=1)}}, "later than", id="backwards"
        ),
        pytest.param(
            {"ModelVariants": [model_variant("A", "one"), model_variant("S", "none")]}, "not find model", id="no model"
        ),
        pytest.param(
            {"ModelVariants": [model_variant("A", "one", 0), model_variant("S", "two")]}, "at least 1", id="no instance"
        ),
        pytest.param(
            {"ModelVariants": [model_variant("A", "one"), model_variant("S", "two", 1, "ml.inf1.xlarge")]},
            "Inf1",
            id="Inf1",
        ),
        pytest.param({"DataStorageConfig": {"Destination": "https://x/y"}}, "no place in a bucket", id="no bucket"),
    ],
)
def test_what_cannot_be_tried_is_refused_before_anything_is_made(
    world: Trials, more: dict[str, Any], said: str
) -> None:
    with refused("ValidationException", said):
        world.create(**more)
    assert world.sagemaker.list_inference_experiments()["InferenceExperiments"] == []


def test_lists_names_and_times(world: Trials) -> None:
    for name in ("b-two", "a-one"):
        world.create(Name=name, EndpointName=name, Schedule={"StartTime": soon(hours=1)})
    listed = world.sagemaker.list_inference_experiments
    assert [item["Name"] for item in listed()["InferenceExperiments"]] == ["a-one", "b-two"]
    found = listed(SortBy="Name", SortOrder="Descending", NameContains="two", StatusEquals="Created")
    assert [item["Name"] for item in found["InferenceExperiments"]] == ["b-two"]
    with refused("ResourceInUse", "already exists"):
        world.create(Name="a-one", EndpointName="elsewhere", Schedule={"StartTime": soon(hours=1)})
    # Stopped before its time nothing was made.
    world.sagemaker.stop_inference_experiment(Name="a-one", ModelVariantActions={"S": "Remove"})
    assert world.see("a-one")["Status"] == "Cancelled"
    with pytest.raises(ClientError, match="Could not find endpoint"):
        world.sagemaker.describe_endpoint(EndpointName="a-one")
