"""What later steps read of each, which travels in the machine's data."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.emit.states.jsonata import kept
from mlops.ir import Definition, Ref
from mlops.ir.members import get
from mlops.ir.values import RefPath, refs


def retained(definition: Definition) -> Mapping[str, frozenset[str]]:
    """By step the members of its result that somebody reads."""
    found: dict[str, set[str]] = {}
    for placed in definition.placed():
        for _, ref in refs({"a": placed.step.arguments, "m": placed.step.members}):
            if ref.path is not None and ref.path.root in ("Steps", "IterationOutput"):
                _retain(found, definition, ref.path)
    return {step: frozenset(members) for step, members in found.items()}


def _retain(found: dict[str, set[str]], definition: Definition, read: RefPath) -> None:
    member = kept(read)
    found.setdefault(read.name, set()).update({member} if member is not None else ())
    if member == "Selected":
        step = definition.step(read.name)
        selector = get(step.arguments, "Selector", "Field") if step is not None else None
        of = selector.path if isinstance(selector, Ref) else None
        behind = read.segments[1] if len(read.segments) > 1 else None
        if of is not None and isinstance(behind, str):
            found.setdefault(of.name, set()).add(behind)
    if member == "IterationOutputs" and len(read.segments) > 3:
        of_body, behind = read.segments[2], read.segments[3]
        if isinstance(of_body, str) and isinstance(behind, str):
            found.setdefault(of_body, set()).add(behind)
