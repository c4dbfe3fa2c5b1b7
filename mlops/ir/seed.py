"""A pipeline's seed: the environment variable by which it reaches scripts, and which jobs of a step have one.

A model has none of it: what answers requests is no run that is to come out the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final, TypeAlias

from mlops.ir.definition import Step
from mlops.ir.values import Value

SEED: Final = "MLOPS_SEED"
LARGEST: Final = 2**32 - 1
"""What numpy takes, and so scikit-learn; others take more."""

_ENVIRONMENT = "Environment"
_JOBS = ("Processing", "Training", "Transform")
"""Types of steps that are one job. Checks are too, but of containers that run no script of the author's."""
_TUNED = ("TrainingJobDefinition", "TrainingJobDefinitions")

Variables: TypeAlias = Mapping[str, Value]


def environments(step: Step) -> Iterator[Variables]:
    """The environment of each job that the step describes, of one without an empty one."""
    for job in _jobs(step):
        found = job.get(_ENVIRONMENT, {})
        if isinstance(found, Mapping):
            yield found


def with_environments(step: Step, change: Callable[[Variables], Variables]) -> Step:
    """The step with other environments; one that comes out empty is left out."""
    if not any(True for _ in environments(step)) or not isinstance(step.arguments, Mapping):
        return step
    if step.type in _JOBS:
        return replace(step, arguments=_changed(step.arguments, change))
    made = dict(step.arguments)
    for member in _TUNED:
        match made.get(member):
            case Mapping() as job:
                made[member] = _changed(job, change)
            case tuple() as jobs:
                made[member] = tuple(_changed(job, change) if isinstance(job, Mapping) else job for job in jobs)
    return replace(step, arguments=made)


def _jobs(step: Step) -> Iterator[Variables]:
    if not step.has_arguments or not isinstance(step.arguments, Mapping):
        return
    if step.type in _JOBS:
        yield step.arguments
    elif step.type == "Tuning":
        for member in _TUNED:
            match step.arguments.get(member):
                case Mapping() as job:
                    yield job
                case tuple() as jobs:
                    yield from (job for job in jobs if isinstance(job, Mapping))


def _changed(job: Variables, change: Callable[[Variables], Variables]) -> Variables:
    there = job.get(_ENVIRONMENT, {})
    if not isinstance(there, Mapping):
        return job
    made = change(there)
    if made == there:
        return job
    rest = {key: value for key, value in job.items() if key != _ENVIRONMENT or made}
    return {**rest, _ENVIRONMENT: made} if made else rest
