"""Versions of models in an account's registry: look at them, decide on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from mlops.deploy.endpoints.serving import serving
from mlops.deploy.models import approvals, registry
from mlops.deploy.models.registry import Version
from mlops.ir import AccountError, Listener
from mlops.ir.gate import Approval
from mlops.ir.hiding import hide
from mlops.use_cases.approval import NOBODY, Consent, need_consent
from mlops.use_cases.connecting import Connected, connect_here
from mlops.use_cases.news import Said


@dataclass(frozen=True, slots=True)
class Details:
    """``described`` is DescribeModelPackage's reply without secrets, ``metrics`` are the numbers of its reports."""

    version: Version
    described: Mapping[str, Any]
    metrics: Mapping[str, float]

    @property
    def containers(self) -> tuple[Mapping[str, Any], ...]:
        return tuple((self.described.get("InferenceSpecification") or {}).get("Containers") or ())

    @property
    def changed_by(self) -> str | None:
        """Who changed it last; an account that knows no person tells none."""
        return _person(self.described.get("LastModifiedBy"))

    @property
    def created_by(self) -> str | None:
        return _person(self.described.get("CreatedBy"))


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


def history(environment: str, group: str, number: int) -> tuple[Approval, ...]:
    """Who decided what on a version, and why, oldest first. What the registry says beyond that was decided
    elsewhere."""
    connected = connect_here(environment)
    found = registry.version(connected.account, group, number)
    told = approvals.read(connected.account, connected.environment, group, number)
    last = told[-1].status if told else "PendingManualApproval"
    decided: Literal["Approved", "Rejected"] = "Approved" if found.approval == "Approved" else "Rejected"
    if found.approval == decided != last:
        changed = found.details.get("LastModifiedTime") or found.created
        reason = found.details.get("ApprovalDescription") or None
        at = changed.isoformat(timespec="seconds") if changed is not None else ""
        told = (*told, Approval(decided, _person(found.details.get("LastModifiedBy")), reason, at))
    return tuple(replace(item, reason=hide(item.reason)) for item in told)


@dataclass(frozen=True, slots=True)
class Comparison:
    """``metrics`` are the numbers of both versions by name, None where one has none of that name."""

    old: Details
    new: Details
    metrics: Mapping[str, tuple[float | None, float | None]]


def compare(environment: str, group: str, old: int, new: int) -> Comparison:
    first, second = show(environment, group, old), show(environment, group, new)
    names = sorted({*first.metrics, *second.metrics})
    return Comparison(first, second, {name: (first.metrics.get(name), second.metrics.get(name)) for name in names})


@dataclass(frozen=True, slots=True)
class Decision:
    group: str
    number: int
    status: Literal["Approved", "Rejected"]
    reason: str | None = None


def decide(environment: str, decision: Decision, listener: Listener, consent: Consent = NOBODY) -> bool:
    """False where that was decided before. That a version which is rejected serves on is told."""
    connected = connect_here(environment)
    found = registry.version(connected.account, decision.group, decision.number)
    status, reason = decision.status, decision.reason
    if not registry.is_decided(found, status, reason):
        verb = "approve" if status == "Approved" else "reject"
        need_consent(connected, f"{verb} version {found.number} of {found.group}", consent)
    changed = registry.decide(connected.account, connected.environment, found, status, reason)
    if status == "Rejected":
        _tell_what_serves(connected, found, listener)
    return changed


def _tell_what_serves(connected: Connected, version: Version, listener: Listener) -> None:
    try:
        endpoints = serving(connected.account, version.arn)
    except AccountError as error:
        listener(Said(text=f"whether an endpoint serves it could not be asked: {error.message}"))
        return
    for name in endpoints:
        env = connected.environment
        instead = f"`mlops promote {version.group} --to {env.name} --endpoint {name}` takes another version there"
        away = f"`mlops endpoints delete {name}{env.option}` ends it"
        listener(Said(text=f"the endpoint {name} still serves version {version.number}: {instead}, {away}"))


def in_short(version: Version) -> Mapping[str, object]:
    """For programs."""
    return {
        "group": version.group,
        "version": version.number,
        "approval": version.approval,
        "created": version.created,
        "arn": version.arn,
    }


def as_dictionary(shown: Details) -> Mapping[str, object]:
    """For programs; ``described`` is DescribeModelPackage's reply in the service's own words."""
    told = shown.described
    return {
        **in_short(shown.version),
        "reason": told.get("ApprovalDescription") or None,
        "description": told.get("ModelPackageDescription"),
        "created_by": shown.created_by,
        "changed": told.get("LastModifiedTime"),
        "changed_by": shown.changed_by,
        "containers": [
            {"model": container.get("ModelDataUrl"), "image": container.get("Image")} for container in shown.containers
        ],
        "metadata": told.get("CustomerMetadataProperties") or {},
        "metrics": shown.metrics,
        "described": told,
    }


def _person(context: Mapping[str, Any] | None) -> str | None:
    """Of a UserContext: a user of Studio by name, else the ARN of who called."""
    told = context or {}
    return told.get("UserProfileName") or (told.get("IamIdentity") or {}).get("Arn")
