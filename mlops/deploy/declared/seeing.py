"""All that is read of an account before it is decided what to do; nothing is written here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field, replace
from typing import Any

from mlops.account import Account, Identity, answers, confirm_identity
from mlops.account.missing import unless_missing
from mlops.deploy import calls
from mlops.deploy.conditional_object import BucketMissing
from mlops.deploy.declared.wanting import Content, Wanted
from mlops.deploy.endpoints import begun, history
from mlops.deploy.endpoints.conductor import unfinished
from mlops.deploy.endpoints.gating import Gated, Registry, asked_of, judge
from mlops.deploy.endpoints.history import Entry
from mlops.deploy.endpoints.promotion import Target
from mlops.deploy.endpoints.serving import packages
from mlops.deploy.models import registry
from mlops.deploy.models.registry import APPROVED, Version
from mlops.deploy.pipelines.assets import AssetObject, absent
from mlops.deploy.resources import resource_types
from mlops.deploy.resources.tags import RESOURCE_TYPE as TAGS
from mlops.deploy.shifting import scaling, seeing
from mlops.deploy.shifting.journal import Stored
from mlops.deploy.shifting.seeing import Endpoint
from mlops.deploy.shifting.settings import PromotionSettings
from mlops.deploy.stack_owner import StackOwner, owner
from mlops.ir.dataclass import dataclass
from mlops.ir.resource import Resource, ResourceType
from mlops.ir.shift import Scaling

_PACKAGE = ":model-package/"
Passed = Callable[[Version, str], Callable[[str], str | None]]
"""Of a version and an endpoint, what says why it has not passed another environment."""


@dataclass(frozen=True, slots=True)
class SeenEndpoint:
    """``tags`` are the endpoint's, ``config_tags`` those of the configuration that serves. ``known``: that one was
    brought by a promotion or a rollback of ours. ``left`` is a shift that was begun and has not ended. ``bad`` are
    declarations that were taken or rolled back since they were brought last."""

    endpoint: Endpoint | None
    tags: Mapping[str, str] = field(default_factory=dict)
    config_tags: Mapping[str, str] = field(default_factory=dict)
    known: bool = False
    left: Stored | None = None
    begun: Entry | None = None
    """The end of what was begun without a shift and cut off, if it was."""
    bad: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    """Names of the models that it serves."""
    scaling: tuple[Scaling, ...] = ()
    """What scales its variants."""
    gates: tuple[tuple[Version, tuple[Gated, ...]], ...] = ()
    """What was found of each registered version that it is to serve."""
    owner: StackOwner | None = None


@dataclass(frozen=True, slots=True)
class SeenKept:
    """What there is of one that is called by its own name: ``properties`` None where there is none, ``reply`` what was
    told of it."""

    properties: Mapping[str, Any] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    reply: Mapping[str, Any] = field(default_factory=dict)
    owner: StackOwner | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """``versions`` are by group: the one that serves where it is declared to, else the newest approved one. ``newest``
    are those that are approved since. ``there`` has properties by type and name, None for what is not there."""

    identity: Identity
    region: str
    uploads: tuple[AssetObject, ...] = ()
    versions: Mapping[str, Version] = field(default_factory=dict)
    newest: Mapping[str, Version] = field(default_factory=dict)
    there: Mapping[tuple[str, str], Mapping[str, Any] | None] = field(default_factory=dict)
    endpoints: Mapping[str, SeenEndpoint] = field(default_factory=dict)
    bucket_missing: str | None = None
    kept: Mapping[str, SeenKept] = field(default_factory=dict)
    """By type and name."""
    here: bool = False
    """It is the local account."""


def see(
    account: Account,
    wanted: Wanted,
    settings: PromotionSettings,
    passed: Passed,
    identity: Identity | None = None,
) -> Seen:
    identity = identity or confirm_identity(account, wanted.environment)
    assets = wanted.checked.definition.assets
    with answers():
        missing = absent(account, assets)
        uploads = tuple(item for asset in assets for item in missing[asset.uri, asset.address])
        versions, newest = _versions(account, wanted)
        contents = wanted.contents({group: version.arn for group, version in versions.items()}, identity.account)
        called = {resource.key for resource in wanted.kept}
        there = {
            (item.resource.type, item.name): calls.see(account, resource_types()[item.resource.type], item.name)
            for item in contents.values()
            if item.resource.key not in called
        }
        kept = {key: _seen(account, item) for key, item in contents.items() if key in called}
        endpoints: dict[str, SeenEndpoint] = {}
        bucket_missing = None
        for endpoint in wanted.of("endpoint"):
            try:
                endpoints[endpoint.name] = see_endpoint(account, wanted, endpoint)
            except BucketMissing as error:
                bucket_missing = error.message
                endpoints[endpoint.name] = _live(account, endpoint.name)
            judged = tuple(_judged(account, wanted, endpoint, contents, settings, passed))
            endpoints[endpoint.name] = replace(endpoints[endpoint.name], gates=judged)
    here = account.here is not None
    return Seen(identity, account.region, uploads, versions, newest, there, endpoints, bucket_missing, kept, here)


def _seen(account: Account, content: Content) -> SeenKept:
    """What the local account has nothing for is not looked for there: it may not know the service."""
    kind = resource_types()[content.resource.type]
    if account.here is not None and kind.kept is not None and kind.kept.not_here(content.request) is not None:
        return SeenKept()
    return see_kept(account, kind, content.name, content.arn)


def see_kept(account: Account, kind: ResourceType, name: str, arn: str) -> SeenKept:
    """One that is called by its own name, as it is now."""
    reply = unless_missing(lambda: calls.make(account, kind, kind.describe(name)))
    if reply is None or kind.kept is None or not kind.kept.found(reply):
        return SeenKept()
    listing = calls.make(account, kind, (kind.kept.tags(arn, name),), reply)
    tags = kind.kept.told(listing)
    return SeenKept(kind.read(reply), tags, reply, owner(account, tags))


def see_endpoint(account: Account, wanted: Wanted, endpoint: Resource) -> SeenEndpoint:
    """One, as it is now. Raises BucketMissing."""
    live = _live(account, endpoint.name)
    entries = history.read(account, wanted.environment, endpoint.name)
    config = live.endpoint.config if live.endpoint is not None else None
    return SeenEndpoint(
        live.endpoint,
        live.tags,
        live.config_tags,
        known=any(config is not None and config == entry.config for entry in entries),
        left=unfinished(account, wanted.environment, endpoint.name) if live.endpoint is not None else None,
        begun=begun.read(account, wanted.environment, endpoint.name),
        bad=frozenset(entry.group for entry in entries if 0 in history.refused(entries, entry.group)),
        models=live.models,
        scaling=live.scaling,
        owner=live.owner,
    )


def _live(account: Account, name: str) -> SeenEndpoint:
    sagemaker = account.client("sagemaker")
    state = seeing.see(sagemaker, name)
    if state is None:
        return SeenEndpoint(None)
    found = unless_missing(lambda: sagemaker.describe_endpoint(EndpointName=name)) or {}
    config = unless_missing(lambda: sagemaker.describe_endpoint_config(EndpointConfigName=state.config)) or {}
    variants = config.get("ProductionVariants") or ()
    tags = _tags(account, found.get("EndpointArn"))
    return SeenEndpoint(
        state,
        tags,
        _tags(account, config.get("EndpointConfigArn")),
        models=frozenset(str(item["ModelName"]) for item in variants if item.get("ModelName")),
        scaling=scaling.see(account, name, state.serving.names) if state.serving is not None else (),
        owner=owner(account, tags),
    )


def _tags(account: Account, arn: str | None) -> Mapping[str, str]:
    return {} if arn is None else calls.see(account, TAGS, arn) or {}


def _versions(account: Account, wanted: Wanted) -> tuple[dict[str, Version], dict[str, Version]]:
    """What serves stays: which version that is, a promotion decides."""
    found: dict[str, Version] = {}
    newest: dict[str, Version] = {}
    for model in wanted.of("model"):
        group = wanted.group(model)
        if group is None or group in found:
            continue
        approved = [item for item in registry.versions(account, group) if item.approval == APPROVED]
        serving = [
            arn
            for endpoint in wanted.of("endpoint")
            if model in wanted.models_of(endpoint)
            for arn in sorted(packages(account, endpoint.name))
            if arn.partition(_PACKAGE)[2].rpartition("/")[0] == group
        ]
        if approved:
            newest[group] = registry.described(account, approved[0].arn)
        if serving:
            found[group] = registry.described(account, serving[0])
        elif approved:
            found[group] = newest[group]
    return found, newest


def _judged(
    account: Account,
    wanted: Wanted,
    endpoint: Resource,
    contents: Mapping[str, Content],
    settings: PromotionSettings,
    passed: Passed,
) -> Iterator[tuple[Version, tuple[Gated, ...]]]:
    """Of each registered version behind an endpoint that it does not serve yet, what the gates find."""
    serving = packages(account, endpoint.name)
    source = Registry(account, wanted.environment)
    arns = [arn for model in wanted.models_of(endpoint) for arn in versions_in(contents.get(model.key))]
    for arn in dict.fromkeys(arns):
        if arn in serving:
            continue
        version = registry.described(account, arn)
        target, has_passed = Target(endpoint.name), passed(version, endpoint.name)
        asked = asked_of(version, source, account, wanted.environment, target, has_passed, settings.root)
        yield version, judge(settings.gates, asked)


def versions_in(model: Content | None) -> Iterator[str]:
    """ARNs of the registered versions that it is made of."""
    if model is None:
        return
    for container in (model.request.get("PrimaryContainer"), *(model.request.get("Containers") or ())):
        name = str((container or {}).get("ModelPackageName") or "")
        if _PACKAGE in name and "/" in name.partition(_PACKAGE)[2]:
            yield name
