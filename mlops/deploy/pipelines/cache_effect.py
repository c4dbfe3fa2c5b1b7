"""What a change does to the cache: which steps' earlier results serve no more, and through which step.

A step's key are the members of its Arguments that its StepType names, with every reference resolved. So a step loses
its cache where such a member differs, and where it reads in such a member what a step that runs again makes anew: a
model's or an execution's own place. A DependsOn alone costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.deploy.pipelines.definition_diff import leaves, same_json, steps_of
from mlops.ir import Checked, StepType
from mlops.ir.dataclass import dataclass
from mlops.ir.members import get


@dataclass(frozen=True, slots=True)
class CacheLoss:
    """``because`` are members of the step, parameters, or steps above it."""

    step: str
    because: tuple[str, ...]


def losses(
    old: Mapping[str, Any], new: Mapping[str, Any], checked: Checked, *, always_on: bool
) -> tuple[CacheLoss, ...]:
    """Steps that are in both documents, in order. ``always_on``: the account caches steps without CacheConfig too, as
    the local one does. Nothing is said of steps whose results are not kept at all."""
    before, after = steps_of(old), steps_of(new)
    defaults = set(_changed_defaults(old, new))
    again: dict[str, tuple[str, ...]] = {}
    for name in checked.order:
        if name not in after or name not in before:
            if name in after:
                again[name] = ("it is new",)
            continue
        step_type = checked.step_types.get(str(after[name].get("Type")))
        if step_type is None:
            continue
        because = tuple(dict.fromkeys(_reasons(before[name], after[name], step_type, defaults, again, after)))
        if because:
            again[name] = because
        elif not step_type.cache_keys or not _is_cached(after[name], always_on=always_on):
            # It runs every time, and so what it makes is new every time, today as before the change.
            continue
    return tuple(
        CacheLoss(name, because)
        for name, because in again.items()
        if name in before and _is_cached(before[name], always_on=always_on) and _keys(after[name], checked)
    )


def _keys(step: Mapping[str, Any], checked: Checked) -> bool:
    step_type = checked.step_types.get(str(step.get("Type")))
    return step_type is not None and bool(step_type.cache_keys)


def _reasons(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    step_type: StepType,
    defaults: set[str],
    again: Mapping[str, tuple[str, ...]],
    steps: Mapping[str, Mapping[str, Any]],
) -> Iterator[str]:
    if old.get("Type") != new.get("Type"):
        yield "its type"
    # A step without a cache runs anew whatever its members; what matters then is what it makes, which any change may.
    keys = step_type.cache_keys or tuple(new.get("Arguments") or ())
    for key in keys:
        values = [get(side, "Arguments", *key.split(".")) for side in (old, new)]
        if not same_json(*values):
            yield key
        for place in _places(values[1]):
            root, _, rest = place.partition(".")
            name = rest.partition(".")[0].partition("[")[0]
            if root == "Parameters" and name in defaults:
                yield f"the default of {name}"
            if root == "Steps" and name in again and not _is_fixed(place, steps.get(name, {})):
                yield name


def _is_fixed(place: str, producer: Mapping[str, Any]) -> bool:
    """Whether a reference reads an output whose place is a plain text: it is the same in every execution."""
    marker = "ProcessingOutputConfig.Outputs["
    _, found, rest = place.partition(marker)
    if not found or not rest.endswith(".S3Output.S3Uri"):
        return False
    name = rest.partition("]")[0].strip("'\"")
    config = (producer.get("Arguments") or {}).get("ProcessingOutputConfig") or {}
    for output in config.get("Outputs") or ():
        if isinstance(output, dict) and output.get("OutputName") == name:
            return isinstance((output.get("S3Output") or {}).get("S3Uri"), str)
    return False


def _is_cached(step: Mapping[str, Any], *, always_on: bool) -> bool:
    config = step.get("CacheConfig")
    if isinstance(config, dict) and "Enabled" in config:
        return config["Enabled"] is True
    return always_on


def _changed_defaults(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    sides = [
        {item.get("Name"): item.get("DefaultValue") for item in side.get("Parameters") or () if isinstance(item, dict)}
        for side in (old, new)
    ]
    for name, value in sides[1].items():
        if name in sides[0] and not same_json(sides[0][name], value):
            yield str(name)


def _places(value: Any) -> Iterator[str]:
    """Every ``Get`` in a value, however deep in a Join."""
    for _, leaf in leaves(value):
        if isinstance(leaf, dict):
            yield from _gets(leaf)


def _gets(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            if isinstance(found.get("Get"), str):
                yield found["Get"]
            else:
                waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)
