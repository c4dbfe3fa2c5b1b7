"""``max_instances`` of an environment: no job and no variant of an endpoint has more machines there, whatever the
author gave. Only defaults of a parameter are lowered, since a run may be started with any value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from mlops.ir import Block, Parameter, Ref, Step, Value

COUNTS = ("InstanceCount", "InitialInstanceCount")


def capped_steps(steps: tuple[Step, ...], cap: int | None) -> tuple[Step, ...]:
    if cap is None:
        return steps
    return tuple(
        replace(
            step,
            arguments=_capped(step.arguments, cap),
            blocks=tuple(Block(block.member, capped_steps(block.steps, cap)) for block in step.blocks),
        )
        for step in steps
    )


def capped_parameters(
    parameters: tuple[Parameter, ...], steps: tuple[Step, ...], cap: int | None, given: Mapping[str, object]
) -> tuple[Parameter, ...]:
    """Those that count machines; what the environment itself gives (``given``) is its own matter."""
    if cap is None:
        return parameters
    counting = {name for step in steps for name in _counting(step)} - given.keys()
    return tuple(
        replace(parameter, members={**parameter.members, "DefaultValue": cap})
        if parameter.name in counting and _exceeds(parameter.default, cap) and "EnumValues" not in parameter.members
        else parameter
        for parameter in parameters
    )


def _capped(value: Value, cap: int) -> Value:
    if isinstance(value, Mapping):
        return {
            key: cap if key in COUNTS and _exceeds(item, cap) else _capped(item, cap) for key, item in value.items()
        }
    return tuple(_capped(item, cap) for item in value) if isinstance(value, tuple) else value


def _exceeds(value: object, cap: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > cap


def _counting(step: Step) -> Iterator[str]:
    """Names of parameters that are a count of machines."""
    waiting: list[Value] = [step.arguments]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            for key, item in value.items():
                if key in COUNTS and isinstance(item, Ref) and item.expression.startswith("Parameters."):
                    yield item.expression.removeprefix("Parameters.")
                waiting.append(item)
        elif isinstance(value, tuple):
            waiting.extend(value)
    for block in step.blocks:
        for inner in block.steps:
            yield from _counting(inner)
