"""Remove pipelines from an account, and what upserts made with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlops.deploy.pipelines import destroy as destroying
from mlops.deploy.pipelines.destroy import Removal, plan_removal
from mlops.ir import Listener, Refusal
from mlops.ir.dataclass import dataclass
from mlops.use_cases.approval import NOBODY, Consent, need_consent
from mlops.use_cases.connecting import Connected, connect_here
from mlops.use_cases.judging import judge_names
from mlops.use_cases.news import News

if TYPE_CHECKING:
    from mlops.deploy.declared.destroy import Removal as ResourceRemoval


@dataclass(frozen=True, slots=True)
class Removals:
    """What would go."""

    connected: Connected
    planned: tuple[Removal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WasRemoved(News):
    kind: str = "pipeline.removed"
    removal: Removal


@dataclass(frozen=True, slots=True)
class ResourceRemovals:
    """What would go of declared resources."""

    connected: Connected
    planned: tuple[ResourceRemoval, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcesWereRemoved(News):
    kind: str = "resources.removed"
    removal: ResourceRemoval


def plan_resources(environment: str, names: Sequence[str]) -> ResourceRemovals:
    """Endpoints first: what they serve goes after them. Raises Refusal for one of that name that somebody else made."""
    from mlops.deploy.declared import destroy as destroying_resources  # few removals are of resources

    connected = connect_here(environment)
    account, of = connected.account, connected.environment
    found = (destroying_resources.plan_removal(account, of, name, names) for name in names)
    planned = tuple(sorted(found, key=lambda removal: ("endpoint", removal.name) not in removal.gone))
    foreign = [item for removal in planned for item in removal.foreign]
    if foreign:
        raise Refusal(
            f"{', '.join(foreign)} was not made of a declared resource; nothing was removed",
            hint="`mlops endpoints delete NAME` deletes an endpoint, whoever made it",
        )
    return ResourceRemovals(connected, planned)


def destroy_resources(removals: ResourceRemovals, listener: Listener, consent: Consent = NOBODY) -> None:
    from mlops.deploy.declared import destroy as destroying_resources
    from mlops.use_cases.sharing import shared

    gone = [label for removal in removals.planned for label in removal.labels]
    if gone:
        endpoints = [name for removal in removals.planned for kind, name in removal.gone if kind == "endpoint"]
        also = shared(removals.connected, endpoints)
        need_consent(removals.connected, f"remove {', '.join(gone)}", consent, always=True, shared=also)
    for removal in removals.planned:
        destroying_resources.destroy(removals.connected.account, removals.connected.environment, removal)
        listener(ResourcesWereRemoved(about=removal.name, removal=removal))


def plan(environment: str, names: Sequence[str], suffix: str | None = None) -> Removals:
    judge_names(suffix, ())
    connected = connect_here(environment)
    account, of = connected.account, connected.environment
    return Removals(
        connected, tuple(plan_removal(account, of, f"{name}-{suffix}" if suffix else name) for name in names)
    )


def destroy(removals: Removals, listener: Listener, consent: Consent = NOBODY, *, force: bool = False) -> None:
    """Raises Refusal where nobody said yes, and for a pipeline that somebody else changed or made, unless ``force``."""
    gone = [label for removal in removals.planned for label in removal.labels]
    if gone:
        need_consent(removals.connected, f"remove {', '.join(gone)}", consent, always=True)
    for removal in removals.planned:
        destroying.destroy(removals.connected.account, removals.connected.environment, removal, force=force)
        listener(WasRemoved(about=removal.name, removal=removal))
