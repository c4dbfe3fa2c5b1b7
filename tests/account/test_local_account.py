"""The embedded account: what it refuses, what it tells, and that nothing leaves the process."""

from __future__ import annotations

import json
import multiprocessing
import socket
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from account_definitions import IMAGE, ROLE, document, fail, processing
from account_parts import zipped
from botocore.exceptions import ClientError
from botocore.model import ListShape, MapShape, Shape, StructureShape

from mlops.account import Account, connect, identify
from mlops.account.local import LocalAccount, shapes
from mlops.account.local.answering import operations, services
from mlops.account.local.services.sagemaker.registry import create_model_package
from mlops.account.local.state import State
from mlops.ir import ConfigurationError

INFERENCE = {
    "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://mlops-tests/model.tar.gz"}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}


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


# Every operation once, so that its reply can be held against the service model. {} stands for values from before.
REAL_TIME = {"InstanceType": "ml.m5.large", "InstanceCount": 1}
TRIAL = {
    "Name": "t",
    "Type": "ShadowMode",
    "RoleArn": ROLE,
    "EndpointName": "later",
    "Schedule": {"StartTime": datetime.now(UTC) + timedelta(hours=1)},
    "ModelVariants": [
        {
            "ModelName": "m",
            "VariantName": name,
            "InfrastructureConfig": {
                "InfrastructureType": "RealTimeInference",
                "RealTimeInferenceConfig": REAL_TIME,
            },
        }
        for name in ("A", "S")
    ],
    "ShadowModeConfig": {
        "SourceModelVariantName": "A",
        "ShadowModelVariants": [{"ShadowModelVariantName": "S", "SamplingPercentage": 10}],
    },
}
METRIC = {"Namespace": "shop", "MetricName": "orders"}
DAY = {"StartTime": datetime.now(UTC) - timedelta(days=1), "EndTime": datetime.now(UTC) + timedelta(days=1)}
ALARM = {
    "AlarmName": "many",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 5.0,
    "ComparisonOperator": "GreaterThanThreshold",
}
FUNCTION = zipped({"a.py": "def handler(event, context):\n    return event\n"})
POLICY = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
SCHEDULE = {
    "Name": "daily",
    "ScheduleExpression": "rate(1 day)",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {"Arn": "arn:aws:sagemaker:us-east-1:000000000000:pipeline/p", "RoleArn": ROLE},
}
TEAM = "arn:aws:scheduler:us-east-1:000000000000:schedule-group/team"
MANY = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:many"
DELIVERED = {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::mlops-tests"}
NOTEBOOK, LIFECYCLE = {"NotebookInstanceName": "n"}, "NotebookInstanceLifecycleConfig"
PROVIDER = {"OpenIDConnectProviderArn": "arn:aws:iam::000000000000:oidc-provider/ci.example.com"}
OWNED_BY_ADA = {
    "OwnershipSettings": {"OwnerUserProfileName": "ada"},
    "SpaceSharingSettings": {"SharingType": "Private"},
}
CLOSED = {"BlockPublicAcls": True}
OWNED = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
ENCRYPTED = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
EXPIRING = {"Rules": [{"ID": "a", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 7}}]}
FILTER = {"logGroupName": "/aws/sagemaker/ProcessingJobs", "filterName": "f"}
FED = "arn:aws:firehose:us-east-1:000000000000:deliverystream/d"
LOG_GROUP = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/sagemaker/ProcessingJobs"
COPIED = {"Role": ROLE, "Rules": [{"Status": "Enabled", "Destination": {"Bucket": "arn:aws:s3:::other-bucket"}}]}
EVERY_REPLY: list[tuple[str, str, dict[str, Any]]] = [
    ("sts", "GetCallerIdentity", {}),
    (
        "lambda",
        "CreateFunction",
        {
            "FunctionName": "f",
            "Runtime": "python3.12",
            "Role": ROLE,
            "Handler": "a.handler",
            "Code": {"ZipFile": FUNCTION},
        },
    ),
    ("lambda", "GetFunction", {"FunctionName": "f"}),
    ("lambda", "GetFunctionConfiguration", {"FunctionName": "f"}),
    ("lambda", "ListFunctions", {}),
    ("lambda", "UpdateFunctionCode", {"FunctionName": "f", "ZipFile": FUNCTION}),
    ("lambda", "UpdateFunctionConfiguration", {"FunctionName": "f", "Timeout": 9}),
    ("lambda", "Invoke", {"FunctionName": "f", "Payload": b"{}", "LogType": "Tail"}),
    ("lambda", "DeleteFunction", {"FunctionName": "f"}),
    ("sagemaker", "CreateDomain", {"DomainName": "research", "AuthMode": "IAM", "DefaultUserSettings": {}}),
    ("sagemaker", "ListDomains", {}),
    ("sagemaker", "DescribeDomain", {"DomainId": "{DomainId}"}),
    ("sagemaker", "UpdateDomain", {"DomainId": "{DomainId}", "AppNetworkAccessType": "VpcOnly"}),
    ("sagemaker", "CreateUserProfile", {"DomainId": "{DomainId}", "UserProfileName": "ada"}),
    ("sagemaker", "DescribeUserProfile", {"DomainId": "{DomainId}", "UserProfileName": "ada"}),
    ("sagemaker", "ListUserProfiles", {"DomainIdEquals": "{DomainId}"}),
    ("sagemaker", "UpdateUserProfile", {"DomainId": "{DomainId}", "UserProfileName": "ada", "UserSettings": {}}),
    ("sagemaker", "CreateSpace", {"DomainId": "{DomainId}", "SpaceName": "lab", **OWNED_BY_ADA}),
    ("sagemaker", "DescribeSpace", {"DomainId": "{DomainId}", "SpaceName": "lab"}),
    ("sagemaker", "ListSpaces", {"DomainIdEquals": "{DomainId}"}),
    ("sagemaker", "UpdateSpace", {"DomainId": "{DomainId}", "SpaceName": "lab", "SpaceDisplayName": "Lab"}),
    ("sagemaker", "ListApps", {}),
    ("sagemaker", "DeleteSpace", {"DomainId": "{DomainId}", "SpaceName": "lab"}),
    ("sagemaker", "DeleteUserProfile", {"DomainId": "{DomainId}", "UserProfileName": "ada"}),
    ("sagemaker", "DeleteDomain", {"DomainId": "{DomainId}"}),
    ("firehose", "CreateDeliveryStream", {"DeliveryStreamName": "d", "ExtendedS3DestinationConfiguration": DELIVERED}),
    ("firehose", "DescribeDeliveryStream", {"DeliveryStreamName": "d"}),
    ("firehose", "ListDeliveryStreams", {}),
    ("firehose", "TagDeliveryStream", {"DeliveryStreamName": "d", "Tags": [{"Key": "k", "Value": "v"}]}),
    ("firehose", "ListTagsForDeliveryStream", {"DeliveryStreamName": "d"}),
    ("firehose", "UntagDeliveryStream", {"DeliveryStreamName": "d", "TagKeys": ["k"]}),
    (
        "firehose",
        "UpdateDestination",
        {
            "DeliveryStreamName": "d",
            "CurrentDeliveryStreamVersionId": "1",
            "DestinationId": "destinationId-000000000001",
            "ExtendedS3DestinationUpdate": {"Prefix": "p/"},
        },
    ),
    ("firehose", "StartDeliveryStreamEncryption", {"DeliveryStreamName": "d"}),
    ("firehose", "StopDeliveryStreamEncryption", {"DeliveryStreamName": "d"}),
    ("firehose", "PutRecord", {"DeliveryStreamName": "d", "Record": {"Data": b"1"}}),
    ("firehose", "PutRecordBatch", {"DeliveryStreamName": "d", "Records": [{"Data": b"2"}]}),
    ("logs", "PutSubscriptionFilter", {**FILTER, "filterPattern": "", "destinationArn": FED, "roleArn": ROLE}),
    ("logs", "DescribeSubscriptionFilters", {"logGroupName": FILTER["logGroupName"]}),
    ("logs", "TagResource", {"resourceArn": LOG_GROUP, "tags": {"k": "v"}}),
    ("logs", "ListTagsForResource", {"resourceArn": LOG_GROUP}),
    ("logs", "UntagResource", {"resourceArn": LOG_GROUP, "tagKeys": ["k"]}),
    ("logs", "DeleteSubscriptionFilter", FILTER),
    ("firehose", "DeleteDeliveryStream", {"DeliveryStreamName": "d"}),
    ("opensearch", "ListDomainNames", {}),
    ("glue", "CreateDatabase", {"DatabaseInput": {"Name": "lake"}}),
    ("glue", "GetDatabase", {"Name": "lake"}),
    ("glue", "GetDatabases", {}),
    ("glue", "CreateTable", {"DatabaseName": "lake", "TableInput": {"Name": "events"}}),
    ("glue", "UpdateTable", {"DatabaseName": "lake", "TableInput": {"Name": "events", "Description": "x"}}),
    ("glue", "GetTable", {"DatabaseName": "lake", "Name": "events"}),
    ("glue", "GetTables", {"DatabaseName": "lake"}),
    ("glue", "DeleteTable", {"DatabaseName": "lake", "Name": "events"}),
    ("glue", "DeleteDatabase", {"Name": "lake"}),
    ("sqs", "CreateQueue", {"QueueName": "q"}),
    ("sqs", "GetQueueUrl", {"QueueName": "q"}),
    ("sqs", "ListQueues", {}),
    ("sqs", "SetQueueAttributes", {"QueueUrl": "q", "Attributes": {"DelaySeconds": "0"}}),
    ("sqs", "SendMessage", {"QueueUrl": "q", "MessageBody": "m"}),
    ("sqs", "SendMessageBatch", {"QueueUrl": "q", "Entries": [{"Id": "a", "MessageBody": "m"}]}),
    ("sqs", "GetQueueAttributes", {"QueueUrl": "q", "AttributeNames": ["All"]}),
    ("sqs", "ReceiveMessage", {"QueueUrl": "q", "AttributeNames": ["All"]}),
    ("sqs", "DeleteMessage", {"QueueUrl": "q", "ReceiptHandle": "h" * 43}),
    ("sqs", "DeleteMessageBatch", {"QueueUrl": "q", "Entries": [{"Id": "a", "ReceiptHandle": "h" * 43}]}),
    ("sqs", "PurgeQueue", {"QueueUrl": "q"}),
    ("sqs", "DeleteQueue", {"QueueUrl": "q"}),
    ("s3", "CreateBucket", {"Bucket": "some-bucket"}),
    ("s3", "HeadBucket", {"Bucket": "some-bucket"}),
    ("s3", "GetBucketLocation", {"Bucket": "some-bucket"}),
    ("s3", "ListBuckets", {}),
    ("s3", "PutPublicAccessBlock", {"Bucket": "some-bucket", "PublicAccessBlockConfiguration": CLOSED}),
    ("s3", "GetPublicAccessBlock", {"Bucket": "some-bucket"}),
    ("s3", "PutBucketOwnershipControls", {"Bucket": "some-bucket", "OwnershipControls": OWNED}),
    ("s3", "GetBucketOwnershipControls", {"Bucket": "some-bucket"}),
    ("s3", "PutBucketEncryption", {"Bucket": "some-bucket", "ServerSideEncryptionConfiguration": ENCRYPTED}),
    ("s3", "GetBucketEncryption", {"Bucket": "some-bucket"}),
    ("s3", "PutBucketVersioning", {"Bucket": "some-bucket", "VersioningConfiguration": {"Status": "Enabled"}}),
    ("s3", "GetBucketVersioning", {"Bucket": "some-bucket"}),
    ("s3", "PutBucketReplication", {"Bucket": "some-bucket", "ReplicationConfiguration": COPIED}),
    ("s3", "GetBucketReplication", {"Bucket": "some-bucket"}),
    ("s3", "DeleteBucketReplication", {"Bucket": "some-bucket"}),
    ("s3", "PutBucketLifecycleConfiguration", {"Bucket": "some-bucket", "LifecycleConfiguration": EXPIRING}),
    ("s3", "GetBucketLifecycleConfiguration", {"Bucket": "some-bucket"}),
    ("s3", "PutBucketPolicy", {"Bucket": "some-bucket", "Policy": "{}"}),
    ("s3", "GetBucketPolicy", {"Bucket": "some-bucket"}),
    ("s3", "DeleteBucketPolicy", {"Bucket": "some-bucket"}),
    ("s3", "PutBucketTagging", {"Bucket": "some-bucket", "Tagging": {"TagSet": [{"Key": "k", "Value": "v"}]}}),
    ("s3", "GetBucketTagging", {"Bucket": "some-bucket"}),
    ("s3", "ListObjectVersions", {"Bucket": "some-bucket"}),
    ("s3", "PutObject", {"Bucket": "some-bucket", "Key": "key", "Body": b"1"}),
    ("s3", "GetObject", {"Bucket": "some-bucket", "Key": "key"}),
    ("s3", "HeadObject", {"Bucket": "some-bucket", "Key": "key"}),
    ("s3", "GetObjectAttributes", {"Bucket": "some-bucket", "Key": "key", "ObjectAttributes": ["ETag", "ObjectSize"]}),
    (
        "s3",
        "PutObjectTagging",
        {"Bucket": "some-bucket", "Key": "key", "Tagging": {"TagSet": [{"Key": "k", "Value": "v"}]}},
    ),
    ("s3", "GetObjectTagging", {"Bucket": "some-bucket", "Key": "key"}),
    ("s3", "DeleteObjectTagging", {"Bucket": "some-bucket", "Key": "key"}),
    ("s3", "CopyObject", {"Bucket": "some-bucket", "Key": "copy", "CopySource": "some-bucket/key"}),
    ("s3", "ListObjects", {"Bucket": "some-bucket"}),
    ("s3", "ListObjectsV2", {"Bucket": "some-bucket"}),
    ("s3", "DeleteObjects", {"Bucket": "some-bucket", "Delete": {"Objects": [{"Key": "copy"}]}}),
    ("s3", "CreateMultipartUpload", {"Bucket": "some-bucket", "Key": "big"}),
    (
        "s3",
        "UploadPart",
        {"Bucket": "some-bucket", "Key": "big", "UploadId": "{UploadId}", "PartNumber": 1, "Body": b"1"},
    ),
    (
        "s3",
        "UploadPartCopy",
        {
            "Bucket": "some-bucket",
            "Key": "big",
            "UploadId": "{UploadId}",
            "PartNumber": 2,
            "CopySource": "some-bucket/key",
        },
    ),
    ("s3", "ListMultipartUploads", {"Bucket": "some-bucket", "Prefix": "big"}),
    ("s3", "ListParts", {"Bucket": "some-bucket", "Key": "big", "UploadId": "{UploadId}"}),
    (
        "s3",
        "CompleteMultipartUpload",
        {
            "Bucket": "some-bucket",
            "Key": "big",
            "UploadId": "{UploadId}",
            "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": "c4ca4238a0b923820dcc509a6f75849b"}]},
        },
    ),
    ("s3", "CreateMultipartUpload", {"Bucket": "some-bucket", "Key": "big2"}),
    ("s3", "AbortMultipartUpload", {"Bucket": "some-bucket", "Key": "big2", "UploadId": "{UploadId}"}),
    ("s3", "DeleteObject", {"Bucket": "some-bucket", "Key": "key"}),
    ("s3", "DeleteObject", {"Bucket": "some-bucket", "Key": "big"}),
    ("s3", "DeleteBucket", {"Bucket": "some-bucket"}),
    (
        "sagemaker",
        "CreatePipeline",
        {"PipelineName": "p", "PipelineDefinition": fail(), "RoleArn": ROLE, "Tags": [{"Key": "a", "Value": "b"}]},
    ),
    # It runs until it is stopped, however loaded the machine is.
    (
        "sagemaker",
        "UpdatePipeline",
        {
            "PipelineName": "p",
            "PipelineDefinition": document([processing("Wait", "trap 'exit 0' TERM; while :; do sleep 0.05; done")]),
        },
    ),
    ("sagemaker", "DescribePipeline", {"PipelineName": "p"}),
    ("sagemaker", "ListPipelines", {}),
    ("sagemaker", "ListPipelineVersions", {"PipelineName": "p"}),
    ("sagemaker", "AddTags", {"ResourceArn": "{PipelineArn}", "Tags": [{"Key": "c", "Value": "d"}]}),
    ("sagemaker", "ListTags", {"ResourceArn": "{PipelineArn}"}),
    ("sagemaker", "DeleteTags", {"ResourceArn": "{PipelineArn}", "TagKeys": ["c"]}),
    ("sagemaker", "StartPipelineExecution", {"PipelineName": "p"}),
    ("sagemaker", "StopPipelineExecution", {"PipelineExecutionArn": "{PipelineExecutionArn}"}),
    ("sagemaker", "WAIT", {"PipelineExecutionArn": "{PipelineExecutionArn}"}),
    ("sagemaker", "DescribePipelineExecution", {"PipelineExecutionArn": "{PipelineExecutionArn}"}),
    ("sagemaker", "UpdatePipelineExecution", {"PipelineExecutionArn": "{PipelineExecutionArn}"}),
    ("sagemaker", "ListPipelineExecutions", {"PipelineName": "p"}),
    ("sagemaker", "ListPipelineExecutionSteps", {"PipelineExecutionArn": "{PipelineExecutionArn}"}),
    ("sagemaker", "ListPipelineParametersForExecution", {"PipelineExecutionArn": "{PipelineExecutionArn}"}),
    ("sagemaker", "DescribePipelineDefinitionForExecution", {"PipelineExecutionArn": "{PipelineExecutionArn}"}),
    ("sagemaker", "CreateModelPackageGroup", {"ModelPackageGroupName": "g", "ModelPackageGroupDescription": "some"}),
    ("sagemaker", "DescribeModelPackageGroup", {"ModelPackageGroupName": "g"}),
    ("sagemaker", "ListModelPackageGroups", {}),
    ("sagemaker", "CreateModelPackage", {"ModelPackageGroupName": "g", "InferenceSpecification": INFERENCE}),
    ("sagemaker", "UpdateModelPackage", {"ModelPackageArn": "{ModelPackageArn}", "ModelApprovalStatus": "Approved"}),
    ("sagemaker", "DescribeModelPackage", {"ModelPackageName": "{ModelPackageArn}"}),
    ("sagemaker", "ListModelPackages", {"ModelPackageGroupName": "g"}),
    ("sagemaker", "CreateModelCard", {"ModelCardName": "mc", "Content": "{}", "ModelCardStatus": "Draft"}),
    ("sagemaker", "UpdateModelCard", {"ModelCardName": "mc", "ModelCardStatus": "Approved"}),
    ("sagemaker", "DescribeModelCard", {"ModelCardName": "mc"}),
    ("sagemaker", "ListModelCards", {}),
    ("sagemaker", "ListModelCardVersions", {"ModelCardName": "mc"}),
    ("sagemaker", "DeleteModelCard", {"ModelCardName": "mc"}),
    ("sagemaker", "CreateModel", {"ModelName": "m", "PrimaryContainer": {"ModelPackageName": "{ModelPackageArn}"}}),
    ("sagemaker", "DescribeModel", {"ModelName": "m"}),
    ("sagemaker", "ListModels", {}),
    (
        "sagemaker",
        "CreateEndpointConfig",
        {
            "EndpointConfigName": "c",
            "ProductionVariants": [
                {"VariantName": "A", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
            ],
        },
    ),
    ("sagemaker", "DescribeEndpointConfig", {"EndpointConfigName": "c"}),
    ("sagemaker", "ListEndpointConfigs", {}),
    ("sagemaker", "CreateEndpoint", {"EndpointName": "e", "EndpointConfigName": "c"}),
    ("sagemaker", "DescribeEndpoint", {"EndpointName": "e"}),
    ("sagemaker", "ListEndpoints", {}),
    ("sagemaker", "CreateInferenceExperiment", TRIAL),
    ("sagemaker", "UpdateInferenceExperiment", {"Name": "t", "Description": "some"}),
    ("sagemaker", "DescribeInferenceExperiment", {"Name": "t"}),
    ("sagemaker", "ListInferenceExperiments", {}),
    ("sagemaker", "StopInferenceExperiment", {"Name": "t", "ModelVariantActions": {"S": "Remove"}}),
    ("sagemaker", "DeleteInferenceExperiment", {"Name": "t"}),
    ("logs", "DescribeLogStreams", {"logGroupName": "/aws/sagemaker/Endpoints/e"}),
    ("logs", "FilterLogEvents", {"logGroupName": "/aws/sagemaker/ProcessingJobs"}),
    ("logs", "DescribeLogGroups", {}),
    ("sagemaker", "CreateNotebookInstanceLifecycleConfig", {f"{LIFECYCLE}Name": "c", "OnStart": [{"Content": "YQ=="}]}),
    ("sagemaker", "DescribeNotebookInstanceLifecycleConfig", {f"{LIFECYCLE}Name": "c"}),
    ("sagemaker", "UpdateNotebookInstanceLifecycleConfig", {f"{LIFECYCLE}Name": "c", "OnCreate": []}),
    ("sagemaker", "ListNotebookInstanceLifecycleConfigs", {}),
    (
        "sagemaker",
        "CreateNotebookInstance",
        {**NOTEBOOK, "InstanceType": "ml.t3.medium", "RoleArn": ROLE, "LifecycleConfigName": "c"},
    ),
    ("sagemaker", "DescribeNotebookInstance", NOTEBOOK),
    ("sagemaker", "ListNotebookInstances", {"NotebookInstanceLifecycleConfigNameContains": "c"}),
    ("sagemaker", "StopNotebookInstance", NOTEBOOK),
    ("sagemaker", "UpdateNotebookInstance", {**NOTEBOOK, "DisassociateLifecycleConfig": True}),
    ("sagemaker", "StartNotebookInstance", NOTEBOOK),
    ("sagemaker", "StopNotebookInstance", NOTEBOOK),
    ("sagemaker", "DeleteNotebookInstance", NOTEBOOK),
    ("sagemaker", "DeleteNotebookInstanceLifecycleConfig", {f"{LIFECYCLE}Name": "c"}),
    ("sagemaker", "DeleteEndpoint", {"EndpointName": "e"}),
    ("sagemaker", "DeleteModel", {"ModelName": "m"}),
    ("sagemaker", "DeleteModelPackage", {"ModelPackageName": "{ModelPackageArn}"}),
    ("sagemaker", "DeleteModelPackageGroup", {"ModelPackageGroupName": "g"}),
    *[("sagemaker", f"List{kind}Jobs", {}) for kind in ("Training", "Processing", "Transform", "HyperParameterTuning")],
    ("sagemaker", "DeletePipeline", {"PipelineName": "p"}),
    ("cloudwatch", "PutMetricData", {"Namespace": "shop", "MetricData": [{"MetricName": "orders", "Value": 1.0}]}),
    ("cloudwatch", "ListMetrics", {}),
    ("cloudwatch", "GetMetricStatistics", {**METRIC, **DAY, "Period": 60, "Statistics": ["Sum"]}),
    (
        "cloudwatch",
        "GetMetricData",
        {**DAY, "MetricDataQueries": [{"Id": "a", "MetricStat": {"Metric": METRIC, "Period": 60, "Stat": "Sum"}}]},
    ),
    ("cloudwatch", "PutMetricAlarm", {**METRIC, **ALARM}),
    ("cloudwatch", "SetAlarmState", {"AlarmName": "many", "StateValue": "OK", "StateReason": "a test"}),
    ("cloudwatch", "DescribeAlarms", {}),
    ("cloudwatch", "TagResource", {"ResourceARN": MANY, "Tags": [{"Key": "a", "Value": "b"}]}),
    ("cloudwatch", "ListTagsForResource", {"ResourceARN": MANY}),
    ("cloudwatch", "UntagResource", {"ResourceARN": MANY, "TagKeys": ["a"]}),
    ("cloudwatch", "PutCompositeAlarm", {"AlarmName": "both", "AlarmRule": "ALARM(many) AND NOT FALSE"}),
    ("cloudwatch", "DescribeAlarms", {"AlarmTypes": ["CompositeAlarm", "MetricAlarm"]}),
    ("cloudwatch", "DescribeAlarmsForMetric", METRIC),
    ("cloudwatch", "DisableAlarmActions", {"AlarmNames": ["many", "both"]}),
    ("cloudwatch", "EnableAlarmActions", {"AlarmNames": ["many", "both"]}),
    ("cloudwatch", "DescribeAlarmHistory", {"AlarmName": "many"}),
    ("cloudwatch", "PutAnomalyDetector", {"SingleMetricAnomalyDetector": {**METRIC, "Stat": "Sum"}}),
    ("cloudwatch", "DescribeAnomalyDetectors", {}),
    ("cloudwatch", "DeleteAnomalyDetector", {"SingleMetricAnomalyDetector": {**METRIC, "Stat": "Sum"}}),
    ("cloudwatch", "DeleteAlarms", {"AlarmNames": ["both", "many"]}),
    ("application-autoscaling", "DescribeScalableTargets", {"ServiceNamespace": "sagemaker"}),
    ("application-autoscaling", "DescribeScalingPolicies", {"ServiceNamespace": "sagemaker"}),
    ("application-autoscaling", "DescribeScheduledActions", {"ServiceNamespace": "sagemaker"}),
    ("iam", "CreateRole", {"RoleName": "r", "AssumeRolePolicyDocument": "{}", "Tags": [{"Key": "a", "Value": "b"}]}),
    ("iam", "GetRole", {"RoleName": "r"}),
    ("iam", "ListRoles", {}),
    ("iam", "AttachRolePolicy", {"RoleName": "r", "PolicyArn": POLICY}),
    ("iam", "ListAttachedRolePolicies", {"RoleName": "r"}),
    ("iam", "DetachRolePolicy", {"RoleName": "r", "PolicyArn": POLICY}),
    ("iam", "SimulatePrincipalPolicy", {"PolicySourceArn": ROLE, "ActionNames": ["s3:GetObject"]}),
    ("iam", "PutRolePolicy", {"RoleName": "r", "PolicyName": "p", "PolicyDocument": "{}"}),
    ("iam", "GetRolePolicy", {"RoleName": "r", "PolicyName": "p"}),
    ("iam", "ListRolePolicies", {"RoleName": "r"}),
    ("iam", "DeleteRolePolicy", {"RoleName": "r", "PolicyName": "p"}),
    ("iam", "UpdateAssumeRolePolicy", {"RoleName": "r", "PolicyDocument": "{}"}),
    ("iam", "UpdateRole", {"RoleName": "r", "Description": "other"}),
    ("iam", "PutRolePermissionsBoundary", {"RoleName": "r", "PermissionsBoundary": POLICY}),
    ("iam", "GetRole", {"RoleName": "r"}),
    ("iam", "DeleteRolePermissionsBoundary", {"RoleName": "r"}),
    ("iam", "TagRole", {"RoleName": "r", "Tags": [{"Key": "k", "Value": "v"}]}),
    ("iam", "ListRoleTags", {"RoleName": "r"}),
    ("iam", "UntagRole", {"RoleName": "r", "TagKeys": ["k"]}),
    ("iam", "CreateOpenIDConnectProvider", {"Url": "https://ci.example.com", "ClientIDList": ["a"]}),
    ("iam", "ListOpenIDConnectProviders", {}),
    ("iam", "GetOpenIDConnectProvider", PROVIDER),
    ("iam", "AddClientIDToOpenIDConnectProvider", {**PROVIDER, "ClientID": "b"}),
    ("iam", "RemoveClientIDFromOpenIDConnectProvider", {**PROVIDER, "ClientID": "a"}),
    ("iam", "TagOpenIDConnectProvider", {**PROVIDER, "Tags": [{"Key": "k", "Value": "v"}]}),
    ("iam", "ListOpenIDConnectProviderTags", PROVIDER),
    ("iam", "UntagOpenIDConnectProvider", {**PROVIDER, "TagKeys": ["k"]}),
    ("iam", "DeleteOpenIDConnectProvider", PROVIDER),
    ("iam", "DeleteRole", {"RoleName": "r"}),
    ("sagemaker", "CreateAction", {"ActionName": "a", "Source": {"SourceUri": "s3://b/k"}, "ActionType": "t"}),
    ("sagemaker", "DescribeAction", {"ActionName": "a"}),
    ("sagemaker", "ListActions", {"SourceUri": "s3://b/k"}),
    ("sagemaker", "CreateArtifact", {"Source": {"SourceUri": "s3://b/k"}, "ArtifactType": "t", "ArtifactName": "n"}),
    ("sagemaker", "DescribeArtifact", {"ArtifactArn": "{ArtifactArn}"}),
    ("sagemaker", "ListArtifacts", {}),
    ("sagemaker", "CreateContext", {"ContextName": "c", "Source": {"SourceUri": "s3://b/k"}, "ContextType": "t"}),
    ("sagemaker", "DescribeContext", {"ContextName": "c"}),
    ("sagemaker", "ListContexts", {"SortBy": "Name", "SortOrder": "Ascending"}),
    ("sagemaker", "AddAssociation", {"SourceArn": "{ActionArn}", "DestinationArn": "{ArtifactArn}"}),
    ("sagemaker", "ListAssociations", {"SourceArn": "{ActionArn}"}),
    ("sagemaker", "DeleteAssociation", {"SourceArn": "{ActionArn}", "DestinationArn": "{ArtifactArn}"}),
    ("sagemaker", "DeleteAction", {"ActionName": "a"}),
    ("sagemaker", "DeleteArtifact", {"ArtifactArn": "{ArtifactArn}"}),
    ("sagemaker", "DeleteContext", {"ContextName": "c"}),
    ("kms", "CreateKey", {"Description": "some"}),
    ("kms", "DescribeKey", {"KeyId": "alias/some"}),
    ("kms", "ListKeys", {}),
    ("kms", "CreateAlias", {"AliasName": "alias/named", "TargetKeyId": "1234abcd"}),
    ("kms", "ListAliases", {}),
    ("kms", "EnableKeyRotation", {"KeyId": "1234abcd"}),
    ("kms", "GetKeyRotationStatus", {"KeyId": "1234abcd"}),
    ("kms", "DisableKeyRotation", {"KeyId": "1234abcd"}),
    ("kms", "UpdateKeyDescription", {"KeyId": "1234abcd", "Description": "other"}),
    ("kms", "TagResource", {"KeyId": "1234abcd", "Tags": [{"TagKey": "k", "TagValue": "v"}]}),
    ("kms", "ListResourceTags", {"KeyId": "1234abcd"}),
    ("kms", "UntagResource", {"KeyId": "1234abcd", "TagKeys": ["k"]}),
    ("kms", "DeleteAlias", {"AliasName": "alias/named"}),
    ("scheduler", "CreateScheduleGroup", {"Name": "team", "Tags": [{"Key": "team", "Value": "growth"}]}),
    ("scheduler", "TagResource", {"ResourceArn": TEAM, "Tags": [{"Key": "a", "Value": "b"}]}),
    ("scheduler", "ListTagsForResource", {"ResourceArn": TEAM}),
    ("scheduler", "UntagResource", {"ResourceArn": TEAM, "TagKeys": ["a"]}),
    ("scheduler", "GetScheduleGroup", {"Name": "team"}),
    ("scheduler", "ListScheduleGroups", {}),
    ("scheduler", "CreateSchedule", {**SCHEDULE, "GroupName": "team", "StartDate": datetime(2030, 1, 1, tzinfo=UTC)}),
    ("scheduler", "GetSchedule", {"Name": "daily", "GroupName": "team"}),
    ("scheduler", "UpdateSchedule", {**SCHEDULE, "GroupName": "team", "State": "DISABLED"}),
    ("scheduler", "ListSchedules", {"NamePrefix": "da"}),
    ("scheduler", "DeleteSchedule", {"Name": "daily", "GroupName": "team"}),
    ("scheduler", "DeleteScheduleGroup", {"Name": "team"}),
    ("kms", "GetKeyPolicy", {"KeyId": "alias/data"}),
    ("kms", "PutKeyPolicy", {"KeyId": "alias/data", "Policy": "{}"}),
    ("secretsmanager", "CreateSecret", {"Name": "db", "SecretString": "one", "Tags": [{"Key": "a", "Value": "b"}]}),
    ("secretsmanager", "GetSecretValue", {"SecretId": "db"}),
    ("secretsmanager", "PutSecretValue", {"SecretId": "db", "SecretBinary": b"two"}),
    ("secretsmanager", "UpdateSecret", {"SecretId": "db", "Description": "some"}),
    ("secretsmanager", "DescribeSecret", {"SecretId": "db"}),
    ("secretsmanager", "DeleteSecret", {"SecretId": "db"}),
    ("secretsmanager", "ListSecrets", {"IncludePlannedDeletion": True}),
    ("secretsmanager", "RestoreSecret", {"SecretId": "db"}),
    ("ssm", "PutParameter", {"Name": "/a/b", "Value": "1", "Type": "SecureString"}),
    ("ssm", "GetParameter", {"Name": "/a/b", "WithDecryption": True}),
    ("ssm", "GetParameters", {"Names": ["/a/b", "/c"]}),
    ("ssm", "GetParametersByPath", {"Path": "/", "Recursive": True}),
    ("ssm", "DeleteParameter", {"Name": "/a/b"}),
    ("ecr", "CreateRepository", {"repositoryName": "steps"}),
    ("ecr", "DescribeRepositories", {}),
    ("ecr", "DescribeImages", {"repositoryName": "steps"}),
    ("ecr", "GetAuthorizationToken", {}),
    ("ecr", "DeleteRepository", {"repositoryName": "steps"}),
    ("events", "PutRule", {"Name": "daily", "ScheduleExpression": "rate(1 day)"}),
    ("events", "DescribeRule", {"Name": "daily"}),
    (
        "events",
        "TagResource",
        {"ResourceARN": "arn:aws:events:us-east-1:000000000000:rule/daily", "Tags": [{"Key": "a", "Value": "b"}]},
    ),
    ("events", "ListTagsForResource", {"ResourceARN": "arn:aws:events:us-east-1:000000000000:rule/daily"}),
    (
        "events",
        "UntagResource",
        {"ResourceARN": "arn:aws:events:us-east-1:000000000000:rule/daily", "TagKeys": ["a"]},
    ),
    ("events", "DisableRule", {"Name": "daily"}),
    ("events", "EnableRule", {"Name": "daily"}),
    ("events", "ListRules", {}),
    ("events", "PutTargets", {"Rule": "daily", "Targets": [{"Id": "1", "Arn": "arn:aws:sqs:us-east-1:0:q"}]}),
    ("events", "ListTargetsByRule", {"Rule": "daily"}),
    ("events", "RemoveTargets", {"Rule": "daily", "Ids": ["1", "2"]}),
    ("events", "DeleteRule", {"Name": "daily"}),
    ("events", "PutEvents", {"Entries": [{"Source": "a", "DetailType": "b", "Detail": "{}"}]}),
]
COMPONENTS = (
    *((do, "") for do in ("Create", "Delete", "Describe", "Update")),
    ("List", "s"),
    ("Update", "RuntimeConfig"),
)
# Told by tests that have an endpoint or an execution to ask.
ELSEWHERE = {
    "ChangeMessageVisibility",
    "CreateLogGroup",
    "SendPipelineExecutionStepFailure",
    "SendPipelineExecutionStepSuccess",
    "DeleteEndpointConfig",
    *(f"{do}InferenceComponent{more}" for do, more in COMPONENTS),
    "DeleteScalingPolicy",
    "DeleteScheduledAction",
    "DeregisterScalableTarget",
    *(
        f"{do}{kind}Job"
        for kind in ("Training", "Processing", "HyperParameterTuning")
        for do in ("Create", "Delete", "Stop")
    ),
    *(f"{do}TransformJob" for do in ("Create", "Stop")),
    "DescribeHyperParameterTuningJob",
    "DescribeProcessingJob",
    "DescribeExperiment",
    "DescribeTrainingJob",
    "DescribeTrial",
    "DescribeTransformJob",
    "GetLogEvents",
    "InvokeEndpoint",
    "ListTrainingJobsForHyperParameterTuningJob",
    "InvokeEndpointAsync",
    "InvokeEndpointWithResponseStream",
    "ListTrialComponents",
    "PutScalingPolicy",
    "PutScheduledAction",
    "RegisterScalableTarget",
    "RetryPipelineExecution",
    "StartInferenceExperiment",
    "UpdateEndpoint",
    "UpdateEndpointWeightsAndCapacities",
}


def misfits(shape: Shape, value: Any, at: str) -> list[str]:
    match shape, value:
        case StructureShape(), Mapping():
            unknown = [f"{at}: unknown {name}" for name in value if name not in shape.members]
            missing = [f"{at}: no {name}" for name in shape.required_members if name not in value]
            inner = [
                text
                for name, item in value.items()
                if name in shape.members
                for text in misfits(shape.members[name], item, f"{at}.{name}")
            ]
            return unknown + missing + inner
        case ListShape(), list():
            return [text for index, item in enumerate(value) for text in misfits(shape.member, item, f"{at}[{index}]")]
        case MapShape(), dict():
            return [text for key, item in value.items() for text in misfits(shape.value, item, f"{at}[{key}]")]
    if shape.name == "policyDocumentType":
        return []  # which botocore makes a value of
    types: dict[str, tuple[type, ...]] = {
        "string": (str,),
        "integer": (int,),
        "long": (int,),
        "float": (float,),
        "double": (float,),
        "boolean": (bool,),
        "timestamp": (datetime,),
    }
    if shape.type_name == "blob":
        return [] if hasattr(value, "read") else [f"{at}: no stream"]
    right = isinstance(value, types.get(shape.type_name, ()))
    if right and isinstance(value, datetime):
        right = value.tzinfo is not None
    return [] if right else [f"{at}: {value!r} is no {shape.type_name}"]


@pytest.mark.parametrize("which", ["local", "wire"])
def test_every_reply_has_the_shape_that_the_service_model_gives_it(which: str, request: pytest.FixtureRequest) -> None:
    account: Account = request.getfixturevalue(which)
    known: dict[str, Any] = {}
    told: set[str] = set()
    for service, operation, given in EVERY_REPLY:
        client = account.client(service)
        params = json_with(given, known)
        if operation == "WAIT":
            while client.describe_pipeline_execution(**params)["PipelineExecutionStatus"] in ("Executing", "Stopping"):
                pass
            continue
        python_name = next(name for name, api in client.meta.method_to_api_mapping.items() if api == operation)
        reply = getattr(client, python_name)(**params)
        assert reply.pop("ResponseMetadata")["HTTPStatusCode"] // 100 == 2
        shape = client.meta.service_model.operation_model(operation).output_shape
        if shape is not None:
            # botocore says None of the place of a bucket that us-east-1 has.
            told_ = {name: value for name, value in reply.items() if value is not None}
            assert misfits(shape, told_, operation) == []
        known.update({name: value for name, value in reply.items() if isinstance(value, str)})
        told.add(operation)
    everything = {operation for service in services() for operation in operations(service)}
    assert everything - told == ELSEWHERE


def json_with(given: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: known[value[1:-1]]
        if isinstance(value, str) and value[:1] == "{" and value[1:-1] in known
        else json_with(value, known)
        if isinstance(value, dict)
        else value
        for name, value in given.items()
    }


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


def test_what_is_plainly_right_is_taken_as_by_the_long_look() -> None:
    """And what the quick look is not sure of is left to the long one: a wrong value anywhere."""
    quick = 0
    for service, operation, given in EVERY_REPLY:
        if operation == "WAIT":
            continue
        shape = shapes.operation(service, operation).input_shape
        if shape is None:
            continue
        wrong: list[str] = []
        long = shapes._fit(shape, given, "", wrong, strict=service not in shapes._INVALID)
        try:
            taken = shapes._taking(shape, service not in shapes._INVALID)(given)
        except shapes._NotPlain:
            continue
        assert (taken, wrong, [*taken]) == (long, [], [*long]), (service, operation)
        quick += 1
        for member in given:
            for odd in (object(), 2**80, "\ud800", [object()], {"Nobody": object()}):
                found: list[str] = []
                asked = {**given, member: odd}
                told = shapes._fit(shape, asked, "", found, strict=service not in shapes._INVALID)
                try:
                    again = shapes._taking(shape, service not in shapes._INVALID)(asked)
                except shapes._NotPlain:
                    continue
                assert (again, []) == (told, found), (service, operation, member, odd)
    assert quick > len(EVERY_REPLY) / 2
