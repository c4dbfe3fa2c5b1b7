"""Messages of AWS IoT that a stream takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeAlias, get_args

from mlops.declare.misuse import misuse, speaking_of
from mlops.declare.resources.base import DeclaredResource
from mlops.declare.steps.shared_arguments import ENABLED, ROLE, Flag, Text
from mlops.ir import StepType
from mlops.ir.fields import REQUIRED, TEXT, Constructor, Field, choice
from mlops.ir.shape_notation import ROLE_SHAPE, one_of, structure
from mlops.knowledge.streams.rule_sql import wrong

__all__ = ["TopicRule"]

Separator: TypeAlias = Literal["\n", "\t", "\r\n", ","]
STEP_TYPE = StepType(
    type="TopicRule",
    service="iot",
    arguments=structure(
        ("TopicRule", "Sql", "Stream", "RoleArn"),
        TopicRule={"shape": "RuleName", "service": "iot"},
        Sql={"shape": "SQL", "service": "iot"},
        Stream={"shape": "DeliveryStreamName", "service": "firehose"},
        Separator={"type": "string", "enum": get_args(Separator)},
        State=one_of("ENABLED", "DISABLED"),
        RoleArn=ROLE_SHAPE,
        Tags={"shape": "TagList"},
    ),
    permissions=(),
)


class TopicRule(DeclaredResource):
    """Messages that ``sql`` chooses (``"SELECT * FROM 'sensors/+/temperature'"``) become records of ``stream``
    (``readings.stream_name``), each ended by ``separator``. Its name has letters, digits and ``_``."""

    named_by: ClassVar[str | None] = "TopicRule"
    step_type = STEP_TYPE
    constructor = Constructor(
        (
            Field("sql", "Sql", TEXT, REQUIRED),
            Field("stream", "Stream", TEXT, REQUIRED),
            Field("separator", "Separator", choice(*get_args(Separator))),
            ENABLED,
            ROLE,
        )
    )

    def __init__(
        self,
        name: str,
        *,
        sql: Text,
        stream: Text,
        separator: Separator | None = "\n",
        enabled: Flag = True,
        role: Text | None = None,
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(name, tags, arguments)
        self.sql, self.stream, self.separator, self.enabled, self.role = sql, stream, separator, enabled, role
        with speaking_of(self.where):
            for fault in wrong(sql) if isinstance(sql, str) else ():
                misuse("D042", f"{self.label}: sql: {fault}", help="see docs/streams.md#what-feeds-a-stream")
