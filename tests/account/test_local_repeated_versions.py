"""A version is told as repeated where an earlier one of its group names the same model and image."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mlops.account.local import LocalAccount
from mlops.account.local.services.sagemaker.registry import identical
from mlops.account.local.upkeep.repeated_versions import Repeated


@pytest.mark.parametrize(
    ("models", "group", "found"),
    [
        (["a"], "churn", None),
        (["a", "a"], "churn", 1),
        (["a", "b", "a"], "churn", 1),
        (["a", "a", "a"], "churn", 2),
        (["a", "b"], "churn", None),
        (["a", "a"], "another", None),
        ([None, None], "churn", None),
    ],
)
def test_what_is_repeated(models: list[str | None], group: str, found: int | None, tmp_path: Path) -> None:
    account = LocalAccount(tmp_path / ".mlops", "us-east-1")
    store = account.state.store
    for number, model in enumerate(models, 1):
        containers = [{"Image": "i", "ModelDataUrl": model}]
        body = {"InferenceSpecification": {"Containers": containers}} if model else {"SourceUri": "s3://b/m"}
        name = group if number == len(models) else "churn"
        store.write("INSERT INTO package VALUES (?, ?, 'now', 'Approved', ?)", name, number, json.dumps(body))
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:model-package/{group}/{len(models)}"
    store.write(
        "INSERT INTO step (execution, name, attempt, type, status, started, metadata, response) "
        "VALUES ('abc', 'Register', 1, 'RegisterModel', 'Succeeded', 'now', ?, '{}')",
        json.dumps({"RegisterModel": {"Arn": arn}}),
    )
    expected = () if found is None else (Repeated(group, len(models), found),)
    assert account.repeated_versions("abc") == expected


CONTAINER = {"Image": "i", "ModelDataUrl": "s3://mlops-local/m/model.tar.gz"}
REPORT = {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": "s3://mlops-local/report"}}}
REQUEST: Mapping[str, Any] = {
    "ModelPackageGroupName": "churn",
    "InferenceSpecification": {
        "Containers": [CONTAINER],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    },
    "ModelMetrics": REPORT,
    "MetadataProperties": {"GeneratedBy": "arn:of/one/execution"},
}


@pytest.mark.parametrize(
    ("changes", "written", "found"),
    [
        ({}, None, 1),
        ({"MetadataProperties": {"GeneratedBy": "arn:of/another"}}, None, 1),
        ({"ModelApprovalStatus": "Approved"}, None, 1),
        ({"ModelPackageDescription": "better"}, None, None),
        ({"CustomerMetadataProperties": {"of": "mine"}}, None, None),
        ({"ModelPackageGroupName": "another"}, None, None),
        ({}, "m/model.tar.gz", None),
        ({}, "report/evaluation.json", None),
        ({}, "report-of-another", 1),
        ({}, "m/model.tar.gz.bak", 1),
    ],
    ids=[
        "the same",
        "of another execution",
        "with another approval",
        "another description",
        "other metadata",
        "another group",
        "the archive was written since",
        "a report was written since",
        "beside the report",
        "beside the archive",
    ],
)
def test_what_would_be_registered_once_more(
    changes: Mapping[str, Any], written: str | None, found: int | None, tmp_path: Path
) -> None:
    account = LocalAccount(tmp_path / ".mlops", "us-east-1")
    account.ensure_bucket("mlops-local")
    s3, sagemaker = account.client("s3"), account.client("sagemaker")
    for key in ("m/model.tar.gz", "report/evaluation.json"):
        s3.put_object(Bucket="mlops-local", Key=key, Body=b"1")
    for name in ("churn", "another"):
        sagemaker.create_model_package_group(ModelPackageGroupName=name)
    arn = sagemaker.create_model_package(**REQUEST)["ModelPackageArn"]
    # What is decided afterwards makes it no other one.
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected", ApprovalDescription="no")
    if written is not None:
        s3.put_object(Bucket="mlops-local", Key=written, Body=b"2")
    assert identical(account.state, {**REQUEST, **changes}) == (arn if found else None)
