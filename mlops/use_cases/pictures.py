"""An execution as pictures: its graph with the state of each step, and what ran when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache

from mlops.check import check
from mlops.deploy.executions.details import definition_text
from mlops.deploy.executions.following import ExecutionState, StepState
from mlops.emit.plots import gantt
from mlops.emit.targets.diagram import emit
from mlops.ir import AccountError, Checked
from mlops.ir.reader import read
from mlops.use_cases.connecting import Connected


def word(step: StepState) -> str:
    """Its status, as pictures tell it."""
    return "cached" if step.cached else step.status


def graph(connected: Connected, state: ExecutionState, *, whole: bool = False) -> str:
    """Of more than a hundred steps those that belong together are one box, unless ``whole``."""
    checked = checked_definition(definition_text(connected.account, state.arn), state.pipeline)
    return emit(checked, {step.name: word(step) for step in state.steps}, whole=whole)


@lru_cache(maxsize=32)
def checked_definition(text: str, name: str) -> Checked:
    """Once for all looks at the executions of a version. ``name`` stands in no definition. Raises
    AccountError where it cannot be read."""
    definition, findings = read(text)
    if definition is None:
        raise AccountError(f"the definition of the execution cannot be read: {findings[0].message}")
    return check(replace(definition, name=name))


def bars(state: ExecutionState) -> str | None:
    """When each step ran; None where none has begun."""
    rows = [
        gantt.Ran(
            step.name,
            step.started.timestamp(),
            step.ended.timestamp() if step.ended is not None else None,
            word(step),
        )
        for step in state.steps
        if step.started is not None
    ]
    if not rows:
        return None
    return gantt.drawn(f"When the steps of {state.pipeline} ran", rows, datetime.now(UTC).timestamp())
