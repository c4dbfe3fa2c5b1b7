"""A step of a type that has no constructor here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import Unpack

from mlops.declare.steps.base import Shared, Step
from mlops.ir import StepType, Value

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering


class OtherStep(Step):
    """A step of any ``type``, also one that SageMaker got yesterday: ``arguments`` and ``members`` are all it has.

    A type that nobody here knows passes the checker with a note; one that is known is checked like the rest. Read what
    it yields with ``property("…")``.
    """

    def __init__(self, name: str, *, type: str, **shared: Unpack[Shared]) -> None:
        super().__init__(name, **shared)
        self.type = type

    @property
    def step_type(self) -> StepType:  # type: ignore[override]
        return StepType(type=self.type if isinstance(self.type, str) else "?")

    def request(self, lowering: Lowering) -> dict[str, Value]:
        return {}
