"""Which steps an execution may still reach."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from mlops.deploy.executions.following import ExecutionState
from mlops.ir import Definition
from mlops.ir.dataclass import dataclass

_OUTCOMES = {"IfSteps": "True", "ElseSteps": "False"}
"""What a Condition's Metadata say where the steps of that member run."""


@dataclass(frozen=True, slots=True)
class Awaited:
    """``branches`` are the conditions around it, each with the outcome under which it runs."""

    name: str
    branches: tuple[tuple[str, str], ...] = ()


def awaited(definition: Definition, selected: Collection[str] = ()) -> tuple[Awaited, ...]:
    """All of the definition, or those that are ``selected``; not what a loop repeats, whose names are others."""
    return tuple(
        Awaited(placed.step.name, tuple((around, _OUTCOMES[member]) for around, member in placed.branches))
        for placed in definition.placed()
        if all(member in _OUTCOMES for _, member in placed.branches) and (not selected or placed.step.name in selected)
    )


def waiting(steps: Sequence[Awaited], state: ExecutionState) -> tuple[str, ...]:
    """Those that have not begun, and that no condition has passed over."""
    begun = {step.name for step in state.steps}
    outcomes = {step.name: step.metadata.get("Condition", {}).get("Outcome") for step in state.steps}
    return tuple(
        step.name
        for step in steps
        if step.name not in begun and all(outcomes.get(around) in (None, wanted) for around, wanted in step.branches)
    )
