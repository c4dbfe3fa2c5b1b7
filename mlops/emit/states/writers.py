"""Who writes a step: the file of its type in ``steps/``, or the call that its type states."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from mlops.emit.states import steps
from mlops.emit.states.calling import call_of, write_call
from mlops.emit.states.reading import write_reads
from mlops.emit.states.step_states import StepStates
from mlops.emit.states.work import Work
from mlops.ir.discovery import modules


@cache
def step_states() -> Mapping[str, StepStates]:
    found: list[StepStates] = [item.load().STATES for item in modules(steps).values()]
    return {item.type: item for item in found}


def write_step(work: Work) -> str:
    """The state in which it begins. Raises Unspelled."""
    begins = _write(work)
    write_reads(work)
    return begins


def _write(work: Work) -> str:
    own = step_states().get(work.step.type)
    if own is not None:
        return own.write(work)
    write_call(work, call_of(work))
    return work.first
