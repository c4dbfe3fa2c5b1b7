"""Declared models, configurations and endpoints in an account: the local one and moto, which has no UpdateEndpoint."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlops.account import Account, connect
from mlops.check.sources import open_targets
from mlops.deploy import ledger, removed
from mlops.deploy.declared.apply import Applied, apply
from mlops.deploy.declared.deciding import decide
from mlops.deploy.declared.destroy import destroy, plan_removal
from mlops.deploy.declared.plan import Plan
from mlops.deploy.declared.plan_report import summary
from mlops.deploy.declared.seeing import see
from mlops.deploy.declared.wanting import RESOURCE, want
from mlops.deploy.endpoints import history
from mlops.deploy.endpoints.promote import Target, promote
from mlops.deploy.models.registry import version
from mlops.deploy.shifting.settings import read
from mlops.ir import Refusal, UsageError
from mlops.project.environments import read_project
from mlops.use_cases import endpoints

from .conftest import World
from .test_promote import SOUND, archive
from .test_registry import IMAGE, register

MOTO = pytest.mark.parametrize("world", ["moto"], indirect=True)
LOCAL = pytest.mark.parametrize("world", ["local"], indirect=True)
SERVICES = ("s3", "sagemaker", "sts")
WITHOUT_ENDPOINT = """
from mlops import resources
m = resources.Model("churn", image="{image}", model="s3://acme-ml/m.tar.gz", environment={{"A": "{a}"}})
c = resources.EndpointConfig("churn", model=m.model_name, instance="ml.m5.large")
"""
WITH_ENDPOINT = WITHOUT_ENDPOINT + 'resources.Endpoint("churn", config=c.config_name)\n'
GROUP = """
from mlops import resources
m = resources.Model("churn", group="churn", network=resources.Network(["subnet-1"], ["sg-1"], isolated=True))
c = resources.EndpointConfig("churn", model=m.model_name, instance="ml.m5.large")
resources.Endpoint("churn", config=c.config_name)
"""


def planned(world: World, text: str = WITH_ENDPOINT, a: str = "1") -> Plan:
    (world.folder / "serving.py").write_text(text.format(image=IMAGE, a=a))
    opened = open_targets([str(world.folder / "serving.py")], world.environment.name)
    assert not opened.findings, opened.findings
    (checked,) = opened.resources
    wanted = want(world.environment, checked, world.folder)
    settings = read(world.environment, world.folder)
    seen = see(world.account, wanted, settings, lambda version, endpoint: lambda environment: None)
    return decide(seen, wanted, settings)


def upserted(world: World, text: str = WITH_ENDPOINT, a: str = "1", *, force: bool = False) -> Applied:
    settings = read(world.environment, world.folder)
    return apply(world.account, planned(world, text, a), settings, force=force, timeout=60)


def names(world: World) -> tuple[list[str], list[str]]:
    sagemaker = world.account.client("sagemaker")
    models = [item["ModelName"] for item in sagemaker.list_models()["Models"]]
    configs = [item["EndpointConfigName"] for item in sagemaker.list_endpoint_configs()["EndpointConfigs"]]
    return sorted(models), sorted(configs)


def test_the_second_upsert_has_nothing_to_do_and_another_content_is_another_name(world: World) -> None:
    # Of resources, and not of files.
    assert summary([planned(world), planned(world, WITHOUT_ENDPOINT)]) == "resources: 5 to create"
    assert upserted(world, WITHOUT_ENDPOINT).done
    assert summary([planned(world, WITHOUT_ENDPOINT)]) == "resources: nothing to do, 2 unchanged"
    before = names(world)
    assert [len(each) for each in before] == [1, 1]
    assert not upserted(world, WITHOUT_ENDPOINT).done
    assert names(world) == before
    upserted(world, WITHOUT_ENDPOINT, a="2")
    sagemaker = world.account.client("sagemaker")
    found = sagemaker.list_models()["Models"]
    assert len(found) == 2
    for model in found:
        tags = {item["Key"]: item["Value"] for item in sagemaker.list_tags(ResourceArn=model["ModelArn"])["Tags"]}
        assert tags[RESOURCE] == "model churn"
        assert tags["mlops:origin"] == f"serving.py in {world.environment.name}"


class Killed(BaseException):
    """Nothing of ours catches it: what it leaves is what a kill leaves."""


@pytest.mark.proof("kills")
@MOTO
def test_a_kill_after_each_write_is_finished_by_the_next(world: World) -> None:
    written, killed_at = [0], [0]

    def answered(model: Any, **_: Any) -> None:
        written[0] += model.name.startswith(("Create", "Put", "Add"))
        if written[0] == killed_at[0]:
            raise Killed

    account = connect(world.environment)
    for service in SERVICES:
        account.client(service).meta.events.register_last("after-call.*.*", answered)
    for number in range(1, 9):
        written[0], killed_at[0] = 0, number
        try:
            upserted(World(world.folder, world.environment, account))
        except Killed:
            upserted(world)
        else:
            break
        assert not planned(world).actions
        assert [len(each) for each in names(world)] == [1, 1]
        destroy(world.account, world.environment, plan_removal(world.account, world.environment, "churn"))
        assert names(world) == ([], [])
        entries = [(item.verb, bool(item.id)) for item in history.read(world.account, world.environment, "churn")]
        assert entries == [("created", True), ("deleted", True)] * number
    assert number == 7  # a model, what is begun, a configuration and its mark, an endpoint, its history


@pytest.mark.proof("kills")
@MOTO
def test_a_removal_that_is_cut_off_after_each_write_is_noted_once(world: World) -> None:
    """Of the endpoint; an entry of what was about to go may be there twice."""
    account, left = connect(world.environment), [0]

    def answered(model: Any, **_: Any) -> None:
        left[0] -= model.name.startswith(("Put", "Delete"))
        if left[0] == 0:
            raise Killed

    for service in SERVICES:
        account.client(service).meta.events.register_last("after-call.*.*", answered)
    for number in range(1, 5):
        upserted(world)
        left[0] = number
        with pytest.raises(Killed):
            destroy(account, world.environment, plan_removal(world.account, world.environment, "churn"))
        left[0] = -1
        destroy(account, world.environment, plan_removal(world.account, world.environment, "churn"))
        entries = history.read(world.account, world.environment, "churn")
        assert [(item.verb, item.how) for item in entries] == [
            ("created", "at once"),
            ("deleted", "destroyed"),
        ] * number
    noted = {(item["what"], item["why"]) for item in ledger.read(world.account, world.environment, removed.FOLDER)}
    assert noted == {("endpoint", "destroyed"), ("endpoint-config", "destroyed"), ("model", "destroyed")}


def test_two_upserts_at_once_make_one_of_each(world: World) -> None:
    text = WITH_ENDPOINT if not world.environment.is_local else WITHOUT_ENDPOINT
    plan = planned(world, text)
    settings = read(world.environment, world.folder)
    begin = threading.Barrier(2)
    failed: list[BaseException] = []

    def one() -> None:
        try:
            account = connect(world.environment)
            begin.wait()
            apply(account, plan, settings, timeout=60)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert [len(each) for each in names(world)] == [1, 1]
    assert not planned(world, text).actions


@contextmanager
def foreign(account: Account) -> Iterator[None]:
    sagemaker = account.client("sagemaker")
    sagemaker.create_model(
        ModelName="theirs", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn="arn:aws:iam::123456789012:role/r"
    )
    sagemaker.create_endpoint_config(
        EndpointConfigName="theirs",
        ProductionVariants=[
            {"VariantName": "a", "ModelName": "theirs", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        ],
    )
    sagemaker.create_endpoint(EndpointName="churn", EndpointConfigName="theirs")
    yield


@MOTO
def test_what_somebody_else_made_is_not_touched(world: World) -> None:
    with foreign(world.account):
        assert "was not made by mlops" in planned(world).drift[0]
        with pytest.raises(Refusal, match="was not made by mlops"):
            upserted(world)
        assert names(world) == (["theirs"], ["theirs"])
        removal = plan_removal(world.account, world.environment, "churn")
        assert (removal.gone, removal.foreign) == ((), ("endpoint churn",))


@MOTO
def test_what_somebody_else_made_has_no_history_and_may_be_asked_for_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(world.folder)
    with foreign(world.account):
        assert endpoints.history(world.environment.name, "churn") == ()
        with pytest.raises(UsageError, match="there is no endpoint 'chrun'; there are: churn; did you mean 'churn'"):
            endpoints.history(world.environment.name, "chrun")


@MOTO
def test_destroy_takes_what_is_ours_and_nothing_else(world: World) -> None:
    upserted(world)
    upserted(world, WITHOUT_ENDPOINT.replace('"churn"', '"churn-too"'))
    removal = plan_removal(world.account, world.environment, "churn")
    assert [kind for kind, _ in removal.gone] == ["endpoint", "endpoint-config", "model"]
    destroy(world.account, world.environment, removal)
    assert all(len(each) == 1 and each[0].startswith("churn-too-") for each in names(world))
    assert not plan_removal(world.account, world.environment, "churn").gone


@MOTO
def test_what_another_endpoint_serves_is_not_destroyed(world: World) -> None:
    upserted(world)
    (model,), (config,) = names(world)
    world.account.client("sagemaker").create_endpoint(EndpointName="other", EndpointConfigName=config)
    removal = plan_removal(world.account, world.environment, "churn")
    assert removal.gone == (("endpoint", "churn"),)
    assert removal.serving == (f"endpoint-config {config} serves at other", f"model {model} serves at other")
    assert len(plan_removal(world.account, world.environment, "churn", ["other"]).gone) == 3
    destroy(world.account, world.environment, removal)
    world.account.client("sagemaker").delete_endpoint(EndpointName="other")
    removal = plan_removal(world.account, world.environment, "churn")
    assert removal.gone == (("endpoint-config", config), ("model", model)) and not removal.serving


@MOTO
def test_the_history_says_what_was_brought(world: World) -> None:
    upserted(world)
    (entry,) = history.read(world.account, world.environment, "churn")
    assert (entry.verb, entry.version, entry.group) == ("created", 0, names(world)[1][0])


@MOTO
def test_only_an_approved_version_is_followed(world: World) -> None:
    register(world)
    assert planned(world, GROUP).obstacles == ("the model churn: churn has no approved version",)
    register(world, "Approved")
    upserted(world, GROUP)
    sagemaker = world.account.client("sagemaker")
    model = sagemaker.describe_model(ModelName=names(world)[0][0])
    assert model["PrimaryContainer"]["ModelPackageName"].endswith("/2")
    register(world, "Approved")
    plan = planned(world, GROUP)
    assert not plan.actions
    assert "version 3 of churn is approved and 2 serves" in plan.notes[0]


def registered(world: World, number: int) -> None:
    s3, sagemaker = world.account.client("s3"), world.account.client("sagemaker")
    bucket = world.environment.bucket
    if number == 1:
        sagemaker.create_model_package_group(ModelPackageGroupName="churn")
        s3.put_object(Bucket=bucket, Key="sample.tar.gz", Body=archive("sample.csv", "1,2\n"))
    s3.put_object(Bucket=bucket, Key=f"{number}.tar.gz", Body=archive("code/inference.py", SOUND.format(n=number)))
    sagemaker.create_model_package(
        ModelPackageGroupName="churn",
        ModelApprovalStatus="Approved",
        SamplePayloadUrl=f"s3://{bucket}/sample.tar.gz",
        InferenceSpecification={
            "Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/{number}.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )


def answer(account: Account) -> bytes:
    reply = account.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="churn", Body=b"1,2\n", ContentType="text/csv", Accept="text/csv"
    )
    body: bytes = reply["Body"].read()
    return body


FOLDER = """
from mlops import resources
m = resources.Model("churn", image="{image}", model="model", inference_code="inference.py")
c = resources.EndpointConfig("churn", model=m.model_name, instance="ml.m5.large")
resources.Endpoint("churn", config=c.config_name)
"""
STEPPED = """
[env.local.promote]
strategy = { stepped = { shares = [50, 100], bake = "1s" } }
[env.local.promote.judge]
errors = { at_most = "1%", interval = "1s", missing = "pass" }
"""


@LOCAL
def test_what_does_not_start_is_taken_back_and_not_brought_again(world: World) -> None:
    at_once = world
    (world.folder / "mlops.toml").write_text(STEPPED)
    world = replace(world, environment=read_project(world.folder).environment("local"))
    code = world.folder / "model" / "code"
    code.mkdir(parents=True)
    (code / "inference.py").write_text(SOUND.format(n=1))
    try:
        upserted(at_once, FOLDER)
        (code / "inference.py").write_text("def model_fn(d): raise ValueError('no')\n")
        with pytest.raises(Refusal, match="was taken back, churn serves what it served before"):
            upserted(world, FOLDER)
        assert answer(world.account) == b"version 1"
        assert "was taken or rolled back there" in planned(world, FOLDER).obstacles[0]
        with pytest.raises(Refusal, match="nothing was written"):
            upserted(world, FOLDER)
        (code / "inference.py").write_text(SOUND.format(n=2))
        upserted(at_once, FOLDER)
        assert answer(world.account) == b"version 2"
        assert not planned(world, FOLDER).actions
    finally:
        destroy(world.account, world.environment, plan_removal(world.account, world.environment, "churn"))


@LOCAL
def test_a_file_and_a_promotion_speak_of_one_endpoint(world: World, tmp_path: Path) -> None:
    """The file says how it serves, the promotion which version: neither undoes what the other does."""
    account, sagemaker = world.account, world.account.client("sagemaker")
    registered(world, 1)
    try:
        upserted(world, GROUP)
        assert answer(account) == b"version 1"
        registered(world, 2)
        assert not planned(world, GROUP).actions
        settings = read(world.environment, world.folder)
        done = promote(account, world.environment, version(account, "churn", 2), Target("churn", timeout=60), settings)
        assert (done.action, answer(account)) == ("updated", b"version 2")
        config = sagemaker.describe_endpoint_config(EndpointConfigName=done.config)
        model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
        assert model["EnableNetworkIsolation"]
        assert model["VpcConfig"] == {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
        assert not planned(world, GROUP).actions
        assert not planned(world, GROUP).drift
        again = promote(account, world.environment, version(account, "churn", 2), Target("churn", timeout=60), settings)
        assert again.action == "unchanged"
        other = GROUP.replace('instance="ml.m5.large"', 'instance="ml.m5.xlarge"')
        upserted(world, other)
        assert answer(account) == b"version 2"
        assert not planned(world, other).actions
    finally:
        removal = plan_removal(account, world.environment, "churn")
        destroy(account, world.environment, removal)
    assert names(world) == ([], [])
