"""Feedback: what is done about an alarm, or about violations that a monitor has found, as ``[env.NAME.feedback.X]``
says it too."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from mlops.declare.misuse import misuse
from mlops.declare.references import lower
from mlops.declare.resources.base import DeclaredResource
from mlops.declare.steps.shared_arguments import Text
from mlops.ir import StepType, Value
from mlops.ir.fields import PLAIN, TEXT, Constructor, Field
from mlops.ir.resource import SHORT_NAME
from mlops.ir.shape_notation import ANY_SHAPE, STRING_SHAPE, ShapeNotation, structure

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["Feedback"]

_MAP: ShapeNotation = {"type": "map", "key": STRING_SHAPE, "value": ANY_SHAPE}
_TEXTS: ShapeNotation = {"type": "list", "member": STRING_SHAPE}
_FLAG: ShapeNotation = {"type": "boolean"}

STEP_TYPE = StepType(
    type="Feedback",
    service="events",
    arguments=structure(
        ("feedback", "environment"),
        feedback=STRING_SHAPE,
        environment=STRING_SHAPE,
        alarm=STRING_SHAPE,
        monitor=STRING_SHAPE,
        notify=_FLAG,
        endpoint=STRING_SHAPE,
        rollback=_FLAG,
        pipeline=STRING_SHAPE,
        parameters=_MAP,
        window=STRING_SHAPE,
        group=STRING_SHAPE,
        approval=_TEXTS,
        cooldown=STRING_SHAPE,
        per_day={"type": "integer"},
        enabled=_FLAG,
        Tags={"shape": "TagList"},
    ),
    permissions=(),
)

Asked: TypeAlias = Literal["rollback", "start", "promote"]
_UNKNOWN = "known-later"
"""In place of what another resource is called, where the rest is judged."""


def _parameters(feedback: Feedback, *_: object) -> Value:
    found = {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in (feedback.parameters or {}).items()
    }
    return found or None


class Feedback(DeclaredResource):
    """When ``alarm`` goes off, or ``monitor`` finds violations: people are told (``notify``), a shift of the traffic of
    ``endpoint`` that is under way is taken back (``rollback``), ``pipeline`` is started with ``parameters``, which may
    hold ``{since}``, ``{until}``, ``{captures}``, ``{labels}`` and ``{reason}``, and the version of ``group`` that it
    registers is promoted. ``approval`` says where a person is asked before; within ``cooldown``, and more often than
    ``per_day`` in 24 hours, nothing is done. The local account runs it; in another one it is of the pipeline that it
    starts, whose file declares it.
    """

    named_by: ClassVar[str | None] = "feedback"
    step_type = STEP_TYPE
    constructor = Constructor(
        (
            Field("", "environment", PLAIN, to=lambda feedback, lowering, *_: lowering.environment.name),
            Field("alarm", "alarm", TEXT),
            Field("monitor", "monitor", TEXT),
            Field("notify", "notify", PLAIN, True),
            Field("endpoint", "endpoint", TEXT),
            Field("rollback", "rollback", PLAIN, False),
            Field("pipeline", "pipeline", PLAIN),
            Field("parameters", "parameters", PLAIN, to=_parameters),
            Field("window", "window", PLAIN, "7d"),
            Field("group", "group", PLAIN),
            Field("approval", "approval", PLAIN, (), to=lambda feedback, *_: tuple(feedback.approval) or None),
            Field("cooldown", "cooldown", PLAIN, "1h"),
            Field("per_day", "per_day", PLAIN, 3),
            Field("enabled", "enabled", PLAIN, True),
        )
    )

    def __init__(
        self,
        name: str,
        *,
        alarm: Text | None = None,
        monitor: Text | None = None,
        notify: bool = True,
        endpoint: Text | None = None,
        rollback: bool = False,
        pipeline: str | None = None,
        parameters: Mapping[str, str | int | float | bool] | None = None,
        window: str = "7d",
        group: str | None = None,
        approval: Sequence[Asked] = (),
        cooldown: str = "1h",
        per_day: int = 3,
        enabled: bool = True,
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(name, tags, arguments)
        self.alarm, self.monitor, self.notify, self.endpoint, self.rollback = alarm, monitor, notify, endpoint, rollback
        self.pipeline, self.parameters, self.window, self.group = pipeline, parameters, window, group
        self.approval, self.cooldown, self.per_day, self.enabled = tuple(approval), cooldown, per_day, enabled
        self._judge()

    def _judge(self) -> None:
        """By what judges the table of mlops.toml."""
        from pydantic import ValidationError  # few files have feedback

        from mlops.project.feedback import Feedback as Table

        # What is named by reference is known later.
        told: dict[str, Any] = {
            name: _UNKNOWN for name in ("alarm", "monitor", "endpoint") if getattr(self, name) is not None
        }
        for name in Table.model_fields.keys() - {"alarm", "monitor", "endpoint", "approval"}:
            if (value := getattr(self, name)) is not None:
                told[name] = value
        told["approval"] = list(self.approval)
        if not re.fullmatch(SHORT_NAME, self.declared_name):
            help = "use 1 to 40 letters, digits and dashes"
            misuse("D042", f"{self.declared_name!r} is no name for feedback", help=help, step=self.name)
        try:
            Table.model_validate(told)
        except ValidationError as wrong:
            for error in wrong.errors():
                at = ".".join(map(str, error["loc"]))
                said = f"{at}: {error['msg']}" if at else error["msg"]
                message = f"{self.label}: {said.removeprefix('Value error, ')}"
                misuse("D042", message, help="see docs/feedback.md", step=self.name)

    def request(self, lowering: Lowering) -> dict[str, Value]:
        return {**super().request(lowering), "notify": lower(self.notify)}
