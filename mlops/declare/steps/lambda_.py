"""Lambda: call a function with flat arguments."""

from __future__ import annotations

from collections.abc import Mapping

from typing_extensions import Unpack

from mlops.declare.references import Reference
from mlops.declare.step_outputs import INPUTS, OUTPUTS, Outputs, StepOutputs
from mlops.declare.steps.base import Shared, Step
from mlops.declare.steps.shared_arguments import Text
from mlops.ir import StepType
from mlops.ir.fields import REQUIRED, TEXT, Constructor, Field

__all__ = ["Lambda"]

STEP_TYPE = StepType(
    type="Lambda",
    envelope=frozenset({"CacheConfig", "FunctionArn", "OutputParameters"}),
    action="lambda_",
    boxed=True,
    permissions=("lambda:InvokeFunction",),
)


class Lambda(Step):
    """Calls the function with ARN ``function``; ``inputs`` is the event, flat. The function has ten minutes at most.

    ``outputs`` are the keys of the dictionary that it returns with their types, ``{"score": float}``; names alone are
    strings. A definition cannot hold the function's code: it is deployed by whoever owns it.
    """

    step_type = STEP_TYPE
    constructor = Constructor((Field("function", "/FunctionArn", TEXT, REQUIRED), INPUTS, OUTPUTS))

    def __init__(
        self,
        name: str,
        *,
        function: Text,
        inputs: Mapping[str, str | int | float | bool | Reference] | None = None,
        outputs: Outputs = (),
        **shared: Unpack[Shared],
    ) -> None:
        super().__init__(name, **shared)
        self.function = function
        self.inputs = dict(inputs or {})
        self.outputs = StepOutputs(name, outputs)
