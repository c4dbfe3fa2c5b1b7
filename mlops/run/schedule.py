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
    checked: Checked,
    placed: Mapping[str, Placed],
    states: Mapping[str, State],
    taken: Mapping[str, bool],
    *,
    loop: str | None = None,
) -> Iterator[str]:
    """``placed`` has the definition's steps by name, ``states`` those that were started, ``taken`` the outcome of each
    Condition that ended. A step of the losing branch, or behind such a step, is never ready; neither is one behind a
    failed step, unless it waits for just that.

    What a loop (ForEach) holds runs once for each item and has a state for each: with ``loop`` these are the steps in
    question, ``states`` and ``taken`` are those of one item, and what lies outside had ended before the loop began.
    Without it no step inside of any loop is ready."""
    return (
        name
        for name in checked.order
        if name not in states
        and _is_reached(placed[name], taken, loop)
        and _let_through(checked, placed, placed[name], states, loop)
    )


def refusal(definition: Definition) -> str | None:
    """Why no execution of it can begin here; None where one can."""
    loops = dict.fromkeys(container for item in definition.placed() for container in _loops(item))
    if not loops:
        return None
    names, verb = ", ".join(loops), "runs" if len(loops) == 1 else "run"
    return f"{names} {verb} steps once for each item (ForEach), which this machine cannot do yet; nothing was started"


def handled(checked: Checked, failed: str, states: Mapping[str, State]) -> bool:
    """A step that waits for ``failed`` to fail was started."""
    return any(
        item.step.name in states and "Failed" in _triggers(item.step).get(failed, _SUCCEEDED)
        for item in checked.definition.placed()
    )


def _loops(item: Placed) -> list[str]:
    """The containers around a step that are no Condition, the innermost last."""
    return [container for container, member in item.branches if member not in _BRANCHES]


def _is_reached(item: Placed, taken: Mapping[str, bool], loop: str | None) -> bool:
    loops = _loops(item)
    if (loops[-1] if loops else None) != loop:
        return False
    # Branches around the loop were taken when it began.
    around = [container for container, _ in item.branches]
    inside = item.branches[around.index(loop) + 1 :] if loop is not None else item.branches
    return all(taken.get(container) is _BRANCHES[member] for container, member in inside)


def _let_through(
    checked: Checked, placed: Mapping[str, Placed], item: Placed, states: Mapping[str, State], loop: str | None
) -> bool:
    edges = [name for name in checked.edges.get(item.step.name, ()) if loop is None or loop in _loops(placed[name])]
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
