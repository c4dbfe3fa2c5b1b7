"""Which steps may start, given how the others stand. Pure; the order is the checker's, so it never depends on luck."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

from mlops.ir import Checked, Placed, Step

State: TypeAlias = Literal["Running", "Succeeded", "Failed", "Stopped"]

_ACCEPTED: Mapping[str, frozenset[str]] = {
    "Failed": frozenset({"Failed"}),
    "Stopped": frozenset({"Stopped"}),
    "Any": frozenset({"Succeeded", "Failed", "Stopped"}),
}
_SUCCEEDED = frozenset({"Succeeded"})


def ready(
    checked: Checked, placed: Mapping[str, Placed], states: Mapping[str, State], taken: Mapping[str, bool]
) -> Iterator[str]:
    """``placed`` has the definition's steps by name, ``states`` those that were started, ``taken`` the outcome of each
    Condition that ended. A step of the losing branch, or behind such a step, is never ready; neither is one behind a
    failed step, unless it waits for just that."""
    return (
        name
        for name in checked.order
        if name not in states and _in_taken_branch(placed[name], taken) and _let_through(checked, placed[name], states)
    )


def handled(checked: Checked, failed: str, states: Mapping[str, State]) -> bool:
    """A step that waits for ``failed`` to fail was started."""
    return any(
        item.step.name in states and "Failed" in _triggers(item.step).get(failed, _SUCCEEDED)
        for item in checked.definition.placed()
    )


def _in_taken_branch(item: Placed, taken: Mapping[str, bool]) -> bool:
    for container, member in item.branches:
        wanted = {"IfSteps": True, "ElseSteps": False}.get(member)
        # Steps inside any other container (ForEachBody) are that container's to start.
        if wanted is None or taken.get(container) is not wanted:
            return False
    return True


def _let_through(checked: Checked, item: Placed, states: Mapping[str, State]) -> bool:
    edges = checked.edges.get(item.step.name, ())
    if any(before not in states for before in edges):
        return False
    triggers = _triggers(item.step)
    return all(states[before] in triggers.get(before, _SUCCEEDED) for before in edges)


def _triggers(step: Step) -> dict[str, frozenset[str]]:
    listed = step.members.get("DependsOn")
    return {
        str(entry.get("Step")): _ACCEPTED.get(str(entry.get("Trigger")), _SUCCEEDED)
        for entry in (listed if isinstance(listed, tuple) else ())
        if isinstance(entry, Mapping)
    }
