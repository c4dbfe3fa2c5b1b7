"""Lambda: call a function with flat arguments."""

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
    type="Lambda",
    envelope=frozenset({"CacheConfig", "FunctionArn", "OutputParameters"}),
)


class Lambda(Step):
    """Calls the function with ARN ``function``; ``inputs`` is the event, flat. The function has ten minutes at most.

    ``outputs`` are the keys of the dictionary that it returns with their types, ``{"score": float}``; names alone are
    strings. A definition cannot hold the function's code: it is deployed by whoever owns it.
    """

    step_type = STEP_TYPE

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

    def request(self, lowering: Lowering) -> dict[str, Value]:
        return {key: lower(value) for key, value in self.inputs.items()}

    def envelope(self, lowering: Lowering) -> dict[str, Value]:
        return {"FunctionArn": lower(self.function), "OutputParameters": self.outputs.members()}
