"""A Map, inline, over a list that is there or that a text has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlops.emit.states.failures import caught
from mlops.emit.states.jsonata import (
    DATA,
    Unspelled,
    braces,
    expression,
    literal,
    merged,
    name,
    obj,
    path,
    spelled,
)
from mlops.emit.states.scopes import Scope, in_order
from mlops.emit.states.step_states import StepStates
from mlops.emit.states.work import Work
from mlops.ir import Ref
from mlops.ir.members import get

_BODY = "ForEachBody"
_MOST_BESIDE = 40
"""Iterations of an inline Map (guide: state-map-inline)."""


def _write(work: Work) -> str:
    step, scope, shared = work.step, work.scope, work.shared
    inside = (*shared.placed[step.name].branches, (step.name, _BODY))
    inner = Scope({}, shared.graph.fresh(f"End of {step.name}"), inner=True, looped=True)
    first = shared.graph.block(inside, inner.end, inner)
    inner.states[inner.end] = {"Type": "Succeed"}
    body = [name for name, other in shared.placed.items() if other.branches == inside]
    most = get(step.arguments, "MaxConcurrency")
    if isinstance(most, int) and most > _MOST_BESIDE:
        shared.notes.append(f"of {step.name} at most {_MOST_BESIDE} iterations run beside each other, not {most}")
    work.put(
        step.name,
        {
            "Type": "Map",
            **work.comment(),
            "Items": _items(work),
            "MaxConcurrency": most if isinstance(most, int) and most > 0 else 1,
            "ItemSelector": {
                **{member: braces(f"{DATA}.{member}") for member in ("Parameters", "Execution", "Steps", "Files")},
                "Loop": {
                    "Item": braces("$states.context.Map.Item.Value"),
                    "Index": braces("$states.context.Map.Item.Index"),
                },
            },
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "INLINE"},
                "StartAt": first,
                "States": in_order(first, inner.states),
            },
            "Output": _looped(work, body),
            **caught(step.name, scope),
            "Next": shared.graph.all_well(step.name, work.then, scope),
        },
    )
    return work.first


def _items(work: Work) -> Any:
    listed, words = get(work.step.arguments, "IterableItems"), work.words()
    if isinstance(listed, tuple):
        return [spelled(item, words) for item in listed]
    found = expression(listed, words)
    return braces(f"$type({found}) = 'string' ? $parse({found}) : {found}")


def _looped(work: Work, body: Sequence[str]) -> str:
    """The data behind a loop."""
    wanted = work.wanted
    count = "$count($states.result)"
    told = {
        "Status": "'Succeeded'",
        "InputItemCount": count,
        "TotalStepCount": f"{len(body)} * {count}",
        "SucceededStepCount": f"{len(body)} * {count}",
        "FailedStepCount": "0",
        "StoppedStepCount": "0",
        "IterationOutputs": "[$states.result.Steps.{" + ", ".join(f"{literal(i)}: {name(i)}" for i in body) + "}]",
    }
    found = {member: told[member] for member in told if member in wanted}
    if "Selected" in wanted:
        found["Selected"] = _selected(work, body)
    gathered = {
        "Steps": f"$merge([{DATA}.Steps, {obj({work.step.name: obj(found)})}])",
        "Failed": "$merge($states.result.Failed)",
    }
    return braces(merged(obj(gathered)))


def _selected(work: Work, body: Sequence[str]) -> str:
    written = get(work.step.arguments, "Selector")
    read = get(written, "Field")
    found = read.path if isinstance(read, Ref) else None
    if found is None or found.root != "IterationOutput" or found.name not in body:
        raise Unspelled("its Selector reads no step of its body")
    value = path("$", found.segments, work.words().keyed(found.name))[2:]
    order = "<" if get(written, "Pick") == "MinBy" else ">"
    return f"($states.result.Steps.{name(found.name)}^({order}{value}))[0]"


STATES = StepStates("ForEach", _write)
