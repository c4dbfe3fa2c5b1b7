"""Members of a stream's destination that do not go together, or that another one has to stand beside: what the model of
the service does not say.

Sources: the guide's pages on buffering hints, custom prefixes, dynamic partitioning, record format conversion, and on
each destination and source.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from mlops.knowledge.streams import names

LEAST_MIB = 64
"""Of a buffer whose records are partitioned or converted."""
_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "Lambda": ("LambdaArn",),
    "MetadataExtraction": ("MetadataExtractionQuery", "JsonParsingEngine"),
    "RecordDeAggregation": ("SubRecordType",),
}
"""What a processor cannot be without."""
_RANGES = {"NumberOfRetries": (0, 300), "BufferSizeInMBs": (0.2, 3), "BufferIntervalInSeconds": (0, 900)}
_WHOLE = ("NumberOfRetries", "BufferIntervalInSeconds")
_PLACES = ("S3Configuration", "S3BackupConfiguration")
_DESTINATION = "DestinationConfiguration"
_SOURCES = {
    "KinesisStreamAsSource": "KinesisStreamSourceConfiguration",
    "MSKAsSource": "MSKSourceConfiguration",
    "DatabaseAsSource": "DatabaseSourceConfiguration",
}
_DIRECT = "DirectPut"
ENCRYPTED = "DeliveryStreamEncryptionConfigurationInput"
"""Of what is put, while it waits."""
_NO_INDEX = re.compile(r'[A-Z\\/*?"<>|\s,#:]|^[_+-]')
_LOADED = {
    "VARIANT_CONTENT_MAPPING": ("ContentColumnName",),
    "VARIANT_CONTENT_AND_METADATA_MAPPING": ("ContentColumnName", "MetaDataColumnName"),
}
_BESIDE_SECRET = {
    "Redshift": ("Username", "Password"),
    "Splunk": ("HECToken",),
    "Snowflake": ("User", "PrivateKey"),
}
"""What a destination has to be told where no secret of Secrets Manager says it."""


def of_request(request: Mapping[str, Any]) -> Iterator[str]:
    """Of a request that makes a stream, or of the properties of one in a template."""
    given = [member for member in request if member.endswith(_DESTINATION) and request[member] is not None]
    if len(given) != 1:
        yield "Exactly one destination configuration is supported for a Firehose"
    yield from _source(request)
    for member in given:
        destination = request[member]
        if isinstance(destination, Mapping):
            yield from faults(destination)
            yield from _of_kind(member.removesuffix(_DESTINATION), destination)


def _source(request: Mapping[str, Any]) -> Iterator[str]:
    kind = request.get("DeliveryStreamType") or _DIRECT
    if not isinstance(kind, str):
        return
    for source, member in _SOURCES.items():
        if kind == source and request.get(member) is None:
            yield f"{member} must be specified when DeliveryStreamType is {source}"
        if kind != source and request.get(member) is not None:
            yield f"{member} can only be specified when DeliveryStreamType is {source}, and not with {kind}"
    yield from encryption(request)
    if kind != _DIRECT and request.get(ENCRYPTED) is not None:
        yield f"Server-side encryption is for what is put: with {kind} the source encrypts"


def encryption(request: Mapping[str, Any]) -> Iterator[str]:
    """Which key goes with which type."""
    asked = _table(request.get(ENCRYPTED)) or {}
    if asked.get("KeyType") == "CUSTOMER_MANAGED_CMK" and asked.get("KeyARN") is None:
        yield f"{ENCRYPTED}: KeyARN must be specified when KeyType is CUSTOMER_MANAGED_CMK"
    if asked.get("KeyType") == "AWS_OWNED_CMK" and asked.get("KeyARN") is not None:
        yield f"{ENCRYPTED}: KeyARN must not be specified when KeyType is AWS_OWNED_CMK"


def faults(destination: Mapping[str, Any]) -> Iterator[str]:
    """Of a destination as CreateDeliveryStream takes it; what is no plain value is left alone."""
    given = processors(destination)
    logged = _table(destination.get("CloudWatchLoggingOptions")) or {}
    if logged.get("Enabled") is True:
        for member in ("LogGroupName", "LogStreamName"):
            if not logged.get(member):
                yield f"CloudWatchLoggingOptions: {member} must be specified when it is Enabled"
    partitioned = _enabled(destination.get("DynamicPartitioningConfiguration"), otherwise=False)
    converted = _enabled(destination.get("DataFormatConversionConfiguration"), otherwise=True)
    yield from _buffer(_table(destination.get("BufferingHints")), partitioned, converted)
    for place in (destination, *(_table(destination.get(name)) for name in _PLACES)):
        if place is not None and "BucketARN" in place:
            yield from _prefixes(place, partitioned=partitioned and place is destination)
    backup = destination.get("S3BackupMode") == "Enabled"
    if backup and "BucketARN" in destination and not destination.get("S3BackupConfiguration"):
        yield "S3BackupConfiguration must be specified when S3BackupMode is Enabled"
    if converted and destination.get("CompressionFormat") not in (None, "UNCOMPRESSED"):
        yield "CompressionFormat must be UNCOMPRESSED when data format conversion is enabled"
    if converted:
        yield from _conversion(_table(destination["DataFormatConversionConfiguration"]) or {})
    for processor in given:
        yield from _processor(processor)
    kinds = {processor.get("Type") for processor in given}
    if "CloudWatchLogProcessing" in kinds and "Decompression" not in kinds:
        yield "CloudWatchLogProcessing needs a processor of type Decompression: what logs send is compressed"
    if partitioned and not kinds & {"Lambda", "MetadataExtraction"}:
        yield "Dynamic partitioning needs a processor of type MetadataExtraction or Lambda"
    if partitioned and "Lambda" not in kinds:
        yield from _partition_keys(destination, given)
    if not partitioned and "MetadataExtraction" in kinds:
        yield "MetadataExtraction processor can only be present when Dynamic Partitioning is enabled."


def _of_kind(kind: str, given: Mapping[str, Any]) -> Iterator[str]:
    """What one kind of destination says besides."""
    for member in _BESIDE_SECRET.get(kind, ()):
        secret = _enabled(given.get("SecretsManagerConfiguration"), otherwise=False)
        if secret and given.get(member) is not None:
            yield f"{member} must not be specified when SecretsManagerConfiguration is enabled"
        if not secret and given.get(member) is None and "SecretsManagerConfiguration" not in given:
            yield f"{member} must be specified when SecretsManagerConfiguration is not enabled"
    match kind:
        case "Amazonopensearchservice" | "Elasticsearch":
            if (given.get("DomainARN") is None) == (given.get("ClusterEndpoint") is None):
                yield "Exactly one of DomainARN and ClusterEndpoint must be specified"
            yield from _index(given.get("IndexName"))
        case "AmazonOpenSearchServerless":
            yield from _index(given.get("IndexName"))
        case "Redshift":
            place = _table(given.get("S3Configuration")) or {}
            if place.get("CompressionFormat") in ("ZIP", "Snappy", "HADOOP_SNAPPY"):
                yield f"COPY of Redshift reads no {place['CompressionFormat']}: it is UNCOMPRESSED or GZIP"
            if given.get("S3BackupMode") == "Enabled" and not given.get("S3BackupConfiguration"):
                yield "S3BackupConfiguration must be specified when S3BackupMode is Enabled"
        case "Snowflake":
            for member in _LOADED.get(str(given.get("DataLoadingOption")), ()):
                if given.get(member) is None:
                    yield f"{member} must be specified when DataLoadingOption is {given['DataLoadingOption']}"
        case "Iceberg":
            catalog = _table(given.get("CatalogConfiguration"))
            named = ("CatalogARN", "CatalogArn", "WarehouseLocation")  # a template spells it the second way
            if catalog is not None and not any(catalog.get(member) for member in named):
                yield "CatalogConfiguration needs CatalogARN or WarehouseLocation"


def _index(name: object) -> Iterator[str]:
    if isinstance(name, str) and _NO_INDEX.search(name):
        yield (
            f"IndexName {name!r} is none of an index: that has small letters, no spaces, none of / * ? < > | , # : and "
            "quotes, and does not begin with _ - or +"
        )


def processors(destination: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Those that are enabled."""
    processing = _table(destination.get("ProcessingConfiguration")) or {}
    listed = processing.get("Processors")
    if not processing.get("Enabled") or not isinstance(listed, list | tuple):
        return []
    return [item for item in listed if isinstance(item, Mapping)]


def parameters(processor: Mapping[str, Any]) -> dict[str, Any]:
    listed = processor.get("Parameters")
    items = listed if isinstance(listed, list | tuple) else ()
    return {str(item.get("ParameterName")): item.get("ParameterValue") for item in items if isinstance(item, Mapping)}


def _table(value: object) -> Mapping[str, Any] | None:
    return value if isinstance(value, Mapping) else None


def _enabled(value: object, *, otherwise: bool) -> bool:
    return isinstance(value, Mapping) and bool(value.get("Enabled", otherwise))


def _buffer(hints: Mapping[str, Any] | None, partitioned: bool, converted: bool) -> Iterator[str]:
    if hints is not None and ("SizeInMBs" in hints) != ("IntervalInSeconds" in hints):
        yield "BufferingHints: SizeInMBs and IntervalInSeconds must be specified together"
        return
    size = (hints or {}).get("SizeInMBs", None if converted and not partitioned else 5)
    why = "Dynamic Partitioning is enabled" if partitioned else "data format conversion is enabled"
    if (partitioned or converted) and isinstance(size, int) and size < LEAST_MIB:
        yield f"BufferingHints.SizeInMBs must be at least {LEAST_MIB} when {why}."
    if partitioned and hints is not None and hints["IntervalInSeconds"] == 0:
        yield "Zero buffering is not available when Dynamic Partitioning is enabled."


def _conversion(asked: Mapping[str, Any]) -> Iterator[str]:
    schema = _table(asked.get("SchemaConfiguration")) or {}
    for member in ("DatabaseName", "TableName"):
        if not schema.get(member):
            yield f"SchemaConfiguration.{member} must be specified when data format conversion is enabled"
    for member, inside, kinds in (
        ("InputFormatConfiguration", "Deserializer", ("OpenXJsonSerDe", "HiveJsonSerDe")),
        ("OutputFormatConfiguration", "Serializer", ("ParquetSerDe", "OrcSerDe")),
    ):
        given = _table((_table(asked.get(member)) or {}).get(inside)) or {}
        if sum(kind in given for kind in kinds) != 1:
            yield f"{member}.{inside} must be one of {' and '.join(kinds)} when data format conversion is enabled"


def _prefixes(place: Mapping[str, Any], *, partitioned: bool) -> Iterator[str]:
    zone, prefix, errors = place.get("CustomTimeZone"), place.get("Prefix") or "", place.get("ErrorOutputPrefix") or ""
    if isinstance(prefix, str) and isinstance(errors, str):
        try:
            names.judge(prefix, errors, partitioned=partitioned)
        except names.BadPrefix as error:
            yield str(error)
    if zone and isinstance(zone, str):
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            yield f"CustomTimeZone {zone} is not known"


def _processor(processor: Mapping[str, Any]) -> Iterator[str]:
    kind, given = str(processor.get("Type")), parameters(processor)
    lacking = next((name for name in _PARAMETERS.get(kind, ()) if name not in given), None)
    if lacking is not None:
        yield f"Processor {kind} needs the parameter {lacking}"
        return
    for name, (least, most) in _RANGES.items():
        value, whole = given.get(name), name in _WHOLE
        if isinstance(value, str) and not _between(value, least, most, whole=whole):
            yield f"{name} must be a {'whole ' if whole else ''}number from {least:g} to {most:g}, and not {value!r}"
    if kind == "RecordDeAggregation":
        sort, delimiter = given["SubRecordType"], given.get("Delimiter")
        if isinstance(sort, str) and sort not in ("JSON", "DELIMITED"):
            yield "SubRecordType must be JSON or DELIMITED"
        if sort == "DELIMITED" and not delimiter:
            yield "Delimiter must be specified when SubRecordType is DELIMITED"
        elif sort == "DELIMITED" and isinstance(delimiter, str) and not _is_base64(delimiter):
            yield f"Delimiter must be in base64, and {delimiter!r} is not"


_ASKED_KEY = re.compile(r"!\{partitionKeyFromQuery:([^}]*)\}")
_FLAT_QUERY = re.compile(r"\s*\{[^{}]*\}\s*")
_MADE_KEY = re.compile(r"""[{,]\s*["']?(\w+)["']?\s*(?=[:,}])""")


def _partition_keys(destination: Mapping[str, Any], given: list[Mapping[str, Any]]) -> Iterator[str]:
    """Of queries that make a plain object; what others make, jq alone knows."""
    queries = [
        parameters(item).get("MetadataExtractionQuery") for item in given if item.get("Type") == "MetadataExtraction"
    ]
    prefix = destination.get("Prefix")
    if not isinstance(prefix, str) or len(queries) != 1:
        return
    (query,) = queries
    if not isinstance(query, str) or _FLAT_QUERY.fullmatch(query) is None:
        return
    made = set(_MADE_KEY.findall(query))
    for key in dict.fromkeys(_ASKED_KEY.findall(prefix)):
        if key not in made:
            yield f"Prefix asks for the partition key {key}, and the query makes {', '.join(sorted(made)) or 'none'}"


def _between(text: str, least: float, most: float, *, whole: bool) -> bool:
    try:
        return least <= (int(text) if whole else float(text)) <= most
    except ValueError:
        return False


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return False
