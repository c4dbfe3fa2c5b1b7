"""Which version a plain promotion takes after one was bad: never the bad one again, and a good one whatever served."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlops.account.local import LocalAccount
from mlops.deploy.endpoints import history
from mlops.deploy.endpoints.history import Entry, Verb
from mlops.deploy.endpoints.promotion import Target
from mlops.project.environments import read_project
from mlops.use_cases.connecting import connect_here
from mlops.use_cases.promote import Promotion, plan


@pytest.fixture
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Three approved versions of churn, and what writes into the history of its endpoint."""
    (tmp_path / "mlops.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    account = connect_here("local").account
    assert isinstance(account, LocalAccount)
    sagemaker = account.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    for _ in range(3):
        sagemaker.create_model_package(
            ModelPackageGroupName="churn",
            ModelApprovalStatus="Approved",
            InferenceSpecification={
                "Containers": [{"Image": "i", "ModelDataUrl": "s3://mlops-local/m.tar.gz"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        )
    environment = read_project(tmp_path).environment("local")

    def happened(*entries: tuple[Verb, int]) -> None:
        for verb, number in entries:
            history.append(account, environment, "churn", Entry(verb, "churn", number, f"c{number}", None, "ada"))

    return happened


@pytest.mark.parametrize(
    ("entries", "asked", "taken"),
    [
        ([], None, 3),
        ([("taken back", 3)], None, 2),
        ([("updated", 3), ("rolled back", 3)], None, 2),
        ([("rolled back", 3), ("updated", 3)], None, 3),
        # What served was bad, and what comes is good.
        ([("updated", 2), ("rolled back", 2)], None, 3),
        ([("updated", 1), ("rolled back", 1), ("taken back", 2)], None, 3),
        ([("taken back", 3)], 3, 3),
    ],
)
def test_which_version_is_taken(versions: Any, entries: list[tuple[Verb, int]], asked: int | None, taken: int) -> None:
    versions(*entries)
    found = plan(Promotion("churn", "local", Target("churn"), asked))
    assert found.version.number == taken and found.may


ARN = "arn:aws:sagemaker:eu-west-1:111122223333:model-package/churn/3"
OTHER = ARN.replace("111122223333", "444455556666")


@pytest.mark.parametrize(
    ("verb", "version", "package", "its"),
    [
        ("updated", 3, ARN, True),
        ("taken back", 3, ARN, True),
        ("updated", 3, None, True),  # of an older version of ours
        ("updated", 3, OTHER, False),
        ("updated", 2, ARN, False),
        ("deleted", 3, ARN, False),
    ],
)
def test_two_registries_with_a_version_of_the_same_name_are_told_apart(
    verb: Verb, version: int, package: str | None, its: bool
) -> None:
    entry = Entry(verb, "churn", version, "c", None, "ada", package=package)
    assert history.of_version((entry,), "churn", 3, ARN) == ((entry,) if its else ())
