"""A step that is one command in a sandbox: watched, limited in time, stopped as the service stops a container."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlops.run.outcome import JOB_INTERNAL_ERROR, Outcome
from mlops.run.sandbox import Boxed
from mlops.run.transfer import Upload

UPLOAD_SECONDS = 1.0
"""How often what is to be stored continuously is looked at."""

_NOT_THE_SCRIPT = (125, 137)
"""No sandbox; SIGKILL, which nobody but the system or a person sends: too little memory."""


@dataclass(frozen=True, slots=True)
class Ended:
    """``stopped``: somebody asked for it. ``timed_out``: it ran longer than its limit."""

    code: int
    stopped: bool
    timed_out: bool


class CommandTask:
    """``finish`` turns the end of the command into the step's outcome; it may raise StepFailed. ``uploads`` are stored
    while it runs, and once more before ``finish``."""

    def __init__(
        self,
        boxed: Boxed,
        *,
        metadata: Mapping[str, Any],
        limit_seconds: float | None,
        grace_seconds: float,
        finish: Callable[[Ended], Outcome],
        uploads: Sequence[Upload] = (),
    ) -> None:
        self.metadata = metadata
        self._boxed = boxed
        self._grace = grace_seconds
        self._finish = finish
        self._uploads = uploads
        self._upload_at = time.monotonic() + UPLOAD_SECONDS
        self._deadline = None if limit_seconds is None else time.monotonic() + limit_seconds
        self._kill_at: float | None = None
        self._stopped = False
        self._timed_out = False

    def poll(self) -> Outcome | None:
        code = self._boxed.poll()
        if code is not None:
            self._upload()
            outcome = self._finish(Ended(code, self._stopped, self._timed_out))
            killed = code in _NOT_THE_SCRIPT and not self._stopped and not self._timed_out
            return replace(outcome, fault=JOB_INTERNAL_ERROR) if killed and outcome.status == "Failed" else outcome
        moment = time.monotonic()
        if moment >= self._upload_at:
            self._upload()
            self._upload_at = time.monotonic() + UPLOAD_SECONDS
        if self._kill_at is not None:
            if moment >= self._kill_at:
                self._boxed.kill()
        elif self._deadline is not None and moment >= self._deadline:
            self._timed_out = True
            self._terminate()
        return None

    def stop(self) -> None:
        self._stopped = True
        if self._kill_at is None:
            self._terminate()

    def kill(self) -> None:
        self._boxed.kill()

    def _upload(self) -> None:
        for upload in self._uploads:
            upload.changed()

    def _terminate(self) -> None:
        self._kill_at = time.monotonic() + self._grace
        self._boxed.terminate()


def runtime_limit(request: Mapping[str, Any]) -> float | None:
    limit = (request.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds")
    return float(limit) if isinstance(limit, int) else None
