"""What a watching command hears of an execution: the same whether the account keeps events or is only asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops.account.local import LocalAccount
from mlops.deploy.executions.following import follow
from mlops.ir import Event

ROLE = "arn:aws:iam::000000000000:role/pipelines"


class AskedAccount(LocalAccount):
    """One that keeps no events, as AWS keeps none."""

    @property
    def events(self) -> None:  # type: ignore[override]
        return None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("happening")


@pytest.fixture(scope="module")
def arn(folder: Path) -> str:
    """An execution with a condition, a job that fails and one that never starts; it ends before it is watched."""
    condition = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
    choice = {"Conditions": [condition], "IfSteps": [], "ElseSteps": []}
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
    cluster = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
    job = {
        "ProcessingResources": {"ClusterConfig": cluster},
        "AppSpecification": {"ImageUri": image, "ContainerEntrypoint": ["/bin/sh", "-c", "echo no; exit 3"]},
        "RoleArn": ROLE,
    }
    steps = [
        {"Name": "Choose", "Type": "Condition", "Arguments": choice},
        {"Name": "Work", "Type": "Processing", "Arguments": job},
        {"Name": "Never", "Type": "Processing", "Arguments": job, "DependsOn": ["Work"]},
    ]
    sagemaker = LocalAccount(folder, "us-east-1").client("sagemaker")
    definition = json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": steps})
    sagemaker.create_pipeline(PipelineName="churn", PipelineDefinition=definition, RoleArn=ROLE)
    started = str(sagemaker.start_pipeline_execution(PipelineName="churn")["PipelineExecutionArn"])
    follow(LocalAccount(folder, "us-east-1"), started)
    return started


def heard(account: LocalAccount, arn: str) -> list[Event]:
    found: list[Event] = []
    follow(account, arn, found.append)
    return found


def test_events_that_are_kept_and_those_that_are_made_are_the_same_values(folder: Path, arn: str) -> None:
    kept, made = heard(LocalAccount(folder, "us-east-1"), arn), heard(AskedAccount(folder, "us-east-1"), arn)
    assert [event.sequence is None for event in kept] == [False] * 3
    assert [event.sequence is None for event in made] == [True] * 3
    for one, other in zip(kept, made, strict=True):
        assert (one.kind, one.about, one.ids, one.detail) == (other.kind, other.about, other.ids, other.detail)
    assert [(event.about, event.detail["status"]) for event in kept] == [
        ("Choose", "Succeeded"),
        ("Work", "Failed"),
        (arn, "Failed"),
    ]
    assert kept[0].detail["outcome"] == "True"
    assert kept[1].ids["job"] and "exit" in str(kept[1].detail["failure"])


def test_who_watches_from_the_beginning_hears_every_word_once(folder: Path, arn: str) -> None:
    account = LocalAccount(folder, "us-east-1")
    sagemaker = account.client("sagemaker")
    sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
    found = heard(account, arn)
    words = [(event.about, event.detail["status"], event.detail.get("attempt")) for event in found]
    assert len(words) == len(set(words))
    assert [word for word in words if word[0] == "Work"][-1:] == [("Work", "Failed", 2)]
    assert words[-1][:2] == (arn, "Failed")
    assert [event.time for event in found] == sorted(event.time for event in found)


def test_an_execution_of_which_nothing_was_kept_is_told_all_the_same(folder: Path, arn: str) -> None:
    """As an older mlops has run it."""
    account = LocalAccount(folder, "us-east-1")
    with account.state.store.transaction() as connection:
        connection.execute("DELETE FROM event_id")
    assert [event.about for event in heard(account, arn)] == ["Choose", "Work", arn]
