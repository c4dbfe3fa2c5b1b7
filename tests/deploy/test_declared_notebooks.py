"""A declared notebook instance and its scripts: made, stopped to be changed and started again, removed."""

from __future__ import annotations

from typing import Any

import pytest

from mlops.deploy.declared import plan_report
from mlops.deploy.declared.destroy import destroy, plan_removal
from mlops.deploy.declared.plan import Change
from mlops.deploy.declared.wanting import HALTED, RESOURCE
from mlops.deploy.resources.notebook_instance import RESOURCE_TYPE
from mlops.ir import Refusal

from .conftest import World
from .cut_off import killed_behind
from .test_declared import LOCAL, planned, upserted

DECLARED = """
from mlops import resources
setup = resources.NotebookInstanceLifecycleConfig("Setup", on_start="#!/bin/bash\\nset -e\\ndate\\n", idle_stop={a})
resources.NotebookInstance(
    "Research", instance="ml.t3.medium", subnet="subnet-1", security_groups=["sg-1"], volume=50,
    lifecycle=setup.lifecycle_config_name, repository="https://git.acme.example/notebooks", tags={{"team": "growth"}},
)
"""
LARGER = DECLARED.replace("ml.t3.medium", "ml.t3.xlarge").replace(
    ' repository="https://git.acme.example/notebooks",', ""
)
NAME = {"NotebookInstanceName": "Research"}


def described(world: World) -> Any:
    return world.account.client("sagemaker").describe_notebook_instance(**NAME)


def tags(world: World) -> dict[str, str]:
    arn = described(world)["NotebookInstanceArn"]
    found = world.account.client("sagemaker").list_tags(ResourceArn=arn)["Tags"]
    return {item["Key"]: item["Value"] for item in found}


def of_notebook(world: World, text: str) -> Change:
    return next(item for item in planned(world, text, a="60").changes if item.type == "notebook-instance")


@LOCAL
def test_it_is_made_changed_and_removed(world: World) -> None:
    """moto knows neither an update nor tags of these."""
    labels = [action.label for action in planned(world, DECLARED, a="60").actions]
    assert labels == ["create the notebook-instance-lifecycle-config Setup", "create the notebook-instance Research"]
    upserted(world, DECLARED, a="60")
    assert not planned(world, DECLARED, a="60").actions
    told = described(world)
    assert (told["DirectInternetAccess"], told["RootAccess"], told["SecurityGroups"]) == (
        "Disabled",
        "Disabled",
        ["sg-1"],
    )
    assert (told["NotebookInstanceLifecycleConfigName"], told["NotebookInstanceStatus"]) == ("Setup", "InService")
    assert (tags(world)[RESOURCE], tags(world)["team"]) == ("notebook-instance Research", "growth")

    plan = planned(world, DECLARED, a="30")
    assert [action.label for action in plan.actions] == ["update the notebook-instance-lifecycle-config Setup"]
    upserted(world, DECLARED, a="30")
    upserted(world, DECLARED, a="60")

    plan = planned(world, LARGER, a="60")
    text = plan_report.text(plan)
    assert "~ /InstanceType: ml.t3.medium -> ml.t3.xlarge" in text
    assert "stop it, which ends what runs in it" in text
    upserted(world, LARGER, a="60")
    told = described(world)
    assert (told["InstanceType"], told["NotebookInstanceStatus"]) == ("ml.t3.xlarge", "InService")
    assert "DefaultCodeRepository" not in told
    assert HALTED not in tags(world)
    assert not planned(world, LARGER, a="60").actions

    removal = plan_removal(world.account, world.environment, "Research")
    assert removal.labels == ("notebook-instance Research",)
    destroy(world.account, world.environment, removal)
    destroy(world.account, world.environment, plan_removal(world.account, world.environment, "Setup"))
    sagemaker = world.account.client("sagemaker")
    assert not sagemaker.list_notebook_instances()["NotebookInstances"]
    assert not sagemaker.list_notebook_instance_lifecycle_configs()["NotebookInstanceLifecycleConfigs"]


@LOCAL
def test_one_that_was_stopped_stays_so(world: World) -> None:
    upserted(world, DECLARED, a="60")
    world.account.client("sagemaker").stop_notebook_instance(**NAME)
    assert not planned(world, DECLARED, a="60").actions
    assert of_notebook(world, LARGER).steps == ()
    upserted(world, LARGER, a="60")
    assert (described(world)["InstanceType"], described(world)["NotebookInstanceStatus"]) == ("ml.t3.xlarge", "Stopped")


@LOCAL
@pytest.mark.parametrize("after", ["StopNotebookInstance", "UpdateNotebookInstance", "StartNotebookInstance"])
def test_what_was_cut_off_is_started_again(world: World, after: str) -> None:
    upserted(world, DECLARED, a="60")
    with killed_behind(after):
        upserted(world, LARGER, a="60")
    assert HALTED in tags(world)
    assert planned(world, LARGER, a="60").drift == ()
    upserted(world, LARGER, a="60")
    assert (described(world)["InstanceType"], described(world)["NotebookInstanceStatus"]) == (
        "ml.t3.xlarge",
        "InService",
    )
    assert HALTED not in tags(world)
    assert not planned(world, LARGER, a="60").actions


@LOCAL
def test_what_cannot_be_changed_is_refused_before_it_is_stopped(world: World) -> None:
    upserted(world, DECLARED, a="60")
    with pytest.raises(Refusal, match="can only grow"):
        upserted(world, DECLARED.replace("volume=50", "volume=20"), a="60")
    with pytest.raises(Refusal, match="SubnetId of the notebook-instance Research cannot be changed"):
        upserted(world, DECLARED.replace("subnet-1", "subnet-2"), a="60")
    assert described(world)["NotebookInstanceStatus"] == "InService"


def test_states_are_waited_for_and_a_failure_is_told() -> None:
    kept = RESOURCE_TYPE.kept
    assert kept is not None
    assert kept.pause is not None
    rows = {"Pending": ("pending", False), "InService": (None, True), "Stopping": ("stopping", False)}
    for status, wanted in rows.items():
        reply = {"NotebookInstanceStatus": status}
        assert (kept.busy(reply), kept.pause.runs(reply)) == wanted
    assert kept.failed({"NotebookInstanceStatus": "Failed", "FailureReason": "no address"}) == "no address"
    assert kept.failed({"NotebookInstanceStatus": "InService"}) is None
