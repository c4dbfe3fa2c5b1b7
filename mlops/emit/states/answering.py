"""The answer of somebody's code, as a step's OutputParameters of the types that are declared."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.emit.states.jsonata import braces, literal, name, obj, within
from mlops.emit.states.work import Work


def answered(work: Work, answer: str) -> str:
    """The data behind the step; ``answer`` is the JSONata of an object."""
    listed = work.step.members.get("OutputParameters")
    declared = [item for item in listed if isinstance(item, Mapping)] if isinstance(listed, tuple) else []
    if not declared:
        return work.recorded({})
    found, there = dict[str, str](), list[str]()
    for item in declared:
        label = str(item.get("OutputName"))
        value = f"{answer}.{name(label)}"
        there.append(f"$exists({value})")
        match item.get("OutputType") or "String":
            case "Integer" | "Float":
                found[label] = f"$number({value})"
            case "Boolean":
                found[label] = f"($type({value}) = 'boolean' ? {value} : $lowercase({value}) = 'true')"
            case _:
                found[label] = f"$string({value})"
    missing = literal(f"the answer to {work.step.name} lacks an output")
    outputs = obj({work.step.name: obj({"OutputParameters": obj(found)})})
    return braces(f"($assert({' and '.join(there)}, {missing}); {within('Steps', outputs)})")
