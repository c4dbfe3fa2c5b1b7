"""Times are spelled one way in all views of versions, endpoints and executions; `models history GROUP` is of all
versions, and `endpoints history` of an endpoint that somebody knows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import in_this_process

from mlops.account import Account
from mlops.deploy.endpoints import history
from mlops.deploy.endpoints.history import Entry
from mlops.deploy.executions.following import follow
from mlops.project.environments import read_project
from mlops.use_cases.connecting import connect_here

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
DEFINITION = json.dumps(
    {"Version": "2020-12-01", "Steps": [{"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}]}
)
PEOPLES = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ(?= |$)", re.MULTILINE)
PROGRAMS = re.compile(r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00"')
ANY = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
VIEWS = {
    "models list churn": 2,
    "models show churn 2": 1,
    "models history churn": 4,
    "models history churn 2": 2,
    "endpoints history churn": 2,
    "executions list": 1,
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("times")
    (folder / "mlops.toml").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        account: Account = connect_here("local").account
        sagemaker = account.client("sagemaker")
        sagemaker.create_model_package_group(ModelPackageGroupName="churn")
        for number in (1, 2):
            sagemaker.create_model_package(
                ModelPackageGroupName="churn",
                InferenceSpecification={
                    "Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://mlops-local/{number}/model.tar.gz"}],
                    "SupportedContentTypes": ["text/csv"],
                    "SupportedResponseMIMETypes": ["text/csv"],
                },
            )
        environment = read_project(folder).environment("local")
        from mlops.deploy.models.approvals import append

        for number in (1, 2):
            append(account, environment, "churn", number, "Approved", "ada", "fine")
            entry = Entry("created", "churn", number, f"churn-{number}", None, "ada")
            history.append(account, environment, "churn", entry)
        history.append(account, environment, "other", Entry("created", "other", 2, "other-2", None, "ada"))
        token, role = "t" * 32, "arn:aws:iam::000000000000:role/local"
        sagemaker.create_pipeline(
            PipelineName="churn", PipelineDefinition=DEFINITION, RoleArn=role, ClientRequestToken=token
        )
        started = sagemaker.start_pipeline_execution(PipelineName="churn", ClientRequestToken=token)
        follow(account, started["PipelineExecutionArn"])
        yield folder


@pytest.mark.parametrize("view", VIEWS)
def test_a_time_is_spelled_one_way(
    view: str, project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    ask = in_this_process(capfd)
    for shown, spelling in ((ask(*view.split()).out, PEOPLES), (ask(*view.split(), "--format", "json").out, PROGRAMS)):
        found = ANY.findall(shown)
        assert len(found) == len(spelling.findall(shown)) >= VIEWS[view], shown


def test_a_groups_history_is_of_all_its_versions(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    ask = in_this_process(capfd)
    header, *lines = ask("models", "history", "churn").out.splitlines()
    assert header.split() == ["AT", "VERSION", "WHAT", "ENDPOINT", "BY", "REASON"] and len(lines) == 4
    rows: list[dict[str, Any]] = ask("models", "history", "churn", "--format", "json").json
    assert sorted((row["version"], row["status"]) for row in rows) == [
        (1, "Approved"),
        (1, "created"),
        (2, "Approved"),
        (2, "created"),
    ]
    one = ask("models", "history", "churn", "2")
    assert "VERSION" not in one.out and len(one.out.splitlines()) == 3
    assert "no model package group 'chrun'" in ask("models", "history", "chrun", code=2).err


def test_a_history_is_of_an_endpoint_that_somebody_knows(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    ask = in_this_process(capfd)
    told = ask("endpoints", "history", "chrun", code=2).err
    assert "there is no endpoint 'chrun'; there are: churn, other; did you mean 'churn'?" in told
    # It is gone, and its history stays.
    assert len(ask("endpoints", "history", "other").out.splitlines()) == 2


APPROVALS = """
[env.staging]
account = "000000000000"
[env.staging.promote]
registry = "local"
[env.staging.promote.gates]
approvals = { count = 2, reasons = true }
[env.apart]
account = "000000000000"
[env.apart.promote.gates]
approvals = { count = 3 }
"""
ARN = "arn:aws:iam::000000000000:user"


def test_of_several_approvals_it_is_told_how_many_are_there(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Of each environment that promotes what this one registers, and wants some."""
    monkeypatch.chdir(project)
    ask = in_this_process(capfd)
    account = connect_here("local").account
    account.client("sagemaker").create_model_package(
        ModelPackageGroupName="churn",
        InferenceSpecification={
            "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://mlops-local/3/model.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )
    approve = ("models", "approve", "churn", "3")
    (project / "mlops.toml").write_text(APPROVALS)
    try:
        assert ask(*approve, "--as", "ada", "--reason", "good").out == (
            f"churn version 3: Approved\n  staging: 1 of 2 approvals, by {ARN}/ada\n"
        )
        for more in ((), ("--reason", "good")):
            again = ask(*approve, "--user", "ada", *more)
            assert again.err.startswith("ada had approved it before, which stands: nothing was changed, and one person")
            assert "  staging: 1 of 2 approvals, by" in again.out
        # An approval that does not count is told with why not.
        assert ask(*approve, "--as", "bob", code=0).out.endswith(
            f"  staging: 1 of 2 approvals, by {ARN}/ada; not counted: {ARN}/bob gave no reason\n"
        )
        told = ask(*approve, "--as", "eve", "--reason", "fine", "--format", "json").json["approvals"]
        assert told == [
            {
                "environment": "staging",
                "by": [f"{ARN}/ada", f"{ARN}/eve"],
                "wanted": 2,
                "not_counted": [f"{ARN}/bob gave no reason"],
            }
        ]
        rejected = ask("models", "reject", "churn", "3", "--as", "ada")
        assert rejected.out == "churn version 3: Rejected\n" and not rejected.err
        assert ask("models", "reject", "churn", "3", "--as", "ada").err == (
            "ada had rejected it before, which stands: nothing was changed\n"
        )
    finally:
        (project / "mlops.toml").write_text("")
    assert ask(*approve).out == "churn version 3: Approved\n"
    assert ask(*approve).err.startswith("you had approved it before")
