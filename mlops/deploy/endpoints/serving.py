"""What serves: list, show, ask, delete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from mlops.account import Account, answers, confirm_account
from mlops.account.missing import unless_missing
from mlops.deploy.pages import items
from mlops.ir import UsageError
from mlops.ir.hiding import hide
from mlops.project.environments import Environment


@dataclass(frozen=True, slots=True)
class Reply:
    """An endpoint's answer. ``variant`` is the one that gave it."""

    body: bytes
    content_type: str
    variant: str


def listed(account: Account) -> tuple[Mapping[str, Any], ...]:
    """Endpoint summaries by name."""
    with answers():
        found = items(account.client("sagemaker"), "list_endpoints", "Endpoints")
        return tuple(sorted(found, key=lambda item: str(item["EndpointName"])))


def describe(account: Account, name: str) -> Mapping[str, Any]:
    """DescribeEndpoint, and under ``Models`` what each variant's model was made of, without secrets."""
    sagemaker = account.client("sagemaker")
    with answers():
        found = unless_missing(lambda: sagemaker.describe_endpoint(EndpointName=name))
        if found is None:
            raise _unknown(account, name)
        config = sagemaker.describe_endpoint_config(EndpointConfigName=found["EndpointConfigName"])
        models = {}
        for variant in config["ProductionVariants"]:
            model = sagemaker.describe_model(ModelName=variant["ModelName"])
            container = model.get("PrimaryContainer") or (model.get("Containers") or [{}])[0]
            models[variant["VariantName"]] = container.get("ModelPackageName") or container.get("ModelDataUrl", "")
    found.pop("ResponseMetadata", None)
    shown: Mapping[str, Any] = hide({**found, "Models": models})
    return shown


def serving(account: Account, package: str) -> tuple[str, ...]:
    """Endpoints that serve the registered version of that ARN, by name."""
    with answers():
        found = tuple(str(item["EndpointName"]) for item in listed(account))
        return tuple(name for name in found if package in _packages(account, name))


def _packages(account: Account, endpoint: str) -> set[str]:
    """The registered versions that its models are made of."""

    def told(operation: str, **named: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] | None = unless_missing(partial(getattr(sagemaker, operation), **named))
        return found or {}

    sagemaker = account.client("sagemaker")
    config = told("describe_endpoint", EndpointName=endpoint).get("EndpointConfigName", "")
    variants = (
        told("describe_endpoint_config", EndpointConfigName=config).get("ProductionVariants", ()) if config else ()
    )
    models = [told("describe_model", ModelName=item["ModelName"]) for item in variants if item.get("ModelName")]
    parts = [part for model in models for part in (model.get("PrimaryContainer"), *(model.get("Containers") or ()))]
    return {str(part["ModelPackageName"]) for part in parts if part and part.get("ModelPackageName")}


def invoke(account: Account, name: str, body: bytes, *, content_type: str, accept: str | None) -> Reply:
    with answers():
        runtime, accepted = account.client("sagemaker-runtime"), {"Accept": accept} if accept else {}
        reply = unless_missing(
            lambda: runtime.invoke_endpoint(EndpointName=name, Body=body, ContentType=content_type, **accepted)
        )
        if reply is None:
            raise _unknown(account, name)
        return Reply(
            reply["Body"].read(), str(reply.get("ContentType", "")), str(reply.get("InvokedProductionVariant", ""))
        )


def need(account: Account, name: str) -> None:
    """Raises UsageError where there is no such endpoint."""
    with answers():
        if unless_missing(lambda: account.client("sagemaker").describe_endpoint(EndpointName=name)) is None:
            raise _unknown(account, name)


def delete(account: Account, environment: Environment, name: str) -> None:
    """The endpoint only: its configuration and model stay, and cost nothing."""
    with answers():
        confirm_account(account, environment)
        if unless_missing(lambda: account.client("sagemaker").delete_endpoint(EndpointName=name)) is None:
            raise _unknown(account, name)


def _unknown(account: Account, name: str) -> UsageError:
    known = ", ".join(str(item["EndpointName"]) for item in listed(account)) or "none"
    return UsageError(f"there is no endpoint {name!r}; there are: {known}")
