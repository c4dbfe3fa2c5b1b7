"""Callback: a message with a token to a queue, and then the wait for whoever answers that.

When an execution is stopped the service goes on waiting for the answer; here the step is stopped, once it was told.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.run.outcome import Outcome, StepFailed, Task
from mlops.run.ports import Callbacks
from mlops.run.step_outputs import metadata_of, outputs_of
from mlops.run.work import Work


def start(work: Work) -> Task:
    callbacks, queue = work.ports.callbacks, work.members.get("SqsQueueUrl")
    if callbacks is None:
        raise StepFailed("nobody can be asked here: there are no queues")
    if not isinstance(queue, str) or not queue.rpartition("/")[2]:
        raise StepFailed(f"SqsQueueUrl is {queue!r}, the URL of no queue")
    token = callbacks.ask(queue, work.request)
    work.note(f"asked {queue}; `mlops executions answer {work.step.name}` answers, or whoever has the token {token}")
    return _Asked(work, callbacks, token, {"CallbackToken": token, "SqsQueueUrl": queue})


@dataclass(slots=True)
class _Asked:
    work: Work
    callbacks: Callbacks
    token: str
    told: Mapping[str, Any]
    stopping: bool = False
    _next: float = 0.0

    @property
    def metadata(self) -> Mapping[str, Any]:
        return {"Callback": self.told}

    def poll(self) -> Outcome | None:
        if self.stopping:
            return Outcome("Stopped", None, self.metadata)
        if time.monotonic() < self._next:
            return None
        self._next = time.monotonic() + self.work.pace.asking
        answer = self.callbacks.answer(self.token)
        if answer is None:
            return None
        if "Failure" in answer:
            raise StepFailed(str(answer["Failure"]))
        outputs = outputs_of(self.work.members.get("OutputParameters"), answer["Outputs"])
        metadata = {"Callback": {**self.told, "OutputParameters": metadata_of(outputs)}}
        return Outcome("Succeeded", None, metadata, {"OutputParameters": outputs})

    def stop(self) -> None:
        self.callbacks.stopping(self.token)
        self.stopping = True

    def kill(self) -> None:
        return None
