"""What scales an endpoint, among the moves of a shift: suspended before, and given to the variant that serves at last.

A target hangs on a variant's name, and the service neither removes nor retypes a variant that has one. So it is taken
off just before, and put on what came: nothing was scaled in between anyway.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlops.ir.shift import (
    Move,
    PointTo,
    RemoveScaling,
    RestoreScaling,
    Scaling,
    Serving,
    SuspendScaling,
    Variant,
    after,
)

COUNT = "sagemaker:variant:DesiredInstanceCount"
CONCURRENCY = "sagemaker:variant:DesiredProvisionedConcurrency"


def with_scaling(moves: Sequence[Move], old: Serving, scalings: Sequence[Scaling]) -> tuple[Move, ...]:
    return tuple(_with_scaling(moves, old, scalings))


def _with_scaling(moves: Sequence[Move], old: Serving, scalings: Sequence[Scaling]) -> Iterator[Move]:
    for item in scalings:
        yield SuspendScaling(item.variant, item.dimension)
    now, held = old, list(scalings)
    for move in moves:
        if isinstance(move, PointTo):
            for item in in_the_way(held, now, move.serving):
                yield RemoveScaling(item.variant, item.dimension)
                held.remove(item)
        yield move
        now = after(now, move)
    for item in in_the_end(scalings, now):
        yield RestoreScaling(item)


def in_the_way(held: Sequence[Scaling], now: Serving, then: Serving) -> tuple[Scaling, ...]:
    """What has to be taken off before the endpoint goes from the one to the other."""
    types = {variant.name: _type(variant) for variant in then.variants}
    before = {variant.name: _type(variant) for variant in now.variants}
    return tuple(
        item for item in held if item.variant in before and (item.variant, before[item.variant]) not in types.items()
    )


def in_the_end(scalings: Sequence[Scaling], serving: Serving) -> tuple[Scaling, ...]:
    """What scales ``serving``, of what scaled what served before: a variant keeps its own; what was of others goes to
    the first that has none, with the sum of their bounds."""
    kept = [item for item in scalings if item.variant in serving.names]
    lost = [item for item in scalings if item.variant not in serving.names]
    for dimension in sorted({item.dimension for item in lost}):
        taken = {item.variant for item in kept if item.dimension == dimension}
        free = [item for item in serving.variants if item.name not in taken and _fits(item, dimension)]
        if free:
            kept.append(_merged([item for item in lost if item.dimension == dimension], free[0].name))
    return tuple(kept)


def lost(scalings: Sequence[Scaling], serving: Serving) -> tuple[Scaling, ...]:
    """What ``serving`` has no place for."""
    dimensions = {item.dimension for item in in_the_end(scalings, serving)}
    return tuple(item for item in scalings if item.dimension not in dimensions)


def restored(wanted: Sequence[Scaling], live: Sequence[Scaling]) -> tuple[RestoreScaling, ...]:
    """What is not as it should be. Bounds are left alone: somebody may have changed them."""
    there = {item.key: item for item in live}
    return tuple(RestoreScaling(item) for item in wanted if not _stands(item, there.get(item.key)))


def named(scaling: Scaling, variant: str) -> Scaling:
    """For another variant: also where a policy's own metric has the name among its dimensions.

    >>> metric = {"Dimensions": [{"Name": "VariantName", "Value": "blue"}]}
    >>> named(Scaling("blue", COUNT, 1, 4, {}, ({"How": metric},)), "green").policies
    ({'How': {'Dimensions': [{'Name': 'VariantName', 'Value': 'green'}]}},)
    """
    policies = tuple(_renamed(policy, scaling.variant, variant) for policy in scaling.policies)
    return replace(scaling, variant=variant, policies=policies)


def _merged(scalings: Sequence[Scaling], variant: str) -> Scaling:
    first = named(scalings[0], variant)
    policies = next((named(item, variant).policies for item in scalings if item.policies), ())
    return replace(
        first,
        minimum=sum(item.minimum for item in scalings),
        maximum=sum(item.maximum for item in scalings),
        policies=policies,
    )


def _renamed(value: Any, old: str, new: str) -> Any:
    if isinstance(value, Mapping):
        if value.get("Name") == "VariantName" and value.get("Value") == old:
            return {**value, "Value": new}
        return {key: _renamed(item, old, new) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_renamed(item, old, new) for item in value]
    return value


def _stands(wanted: Scaling, live: Scaling | None) -> bool:
    if live is None or dict(live.suspended) != dict(wanted.suspended):
        return False
    return _names(wanted) <= _names(live)


def _names(scaling: Scaling) -> set[str]:
    policies = {f"policy {item['PolicyName']}" for item in scaling.policies}
    return policies | {f"action {item['ScheduledActionName']}" for item in scaling.scheduled}


def _type(variant: Variant) -> object:
    return variant.request.get("InstanceType")


def _fits(variant: Variant, dimension: str) -> bool:
    serverless = variant.request.get("ServerlessConfig")
    return bool((serverless or {}).get("ProvisionedConcurrency")) if dimension == CONCURRENCY else not serverless
