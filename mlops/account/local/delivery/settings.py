"""What a stream was made with, as the delivery of its records reads it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from mlops.account.local.delivery.bodies import EXTENSIONS
from mlops.ir.dataclass import dataclass
from mlops.knowledge.streams.names import Naming

MIB = 1024 * 1024
S3, HTTP, OPENSEARCH = "ExtendedS3", "HttpEndpoint", "Amazonopensearchservice"
DEFAULT_SIZE, CONVERTED_SIZE, DEFAULT_INTERVAL = 5, 128, {S3: 300, HTTP: 60, OPENSEARCH: 300}
ZERO_SECONDS = 0.5
"""What zero buffering waits for company: "within a few seconds", says the guide."""
DEFAULT_RETRY_SECONDS = 300
_ALL = {HTTP: "AllData", OPENSEARCH: "AllDocuments"}
"""The mode in which all that is sent elsewhere is written to S3, too."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where objects are written."""

    bucket: str
    naming: Naming
    compression: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``address`` is where requests go; ``url`` is what the stream was made with. ``secret`` is the ARN of the secret
    that holds the key, where that is not given."""

    url: str
    address: str
    access_key: str | None
    secret: str | None
    gzip: bool
    attributes: Mapping[str, str]
    retry_seconds: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """Of OpenSearch, at ``address``. ``with_ids``: documents are told their ids, and one that is sent again replaces
    itself."""

    address: str
    index: str
    rotation: str
    type: str
    with_ids: bool
    retry_seconds: int


@dataclass(frozen=True, slots=True)
class Processor:
    type: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Settings:
    """``errors`` is where failed records go, ``backup`` where all go as they came, if anywhere. Records go to
    ``endpoint`` or ``cluster`` where there is one, and to ``errors`` else."""

    stream: str
    arn: str
    size: int
    interval_seconds: float
    errors: Place
    backup: Place | None
    processors: tuple[Processor, ...]
    partitioned: bool
    endpoint: Endpoint | None
    cluster: Cluster | None
    conversion: Mapping[str, Any] | None


def settings(stream: str, arn: str, body: Mapping[str, Any], deliver_to: str | None = None) -> Settings:
    """``body`` is what the account keeps of a stream, ``deliver_to`` the address that stands for its URL here."""
    kind, given = body["Kind"], body["Destination"]
    hints = given.get("BufferingHints") or {}
    size = CONVERTED_SIZE if converted(given) and not hints else DEFAULT_SIZE
    interval = hints.get("IntervalInSeconds", DEFAULT_INTERVAL[kind])
    incarnation, version = uuid.UUID(body["Incarnation"]), str(body["Version"])
    main = given if kind == S3 else given["S3Configuration"]
    errors = _place(stream, version, incarnation, main, _extension(main))
    backup = None
    if kind in _ALL and given.get("S3BackupMode") == _ALL[kind]:
        backup = errors
    elif kind == S3 and given.get("S3BackupMode") == "Enabled":
        source = given["S3BackupConfiguration"]
        backup = _place(stream, version, incarnation, source, _extension(source))
    processing = given.get("ProcessingConfiguration") or {}
    return Settings(
        stream,
        arn,
        hints.get("SizeInMBs", size) * MIB,
        interval or ZERO_SECONDS,
        errors,
        backup,
        tuple(
            Processor(
                item["Type"],
                {named["ParameterName"]: named["ParameterValue"] for named in item.get("Parameters") or ()},
            )
            for item in (processing.get("Processors") or () if processing.get("Enabled") else ())
        ),
        bool((given.get("DynamicPartitioningConfiguration") or {}).get("Enabled")),
        _endpoint(given, deliver_to) if kind == HTTP else None,
        _cluster(given, deliver_to) if kind == OPENSEARCH else None,
        converted(given),
    )


def converted(given: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The conversion that a destination asks for."""
    told: Mapping[str, Any] | None = given.get("DataFormatConversionConfiguration")
    return told if told and told.get("Enabled", True) else None


def _place(stream: str, version: str, incarnation: uuid.UUID, given: Mapping[str, Any], extension: str) -> Place:
    naming = Naming(
        stream,
        version,
        incarnation,
        given.get("Prefix") or "",
        given.get("ErrorOutputPrefix") or "",
        extension,
        given.get("CustomTimeZone") or "UTC",
    )
    return Place(given["BucketARN"].rpartition(":")[2], naming, given.get("CompressionFormat") or "UNCOMPRESSED")


def _extension(given: Mapping[str, Any]) -> str:
    if given.get("FileExtension"):
        return str(given["FileExtension"])
    conversion = converted(given)
    if conversion is not None:
        return ".orc" if "OrcSerDe" in conversion["OutputFormatConfiguration"]["Serializer"] else ".parquet"
    return EXTENSIONS[given.get("CompressionFormat") or "UNCOMPRESSED"]


def _endpoint(given: Mapping[str, Any], deliver_to: str | None) -> Endpoint:
    asked, secret = given["EndpointConfiguration"], given.get("SecretsManagerConfiguration") or {}
    request = given.get("RequestConfiguration") or {}
    return Endpoint(
        asked["Url"],
        deliver_to or asked["Url"],
        asked.get("AccessKey"),
        secret.get("SecretARN") if secret.get("Enabled") else None,
        request.get("ContentEncoding") == "GZIP",
        {item["AttributeName"]: item["AttributeValue"] for item in request.get("CommonAttributes") or ()},
        (given.get("RetryOptions") or {}).get("DurationInSeconds", DEFAULT_RETRY_SECONDS),
    )


def _cluster(given: Mapping[str, Any], deliver_to: str | None) -> Cluster:
    ids = (given.get("DocumentIdOptions") or {}).get("DefaultDocumentIdFormat")
    return Cluster(
        deliver_to or given["ClusterEndpoint"],
        given["IndexName"],
        given.get("IndexRotationPeriod") or "OneDay",
        given.get("TypeName") or "",
        ids != "NO_DOCUMENT_ID",
        (given.get("RetryOptions") or {}).get("DurationInSeconds", DEFAULT_RETRY_SECONDS),
    )
