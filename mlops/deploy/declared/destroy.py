"""Take away what was made of declared resources of a name: the endpoint, then its configurations, then its models, then
what is called so itself, of any type. What does not carry our tags is not touched."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import partial
from typing import Any

from mlops.account import Account, answers, confirm_account, confirm_identity
from mlops.account.missing import error_code, unless_missing
from mlops.deploy import calls, removed
from mlops.deploy.declared.seeing import see_kept
from mlops.deploy.declared.wanting import RESOURCE, arn_of
from mlops.deploy.endpoints import history
from mlops.deploy.endpoints.conductor import unfinished
from mlops.deploy.endpoints.serving import listed
from mlops.deploy.owners import by_state, owner_of, state_of
from mlops.deploy.pages import items
from mlops.deploy.resources import resource_types
from mlops.deploy.resources.tags import RESOURCE_TYPE as TAGS
from mlops.deploy.shifting import seeing
from mlops.deploy.waiting import Clock, until
from mlops.ir import Refusal
from mlops.ir.dataclass import dataclass
from mlops.project.environments import Environment

_LISTED = (
    ("endpoint-config", "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName", "EndpointConfigArn"),
    ("model", "list_models", "Models", "ModelName", "ModelArn"),
)
_GONE_SECONDS = 900.0
_CAN_SERVE = r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
"""What an endpoint, a configuration and a model may be called."""


@dataclass(frozen=True, slots=True)
class Removal:
    """``gone`` are types and names, in the order in which they go. ``foreign`` has what is there under the name and was
    made by somebody else, in words; ``serving`` what another endpoint serves and therefore stays: the service would
    let it go; ``stays`` what holds what would be lost. ``unseen`` are types that could not be asked for, in words."""

    name: str
    gone: tuple[tuple[str, str], ...]
    foreign: tuple[str, ...] = ()
    serving: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(f"{kind} {name}" for kind, name in self.gone)


def plan_removal(account: Account, environment: Environment, name: str, beside: Sequence[str] = ()) -> Removal:
    """Of the endpoint ``name``, and of all configurations and models that were made of what is declared as ``name``.
    Endpoints that go ``beside`` it keep none of them."""
    number = confirm_account(account, environment)
    sagemaker = account.client("sagemaker")
    can_serve = re.fullmatch(_CAN_SERVE, name) is not None
    with answers():
        found = unless_missing(lambda: sagemaker.describe_endpoint(EndpointName=name)) if can_serve else None
        gone: list[tuple[str, str]] = []
        foreign: list[str] = []
        its = None
        if found is not None:
            tags = calls.see(account, TAGS, str(found["EndpointArn"])) or {}
            its = owner_of(account, environment, "endpoint", name, tags)
            if its is None and tags.get(RESOURCE) == f"endpoint {name}":
                gone.append(("endpoint", name))
            elif its is None:
                foreign.append(f"endpoint {name}")
        made = list(_made_of(account, sagemaker, name)) if can_serve else []
        used = _used_by_others(account, sagemaker, {name, *beside}) if made else {}
        kept, unseen, stays = _kept(account, environment, number, name)
        if its is not None:
            stays.append(f"endpoint {name} stays: {its.refuses('it')}")
    return Removal(
        name,
        (*gone, *(item for item in made if item not in used), *kept),
        tuple(foreign),
        tuple(f"{kind} {named} serves at {used[kind, named]}" for kind, named in made if (kind, named) in used),
        tuple(unseen),
        tuple(stays),
    )


def _kept(
    account: Account, environment: Environment, number: str, name: str
) -> tuple[list[tuple[str, str]], list[str], list[str]]:
    """Of each type whose resources have names of their own: the one of this name, if it is ours; what could not be
    looked for; and what stays. Who may not look for a type has made none of it, and its like of a local account is
    answered by none."""
    found: list[tuple[str, str]] = []
    unseen: list[str] = []
    stays: list[str] = []
    state = state_of(environment)
    for kind in resource_types().values():
        if kind.kept is None or not re.fullmatch(kind.kept.called, name):
            continue
        try:
            seen = see_kept(account, kind, name, arn_of(kind.kept, environment, number, name))
        except Exception as error:
            code = error_code(error)
            if code is None or not (code in _MAY_NOT or (environment.is_local and code == _NOT_HERE)):
                raise
            if code in _MAY_NOT:
                unseen.append(f"{kind.type}s could not be looked for: {code}")
            continue
        if seen.tags.get(RESOURCE) == f"{kind.type} {name}":
            its = seen.owner or by_state(state, environment, account, kind.type, name)
            if its is not None:
                stays.append(f"{kind.type} {name} stays: {its.refuses('it')}")
                continue
            why = kind.kept.stays(calls.make(account, kind, kind.inside(name)))
            if why is None:
                found.append((kind.type, name))
            else:
                stays.append(f"{kind.type} {name} stays: {why}")
    return found, unseen, stays


_MAY_NOT = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"})
_NOT_HERE = "UnknownOperationException"


def _used_by_others(account: Account, sagemaker: Any, going: Set[str]) -> Mapping[tuple[str, str], str]:
    """Configurations and models by kind and name, with an endpoint that stays and that they serve or come to."""
    used: dict[tuple[str, str], str] = {}
    for summary in listed(account):
        endpoint = str(summary["EndpointName"])
        there = seeing.see(sagemaker, endpoint) if endpoint not in going else None
        for config in {there.config, there.pending} - {None} if there is not None else ():
            used["endpoint-config", str(config)] = endpoint
            found = unless_missing(partial(sagemaker.describe_endpoint_config, EndpointConfigName=config)) or {}
            for variant in (*found.get("ProductionVariants", ()), *found.get("ShadowProductionVariants", ())):
                if "ModelName" in variant:
                    used["model", str(variant["ModelName"])] = endpoint
    return used


def _made_of(account: Account, sagemaker: Any, name: str) -> Iterator[tuple[str, str]]:
    for kind, operation, member, named, arn in _LISTED:
        for item in list(items(sagemaker, operation, member, NameContains=name)):
            if str(item[named]).startswith(f"{name}-") and _is_ours(account, str(item[arn]), f"{kind} {name}"):
                yield kind, str(item[named])


def _is_ours(account: Account, arn: str, key: str) -> bool:
    return (calls.see(account, TAGS, arn) or {}).get(RESOURCE) == key


def destroy(account: Account, environment: Environment, removal: Removal, clock: Clock | None = None) -> None:
    """What was cut off is finished by the next. Raises Refusal where a shift of traffic is under way."""
    with answers():
        if ("endpoint", removal.name) in removal.gone and unfinished(account, environment, removal.name) is not None:
            raise Refusal(
                f"a shift of traffic is under way at {removal.name}; nothing was removed",
                hint=f"`mlops endpoints abort {removal.name}{environment.option}` takes it back",
            )
        by = confirm_identity(account, environment).arn if removal.gone else ""
        for kind, name in removal.gone:
            _note(account, environment, kind, name, by)
            _stopped(account, kind, name, clock or Clock())
            calls.remove(account, resource_types()[kind], name)
            if kind == "endpoint":
                _until_gone(account, name, clock or Clock())


def _note(account: Account, environment: Environment, kind: str, name: str, by: str) -> None:
    """What goes, and of an endpoint that is there in its history too."""
    why = "destroyed"
    removed.note(account, environment, kind, name, why=why, by=by)
    if kind != "endpoint":
        return
    there = unless_missing(lambda: account.client("sagemaker").describe_endpoint(EndpointName=name))
    if there is not None and there["EndpointStatus"] != "Deleting":
        unless_missing(lambda: history.append_deleted(account, environment, name, there, by=by, reason=None, how=why))


def _stopped(account: Account, kind: str, name: str, clock: Clock) -> None:
    """What can only be removed where it does not run."""
    of = resource_types()[kind]
    kept = of.kept
    if kept is None or kept.pause is None:
        return

    def settled() -> Mapping[str, Any]:
        reply, ended = until(
            lambda: unless_missing(lambda: calls.make(account, of, of.describe(name))) or {},
            lambda reply: kept.busy(reply) is None,
            clock,
            clock.now() + _GONE_SECONDS,
        )
        if not ended:
            raise Refusal(f"the {kind} {name} is still {kept.busy(reply)}", hint="run the same command again")
        return reply

    if kept.pause.runs(settled()):
        calls.make(account, of, (kept.pause.stop(name),))
        settled()


def _until_gone(account: Account, name: str, clock: Clock) -> None:
    """Its configuration may go when it has gone."""
    sagemaker = account.client("sagemaker")
    left, ended = until(
        lambda: seeing.see(sagemaker, name), lambda state: state is None, clock, clock.now() + _GONE_SECONDS
    )
    if not ended and left is not None:
        raise Refusal(f"the endpoint {name} is still {left.status}", hint="run the same command again")
