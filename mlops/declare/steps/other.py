"""A step of a type that has no constructor here."""

from __future__ import annotations

from typing_extensions import Unpack

from mlops.declare.steps.base import Shared, Step
from mlops.ir import StepType
from mlops.ir.fields import PLAIN, REQUIRED, Constructor, Field, Given, Said, Spoken, nothing


def _said_type(given: Given) -> Spoken:
    return Said(given.step.type)


__all__ = ["OtherStep"]


class OtherStep(Step):
    """A step of any ``type``, also one that SageMaker got yesterday: ``arguments`` and ``members`` are all it has.

    A type that nobody here knows passes the checker with a note; one that is known is checked like the rest. Read what
    it yields with ``property("…")``.
    """

    constructor = Constructor((Field("type", "", PLAIN, REQUIRED, to=nothing, said=_said_type),))

    def __init__(self, name: str, *, type: str, **shared: Unpack[Shared]) -> None:
        super().__init__(name, **shared)
        self.type = type

    @property
    def step_type(self) -> StepType:  # type: ignore[override]
        return StepType(type=self.type if isinstance(self.type, str) else "?")
