"""Search, over training jobs as runs record them, and what else only the local account has."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlops.account.local import LocalAccount
from mlops.account.local.services.sagemaker.jobs import record
from mlops.account.local.services.sagemaker.tags import put_tags

TAGGED = {"one": {"team": "growth", "cost": "7"}, "two": {"team": "risk"}}


def described(name: str, rate: str, accuracy: float | None, prefix: str, **more: Any) -> dict[str, Any]:
    measured = [{"MetricName": "accuracy", "Value": accuracy, "Timestamp": "2026-01-01T00:00:00+00:00"}]
    channels = [("train", prefix), ("test", "s3://b/other")]
    return {
        "TrainingJobName": name,
        "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:000000000000:training-job/{name}",
        "TrainingJobStatus": "Completed",
        "HyperParameters": {"rate": rate, "kind": "tree"},
        "EnableManagedSpotTraining": name == "two",
        "BillableTimeInSeconds": {"one": 10, "two": 20}.get(name),
        "FinalMetricDataList": measured if accuracy is not None else [],
        "InputDataConfig": [
            {"ChannelName": channel, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}}
            for channel, uri in channels
        ],
        **more,
    }


@pytest.fixture
def sagemaker(local: LocalAccount) -> Any:
    for description in (
        described("one", "0.1", 0.9, "s3://b/cats"),
        described("two", "0.7", 0.95, "s3://b/dogs"),
        described("three", "1", None, "s3://b/cats", TrainingJobStatus="Failed", FailureReason="no memory"),
    ):
        name = description["TrainingJobName"]
        record(local.state, "TrainingJob", name, description)
        tags = [{"Key": key, "Value": value} for key, value in TAGGED.get(name, {}).items()]
        put_tags(local.state, description["TrainingJobArn"], tags)
    return local.client("sagemaker")


def where(name: str, operator: str | None = None, value: str | None = None) -> dict[str, str]:
    given = {"Name": name, "Operator": operator, "Value": value}
    return {member: item for member, item in given.items() if item is not None}


def channel(name: str, uri: str) -> dict[str, Any]:
    at = "InputDataConfig"
    filters = [where(f"{at}.ChannelName", None, name), where(f"{at}.DataSource.S3DataSource.S3Uri", "Contains", uri)]
    return {"NestedPropertyName": at, "Filters": filters}


NAMED_ONE, FAILED = where("TrainingJobName", "Equals", "one"), where("TrainingJobStatus", "Equals", "Failed")
FOUND: list[tuple[dict[str, Any], set[str]]] = [
    ({"Filters": [where("TrainingJobName", None, "one")]}, {"one"}),
    ({"Filters": [where("TrainingJobName", "Contains", "t")]}, {"two", "three"}),
    ({"Filters": [where("TrainingJobName", "In", "one, three")]}, {"one", "three"}),
    ({"Filters": [where("FailureReason", "Exists")]}, {"three"}),
    ({"Filters": [where("FailureReason", "NotExists")]}, {"one", "two"}),
    ({"Filters": [where("Metrics.accuracy", "GreaterThan", "0.92")]}, {"two"}),
    ({"Filters": [where("Metrics.accuracy", "LessThanOrEqualTo", "0.9")]}, {"one"}),
    ({"Filters": [where("HyperParameters.rate", "LessThan", "0.5")]}, {"one"}),
    ({"Filters": [where("HyperParameters.rate", "LessThan", "1")]}, {"one", "two"}),
    ({"Filters": [where("HyperParameters.kind", "Equals", "tree")]}, {"one", "two", "three"}),
    ({"Filters": [where("BillableTimeInSeconds", "GreaterThanOrEqualTo", "20")]}, {"two"}),
    ({"Filters": [where("EnableManagedSpotTraining", "Equals", "true")]}, {"two"}),
    ({"Filters": [where("CreationTime", "GreaterThan", "2020-01-01T00:00:00")]}, {"one", "two", "three"}),
    ({"Filters": [where("CreationTime", "LessThan", "2020-01-01T00:00:00")]}, set()),
    ({"Filters": [where("Tags.team", "Exists")]}, {"one", "two"}),
    ({"Filters": [where("Tags.team", "NotEquals", "growth")]}, {"two", "three"}),
    ({"Filters": [NAMED_ONE, FAILED]}, set()),
    ({"Filters": [NAMED_ONE, FAILED], "Operator": "Or"}, {"one", "three"}),
    ({"NestedFilters": [channel("train", "cats")]}, {"one", "three"}),
    ({"NestedFilters": [channel("test", "cats")]}, set()),
    ({"Filters": [FAILED], "SubExpressions": [{"NestedFilters": [channel("train", "cats")]}]}, {"three"}),
]


@pytest.mark.parametrize(("expression", "names"), FOUND, ids=[str(number) for number in range(len(FOUND))])
def test_what_is_found(sagemaker: Any, expression: dict[str, Any], names: set[str]) -> None:
    reply = sagemaker.search(Resource="TrainingJob", SearchExpression=expression)
    assert {item["TrainingJob"]["TrainingJobName"] for item in reply["Results"]} == names
    assert reply["TotalHits"] == {"Value": len(names), "Relation": "EqualTo"}


def test_what_is_told_of_one(sagemaker: Any) -> None:
    (found,) = sagemaker.search(Resource="TrainingJob", SearchExpression={"Filters": [NAMED_ONE]})["Results"]
    told = found["TrainingJob"]
    assert told["Tags"] == [{"Key": "cost", "Value": "7"}, {"Key": "team", "Value": "growth"}]
    assert "Metrics" not in told and told["FinalMetricDataList"][0]["Value"] == 0.9


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "at least one subexpression, filter, or nested filter"),
    ({"Filters": [where("Colour", "Exists")]}, "Unknown property name: Colour"),
    ({"Filters": [where("TrainingJobName", "LessThan", "b")]}, "LessThan is not supported for the text property"),
    ({"Filters": [where("BillableTimeInSeconds", "Contains", "1")]}, "Contains is not supported for the number"),
    ({"Filters": [where("BillableTimeInSeconds", None, "many")]}, "is no number: many"),
    ({"Filters": [where("CreationTime", "LessThan", "today")]}, "is no timestamp: today"),
    ({"Filters": [where("InputDataConfig", None, "a")]}, "Only Exists and NotExists"),
    ({"Filters": [where("TrainingJobName")]}, "needs a value: TrainingJobName"),
    ({"Filters": [where("TrainingJobName", "Contains", letter) for letter in "ab"]}, "usage limit of 1 exceeded"),
    ({"NestedFilters": [{"NestedPropertyName": "RoleArn", "Filters": [NAMED_ONE]}]}, "RoleArn is no list"),
    ({"SubExpressions": [{"Filters": [NAMED_ONE] * 20}] * 3}, "at most 50"),
]


@pytest.mark.parametrize(("expression", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_what_cannot_be_asked(sagemaker: Any, expression: dict[str, Any], words: str) -> None:
    with pytest.raises(ClientError, match=words):
        sagemaker.search(Resource="TrainingJob", SearchExpression=expression)


SORTED: list[tuple[dict[str, str], list[str]]] = [
    ({}, ["three", "two", "one"]),
    ({"SortOrder": "Ascending"}, ["one", "two", "three"]),
    ({"SortBy": "TrainingJobName"}, ["two", "three", "one"]),
    ({"SortBy": "Metrics.accuracy", "SortOrder": "Ascending"}, ["one", "two", "three"]),
    ({"SortBy": "Metrics.accuracy"}, ["two", "one", "three"]),
]


@pytest.mark.parametrize(("by", "names"), SORTED)
def test_in_order_a_page_at_a_time(sagemaker: Any, by: dict[str, str], names: list[str]) -> None:
    """What has nothing to sort by is last, either way."""
    pages = sagemaker.get_paginator("search").paginate(Resource="TrainingJob", **by, PaginationConfig={"PageSize": 1})
    assert [[item["TrainingJob"]["TrainingJobName"] for item in page["Results"]] for page in pages] == [
        [name] for name in names
    ]


def test_only_what_one_may_see(sagemaker: Any) -> None:
    reply = sagemaker.search(Resource="TrainingJob", VisibilityConditions=[{"Key": "Tags.team", "Value": "risk"}])
    assert {item["TrainingJob"]["TrainingJobName"] for item in reply["Results"]} == {"two", "three"}
    assert not sagemaker.search(Resource="TrainingJob", CrossAccountFilterOption="CrossAccount")["Results"]


def test_a_token_of_another_list(sagemaker: Any) -> None:
    token = sagemaker.search(Resource="TrainingJob", MaxResults=1)["NextToken"]
    with pytest.raises(ClientError, match="NextToken was not made by this list"):
        sagemaker.search(Resource="TrainingJob", SortBy="BillableTimeInSeconds", MaxResults=1, NextToken=token)


def test_models_by_their_tags(local: LocalAccount) -> None:
    sagemaker = local.client("sagemaker")
    for name, team in (("churn", "growth"), ("fraud", "risk")):
        sagemaker.create_model(
            ModelName=name,
            PrimaryContainer={"Image": "image"},
            ExecutionRoleArn="arn:aws:iam::000000000000:role/r",
            Tags=[{"Key": "team", "Value": team}],
        )
    found = sagemaker.search(
        Resource="Model", SearchExpression={"Filters": [where("Model.Tags.team", "Equals", "risk")]}
    )
    assert [item["Model"]["Model"]["ModelName"] for item in found["Results"]] == ["fraud"]
