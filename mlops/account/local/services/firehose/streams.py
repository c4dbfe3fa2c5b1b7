"""Streams. What is put into one is delivered by a process of its own, which is there while something waits.

Two tags say what only the local account does: ``mlops:deliver-to`` is where the requests to an HTTP endpoint or a
cluster go instead of its URL, ``mlops:fail-share`` how large a part of the records is refused, for whoever wants to see
his program put them again.
"""

from __future__ import annotations

import ipaddress
import re
import shutil
import uuid
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mlops.account.delivery import Delivery, Flow
from mlops.account.local import events, ownership
from mlops.account.local.delivery import conversion
from mlops.account.local.delivery.bodies import EXTENSIONS
from mlops.account.local.delivery.deliverer import SPOOL, Stands
from mlops.account.local.delivery.processing import compiled
from mlops.account.local.delivery.settings import HTTP, OPENSEARCH, S3, Settings, converted, settings
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.glue import tables
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.services.sagemaker.tags import put_tags
from mlops.account.local.state import ACCOUNT_ID, State
from mlops.ir.values import Value
from mlops.knowledge.streams import pairing
from mlops.project.spool import Spool

KIND = "DeliveryStream"
ACTIVE, DELETING = "ACTIVE", "DELETING"
DELIVER_TO, FAIL_SHARE = "mlops:deliver-to", "mlops:fail-share"
_DIRECT = "DirectPut"
_DESTINATION_ID = "destinationId-000000000001"
_LISTED = 10
_SEEN_BLOCKS, _SAMPLED = 100_000, 20
"""Of which a stream's rate is told, and of which a sample is compressed."""
_DESTINATIONS = {
    "ExtendedS3DestinationConfiguration": S3,
    "S3DestinationConfiguration": S3,
    "HttpEndpointDestinationConfiguration": HTTP,
    "AmazonopensearchserviceDestinationConfiguration": OPENSEARCH,
}
_UPDATES = {
    "ExtendedS3DestinationUpdate": S3,
    "S3DestinationUpdate": S3,
    "HttpEndpointDestinationUpdate": HTTP,
    "AmazonopensearchserviceDestinationUpdate": OPENSEARCH,
}
_EITHER = {"DomainARN": "ClusterEndpoint", "ClusterEndpoint": "DomainARN"}
_S3_MEMBERS = (
    "RoleARN", "BucketARN", "Prefix", "ErrorOutputPrefix", "BufferingHints", "CompressionFormat",
    "EncryptionConfiguration", "CloudWatchLoggingOptions",
)  # fmt: skip


def create_delivery_stream(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["DeliveryStreamName"]
    if name in (".", ".."):
        # The service's pattern lets them pass; here they are folders of others, and go with the stream.
        raise invalid(f"{name} is no name of a Firehose")
    source = request.get("DeliveryStreamType") or _DIRECT
    if source != _DIRECT:
        raise invalid(f"The local account delivers what is put; it reads no {source}.")
    given = [member for member in request if member.endswith("DestinationConfiguration")]
    if len(given) != 1:
        raise invalid("Exactly one destination configuration is supported for a Firehose")
    if given[0] not in _DESTINATIONS:
        kind = given[0].removesuffix("DestinationConfiguration")
        raise invalid(f"The local account delivers to S3, to HTTP endpoints and to OpenSearch, and not to {kind}.")
    body = {
        "Kind": _DESTINATIONS[given[0]],
        "Destination": request[given[0]],
        "Version": 1,
        "Incarnation": str(uuid.uuid4()),
        "Source": request.get("DirectPutSourceConfiguration"),
        "Encryption": request.get(pairing.ENCRYPTED),
    }
    tags = {item["Key"]: item.get("Value") or "" for item in request.get("Tags") or ()}
    _judge(state, name, body, tags)
    for fault in pairing.encryption(request):
        raise invalid(fault)
    arn = stream_arn(state, name)
    taken = Refusal("ResourceInUseException", f"Firehose {name} under accountId {ACCOUNT_ID} already exists")
    settle(state, name)
    with state.store.transaction():
        resources.insert(state, KIND, name, body, taken=taken, status=ACTIVE)
        put_tags(state, arn, ({"Key": key, "Value": value} for key, value in tags.items()))
        tell(state, name, "created")
    return {"DeliveryStreamARN": arn}


def describe_delivery_stream(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["DeliveryStreamName"]
    body = found(state, name)
    encryption = body.get("Encryption")
    told = {
        "DeliveryStreamName": name,
        "DeliveryStreamARN": stream_arn(state, name),
        "DeliveryStreamStatus": body["Status"],
        "DeliveryStreamEncryptionConfiguration": {"Status": "ENABLED", **encryption}
        if encryption
        else {"Status": "DISABLED"},
        "DeliveryStreamType": _DIRECT,
        "VersionId": str(body["Version"]),
        "CreateTimestamp": body["CreationTime"],
        "LastUpdateTimestamp": body["LastModifiedTime"],
        "Source": {"DirectPutSourceDescription": body["Source"]} if body.get("Source") else None,
        "Destinations": [{"DestinationId": _DESTINATION_ID, **_described(body)}],
        "HasMoreDestinations": False,
    }
    return {"DeliveryStreamDescription": told}


def list_delivery_streams(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    after, most = request.get("ExclusiveStartDeliveryStreamName") or "", request.get("Limit") or _LISTED
    for row in state.store.all("SELECT name FROM resource WHERE kind = ?", KIND):
        settle(state, row["name"])
    rows = state.store.all(
        "SELECT name FROM resource WHERE kind = ? AND name > ? ORDER BY name LIMIT ?", KIND, after, most + 1
    )
    wanted = request.get("DeliveryStreamType") in (None, _DIRECT)
    listed = [row["name"] for row in rows[:most]] if wanted else []
    return {"DeliveryStreamNames": listed, "HasMoreDeliveryStreams": wanted and len(rows) > most}


def update_destination(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Members that are given replace those that were; records that wait are delivered by the new ones."""
    name = request["DeliveryStreamName"]
    given = [member for member in request if member.endswith("DestinationUpdate")]
    with state.store.transaction():
        body = found(state, name)
        if str(body["Version"]) != request["CurrentDeliveryStreamVersionId"]:
            raise Refusal(
                "ConcurrentModificationException",
                f"Cannot update firehose: {name} since the current version id: {body['Version']} and specified "
                f"version id: {request['CurrentDeliveryStreamVersionId']} do not match",
            )
        if request["DestinationId"] != _DESTINATION_ID:
            raise invalid(f"Destination Id {request['DestinationId']} not found")
        if len(given) != 1 or _UPDATES.get(given[0]) != body["Kind"]:
            raise invalid("The destination of a Firehose cannot become one of another kind here.")
        update, before = dict(request[given[0]]), body["Destination"]
        for told, kept in (("S3Update", "S3Configuration"), ("S3BackupUpdate", "S3BackupConfiguration")):
            if told in update:
                update[kept] = {**(before.get(kept) or {}), **update.pop(told)}
        if _partitions(before) != _partitions({**before, **update}):
            raise invalid("Dynamic partitioning can be enabled or disabled only when a Firehose is created.")
        other = {_EITHER[member] for member in update if member in _EITHER}
        left = {member: value for member, value in before.items() if member not in other}
        changed = {**body, "Destination": {**left, **update}, "Version": body["Version"] + 1}
        _judge(state, name, changed, tags(state, name))
        changed.pop("Status")
        resources.replace(state, KIND, name, changed, body["Status"])
        tell(state, name, "updated", {"version": changed["Version"]})
    return {}


def delete_delivery_stream(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """What waits is delivered before it goes; nothing of that is tried twice."""
    name = request["DeliveryStreamName"]
    with state.store.transaction():
        body = found(state, name)
        body.pop("Status")
        resources.replace(state, KIND, name, body, DELETING)
    settle(state, name)
    return {}


def tag_delivery_stream(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["DeliveryStreamName"]
    with state.store.transaction():
        body = found(state, name)
        given = {item["Key"]: item.get("Value") or "" for item in request["Tags"]}
        _judge(state, name, body, {**tags(state, name), **given})
        put_tags(state, stream_arn(state, name), ({"Key": key, "Value": value} for key, value in given.items()))
    return {}


def untag_delivery_stream(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["DeliveryStreamName"]
    with state.store.transaction() as connection:
        found(state, name)
        arn = stream_arn(state, name)
        connection.executemany("DELETE FROM tag WHERE arn = ? AND key = ?", [(arn, key) for key in request["TagKeys"]])
    return {}


def list_tags_for_delivery_stream(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["DeliveryStreamName"]
    found(state, name)
    after, most = request.get("ExclusiveStartTagKey") or "", request.get("Limit") or 50
    all_of_them = [item for item in sorted(tags(state, name).items()) if item[0] > after]
    return {
        "Tags": [{"Key": key, "Value": value} for key, value in all_of_them[:most]],
        "HasMoreTags": len(all_of_them) > most,
    }


def found(state: State, name: str) -> dict[str, Any]:
    """The body with its ``Status``, after looking whether somebody delivers what waits."""
    settle(state, name)
    row = state.store.one("SELECT * FROM resource WHERE kind = ? AND name = ?", KIND, name)
    if row is None:
        raise Refusal("ResourceNotFoundException", f"Firehose {name} under account {ACCOUNT_ID} not found.")
    return {**resources.body_of(row), "Status": row["status"]}


def settings_of(state: State, name: str, body: Mapping[str, Any]) -> Settings:
    return settings(name, stream_arn(state, name), body, tags(state, name).get(DELIVER_TO))


def tags(state: State, name: str) -> dict[str, str]:
    rows = state.store.all("SELECT key, value FROM tag WHERE arn = ?", stream_arn(state, name))
    return {row["key"]: row["value"] for row in rows}


def folder_of(state: State, name: str) -> Path:
    """Where the lock is of who delivers."""
    return state.folder / "streams" / name


def kept_in(state: State, name: str, incarnation: str) -> Path:
    """What waits of one stream, and not of the one of the same name that was there before."""
    return folder_of(state, name) / incarnation


def stream_arn(state: State, name: str) -> str:
    return f"arn:aws:firehose:{state.region}:{ACCOUNT_ID}:deliverystream/{name}"


def settle(state: State, name: str) -> None:
    """Where something waits, or the stream is to go, somebody is at it when this returns."""
    row = state.store.one("SELECT * FROM resource WHERE kind = ? AND name = ?", KIND, name)
    if row is None or ownership.owned(folder_of(state, name)):
        return
    if waiting(state, name, resources.body_of(row)["Incarnation"])[0]:
        start(state, name)
    elif row["status"] == DELETING:
        remove(state, name)


def waiting(state: State, name: str, incarnation: str) -> tuple[int, Stands]:
    """How many bytes wait, and how far delivery is."""
    folder = kept_in(state, name, incarnation)
    stands = Stands.read(folder)
    return Spool(folder / SPOOL).backlog(stands.place), stands


def delivery(state: State, name: str) -> Delivery | None:
    """For people: None where there is no such stream."""
    row = state.store.one("SELECT * FROM resource WHERE kind = ? AND name = ?", KIND, name)
    if row is None:
        return None
    waits, stands = waiting(state, name, resources.body_of(row)["Incarnation"])
    return Delivery(waits, stands.delivered, stands.failed, stands.told, stands.dropped)


def flow(state: State, name: str) -> Flow | None:
    """Of the newest records that still lie in the spool, delivered ones too."""
    row = state.store.one("SELECT * FROM resource WHERE kind = ? AND name = ?", KIND, name)
    if row is None:
        return None
    spool = Spool(kept_in(state, name, resources.body_of(row)["Incarnation"]) / SPOOL)
    blocks = list(spool.blocks(spool.newest()))[-_SEEN_BLOCKS:]
    if not blocks:
        return None
    sample = bytearray()
    for block in blocks[-_SAMPLED:]:
        for _, records in spool.read(block.place, block.end):
            sample += b"".join(records)
    packed = len(zlib.compress(sample)) / len(sample) if sample else None
    seconds = (blocks[-1].arrived - blocks[0].arrived) / 1000
    counted = sum(block.count for block in blocks)
    return Flow(counted, sum(block.size for block in blocks), seconds, len(blocks), packed)


def start(state: State, name: str) -> None:
    """A process that delivers, unless there is one."""
    folder = folder_of(state, name)
    descriptor = ownership.take(folder)
    if descriptor is not None:
        ownership.hand_over(descriptor, state.folder, state.region, "stream", name, folder)


def remove(state: State, name: str) -> None:
    """To be called by who holds the stream's lock, or knows that nobody does and nothing waits."""
    with state.store.transaction():
        row = state.store.one("SELECT status FROM resource WHERE kind = ? AND name = ?", KIND, name)
        if row is None or row["status"] != DELETING:
            return
        shutil.rmtree(folder_of(state, name), ignore_errors=True)
        resources.remove(state, KIND, name, stream_arn(state, name))
        tell(state, name, "deleted")


def tell(state: State, name: str, happened: str, detail: Mapping[str, Value] | None = None) -> None:
    events.tell(state, f"stream.{happened}", stream_arn(state, name), {"stream": name}, detail)


def invalid(message: str) -> Refusal:
    return Refusal("InvalidArgumentException", message)


def _partitions(given: Mapping[str, Any]) -> bool:
    return bool((given.get("DynamicPartitioningConfiguration") or {}).get("Enabled"))


def _judge(state: State, name: str, body: Mapping[str, Any], tags_given: Mapping[str, str]) -> None:
    """What could never be delivered is not made."""
    given, kind = body["Destination"], body["Kind"]
    for fault in pairing.of_request({f"{kind}DestinationConfiguration": given}):
        raise invalid(fault)
    for place in (given, given.get("S3Configuration"), given.get("S3BackupConfiguration")):
        compression = (place or {}).get("CompressionFormat") or "UNCOMPRESSED"
        if compression not in EXTENSIONS:
            raise invalid(f"The local account writes {', '.join(EXTENSIONS)}; it has no {compression}.")
    asked = converted(given)
    if asked is not None:
        _need_columns(state, asked)
    for processor in pairing.processors(given):
        if processor["Type"] == "MetadataExtraction":
            _need_query(pairing.parameters(processor)["MetadataExtractionQuery"])
    if kind == HTTP:
        _need_here(given["EndpointConfiguration"]["Url"], tags_given.get(DELIVER_TO))
    if kind == OPENSEARCH:
        _need_here(given.get("ClusterEndpoint") or given["DomainARN"], tags_given.get(DELIVER_TO))
    share = tags_given.get(FAIL_SHARE)
    if share is not None and not re.fullmatch(r"0(\.[0-9]{1,9})?|1", share):
        raise invalid(f"The tag {FAIL_SHARE} is a number from 0 to 1, and not {share!r}.")
    settings(name, stream_arn(state, name), body, tags_given.get(DELIVER_TO))


def columns(state: State, database: str, table: str) -> Sequence[Mapping[str, Any]]:
    """Of a table of Glue. Raises Refusal."""
    found: Sequence[Mapping[str, Any]] = (tables.table(state, database, table).get("StorageDescriptor") or {}).get(
        "Columns", ()
    )
    return found


def _need_columns(state: State, asked: Mapping[str, Any]) -> None:
    if not conversion.installed():
        raise invalid(
            "The local account writes Parquet and ORC by pyarrow, and it is not installed: pip install pyarrow"
        )
    schema = asked["SchemaConfiguration"]
    try:
        conversion.format_of(asked, columns(state, schema["DatabaseName"], schema["TableName"]))
    except (Refusal, conversion.BadSchema) as error:
        raise invalid(f"SchemaConfiguration {schema['DatabaseName']}.{schema['TableName']}: {error}") from None


def _need_query(query: str) -> None:
    try:
        compiled(query)
    except ImportError:
        raise invalid("The local account asks jq for partition keys, and it is not installed: pip install jq") from None
    except ValueError as error:
        raise invalid(f"MetadataExtractionQuery is no query of jq: {error}") from None


def _need_here(url: str, deliver_to: str | None) -> None:
    """Nothing leaves this machine."""
    if deliver_to is not None:
        if not is_here(deliver_to):
            raise invalid(f"The tag {DELIVER_TO} is an address of this machine: http://127.0.0.1:PORT/PATH")
    elif not is_here(url):
        raise invalid(
            f"The local account sends nothing to {urlsplit(url).hostname or url}: say where else by the tag "
            f"{DELIVER_TO}, as http://127.0.0.1:PORT/PATH"
        )


def is_here(url: str) -> bool:
    """
    >>> [is_here(url) for url in ("http://127.0.0.1:8080/x", "https://localhost/", "https://example.org/", "ftp://[::1]/")]
    [True, True, False, False]
    """
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises where it is none
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return False
        return parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return False


def _described(body: Mapping[str, Any]) -> Mapping[str, Any]:
    given = body["Destination"]
    if body["Kind"] == HTTP:
        asked = given["EndpointConfiguration"]
        told = {
            **{member: value for member, value in given.items() if member != "S3Configuration"},
            "EndpointConfiguration": {member: asked[member] for member in ("Url", "Name") if member in asked},
            "S3DestinationDescription": _s3(given["S3Configuration"]),
        }
        return {"HttpEndpointDestinationDescription": told}
    if body["Kind"] == OPENSEARCH:
        told = {
            member: value for member, value in given.items() if member not in ("S3Configuration", "VpcConfiguration")
        }
        told["S3DestinationDescription"] = _s3(given["S3Configuration"])
        if "VpcConfiguration" in given:
            told["VpcConfigurationDescription"] = {**given["VpcConfiguration"], "VpcId": "vpc-0"}
        return {"AmazonopensearchserviceDestinationDescription": told}
    extended = {**given, **_s3(given)}
    if "S3BackupConfiguration" in given:
        extended["S3BackupDescription"] = _s3(given["S3BackupConfiguration"])
    return {"S3DestinationDescription": _s3(given), "ExtendedS3DestinationDescription": extended}


def _s3(given: Mapping[str, Any]) -> dict[str, Any]:
    told = {member: given[member] for member in _S3_MEMBERS if given.get(member) is not None}
    return {
        "BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 300},
        "CompressionFormat": "UNCOMPRESSED",
        "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"},
        "CloudWatchLoggingOptions": {"Enabled": False},
        **told,
    }


OPERATIONS = {
    "CreateDeliveryStream": create_delivery_stream,
    "DeleteDeliveryStream": delete_delivery_stream,
    "DescribeDeliveryStream": describe_delivery_stream,
    "ListDeliveryStreams": list_delivery_streams,
    "ListTagsForDeliveryStream": list_tags_for_delivery_stream,
    "TagDeliveryStream": tag_delivery_stream,
    "UntagDeliveryStream": untag_delivery_stream,
    "UpdateDestination": update_destination,
}
