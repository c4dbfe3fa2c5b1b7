"""A course by weights, as moves: both versions in, the shifts, the old one out; and the way back from anywhere.

The share of capacity is never below the share of traffic: instances come before their traffic, and go after it. What
serves keeps the counts that it has, not those that its configuration was made with.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from mlops.deploy.shifting.scaled_moves import in_the_way, restored
from mlops.ir.shift import (
    Bake,
    Course,
    MakeConfig,
    Move,
    PointTo,
    Probe,
    RemoveScaling,
    Scale,
    Scaling,
    Serving,
    Variant,
    Weigh,
    after,
)

NAMES = ("blue", "green")
NAME_LENGTH = 63


def other_name(serving: Serving, names: Sequence[str] = NAMES) -> str:
    """The first of the declared names that does not serve."""
    return next(name for name in (*names, *NAMES, "third") if name not in serving.names)


def by_weights(
    course: Course, old: Serving, new: Variant, members: Mapping[str, Any], *, count: int | None, prefix: str
) -> tuple[Move, ...]:
    """``members`` are the new configuration's beside its variants, ``prefix`` begins the names of what is made, and
    ``count`` is how many instances the new version has in the end."""
    return tuple(_moves(course, old, new, members, count, prefix))


def _moves(
    course: Course, old: Serving, new: Variant, members: Mapping[str, Any], count: int | None, prefix: str
) -> Iterator[Move]:
    first = course.stages[0].share
    coming = replace(new, weight=0.0, count=needed(first, count))
    together = (*old.variants, coming)
    both_request = {**members, "ProductionVariants": [variant.as_request() for variant in together]}
    both = config_name(prefix, both_request)
    yield MakeConfig(both, both_request)
    yield PointTo(Serving(both, together))
    yield Probe(new.name)
    has, counts = coming.count, {variant.name: variant.count for variant in old.variants}
    for number, stage in enumerate(course.stages, 1):
        wanted = needed(stage.share, count)
        if wanted is not None and wanted != has:
            yield Scale(new.name, wanted)
            has = wanted
        yield Weigh(_weights(old, new.name, stage.share), stage.share)
        if stage.bake:
            yield Bake(number, stage.share, stage.bake, stage.until_decided)
        if course.releases and stage.share < 100:
            for variant in old.variants:
                left = needed(100 - stage.share, variant.count)
                if left is not None and left != counts[variant.name]:
                    yield Scale(variant.name, left)
                    counts[variant.name] = left
    alone = replace(new, weight=1.0, count=count)
    request = {**members, "ProductionVariants": [alone.as_request()]}
    last = config_name(prefix, request)
    yield MakeConfig(last, request)
    # Kept are the properties that it has by now: all traffic, and an autoscaled count.
    yield PointTo(Serving(last, (alone,)))


def by_guardrails(
    new: Variant, members: Mapping[str, Any], deployment: Mapping[str, Any], *, prefix: str, retain: bool = True
) -> tuple[Move, ...]:
    """The service goes along the course; ``new`` has the name of the one variant that serves. With ``retain`` it keeps
    the count that serves, and else has its own."""
    request = {**members, "ProductionVariants": [new.as_request()]}
    config = config_name(prefix, request)
    to = PointTo(Serving(config, (new,)), retain=retain, deployment=deployment)
    return MakeConfig(config, request), to, Probe(None)


def both_of(moves: Sequence[Move], old: Serving) -> Serving | None:
    """What serves old and new beside each other, where a shift has that."""
    for move in moves:
        if isinstance(move, PointTo) and set(old.names) < set(move.serving.names):
            return move.serving
    return None


def at_once(new: Serving, request: Mapping[str, Any], *, retain: bool = True, probe: bool = True) -> tuple[Move, ...]:
    """``request`` makes the configuration."""
    asked = (Probe(None),) if probe else ()
    return MakeConfig(new.config, request), PointTo(new, retain=retain), *asked


def way_back(
    now: Serving,
    old: Serving,
    *,
    both: Serving | None = None,
    live: Sequence[Scaling] = (),
    scalings: Sequence[Scaling] = (),
) -> tuple[Move, ...]:
    """From any state in the middle of a shift to ``old``: capacity first, then traffic, then the new version out.
    ``both`` serves old and new; ``live`` is what scales the endpoint by now, ``scalings`` what did before."""
    return tuple(_way_back(now, old, both, live, scalings))


def _way_back(
    now: Serving, old: Serving, both: Serving | None, live: Sequence[Scaling], scalings: Sequence[Scaling]
) -> Iterator[Move]:
    if both is not None and set(now.names) <= set(both.names) and not set(old.names) <= set(now.names):
        # Straight back it would serve with the counts that its configuration was made with.
        yield PointTo(both)
        now = after(now, PointTo(both))
    present = {variant.name: variant for variant in now.variants}
    if all(variant.name in present for variant in old.variants):
        for variant in old.variants:
            if variant.count is not None and (present[variant.name].count or 0) < variant.count:
                yield Scale(variant.name, variant.count)
        weights = {variant.name: 0.0 for variant in now.variants}
        weights |= {variant.name: variant.weight for variant in old.variants}
        if any(present[name].weight != weight for name, weight in weights.items()):
            yield Weigh(weights, 0.0)
    left = list(live)
    if now.config != old.config:
        for item in in_the_way(live, now, old):
            yield RemoveScaling(item.variant, item.dimension)
            left.remove(item)
        yield PointTo(old)
    yield from restored(scalings, left)


def _weights(old: Serving, new: str, share: float) -> dict[str, float]:
    """In percent; among each other the old ones stay as they were."""
    total = sum(Fraction(variant.weight) for variant in old.variants)
    left = 100 - Fraction(share)
    found = {variant.name: float(left * Fraction(variant.weight) / total) for variant in old.variants}
    return {**found, new: share}


def needed(share: float, count: int | None) -> int | None:
    """At least one instance: a variant in service has one."""
    return None if count is None else max(1, math.ceil(Fraction(share) * count / 100))


def config_name(prefix: str, request: Mapping[str, Any]) -> str:
    """``<prefix>-<hash of the request>``, the prefix cut where it is too long."""
    digest = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()[:10]
    return f"{prefix[: NAME_LENGTH - 11].rstrip('-')}-{digest}"
