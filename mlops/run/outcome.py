"""How a step ends, and the handle of one that is still running."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal, Protocol, runtime_checkable

from mlops.ir.dataclass import dataclass

REASON_LIMIT = 1024  # botocore: FailureReason of a step and of a job


# Exception types of retry policies. The other ones are of a capacity or a quota, which a machine of one's own has not.
JOB_INTERNAL_ERROR = "SageMaker.JOB_INTERNAL_ERROR"
SERVICE_FAULT = "Step.SERVICE_FAULT"
THROTTLING = "Step.THROTTLING"


class StepFailed(Exception):
    """The step cannot go on; the text becomes its failure reason."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """``response`` is what ``Steps.<name>.<path>`` reads afterwards. ``ends_execution`` is set by a Fail step: no
    further step starts, and the text is the execution's failure reason. ``fault`` is the exception type that retry
    policies name, None for a failure of the step's own making."""

    status: Literal["Succeeded", "Failed", "Stopped"]
    failure: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    response: Mapping[str, Any] = field(default_factory=dict)
    ends_execution: str | None = None
    fault: str | None = None


class Task(Protocol):
    """One started step. The run loop polls; nothing here may block for long."""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What is known of the step while it runs, e.g. its job's ARN."""

    def poll(self) -> Outcome | None:
        """None while it runs. Raises :class:`StepFailed`."""

    def stop(self) -> None:
        """Ask it to end; what does not listen is killed after a grace period, while polling goes on."""

    def kill(self) -> None:
        """End it at once; no poll follows."""


@runtime_checkable
class StartsJobs(Protocol):
    """A task whose job starts others."""

    def stop_job(self, name: str) -> bool:
        """Ask one of them to end; whether it is one of its own."""


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was over as soon as it started."""

    outcome: Outcome

    @property
    def metadata(self) -> Mapping[str, Any]:
        return self.outcome.metadata

    def poll(self) -> Outcome:
        return self.outcome

    def stop(self) -> None:
        return None

    def kill(self) -> None:
        return None
