"""One execution and one step of it, with what people ask of them first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from mlops.deploy.executions.details import jobs_of
from mlops.deploy.executions.files import File, Placed, places, readable
from mlops.deploy.executions.following import ExecutionState, StepState, find
from mlops.deploy.executions.outputs import outputs
from mlops.deploy.executions.recording import as_run
from mlops.emit.plots.scales import said_number
from mlops.ir import UsageError
from mlops.ir.choices import instead
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide, hide_text
from mlops.use_cases.connecting import Connected
from mlops.use_cases.executions import Found
from mlops.use_cases.pictures import word


@dataclass(frozen=True, slots=True)
class Outcome:
    """``counts`` says how many steps are in which state. ``metrics`` are the last values, written."""

    counts: str
    parameters: Mapping[str, Any]
    metrics: tuple[tuple[str, str], ...]
    outputs: Mapping[str, Mapping[str, Any]]
    ended: datetime | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Lies:
    """An input or output, and what lies there: None where that may not be listed."""

    place: Placed
    files: tuple[File, ...] | None
    all_files: bool


@dataclass(frozen=True, slots=True)
class StepLooked:
    """``job`` is what Describe tells of the job behind it, without secrets; ``reasons`` say why it ran, or whose result
    serves."""

    state: ExecutionState
    step: StepState
    job: Mapping[str, Any] | None
    lies: tuple[Lies, ...]
    reasons: tuple[str, ...]


def execution(connected: Connected, id: str) -> Found:
    """By its id, the beginning of it, or ``last``."""
    return Found(connected, find(connected.account, id))


def outcome(connected: Connected, state: ExecutionState) -> Outcome:
    run = as_run(connected.account, state)
    counts: dict[str, int] = {}
    for step in state.steps:
        counts[word(step)] = counts.get(word(step), 0) + 1
    ended = run.ended if state.ended else None
    return Outcome(
        counts=", ".join(f"{count} {told}" for told, count in sorted(counts.items())),
        parameters=run.parameters,
        metrics=tuple(
            (f"{step.name}: {name}", said_number(value)) for step in run.steps for name, value in step.metrics.items()
        ),
        outputs=hide(outputs(connected.account, state)),
        ended=ended,
        seconds=(ended - state.created).total_seconds() if ended and state.created else None,
    )


def step_of(state: ExecutionState, name: str) -> StepState:
    """Raises UsageError for one that it has not, or that has not begun."""
    found = next((step for step in state.steps if step.name == name), None)
    if found is None:
        known = [step.name for step in state.steps]
        raise UsageError(f"no step {name!r} of execution {state.id} has begun{instead(name, known, 'begun have')}")
    return found


def step_looked(connected: Connected, state: ExecutionState, step: StepState) -> StepLooked:
    job = jobs_of(connected.account, state_with(state, step)).get(step.name)
    lies = []
    for place in places(connected.account, state, step):
        files = readable(connected.account, place)
        lies.append(Lies(place, None if files is None else files[0], files is not None and files[1]))
    shown = {key: value for key, value in job.items() if key != "ResponseMetadata"} if job is not None else None
    return StepLooked(state, step, hide(shown), tuple(lies), _reasons(connected, state, step))


def state_with(state: ExecutionState, step: StepState) -> ExecutionState:
    """With that step alone."""
    return replace(state, steps=(step,))


def place_of(connected: Connected, state: ExecutionState, step: StepState, direction: str, name: str) -> Placed:
    """Raises UsageError where the step has none of that name."""
    known = [place for place in places(connected.account, state, step) if place.direction == direction]
    found = next((place for place in known if place.name == name), None)
    if found is None:
        raise UsageError(f"{step.name} has no {direction} {name!r}{instead(name, [item.name for item in known])}")
    return found


def _reasons(connected: Connected, state: ExecutionState, step: StepState) -> tuple[str, ...]:
    """The local account knows why; of others it is told only whose result served."""
    if step.cached:
        return (f"the result of execution {step.cached.rpartition('/')[2]} served",)
    here = connected.account.here
    if here is None:
        return ()
    try:
        return tuple(map(hide_text, here.explain_cache(state.id, step.name).reasons))
    except UsageError:
        return ()
