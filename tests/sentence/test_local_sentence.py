"""A laptop without Docker and without an account: run, judge, decide, serve, ask, take away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_line import Told, copy_project, in_this_process, mlops

from mlops.account.local import LocalAccount

pytestmark = pytest.mark.slow

PIPELINE = "pipelines/breast_cancer/pipeline.py"
GROUP = "breast-cancer"
SAMPLE = "pipelines/breast_cancer/sample.csv"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = copy_project(tmp_path, "breast_cancer", "diabetes", "wine")
    monkeypatch.chdir(folder)
    yield folder
    if (folder / ".mlops").exists():
        for endpoint in LocalAccount(folder / ".mlops", "us-east-1").client("sagemaker").list_endpoints()["Endpoints"]:
            mlops("endpoints", "delete", endpoint["EndpointName"], folder=folder)


@pytest.fixture
def ask(capfd: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """A command in this process: what asks, or says no. What does something is a process of its own, as it is
    for people."""
    return in_this_process(capfd)


def versions(ask: Callable[..., Told]) -> dict[int, str]:
    """Approval by version."""
    listed = ask("models", "list", GROUP, "--format", "json").json
    return {item["version"]: item["approval"] for item in listed}


def statuses(told: Told) -> dict[str, str]:
    """Status by step, out of what ``--format json`` tells of an execution."""
    return {step["name"]: step["status"] for step in told.json["steps"]}


def test_the_whole_sentence(project: Path, ask: Callable[..., Told]) -> None:
    first = mlops("run", PIPELINE, "--format", "json", folder=project)
    ran = ["Prepare", "Train", "Evaluate", "GoodEnough", "Register", "Model", "Score"]
    assert statuses(first) == dict.fromkeys(ran, "Succeeded")
    (listed,) = ask("executions", "list", GROUP, "--format", "json").json
    assert (listed["arn"], listed["status"]) == (first.json["arn"], "Succeeded")

    assert versions(ask) == {1: "PendingManualApproval"}
    shown = ask("models", "show", GROUP, "--format", "json").json
    assert shown["metrics"]["accuracy"] > 0.9

    pending = ask("promote", GROUP, "--to", "local", code=1)
    assert "no approved version: 1 PendingManualApproval" in pending.err
    mlops("models", "reject", GROUP, "1", "--reason", "one forest is none", folder=project)
    rejected = ask("promote", GROUP, "--to", "local", "--version", "1", code=1)
    assert "version 1 of breast-cancer is Rejected" in rejected.err
    assert ask("endpoints", "list", "--format", "json").json == []

    mlops("run", PIPELINE, "-p", "Trees=50", folder=project)
    assert versions(ask) == {1: "Rejected", 2: "PendingManualApproval"}
    mlops("models", "approve", GROUP, "2", folder=project)
    promoted = mlops("promote", GROUP, "--to", "local", "--format", "json", folder=project).json
    assert (promoted["version"], promoted["action"]) == (2, "created")
    assert len(numbers(promoted["answers"][0]["body"])) == 2
    again = mlops("promote", GROUP, "--to", "local", "--format", "json", folder=project).json
    assert (again["version"], again["action"], again["config"]) == (2, "unchanged", promoted["config"])

    answer = mlops("endpoints", "invoke", GROUP, SAMPLE, folder=project)
    malignant, benign = answer.json
    assert 0 <= malignant < 0.5 < benign <= 1
    answer = ask("endpoints", "invoke", GROUP, SAMPLE, "--accept", "text/csv")
    assert numbers(answer.out) == [malignant, benign]

    mlops("models", "approve", GROUP, "1", folder=project)
    assert versions(ask) == {1: "Approved", 2: "Approved"}
    mlops("endpoints", "delete", GROUP, folder=project)
    assert ask("endpoints", "list", "--format", "json").json == []
    assert "there is no endpoint" in ask("endpoints", "invoke", GROUP, SAMPLE, code=2).err


@pytest.mark.proof("examples")
def test_a_model_that_is_not_good_enough_takes_the_other_branch(project: Path, ask: Callable[..., Told]) -> None:
    told = mlops("run", PIPELINE, "-p", "MinAccuracy=0.9999", "--format", "json", folder=project, code=1)
    assert statuses(told)["NotGoodEnough"] == "Failed"
    assert {"Register", "Model", "Score"}.isdisjoint(statuses(told))
    assert "NotGoodEnough failed: accuracy is below 0.9999" in told.err
    assert ask("models", "list", "--format", "json").json == []


@pytest.mark.proof("examples")
def test_a_script_that_raises_is_told_with_its_step_its_reason_and_the_end_of_its_log(
    project: Path, ask: Callable[..., Told]
) -> None:
    script = project / "pipelines" / "wine" / "train" / "train.py"
    script.write_text(f"{script.read_text()}\nprint('so far so good')\nraise ValueError('the label is missing')\n")
    told = mlops("run", "pipelines/wine/pipeline.py", folder=project, code=1)
    assert "Train failed: exit code 1" in told.err
    assert "ValueError: the label is missing" in told.err
    assert "  | so far so good" in told.err
    assert "Failed" in told.out
    assert "Register" not in told.out
    whole = ask("executions", "logs", "last", "Train")
    assert "so far so good" in whole.out


@pytest.mark.proof("examples")
@pytest.mark.parametrize(("example", "group"), [("diabetes", "diabetes"), ("wine", "wine")])
def test_the_other_examples_run(project: Path, ask: Callable[..., Told], example: str, group: str) -> None:
    told = mlops("run", f"pipelines/{example}/pipeline.py", "--format", "json", folder=project)
    assert set(statuses(told).values()) == {"Succeeded"}
    (version,) = ask("models", "list", "--format", "json").json
    assert (version["group"], version["approval"]) == (group, "PendingManualApproval")


def numbers(text: str) -> list[float]:
    return [float(cell) for cell in text.replace(",", "\n").split()]
