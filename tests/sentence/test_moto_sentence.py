"""The same sentence against AWS as moto plays it over HTTP. moto runs no pipelines: the test registers the model."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from command_line import copy_project, in_this_process, mlops

ACCOUNT = "123456789012"
REGION = "eu-west-1"
BUCKET = "acme-ml"
PIPELINE = "pipelines/breast_cancer/pipeline.py"
GROUP = "breast-cancer"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    # moto's accounts live in the process: an earlier test may have left something in them.
    urllib.request.urlopen(urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST")).close()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def project(url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_project(tmp_path_factory.mktemp("moto"), "breast_cancer")
    (folder / "mlops.toml").write_text(
        f'[env.moto]\naccount = "{ACCOUNT}"\nregion = "{REGION}"\nbucket = "{BUCKET}"\ninstance = "ml.m5.large"\n'
        f'role = "arn:aws:iam::{ACCOUNT}:role/pipelines"\nendpoint_url = "{url}"\n'
        f'[env.other]\naccount = "111122223333"\nregion = "{REGION}"\nbucket = "{BUCKET}"\n'
        f'role = "arn:aws:iam::111122223333:role/pipelines"\nendpoint_url = "{url}"\n'
    )
    lock = folder / "mlops.lock"
    # scikit-learn's images are another account's in each region.
    lock.write_text(lock.read_text().replace("us-east-1", REGION).replace("683313688378", "141502667606"))
    return folder


def client(url: str, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )


def test_the_whole_sentence(
    url: str, project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What first changes something is a process of its own, as it is for people; the others are this one."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(project)
    command = in_this_process(capfd)
    sagemaker, s3 = client(url, "sagemaker"), client(url, "s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})

    definition = command("compile", PIPELINE, "--env", "moto", "-o", "-").json
    found = command("check", PIPELINE, "--env", "moto", "--format", "json").json
    assert found["summary"]["errors"] == 0

    wrong = command("upsert", PIPELINE, "--env", "other", code=2)
    assert "nothing was written" in wrong.err
    assert objects(s3) == {}

    upsert = ("upsert", PIPELINE, "--env", "moto", "--format", "json")
    (first,) = mlops(*upsert, folder=project, **CREDENTIALS).json
    assert first["action"] == "created"
    described = sagemaker.describe_pipeline(PipelineName=GROUP)
    assert json.loads(described["PipelineDefinition"]) == definition
    assert described["RoleArn"] == f"arn:aws:iam::{ACCOUNT}:role/pipelines"
    stored = objects(s3)
    named = set(uris(definition))
    assert named
    record = f"s3://{BUCKET}/mlops/pipelines/{GROUP}.json"  # what was last written, for the next plan
    assert {f"s3://{BUCKET}/{key}" for key in stored} - {record} == named == set(first["uploaded"])

    (second,) = command(*upsert).json
    assert (second["action"], second["uploaded"]) == ("unchanged", [])
    assert sagemaker.describe_pipeline(PipelineName=GROUP)["LastModifiedTime"] == described["LastModifiedTime"]
    assert objects(s3) == stored

    request = filled(arguments(definition, "Register"))
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    for _ in range(2):
        sagemaker.create_model_package(**request)
    listed = command("models", "list", GROUP, "--env", "moto", "--format", "json").json
    assert {item["version"]: item["approval"] for item in listed} == dict.fromkeys((1, 2), "PendingManualApproval")

    pending = command("promote", GROUP, "--to", "moto", code=1)
    assert "no approved version: 2 PendingManualApproval, 1 PendingManualApproval" in pending.err
    command("models", "reject", GROUP, "2", "--env", "moto", "--reason", "unfair")
    rejected = command("promote", GROUP, "--to", "moto", "--version", "2", code=1)
    assert "is Rejected" in rejected.err
    assert sagemaker.list_endpoints()["Endpoints"] == []

    command("models", "approve", GROUP, "1", "--env", "moto")
    promote = ("promote", GROUP, "--to", "moto", "--format", "json")
    promoted = mlops(*promote, folder=project, **CREDENTIALS).json
    assert (promoted["version"], promoted["action"]) == (1, "created")
    endpoint = sagemaker.describe_endpoint(EndpointName=GROUP)
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", promoted["config"])
    config = sagemaker.describe_endpoint_config(EndpointConfigName=promoted["config"])
    (variant,) = config["ProductionVariants"]
    model = sagemaker.describe_model(ModelName=variant["ModelName"])
    assert model["PrimaryContainer"]["ModelPackageName"].endswith(f":model-package/{GROUP}/1")

    again = command(*promote).json
    assert again["action"] == "unchanged"
    after = sagemaker.describe_endpoint(EndpointName=GROUP)
    assert after["LastModifiedTime"] == endpoint["LastModifiedTime"]


def objects(s3: Any) -> dict[str, tuple[str, Any]]:
    """Key to content and time of everything in the bucket."""
    found = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return {item["Key"]: (item["ETag"], item["LastModified"]) for item in found}


def arguments(definition: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The Arguments of a step, branches included."""
    steps = list(definition["Steps"])
    for step in steps:
        steps.extend(step["Arguments"].get("IfSteps", []))
        if step["Name"] == name:
            return dict(step["Arguments"])
    raise AssertionError(f"there is no step {name}")


def filled(value: Any) -> Any:
    """A request with the values that a run would have known: a reference becomes an S3 URI."""
    match value:
        case {"Get": str()}:
            return f"s3://{BUCKET}/what-a-run-left"
        case {"Std:Join": {"On": str(on), "Values": list(parts)}}:
            return on.join(str(filled(part)) for part in parts)
        case dict():
            return {key: filled(item) for key, item in value.items()}
        case list():
            return [filled(item) for item in value]
    return value


def uris(value: Any) -> Iterator[str]:
    """Every place of uploaded content that a definition names."""
    match value:
        case str() if "/assets/" in value:
            yield value
        case dict() | list():
            for item in value.values() if isinstance(value, dict) else value:
                yield from uris(item)
