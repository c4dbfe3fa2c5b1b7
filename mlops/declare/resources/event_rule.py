"""Events of EventBridge that a stream takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlops.declare.misuse import misuse, speaking_of
from mlops.declare.resources.base import DeclaredResource
from mlops.declare.resources.json_values import as_json
from mlops.declare.steps.shared_arguments import ENABLED, ROLE, Flag, Text
from mlops.ir import StepType, Value
from mlops.ir.fields import PLAIN, REQUIRED, TEXT, Constructor, Field
from mlops.ir.resource import SHORT_NAME
from mlops.ir.shape_notation import ANY_SHAPE, ROLE_SHAPE, structure
from mlops.knowledge.eventbridge.event_patterns import wrong
from mlops.knowledge.eventbridge.never_told import never_told

__all__ = ["EventRule", "api_calls"]

STREAM_ARN = r"arn:aws[\w\-]*:firehose:[\w\-]+:\d{12}:deliverystream/[a-zA-Z0-9_.\-]{1,64}"
STEP_TYPE = StepType(
    type="EventRule",
    service="events",
    arguments=structure(
        ("EventRule", "Pattern", "Stream", "RoleArn"),
        EventRule={"type": "string", "pattern": SHORT_NAME},
        Pattern=ANY_SHAPE,
        Stream={"type": "string", "pattern": STREAM_ARN},
        Part={"shape": "TargetInputPath", "service": "events"},
        State={"shape": "RuleState", "service": "events"},
        RoleArn=ROLE_SHAPE,
        Tags={"shape": "TagList"},
    ),
    permissions=(),
)
_READS = ("Describe", "Get", "List")


def _pattern(rule: EventRule, *_: object) -> Value:
    return as_json(rule, "pattern", rule.pattern)


class EventRule(DeclaredResource):
    """Events that match ``pattern`` become records of ``stream`` (``events.stream_arn``), each as JSON without an end:
    the stream has ``newline=True``. ``part`` is a path into them (``"$.detail"``), where not all is wanted."""

    named_by: ClassVar[str | None] = "EventRule"
    step_type = STEP_TYPE
    constructor = Constructor(
        (
            Field("pattern", "Pattern", PLAIN, REQUIRED, to=_pattern),
            Field("stream", "Stream", TEXT, REQUIRED),
            Field("part", "Part", TEXT),
            ENABLED,
            ROLE,
        )
    )

    def __init__(
        self,
        name: str,
        *,
        pattern: Mapping[str, Any],
        stream: Text,
        part: Text | None = None,
        enabled: Flag = True,
        role: Text | None = None,
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(name, tags, arguments)
        self.pattern, self.stream, self.part, self.enabled, self.role = pattern, stream, part, enabled, role
        with speaking_of(self.where):
            faults = wrong(pattern)
            for fault in faults:
                misuse("D042", f"{self.label}: {fault}", help="see docs/streams.md#what-feeds-a-stream")
            for fault, help_text in never_told(pattern) if not faults else ():
                misuse("D042", f"{self.label}: {fault}", help=help_text)


def api_calls(service: str, *names: str) -> Mapping[str, Any]:
    """The pattern of calls that CloudTrail tells EventBridge of, where a trail of the account is on: all that change
    something at a service (``"sagemaker"``), or those of some names (``"CreateEndpoint"``)."""
    reading = sorted(name for name in names if name.startswith(_READS))
    if reading:
        misuse(
            "D042",
            f"rules are not told of calls that read, as {reading[0]} is",
            help="take them from the log group of a trail by a LogSubscription",
        )
    detail: dict[str, Any] = {"eventSource": [f"{service}.amazonaws.com"]}
    if names:
        detail["eventName"] = list(names)
    return {"detail-type": ["AWS API Call via CloudTrail"], "detail": detail}
