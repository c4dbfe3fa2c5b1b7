"""What serves: list, show, ask, delete."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from mlops.account import Account, answers, confirm_identity
from mlops.account.missing import error_code, unless_missing
from mlops.deploy.endpoints import history
from mlops.deploy.endpoints.crossing import arn_of_copy
from mlops.deploy.model_reasons import model_reason
from mlops.deploy.models.lineage import model_uri
from mlops.deploy.owners import need_no_other
from mlops.deploy.pages import items
from mlops.deploy.waiting import Clock, until
from mlops.ir import Refusal, UsageError
from mlops.ir.choices import instead
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide
from mlops.project.environments import Environment

_MODEL_FAILED = "ModelError"
_CLOCK = Clock()
_GONE_SECONDS = 900.0
"""A deletion that is waited for: the service takes some minutes where instances are many."""


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
        # Others are there for inference components.
        for variant in (item for item in config["ProductionVariants"] if item.get("ModelName")):
            model = sagemaker.describe_model(ModelName=variant["ModelName"])
            container = model.get("PrimaryContainer") or (model.get("Containers") or [{}])[0]
            models[variant["VariantName"]] = container.get("ModelPackageName") or model_uri(container) or ""
    found.pop("ResponseMetadata", None)
    shown: Mapping[str, Any] = hide({**found, "Models": models})
    return shown


@dataclass(frozen=True, slots=True)
class Place:
    """A variant of an endpoint. ``share`` is its part of the traffic, None where nobody tells its weight."""

    endpoint: str
    variant: str
    share: float | None = None

    def __str__(self) -> str:
        return f"{self.endpoint}/{self.variant}{f' {self.share:.0%}' if self.share is not None else ''}"


def places(account: Account) -> Mapping[str, tuple[Place, ...]]:
    """Where each registered version serves, by its ARN, in the order of the endpoints' names."""
    found: dict[str, tuple[Place, ...]] = {}
    with answers():
        for item in listed(account):
            name = str(item["EndpointName"])
            variants = _packages(account, name)
            if not variants:
                continue
            told = unless_missing(partial(account.client("sagemaker").describe_endpoint, EndpointName=name)) or {}
            weights = {
                str(variant["VariantName"]): variant.get("CurrentWeight")
                for variant in told.get("ProductionVariants") or ()
            }
            total = sum(weight or 0.0 for weight in weights.values())
            for variant, arns in variants.items():
                weight = weights.get(variant)
                share = weight / total if weight is not None and total else None
                for arn in arns:
                    found[arn] = (*found.get(arn, ()), Place(name, variant, share))
    return found


def packages(account: Account, endpoint: str, component: str | None = None) -> set[str]:
    """The registered versions that its models are made of, or that of an inference component."""
    return {arn for arns in _packages(account, endpoint, component).values() for arn in arns}


def _packages(account: Account, endpoint: str, component: str | None = None) -> Mapping[str, tuple[str, ...]]:
    """By variant."""

    def told(operation: str, **named: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] | None = unless_missing(partial(getattr(sagemaker, operation), **named))
        return found or {}

    sagemaker = account.client("sagemaker")
    variants: Sequence[Mapping[str, Any]]
    if component is not None:
        described = told("describe_inference_component", InferenceComponentName=component)
        variants = ({"VariantName": component, **(described.get("Specification") or {})},)
    else:
        config = told("describe_endpoint", EndpointName=endpoint).get("EndpointConfigName", "")
        variants = (
            told("describe_endpoint_config", EndpointConfigName=config).get("ProductionVariants", ()) if config else ()
        )
    found: dict[str, tuple[str, ...]] = {}
    for item in variants:
        model = told("describe_model", ModelName=item["ModelName"]) if item.get("ModelName") else {}
        parts = (model.get("PrimaryContainer"), *(model.get("Containers") or ()))
        named = (part.get("ModelPackageName") or arn_of_copy(model_uri(part) or "") for part in parts if part)
        arns = tuple(dict.fromkeys(str(arn) for arn in named if arn))
        if arns:
            found[str(item["VariantName"])] = arns
    return found


def invoke(account: Account, name: str, body: bytes, *, content_type: str, accept: str | None) -> Reply:
    """Raises Refusal where the model itself failed."""
    with answers():
        runtime, accepted = account.client("sagemaker-runtime"), {"Accept": accept} if accept else {}
        try:
            reply = unless_missing(
                lambda: runtime.invoke_endpoint(EndpointName=name, Body=body, ContentType=content_type, **accepted)
            )
        except Exception as error:
            if error_code(error) == _MODEL_FAILED:
                raise _model_failed(name, getattr(error, "response", {})) from None
            raise
        if reply is None:
            raise _unknown(account, name)
        return Reply(
            reply["Body"].read(), str(reply.get("ContentType", "")), str(reply.get("InvokedProductionVariant", ""))
        )


def _model_failed(name: str, response: Mapping[str, Any]) -> Refusal:
    """The account did its part; what the container said may be pages, of which the reason is told."""
    status, said = response.get("OriginalStatusCode"), str(response.get("OriginalMessage") or "")
    told = model_reason(said)
    log = log_place(str((response.get("Error") or {}).get("Message") or ""))
    return Refusal(
        f"the model of {name} answered with status {status}{f': {told}' if told else ''}",
        hint=f"all that it said is in {log}" if log else f"all that it said is in the log of the endpoint {name}",
    )


_SEE = re.compile(r'" ?\. See (?P<place>\S.*?)(?: in account .*)?\.?$', re.DOTALL)


def log_place(message: str) -> str | None:
    """Where a ModelError says that the log is: a page of the console, or a file of this machine.

    >>> log_place('Received server error (500) from a with message "x". See https://e.aws/log in account 1 for more.')
    'https://e.aws/log'
    >>> log_place('Received server error (500) from a with message "See y". See /home/me/log-1.txt.')
    '/home/me/log-1.txt'
    """
    found = _SEE.search(message)
    return found["place"] if found is not None and "\n" not in found["place"] else None


def need(account: Account, name: str, further: Callable[[], Iterable[str]] = tuple) -> None:
    """Raises UsageError where there is no such endpoint; ``further`` are names that would do as well, and are told."""
    with answers():
        if _status(account, name) is None:
            raise _unknown(account, name, further())


def delete(
    account: Account, environment: Environment, name: str, clock: Clock = _CLOCK, *, reason: str | None = None
) -> None:
    """The endpoint only: its configuration and model stay, and cost nothing. It is written into its history before.
    Waits until it is gone, so what comes next may take its name; one that somebody deletes already is waited for.
    Raises Refusal where that takes too long."""
    sagemaker = account.client("sagemaker")
    with answers():
        by = confirm_identity(account, environment).arn
        found = _described(account, name)
        if found is None:
            raise _unknown(account, name)
        need_no_other(account, environment, name)
        if found["EndpointStatus"] != "Deleting":
            history.append_deleted(account, environment, name, found, by=by, reason=reason)
            unless_missing(lambda: sagemaker.delete_endpoint(EndpointName=name))
        deadline = clock.now() + _GONE_SECONDS
        status, gone = until(lambda: _status(account, name), lambda status: status is None, clock, deadline)
    if not gone:
        raise Refusal(
            f"the endpoint {name} is still {status} after {_GONE_SECONDS:g} seconds",
            hint="run the same command again to go on waiting",
        )


def _status(account: Account, name: str) -> str | None:
    """None where there is no such endpoint."""
    found = _described(account, name)
    return None if found is None else str(found["EndpointStatus"])


def _described(account: Account, name: str) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = unless_missing(
        lambda: account.client("sagemaker").describe_endpoint(EndpointName=name)
    )
    return found


def _unknown(account: Account, name: str, further: Iterable[str] = ()) -> UsageError:
    known = dict.fromkeys([*(str(item["EndpointName"]) for item in listed(account)), *further])
    return UsageError(f"there is no endpoint {name!r}{instead(name, known)}")
