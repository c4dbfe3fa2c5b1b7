"""A notebook instance that is restarted by the clock: patches of its platform come at a start alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlops.declare.misuse import misuse
from mlops.declare.references import lower
from mlops.declare.resources.base import DeclaredResource
from mlops.declare.steps.shared_arguments import ENABLED, ROLE, Flag, Text
from mlops.ir import StepType, Unknown, Value
from mlops.ir.fields import PLAIN, REQUIRED, TEXT, Constructor, Field
from mlops.ir.resource import SHORT_NAME
from mlops.ir.shape_notation import ROLE_SHAPE, structure
from mlops.knowledge.eventbridge.schedule_expressions import Malformed, judge, later

__all__ = ["NotebookRestart"]

_SCHEDULER = "scheduler"
_EXPRESSION = {"shape": "ScheduleExpression", "service": _SCHEDULER}
STEP_TYPE = StepType(
    type="NotebookRestart",
    service=_SCHEDULER,
    arguments=structure(
        ("NotebookRestart", "Notebook", "ScheduleExpression", "StartExpression", "RoleArn"),
        NotebookRestart={"type": "string", "pattern": SHORT_NAME},
        Notebook={"shape": "NotebookInstanceName"},
        ScheduleExpression=_EXPRESSION,
        StartExpression=_EXPRESSION,
        ScheduleExpressionTimezone={"shape": "ScheduleExpressionTimezone", "service": _SCHEDULER},
        State={"shape": "ScheduleState", "service": _SCHEDULER},
        RoleArn=ROLE_SHAPE,
        Tags={"shape": "TagList"},
    ),
    permissions=(),
)
_MINUTES = 15
"""Between the stop and the start, which is refused while an instance is stopping."""


def _start(restart: NotebookRestart, *_: object) -> Value:
    when = lower(restart.when)
    if not isinstance(when, str):
        return Unknown()
    try:
        judge(when)
    except Malformed:
        return Unknown()  # told of the time itself
    try:
        return later(when, _MINUTES)
    except Malformed as wrong:
        message = f"{restart.label}: the start, {_MINUTES} minutes behind {when}, cannot be said: {wrong}"
        misuse("D042", message, help='e.g. "cron(0 3 ? * SUN *)"', step=restart.name, where=restart.where)
        return Unknown()


class NotebookRestart(DeclaredResource):
    """The instance ``notebook`` (``notebook.notebook_name``) is stopped at each time of ``when``, a cron expression of
    EventBridge Scheduler as ``"cron(0 3 ? * SUN *)"`` in ``timezone``, which ends what runs in it, and started 15
    minutes later. One that was stopped by then is started too."""

    named_by: ClassVar[str | None] = "NotebookRestart"
    step_type = STEP_TYPE
    constructor = Constructor(
        (
            Field("notebook", "Notebook", TEXT, REQUIRED),
            Field("when", "ScheduleExpression", TEXT, REQUIRED),
            Field("", "StartExpression", PLAIN, to=_start),
            Field("timezone", "ScheduleExpressionTimezone", TEXT),
            ENABLED,
            ROLE,
        )
    )

    def __init__(
        self,
        name: str,
        *,
        notebook: Text,
        when: Text,
        timezone: Text | None = None,
        enabled: Flag = True,
        role: Text | None = None,
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(name, tags, arguments)
        self.notebook, self.when, self.timezone = notebook, when, timezone
        self.enabled, self.role = enabled, role
