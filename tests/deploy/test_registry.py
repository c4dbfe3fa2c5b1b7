"""Groups, versions and the decision on them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mlops.account import confirm_identity, connect
from mlops.deploy.gates.approvals import standing
from mlops.deploy.models import approvals
from mlops.deploy.models.registry import decide, groups, metrics, newest_approved, version, versions
from mlops.ir import Refusal, UsageError
from mlops.project.environments import read_project
from mlops.use_cases import models
from mlops.use_cases.connecting import connect_here

from .conftest import World

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"


def register(world: World, approval: str = "PendingManualApproval") -> None:
    sagemaker = world.account.client("sagemaker")
    if "churn" not in groups(world.account):
        sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    report = f"s3://{world.environment.bucket}/report/evaluation.json"
    world.account.client("s3").put_object(
        Bucket=world.environment.bucket,
        Key="report/evaluation.json",
        Body=json.dumps({"accuracy": 0.9, "by": {"class": [0.1]}, "name": "x", "flag": True}),
    )
    sagemaker.create_model_package(
        ModelPackageGroupName="churn",
        ModelApprovalStatus=approval,
        InferenceSpecification={
            "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://acme-ml/model.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        ModelMetrics={"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": report}}},
    )


def test_versions_come_newest_first(world: World) -> None:
    for _ in range(3):
        register(world)
    assert [item.number for item in versions(world.account, "churn")] == [3, 2, 1]
    assert version(world.account, "churn", None).number == 3
    assert version(world.account, "churn", 2).number == 2


def test_what_is_not_there_is_told_with_what_is(world: World) -> None:
    register(world)
    with pytest.raises(UsageError, match=r"no model package group 'chrun'; there are: churn"):
        versions(world.account, "chrun")
    with pytest.raises(UsageError, match=r"no version 7; it has 1"):
        version(world.account, "churn", 7)


def test_the_newest_approved_one_is_chosen(world: World) -> None:
    register(world)
    register(world)
    register(world)
    with pytest.raises(Refusal, match=r"3 PendingManualApproval, 2 Pending") as told:
        newest_approved(world.account, "churn", environment=replace(world.environment, name="staging"))
    assert told.value.hint == "approve one with `mlops models approve churn VERSION --env staging`"
    first, second = version(world.account, "churn", 1), version(world.account, "churn", 2)
    assert decide(world.account, world.environment, first, "Approved", None)
    assert decide(world.account, world.environment, second, "Approved", "good")
    assert newest_approved(world.account, "churn").number == 2
    assert decide(world.account, world.environment, version(world.account, "churn", 2), "Rejected", None)
    assert newest_approved(world.account, "churn").number == 1


def test_a_decision_that_stands_writes_nothing(world: World) -> None:
    register(world, "Approved")
    # That it is so is one thing, that somebody said so another.
    assert decide(world.account, world.environment, version(world.account, "churn", 1), "Approved", None)
    assert not decide(world.account, world.environment, version(world.account, "churn", 1), "Approved", None)
    assert len(approvals.read(world.account, world.environment, "churn", 1)) == 1


def test_a_reason_belongs_to_one_decision(world: World) -> None:
    register(world)
    assert decide(world.account, world.environment, version(world.account, "churn", 1), "Rejected", "it is worse")
    assert version(world.account, "churn", 1).details["ApprovalDescription"] == "it is worse"
    assert decide(world.account, world.environment, version(world.account, "churn", 1), "Approved", None)
    assert not version(world.account, "churn", 1).details.get("ApprovalDescription")
    assert decide(world.account, world.environment, version(world.account, "churn", 1), "Rejected", "still worse")
    assert version(world.account, "churn", 1).details["ApprovalDescription"] == "still worse"


def test_metrics_are_the_numbers_of_the_reports(world: World) -> None:
    register(world)
    assert metrics(world.account, version(world.account, "churn", 1)) == {"accuracy": 0.9}


def put(world: World, key: str, content: object) -> None:
    world.account.client("s3").put_object(Bucket=world.environment.bucket, Key=key, Body=json.dumps(content))


@pytest.mark.parametrize(
    ("beside", "counts"),
    [
        ("report/evaluation.json.bak.json", False),
        ("report/evaluation.json-old/x.json", False),
        ("report/evaluation.json/part.json", True),
    ],
    ids=["a longer name", "a longer folder", "below it"],
)
def test_metrics_are_of_the_report_and_of_nothing_beside_it(world: World, beside: str, counts: bool) -> None:
    register(world)
    put(world, beside, {"other": 1})
    assert metrics(world.account, version(world.account, "churn", 1)) == {"accuracy": 0.9} | (
        {"other": 1} if counts else {}
    )


def test_metrics_are_read_from_all_pages(world: World) -> None:
    if not world.environment.is_local:
        pytest.skip("a thousand requests to moto prove nothing more")
    register(world)
    for number in range(1000):
        put(world, f"report/evaluation.json/{number:04}.txt", "")
    put(world, "report/evaluation.json/last.json", {"last": 1})
    assert metrics(world.account, version(world.account, "churn", 1)) == {"accuracy": 0.9, "last": 1}


def test_each_decision_is_kept_and_what_was_decided_elsewhere_is_seen(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(world)
    monkeypatch.chdir(world.folder)
    (world.folder / "mlops.toml").touch()
    name = world.environment.name
    first = version(world.account, "churn", 1)
    assert models.history(name, "churn", 1) == ()
    decide(world.account, world.environment, first, "Rejected", "too early")
    decide(world.account, world.environment, version(world.account, "churn", 1), "Approved", None)
    told = [(item.status, item.reason) for item in models.history(name, "churn", 1)]
    assert told == [("Rejected", "too early"), ("Approved", None)]
    assert all(item.by is not None and item.by.startswith("arn:aws:") for item in models.history(name, "churn", 1))
    # As in Studio.
    world.account.client("sagemaker").update_model_package(
        ModelPackageArn=first.arn, ModelApprovalStatus="Rejected", ApprovalDescription="no"
    )
    last = models.history(name, "churn", 1)[-1]
    assert (len(models.history(name, "churn", 1)), last.status, last.reason) == (3, "Rejected", "no")


def test_two_people_approve_and_what_was_rejected_elsewhere_between_them_counts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not world.environment.is_local:
        pytest.skip("only the local account believes a name")
    register(world)
    sagemaker = world.account.client("sagemaker")

    def approve(user: str, reason: str | None = None) -> bool:
        account = connect(world.environment, user)
        return decide(account, world.environment, version(account, "churn", 1), "Approved", reason)

    def people() -> list[str | None]:
        told = approvals.read(world.account, world.environment, "churn", 1)
        found = standing(told, version(world.account, "churn", 1).approval)
        return [item.by and item.by.rpartition("/")[2] for item in found]

    assert approve("ada", "good") and approve("bob") and not approve("bob")
    assert people() == ["ada", "bob"]
    # Another one's approval without a reason leaves the reason that is there.
    assert version(world.account, "churn", 1).details["ApprovalDescription"] == "good"
    arn = version(world.account, "churn", 1).arn
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")  # as in Studio
    assert people() == []
    assert approve("bob")
    assert people() == ["bob"]


@pytest.mark.parametrize(("name", "user"), [("ada", "ada"), (None, "eve"), ("a b", None)])
def test_who_calls_the_local_account(
    name: str | None, user: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPS_LOCAL_USER", "eve")
    environment = read_project(tmp_path).environment("local")
    if user is None:
        with pytest.raises(UsageError, match="'a b' is no name for a user"):
            connect(environment, name)
        return
    assert confirm_identity(connect(environment, name), environment).arn == f"arn:aws:iam::000000000000:user/{user}"


def test_nobody_is_another_one_in_a_real_account(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    if world.environment.is_local:
        pytest.skip("there it is allowed")
    monkeypatch.chdir(world.folder)
    with pytest.raises(UsageError, match="who calls moto is known by the credentials"):
        connect_here("moto", user="ada")


def test_two_versions_side_by_side(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    register(world)
    register(world, "Approved")
    monkeypatch.chdir(world.folder)
    (world.folder / "mlops.toml").touch()
    found = models.compare(world.environment.name, "churn", 1, 2)
    assert (found.old.version.approval, found.new.version.approval) == ("PendingManualApproval", "Approved")
    assert found.metrics["accuracy"] == (0.9, 0.9)
