"""Times are spelled one way in all views of versions and endpoints; `models history GROUP` is of all versions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import in_this_process

from mlops.account import Account
from mlops.deploy.endpoints import history
from mlops.deploy.endpoints.history import Entry
from mlops.project.environments import read_project
from mlops.use_cases.connecting import connect_here

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
PEOPLES = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ(?= |$)", re.MULTILINE)
PROGRAMS = re.compile(r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"')
ANY = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
VIEWS = {
    "models list churn": 2,
    "models show churn 2": 1,
    "models history churn": 4,
    "models history churn 2": 2,
    "endpoints history churn": 2,
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
