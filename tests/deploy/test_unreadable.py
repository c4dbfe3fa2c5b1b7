"""What lies in the bucket may be anybody's: whatever it holds, it is read or refused, and is no Python error."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops.account import Account, connect
from mlops.deploy import conditional_object
from mlops.deploy.endpoints import begun, history, shift_records
from mlops.deploy.endpoints.sampling import samples_of
from mlops.deploy.models import approvals, lineage, registry
from mlops.deploy.models.registry import Version
from mlops.deploy.pipelines import commits, record, saved_plan
from mlops.deploy.shifting import journal
from mlops.ir import MlopsError, Refusal
from mlops.project.environments import Environment, read_project

CONTENTS = {
    "nothing": b"",
    "no text": b"\xff\xfe\x00",
    "no JSON": b"a,b\n1,2\n",
    "null": b"null",
    "a number": b"7",
    "a number that no float holds": b'{"a": 1' + b"0" * 400 + b"}",
    "a text": b'"churn"',
    "a list": b"[1, 2]",
    "a list of lists": b"[" * 100_000 + b"]" * 100_000,
    "an object": b"{}",
    "another object": b'{"a": {"b": [1]}}',
    "another version of ours": b'{"format": 99, "version": 99, "moves": []}',
    "ours, of other types": b'{"format": 1, "version": 1, "moves": 7, "verb": 7, "status": 7, "looks": "x", "arn": []}',
    "an archive cut off": gzip.compress(b"x" * 10_000)[:40],
    "an archive of nothing": gzip.compress(b""),
    "an archive of no files": gzip.compress(b"x" * 2_000),
}


def version(environment: Environment) -> Version:
    report = f"s3://{environment.bucket}/report.json"
    details = {
        "SamplePayloadUrl": f"s3://{environment.bucket}/sample.tar.gz",
        "ModelMetrics": {"ModelQuality": {"Statistics": {"S3Uri": report, "ContentType": "application/json"}}},
    }
    arn = "arn:aws:sagemaker:us-east-1:111122223333:model-package/churn/1"
    return Version("churn", 1, arn, "Approved", None, details)


Read = Callable[[Account, Environment], Any]
READS: dict[str, tuple[Callable[[Environment], str], Read]] = {
    "the journal of a shift": (
        lambda environment: journal.key(environment, "churn"),
        lambda account, environment: journal.read(account, environment, "churn"),
    ),
    "what was seen of a shift": (
        lambda environment: conditional_object.key(environment, "verdicts", "churn", "1.000.json"),
        lambda account, environment: shift_records.latest(account, environment, "churn"),
    ),
    "the history of an endpoint": (
        lambda environment: conditional_object.key(environment, "promotions/churn/history", "00000001.json"),
        lambda account, environment: history.read(account, environment, "churn"),
    ),
    "what was begun of an endpoint": (
        lambda environment: conditional_object.key(environment, "promotions/churn", "begun.json"),
        lambda account, environment: begun.read(account, environment, "churn"),
    ),
    "who promotes to an endpoint": (
        lambda environment: conditional_object.key(environment, "promotions/churn/history", "00000001.json"),
        lambda account, environment: history.promoters(account, environment, "churn"),
    ),
    "decisions on a version": (
        lambda environment: conditional_object.key(environment, "approvals/churn/1", "00000001.json"),
        lambda account, environment: approvals.read(account, environment, "churn", 1),
    ),
    "the lineage of a version": (
        lambda environment: conditional_object.key(environment, "lineage", "churn/1.json"),
        lambda account, environment: lineage.read(account, environment, version(environment)),
    ),
    "the record of an upsert": (
        lambda environment: record.key(environment, "churn"),
        lambda account, environment: record.read(account, environment, "churn"),
    ),
    "the report of a version": (
        lambda environment: "report.json",
        lambda account, environment: [
            f"{value:g}" for value in registry.metrics(account, version(environment)).values()
        ],
    ),
    "the samples of a version": (
        lambda environment: "sample.tar.gz",
        lambda account, environment: samples_of(account, version(environment)),
    ),
    "the commit of a definition": (
        lambda environment: commits._name(environment, "{}"),
        lambda account, environment: commits.find(account, environment, "{}"),
    ),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[Account, Environment]:
    environment = read_project(tmp_path_factory.mktemp("unreadable")).environment("local")
    return connect(environment), environment


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
@pytest.mark.parametrize(("key", "read"), READS.values(), ids=READS)
def test_whatever_lies_there_is_read_or_refused(
    place: tuple[Account, Environment], key: Callable[[Environment], str], read: Read, content: bytes
) -> None:
    account, environment = place
    account.client("s3").put_object(Bucket=environment.bucket, Key=key(environment), Body=content)
    try:
        read(account, environment)
    except MlopsError as error:
        assert "\n" not in error.message and len(error.message) < 500


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_a_file_that_is_no_plan_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "plan.json").write_bytes(content)
    with pytest.raises(MlopsError):
        saved_plan.read(tmp_path / "plan.json")


def test_samples_that_are_not_there_are_told(place: tuple[Account, Environment]) -> None:
    account, environment = place
    account.client("s3").delete_object(Bucket=environment.bucket, Key="sample.tar.gz")
    with pytest.raises(MlopsError, match="NoSuchKey"):
        samples_of(account, version(environment))


def test_samples_that_are_no_archive_are_told_with_a_way_on(place: tuple[Account, Environment]) -> None:
    account, environment = place
    account.client("s3").put_object(Bucket=environment.bucket, Key="sample.tar.gz", Body=b"1,2\n")
    with pytest.raises(Refusal, match=r"version 1 of churn .*sample\.tar\.gz is no whole archive") as told:
        samples_of(account, version(environment))
    assert "--sample FILE" in str(told.value.hint)
