"""What became of a version in an environment: decisions on it, and where it was promoted, taken and rolled back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from math import inf
from typing import Any

from mlops.account import Account
from mlops.deploy.endpoints import history
from mlops.deploy.models import approvals
from mlops.deploy.models.registry import Version, described
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide
from mlops.project.environments import Environment


@dataclass(frozen=True, slots=True)
class Happened:
    """A decision on a version, or what became of it at an endpoint: ``status`` is a word or two."""

    at: str
    status: str
    by: str | None
    reason: str | None
    endpoint: str | None = None
    version: int | None = None


def happened(
    account: Account, environment: Environment, group: str, versions: Iterable[Version], number: int | None = None
) -> tuple[Happened, ...]:
    """Oldest first: decisions on the versions, and what became of that ``number``, of all of the group without one."""
    decisions = [item for found in versions for item in _decisions(account, environment, found)]
    moves = [
        Happened(item.at, item.verb, item.by, hide(item.reason), endpoint, item.version)
        for endpoint in history.endpoints(account, environment)
        for item in history.read(account, environment, endpoint)
        if item.group == group and item.version == (number or item.version)
    ]
    return tuple(sorted((*decisions, *moves), key=lambda item: _moment(item.at)))


def _decisions(account: Account, environment: Environment, found: Version) -> Iterator[Happened]:
    """What the registry says beyond the records was decided elsewhere."""
    told = approvals.read(account, environment, found.group, found.number)
    yield from (Happened(item.at, item.status, item.by, hide(item.reason), None, found.number) for item in told)
    elsewhere = approvals.unrecorded(found.approval, told)
    if elsewhere is not None:
        details = (found if found.details else described(account, found.arn)).details
        changed = details.get("LastModifiedTime") or found.created
        at = changed.astimezone(UTC).isoformat(timespec="seconds") if changed is not None else ""
        reason = details.get("ApprovalDescription") or None
        yield Happened(at, elsewhere, person(details.get("LastModifiedBy")), hide(reason), None, found.number)


def person(context: Mapping[str, Any] | None) -> str | None:
    """Of a UserContext: a user of Studio by name, else the ARN of who called."""
    told = context or {}
    return told.get("UserProfileName") or (told.get("IamIdentity") or {}).get("Arn")


def _moment(at: str) -> float:
    """Times of an account have its zone. What has none stands last: it is what the registry says now."""
    try:
        return datetime.fromisoformat(at).timestamp()
    except ValueError:
        return inf
