"""Which steps may start, given how the others stand. Pure; the order is the checker's, so it never depends on luck."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

from mlops.ir import Checked, Definition, Placed, Step

State: TypeAlias = Literal["Running", "Succeeded", "Failed", "Stopped"]

_ACCEPTED: Mapping[str, frozenset[str]] = {
    "Failed": frozenset({"Failed"}),
    "Stopped": frozenset({"Stopped"}),
    "Any": frozenset({"Succeeded", "Failed", "Stopped"}),
}
_BRANCHES: Mapping[str, bool] = {"IfSteps": True, "ElseSteps": False}
_SUCCEEDED = frozenset({"Succeeded"})


def ready(
    checked: Checked, placed: Mapping[str, Placed], states: Mapping[str, State], taken: Mapping[str, bool]
) -> Iterator[str]:
    """``placed`` has the definition's steps by name, ``states`` those that were started, ``taken`` the outcome of each
    Condition that ended. A step of the losing branch, or behind such a step, is never ready; neither is one behind a
    failed step, unless it waits for just that. What a loop (ForEach) holds is never ready itself: its iterations are
    steps of their own (:mod:`mlops.run.loop`)."""
    return (
        name
        for name in checked.order
        if name not in states and _is_reached(placed[name], taken) and _let_through(checked, placed[name], states)
    )


def refusal(definition: Definition) -> str | None:
    """Why no execution of it can begin here; None where one can."""
    nested = [
        item.step.name
        for item in definition.placed()
        if item.step.blocks and any(member not in _BRANCHES for _, member in item.branches)
    ]
    if not nested:
        return None
    return f"{', '.join(dict.fromkeys(nested))}: steps that hold others cannot stand in a ForEach; nothing was started"


def let_through(step: Step, before: str, states: Mapping[str, State]) -> bool:
    """``before`` has ended as the step wants it."""
    return states.get(before) in _triggers(step).get(before, _SUCCEEDED)


def handled(checked: Checked, failed: str, states: Mapping[str, State]) -> bool:
    """A step that waits for ``failed`` to fail was started."""
    return any(
        item.step.name in states and "Failed" in _triggers(item.step).get(failed, _SUCCEEDED)
        for item in checked.definition.placed()
    )


def _is_reached(item: Placed, taken: Mapping[str, bool]) -> bool:
    return all(member in _BRANCHES and taken.get(container) is _BRANCHES[member] for container, member in item.branches)


def _let_through(checked: Checked, item: Placed, states: Mapping[str, State]) -> bool:
    return all(let_through(item.step, before, states) for before in checked.edges.get(item.step.name, ()))


def _triggers(step: Step) -> dict[str, frozenset[str]]:
    listed = step.members.get("DependsOn")
    return {
        str(entry.get("Step")): _ACCEPTED.get(str(entry.get("Trigger")), _SUCCEEDED)
        for entry in (listed if isinstance(listed, tuple) else ())
        if isinstance(entry, Mapping)
    }
