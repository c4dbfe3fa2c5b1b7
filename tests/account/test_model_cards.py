"""Model cards, as both accounts answer them; and what only ours knows: schema, versions, what is frozen."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlops.account import Account
from mlops.account.local import LocalAccount

CONTENT = {
    "model_overview": {"model_id": "m", "model_owner": "growth"},
    "intended_uses": {"risk_rating": "Low", "purpose_of_model": "offers"},
}


def refused(code: str, said: str = "") -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\).*{said}")


def create(client: Any, name: str = "churn", content: Any = CONTENT, **more: Any) -> str:
    made = client.create_model_card(
        **{"ModelCardName": name, "Content": json.dumps(content), "ModelCardStatus": "Draft", **more}
    )
    return str(made["ModelCardArn"])


def test_a_card_is_told_as_it_was_made(account: Account) -> None:
    client = account.client("sagemaker")
    arn = create(client, Tags=[{"Key": "team", "Value": "growth"}])
    found = client.describe_model_card(ModelCardName="churn")
    assert (found["ModelCardArn"], found["ModelCardName"], found["ModelCardVersion"]) == (arn, "churn", 1)
    assert (json.loads(found["Content"]), found["ModelCardStatus"]) == (CONTENT, "Draft")
    assert arn.endswith(":model-card/churn")
    assert client.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "growth"}]
    with refused("ConflictException"):
        create(client)
    with refused("ResourceNotFound"):
        client.describe_model_card(ModelCardName="absent")
    with refused("ResourceNotFound"):
        client.update_model_card(ModelCardName="absent", ModelCardStatus="Approved")


def test_cards_and_versions_are_listed(account: Account) -> None:
    client = account.client("sagemaker")
    for name in ("churn", "forecast", "churn-2"):
        create(client, name)
    client.update_model_card(ModelCardName="churn", Content=json.dumps({}))
    named = client.list_model_cards(NameContains="churn", SortBy="Name", SortOrder="Ascending")["ModelCardSummaries"]
    assert [item["ModelCardName"] for item in named] == ["churn", "churn-2"]
    versions = client.list_model_card_versions(ModelCardName="churn", SortOrder="Ascending")
    assert [item["ModelCardVersion"] for item in versions["ModelCardVersionSummaryList"]] == [1, 2]
    client.delete_model_card(ModelCardName="churn")
    with refused("ResourceNotFound"):
        client.describe_model_card(ModelCardName="churn")
    assert len(client.list_model_cards()["ModelCardSummaries"]) == 2


def test_content_makes_a_version_and_a_status_none(local: LocalAccount) -> None:
    client = local.client("sagemaker")
    create(client)
    client.update_model_card(ModelCardName="churn", ModelCardStatus="PendingReview")
    client.update_model_card(ModelCardName="churn", Content=json.dumps({"business_details": {}}))
    client.update_model_card(ModelCardName="churn", ModelCardStatus="Approved")
    first, second = (client.describe_model_card(ModelCardName="churn", ModelCardVersion=at) for at in (1, 2))
    assert (first["ModelCardStatus"], second["ModelCardStatus"]) == ("PendingReview", "Approved")
    assert json.loads(second["Content"]) == {"business_details": {}} and json.loads(first["Content"]) == CONTENT
    approved = client.list_model_card_versions(ModelCardName="churn", ModelCardStatus="Approved")
    assert [item["ModelCardVersion"] for item in approved["ModelCardVersionSummaryList"]] == [2]
    assert client.list_model_cards(ModelCardStatus="Approved")["ModelCardSummaries"][0]["ModelCardName"] == "churn"
    with refused("ResourceNotFound"):
        client.describe_model_card(ModelCardName="churn", ModelCardVersion=3)
    with refused("ValidationException", "in one call"):
        client.update_model_card(ModelCardName="churn", ModelCardStatus="Draft", Content="{}")
    client.update_model_card(ModelCardName="churn", ModelCardStatus="Archived")
    with refused("ConflictException", "archived"):
        client.update_model_card(ModelCardName="churn", Content="{}")
    client.delete_model_card(ModelCardName="churn")
    create(client, content={})
    assert client.describe_model_card(ModelCardName="churn")["ModelCardVersion"] == 1


def test_metadata_only(local: LocalAccount) -> None:
    client = local.client("sagemaker")
    create(client)
    found = client.describe_model_card(ModelCardName="churn", IncludedData="MetadataOnly")
    assert json.loads(found["Content"]) == {
        "model_overview": {"model_id": "m"},
        "intended_uses": {"risk_rating": "Low"},
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "has to be JSON"),
        ("[]", "schema"),
        ('{"intended_uses": {"risk_rating": "low"}}', "at /intended_uses/risk_rating"),
        ('{"other": 1}', "at /other"),
        ('{"evaluation_details": [{}]}', "at /evaluation_details"),
        ('{"model_overview": {"model_owner": "' + "x" * 1025 + '"}}', "at /model_overview/model_owner"),
    ],
)
def test_content_that_does_not_follow_the_schema(local: LocalAccount, content: str, said: str) -> None:
    with refused("ValidationException", said):
        local.client("sagemaker").create_model_card(ModelCardName="a", Content=content, ModelCardStatus="Draft")
