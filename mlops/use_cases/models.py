"""Versions of models in an account's registry: look at them, decide on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mlops.deploy.models import registry
from mlops.deploy.models.registry import Version
from mlops.ir.hiding import hide
from mlops.use_cases.connecting import connect_here


@dataclass(frozen=True, slots=True)
class Details:
    """``described`` is DescribeModelPackage's reply without secrets, ``metrics`` are the numbers of its reports."""

    version: Version
    described: Mapping[str, Any]
    metrics: Mapping[str, float]


def listed(environment: str, group: str | None = None) -> tuple[Version, ...]:
    """Newest first, of one group or of all."""
    account = connect_here(environment).account
    groups = [group] if group else registry.groups(account)
    return tuple(version for name in groups for version in registry.versions(account, name))


def show(environment: str, group: str, number: int | None = None) -> Details:
    """The newest where no number is given."""
    account = connect_here(environment).account
    found = registry.version(account, group, number)
    described = {key: value for key, value in found.details.items() if key != "ResponseMetadata"}
    return Details(found, hide(described), registry.metrics(account, found))


def decide(
    environment: str, group: str, number: int, status: Literal["Approved", "Rejected"], reason: str | None = None
) -> bool:
    """False where that was decided before."""
    connected = connect_here(environment)
    found = registry.version(connected.account, group, number)
    return registry.decide(connected.account, connected.environment, found, status, reason)
