"""What the role of a rule or a subscription that feeds a stream needs: to put records into that one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.emit.policies.arns import arn_of
from mlops.emit.policies.delivery import STREAM
from mlops.emit.policies.statements import Need
from mlops.ir import Definition, Step
from mlops.ir.members import get
from mlops.ir.surroundings import Surroundings
from mlops.ir.values import Ref

_PUTS = ("firehose:PutRecord", "firehose:PutRecordBatch")
_BY: Mapping[str, str] = {"EventRule": "events", "LogSubscription": "logs", "TopicRule": "iot"}
"""Which service takes the role on."""


def fed_by(step: Step, role: str) -> str | None:
    """The service that takes ``role`` on to put records into a stream, where ``step`` says so."""
    return _BY.get(step.type) if get(step.arguments, "RoleArn") == role else None


def feeding_needs(definition: Definition, step: Step, around: Surroundings) -> Iterator[Need]:
    if fed_by(step, around.role) is None:
        return
    arn = _arn(definition, step, around)
    if arn is not None:
        yield Need("PutRecords", _PUTS, (arn,), step.name)


def _arn(definition: Definition, step: Step, around: Surroundings) -> str | None:
    given = get(step.arguments, STREAM)
    if isinstance(given, Ref) and given.path is not None:
        named = given.path.name
        declared = (get(each.arguments, "DeliveryStreamName") for each in definition.steps if each.name == named)
        given = next(declared, None)
    if not isinstance(given, str):
        return None
    return given if given.startswith("arn:") else arn_of(around, "firehose", f"deliverystream/{given}")
