"""What an endpoint serves by now, with the counts and weights that it has and not those that it was made with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mlops.account.missing import unless_missing
from mlops.deploy.model_reasons import start_reason
from mlops.deploy.waiting import Clock, until
from mlops.ir.dataclass import dataclass
from mlops.ir.shift import Serving, Variant

IN_SERVICE, FAILED, MIXED = "InService", "Failed", "UpdateRollbackFailed"
SETTLED = frozenset({IN_SERVICE, FAILED, MIXED, "OutOfService"})
"""Of all others something is under way, of ours or of somebody else, and comes to one of these or to an end."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``serving`` is None while nothing serves yet, or any more. ``members`` are those of the configuration beside its
    production variants."""

    status: str
    config: str
    pending: str | None
    failure: str | None
    serving: Serving | None
    members: Mapping[str, Any]
    modified: float | None = None
    """In seconds since 1970."""
    progress: tuple[str, ...] = ()
    """Of a deployment that is under way, in the service's words."""

    @property
    def is_settled(self) -> bool:
        return self.status in SETTLED


_ANSWERED = frozenset(
    {"ProductionVariants", "EndpointConfigName", "EndpointConfigArn", "CreationTime", "ResponseMetadata"}
)
"""Of a described configuration, what is no member of the request that made it, or is given anew."""


def see(sagemaker: Any, name: str) -> Endpoint | None:
    found = unless_missing(lambda: sagemaker.describe_endpoint(EndpointName=name))
    if found is None:
        return None
    config = str(found["EndpointConfigName"])
    described = unless_missing(lambda: sagemaker.describe_endpoint_config(EndpointConfigName=config)) or {}
    requests = {str(item["VariantName"]): item for item in described.get("ProductionVariants", ())}
    live = found.get("ProductionVariants") or ()
    variants = tuple(_variant(item, requests.get(str(item["VariantName"]), {})) for item in live)
    return Endpoint(
        str(found["EndpointStatus"]),
        config,
        (found.get("PendingDeploymentSummary") or {}).get("EndpointConfigName"),
        start_reason(found.get("FailureReason") or "") or None,
        Serving(config, variants) if variants else None,
        members_of(described),
        found["LastModifiedTime"].timestamp() if found.get("LastModifiedTime") else None,
        tuple(_progress(found.get("PendingDeploymentSummary") or {})),
    )


def members_of(described: Mapping[str, Any]) -> dict[str, Any]:
    """What a described configuration has beside its production variants, as it is given to make another one."""
    return {
        member: value for member, value in described.items() if member not in _ANSWERED and value not in (None, [], {})
    }


def _progress(summary: Mapping[str, Any]) -> Iterator[str]:
    for variant in summary.get("ProductionVariants") or ():
        for status in variant.get("VariantStatus") or ():
            yield f"{variant['VariantName']}: {status.get('StatusMessage') or status['Status']}"


def until_settled(
    sagemaker: Any, name: str, clock: Clock, deadline: float, heard: Callable[[Endpoint], None] = lambda state: None
) -> tuple[Endpoint | None, bool]:
    """What it came to, None where it is gone; and whether that was before the deadline. ``heard`` hears of each
    look."""

    def look() -> Endpoint | None:
        state = see(sagemaker, name)
        if state is not None:
            heard(state)
        return state

    return until(look, lambda state: state is None or state.is_settled, clock, deadline)


def _variant(live: Mapping[str, Any], request: Mapping[str, Any]) -> Variant:
    weight = live.get("DesiredWeight", live.get("CurrentWeight", request.get("InitialVariantWeight", 1.0)))
    count = live.get("DesiredInstanceCount", live.get("CurrentInstanceCount"))
    serverless = bool(request.get("ServerlessConfig"))
    return Variant(str(live["VariantName"]), dict(request), float(weight), None if serverless else count)


def variant_of(request: Mapping[str, Any]) -> Variant:
    """As a configuration has it."""
    return Variant(
        str(request["VariantName"]),
        dict(request),
        float(request.get("InitialVariantWeight", 1.0)),
        None if request.get("ServerlessConfig") else request.get("InitialInstanceCount"),
    )
