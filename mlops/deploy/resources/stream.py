"""Streams of Data Firehose, declared beside pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.ir.resource import Call, Kept, ResourceType

_CONFIGURED = {
    "ExtendedS3DestinationConfiguration": "ExtendedS3DestinationDescription",
    "HttpEndpointDestinationConfiguration": "HttpEndpointDestinationDescription",
}
"""What a destination is called when it is made, and when it is told."""
_INSIDE = {"S3Configuration": "S3DestinationDescription", "S3BackupConfiguration": "S3BackupDescription"}
_CHANGED = {"S3Configuration": "S3Update", "S3BackupConfiguration": "S3BackupUpdate"}
_HINTS = {
    "ExtendedS3DestinationConfiguration": {"SizeInMBs": 5, "IntervalInSeconds": 300},
    "HttpEndpointDestinationConfiguration": {"SizeInMBs": 5, "IntervalInSeconds": 60},
}
_FILLED: Mapping[str, tuple[Any, ...]] = {
    "CompressionFormat": ("UNCOMPRESSED",),
    "CustomTimeZone": ("UTC",),
    "EncryptionConfiguration": ({"NoEncryptionConfig": "NoEncryption"},),
    "CloudWatchLoggingOptions": ({"Enabled": False},),
    "S3BackupMode": ("Disabled", "FailedDataOnly"),
    "ProcessingConfiguration": ({"Enabled": False}, {"Enabled": False, "Processors": []}),
    "DynamicPartitioningConfiguration": ({"Enabled": False},),
    "DataFormatConversionConfiguration": ({"Enabled": False},),
    "RetryOptions": ({"DurationInSeconds": 300},),
    "RequestConfiguration": ({"ContentEncoding": "NONE"}, {"ContentEncoding": "NONE", "CommonAttributes": []}),
    "SecretsManagerConfiguration": ({"Enabled": False},),
}
"""What the service says where nothing was said."""
_CLEARED: Mapping[str, Any] = {
    "Prefix": "",
    "ErrorOutputPrefix": "",
    "FileExtension": "",
    **{member: values[0] for member, values in _FILLED.items()},
}
_DEFAULT_PARAMETERS = {"NumberOfRetries": "3", "BufferIntervalInSeconds": "60"}
_UNDER_WAY = ("CREATING", "DELETING")


def _form(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """Destinations without what the service fills in."""
    return {
        kind: _destination(properties[kind], _HINTS[kind]) for kind in _CONFIGURED if properties.get(kind) is not None
    }


def _destination(given: Mapping[str, Any], hints: Mapping[str, int]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for member, value in given.items():
        if value in (None, "", [], {}) or value in _FILLED.get(member, ()):
            continue
        match member:
            case "S3BackupConfiguration" if given.get("S3BackupMode") == "Disabled":
                continue  # the service keeps it, and writes nothing there
            case "S3Configuration" | "S3BackupConfiguration":
                # The hints of a backup are not the stream's own.
                told[member] = _destination(value, _HINTS["ExtendedS3DestinationConfiguration"])
            case "BufferingHints":
                if dict(value) != hints:
                    told[member] = dict(value)
            case "ProcessingConfiguration":
                told[member] = {**value, "Processors": [_processor(item) for item in value.get("Processors", ())]}
            case "DynamicPartitioningConfiguration":
                told[member] = {name: item for name, item in value.items() if item not in _FILLED["RetryOptions"]}
            case "EndpointConfiguration":
                # The service does not tell a key.
                told[member] = {name: item for name, item in value.items() if name != "AccessKey" and item}
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
    destination = reply["DeliveryStreamDescription"]["Destinations"][0]
    told: dict[str, Any] = {}
    for kind, described in _CONFIGURED.items():
        if described in destination:
            given = dict(destination[described])
            for configured, inside in _INSIDE.items():
                if inside in given:
                    given[configured] = given.pop(inside)
            told[kind] = given
    return _form(told)


def _change(name: str, properties: Mapping[str, Any], reply: Mapping[str, Any]) -> tuple[Call, ...]:
    """What is not said any more is said to be nothing: members that are left out stay as they were."""
    before, told = _read(reply), reply["DeliveryStreamDescription"]
    asked: dict[str, Any] = {}
    for kind in _CONFIGURED:
        if kind in properties:
            was = before.get(kind, {})
            hints = {} if "BufferingHints" in properties[kind] else {"BufferingHints": _HINTS[kind]}
            update = {**_gone(was, properties[kind]), **hints, **properties[kind]}
            for configured, changed in _CHANGED.items():
                if configured in update:
                    given = update.pop(configured)
                    update[changed] = {**_gone(was.get(configured, {}), given), **given}
            asked[kind.replace("Configuration", "Update")] = update
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
    )


def _gone(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    return {member: _CLEARED[member] for member in before if member not in now and member in _CLEARED}


def _busy(reply: Mapping[str, Any]) -> str | None:
    status = str(reply.get("DeliveryStreamDescription", {}).get("DeliveryStreamStatus", ""))
    return status.lower() if status in _UNDER_WAY else None


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
    ),
)
