"""Fail: end the execution as failed, with a message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlops.declare.references import Reference
from mlops.declare.steps.base import After, Step
from mlops.ir import StepType
from mlops.ir.fields import WORD, Constructor, Field, said_at
from mlops.ir.shape_notation import STRING_SHAPE, structure

__all__ = ["Fail"]

STEP_TYPE = StepType(
    type="Fail",
    arguments=structure(("ErrorMessage",), ErrorMessage=STRING_SHAPE),
    action="fail",
    dependable=False,
    permissions=(),
)


class Fail(Step):
    """Ends the execution as failed once the steps that are running have ended. Nothing can refer to it.

    ``message`` may be put together by the run: ``join("accuracy is below ", floor)``."""

    step_type = STEP_TYPE
    constructor = Constructor(
        (Field("message", "ErrorMessage", WORD, "", said=said_at("ErrorMessage", WORD)),),
        needs=("message",),
        positional=("message",),
        merges=False,
    )

    def __init__(
        self,
        name: str,
        message: str | Reference = "",
        *,
        after: Sequence[Step | str | After] = (),
        display_name: str | None = None,
        description: str | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(name, after=after, display_name=display_name, description=description, members=members)
        self.message = message
