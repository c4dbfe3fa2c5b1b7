"""The embedded account: what it refuses, what it tells, and that nothing leaves the process."""

from __future__ import annotations

import json
import multiprocessing
import socket
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from account_definitions import ROLE, document, fail
from botocore.exceptions import ClientError
from every_reply import INFERENCE
from reply_shapes import misfits

from mlops.account import connect, identify
from mlops.account.local import LocalAccount
from mlops.account.local.services.sagemaker.registry import create_model_package
from mlops.account.local.state import State
from mlops.ir import ConfigurationError


def refused(code: str, text: str = "") -> Any:
    return pytest.raises(ClientError, match=rf"(?s)\({code}\).*{text}")


@pytest.fixture
def sagemaker(local: LocalAccount) -> Any:
    return local.client("sagemaker")


def test_a_broken_aws_setup_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "broken"))
    (tmp_path / "broken").write_text("[[[")
    assert identify(LocalAccount(tmp_path / ".mlops", "eu-west-1")) == "000000000000"


def test_nothing_is_connected_to(local: LocalAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a connection was attempted")

    monkeypatch.setattr(socket.socket, "connect", never)
    local.client("s3").put_object(Bucket="mlops-tests", Key="key", Body=b"1")
    local.client("sagemaker").list_pipelines()
    with refused("UnknownOperationException", "does not answer sagemaker ListHubs"):
        local.client("sagemaker").list_hubs()
    with refused("UnknownOperationException", "does not answer ec2"):
        local.client("ec2").describe_instances()


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("create_pipeline", {"PipelineName": "not ok", "PipelineDefinition": fail(), "RoleArn": ROLE}),
        ("create_pipeline", {"PipelineName": "x" * 257, "PipelineDefinition": fail(), "RoleArn": ROLE}),
        ("create_pipeline", {"PipelineName": "churn", "PipelineDefinition": fail(), "RoleArn": "role" * 6}),
        ("list_pipelines", {"SortOrder": "Sideways"}),
        ("create_model_package_group", {"ModelPackageGroupName": "under_score"}),
        ("list_models", {"MaxResults": 101}),
    ],
)
def test_what_botocore_lets_pass_and_the_service_does_not(
    sagemaker: Any, operation: str, request_: dict[str, Any]
) -> None:
    with refused("ValidationException", "failed to satisfy constraint"):
        getattr(sagemaker, operation)(**request_)


@pytest.mark.parametrize(
    "definition",
    [
        "no json",
        "{}",
        document([{"Name": "A", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}, "DependsOn": ["Absent"]}]),
        document([{"Name": "A", "Type": "Fail", "Arguments": {"ErrorMessage": {"Get": "Parameters.Absent"}}}]),
    ],
    ids=["no JSON", "empty", "unknown step", "unknown parameter"],
)
def test_a_definition_that_cannot_run_is_refused(sagemaker: Any, definition: str) -> None:
    with refused("ValidationException", "definition is not valid"):
        sagemaker.create_pipeline(PipelineName="churn", PipelineDefinition=definition, RoleArn=ROLE)
    assert sagemaker.list_pipelines()["PipelineSummaries"] == []


def test_tokens_of_pipelines(sagemaker: Any) -> None:
    request = {"PipelineName": "churn", "PipelineDefinition": fail(), "RoleArn": ROLE, "ClientRequestToken": "t" * 32}
    arn = sagemaker.create_pipeline(**request)["PipelineArn"]
    assert sagemaker.create_pipeline(**request)["PipelineArn"] == arn
    with refused("ValidationException", "token"):
        sagemaker.create_pipeline(**{**request, "PipelineName": "other"})


def test_a_definition_in_s3(local: LocalAccount, sagemaker: Any) -> None:
    local.client("s3").put_object(Bucket="mlops-tests", Key="definition.json", Body=fail().encode())
    location = {"Bucket": "mlops-tests", "ObjectKey": "definition.json"}
    sagemaker.create_pipeline(PipelineName="churn", PipelineDefinitionS3Location=location, RoleArn=ROLE)
    assert sagemaker.describe_pipeline(PipelineName="churn")["PipelineDefinition"] == fail()
    with refused("ValidationException", "No pipeline definition is at"):
        sagemaker.update_pipeline(
            PipelineName="churn", PipelineDefinitionS3Location={**location, "ObjectKey": "absent"}
        )


def test_an_absent_pipeline(sagemaker: Any) -> None:
    for operation in ("describe_pipeline", "start_pipeline_execution", "list_pipeline_executions", "update_pipeline"):
        with refused("ResourceNotFound", "does not exist"):
            getattr(sagemaker, operation)(PipelineName="absent")


def test_versions_and_their_aliases(sagemaker: Any) -> None:
    sagemaker.create_pipeline(
        PipelineName="churn", PipelineDefinition=fail("1"), RoleArn=ROLE, PipelineVersionAliases=["live"]
    )
    sagemaker.update_pipeline(PipelineName="churn", PipelineDefinition=fail("2"))
    sagemaker.update_pipeline(PipelineName="churn", PipelineDescription="no new version")

    def told(**which: Any) -> str:
        return str(sagemaker.describe_pipeline(PipelineName="churn", **which)["PipelineDefinition"])

    assert told() == fail("2")
    assert told(PipelineVersionId=1) == told(PipelineVersionAlias="live") == fail("1")
    with refused("ResourceNotFound"):
        told(PipelineVersionId=3)


def test_a_group_and_its_packages(sagemaker: Any) -> None:
    with refused("ValidationException", "does not exist"):
        sagemaker.create_model_package(ModelPackageGroupName="models", InferenceSpecification=INFERENCE)
    arn = sagemaker.create_model_package_group(ModelPackageGroupName="models")["ModelPackageGroupArn"]
    with refused("ValidationException", "already exists"):
        sagemaker.create_model_package_group(ModelPackageGroupName="models")
    packages = [
        sagemaker.create_model_package(ModelPackageGroupName=name, InferenceSpecification=INFERENCE)["ModelPackageArn"]
        for name in ("models", arn)
    ]
    sagemaker.put_model_package_group_policy(ModelPackageGroupName="models", ResourcePolicy='{"Statement": []}')
    told = sagemaker.get_model_package_group_policy(ModelPackageGroupName="models")
    assert told["ResourcePolicy"] == '{"Statement": []}'
    sagemaker.delete_model_package_group_policy(ModelPackageGroupName="models")
    with refused("ValidationException", "Cannot find resource policy"):
        sagemaker.get_model_package_group_policy(ModelPackageGroupName="models")
    with refused("ConflictException", "still has model packages"):
        sagemaker.delete_model_package_group(ModelPackageGroupName="models")
    sagemaker.delete_model_package(ModelPackageName=packages[1])
    third = sagemaker.create_model_package(ModelPackageGroupName="models", InferenceSpecification=INFERENCE)
    assert third["ModelPackageArn"].endswith("/3")
    assert (
        sagemaker.describe_model_package(ModelPackageName=packages[0])["ModelApprovalStatus"] == "PendingManualApproval"
    )
    for package in (packages[0], third["ModelPackageArn"]):
        sagemaker.delete_model_package(ModelPackageName=package)
    sagemaker.delete_model_package_group(ModelPackageGroupName="models")
    with refused("ValidationException"):
        sagemaker.describe_model_package(ModelPackageName=packages[0])


def test_metadata_of_a_package_is_updated(sagemaker: Any) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName="models")
    arn = sagemaker.create_model_package(
        ModelPackageGroupName="models",
        InferenceSpecification=INFERENCE,
        CustomerMetadataProperties={"a": "1", "b": "2"},
        ClientToken="t" * 32,
    )["ModelPackageArn"]
    sagemaker.update_model_package(
        ModelPackageArn=arn, CustomerMetadataProperties={"c": "3"}, CustomerMetadataPropertiesToRemove=["a"]
    )
    found = sagemaker.describe_model_package(ModelPackageName=arn)
    assert found["CustomerMetadataProperties"] == {"b": "2", "c": "3"}
    assert found["LastModifiedTime"] >= found["CreationTime"]


def test_a_package_without_a_group(sagemaker: Any) -> None:
    arn = sagemaker.create_model_package(ModelPackageName="single", InferenceSpecification=INFERENCE)["ModelPackageArn"]
    assert arn.endswith(":model-package/single")
    assert "ModelPackageVersion" not in sagemaker.describe_model_package(ModelPackageName="single")
    assert [item["ModelPackageArn"] for item in sagemaker.list_model_packages()["ModelPackageSummaryList"]] == [arn]
    with refused("ValidationException", "versioned"):
        sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")


def test_a_model_of_a_package_needs_its_approval(sagemaker: Any) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName="models")
    package = sagemaker.create_model_package(
        ModelPackageGroupName="models", InferenceSpecification=INFERENCE, ModelApprovalStatus="Rejected"
    )["ModelPackageArn"]
    request = {"ModelName": "m", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"ModelPackageName": package}}
    with refused("ValidationException", "must be approved"):
        sagemaker.create_model(**request)
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    sagemaker.create_model(**request)
    with refused("ValidationException", "already existing"):
        sagemaker.create_model(**request)


def register_many(folder: Path, count: int) -> None:
    state = State(folder, "us-east-1")
    for _ in range(count):
        create_model_package(state, {"ModelPackageGroupName": "models", "InferenceSpecification": INFERENCE})


def test_versions_made_by_two_processes_at_once(local: LocalAccount, sagemaker: Any) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName="models")
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=register_many, args=(local.state.folder, 25)) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    rows = local.state.store.all("SELECT version FROM package ORDER BY version")
    assert [row["version"] for row in rows] == list(range(1, 51))


def open_account(folder: Path) -> None:
    State(folder, "us-east-1")


def test_an_account_opened_first_by_several_processes_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=open_account, args=(tmp_path / ".mlops",)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]


@pytest.mark.parametrize("found", ["newer", "nonsense"])
def test_a_store_that_is_not_ours(tmp_path: Path, found: str) -> None:
    if found == "newer":
        connection = sqlite3.connect(tmp_path / "account.sqlite")
        connection.execute("PRAGMA user_version = 99")
        connection.close()
    else:
        (tmp_path / "account.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(ConfigurationError, match=r"account\.sqlite"):
        State(tmp_path, "us-east-1")


def test_the_environments_bucket_is_there(tmp_path: Path) -> None:
    from account_parts import Environment

    for _ in range(2):
        account = connect(Environment(state=tmp_path, bucket="my-bucket"))
    account.client("s3").head_bucket(Bucket="my-bucket")


def test_what_a_job_tells(local: LocalAccount, sagemaker: Any) -> None:
    from mlops.account.local.process.ports import LocalRegistry

    registry = LocalRegistry(local.state, "arn")
    description = {
        "TransformJobName": "t",
        "TransformJobArn": local.state.arn("transform-job/t"),
        "ModelName": "m",
        "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/k"}}},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        "CreationTime": "2026-11-22T03:04:05.678Z",
        "NotOfTheService": 1,
    }
    registry.record_job("TransformJob", "t", {**description, "TransformJobStatus": "InProgress"})
    registry.record_job("TransformJob", "t", {**description, "TransformJobStatus": "Completed"})
    found = sagemaker.describe_transform_job(TransformJobName="t")
    assert found.pop("ResponseMetadata")
    shape = sagemaker.meta.service_model.operation_model("DescribeTransformJob").output_shape
    assert misfits(shape, found, "DescribeTransformJob") == []
    assert found["TransformJobStatus"] == "Completed"
    listed = sagemaker.list_transform_jobs(StatusEquals="Completed")["TransformJobSummaries"]
    assert [item["TransformJobName"] for item in listed] == ["t"]
    assert sagemaker.list_transform_jobs(StatusEquals="InProgress")["TransformJobSummaries"] == []
    with refused("ValidationException", "Could not find"):
        sagemaker.describe_transform_job(TransformJobName="absent")


def test_what_a_run_writes_and_reads(local: LocalAccount, tmp_path: Path) -> None:
    from mlops.account.local.process.ports import LocalObjects
    from mlops.run.ports import ObjectMissing

    objects = LocalObjects(local.state)
    for key in ("out/b", "out/a", "outside"):
        objects.put([b"con", b"tent"], f"s3://a-bucket-nobody-made/{key}")
    assert objects.keys("s3://a-bucket-nobody-made/out/") == (
        "s3://a-bucket-nobody-made/out/a",
        "s3://a-bucket-nobody-made/out/b",
    )
    assert objects.read("s3://a-bucket-nobody-made/out/a") == b"content"
    objects.fetch("s3://a-bucket-nobody-made/outside", tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"content"
    for uri in ("s3://a-bucket-nobody-made/absent", "s3://absent-bucket/key", "file:///etc/passwd"):
        with pytest.raises(ObjectMissing):
            objects.read(uri)
    for uri in ("s3://../outside", "s3://.writing/x", "s3:///x"):
        with pytest.raises(ObjectMissing):
            objects.put([b"content"], uri)


def test_bodies_are_json(local: LocalAccount, sagemaker: Any) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName="models")
    assert all(json.loads(row["body"]) for row in local.state.store.all("SELECT body FROM resource"))
