"""Removes what was decided on, each noted before: who, what, why; an endpoint in its own history, too."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mlops.account import Account, answers
from mlops.account.missing import unless_missing
from mlops.deploy import removed
from mlops.deploy.collecting.deciding import Removal
from mlops.deploy.endpoints import history
from mlops.project.environments import Environment


def remove(
    account: Account,
    environment: Environment,
    removals: Sequence[Removal],
    *,
    by: str,
    reason: str | None,
    say: Callable[[str], None],
) -> None:
    sagemaker = account.client("sagemaker")
    for item in removals:
        removed.note(account, environment, item.kind, item.name, why=item.why, by=by, reason=reason)
        with answers():
            if item.kind == "endpoint":
                _noted(account, environment, item, by=by, reason=reason)
            match item.kind:
                case "endpoint":
                    unless_missing(lambda: sagemaker.delete_endpoint(EndpointName=item.name))  # noqa: B023
                case "config":
                    unless_missing(lambda: sagemaker.delete_endpoint_config(EndpointConfigName=item.name))  # noqa: B023
                case "model":
                    unless_missing(lambda: sagemaker.delete_model(ModelName=item.name))  # noqa: B023
        say(f"removed {item.kind} {item.name}: {item.why}")


def _noted(account: Account, environment: Environment, item: Removal, *, by: str, reason: str | None) -> None:
    """In the endpoint's history; what is gone, or going, was noted by whoever did it."""
    sagemaker = account.client("sagemaker")
    there = unless_missing(lambda: sagemaker.describe_endpoint(EndpointName=item.name))
    if there is None or there["EndpointStatus"] == "Deleting":
        return
    told = item.why if reason is None else f"{reason} ({item.why})"
    history.append_deleted(account, environment, item.name, there, by=by, reason=told, how="gc")
