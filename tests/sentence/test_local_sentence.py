"""A laptop without Docker and without an account: run, judge, decide, serve, ask, take away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Told, copy_project, mlops

pytestmark = pytest.mark.slow

PIPELINE = "pipelines/breast_cancer/pipeline.py"
GROUP = "breast-cancer"
SAMPLE = "pipelines/breast_cancer/sample.csv"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    folder = copy_project(tmp_path, "breast_cancer", "diabetes", "wine")
    yield folder
    if (folder / ".mlops").exists():
        for endpoint in mlops("endpoints", "list", "--format", "json", folder=folder).json:
            mlops("endpoints", "delete", endpoint["EndpointName"], folder=folder)


def versions(project: Path) -> dict[int, str]:
    """Approval by version."""
    listed = mlops("models", "list", GROUP, "--format", "json", folder=project).json
    return {item["version"]: item["approval"] for item in listed}


def statuses(told: Told) -> dict[str, str]:
    """Status by step, out of what ``--format json`` tells of an execution."""
    return {step["name"]: step["status"] for step in told.json["steps"]}


def test_the_whole_sentence(project: Path) -> None:
    first = mlops("run", PIPELINE, "--format", "json", folder=project)
    ran = ["Prepare", "Train", "Evaluate", "GoodEnough", "Register", "Model", "Score"]
    assert statuses(first) == dict.fromkeys(ran, "Succeeded")
    (listed,) = mlops("executions", "list", GROUP, "--format", "json", folder=project).json
    assert (listed["PipelineExecutionArn"], listed["PipelineExecutionStatus"]) == (first.json["arn"], "Succeeded")

    assert versions(project) == {1: "PendingManualApproval"}
    shown = mlops("models", "show", GROUP, "--format", "json", folder=project).json
    assert shown["Metrics"]["accuracy"] > 0.9

    pending = mlops("promote", GROUP, "--to", "local", folder=project, code=1)
    assert "no approved version: 1 PendingManualApproval" in pending.err
    mlops("models", "reject", GROUP, "1", "--reason", "one forest is none", folder=project)
    rejected = mlops("promote", GROUP, "--to", "local", "--version", "1", folder=project, code=1)
    assert "version 1 of breast-cancer is Rejected" in rejected.err
    assert mlops("endpoints", "list", "--format", "json", folder=project).json == []

    mlops("run", PIPELINE, "-p", "Trees=50", folder=project)
    assert versions(project) == {1: "Rejected", 2: "PendingManualApproval"}
    mlops("models", "approve", GROUP, "2", folder=project)
    promoted = mlops("promote", GROUP, "--to", "local", "--format", "json", folder=project).json
    assert (promoted["version"], promoted["action"]) == (2, "created")
    assert len(numbers(promoted["answers"][0]["body"])) == 2
    again = mlops("promote", GROUP, "--to", "local", "--format", "json", folder=project).json
    assert (again["version"], again["action"], again["config"]) == (2, "unchanged", promoted["config"])

    answer = mlops("endpoints", "invoke", GROUP, SAMPLE, folder=project)
    malignant, benign = answer.json
    assert 0 <= malignant < 0.5 < benign <= 1
    answer = mlops("endpoints", "invoke", GROUP, SAMPLE, "--accept", "text/csv", folder=project)
    assert numbers(answer.out) == [malignant, benign]

    mlops("models", "approve", GROUP, "1", folder=project)
    assert versions(project) == {1: "Approved", 2: "Approved"}
    mlops("endpoints", "delete", GROUP, folder=project)
    assert mlops("endpoints", "list", "--format", "json", folder=project).json == []
    assert "there is no endpoint" in mlops("endpoints", "invoke", GROUP, SAMPLE, folder=project, code=2).err


def test_a_model_that_is_not_good_enough_takes_the_other_branch(project: Path) -> None:
    told = mlops("run", PIPELINE, "-p", "MinAccuracy=0.9999", "--format", "json", folder=project, code=1)
    assert statuses(told)["NotGoodEnough"] == "Failed"
    assert {"Register", "Model", "Score"}.isdisjoint(statuses(told))
    assert "NotGoodEnough failed: accuracy is below 0.9999" in told.err
    assert mlops("models", "list", "--format", "json", folder=project).json == []


def test_a_script_that_raises_is_told_with_its_step_its_reason_and_the_end_of_its_log(project: Path) -> None:
    script = project / "pipelines" / "wine" / "train" / "train.py"
    script.write_text(f"{script.read_text()}\nprint('so far so good')\nraise ValueError('the label is missing')\n")
    told = mlops("run", "pipelines/wine/pipeline.py", folder=project, code=1)
    assert "Train failed: exit code 1" in told.err
    assert "ValueError: the label is missing" in told.err
    assert "  | so far so good" in told.err
    assert "Failed" in told.out
    assert "Register" not in told.out
    whole = mlops("executions", "logs", "last", "Train", folder=project)
    assert "so far so good" in whole.out


@pytest.mark.parametrize(("example", "group"), [("diabetes", "diabetes"), ("wine", "wine")])
def test_the_other_examples_run(project: Path, example: str, group: str) -> None:
    told = mlops("run", f"pipelines/{example}/pipeline.py", "--format", "json", folder=project)
    assert set(statuses(told).values()) == {"Succeeded"}
    (version,) = mlops("models", "list", "--format", "json", folder=project).json
    assert (version["group"], version["approval"]) == (group, "PendingManualApproval")


def numbers(text: str) -> list[float]:
    return [float(cell) for cell in text.replace(",", "\n").split()]
