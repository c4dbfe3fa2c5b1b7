"""Versions of models in an account's registry: look at them, decide on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Literal

from mlops.account import Account
from mlops.account.answers import Refused
from mlops.deploy.endpoints import history as histories
from mlops.deploy.endpoints.serving import Place, places
from mlops.deploy.models import lineage as lineage_records
from mlops.deploy.models import registry
from mlops.deploy.models.happened import Happened, happened, person
from mlops.deploy.models.lineage import Lineage
from mlops.deploy.models.registry import Version
from mlops.ir import AccountError, Listener, MlopsError, UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide
from mlops.project.environments import LOCAL, read_project
from mlops.use_cases.approval import NOBODY, Consent, need_consent
from mlops.use_cases.connecting import Connected, Where, connect_here
from mlops.use_cases.news import Said


@dataclass(frozen=True, slots=True)
class Details:
    """``described`` is DescribeModelPackage's reply without secrets, ``metrics`` are the numbers of its reports."""

    version: Version
    described: Mapping[str, Any]
    metrics: Mapping[str, float]
    lineage: Lineage | None = None
    """As it was recorded."""
    serves: tuple[Place, ...] | None = ()
    """In the same environment; None where that may not be asked."""

    @property
    def containers(self) -> tuple[Mapping[str, Any], ...]:
        return tuple((self.described.get("InferenceSpecification") or {}).get("Containers") or ())

    @property
    def changed_by(self) -> str | None:
        """Who changed it last; an account that knows no person tells none."""
        return person(self.described.get("LastModifiedBy"))

    @property
    def created_by(self) -> str | None:
        return person(self.described.get("CreatedBy"))


@dataclass(frozen=True, slots=True)
class Listed:
    """``serves`` are places in the same environment, None where they may not be asked."""

    version: Version
    serves: tuple[Place, ...] | None


def listed(environment: Where, group: str | None = None) -> tuple[Listed, ...]:
    """Newest first, of one group or of all."""
    account = connect_here(environment).account
    groups = [group] if group else registry.groups(account)
    found = [version for name in groups for version in registry.versions(account, name)]
    serves = places_of(account) if found else {}
    return tuple(Listed(version, None if serves is None else serves.get(version.arn, ())) for version in found)


def places_of(account: Account) -> Mapping[str, tuple[Place, ...]] | None:
    """None where whoever asks may see versions, and no endpoints."""
    try:
        return places(account)
    except Refused:
        return None


def show(environment: Where, group: str, number: int | None = None) -> Details:
    """The newest where no number is given."""
    connected = connect_here(environment)
    account = connected.account
    found = registry.version(account, group, number)
    made = lineage_records.read(account, connected.environment, found)
    serves = places_of(account)
    return _details(connected, found, made, None if serves is None else serves.get(found.arn, ()))


def _details(connected: Connected, found: Version, made: Lineage | None, serves: tuple[Place, ...] | None) -> Details:
    described = {key: value for key, value in found.details.items() if key != "ResponseMetadata"}
    return Details(found, hide(described), registry.metrics(connected.account, found), made, serves)


@dataclass(frozen=True, slots=True)
class Served:
    """Where a version serves in an environment; ``unknown`` says why that could not be asked."""

    environment: str
    places: tuple[Place, ...] = ()
    unknown: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """What a version is made of, and where it serves."""

    version: Version
    lineage: Lineage
    served: tuple[Served, ...]


def lineage(environment: Where, group: str, number: int | None = None) -> Origin:
    """As it was recorded; as it is seen now where nothing was. All environments of mlops.toml are asked what serves."""
    connected = connect_here(environment)
    found = registry.version(connected.account, group, number)
    made = lineage_records.read(connected.account, connected.environment, found)
    if made is None:
        made = lineage_records.see(connected.account, connected.environment, found)
    return Origin(found, made, _served(connected, found.arn))


def _served(connected: Connected, arn: str) -> tuple[Served, ...]:
    """A version of the local account serves there alone, and no other does."""
    own = connected.environment.name
    others: set[str] = set()
    if not connected.environment.is_local:
        project = read_project(connected.root)
        others = {name for name, item in project.environments.items() if not item.is_local} | {*project.incomplete}
    found = [Served(own, places(connected.account).get(arn, ()))]
    for name in sorted(others - {own}):
        try:
            found.append(Served(name, places(connect_here(name, connected.root).account).get(arn, ())))
        except MlopsError as error:
            found.append(Served(name, (), error.message))
    return tuple(found)


def whole(environment: Where, group: str, number: int) -> tuple[Details, Origin]:
    """What :func:`show` and :func:`lineage` tell, asked for once."""
    connected = connect_here(environment)
    found = registry.version(connected.account, group, number)
    made = lineage_records.read(connected.account, connected.environment, found)
    served = _served(connected, found.arn)
    seen = made if made is not None else lineage_records.see(connected.account, connected.environment, found)
    return _details(connected, found, made, served[0].places), Origin(found, seen, served)


def history(environment: Where, group: str, number: int | None = None) -> tuple[Happened, ...]:
    """Who decided what on a version, on all of the group without a number, and where they were promoted, taken and
    rolled back in this environment, oldest first."""
    connected = connect_here(environment)
    account = connected.account
    all_of_them = registry.versions(account, group) if number is None else ()
    versions = all_of_them or (registry.version(account, group, number),)
    return happened(account, connected.environment, group, versions, number)


@dataclass(frozen=True, slots=True)
class Comparison:
    """``metrics`` are the numbers of both versions by name, None where one has none of that name; ``made`` is what
    differs in their lineage and hyperparameters, by topic and name. ``unknown`` says what could not be asked."""

    old: Details
    new: Details
    metrics: Mapping[str, tuple[float | None, float | None]]
    made: Mapping[str, tuple[str | None, str | None]]
    unknown: tuple[str, ...] = ()


def compare(environment: Where, group: str, old: int, new: int) -> Comparison:
    from mlops.deploy.cards import facts  # which loads a third more, and only a comparison needs it

    first, second = show(environment, group, old), show(environment, group, new)
    account = connect_here(environment).account
    jobs = [facts.trained(account, item.version, item.lineage) for item in (first, second)]
    names = sorted({*first.metrics, *second.metrics})
    metrics = {name: (first.metrics.get(name), second.metrics.get(name)) for name in names}
    before, after = (
        {
            **{f"hyperparameter {name}": value for name, value in facts.hyperparameters(trained).items()},
            **(dict(lineage_records.told(item.lineage)) if item.lineage else {}),
        }
        for item, (trained, _) in zip((first, second), jobs, strict=True)
    )
    made = {
        name: (before.get(name), after.get(name))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    }
    unknown = [
        f"of version {item.version.number}: {why}"
        for item, (_, found) in zip((first, second), jobs, strict=True)
        for why in found
    ]
    return Comparison(first, second, metrics, made, tuple(unknown))


@dataclass(frozen=True, slots=True)
class Decision:
    group: str
    number: int
    status: Literal["Approved", "Rejected"]
    reason: str | None = None
    user: str | None = None
    """Who decides, in the local account; another knows that."""


def decide(environment: Where, decision: Decision, listener: Listener, consent: Consent = NOBODY) -> bool:
    """False where whoever decides had decided so before. That a version which is rejected serves on is told."""
    connected = connect_here(environment, user=decision.user)
    found = registry.version(connected.account, decision.group, decision.number)
    status, reason = decision.status, decision.reason
    if not registry.is_decided(connected.account, connected.environment, found, status, reason):
        _need_reason(connected, decision)
        verb = "approve" if status == "Approved" else "reject"
        need_consent(connected, f"{verb} version {found.number} of {found.group}", consent)
    changed = registry.decide(connected.account, connected.environment, found, status, reason)
    if status == "Rejected":
        _tell_what_serves(connected, found, listener)
    if changed:
        # Who decides on a version decides on what it is made of now.
        try:
            lineage_records.record(connected.account, connected.environment, found)
        except MlopsError as error:
            listener(Said(text=f"what it is made of could not be recorded: {error.message}"))
    return changed


def _need_reason(connected: Connected, decision: Decision) -> None:
    """Raises UsageError where the environment counts no approval without one."""
    gates = connected.environment.promote.get("gates")
    wanted = gates.get("approvals") if isinstance(gates, Mapping) else None
    if decision.reason is None and isinstance(wanted, Mapping) and wanted.get("reasons") is True:
        raise UsageError(
            f"{connected.environment.name} wants a reason for each decision", hint="give --reason WHY; it is kept"
        )


def _tell_what_serves(connected: Connected, version: Version, listener: Listener) -> None:
    try:
        served = _served(connected, version.arn)
    except AccountError as error:
        listener(Said(text=f"whether an endpoint serves it could not be asked: {error.message}"))
        return
    for there in served:
        name, option = there.environment, "" if there.environment == LOCAL else f" --env {there.environment}"
        if there.unknown is not None:
            listener(Said(text=f"whether an endpoint of {name} serves it could not be asked: {there.unknown}"))
        for endpoint in dict.fromkeys(place.endpoint for place in there.places):
            variants = ", ".join(str(item) for item in there.places if item.endpoint == endpoint)
            to = _promoter(connected, name, endpoint)
            instead = f"`mlops promote {version.group} --to {to} --endpoint {endpoint}` takes another version there"
            away = f"`mlops endpoints delete {endpoint}{option}` ends it"
            where = endpoint if name == connected.environment.name else f"{endpoint} of {name}"
            told = f"the endpoint {where} still serves version {version.number}"
            listener(Said(text=f"{told}: {instead}, {away} ({variants})"))


def _promoter(connected: Connected, environment: str, endpoint: str) -> str:
    """The environment that promotes to the endpoint: in the local account another one may be asked for it."""
    own = connected.environment
    if environment != own.name:
        return environment
    try:
        return histories.promoter(connected.account, own, endpoint)
    except MlopsError:
        return environment  # the decision is made, and a history that cannot be read only makes its hint less good


def in_short(version: Version, serves: Iterable[Place] | None = ()) -> Mapping[str, object]:
    """For programs."""
    return {
        "serves": None if serves is None else [asdict(item) for item in serves],
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
        **in_short(shown.version, shown.serves),
        "lineage": lineage_records.as_dictionary(shown.lineage) if shown.lineage is not None else None,
        "reason": told.get("ApprovalDescription") or None,
        "description": told.get("ModelPackageDescription"),
        "created_by": shown.created_by,
        "changed": told.get("LastModifiedTime"),
        "changed_by": shown.changed_by,
        "containers": [
            {"model": lineage_records.model_uri(container), "image": container.get("Image")}
            for container in shown.containers
        ],
        "metadata": told.get("CustomerMetadataProperties") or {},
        "metrics": shown.metrics,
        "described": told,
    }
