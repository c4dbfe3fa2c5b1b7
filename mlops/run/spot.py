"""Managed spot training: instances that are taken away on request, and a job that goes on where its checkpoints are.

Nothing is taken away by itself here. An interruption comes once, as soon as the job has stored its first checkpoint; a
job without checkpoints loses its instances after :attr:`Pace.blind`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

from mlops.run.command import CommandTask, Ended, runtime_limit
from mlops.run.job import Job
from mlops.run.outcome import Outcome
from mlops.run.pace import Pace

Finish: TypeAlias = Callable[[Ended], "Outcome | None"]


class Run(Protocol):
    """A training job that can be begun again on new instances."""

    def begin(self, limit: float | None, finish: Finish, upload_seconds: float | None) -> CommandTask:
        """Raises StepFailed."""

    def clear(self) -> None: ...
    def note(self, text: str) -> None: ...
    def finish(self, ended: Ended, late: str) -> Outcome: ...


class SpotTask:
    """``without`` is for how many seconds there is no instance after the interruption, None for no interruption.

    MaxRuntimeInSeconds counts while the job has instances, MaxWaitTimeInSeconds from its start to its end.
    """

    def __init__(self, run: Run, job: Job, request: Mapping[str, Any], pace: Pace, without: float | None) -> None:
        self.metadata = job.metadata
        self._pace = pace
        self._run = run
        self._job = job
        self._without = without
        self._checkpoints = bool(request.get("CheckpointConfig"))
        wait = (request.get("StoppingCondition") or {}).get("MaxWaitTimeInSeconds")
        self._runtime, self._wait = runtime_limit(request), float(wait) if isinstance(wait, int) else None
        self._created = self._pace.clock()
        self._trained = 0.0
        self._resume_at: float | None = None
        self._stopped = self._taken = False
        self._late = "MaxRuntimeInSeconds"
        self._began = self._created
        self._task = self._begin()

    def poll(self) -> Outcome | None:
        moment = self._pace.clock()
        if self._resume_at is not None:
            return self._wait_for_instances(moment)
        outcome = self._task.poll()
        if outcome is not None or not self._task.over:
            if outcome is None and self._without is not None and not self._taken and self._is_due(moment):
                self._taken = True
                self._run.note("managed spot training: the instances are taken away (SIGTERM, then SIGKILL)")
                self._task.interrupt()
            return outcome
        self._trained += moment - self._began
        self._resume_at = moment + (self._without or 0.0)
        self._without = None
        self._job.enters("Interrupted", "the spot instances were taken away; the job waits for others")
        self._job.tell("InProgress")
        self._run.clear()
        return None

    def stop(self) -> None:
        self._stopped = True
        self._task.stop()

    def kill(self) -> None:
        self._task.kill()

    def _begin(self) -> CommandTask:
        self._began = self._pace.clock()
        limits = [
            *([(self._runtime - self._trained, "MaxRuntimeInSeconds")] if self._runtime is not None else []),
            *([(self._wait - (self._began - self._created), "MaxWaitTimeInSeconds")] if self._wait is not None else []),
        ]
        limit, self._late = min(limits, default=(None, self._late))
        looks = None if self._without is None else self._pace.interrupting
        return self._run.begin(limit, self._finish, looks)

    def _is_due(self, moment: float) -> bool:
        return self._task.stored > 0 if self._checkpoints else moment - self._began >= self._pace.blind

    def _finish(self, ended: Ended) -> Outcome | None:
        taken = ended.interrupted and not ended.stopped and not ended.timed_out and ended.exceeded is None
        return None if taken else self._run.finish(ended, self._late)

    def _wait_for_instances(self, moment: float) -> Outcome | None:
        nobody = Ended(0, stopped=self._stopped, timed_out=not self._stopped)
        if self._stopped:
            return self._job.finish(lambda: self._run.finish(nobody, self._late))
        if self._wait is not None and moment - self._created >= self._wait:
            return self._job.finish(lambda: self._run.finish(nobody, "MaxWaitTimeInSeconds"))
        if self._resume_at is not None and moment >= self._resume_at:
            self._resume_at = None
            return self._job.finish(self._resume)
        return None

    def _resume(self) -> None:
        self._run.note("managed spot training: there are instances again")
        self._job.enters("Starting")
        self._task = self._begin()
