"""What is the local account's never reaches another one: it is refused before anything is made there."""

from __future__ import annotations

import json
import re
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from command_line import in_this_process

from mlops.account import connect
from mlops.account.local import LocalAccount
from mlops.check import check
from mlops.deploy.pipelines.apply import apply
from mlops.deploy.pipelines.plan import plan
from mlops.deploy.pipelines.upsert import upsert
from mlops.ir import Asset, Refusal
from mlops.ir.placeholders import placeholders
from mlops.ir.reader import read
from mlops.project.environments import read_project

ROLE = "arn:aws:iam::000000000000:role/mlops-local"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/steps:1"
TOML = """
[env.defaults]
instance = "ml.m5.large"
[env.moto]
account = "123456789012"
region = "us-east-1"
role = "arn:aws:iam::123456789012:role/pipelines"
bucket = "acme-ml"
endpoint_url = "URL"
"""
PIPELINE = f"""\
from mlops import Pipeline, Processing, RegisterModel
with Pipeline("churn"ROLE) as pipeline:
    data = pipeline.string("Data", default="s3://acme-data/x")
    one = Processing("One", code="one.py", image="{IMAGE}", inputs={{"raw": data}}, outputs=["text"])
    RegisterModel("Register", group="churn", model="s3://acme-data/m.tar.gz", image="{IMAGE}", after=[one])
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moto_url: str) -> Path:
    urllib.request.urlopen(urllib.request.Request(f"{moto_url}/moto-api/reset", method="POST")).close()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    (tmp_path / "mlops.toml").write_text(TOML.replace("URL", moto_url))
    (tmp_path / "pipeline.py").write_text(PIPELINE.replace("ROLE", ""))
    (tmp_path / "one.py").write_text("print(1)\n")
    monkeypatch.chdir(tmp_path)
    boto("s3", moto_url).create_bucket(Bucket="acme-ml")
    return tmp_path


def boto(service: str, url: str) -> Any:
    return boto3.client(service, endpoint_url=url, region_name="us-east-1")


def made(url: str) -> list[object]:
    """Everything that could have been."""
    s3, sagemaker = boto("s3", url), boto("sagemaker", url)
    return [
        [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]],
        [item["Key"] for item in s3.list_objects_v2(Bucket="acme-ml").get("Contents", ())],
        [item["PipelineName"] for item in sagemaker.list_pipelines()["PipelineSummaries"]],
        [item["ModelName"] for item in sagemaker.list_models()["Models"]],
        [item["EndpointConfigName"] for item in sagemaker.list_endpoint_configs()["EndpointConfigs"]],
        [item["Name"] for item in boto("scheduler", url).list_schedules()["Schedules"]],
    ]


EMPTY: list[object] = [["acme-ml"], [], [], [], [], []]


@pytest.mark.parametrize(
    ("value", "account", "bucket", "found"),
    [
        (ROLE, "111122223333", "acme-ml", [ROLE]),
        (ROLE, None, "acme-ml", [ROLE]),
        (ROLE, "000000000000", "acme-ml", []),
        ("arn:aws:iam::111122223333:role/mlops-local", "111122223333", "acme-ml", []),
        ("s3://mlops-local/x/y", "111122223333", "acme-ml", ["s3://mlops-local/x/y"]),
        ("s3://mlops-local", "111122223333", "acme-ml", ["s3://mlops-local"]),
        ("s3://mlops-local-data/x", "111122223333", "acme-ml", []),
        ("s3://mlops-local/x", "111122223333", "mlops-local", []),
        ("s3://sagemaker-us-east-1-000000000000/x", "1" * 12, "acme-ml", ["s3://sagemaker-us-east-1-000000000000/x"]),
        ("000000000000.dkr.ecr.us-east-1.amazonaws.com/a:1", "1" * 12, "b-b", None),
        ("111122223333.dkr.ecr.us-east-1.amazonaws.com/a:1", "1" * 12, "b-b", []),
        ({"Std:Join": {"On": "/", "Values": ["s3:/", "mlops-local", "x"]}}, "1" * 12, "acme", ["s3://mlops-local"]),
        ({"Std:Join": {"On": "/", "Values": ["s3:/", "acme-ml", "mlops-local"]}}, "1" * 12, "acme", []),
        ("mlops-local, 000000000000", "111122223333", "acme-ml", []),
    ],
)
def test_what_is_the_local_accounts(value: Any, account: str | None, bucket: str, found: list[str] | None) -> None:
    told = list(placeholders([{"a": value}], account=account, bucket=bucket))
    assert told == ([value] if found is None else found)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ('"churn"ROLE', f'"churn", role="{ROLE}"', ROLE),
        ("s3://acme-data/x", "s3://mlops-local/x", "s3://mlops-local/x"),
        ("s3://acme-data/m.tar.gz", "s3://mlops-local/m.tar.gz", "s3://mlops-local/m.tar.gz"),
        (IMAGE, "000000000000.dkr.ecr.us-east-1.amazonaws.com/steps:1", "000000000000.dkr.ecr"),
    ],
    ids=["a role", "a default", "a model", "an image"],
)
def test_a_definition_that_names_it_is_refused(
    project: Path, capfd: pytest.CaptureFixture[str], moto_url: str, old: str, new: str, found: str
) -> None:
    (project / "pipeline.py").write_text(PIPELINE.replace(old, new).replace("ROLE", ""))
    mlops = in_this_process(capfd)
    assert "D109" not in mlops("check", "pipeline.py").out
    told = mlops("check", "pipeline.py", "--env", "moto", code=1).out
    assert "D109" in told and found in told and "names nothing in moto" in told
    for command in ("plan", "upsert", "compile"):
        assert "D109" in mlops(command, "pipeline.py", "--env", "moto", code=1).err
    assert made(moto_url) == EMPTY


def test_a_definition_in_json_that_was_compiled_here_is_refused(
    project: Path, capfd: pytest.CaptureFixture[str], moto_url: str
) -> None:
    mlops = in_this_process(capfd)
    mlops("compile", "pipeline.py", "-o", "here.json")
    mlops("compile", "pipeline.py", "--env", "moto", "-o", "there.json")
    mlops("check", "here.json")
    told = mlops("check", "here.json", "--env", "moto", code=1).out
    assert ROLE in told and re.search(r"here\.json:\d+", told) and "/Steps/0/Arguments/RoleArn" in told
    mlops("check", "there.json", "--env", "moto")
    mlops("upsert", "here.json", "--env", "moto", code=1)
    assert made(moto_url) == EMPTY


def test_an_upsert_refuses_it_whoever_checked(project: Path, moto_url: str) -> None:
    environment = read_project(project).environment("moto")
    account = connect(environment)
    step = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "see s3://mlops-local/log"}}
    definition, _ = read(json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": [step]}))
    assert definition is not None
    checked = check(replace(definition, name="churn"))
    planned = plan(account, environment, checked)
    assert planned.obstacles == (
        "the definition names s3://mlops-local/log, which is of the local account and nothing in 123456789012",
    )
    with pytest.raises(Refusal, match=r"s3://mlops-local/log.*nothing was written"):
        apply(account, environment, planned, force=True)
    assert made(moto_url) == EMPTY


def test_a_schedule_that_gives_it_is_refused(project: Path, capfd: pytest.CaptureFixture[str], moto_url: str) -> None:
    with (project / "mlops.toml").open("a") as file:
        file.write('[env.moto.schedules.daily]\npipeline = "churn"\nexpression = "rate(1 day)"\n')
        file.write('parameters = { Data = "s3://mlops-local/x" }\n')
    mlops = in_this_process(capfd)
    told = mlops("plan", "pipeline.py", "--env", "moto", code=1).out
    assert "refused: the schedule churn-daily names s3://mlops-local/x" in told
    as_json = mlops("plan", "pipeline.py", "--env", "moto", "--format", "json", code=1)
    assert "refused: churn: the schedule churn-daily names s3://mlops-local/x" in as_json.err
    json.loads(as_json.out)
    assert "nothing was written" in mlops("upsert", "pipeline.py", "--env", "moto", code=1).err
    assert made(moto_url) == EMPTY


def test_a_start_that_gives_it_is_refused(project: Path, capfd: pytest.CaptureFixture[str], moto_url: str) -> None:
    mlops = in_this_process(capfd)
    mlops("upsert", "pipeline.py", "--env", "moto")
    told = mlops("start", "churn", "--env", "moto", "-p", "Data=s3://mlops-local/x", code=1).err
    assert "the parameter Data names s3://mlops-local/x" in told and "nothing was started" in told
    mlops("start", "churn", "--env", "moto", "-p", "Data=s3://acme-data/y")


def test_a_version_of_the_local_registry_is_promoted_nowhere_else(
    project: Path, capfd: pytest.CaptureFixture[str], moto_url: str
) -> None:
    here = LocalAccount(project / ".mlops", "us-east-1")
    here.ensure_bucket("mlops-local")
    here.client("s3").put_object(Bucket="mlops-local", Key="m.tar.gz", Body=b"model")
    specification = {
        "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://mlops-local/m.tar.gz"}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    for client in (here.client("sagemaker"), boto("sagemaker", moto_url)):
        client.create_model_package_group(ModelPackageGroupName="churn")
        client.create_model_package(
            ModelPackageGroupName="churn", ModelApprovalStatus="Approved", InferenceSpecification=specification
        )
    mlops = in_this_process(capfd)
    for registry, found in (
        ("local", "is of the local account, and arn:aws:sagemaker:us-east-1:000000000000:"),
        ("moto", "names s3://mlops-local/m.tar.gz"),
    ):
        told = mlops("promote", "churn", "--registry", registry, "--to", "moto", code=1).err
        assert f"version 1 of churn {found}" in told and "nothing was made" in told
    assert made(moto_url) == EMPTY
    told = mlops("promote", "churn", "--registry", "moto", "--to", "local", code=1).err
    assert "an endpoint of the local account serves what is registered here" in told


@pytest.mark.parametrize("there", [False, True])
def test_a_bucket_that_is_not_there_is_not_made_by_the_way(
    project: Path, capfd: pytest.CaptureFixture[str], moto_url: str, there: bool
) -> None:
    """Only a file of the official SDK can name another than the environment's."""
    environment = read_project(project).environment("moto")
    account = connect(environment)
    step = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
    definition, _ = read(json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": [step]}))
    assert definition is not None
    asset = Asset("0" * 64, "s3://acme-ml-tyop/x", (("one.py", project / "one.py"),), archive=False)
    checked = check(replace(definition, name="churn", assets=(asset,)))
    if there:
        boto("s3", moto_url).create_bucket(Bucket="acme-ml-tyop")
        assert upsert(account, environment, checked).uploaded == ("s3://acme-ml-tyop/x/one.py",)
        return
    planned = plan(account, environment, checked)
    told = "the bucket acme-ml-tyop, which code or data would go to, is not there; it is not made by the way"
    assert planned.obstacles == (told,)
    with pytest.raises(Refusal, match=r"acme-ml-tyop.*nothing was written"):
        upsert(account, environment, checked, force=True)
    assert made(moto_url) == EMPTY


def test_each_of_several_buckets_that_are_not_there_is_told_once(project: Path, moto_url: str) -> None:
    """Code of two steps, a folder of data and an archive: what is there is not named, and nothing is half made."""
    environment = read_project(project).environment("moto")
    account = connect(environment)
    boto("s3", moto_url).create_bucket(Bucket="acme-ml-there")
    step = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
    definition, _ = read(json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": [step]}))
    assert definition is not None
    files = (("one.py", project / "one.py"),)
    places = (("acme-ml-tyop/x", False), ("acme-ml-tyop/y", True), ("acme-ml-there/x", False), ("acme-rwa/data", False))
    assets = tuple(
        Asset(str(number) * 64, f"s3://{place}", files, archive=archive)
        for number, (place, archive) in enumerate(places)
    )
    checked = check(replace(definition, name="churn", assets=assets))
    told = "the bucket {}, which code or data would go to, is not there; it is not made by the way"
    planned = plan(account, environment, checked)
    assert sorted(planned.obstacles) == [told.format("acme-ml-tyop"), told.format("acme-rwa")]
    with pytest.raises(Refusal, match=r"nothing was written"):
        upsert(account, environment, checked, force=True)
    assert made(moto_url) == [["acme-ml", "acme-ml-there"], *EMPTY[1:]]
