"""What nothing needs any more: decided by tables, and removed from the local account and noted there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mlops.account import connect
from mlops.account.local import LocalAccount
from mlops.deploy import ledger, made
from mlops.deploy.collecting.deciding import Account, ConfigThere, EndpointThere, ModelThere, decide, unsure
from mlops.deploy.collecting.removing import remove
from mlops.deploy.collecting.seeing import see
from mlops.deploy.endpoints import history
from mlops.deploy.endpoints.history import Entry
from mlops.deploy.removed import FOLDER
from mlops.deploy.shifting import journal as journals
from mlops.project.environments import Environment

NOW = datetime(2026, 11, 29, tzinfo=UTC)
OLD = NOW - timedelta(days=40)
WEEK, MONTH = timedelta(days=7), timedelta(days=30)


def config(name: str, *models: str, ours: bool = True, created: datetime = OLD) -> ConfigThere:
    return ConfigThere(name, created, frozenset(models), ours)


def model(name: str, *, ours: bool = True, created: datetime = OLD) -> ModelThere:
    return ModelThere(name, created, ours)


SERVES = EndpointThere("churn", "InService", OLD, frozenset({"c2"}), ours=True, invocations=0.0)
THERE = Account(
    (replace(SERVES, invocations=3.0),), (config("c1", "m1"), config("c2", "m2")), (model("m1"), model("m2"))
)


def found(there: Account, idle: timedelta | None = None) -> list[str]:
    return [f"{item.kind} {item.name}" for item in decide(there, NOW, older_than=WEEK, idle=idle)]


def endpoint(**changes: Any) -> Account:
    return replace(THERE, endpoints=(replace(SERVES, **changes),))


CASES: dict[str, tuple[Account, list[str]]] = {
    "what was superseded": (THERE, ["config c1", "model m1"]),
    "what can be rolled back to stays": (endpoint(window=frozenset({"c1"})), []),
    "what a promotion that was begun wants stays": (endpoint(wanted=frozenset({"c1"})), []),
    "also where its endpoint is not there": (replace(THERE, wanted=frozenset({"c1"})), []),
    "what it goes to stays": (endpoint(configs=frozenset({"c1", "c2"})), []),
    "what is young stays": (
        replace(THERE, configs=(config("c1", "m1", created=NOW), config("c2", "m2")), models=(model("m1"),)),
        [],
    ),
    "what others made stays, and what it names": (
        replace(THERE, configs=(config("c1", "m1", ours=False), config("c2", "m2"))),
        [],
    ),
    "a model of others stays": (replace(THERE, models=(model("m1", ours=False), model("m2"))), ["config c1"]),
    "a model that something else names stays": (
        replace(THERE, configs=(*THERE.configs, config("theirs", "m1", ours=False))),
        ["config c1"],
    ),
    "a model without any configuration": (replace(THERE, configs=(config("c2", "m2"),)), ["model m1"]),
    "nothing there": (Account((), (), ()), []),
}


@pytest.mark.parametrize("case", CASES)
def test_what_nothing_needs(case: str) -> None:
    there, wanted = CASES[case]
    assert found(there) == wanted


IDLE: dict[str, tuple[dict[str, Any], bool]] = {
    "nobody invoked it": ({}, True),
    "somebody did": ({"invocations": 1.0}, False),
    "it says nothing of that": ({"invocations": None, "why_not": "it is asked asynchronously"}, False),
    "it is young": ({"modified": NOW - timedelta(days=29)}, False),
    "others made it": ({"ours": False}, False),
    "it is being changed": ({"status": "Updating"}, False),
    "a promotion is under way": ({"wanted": frozenset({"c2"})}, False),
}


@pytest.mark.parametrize("case", IDLE)
def test_an_endpoint_that_is_idle(case: str) -> None:
    changes, removed = IDLE[case]
    there = endpoint(**changes)
    assert ("endpoint churn" in found(there, MONTH)) == removed
    assert "endpoint churn" not in found(there)
    assert unsure(there, NOW, MONTH) == (
        ("churn is left: it is asked asynchronously",) if changes.get("why_not") else ()
    )
    assert unsure(there, NOW, None) == ()


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(
        name="local",
        region="us-east-1",
        role="arn:aws:iam::000000000000:role/r",
        bucket="mlops-local",
        state=tmp_path / ".mlops",
    )


def test_it_is_removed_and_noted(environment: Environment) -> None:
    account = connect(environment)
    assert isinstance(account, LocalAccount)
    sagemaker = account.client("sagemaker")
    for number in (1, 2, 3):
        sagemaker.create_model(ModelName=f"m{number}", PrimaryContainer={"Image": "i"})
        variant = {"VariantName": "A", "ModelName": f"m{number}", "InstanceType": "ml.m5.large"}
        sagemaker.create_endpoint_config(
            EndpointConfigName=f"c{number}", ProductionVariants=[{**variant, "InitialInstanceCount": 1}]
        )
        if number < 3:
            for _ in range(2):  # also where it was marked before
                made.remember(account, environment, "models", f"m{number}")
                made.remember(account, environment, "configs", f"c{number}")
    later = datetime.now(UTC) + timedelta(days=8)
    there = see(account, environment, later, None)
    assert [item.ours for item in sorted(there.configs, key=lambda item: item.name)] == [True, True, False]
    removals = decide(there, later, older_than=WEEK, idle=None)
    assert sorted(f"{item.kind} {item.name}" for item in removals) == ["config c1", "config c2", "model m1", "model m2"]
    for _ in range(2):  # whoever was cut off does it again
        remove(account, environment, removals, by="ada", reason="tidy", say=lambda text: None)
    assert [item["ModelName"] for item in sagemaker.list_models()["Models"]] == ["m3"]
    assert [item["EndpointConfigName"] for item in sagemaker.list_endpoint_configs()["EndpointConfigs"]] == ["c3"]
    noted = ledger.read(account, environment, FOLDER)
    assert [(item["what"], item["by"], item["reason"]) for item in noted[:1]] == [("config", "ada", "tidy")]
    assert decide(see(account, environment, later, None), later, older_than=WEEK, idle=None) == ()


def test_a_promotion_whose_endpoint_is_gone_still_wants_its_configurations(environment: Environment) -> None:
    from .shifting.test_controller import journal, moves_of

    account = connect(environment)
    kept = journal(moves_of("canary"))
    journals.write(account, environment, kept, None)
    wanted = see(account, environment, NOW, None).wanted
    assert "before" in wanted and len(wanted) == 3
    assert see(account, environment, NOW, None).endpoints == ()


def test_the_window_is_that_of_a_rollback() -> None:
    entries = tuple(
        Entry("updated", "churn", number, f"c{number}", None, "ada", serves=number) for number in range(1, 9)
    )
    assert [entry.config for entry in history.window(entries, "c8")] == ["c3", "c4", "c5", "c6", "c7"]


MADE: dict[str, tuple[tuple[tuple[Any, int], ...], bool]] = {
    "by a promotion": ((("created", 1), ("updated", 2)), True),
    "by somebody else": ((("updated", 2),), False),
    "as a file declares it": ((("created", history.DECLARED),), False),
    "by somebody else, after it was deleted": ((("created", 1), ("deleted", 1)), False),
    "again by a promotion": ((("created", 1), ("deleted", 1), ("created", 1)), True),
    "never": ((), False),
}


@pytest.mark.parametrize("case", MADE)
def test_who_made_the_endpoint_that_is_there(case: str) -> None:
    verbs, ours = MADE[case]
    assert history.is_ours(tuple(Entry(verb, "churn", number, "c", None, "ada") for verb, number in verbs)) == ours
