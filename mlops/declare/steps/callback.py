"""Callback: send a message to a queue and wait for an answer."""

from __future__ import annotations

from collections.abc import Mapping

from typing_extensions import Unpack

from mlops.declare.references import Reference
from mlops.declare.step_outputs import INPUTS, OUTPUTS, Outputs, StepOutputs
from mlops.declare.steps.base import Shared, Step
from mlops.declare.steps.shared_arguments import Text
from mlops.ir import StepType
from mlops.ir.fields import REQUIRED, TEXT, Constructor, Field

__all__ = ["Callback"]

STEP_TYPE = StepType(
    type="Callback",
    envelope=frozenset({"CacheConfig", "OutputParameters", "SqsQueueUrl"}),
    action="callback",
    permissions=("sqs:SendMessage",),
)


class Callback(Step):
    """Sends ``{"token", "pipelineExecutionArn", "arguments", "status"}`` to the SQS queue with URL ``queue`` and waits
    for SendPipelineExecutionStepSuccess or …Failure with that token. ``inputs`` are the arguments, flat.

    ``outputs`` are what the answer brings with their types, ``{"approved": bool}``; names alone are strings.
    """

    step_type = STEP_TYPE
    constructor = Constructor((Field("queue", "/SqsQueueUrl", TEXT, REQUIRED), INPUTS, OUTPUTS))

    def __init__(
        self,
        name: str,
        *,
        queue: Text,
        inputs: Mapping[str, str | int | float | bool | Reference] | None = None,
        outputs: Outputs = (),
        **shared: Unpack[Shared],
    ) -> None:
        super().__init__(name, **shared)
        self.queue = queue
        self.inputs = dict(inputs or {})
        self.outputs = StepOutputs(name, outputs)
