"""Where a stream takes records from, instead of being put to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from mlops.declare.records import record
from mlops.declare.references import lower
from mlops.declare.steps.shared_arguments import Text
from mlops.ir import Value
from mlops.ir.fields import FLAG, REQUIRED, TEXT, Field, Record, nothing
from mlops.knowledge.streams.names import CAPTURES


@record
class Kinesis:
    """A data stream of Kinesis, by its ARN."""

    stream: Text


@record
class Kafka:
    """A ``topic`` of a cluster of Amazon MSK (its ARN); ``private`` within its network."""

    cluster: Text
    topic: Text
    private: bool = False


@record
class Captured:
    """What an ``endpoint`` captures (``EndpointConfig(capture=…)``): in the local account each captured request is put
    into the stream when its object is written. Elsewhere it is a stream that is put to, and nothing puts."""

    endpoint: Text


CAPTURED = Record(Captured, (Field("endpoint", "", TEXT, REQUIRED, to=nothing, said=nothing),), positional=1)
KINESIS = Record(Kinesis, (Field("stream", "KinesisStreamARN", TEXT, REQUIRED),), positional=1)
KAFKA = Record(
    Kafka,
    (
        Field("cluster", "MSKClusterARN", TEXT, REQUIRED),
        Field("topic", "TopicName", TEXT, REQUIRED),
        Field("private", "AuthenticationConfiguration.Connectivity", FLAG, False),
    ),
    positional=1,
)
Source: TypeAlias = Kinesis | Kafka | Captured


def tags(source: Source | None) -> Mapping[str, Value]:
    """By which the account knows what to put."""
    return {CAPTURES: lower(source.endpoint)} if isinstance(source, Captured) else {}


def members(source: Source, role: Value) -> dict[str, Value]:
    """Of the request that makes the stream."""
    match source:
        case Captured():
            return {}
        case Kinesis():
            told: dict[str, Value] = {"KinesisStreamARN": lower(source.stream), "RoleARN": role}
            return {"DeliveryStreamType": "KinesisStreamAsSource", "KinesisStreamSourceConfiguration": told}
        case Kafka():
            connected = {"RoleARN": role, "Connectivity": "PRIVATE" if source.private else "PUBLIC"}
            cluster = {"MSKClusterARN": lower(source.cluster), "TopicName": lower(source.topic)}
            return {
                "DeliveryStreamType": "MSKAsSource",
                "MSKSourceConfiguration": {**cluster, "AuthenticationConfiguration": connected},
            }
