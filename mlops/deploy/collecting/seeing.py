"""What of an account a cleaning has to know, all of it read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from mlops.account import Account, answers
from mlops.account.missing import unless_missing
from mlops.deploy import conditional_object, made
from mlops.deploy.collecting import deciding
from mlops.deploy.collecting.deciding import ConfigThere, EndpointThere, ModelThere
from mlops.deploy.endpoints import history
from mlops.deploy.endpoints.conductor import unfinished
from mlops.deploy.owners import owner_of_endpoint
from mlops.deploy.pages import items
from mlops.deploy.shifting import seeing
from mlops.deploy.shifting.journal import Journal
from mlops.ir.shift import MakeConfig, PointTo
from mlops.project.environments import Environment

_LONGEST_PERIOD = 86_400


def see(account: Account, environment: Environment, now: datetime, idle: timedelta | None) -> deciding.Account:
    with answers():
        sagemaker = account.client("sagemaker")
        endpoints = [
            _endpoint(account, environment, item, now, idle) for item in items(sagemaker, "list_endpoints", "Endpoints")
        ]
        known = made.read(account, environment, "configs")
        listed = items(sagemaker, "list_endpoint_configs", "EndpointConfigs")
        configs = [_config(sagemaker, item, known) for item in listed]
        ours = made.read(account, environment, "models")
        models = tuple(
            ModelThere(str(item["ModelName"]), item["CreationTime"], str(item["ModelName"]) in ours)
            for item in items(sagemaker, "list_models", "Models")
        )
        wanted = frozenset().union(*(_wanted(account, environment, name) for name in _journals(account, environment)))
    return deciding.Account(
        tuple(item for item in endpoints if item is not None),
        tuple(item for item in configs if item is not None),
        models,
        wanted,
    )


def _endpoint(
    account: Account, environment: Environment, summary: Mapping[str, Any], now: datetime, idle: timedelta | None
) -> EndpointThere | None:
    name = str(summary["EndpointName"])
    there = seeing.see(account.client("sagemaker"), name)
    if there is None:
        return None
    entries = history.read(account, environment, name)
    ours = history.is_ours(entries)
    invocations, why_not = None, None
    if ours and idle is not None:
        its = owner_of_endpoint(account, environment, name)
        if its is not None:
            why_not = its.owns("it")
        else:
            invocations, why_not = _invocations(account, name, there, now, idle)
    return EndpointThere(
        name,
        there.status,
        summary["LastModifiedTime"],
        frozenset(config for config in (there.config, there.pending) if config),
        frozenset(entry.config for entry in history.window(entries, there.config)),
        _wanted(account, environment, name),
        ours,
        invocations,
        why_not,
    )


def _wanted(account: Account, environment: Environment, endpoint: str) -> frozenset[str]:
    stored = unfinished(account, environment, endpoint)
    return frozenset() if stored is None else _named(stored.journal)


def _named(journal: Journal) -> frozenset[str]:
    made_there = {move.config for move in journal.moves if isinstance(move, MakeConfig)}
    gone_to = {move.serving.config for move in journal.moves if isinstance(move, PointTo)}
    return frozenset({journal.old.config, *made_there, *gone_to})


def _journals(account: Account, environment: Environment) -> Sequence[str]:
    """Endpoints that a promotion was begun at, be they there or not."""
    prefix = f"{conditional_object.key(environment, 'promotions')}/"
    s3 = account.client("s3")
    listed = unless_missing(
        lambda: list(items(s3, "list_objects_v2", "Contents", Bucket=environment.bucket, Prefix=prefix, Delimiter="/"))
    )
    names = (str(item["Key"]).removeprefix(prefix) for item in listed or ())
    return [name.removesuffix(".json") for name in names if name.endswith(".json") and "/" not in name]


def _config(sagemaker: Any, summary: Mapping[str, Any], ours: frozenset[str]) -> ConfigThere | None:
    name = str(summary["EndpointConfigName"])
    described = unless_missing(lambda: sagemaker.describe_endpoint_config(EndpointConfigName=name))
    if described is None:
        return None
    variants = [*described.get("ProductionVariants", ()), *(described.get("ShadowProductionVariants") or ())]
    models = frozenset(str(item["ModelName"]) for item in variants if item.get("ModelName"))
    return ConfigThere(name, summary["CreationTime"], models, name in ours)


def _invocations(
    account: Account, name: str, there: seeing.Endpoint, now: datetime, idle: timedelta
) -> tuple[float | None, str | None]:
    """How many since, or a clause that says why that is not known."""
    if there.serving is None:
        return None, f"it is {there.status}"
    if there.members.get("AsyncInferenceConfig"):
        return None, "it is asked asynchronously, which its metric does not count"
    if any(not item.request.get("ModelName") for item in there.serving.variants):
        return None, "it serves inference components, which have metrics of their own"
    cloudwatch, total = account.client("cloudwatch"), 0.0
    for variant in there.serving.names:
        reply = cloudwatch.get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName="Invocations",
            Dimensions=[{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": variant}],
            StartTime=(now - idle).astimezone(UTC),
            EndTime=now.astimezone(UTC),
            Period=_LONGEST_PERIOD,
            Statistics=["Sum"],
        )
        total += sum(point["Sum"] for point in reply["Datapoints"])
    return total, None
