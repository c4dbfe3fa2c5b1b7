"""A stream of Data Firehose: records that are put, buffered, changed and written to S3, or sent elsewhere."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, get_args

from mlops.declare.members import tags
from mlops.declare.misuse import misuse, speaking_of
from mlops.declare.records import record
from mlops.declare.references import StringProperty, lower
from mlops.declare.resources.base import DeclaredResource
from mlops.declare.steps.shared_arguments import Count, Flag, Text
from mlops.declare.streams import iceberg, opensearch, redshift, snowflake, source, splunk
from mlops.declare.streams.destination import About, known, retrying
from mlops.declare.streams.destination import secret as secret_of
from mlops.declare.streams.iceberg import Iceberg
from mlops.declare.streams.opensearch import OpenSearch
from mlops.declare.streams.redshift import Redshift
from mlops.declare.streams.snowflake import Snowflake
from mlops.declare.streams.source import Captured, Kafka, Kinesis
from mlops.declare.streams.splunk import Splunk
from mlops.ir import StepType, Unknown, Value
from mlops.ir.fields import (
    COUNT,
    FLAG,
    PLAIN,
    REQUIRED,
    STRING,
    TEXT,
    Constructor,
    Field,
    Record,
    Yielded,
    choice,
    made,
    nothing,
)
from mlops.ir.s3_uri import split_uri
from mlops.knowledge.streams import elsewhere, pairing

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = [
    "Captured",
    "HttpEndpoint",
    "Iceberg",
    "Kafka",
    "Kinesis",
    "OpenSearch",
    "Redshift",
    "Snowflake",
    "Splunk",
    "Stream",
]

STEP_TYPE = StepType(
    type="Stream",
    service="firehose",
    request="CreateDeliveryStreamInput",
    response="DeliveryStreamDescription",
    permissions=(),
)

Format: TypeAlias = Literal["parquet", "orc"]
Compression: TypeAlias = Literal["GZIP", "ZIP", "Snappy", "HADOOP_SNAPPY"]
_S3, _HTTP = "ExtendedS3DestinationConfiguration", "HttpEndpointDestinationConfiguration"
_SIZE, _SECONDS = 5, {_HTTP: 60, splunk.MEMBER: 60}
_OTHERWISE_SECONDS = 300
_JSON = "JSON"
Logs: TypeAlias = Literal["envelopes", "messages"]


@record
class HttpEndpoint:
    """Requests go to ``url``, with the ``api_key`` that a ``secret`` of Secrets Manager holds (its ARN). What was not
    taken for ``retry`` seconds is written to S3, or ``all`` of it is. ``attributes`` go with each request."""

    url: Text
    secret: Text | None = None
    name: Text | None = None
    gzip: bool = False
    attributes: Mapping[str, Text] | None = None
    retry: Count | None = None
    all: bool = False


ENDPOINT = Record(
    HttpEndpoint,
    (
        Field("url", "EndpointConfiguration.Url", TEXT, REQUIRED),
        Field("secret", "SecretsManagerConfiguration.SecretARN", TEXT),
        Field("name", "EndpointConfiguration.Name", TEXT),
        Field("gzip", "RequestConfiguration.ContentEncoding", FLAG, False),
        Field("attributes", "RequestConfiguration.CommonAttributes", PLAIN),
        Field("retry", "RetryOptions.DurationInSeconds", COUNT),
        Field("all", "S3BackupMode", FLAG, False),
    ),
    positional=1,
)


def _place(stream: Stream, uri: object, errors: Value, lowering: Lowering) -> dict[str, Value]:
    """A bucket and what objects of it begin with, by ``s3://bucket/prefix``."""
    told = lower(uri)
    bucket, prefix = split_uri(told) if isinstance(told, str) else ("", "")
    if not isinstance(told, str) or not told.startswith("s3://") or not bucket:
        misuse("D042", f"{told!r} is no place for the objects of a stream", help="write it as s3://BUCKET/PREFIX")
    partition = lowering.environment.role.split(":")[1]
    found: dict[str, Value] = {"RoleARN": _role(stream, lowering), "BucketARN": f"arn:{partition}:s3:::{bucket}"}
    return {**found, **known({"Prefix": prefix or None, "ErrorOutputPrefix": errors})}


def _role(stream: Stream, lowering: Lowering) -> Value:
    return lowering.environment.role if stream.role is None else lower(stream.role)


def _destination(stream: Stream, lowering: Lowering, *_: object) -> Value:
    kind, sent = (_S3, None) if stream.endpoint is None else _ELSEWHERE[type(stream.endpoint)]
    place = _place(stream, stream.to, lower(stream.errors), lowering)
    place |= known({"CompressionFormat": lower(stream.compression)})
    size, seconds = lower(stream.size), lower(stream.seconds)
    hints: Value = None
    if size is not None or seconds is not None:
        hints = {
            "SizeInMBs": _SIZE if size is None else size,
            "IntervalInSeconds": _SECONDS.get(kind, _OTHERWISE_SECONDS) if seconds is None else seconds,
        }
    processors = tuple(_processors(stream))
    processing: Value = {"Enabled": True, "Processors": processors} if processors else None
    backup = None if stream.backup is None else _place(stream, stream.backup, None, lowering)
    if sent is not None:
        about = About(_role(stream, lowering), place, hints, processing, backup, lowering)
        return {kind: sent(stream.endpoint, about)}
    told = known({"BufferingHints": hints, "ProcessingConfiguration": processing})
    if stream.partition_by is not None:
        told["DynamicPartitioningConfiguration"] = {"Enabled": True}
    if stream.table is not None:
        told["DataFormatConversionConfiguration"] = _conversion(stream, lowering)
    if backup is not None:
        told |= {"S3BackupMode": "Enabled", "S3BackupConfiguration": backup}
    return {kind: {**place, **told}}


def _conversion(stream: Stream, lowering: Lowering) -> dict[str, Value]:
    table = lower(stream.table)
    named = table.partition(".") if isinstance(table, str) else ("", "", "")
    database, name = (part or Unknown() for part in (named[0], named[2]))
    if not named[0] or not named[2]:
        misuse("D042", f"{table!r} is no table of Glue", help="write it as DATABASE.TABLE")
    schema: dict[str, Value] = {"RoleARN": _role(stream, lowering), "DatabaseName": database, "TableName": name}
    return {
        "Enabled": True,
        "SchemaConfiguration": {**schema, "Region": lowering.environment.region},
        "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {}}},
        "OutputFormatConfiguration": {"Serializer": {"OrcSerDe" if stream.format == "orc" else "ParquetSerDe": {}}},
    }


def _endpoint(endpoint: HttpEndpoint, about: About) -> dict[str, Value]:
    attributes = tuple(
        {"AttributeName": name, "AttributeValue": lower(value)} for name, value in (endpoint.attributes or {}).items()
    )
    request = known(
        {"ContentEncoding": "GZIP" if endpoint.gzip else None, "CommonAttributes": attributes if attributes else None}
    )
    return known(
        {
            "EndpointConfiguration": known({"Url": lower(endpoint.url), "Name": lower(endpoint.name)}),
            "RequestConfiguration": request or None,
            "SecretsManagerConfiguration": secret_of(lower(endpoint.secret), about.role),
            "RetryOptions": retrying(lower(endpoint.retry)),
            "S3BackupMode": "AllData" if endpoint.all else None,
            "RoleARN": about.role,
            "BufferingHints": about.hints,
            "ProcessingConfiguration": about.processing,
            "S3Configuration": about.place,
        }
    )


_ELSEWHERE: Mapping[type, tuple[str, Callable[[Any, About], dict[str, Value]]]] = {
    HttpEndpoint: (_HTTP, _endpoint),
    OpenSearch: (opensearch.MEMBER, opensearch.destination),
    Redshift: (redshift.MEMBER, redshift.destination),
    Splunk: (splunk.MEMBER, splunk.destination),
    Snowflake: (snowflake.MEMBER, snowflake.destination),
    Iceberg: (iceberg.MEMBER, iceberg.destination),
}


def _processors(stream: Stream) -> Iterator[dict[str, Value]]:
    """In the order in which they make sense of each other's records."""
    if stream.logs is not None:
        yield _processor("Decompression", CompressionFormat="GZIP")
        if lower(stream.logs) == "messages":
            yield _processor("CloudWatchLogProcessing", DataMessageExtraction="true")
    if stream.split is not None:
        told = lower(stream.split)
        if told == _JSON or not isinstance(told, str):
            yield _processor("RecordDeAggregation", SubRecordType=_JSON)
        else:
            delimiter = base64.b64encode(told.encode()).decode()
            yield _processor("RecordDeAggregation", SubRecordType="DELIMITED", Delimiter=delimiter)
    if stream.function is not None:
        yield _processor("Lambda", LambdaArn=lower(stream.function))
    if stream.partition_by is not None:
        query = lower(stream.partition_by)
        yield _processor("MetadataExtraction", MetadataExtractionQuery=query, JsonParsingEngine="JQ-1.6")
    if stream.newline:
        yield _processor("AppendDelimiterToRecord", Delimiter="\\n")


def _processor(kind: str, **parameters: Value) -> dict[str, Value]:
    told = tuple({"ParameterName": name, "ParameterValue": value} for name, value in parameters.items())
    return {"Type": kind, "Parameters": told}


def _encryption(stream: Stream, lowering: Lowering, *_: object) -> Value:
    """Of what is put, while it waits; a source that is read encrypts itself."""
    if not isinstance(stream.source, source.Kinesis | source.Kafka):
        key = lower(stream.kms_key)
        if key is not None:
            return {"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": key}
        if stream.encrypted:
            return {"KeyType": "AWS_OWNED_CMK"}
    elif stream.kms_key is not None:
        misuse(
            "D064", "kms_key encrypts what is put, and this stream reads a source", help="the source has a key itself"
        )
    return None


def _source(stream: Stream, lowering: Lowering, *_: object) -> Value:
    return {} if stream.source is None else source.members(stream.source, _role(stream, lowering))


_RECORDS = (opensearch.RECORD, redshift.RECORD, splunk.RECORD, snowflake.RECORD, iceberg.RECORD)


class Stream(DeclaredResource):
    """Records that are put are written below ``to`` (``s3://bucket/prefix``, with expressions like
    ``!{timestamp:yyyy}``), those that fail below the prefix ``errors``; or they are sent to an ``endpoint``, and ``to``
    has what that did not take. They are put, or taken from a ``source``. ``name`` is its name in the account.

    A buffer goes at ``size`` MiB or after ``seconds``; 0 is at once. Of a subscription to ``logs`` the ``"envelopes"``
    are unpacked, or the ``"messages"`` taken out of them. Records are ``split`` (``"JSON"``, or at a
    delimiter), changed by a ``function`` (its ARN), written into partitions by a query of jq (``partition_by``), and
    each ended with a ``newline``. With a ``table`` of Glue (``"database.table"``) its columns are written, in a
    ``format``, Parquet where none is given. ``backup`` is where all are written as they came.
    What is put is encrypted while it waits, by a key of the service's or by ``kms_key`` (its ARN), unless it is not to
    be ``encrypted``.
    """

    named_by: ClassVar[str | None] = "DeliveryStreamName"
    step_type = STEP_TYPE
    constructor = Constructor(
        (
            Field("to", "", TEXT, REQUIRED, to=_destination),
            Field("errors", f"{_S3}.ErrorOutputPrefix", TEXT, to=nothing),
            Field("endpoint", _HTTP, made(ENDPOINT, *_RECORDS), to=nothing),
            Field("size", f"{_S3}.BufferingHints.SizeInMBs", COUNT, to=nothing),
            Field("seconds", f"{_S3}.BufferingHints.IntervalInSeconds", COUNT, to=nothing),
            Field(
                "compression",
                f"{_S3}.CompressionFormat",
                choice(*get_args(Compression)),
                to=nothing,
            ),
            Field("logs", f"{_S3}.ProcessingConfiguration", choice(*get_args(Logs)), to=nothing),
            Field("split", f"{_S3}.ProcessingConfiguration", TEXT, to=nothing),
            Field("function", f"{_S3}.ProcessingConfiguration", TEXT, to=nothing),
            Field("partition_by", f"{_S3}.DynamicPartitioningConfiguration", TEXT, to=nothing),
            Field("newline", f"{_S3}.ProcessingConfiguration", FLAG, False, to=nothing),
            Field("table", f"{_S3}.DataFormatConversionConfiguration", TEXT, to=nothing),
            Field(
                "format",
                f"{_S3}.DataFormatConversionConfiguration.OutputFormatConfiguration",
                choice(*get_args(Format)),
                to=nothing,
            ),
            Field("backup", f"{_S3}.S3BackupConfiguration", TEXT, to=nothing),
            Field("source", "", made(source.KINESIS, source.KAFKA, source.CAPTURED), to=_source),
            Field("kms_key", "DeliveryStreamEncryptionConfigurationInput", TEXT, to=_encryption),
            Field("encrypted", "DeliveryStreamEncryptionConfigurationInput", FLAG, True, to=nothing),
            Field("role", f"{_S3}.RoleARN", TEXT, otherwise="role", to=nothing),
        ),
        yields={
            "DeliveryStreamName": Yielded("stream_name", STRING),
            "DeliveryStreamARN": Yielded("stream_arn", STRING),
        },
    )

    def __init__(
        self,
        name: str,
        *,
        to: Text,
        errors: Text | None = None,
        endpoint: HttpEndpoint | OpenSearch | Redshift | Splunk | Snowflake | Iceberg | None = None,
        source: Kinesis | Kafka | Captured | None = None,
        size: Count | None = None,
        seconds: Count | None = None,
        compression: Compression | None = None,
        logs: Logs | None = None,
        split: Text | None = None,
        function: Text | None = None,
        partition_by: Text | None = None,
        newline: Flag | None = None,
        table: Text | None = None,
        format: Format | None = None,
        backup: Text | None = None,
        kms_key: Text | None = None,
        encrypted: bool = True,
        role: Text | None = None,
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(name, tags, arguments)
        self.to, self.errors, self.endpoint, self.backup, self.role = to, errors, endpoint, backup, role
        self.source, self.kms_key, self.encrypted = source, kms_key, encrypted
        self.size, self.seconds, self.compression = size, seconds, compression
        self.logs = logs
        self.split, self.function, self.partition_by, self.newline = split, function, partition_by, newline
        self.table, self.format = table, format
        beside = {"partition_by": partition_by, "table": table}
        if not isinstance(endpoint, Redshift):
            beside["backup"] = backup
        given = next((name for name, value in beside.items() if value is not None), None)
        if format is not None and table is None:
            misuse("D064", "format says how rows of a table are written, and there is no table", help="give table")
        if endpoint is not None and given is not None:
            misuse("D064", f"{given} does not go with an endpoint", help="all=True of the endpoint keeps all records")

    def request(self, lowering: Lowering) -> dict[str, Value]:
        told = super().request(lowering)
        more = source.tags(self.source)
        if isinstance(self.endpoint, OpenSearch):
            more = {**more, **opensearch.tags(self.endpoint, lowering)}
        if more:
            told["Tags"] = tags(lowering, {**more, **self.tags})
        around = lowering.environment
        with speaking_of(self.where):
            reached = () if around.is_local else elsewhere.of_other_regions(told, around.region)
            for fault in (*pairing.of_request(told), *reached):
                misuse("D064", f"the stream {self.declared_name}: {fault}", help="see docs/streams.md")
        return told

    @property
    def stream_name(self) -> StringProperty:
        return StringProperty(self.name, "DeliveryStreamName")

    @property
    def stream_arn(self) -> StringProperty:
        """For the policy or the subscription that names it."""
        return StringProperty(self.name, "DeliveryStreamARN")
