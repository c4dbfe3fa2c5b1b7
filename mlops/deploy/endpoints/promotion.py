"""A promotion: what is wanted of an endpoint, what was seen of it, and the actions that follow, decided without an
account.

Model and endpoint configuration are named by what is in them, so that a promotion that was cut off is finished, and one
that has nothing to do does nothing. What serves keeps its settings: instance type, counts, capture, whatever its
configuration has beside the model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Literal, TypeAlias

from mlops.deploy.endpoints.crossing import Copy, Crossing
from mlops.deploy.endpoints.history import Entry
from mlops.deploy.endpoints.sampling import NO_SAMPLES, Samples
from mlops.deploy.models.registry import Version
from mlops.deploy.shifting.deciding import too_short
from mlops.deploy.shifting.engines import Engine, Situation, pick
from mlops.deploy.shifting.guardrails import deployment_config
from mlops.deploy.shifting.hooked_moves import with_hooks
from mlops.deploy.shifting.moves import at_once, by_guardrails, by_weights, config_name, other_name
from mlops.deploy.shifting.scaled_moves import in_the_way, lost, with_scaling
from mlops.deploy.shifting.seeing import FAILED, MIXED, Endpoint
from mlops.deploy.shifting.settings import PromotionSettings
from mlops.deploy.shifting.shadowed_moves import shadow_first
from mlops.ir import Refusal
from mlops.ir.dataclass import dataclass
from mlops.ir.duration import said
from mlops.ir.shift import Bake, Course, Move, Scaling, Serving, Stage, Variant, after_all, config_at_end
from mlops.project.environments import Environment

VARIANT = "AllTraffic"
NAME_LENGTH = 63
_OF_A_MODEL = frozenset({"VariantName", "ModelName", "InitialInstanceCount", "InitialVariantWeight", "InstanceType"})
AT_ONCE = Course((Stage(100.0),))


@dataclass(frozen=True, slots=True)
class Target:
    """Where a version goes: an endpoint name, its instances, and how long to wait for it in seconds. Without ``count``
    and ``instance`` it keeps those that serve; a new endpoint has one, of the first type that the version names."""

    endpoint: str
    instance: str | None = None
    count: int | None = None
    timeout: float = 1800.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """``model`` is a name, ``model_request`` what it is made of. ``members`` are the configuration's beside its
    variants; ``prefix`` begins its name; ``offered`` are instance types that the version names. ``marketplace``: a
    container of it is of AWS Marketplace."""

    target: Target
    model: str
    model_request: Mapping[str, Any]
    members: Mapping[str, Any]
    prefix: str
    offered: tuple[str, ...]
    copies: tuple[Copy, ...] = ()
    """Archives of another account or region that the model is made of."""
    marketplace: bool = False

    @property
    def endpoint(self) -> str:
        return self.target.endpoint


@dataclass(frozen=True, slots=True)
class Seen:
    """``endpoint`` is None where there is none. ``before`` is the configuration that served before the wanted one,
    where that was seen: while the one followed the other. ``samples`` are for the smoke test. ``scaling`` is what
    scales the endpoint's variants."""

    has_model: bool
    endpoint: Endpoint | None
    samples: Samples = NO_SAMPLES
    before: str | None = None
    scaling: tuple[Scaling, ...] = ()
    copied: frozenset[str] = frozenset()
    """Those that are there, by URI."""
    begun: Entry | None = None
    """The end of what was begun and cut off, if it was."""


@dataclass(frozen=True, slots=True)
class CopyArchive:
    copy: Copy


@dataclass(frozen=True, slots=True)
class CreateModel:
    name: str
    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CreateEndpointConfig:
    name: str
    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DeleteEndpoint:
    """One that failed can only be deleted. It ends when it is gone."""

    name: str


@dataclass(frozen=True, slots=True)
class CreateEndpoint:
    name: str
    config: str
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UpdateEndpoint:
    """``recount``: the configuration's count of instances is wanted, and not the one that serves; ``anew`` are other
    properties of variants (VariantPropertyType) of which that is so."""

    name: str
    config: str
    before: str
    recount: bool = False
    anew: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shift:
    """All the moves of a course, by an engine; ``why`` is a clause that says why that one."""

    name: str
    engine: Engine
    why: str
    old: Serving
    moves: tuple[Move, ...]
    variant: str
    """What is judged."""
    scaling: tuple[Scaling, ...] = ()
    notes: tuple[str, ...] = ()
    """What hangs on a variant's name and does not go with it."""
    there: frozenset[str] = frozenset()
    """Configurations among its moves that need not be made."""


@dataclass(frozen=True, slots=True)
class Settle:
    """Wait until what is under way has ended, however that is; then it is looked at anew."""

    name: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Until the endpoint serves ``config``."""

    name: str
    config: str


@dataclass(frozen=True, slots=True)
class TakeBack:
    """To what served before."""

    name: str
    config: str


@dataclass(frozen=True, slots=True)
class HooksAround:
    """Those that are declared for ``moment``, of an endpoint that is made; a shift has its own among its moves."""

    moment: Literal["before", "after"]
    name: str
    config: str


@dataclass(frozen=True, slots=True)
class SmokeTest:
    """``otherwise`` is what is done where it fails; ``unchanged``: this promotion found the endpoint as it is."""

    name: str
    samples: Samples
    otherwise: TakeBack | None
    unchanged: bool


Action: TypeAlias = (
    CopyArchive
    | CreateModel
    | CreateEndpointConfig
    | DeleteEndpoint
    | CreateEndpoint
    | UpdateEndpoint
    | Shift
    | Settle
    | Wait
    | TakeBack
    | HooksAround
    | SmokeTest
)


@dataclass(frozen=True, slots=True)
class Promotion:
    """``verb`` is None where it is not known yet: after the last action, which is :class:`Settle`, decide again.
    ``config`` is what serves in the end."""

    verb: Literal["created", "updated", "unchanged"] | None
    actions: tuple[Action, ...]
    config: str = ""
    finishes: Entry | None = None
    """The end of another one that was cut off when all its calls were made."""

    @property
    def writes(self) -> bool:
        """Whether it may change anything: also where that shows only when what is under way has ended."""
        made = (CopyArchive, CreateModel, CreateEndpointConfig)
        return self.verb != "unchanged" or any(isinstance(action, made) for action in self.actions)


def want(environment: Environment, version: Version, target: Target, crossing: Crossing | None = None) -> Wanted:
    """``crossing`` is how a version of another account or region comes."""
    specification = version.details.get("InferenceSpecification") or {}
    model_request = {
        "ExecutionRoleArn": environment.role,
        **_made_of(version, crossing),
        **_network(environment),
    }
    return Wanted(
        target,
        model_name(version, model_request),
        model_request,
        {"KmsKeyId": environment.kms_key} if environment.kms_key else {},
        f"{version.group}-{version.number}",
        tuple(specification.get("SupportedRealtimeInferenceInstanceTypes") or ()),
        crossing.copies if crossing is not None else (),
        marketplace=any(container.get("ProductId") for container in specification.get("Containers") or ()),
    )


def _made_of(version: Version, crossing: Crossing | None) -> dict[str, Any]:
    containers = crossing.containers if crossing is not None else ()
    if not containers:
        return {"PrimaryContainer": {"ModelPackageName": version.arn}}
    return {"PrimaryContainer": containers[0]} if len(containers) == 1 else {"Containers": list(containers)}


def decide(seen: Seen, wanted: Wanted, settings: PromotionSettings) -> Promotion:
    """Raises Refusal where the endpoint cannot go along the course that is declared."""
    there = seen.endpoint
    copies = tuple(CopyArchive(copy) for copy in wanted.copies if copy.target not in seen.copied)
    model: tuple[Action, ...] = () if seen.has_model else (*copies, CreateModel(wanted.model, wanted.model_request))
    if there is not None and not there.is_settled:
        return Promotion(None, (*model, Settle(wanted.endpoint)))
    if there is None or there.status == FAILED:
        gone = (DeleteEndpoint(wanted.endpoint),) if there is not None else ()
        config = _config(wanted, coming_variant(wanted, None, VARIANT), {})
        create = CreateEndpoint(wanted.endpoint, config.name)
        actions = (*model, config, *gone, create, *_proof(seen, wanted, config.name, None))
        return Promotion("created", hooked(actions, wanted.endpoint, config.name, settings), config.name)
    mixed = there.status == MIXED
    if _serves(there.serving, wanted) and not mixed:
        begun = seen.begun if seen.begun is not None and seen.begun.config == there.config else None
        before = seen.before if begun is None else begun.before
        back = TakeBack(wanted.endpoint, before) if before is not None else None
        proof = (*model, *_proof(seen, wanted, there.config, back, unchanged=begun is None or back is None))
        if begun is None:
            return Promotion("unchanged", proof, there.config)
        return finished(begun, proof, wanted.endpoint, settings)
    # Where two configurations serve after a rollback that failed, the one that is wanted takes over at once.
    shift = _shift(seen, there, wanted, settings) if not mixed else None
    if shift is not None:
        return Promotion("updated", (*model, shift), config_at_end(shift.moves))
    config = _config(wanted, coming_variant(wanted, there.serving, _kept_name(there.serving)), there.members)
    update = UpdateEndpoint(wanted.endpoint, config.name, there.config, recount=wanted.target.count is not None)
    back = TakeBack(wanted.endpoint, there.config)
    actions = (*model, config, update, *_proof(seen, wanted, config.name, back))
    return Promotion("updated", actions, config.name)


def hooked(actions: Sequence[Action], name: str, config: str, settings: PromotionSettings) -> tuple[Action, ...]:
    """What makes an endpoint, with the hooks that are called around it."""
    before = (HooksAround("before", name, config),) if "before" in settings.moments else ()
    after = (HooksAround("after", name, config),) if "after" in settings.moments else ()
    return (*before, *actions, *after)


def finished(begun: Entry, proof: Sequence[Action], name: str, settings: PromotionSettings) -> Promotion:
    """What ``begun`` left out when it was cut off; it serves."""
    if begun.verb != "created":
        return Promotion("updated", tuple(proof), begun.config, begun)
    after = (HooksAround("after", name, begun.config),) if "after" in settings.moments else ()
    return Promotion("created", (*proof, *after), begun.config, begun)


def settled(seen: Seen, wanted: Wanted, now: Endpoint | None) -> Seen:
    """What is known when the last of a promotion's actions was :class:`Settle`, and ``now`` is what it came to."""
    earlier = seen.endpoint
    ours = now is not None and _serves(now.serving, wanted)
    before = earlier.config if earlier is not None and earlier.status != "Creating" and ours else None
    if before is not None and now is not None and before == now.config:
        before = None
    return replace(seen, has_model=True, endpoint=now, before=before or seen.before)


def _shift(seen: Seen, there: Endpoint, wanted: Wanted, settings: PromotionSettings) -> Shift | None:
    """None where a plain update does it."""
    if there.serving is None:
        return None
    coming = coming_variant(wanted, there.serving, _kept_name(there.serving))
    return shift_to(
        wanted.endpoint,
        there,
        coming,
        {**there.members, **wanted.members},
        settings,
        prefix=wanted.prefix,
        plain=_config(wanted, coming, there.members),
        retain=wanted.target.count is None,
        scaling=seen.scaling,
        marketplace=wanted.marketplace,
    )


def shift_to(
    endpoint: str,
    there: Endpoint,
    new: Variant,
    members: Mapping[str, Any],
    settings: PromotionSettings,
    *,
    prefix: str,
    plain: CreateEndpointConfig,
    retain: bool,
    scaling: tuple[Scaling, ...],
    marketplace: bool = False,
) -> Shift | None:
    """From what serves there to ``new``, beside which its configuration has ``members``; where it goes by weights it
    has another name. ``marketplace``: a container is of AWS Marketplace. ``plain`` is the configuration that an update
    alone would bring, which may ``retain`` the properties of what serves. None where that does it. Raises Refusal where
    the endpoint cannot go along the course that is declared."""
    old = there.serving
    if old is None:
        return None
    counts = [variant.count for variant in old.variants if variant.count is not None]
    count = sum(counts) if counts else None
    course = settings.course(count)
    coming, new = new, replace(new, name=other_name(old, settings.variants))
    situation = Situation(
        course,
        old,
        new,
        alarms=settings.alarms,
        marketplace=marketplace,
        shadows=any(held.get("ShadowProductionVariants") for held in (there.members, members)),
        own_verdicts=bool(settings.rules) and course != AT_ONCE,
        hooks_within=bool(settings.moments & {"stage", "before-last"}) and course != AT_ONCE,
    )
    engine, why = pick(situation, settings.engine)
    first: tuple[Move, ...] = ()
    if settings.shadow is not None and engine is not Engine.NONE:
        first = shadow_first(settings.shadow, endpoint, old, new, there.members, prefix=prefix, marketplace=marketplace)
    match engine:
        case Engine.UPDATE:
            then = Serving(plain.name, (coming,))
            return at_one_moment(endpoint, old, then, plain.request, settings, scaling, retain=retain, first=first)
        case Engine.NONE:
            raise Refusal(f"{endpoint} cannot go by {settings.strategy.name}: {why}")
        case Engine.GUARDRAILS:
            same = replace(new, name=old.names[0])
            deployment = deployment_config(course, new.count, settings.alarms)
            moves = (*first, *by_guardrails(same, members, deployment, prefix=prefix, retain=retain))
            return _whole(Shift(endpoint, engine, why, old, moves, same.name), scaling, settings)
        case Engine.WEIGHTS:
            _can_be_judged(endpoint, course, settings)
            moves = (*first, *by_weights(course, old, new, members, count=new.count, prefix=prefix))
            return _whole(Shift(endpoint, engine, why, old, moves, new.name), scaling, settings)


def _can_be_judged(endpoint: str, course: Course, settings: PromotionSettings) -> None:
    """Raises Refusal for a stage that ends before as many periods of a measure can be over as it needs: whatever came
    would be taken back."""
    for number, stage in enumerate(course.stages, 1):
        for rule in settings.rules:
            if not stage.bake or rule.dry_run or rule.compare is not None:
                continue
            # What becomes of requests is waited for beyond the stage.
            late = rule.delay + settings.lag
            if stage.bake + settings.patience < late + rule.count * rule.interval:
                periods = f"{f'{rule.count} periods' if rule.count > 1 else 'one period'} of {said(rule.interval)}"
                raise Refusal(
                    f"stage {number} of {endpoint} ({stage.share:g} %) would end without a verdict: it is looked at "
                    f"for {said(stage.bake)}, and {rule.name} needs {periods}"
                    f"{f', {said(late)} late' if late else ''}",
                    hint=f"bake = {said(late + (rule.count + 1) * rule.interval)!r} is always enough, because periods "
                    f"begin by the clock; or give judge.{rule.name} a shorter interval, or patience",
                )


def at_one_moment(
    endpoint: str,
    old: Serving,
    then: Serving,
    request: Mapping[str, Any],
    settings: PromotionSettings,
    scaling: tuple[Scaling, ...],
    *,
    retain: bool,
    first: tuple[Move, ...] = (),
) -> Shift | None:
    """An update alone, as a shift where something has to be done around it, or ``first``; None where nothing has."""
    if first:
        why = "it is a shadow of what serves first, then all traffic goes at once"
    elif in_the_way(scaling, old, then):
        why = "what scales the endpoint is taken off before, and put on what comes"
    elif settings.moments or settings.notify is not None:
        why = "hooks are called or people told on the way"
    else:
        return None
    moves = (*first, *at_once(then, request, retain=retain))
    return _whole(Shift(endpoint, Engine.UPDATE, why, old, moves, then.names[0]), scaling, settings)


def _whole(shift: Shift, scaling: tuple[Scaling, ...], settings: PromotionSettings) -> Shift:
    bakes = [move for move in shift.moves if isinstance(move, Bake)]
    short = too_short(settings.rules, bakes, settings.lag, settings.patience)
    shift = _scaled(shift, scaling)
    shift = replace(shift, notes=(*shift.notes, *short))
    return replace(shift, moves=with_hooks(shift.moves, settings.moments))


def _scaled(shift: Shift, scaling: tuple[Scaling, ...]) -> Shift:
    """With what scales the endpoint among its moves."""
    if not scaling:
        return shift
    end = after_all(shift.old, shift.moves)
    notes = [
        f"{item.variant} is scaled by {item.dimension}, which what comes has not: that is lost"
        for item in lost(scaling, end)
    ]
    stepped = [policy for item in scaling for policy in item.policies if policy.get("PolicyType") == "StepScaling"]
    if stepped and set(end.names) != set(shift.old.names):
        names = ", ".join(str(policy["PolicyName"]) for policy in stepped)
        notes.append(
            f"alarms that set off {names} have to be given a new ARN: a policy that steps is made anew for "
            f"{end.names[0]}"
        )
    return replace(shift, moves=with_scaling(shift.moves, shift.old, scaling), scaling=scaling, notes=tuple(notes))


def _kept_name(serving: Serving | None) -> str:
    return serving.names[0] if serving is not None and len(serving.names) == 1 else VARIANT


def _serves(serving: Serving | None, wanted: Wanted) -> bool:
    if serving is None or len(serving.variants) != 1:
        return False
    (variant,) = serving.variants
    target = wanted.target
    return (
        variant.request.get("ModelName") == wanted.model
        and target.instance in (None, variant.request.get("InstanceType"))
        and target.count in (None, variant.count)
    )


def coming_variant(wanted: Wanted, serving: Serving | None, name: str = VARIANT) -> Variant:
    """The new version with the settings of what serves, as far as nothing else is asked for."""
    live = serving.variants[0] if serving is not None else None
    kept = {key: value for key, value in live.request.items() if key not in _OF_A_MODEL} if live is not None else {}
    asked = wanted.target
    if "ServerlessConfig" in kept and asked.instance is None and asked.count is None:
        return Variant(name, {**kept, "ModelName": wanted.model}, 1.0, None)
    kept.pop("ServerlessConfig", None)
    counts = [variant.count for variant in serving.variants if variant.count] if serving is not None else []
    request = {**kept, "ModelName": wanted.model}
    if not kept.get("InstancePools") or asked.instance is not None:
        kept_type = live.request.get("InstanceType") if live is not None else None
        usable = kept_type if not wanted.offered or kept_type in wanted.offered else None
        request.pop("InstancePools", None)
        request["InstanceType"] = asked.instance or usable or (wanted.offered[0] if wanted.offered else "ml.m5.large")
    return Variant(name, request, 1.0, asked.count or sum(counts) or 1)


def _config(wanted: Wanted, variant: Variant, kept: Mapping[str, Any]) -> CreateEndpointConfig:
    request = {**kept, **wanted.members, "ProductionVariants": [variant.as_request()]}
    return CreateEndpointConfig(config_name(wanted.prefix, request), request)


def _proof(
    seen: Seen, wanted: Wanted, config: str, otherwise: TakeBack | None, *, unchanged: bool = False
) -> Iterator[Action]:
    yield Wait(wanted.endpoint, config)
    yield SmokeTest(wanted.endpoint, seen.samples, otherwise, unchanged)


def _network(environment: Environment) -> dict[str, Any]:
    if not environment.subnets:
        return {}
    return {"VpcConfig": {"SecurityGroupIds": environment.security_groups, "Subnets": environment.subnets}}


def model_name(version: Version, request: Mapping[str, Any]) -> str:
    """``<group>-<version>-<hash of the request>``, at most 63 characters, the group cut where it is too long."""
    digest = hashlib.sha256(json.dumps([version.arn, request], sort_keys=True).encode()).hexdigest()[:10]
    tail = f"-{version.number}-{digest}"
    return version.group[: NAME_LENGTH - len(tail)].rstrip("-") + tail
