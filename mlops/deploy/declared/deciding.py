"""What follows from what is wanted and what was seen: a list of actions, decided without an account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from mlops.deploy.declared import scaling
from mlops.deploy.declared.plan import Action, Bring, Change, Make, Plan, Put, Scale
from mlops.deploy.declared.seeing import Seen, SeenEndpoint, SeenKept, versions_in
from mlops.deploy.declared.wanting import CONTENT, HALTED, INSTANCES, RESOURCE, Content, Wanted
from mlops.deploy.endpoints import promotion
from mlops.deploy.endpoints.promotion import (
    CreateEndpoint,
    CreateEndpointConfig,
    DeleteEndpoint,
    Promotion,
    Settle,
    Shift,
    UpdateEndpoint,
    Wait,
    shift_to,
)
from mlops.deploy.endpoints.telling import told
from mlops.deploy.pipelines.actions import Upload
from mlops.deploy.resources import resource_types
from mlops.deploy.shifting.engines import Engine
from mlops.deploy.shifting.seeing import FAILED, Endpoint
from mlops.deploy.shifting.settings import PromotionSettings
from mlops.deploy.tag_lists import listed
from mlops.ir import Refusal
from mlops.ir.counted import counted
from mlops.ir.gate import OFF
from mlops.ir.placeholders import placeholders
from mlops.ir.resource import Kept, Resource
from mlops.ir.shift import Serving, Variant, config_at_end

_AS_IT_RUNS = frozenset({"VariantName", "ModelName", "InitialInstanceCount", "InitialVariantWeight"})
"""Of a variant: what a promotion changes."""


_FOUND = "X840"
"""The finding that a secret stands in the definition."""


def decide(seen: Seen, wanted: Wanted, settings: PromotionSettings) -> Plan:
    versions = {group: version.arn for group, version in seen.versions.items()}
    contents = wanted.contents(versions, seen.identity.account)
    called = {resource.key for resource in wanted.kept}
    changes: list[Change] = []
    actions: list[Action] = [Upload(item) for item in seen.uploads]
    obstacles = list(_obstacles(seen, wanted, contents))
    notes = list(_notes(seen, wanted))
    drift: list[str] = []
    brings: list[Action] = []
    brought: list[Change] = []
    serve = set[str]()
    blocked = False
    for endpoint in wanted.of("endpoint"):
        state = seen.endpoints[endpoint.name]
        config = next((contents[item.key] for item in wanted.named(endpoint) if item.key in contents), None)
        if config is None:
            continue
        serve.add(config.resource.key)  # it comes with its endpoint
        drift.extend(_drift(endpoint, state))
        obstacles.extend(_closed(state, settings, wanted.models_of(endpoint), contents, endpoint))
        try:
            if state.left is not None:
                # What serves in the middle of a shift says nothing of how the next one goes.
                road = Promotion(None, (Settle(endpoint.name),))
            else:
                road = decide_endpoint(state, wanted, endpoint, config, settings)
        except Refusal as refusal:
            blocked = True
            obstacles.append(f"the endpoint {endpoint.name}: {refusal.message}")
            continue
        told = road
        if seen.there.get((config.resource.type, config.name)) is not None:
            told = replace(road, actions=tuple(step for step in road.actions if not _makes(step, config.name)))
        brought.extend(_brought(endpoint, state, config, told))
        if state.owner is not None:
            what, changes_it = f"the endpoint {endpoint.name}", road.verb != "unchanged"
            (obstacles if changes_it else notes).append(state.owner.told(what, changes_it=changes_it))
        if road.verb == "unchanged":
            serve.update(model.key for model in wanted.models_of(endpoint))
        else:
            models = (contents[model.key] for model in wanted.models_of(endpoint) if model.key in contents)
            brings.append(Bring(endpoint, road, (config, *models)))
            if config.name in state.bad:
                obstacles.append(
                    f"the endpoint {endpoint.name}: what is declared was taken or rolled back there; change it, or "
                    "give --force to bring it again"
                )
    for endpoint in wanted.of("endpoint"):
        change = _scaled(endpoint, seen.endpoints[endpoint.name], brings)
        if change is not None:
            brought.append(change)
            if change.action != "nothing":
                brings.append(Scale(endpoint))
    needed = {item.resource.key for bring in brings if isinstance(bring, Bring) for item in bring.contents}
    for content in contents.values():
        if content.resource.key in called:
            found = seen.kept.get(content.resource.key, SeenKept())
            change = _kept(content, found)
            changes.append(change)
            if found.owner is not None:
                what, changes_it = f"the {content.resource.type} {content.name}", change.action != "nothing"
                (obstacles if changes_it else notes).append(found.owner.told(what, changes_it=changes_it))
            if change.action != "nothing":
                actions.append(Put(content, found.properties is not None))
                drift.extend(_kept_drift(content, found, change))
                obstacles.extend(_fixed(content, found))
                obstacles.extend(_not_here(content) if seen.here else ())
            continue
        if content.resource.key in serve and (content.resource.type != "model" or content.resource.key not in needed):
            continue
        there = seen.there.get((content.resource.type, content.name))
        changes.append(_made(content, there))
        if there is None:
            actions.append(Make(content))
    actions += brings
    changes += brought
    return Plan(
        wanted,
        seen.identity.account,
        seen.region,
        seen.identity.arn,
        tuple(changes),
        tuple(actions) if len(actions) > len(seen.uploads) else (),
        tuple(drift),
        tuple(notes),
        tuple(obstacles),
        tuple(finding.message for finding in wanted.checked.findings if finding.code == _FOUND),
        seen.uploads if len(actions) > len(seen.uploads) else (),
        blocked,
    )


def _scaled(endpoint: Resource, seen: SeenEndpoint, brings: Sequence[Action]) -> Change | None:
    """What a shift takes along is there after it; of one that is made anew nothing is."""
    declared = scaling.declared(endpoint)
    coming = next(
        (bring.promotion for bring in brings if isinstance(bring, Bring) and bring.endpoint == endpoint), None
    )
    if declared is None or (seen.endpoint is None and coming is None):
        return None
    made = coming is not None and coming.verb == "created"
    there = () if made else seen.scaling
    serving = seen.endpoint.serving if seen.endpoint is not None and not made else None
    wanted = scaling.on(declared, () if serving is None else serving.names)
    action: Literal["create", "update", "nothing"] = (
        "nothing" if not scaling.differs(there, wanted) else "update" if there else "create"
    )
    old = scaling.told(there) if there else None
    return Change("scaling", endpoint.name, endpoint.name, action, old, scaling.told(wanted))


def _makes(step: promotion.Action, config: str) -> bool:
    return isinstance(step, CreateEndpointConfig) and step.name == config


def decide_endpoint(
    seen: SeenEndpoint, wanted: Wanted, endpoint: Resource, config: Content, settings: PromotionSettings
) -> Promotion:
    """Raises Refusal where it cannot go along the course that is declared for the environment."""
    there, name = seen.endpoint, endpoint.name
    if there is not None and not there.is_settled:
        return Promotion(None, (Settle(name),))
    request = {**config.request, "Tags": listed(config.tags)}
    if there is None or there.status == FAILED:
        gone = (DeleteEndpoint(name),) if there is not None else ()
        create = CreateEndpoint(name, config.name, wanted.tags(endpoint))
        made = (CreateEndpointConfig(config.name, request), *gone, create, Wait(name, config.name))
        return Promotion("created", promotion.hooked(made, name, config.name, settings), config.name)
    if serves(seen, wanted, config):
        if seen.begun is not None and seen.begun.config == there.config:
            return promotion.finished(seen.begun, (Wait(name, there.config),), name, settings)
        return Promotion("unchanged", (), there.config)
    variants = config.request["ProductionVariants"]
    serving = there.serving
    members = {member: value for member, value in request.items() if member != "ProductionVariants"}
    recount = seen.config_tags.get(INSTANCES, config.tags.get(INSTANCES)) != config.tags.get(INSTANCES)
    several = len(variants) > 1
    captures = _same(there.members.get("DataCaptureConfig"), config.request.get("DataCaptureConfig"))
    make = CreateEndpointConfig(config.name, request)
    anew = (*(() if captures else ("DataCaptureConfig",)), *(("DesiredWeight",) if several else ()))
    retain = not (recount or several or anew)
    shift: Shift | None = None
    if not several and serving is not None and len(serving.variants) == 1:
        coming = _coming(variants[0], there, recount=recount)
        shift = shift_to(
            name, there, coming, members, settings, prefix=name, plain=make, retain=retain, scaling=seen.scaling
        )
        if shift is not None and not captures and shift.engine is not Engine.UPDATE:
            raise Refusal(
                f"data capture is changed with all traffic at once, and it goes by {settings.strategy.name}: an "
                "endpoint keeps its capture while traffic shifts",
            )
    elif settings.course(None) != promotion.AT_ONCE:
        raise Refusal(
            f"several variants cannot go by {settings.strategy.name} together; declare one, or take "
            f'`strategy = "all-at-once"` for {wanted.environment.name}'
        )
    elif serving is not None:
        then = Serving(config.name, tuple(_variant(item) for item in variants))
        shift = promotion.at_one_moment(name, serving, then, request, settings, seen.scaling, retain=retain)
    if shift is not None:
        return Promotion("updated", (shift,), config_at_end(shift.moves))
    point = UpdateEndpoint(name, config.name, there.config, recount=recount or several, anew=anew)
    return Promotion("updated", (make, point, Wait(name, config.name)), config.name)


def serves(seen: SeenEndpoint, wanted: Wanted, config: Content) -> bool:
    """Whether what is declared serves: as it was brought, or with another version of the group that it follows."""
    there = seen.endpoint
    if there is None or there.serving is None or seen.left is not None:
        return False
    variants = config.request["ProductionVariants"]
    if len(there.serving.variants) != len(variants):
        return False
    if seen.config_tags.get(CONTENT) == config.tags[CONTENT]:
        return True
    if RESOURCE in seen.config_tags or not seen.known or len(variants) != 1:
        return False
    if not any(wanted.group(model) for model in wanted.named(config.resource)):
        return False
    members = {member: value for member, value in config.request.items() if member != "ProductionVariants"}
    live = there.serving.variants[0].request
    return _same(_settings(live), _settings(variants[0])) and _same(there.members, members)


def _same(there: Any, asked: Any) -> bool:
    """At the top the members are the same; below, a service may fill in what was not asked for."""
    if isinstance(there, Mapping) and isinstance(asked, Mapping):
        return there.keys() == asked.keys() and all(_holds(there[member], asked[member]) for member in asked)
    return bool(there == asked)


def _settings(variant: Mapping[str, Any]) -> dict[str, Any]:
    return {member: value for member, value in variant.items() if member not in _AS_IT_RUNS and value is not None}


def _variant(request: Mapping[str, Any]) -> Variant:
    weight = float(request.get("InitialVariantWeight", 1.0))
    return Variant(str(request["VariantName"]), dict(request), weight, request.get("InitialInstanceCount"))


def _coming(variant: Mapping[str, Any], there: Endpoint, *, recount: bool) -> Variant:
    """As it is declared, with the count that serves where another one is not declared since."""
    request = {
        member: value
        for member, value in variant.items()
        if member not in ("VariantName", "InitialInstanceCount", "InitialVariantWeight")
    }
    declared = variant.get("InitialInstanceCount")
    counts = [item.count for item in there.serving.variants if item.count] if there.serving is not None else []
    live = None if recount or not counts else sum(counts)
    return Variant(str(variant["VariantName"]), request, 1.0, None if declared is None else live or declared)


def _made(content: Content, there: Mapping[str, Any] | None) -> Change:
    resource = content.resource
    return Change(
        resource.type,
        resource.name,
        content.name,
        "create" if there is None else "nothing",
        None if there is None else content.request,
        content.request,
    )


def _kept(content: Content, seen: SeenKept) -> Change:
    resource, there = content.resource, seen.properties
    kept = resource_types()[resource.type].kept
    new = content.request if kept is None else kept.form(content.request)
    tagged = all(seen.tags.get(key) == value for key, value in content.tags.items())
    halted = HALTED in seen.tags
    action: Literal["create", "update", "nothing"] = (
        "create" if there is None else "nothing" if there == new and tagged and not halted else "update"
    )
    steps = tuple(_stops(kept, seen, differs=there != new)) if action == "update" and kept is not None else ()
    return Change(resource.type, resource.name, content.name, action, there, new, steps)


def _stops(kept: Kept, seen: SeenKept, *, differs: bool) -> Iterator[str]:
    """What is done beside the change itself."""
    if kept.pause is None:
        return
    if differs and kept.pause.runs(seen.reply):
        yield from ("stop it, which ends what runs in it", "update it", "start it again")
    elif HALTED in seen.tags:
        yield "start it again: an upsert that was cut off has stopped it"


def _kept_drift(content: Content, seen: SeenKept, change: Change) -> Iterator[str]:
    told = f"the {content.resource.type} {content.name}"
    if seen.properties is None or seen.owner is not None:
        return
    if RESOURCE not in seen.tags:
        yield f"{told} was not made by mlops; --force takes it over"
    elif seen.tags.get(CONTENT) == content.tags[CONTENT] and change.old != change.new:
        yield f"{told} was changed by somebody else; --force overwrites that"


def _not_here(content: Content) -> Iterator[str]:
    kept = resource_types()[content.resource.type].kept
    lacking = None if kept is None else kept.not_here(content.request)
    if lacking is not None:
        yield f"the {content.resource.type} {content.name}: the local account has no {lacking}; it is for AWS alone"


def _fixed(content: Content, seen: SeenKept) -> Iterator[str]:
    """What of it cannot be changed where it stands."""
    kind = resource_types()[content.resource.type]
    if seen.properties is None or kind.kept is None:
        return
    new = kind.kept.form(content.request)
    for said in kind.kept.cannot(seen.properties, new):
        yield f"the {kind.type} {content.name}: {said}"
    changed = [member for member in sorted(kind.anew) if seen.properties.get(member) != new.get(member)]
    if changed:
        yield (
            f"{', '.join(changed)} of the {kind.type} {content.name} cannot be changed; declare another name, or "
            f"remove it first: `mlops destroy {content.name} --resources`"
        )


def _brought(endpoint: Resource, seen: SeenEndpoint, config: Content, road: Promotion) -> Iterator[Change]:
    """An endpoint, and the configuration that comes with it."""
    there = seen.endpoint
    old = None
    if there is not None and there.serving is not None:
        variants = [variant.as_request() for variant in there.serving.variants]
        if len(variants) == 1:
            # All of the traffic is its, whatever the number and, as two names take turns, the name.
            del variants[0]["InitialVariantWeight"]
            if len(config.request["ProductionVariants"]) == 1:
                variants[0]["VariantName"] = config.request["ProductionVariants"][0]["VariantName"]
        old = {**there.members, "ProductionVariants": variants}
    unchanged = road.verb == "unchanged"
    action: Literal["create", "update", "nothing"] = (
        "nothing" if unchanged else "create" if road.verb == "created" else "update"
    )
    name = there.config if unchanged and there is not None else road.config or config.name
    yield Change(
        "endpoint-config",
        config.resource.name,
        name,
        "nothing" if unchanged else "create",
        config.request if unchanged else old,
        config.request,
    )
    steps = tuple(line for step in road.actions for line in told(step))
    before = None if there is None else {"EndpointConfigName": there.config}
    yield Change("endpoint", endpoint.name, endpoint.name, action, before, {"EndpointConfigName": name}, steps)


def _drift(endpoint: Resource, seen: SeenEndpoint) -> Iterator[str]:
    there = seen.endpoint
    if there is None or seen.left is not None or seen.owner is not None:
        return
    if RESOURCE not in seen.tags and not seen.known:
        yield f"the endpoint {endpoint.name} was not made by mlops; --force takes it over"
    elif RESOURCE not in seen.config_tags and not seen.known:
        yield f"the endpoint {endpoint.name} was brought to {there.config} by somebody else; --force overwrites that"


def _closed(
    seen: SeenEndpoint,
    settings: PromotionSettings,
    models: Sequence[Resource],
    contents: Mapping[str, Content],
    endpoint: Resource,
) -> Iterator[str]:
    """Gates that refuse, or that cannot be asked."""
    for version, gates in seen.gates:
        for gate in gates:
            if not gate.passes:
                yield f"version {version.number} of {version.group} may not serve at {endpoint.name}: {gate.told}"
    declared = [gate.name for gate, its in settings.gates if its is not OFF]
    if not declared:
        return
    for model in models:
        content = contents.get(model.key)
        if content is not None and content.name not in seen.models and not any(versions_in(content)):
            names = ", ".join(declared)
            yield (
                f"the model {model.name} is no registered version, and the gates {names} judge those; give group= or "
                "package= in place of image= and model="
            )


def _obstacles(seen: Seen, wanted: Wanted, contents: Mapping[str, Content]) -> Iterator[str]:
    for model in wanted.of("model"):
        group = wanted.group(model)
        if group is not None and group not in seen.versions:
            yield f"the model {model.name}: {group} has no approved version"
    for content in contents.values():
        there = seen.there.get((content.resource.type, content.name))
        if there is not None and not _holds(there, content.request):
            yield f"the {content.resource.type} {content.name} is there, and is not what its name says"
        if wanted.environment.is_local:
            continue
        found = placeholders(content.request, account=seen.identity.account, bucket=wanted.environment.bucket)
        for text in dict.fromkeys(found):
            what = f"the {content.resource.type} {content.resource.name}"
            yield f"{what} names {text}, which is of the local account and nothing in {seen.identity.account}"


def _holds(there: Any, asked: Any) -> bool:
    """What was asked for is there; a service adds what it fills in."""
    match asked:
        case Mapping():
            return isinstance(there, Mapping) and all(
                value in (None, {}, [], False) or _holds(there.get(member), value) for member, value in asked.items()
            )
        case list():
            return (
                isinstance(there, list)
                and len(there) == len(asked)
                and all(_holds(left, right) for left, right in zip(there, asked, strict=True))
            )
        case bool() | str() | None:
            return bool(there == asked)
    return isinstance(there, int | float) and there == asked


def _notes(seen: Seen, wanted: Wanted) -> Iterator[str]:
    if seen.bucket_missing is not None:
        yield f"{seen.bucket_missing}; an upsert fails until it is"
    for group, version in seen.versions.items():
        newer = seen.newest.get(group)
        names = [
            endpoint.name
            for endpoint in wanted.of("endpoint")
            if any(wanted.group(model) == group for model in wanted.models_of(endpoint))
        ]
        if newer is not None and newer.number > version.number and names:
            yield (
                f"version {newer.number} of {group} is approved and {version.number} serves: "
                f"`mlops promote {group} --to {wanted.environment.name} --endpoint {names[0]}` takes it there"
            )
    for name, endpoint in seen.endpoints.items():
        if endpoint.left is not None:
            many = counted(len(endpoint.left.journal.moves) - endpoint.left.journal.done, "move")
            yield f"a shift of {name} by {endpoint.left.journal.by} has not ended, {many} are left; that comes first"
