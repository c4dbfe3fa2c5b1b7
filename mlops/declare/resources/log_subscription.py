"""Lines of a log group that a stream takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlops.declare.resources.base import DeclaredResource
from mlops.declare.resources.event_rule import STREAM_ARN
from mlops.declare.steps.shared_arguments import ROLE, Text
from mlops.ir import StepType
from mlops.ir.fields import REQUIRED, TEXT, Constructor, Field
from mlops.ir.shape_notation import ROLE_SHAPE, structure

__all__ = ["LogSubscription"]

STEP_TYPE = StepType(
    type="LogSubscription",
    service="logs",
    arguments=structure(
        ("LogGroup", "Stream", "RoleArn"),
        LogGroup={"shape": "LogGroupName", "service": "logs"},
        Stream={"type": "string", "pattern": STREAM_ARN},
        Pattern={"shape": "FilterPattern", "service": "logs"},
        RoleArn=ROLE_SHAPE,
        Tags={"shape": "TagList"},
    ),
    permissions=(),
)


class LogSubscription(DeclaredResource):
    """What is written to the log group that it is called as (``"/aws/sagemaker/Endpoints/churn"``) becomes records of
    ``stream`` (``events.stream_arn``), many lines each, in GZIP: the stream has ``logs=``. ``pattern`` is a filter of
    CloudWatch Logs; without one all lines go. A group has two subscriptions at most, and one that is declared."""

    named_by: ClassVar[str | None] = "LogGroup"
    step_type = STEP_TYPE
    constructor = Constructor(
        (
            Field("stream", "Stream", TEXT, REQUIRED),
            Field("pattern", "Pattern", TEXT),
            ROLE,
        )
    )

    def __init__(
        self,
        name: str,
        *,
        stream: Text,
        pattern: Text | None = None,
        role: Text | None = None,
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(name, tags, arguments)
        self.stream, self.pattern, self.role = stream, pattern, role
