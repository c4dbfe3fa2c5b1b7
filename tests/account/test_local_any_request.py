"""Whatever is asked of the local account, by whoever has validated nothing: each answer is a reply or a refusal."""

from __future__ import annotations

import json
import shutil
from base64 import urlsafe_b64encode
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from account_definitions import IMAGE, ROLE, document, fail
from botocore.model import ListShape, MapShape, Shape, StructureShape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops.account.local import LocalAccount
from mlops.account.local.answering import answer, operations, services
from mlops.account.local.refusal import Refusal
from mlops.account.local.shapes import conform, operation
from mlops.account.local.state import State
from tests.laws import examples

ARN = "arn:aws:sagemaker:us-east-1:000000000000"
BEFORE: list[tuple[str, str, dict[str, Any]]] = [
    ("s3", "CreateBucket", {"Bucket": "some-bucket"}),
    ("s3", "PutObject", {"Bucket": "some-bucket", "Key": "key", "Body": b"content"}),
    ("sagemaker", "CreateModelPackageGroup", {"ModelPackageGroupName": "g"}),
    ("sagemaker", "CreateModelPackage", {"ModelPackageGroupName": "g", "SourceUri": "s3://b/m"}),
    ("sagemaker", "CreateModelCard", {"ModelCardName": "m", "Content": "{}", "ModelCardStatus": "Draft"}),
    ("sagemaker", "CreateModel", {"ModelName": "m", "PrimaryContainer": {"Image": IMAGE}}),
    (
        "sagemaker",
        "CreatePipeline",
        {
            "PipelineName": "p",
            "PipelineDefinition": fail(parameters=[{"Name": "Needed", "Type": "String"}]),
            "RoleArn": ROLE,
            "ClientRequestToken": "t" * 32,
        },
    ),
]
NAMES = ["p", "g", "m", "none", "some-bucket", "key", "t" * 32]
STRANGE = [
    "", "\0", "a\0b", "x" * 70_000, "\ud800", "\u0131\u0307", "../../etc/passwd", "/", "a//b", "-1", "9" * 5_000, "٣",
    f"{ARN}:model-package/x/abc", f"{ARN}:model-package/g/1", f"{ARN}:model-package/g/٣", f"{ARN}:model-package/g/",
    f"{ARN}:model-package/g/{'9' * 5_000}", f"{ARN}:pipeline/p", f"{ARN}:pipeline/p/execution/abcdefghijkl",
    f"{ARN}:model-package-group/g", f"{ARN}:model/", "arn:", "arn:::::", "arn:aws:sagemaker:::pipeline",
    "bytes=0-", "bytes=-", "bytes=-0", "bytes=2-1",
    "bytes=0-1", f"bytes={'9' * 5_000}-", "bytes=a-b", "bytes=٣-",
    "some-bucket/key", "/some-bucket/key?versionId=1", "none/key", "%ff/%00",
    "f/0", "b/0", "f/-1", "{ $.a = 1 }", f"f/{'9' * 5_000}", "/aws/sagemaker/Endpoints/e",
    "/aws/sagemaker/ProcessingJobs",
    *(urlsafe_b64encode(text.encode()).decode() for text in ("[" * 6_000, '["a", "b"]', "[1e999]", f"[{'9' * 50}, 1]",
      '["\\ud800", "a"]', "null", '[true, "x"]', "{}")),
    "=", "====", "a", "*", '"*"', "W/", ",",
    json.dumps({"Version": "2020-12-01", "Steps": []}), document([]), "{", "[" * 5_000, "null",
]  # fmt: skip
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**31, 2**63, 2**70, -1, 0, 10**5_000]),
    st.floats(),
    st.text(max_size=8),
    st.binary(max_size=8),
    st.sampled_from([object(), datetime.min, datetime.max]),
    st.lists(st.none() | st.text(max_size=2), max_size=2),
    st.dictionaries(st.text(max_size=2), st.none(), max_size=2),
)
ANY_TEXT = st.sampled_from(NAMES) | st.sampled_from(STRANGE) | st.text(max_size=20)


def values(shape: Shape) -> st.SearchStrategy[Any]:
    """Mostly what the model admits, now and then what it does not."""
    return st.integers(0, 19).flatmap(lambda dice: JUNK if dice == 0 else _fitting(shape))


def _fitting(shape: Shape) -> st.SearchStrategy[Any]:
    match shape:
        case StructureShape():
            needed = {name: values(shape.members[name]) for name in shape.required_members}
            others = {name: values(item) for name, item in shape.members.items() if name not in needed}
            whole = st.fixed_dictionaries(needed, optional=others)
            return st.integers(0, 19).flatmap(lambda dice: whole if dice else whole.map(_without_one))
        case ListShape():
            return st.lists(values(shape.member), max_size=2)
        case MapShape():
            return st.dictionaries(ANY_TEXT, values(shape.value), max_size=2)
        case Shape(type_name="string"):
            return st.sampled_from(shape.metadata["enum"]) | ANY_TEXT if shape.metadata.get("enum") else ANY_TEXT
        case Shape(type_name="integer" | "long"):
            return st.integers(0, 3) | st.integers(-(2**31), 2**31 - 1)
        case Shape(type_name="float" | "double"):
            return st.floats()
        case Shape(type_name="boolean"):
            return st.booleans()
        case Shape(type_name="timestamp"):
            return st.datetimes() | st.sampled_from([datetime.min, datetime.max, "2026-01-01", "soon", 0, 1e300])
    return st.binary(max_size=8) | st.text(max_size=8) | st.builds(BytesIO, st.binary(max_size=8))


def _without_one(given: dict[str, Any]) -> dict[str, Any]:
    return dict([*given.items()][1:])


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("asked")
    state = State(folder, "us-east-1")
    for service, name, request in BEFORE:
        answer(state, service, name, request)
    state.store.write(
        "INSERT INTO execution VALUES ('abcdefghijkl', 'p', 1, 'Succeeded', 0, ?, ?, NULL, '{\"Parameters\": {}}')",
        *["2026-01-01T00:00:00.000000+00:00"] * 2,
    )
    return folder


@pytest.mark.deeper("laws")
@pytest.mark.parametrize(
    ("service", "name"), [(service, name) for service in services() for name in sorted(operations(service))]
)
def test_every_answer_is_a_reply_or_a_refusal(prepared: Path, tmp_path: Path, service: str, name: str) -> None:
    """Each operation has an account of its own, so that none meets what another has made of nonsense."""
    shutil.copytree(prepared, tmp_path / "state")
    state, model = State(tmp_path / "state", "us-east-1"), operation(service, name)

    @settings(
        max_examples=examples(8),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[*HealthCheck],
    )
    @given(_fitting(model.input_shape) if model.input_shape is not None else st.just({}))
    def ask(request: dict[str, Any]) -> None:
        try:
            reply = answer(state, service, name, request)
        except Refusal as refusal:
            assert refusal.code
            assert 300 <= refusal.status < 600
        else:
            conform(model.output_shape, reply)

    ask()


FOUND = [
    (
        "s3",
        "UploadPartCopy",
        {
            "Bucket": "some-bucket",
            "Key": "k",
            "UploadId": "",
            "CopySource": "some-bucket/key",
            "CopySourceRange": "bytes=0-",
            "PartNumber": 1,
        },
        "InvalidArgument",
    ),
    ("s3", "GetObject", {"Bucket": "some-bucket", "Key": "key", "Range": f"bytes={'9' * 5_000}-"}, "InvalidRange"),
    ("s3", "ListObjectsV2", {"Bucket": "some-bucket", "MaxKeys": -1}, "InvalidArgument"),
    ("s3", "PutObject", {"Bucket": "some-bucket", "Key": "\ud800"}, "InvalidArgument"),
    ("sagemaker", "ListTags", {"ResourceArn": f"{ARN}:model-package/x/abc"}, "ResourceNotFound"),
    ("sagemaker", "ListTags", {"ResourceArn": f"{ARN}:model-package/x/{'9' * 50}"}, "ResourceNotFound"),
    ("sagemaker", "DescribeModelPackage", {"ModelPackageName": "g/abc"}, "ValidationException"),
    (
        "sagemaker",
        "CreatePipeline",
        {"PipelineName": "q", "PipelineDefinition": fail(), "RoleArn": ROLE},
        "ValidationException",
    ),
    (
        "sagemaker",
        "StopPipelineExecution",
        {"PipelineExecutionArn": f"{ARN}:pipeline/p/execution/abcdefghijkl"},
        "ValidationException",
    ),
    ("sagemaker", "ListPipelines", {"NextToken": urlsafe_b64encode(b"[" * 6_000).decode()}, "ValidationException"),
    ("sagemaker", "ListPipelines", {"MaxResults": "5"}, "ValidationException"),
    ("sagemaker", "ListPipelines", {"CreatedAfter": "soon"}, "ValidationException"),
    ("sagemaker", "DescribePipeline", {"PipelineName": "p", "PipelineVersionId": 2**63}, "ValidationException"),
    (
        "logs",
        "GetLogEvents",
        {"logGroupName": "/aws/sagemaker/ProcessingJobs", "logStreamName": "x", "nextToken": "f/٣"},
        "ResourceNotFoundException",
    ),
]


@pytest.mark.parametrize(("service", "name", "request_", "code"), FOUND)
def test_what_once_was_another_error(
    prepared: Path, service: str, name: str, request_: dict[str, Any], code: str
) -> None:
    state = State(prepared, "us-east-1")
    if name == "UploadPartCopy":
        upload = answer(state, "s3", "CreateMultipartUpload", {"Bucket": "some-bucket", "Key": "k"})["UploadId"]
        request_ = {**request_, "UploadId": upload}
    with pytest.raises(Refusal) as refused:
        answer(state, service, name, request_)
    assert refused.value.code == code


@pytest.mark.parametrize(("after", "count"), [("2020-01-01", 1), (0, 1), (datetime(2100, 1, 1), 0)])
def test_times_of_all_kinds_are_understood_and_unknown_members_left_out(
    local: LocalAccount, after: object, count: int
) -> None:
    answer(local.state, "sagemaker", "CreateModelPackageGroup", {"ModelPackageGroupName": "g", "Unknown": 1})
    found = answer(local.state, "sagemaker", "ListModelPackageGroups", {"CreationTimeAfter": after})
    assert len(found["ModelPackageGroupSummaryList"]) == count
