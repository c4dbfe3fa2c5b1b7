"""A version is told as repeated where an earlier one of its group names the same model and image."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops.account.local import LocalAccount
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
