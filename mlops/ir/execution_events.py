"""What executions, their steps and jobs on their own do, as events: the same whether the account keeps them or was
asked what it sees."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mlops.ir.events import Event
from mlops.ir.values import Value

STARTED, RETRIED = "execution.started", "execution.retried"
PROCESS_GONE = "the process that ran it is gone"
"""Why an execution of this machine ended that nobody ended."""
_EXECUTIONS = {"Executing": STARTED, "Stopping": "execution.stopping"}
_STEPS = {"Starting": "step.starting", "Executing": "step.executing", "Stopping": "step.stopping"}


def execution_event(
    arn: str, status: str, time: datetime, failure: str | None = None, *, retried: bool = False, by: str | None = None
) -> Event:
    """``by`` is who asked for it, where somebody did.

    >>> execution_event("arn:aws:sagemaker:x:0:pipeline/churn/execution/abc", "Stopped", datetime(2026, 1, 1)).kind
    'execution.ended'
    """
    kind = RETRIED if retried else _EXECUTIONS.get(status, "execution.ended")
    return Event(kind, time, arn, _ids(arn), _told(status=status, failure=failure, by=by))


def step_event(
    arn: str,
    step: str,
    status: str,
    time: datetime,
    *,
    attempt: int = 1,
    metadata: Mapping[str, Any] | None = None,
    failure: str | None = None,
    cached: str | None = None,
    stub: str | None = None,
    seconds: float | None = None,
) -> Event:
    """``metadata`` is what ListPipelineExecutionSteps tells as Metadata; of that the kind of work, a Condition's
    outcome and a job's name are told. ``cached`` is the ARN of the execution whose result serves, ``stub`` what
    stood for the step."""
    nothing: tuple[str | None, Mapping[str, Any]] = (None, {})
    kind, about = next(iter((metadata or {}).items()), nothing)
    job = {"job": about["Arn"].rpartition("/")[2]} if kind and kind.endswith("Job") and about.get("Arn") else {}
    return Event(
        _STEPS.get(status, "step.ended"),
        time,
        step,
        {**_ids(arn), "step": step, **job},
        _told(
            status=status,
            failure=failure,
            attempt=attempt,
            kind=kind,
            outcome=about.get("Outcome") if kind == "Condition" else None,
            cached=cached,
            stub=stub,
            seconds=seconds,
        ),
    )


def job_event(
    arn: str, kind: str, status: str, time: datetime, failure: str | None = None, *, by: str | None = None
) -> Event:
    """Of one that no step stands for. ``kind`` is as in a step's Metadata.

    >>> job_event("arn:aws:sagemaker:x:0:training-job/one", "TrainingJob", "Completed", datetime(2026, 1, 1)).kind
    'job.ended'
    """
    kinds = {"InProgress": "job.started", "Stopping": "job.stopping"}
    told = _told(kind=kind, status=status, failure=failure, by=by)
    return Event(kinds.get(status, "job.ended"), time, arn, {"job": arn.rpartition("/")[2]}, told)


def _ids(arn: str) -> dict[str, str]:
    """
    >>> _ids("arn:aws:sagemaker:eu-west-1:000000000000:pipeline/churn/execution/abc")
    {'pipeline': 'churn', 'execution': 'abc'}
    """
    pipeline, _, execution = arn.rpartition(":")[2].removeprefix("pipeline/").partition("/execution/")
    return {"pipeline": pipeline, "execution": execution}


def _told(**detail: Value) -> dict[str, Value]:
    """Without what is not known."""
    return {name: value for name, value in detail.items() if value is not None}
