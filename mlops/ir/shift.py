"""How an endpoint's traffic goes from one version of a model to another, as records: deploy does it, emit writes it as
a state machine, check judges it.

A :class:`Course` is what a strategy makes of its settings; moves are what an engine makes of a course and of what
serves. Each move ends when the endpoint is in service again; each may be done twice, since it names what is to be so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from mlops.ir.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Stage:
    """``share`` percent of the traffic goes to the new version, which is looked at for ``bake`` seconds, or, with
    ``until_decided``, for less: it ends when the verdict is green."""

    share: float
    bake: float = 0.0
    until_decided: bool = False


@dataclass(frozen=True, slots=True)
class Course:
    """Its stages rise, and the last has all traffic. ``releases``: instances of the old version are given back as the
    share of the new one grows, not at the end."""

    stages: tuple[Stage, ...]
    releases: bool = False


def equal_stages(step: float, bake: float, after: float, name: str) -> tuple[Stage, ...]:
    """Stages of ``step`` percent each, the last with what is left; ``after`` is the last one's bake. Raises ValueError,
    which calls the step by its ``name``.

    >>> [stage.share for stage in equal_stages(30, 60, 0, "step")]
    [30.0, 60.0, 90.0, 100.0]
    """
    if not 1 <= step <= 100:
        raise ValueError(f"{name} = {step:g}: give 1 to 100 percent")
    shares = [number * step for number in range(1, math.ceil(100 / step)) if number * step < 100]
    return (*(Stage(float(share), bake) for share in shares), Stage(100.0, after))


@dataclass(frozen=True, slots=True)
class Variant:
    """A production variant. ``request`` is its member of an endpoint configuration, whatever count and weight it names;
    ``count`` of instances is None for a serverless one."""

    name: str
    request: Mapping[str, Any]
    weight: float
    count: int | None

    def as_request(self) -> dict[str, Any]:
        """The member with the count and the weight that it has now."""
        counted = {} if self.count is None else {"InitialInstanceCount": max(self.count, 1)}
        return {**self.request, "VariantName": self.name, "InitialVariantWeight": self.weight, **counted}


@dataclass(frozen=True, slots=True)
class Serving:
    """What an endpoint serves by now."""

    config: str
    variants: tuple[Variant, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(variant.name for variant in self.variants)

    def share(self, name: str) -> float:
        """Of the traffic, in percent."""
        total = sum(variant.weight for variant in self.variants)
        mine = sum(variant.weight for variant in self.variants if variant.name == name)
        return 100 * mine / total if total else 0.0


@dataclass(frozen=True, slots=True)
class MakeConfig:
    """CreateEndpointConfig."""

    config: str
    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PointTo:
    """UpdateEndpoint: ``deployment`` is its DeploymentConfig, ``retain`` keeps the counts and weights that variants of
    the same name have. ``serving`` is what the endpoint serves by then."""

    serving: Serving
    retain: bool = True
    deployment: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Scale:
    """UpdateEndpointWeightsAndCapacities, of one variant's instances: the service takes one in a call."""

    variant: str
    count: int


@dataclass(frozen=True, slots=True)
class Weigh:
    """UpdateEndpointWeightsAndCapacities, of all variants' weights. ``share`` percent of the traffic goes to the new
    version by them."""

    weights: Mapping[str, float]
    share: float


@dataclass(frozen=True, slots=True)
class Bake:
    """Look at the new version for ``seconds`` while it has ``share`` percent, or only ``until_decided``; ``stage``
    counts from 1."""

    stage: int
    share: float
    seconds: float
    until_decided: bool = False


@dataclass(frozen=True, slots=True)
class Mirror:
    """Look for ``seconds`` at what a shadow variant answers beside what serves; it is shown ``share`` percent of the
    requests."""

    share: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Probe:
    """Ask a variant the version's sample requests, whatever its share; None asks the endpoint."""

    variant: str | None


@dataclass(frozen=True, slots=True)
class Scaling:
    """How a variant's count is scaled: the bounds of its target, what of it is suspended, and what PutScalingPolicy and
    PutScheduledAction were given beside the target."""

    variant: str
    dimension: str
    minimum: int
    maximum: int
    suspended: Mapping[str, bool]
    policies: tuple[Mapping[str, Any], ...] = ()
    scheduled: tuple[Mapping[str, Any], ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        return self.variant, self.dimension


@dataclass(frozen=True, slots=True)
class SuspendScaling:
    """RegisterScalableTarget: nothing scales the variant while its traffic is shifted."""

    variant: str
    dimension: str


@dataclass(frozen=True, slots=True)
class RemoveScaling:
    """DeregisterScalableTarget: the service removes or retypes no variant that has one."""

    variant: str
    dimension: str


@dataclass(frozen=True, slots=True)
class RestoreScaling:
    """RegisterScalableTarget, PutScalingPolicy and PutScheduledAction, of what of it is not there."""

    scaling: Scaling


@dataclass(frozen=True, slots=True)
class CallHooks:
    """Those that are declared for ``moment``; ``stage`` counts from 1, ``share`` is its traffic in percent."""

    moment: str
    stage: int | None = None
    share: float | None = None


Move: TypeAlias = (
    MakeConfig
    | PointTo
    | Scale
    | Weigh
    | Bake
    | Mirror
    | Probe
    | SuspendScaling
    | RemoveScaling
    | RestoreScaling
    | CallHooks
)


def config_at_end(moves: Sequence[Move]) -> str:
    """That an endpoint serves when all of them have ended."""
    return next(move.serving.config for move in reversed(moves) if isinstance(move, PointTo))


def after_all(serving: Serving, moves: Sequence[Move]) -> Serving:
    """What serves when moves have ended one after the other."""
    for move in moves:
        serving = after(serving, move)
    return serving


def after(serving: Serving, move: Move) -> Serving:
    """What serves when a move has ended, as the service does it."""
    match move:
        case PointTo():
            kept = {variant.name: variant for variant in serving.variants} if move.retain else {}
            return Serving(
                move.serving.config,
                tuple(
                    Variant(item.name, item.request, kept[item.name].weight, kept[item.name].count)
                    if item.name in kept
                    else item
                    for item in move.serving.variants
                ),
            )
        case Scale():
            return Serving(
                serving.config,
                tuple(
                    Variant(item.name, item.request, item.weight, move.count) if item.name == move.variant else item
                    for item in serving.variants
                ),
            )
        case Weigh():
            return Serving(
                serving.config,
                tuple(
                    Variant(item.name, item.request, move.weights.get(item.name, item.weight), item.count)
                    for item in serving.variants
                ),
            )
        case _:
            return serving
