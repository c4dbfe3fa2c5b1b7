"""Callback: send a message to a queue and wait for an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from typing_extensions import Unpack

from mlops.declare.references import Reference, lower
from mlops.declare.step_outputs import Outputs, StepOutputs
from mlops.declare.steps.base import Shared, Step
from mlops.declare.steps.shared_arguments import Text
from mlops.ir import StepType, Value

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

STEP_TYPE = StepType(
    type="Callback",
    envelope=frozenset({"CacheConfig", "OutputParameters", "SqsQueueUrl"}),
)


class Callback(Step):
    """Sends ``{"token", "pipelineExecutionArn", "arguments", "status"}`` to the SQS queue with URL ``queue`` and waits
    for SendPipelineExecutionStepSuccess or …Failure with that token. ``inputs`` are the arguments, flat.

    ``outputs`` are what the answer brings with their types, ``{"approved": bool}``; names alone are strings.
    """

    step_type = STEP_TYPE

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

    def request(self, lowering: Lowering) -> dict[str, Value]:
        return {key: lower(value) for key, value in self.inputs.items()}

    def envelope(self, lowering: Lowering) -> dict[str, Value]:
        return {"SqsQueueUrl": lower(self.queue), "OutputParameters": self.outputs.members()}
