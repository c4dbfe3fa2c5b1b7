"""The description of one job, as its Describe operation answers, told to the account whenever it changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal, TypeVar

from mlops.ir import JobKind, full_disk
from mlops.run.outcome import REASON_LIMIT, Done, Outcome, StepFailed, Task
from mlops.run.work import Work, now, stamp

_T = TypeVar("_T")
_LAST = ("Completed", "Failed", "Stopped", "MaxRuntimeExceeded", "MaxWaitTimeExceeded")
_STEP_STATUS: Mapping[str, Literal["Succeeded", "Failed", "Stopped"]] = {
    "Completed": "Succeeded",
    "Failed": "Failed",
    "Stopped": "Stopped",
}


STAGES: Mapping[str, str] = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}
"""What the service says of a SecondaryStatus: the SDK shows it while it waits, and takes it to be there."""


class Job:
    """``members`` are those of the request that the description repeats. The step's type says what kind it is."""

    def __init__(self, work: Work, members: Mapping[str, Any]) -> None:
        kind = work.job_kind
        self.kind: JobKind = kind
        self.began: datetime = now()
        self._work = work
        self.description: dict[str, Any] = {
            **{name: value for name, value in members.items() if name not in ("Tags", kind.name_member)},
            kind.name_member: work.name,
            kind.arn_member: work.arn(kind.segment),
            "CreationTime": stamp(self.began),
        }

    @property
    def metadata(self) -> Mapping[str, Any]:
        return {self.kind.member: {"Arn": self.description[self.kind.arn_member]}}

    def tell(self, status: str, **members: Any) -> None:
        self.description |= {
            self.kind.status_member: status,
            "LastModifiedTime": stamp(now()),
            **{name: value for name, value in members.items() if value is not None},
        }
        self._work.ports.registry.record_job(self.kind.name, self._work.name, dict(self.description))

    def enters(self, status: str, message: str | None = None) -> None:
        """A SecondaryStatus of a kind that has stages; it is told with the next change."""
        moment = stamp(now())
        transitions: list[dict[str, Any]] = self.description.setdefault("SecondaryStatusTransitions", [])
        if transitions:
            transitions[-1] = {**transitions[-1], "EndTime": moment}
        step = {"Status": status, "StartTime": moment, "StatusMessage": message or STAGES.get(status, status)}
        self.description |= {"SecondaryStatus": status, "SecondaryStatusTransitions": [*transitions, step]}

    def started(self) -> None:
        if self.kind.stages:
            self.enters("Starting")
        self.tell("InProgress", **{self.kind.start_member: stamp(self.began)})

    def ended(
        self, status: Literal["Completed", "Failed", "Stopped"], failure: str | None = None, **members: Any
    ) -> Outcome:
        reason = failure[:REASON_LIMIT] if failure else None
        ended = {self.kind.end_member: stamp(now())}
        if self.kind.stages and self.description.get("SecondaryStatus") not in _LAST:
            self.enters(status, reason)
        self.tell(status, **{**ended, "FailureReason": reason, **members})
        return self.outcome(_STEP_STATUS[status], reason)

    def outcome(self, status: Literal["Succeeded", "Failed", "Stopped"], failure: str | None = None) -> Outcome:
        return Outcome(status, failure, self.metadata, dict(self.description))

    def launch(self, start: Callable[[], Task]) -> Task:
        """``start()``, or a job that failed before it ran."""
        self.started()
        try:
            return start()
        except StepFailed as fault:
            return Done(self.ended("Failed", str(fault)))
        except Exception as fault:  # the run loop tells of it; the job must not look alive meanwhile
            if full_disk.is_full(fault):
                return Done(self.ended("Failed", self._disk_is_full()))
            self.ended("Failed", repr(fault))
            raise

    def finish(self, conclude: Callable[[], _T]) -> _T | Outcome:
        """``conclude()``, or a job whose results could not be brought home."""
        try:
            return conclude()
        except StepFailed as fault:
            return self.ended("Failed", str(fault))
        except Exception as fault:
            if full_disk.is_full(fault):
                return self.ended("Failed", self._disk_is_full())
            self.ended("Failed", repr(fault))
            raise

    def _disk_is_full(self) -> str:
        return f"{full_disk.told(self._work.execution.folder)}: {full_disk.HINT}"
