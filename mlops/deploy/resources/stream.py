"""Streams of Data Firehose, declared beside pipelines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.ir.resource import Call, Kept, ResourceType
from mlops.knowledge.streams.pairing import ENCRYPTED


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of destination: what the service fills in of its ``hints``, its ``retry`` in seconds and the mode of its
    ``backup``; and the members that an update does not take."""

    hints: Mapping[str, int]
    retry: int = 300
    backup: str = "FailedDataOnly"
    fixed: tuple[str, ...] = ()


_OBJECTS = _Kind({"SizeInMBs": 5, "IntervalInSeconds": 300}, backup="Disabled")
_KINDS: Mapping[str, _Kind] = {
    "ExtendedS3": _OBJECTS,
    "HttpEndpoint": _Kind({"SizeInMBs": 5, "IntervalInSeconds": 60}),
    "Amazonopensearchservice": _Kind(
        {"SizeInMBs": 5, "IntervalInSeconds": 300},
        backup="FailedDocumentsOnly",
        fixed=("S3BackupMode", "VpcConfiguration"),
    ),
    "Redshift": _Kind({}, 3600, "Disabled"),
    "Splunk": _Kind({"SizeInMBs": 5, "IntervalInSeconds": 60}, backup="FailedEventsOnly"),
    "Snowflake": _Kind({"SizeInMBs": 128, "IntervalInSeconds": 0}, 60, fixed=("SnowflakeVpcConfiguration",)),
    "Iceberg": _Kind({"SizeInMBs": 5, "IntervalInSeconds": 300}),
}
_CONFIGURED = {f"{kind}DestinationConfiguration": f"{kind}DestinationDescription" for kind in _KINDS}
"""What a destination is called when it is made, and when it is told."""
_INSIDE = {
    "S3Configuration": "S3DestinationDescription",
    "S3BackupConfiguration": "S3BackupDescription",
    "VpcConfiguration": "VpcConfigurationDescription",
}
_CHANGED = {"S3Configuration": "S3Update", "S3BackupConfiguration": "S3BackupUpdate"}
_SOURCES = {
    "KinesisStreamSourceConfiguration": "KinesisStreamSourceDescription",
    "MSKSourceConfiguration": "MSKSourceDescription",
}
_WHOLE = frozenset({"IcebergDestinationConfiguration"})
"""Whose update takes the place of what failed as it is."""
_FILLED: Mapping[str, tuple[Any, ...]] = {
    "CompressionFormat": ("UNCOMPRESSED",),
    "CustomTimeZone": ("UTC",),
    "EncryptionConfiguration": ({"NoEncryptionConfig": "NoEncryption"},),
    "CloudWatchLoggingOptions": ({"Enabled": False},),
    "ProcessingConfiguration": ({"Enabled": False}, {"Enabled": False, "Processors": []}),
    "DynamicPartitioningConfiguration": ({"Enabled": False},),
    "DataFormatConversionConfiguration": ({"Enabled": False},),
    "IndexRotationPeriod": ("OneDay",),
    "DocumentIdOptions": ({"DefaultDocumentIdFormat": "FIREHOSE_DEFAULT"},),
    "DataLoadingOption": ("JSON_MAPPING",),
    "SnowflakeRoleConfiguration": ({"Enabled": False},),
    "AppendOnly": (False,),
    "RequestConfiguration": ({"ContentEncoding": "NONE"}, {"ContentEncoding": "NONE", "CommonAttributes": []}),
    "SecretsManagerConfiguration": ({"Enabled": False},),
}
"""What the service says where nothing was said."""
_CLEARED: Mapping[str, Any] = {
    "BufferingHints": _OBJECTS.hints,
    "Prefix": "",
    "ErrorOutputPrefix": "",
    "FileExtension": "",
    **{member: values[0] for member, values in _FILLED.items()},
}
_DEFAULT_PARAMETERS = {"NumberOfRetries": "3", "BufferIntervalInSeconds": "60"}
_UNDER_WAY = ("CREATING", "DELETING")
_TOLD_ENCRYPTED = "DeliveryStreamEncryptionConfiguration"
_ENCRYPTS = ("ENABLING", "DISABLING")
_IN_CLEAR = ("DISABLED", "DISABLING", "ENABLING_FAILED")


def _form(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """The destination without what the service fills in, and the source; what no update takes stands for itself."""
    told: dict[str, Any] = {
        member: dict(properties[member]) for member in (*_SOURCES, ENCRYPTED) if properties.get(member)
    }
    for member in _CONFIGURED:
        if properties.get(member):
            kind, given = _kind(member), _destination(properties[member], _kind(member))
            told |= {f"{member}.{name}": given.pop(name) for name in kind.fixed if name in given}
            told[member] = given
    return told


def _kind(member: str) -> _Kind:
    return _KINDS[member.removesuffix("DestinationConfiguration")]


def _destination(given: Mapping[str, Any], kind: _Kind) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for member, value in given.items():
        if value in (None, "", [], {}) or value in _FILLED.get(member, ()):
            continue
        match member:
            case "S3BackupConfiguration" if given.get("S3BackupMode") == "Disabled":
                continue  # the service keeps it, and writes nothing there
            case "S3Configuration" | "S3BackupConfiguration":
                # The hints of a backup are not the stream's own.
                told[member] = _destination(value, _OBJECTS)
            case "BufferingHints":
                if dict(value) != kind.hints:
                    told[member] = dict(value)
            case "S3BackupMode":
                if value != kind.backup:
                    told[member] = value
            case "RetryOptions":
                if value.get("DurationInSeconds", kind.retry) != kind.retry:
                    told[member] = dict(value)
            case "VpcConfiguration":
                told[member] = {name: item for name, item in value.items() if name != "VpcId"}
            case "ProcessingConfiguration":
                told[member] = {**value, "Processors": [_processor(item) for item in value.get("Processors", ())]}
            case "DynamicPartitioningConfiguration":
                told[member] = {name: item for name, item in value.items() if item != {"DurationInSeconds": 300}}
            case "EndpointConfiguration":
                # The service does not tell a key.
                told[member] = {name: item for name, item in value.items() if name != "AccessKey" and item}
            case "Password" | "PrivateKey" | "KeyPassphrase" | "HECToken":
                continue  # nor these, or it should not
            case _:
                told[member] = value
    return told


def _processor(item: Mapping[str, Any]) -> dict[str, Any]:
    parameters = sorted(
        (
            dict(named)
            for named in item.get("Parameters", ())
            if _DEFAULT_PARAMETERS.get(named["ParameterName"]) != named["ParameterValue"]
        ),
        key=lambda named: str(named["ParameterName"]),
    )
    return {**item, "Parameters": parameters} if parameters else {"Type": item["Type"]}


def _read(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    description = reply["DeliveryStreamDescription"]
    destination = description["Destinations"][0]
    told: dict[str, Any] = {ENCRYPTED: _encryption(description)}
    for kind, described in _SOURCES.items():
        given = (description.get("Source") or {}).get(described)
        if given:
            told[kind] = {name: item for name, item in given.items() if name != "DeliveryStartTimestamp"}
    for kind, described in _CONFIGURED.items():
        if described in destination:
            given = dict(destination[described])
            for configured, inside in _INSIDE.items():
                if inside in given:
                    given[configured] = given.pop(inside)
            told[kind] = given
    return _form(told)


def _encryption(description: Mapping[str, Any]) -> dict[str, Any]:
    """As it is asked for. A stream that is about to have one is said to."""
    given = description.get(_TOLD_ENCRYPTED) or {}
    if not given.get("KeyType") or given.get("Status") in _IN_CLEAR:
        return {}
    return {member: given[member] for member in ("KeyType", "KeyARN") if given.get(member) and _says(given, member)}


def _says(given: Mapping[str, Any], member: str) -> bool:
    return member == "KeyType" or given["KeyType"] == "CUSTOMER_MANAGED_CMK"


def _change(name: str, properties: Mapping[str, Any], reply: Mapping[str, Any]) -> tuple[Call, ...]:
    """What is not said any more is said to be nothing: members that are left out stay as they were."""
    before, told = _read(reply), reply["DeliveryStreamDescription"]
    asked: dict[str, Any] = {}
    for kind in _CONFIGURED:
        if kind in properties:
            was = before.get(kind, {})
            known = _kind(kind)
            filled: dict[str, Any] = {"BufferingHints": known.hints} if known.hints else {}
            if "RetryOptions" in was:
                filled["RetryOptions"] = {"DurationInSeconds": known.retry}
            if "S3BackupMode" in was:
                filled["S3BackupMode"] = known.backup
            update = {**_gone(was, properties[kind]), **filled, **properties[kind]}
            update = {member: value for member, value in update.items() if member not in known.fixed}
            for configured, changed in _CHANGED.items() if kind not in _WHOLE else ():
                if configured in update:
                    given = update.pop(configured)
                    update[changed] = {**_gone(was.get(configured, {}), given), **given}
            asked[kind.replace("Configuration", "Update")] = update
    encrypts = tuple(_encrypts(name, before.get(ENCRYPTED), properties.get(ENCRYPTED)))
    if encrypts and all(
        before.get(member) == value for member, value in _form(properties).items() if member != ENCRYPTED
    ):
        return encrypts
    return (
        Call(
            "UpdateDestination",
            {
                "DeliveryStreamName": name,
                "CurrentDeliveryStreamVersionId": told["VersionId"],
                "DestinationId": told["Destinations"][0]["DestinationId"],
                **asked,
            },
        ),
        *encrypts,
    )


def _encrypts(name: str, before: Any, now: Any) -> Iterator[Call]:
    if now and now != before:
        yield Call("StartDeliveryStreamEncryption", {"DeliveryStreamName": name, ENCRYPTED: dict(now)})
    elif before and not now:
        yield Call("StopDeliveryStreamEncryption", {"DeliveryStreamName": name})


def _gone(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    return {member: _CLEARED[member] for member in before if member not in now and member in _CLEARED}


def _busy(reply: Mapping[str, Any]) -> str | None:
    described = reply.get("DeliveryStreamDescription", {})
    status = str(described.get("DeliveryStreamStatus", ""))
    if status in _UNDER_WAY:
        return status.lower()
    encrypted = str((described.get(_TOLD_ENCRYPTED) or {}).get("Status", ""))
    return f"{encrypted.lower()} its encryption" if encrypted in _ENCRYPTS else None


def _failed(reply: Mapping[str, Any]) -> str | None:
    given = reply.get("DeliveryStreamDescription", {}).get(_TOLD_ENCRYPTED) or {}
    if not str(given.get("Status", "")).endswith("_FAILED"):
        return None
    why = given.get("FailureDescription") or {}
    return f"its encryption is {given['Status']}: {why.get('Type')}: {why.get('Details')}"


_DELIVERED_HERE = ("ExtendedS3", "HttpEndpoint", "Amazonopensearchservice")
_READ_ELSEWHERE = {"KinesisStreamSourceConfiguration": "Kinesis", "MSKSourceConfiguration": "Kafka"}


def _not_here(properties: Mapping[str, Any]) -> str | None:
    """Destinations and sources that only AWS has."""
    kinds = [kind for kind in _KINDS if f"{kind}DestinationConfiguration" in properties]
    lacking = [f"delivery to {kind}" for kind in kinds if kind not in _DELIVERED_HERE]
    lacking += [f"reading from {kind}" for member, kind in _READ_ELSEWHERE.items() if member in properties]
    return " and no ".join(lacking) or None


_ICEBERG = "IcebergDestinationConfiguration"


def _templated(name: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """Two members of one destination are spelt otherwise in a template than in a request."""
    if _ICEBERG not in properties:
        return properties
    given = dict(properties[_ICEBERG])
    if "S3BackupMode" in given:
        given["s3BackupMode"] = given.pop("S3BackupMode")
    if "CatalogConfiguration" in given:
        spelt = {"CatalogARN": "CatalogArn"}
        given["CatalogConfiguration"] = {spelt.get(k, k): v for k, v in given["CatalogConfiguration"].items()}
    return {**properties, _ICEBERG: given}


RESOURCE_TYPE = ResourceType(
    type="stream",
    service="firehose",
    cloudformation="AWS::KinesisFirehose::DeliveryStream",
    describe=lambda name: (Call("DescribeDeliveryStream", {"DeliveryStreamName": name}),),
    read=_read,
    create=lambda name, properties: (Call("CreateDeliveryStream", {"DeliveryStreamName": name, **properties}),),
    update=None,
    delete=lambda name, inside: (Call("DeleteDeliveryStream", {"DeliveryStreamName": name}),),
    permissions=("iam:PassRole",),
    templated=_templated,
    anew=frozenset({*_SOURCES, *(f"{member}.{name}" for member in _CONFIGURED for name in _kind(member).fixed)}),
    kept=Kept(
        called=r"[a-zA-Z0-9_.-]{1,64}",
        arn="arn:{partition}:firehose:{region}:{account}:deliverystream/{name}",
        tags=lambda arn, name: Call("ListTagsForDeliveryStream", {"DeliveryStreamName": name}),
        told=lambda reply: {item["Key"]: item.get("Value", "") for item in reply["Tags"]},
        tag=lambda arn, name, tags: Call("TagDeliveryStream", {"DeliveryStreamName": name, "Tags": tags}),
        change=_change,
        found=lambda reply: bool(reply.get("DeliveryStreamDescription")),
        form=_form,
        busy=_busy,
        failed=_failed,
        behind=("key",),
        not_here=_not_here,
    ),
)
