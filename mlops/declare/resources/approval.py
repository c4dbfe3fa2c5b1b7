"""What an approval in the registry starts, given in Studio or anywhere else: the promotion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlops.declare.resources.base import DeclaredResource
from mlops.declare.resources.json_values import as_json
from mlops.declare.steps.shared_arguments import ENABLED, ROLE, Flag, Text
from mlops.ir import StepType
from mlops.ir.fields import PLAIN, REQUIRED, TEXT, Constructor, Field
from mlops.ir.resource import SHORT_NAME
from mlops.ir.shape_notation import ANY_SHAPE, ROLE_SHAPE, structure

__all__ = ["Approval"]

_STARTED = (
    r"arn:aws[\w\-]*:(states:[\w\-]+:\d{12}:stateMachine:[\w.\-]+"
    r"|codepipeline:[\w\-]+:\d{12}:[\w.@\-]+"
    r"|events:[\w\-]+:\d{12}:api-destination/[\w.\-/]+)"
)
STEP_TYPE = StepType(
    type="Approval",
    service="events",
    arguments=structure(
        ("Approval", "Group", "Starts", "RoleArn"),
        Approval={"type": "string", "pattern": SHORT_NAME},
        Group={"shape": "EntityName"},
        Starts={"type": "string", "pattern": _STARTED},
        Body=ANY_SHAPE,
        State={"shape": "RuleState", "service": "events"},
        RoleArn=ROLE_SHAPE,
        Tags={"shape": "TagList"},
    ),
    permissions=(),
)


class Approval(DeclaredResource):
    """When a version of ``group`` becomes approved, a rule of EventBridge starts what has the ARN ``starts``: a state
    machine, as `mlops emit states --promotion` writes one, a pipeline of CodePipeline, or an API destination that calls
    CI. ``body`` is what it is given, ``"<version>"`` in it the version's ARN; a state machine is given that by itself.
    """

    named_by: ClassVar[str | None] = "Approval"
    step_type = STEP_TYPE
    constructor = Constructor(
        (
            Field("group", "Group", TEXT, REQUIRED),
            Field("starts", "Starts", TEXT, REQUIRED),
            Field("body", "Body", PLAIN, to=lambda approval, *_: as_json(approval, "body", approval.body)),
            ENABLED,
            ROLE,
        )
    )

    def __init__(
        self,
        name: str,
        *,
        group: Text,
        starts: Text,
        body: Mapping[str, Any] | None = None,
        enabled: Flag = True,
        role: Text | None = None,
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(name, tags, arguments)
        self.group, self.starts, self.body, self.enabled, self.role = group, starts, body, enabled, role
