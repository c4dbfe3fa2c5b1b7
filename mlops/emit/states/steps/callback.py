"""A message with a token, until somebody answers with it."""

from __future__ import annotations

from mlops.emit.states.answering import answered
from mlops.emit.states.jsonata import braces, spelled
from mlops.emit.states.step_states import StepStates
from mlops.emit.states.work import Work


def _write(work: Work) -> str:
    step, words = work.step, work.words()
    work.shared.notes.append(
        f"whoever answers {step.name} calls SendTaskSuccess or SendTaskFailure of Step Functions with the token, "
        "and no longer SendPipelineExecutionStepSuccess"
    )
    work.put(
        step.name,
        {
            "Type": "Task",
            **work.comment(),
            "Resource": work.resource("sqs:sendMessage.waitForTaskToken"),
            "Arguments": {
                "QueueUrl": spelled(step.members.get("SqsQueueUrl"), words),
                "MessageBody": {
                    "token": braces("$states.context.Task.Token"),
                    "pipelineExecutionArn": braces("$states.context.Execution.Id"),
                    "arguments": spelled(step.arguments or {}, words),
                    "status": "Executing",
                },
            },
            "Output": answered(work, "$states.result"),
            **work.failing(),
            "Next": work.then,
        },
    )
    return work.first


STATES = StepStates("Callback", _write)
