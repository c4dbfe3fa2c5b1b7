"""A tuning that waits; who reads its best trainings gets them by a list behind it."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.emit.policies.arns import arn_of
from mlops.emit.policies.statements import Need
from mlops.emit.states.calling import call_of, write_call
from mlops.emit.states.jsonata import DATA, Unspelled, braces, name, obj, within
from mlops.emit.states.retrying import retries
from mlops.emit.states.step_states import StepStates
from mlops.emit.states.work import Work
from mlops.ir import Step
from mlops.ir.members import get
from mlops.ir.surroundings import Surroundings

_SUMMARIES = "TrainingJobSummaries"
_NAME = "HyperParameterTuningJobName"
_LIST = "ListTrainingJobsForHyperParameterTuningJob"


def _write(work: Work) -> str:
    call = call_of(work)
    if _SUMMARIES not in work.wanted:
        write_call(work, call)
        return work.first
    wanted = (work.wanted | {_NAME}) - {_SUMMARIES}
    write_call(work, call, wanted, _summaries(work))
    return work.first


def _summaries(work: Work) -> str:
    """Best first, as pipelines read them."""
    step = work.step
    objective = get(step.arguments, "HyperParameterTuningJobConfig", "HyperParameterTuningJobObjective", "Type")
    if objective not in ("Maximize", "Minimize"):
        raise Unspelled("which of its jobs is the best, depends on an objective that only a run knows")
    mine = f"{DATA}.Steps.{name(step.name)}"
    told = f"$merge([{mine}, {{'{_SUMMARIES}': $states.result.{_SUMMARIES}}}])"
    label = f"{step.name}: trainings"
    work.put(
        label,
        {
            "Type": "Task",
            "Resource": work.resource(f"aws-sdk:sagemaker:{_LIST[0].lower()}{_LIST[1:]}"),
            "Arguments": {
                _NAME: braces(f"{mine}.{_NAME}"),
                "SortBy": "FinalObjectiveMetricValue",
                "SortOrder": "Descending" if objective == "Maximize" else "Ascending",
                "MaxResults": 50,
            },
            "Retry": retries(None),
            "Output": braces(within("Steps", obj({step.name: told}))),
            **work.failing(),
            "Next": work.then,
        },
    )
    return label


def _needs(step: Step, around: Surroundings, looked: frozenset[str]) -> Iterator[Need]:
    if _LIST in looked:
        jobs = (arn_of(around, "sagemaker", "hyper-parameter-tuning-job/*"),)
        yield Need("ListTrainings", (f"sagemaker:{_LIST}",), jobs, step.name)


STATES = StepStates("Tuning", _write, _needs)
