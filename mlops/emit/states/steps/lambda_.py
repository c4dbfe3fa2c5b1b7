"""A call of the function, whose answer has the declared outputs."""

from __future__ import annotations

from mlops.emit.states.answering import answered
from mlops.emit.states.jsonata import spelled
from mlops.emit.states.retrying import retries
from mlops.emit.states.step_states import StepStates
from mlops.emit.states.work import Work

_SECONDS = 600


def _write(work: Work) -> str:
    step, words = work.step, work.words()
    work.put(
        step.name,
        {
            "Type": "Task",
            **work.comment(),
            "Resource": work.resource("lambda:invoke"),
            "Arguments": {
                "FunctionName": spelled(step.members.get("FunctionArn"), words),
                "Payload": spelled(step.arguments or {}, words),
            },
            "TimeoutSeconds": _SECONDS,
            "Retry": retries(step),
            "Output": answered(work, "$states.result.Payload"),
            **work.failing(),
            "Next": work.then,
        },
    )
    return work.first


STATES = StepStates("Lambda", _write)
