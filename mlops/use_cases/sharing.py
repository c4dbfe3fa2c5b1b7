"""Protection goes by environment, and names of endpoints by account: who changes an endpoint that a protected
environment of the same account and region promotes to is asked as that one would."""

from __future__ import annotations

from collections.abc import Iterable

from mlops.account import answers
from mlops.account.answers import Refused
from mlops.account.missing import unless_missing
from mlops.deploy.endpoints import history
from mlops.deploy.endpoints.serving import packages
from mlops.deploy.shifting.settings import endpoint_of
from mlops.project.environments import Environment, read_project
from mlops.use_cases.approval import Shared
from mlops.use_cases.connecting import Connected

_PACKAGE = ":model-package/"


def shared(connected: Connected, endpoints: Iterable[str], group: str | None = None) -> Shared | None:
    """None where no other environment is to be asked for. ``group`` is what is about to serve there; what serves there
    now, and did, is found."""
    own = connected.environment
    if own.approval:
        return None
    others = [
        item
        for item in read_project(connected.root).environments.values()
        if item.approval and item.name != own.name and _place(item) == _place(own)
    ]
    if not others:
        return None
    for endpoint in endpoints:
        groups = {*_groups(connected, endpoint), *([group] if group is not None else [])}
        for other in others:
            if _is_its(connected, other, endpoint, groups):
                return Shared(other.name, endpoint)
    return None


def _place(environment: Environment) -> tuple[str | None, str, str | None]:
    return environment.account, environment.region, environment.endpoint_url


def _groups(connected: Connected, endpoint: str) -> set[str]:
    """Whose versions serve there or did, by what is there and by this environment's history."""
    account, environment = connected.account, connected.environment
    component = endpoint if environment.promote.get("component") == endpoint else None
    with answers():
        arns = packages(account, endpoint, component)
    entries = history.read(account, environment, endpoint)
    return {arn.partition(_PACKAGE)[2].rpartition("/")[0] for arn in arns} | {
        item.group for item in entries if item.version != history.DECLARED
    }


def _is_its(connected: Connected, other: Environment, endpoint: str, groups: set[str]) -> bool:
    # One that names its endpoint without {group} promotes every group to it.
    if any(endpoint_of(other, group) == endpoint for group in {*groups, ""}):
        return True
    component = other.promote.get("component")
    if component is not None and _host(connected, str(component)) == endpoint:
        return True
    try:
        promoters = history.promoters(connected.account, other, endpoint)
    except Refused:
        # Whoever may not read its bucket is told by the names alone, and not kept from what is his own.
        return False
    # An older version wrote nobody's name; in a bucket of its own it was itself.
    mine = connected.environment
    apart = (other.bucket, other.prefix) != (mine.bucket, mine.prefix)
    return other.name in promoters or (apart and None in promoters)


def _host(connected: Connected, component: str) -> str | None:
    """The endpoint that an inference component is on."""
    sagemaker = connected.account.client("sagemaker")
    with answers():
        found = unless_missing(lambda: sagemaker.describe_inference_component(InferenceComponentName=component))
    return None if found is None else str(found["EndpointName"])
