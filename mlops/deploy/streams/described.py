"""Streams as people want to see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from mlops.account import Account, Delivery, answers
from mlops.account.missing import unless_missing
from mlops.ir import UsageError
from mlops.ir.dataclass import dataclass

_DESTINATIONS = {
    "ExtendedS3DestinationDescription": "S3",
    "S3DestinationDescription": "S3",
    "HttpEndpointDestinationDescription": "HTTP endpoint",
    "AmazonopensearchserviceDestinationDescription": "OpenSearch",
    "AmazonOpenSearchServerlessDestinationDescription": "OpenSearch",
}


@dataclass(frozen=True, slots=True)
class Stream:
    """``destination`` is the kind of it, ``to`` where that is; ``bucket`` is where objects go, those that failed too.
    ``delivery`` is known of streams of this machine."""

    name: str
    arn: str
    status: str
    version: str
    created: datetime
    destination: str
    to: str
    bucket: str
    prefix: str
    error_prefix: str
    delivery: Delivery | None = None


def names(account: Account) -> list[str]:
    client, found, after = account.client("firehose"), list[str](), dict[str, str]()
    while True:
        with answers():
            page = client.list_delivery_streams(**after)
        found += page["DeliveryStreamNames"]
        if not page["HasMoreDeliveryStreams"] or not page["DeliveryStreamNames"]:
            return sorted(found)
        after = {"ExclusiveStartDeliveryStreamName": page["DeliveryStreamNames"][-1]}


def streams(account: Account) -> Iterator[Stream]:
    """Those that are there when they are asked for."""
    for name in names(account):
        found = find(account, name)
        if found is not None:
            yield found


def find(account: Account, name: str) -> Stream | None:
    client = account.client("firehose")
    with answers():
        reply = unless_missing(lambda: client.describe_delivery_stream(DeliveryStreamName=name))
    if reply is None:
        return None
    told = reply["DeliveryStreamDescription"]
    destination: Mapping[str, Any] = next(iter(told["Destinations"]), {})
    kind = next((member for member in _DESTINATIONS if member in destination), None)
    other = next((member for member in destination if member != "DestinationId"), "")
    described: Mapping[str, Any] = destination.get(kind or other, {})
    place = described if "BucketARN" in described else described.get("S3DestinationDescription", {})
    bucket = str(place.get("BucketARN", "")).rpartition(":")[2]
    return Stream(
        name,
        told["DeliveryStreamARN"],
        told["DeliveryStreamStatus"],
        told["VersionId"],
        told["CreateTimestamp"],
        _DESTINATIONS[kind] if kind is not None else other.removesuffix("DestinationDescription"),
        _where(described) or f"s3://{bucket}/{place.get('Prefix') or ''}",
        bucket,
        place.get("Prefix") or "",
        place.get("ErrorOutputPrefix") or "",
        account.here.delivery(name) if account.here is not None else None,
    )


def destination(account: Account, name: str) -> tuple[str, Mapping[str, Any]]:
    """Its kind, as the service calls that, and how it is set."""
    with answers():
        told = account.client("firehose").describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
    found = told["Destinations"][0]
    member = next((item for item in _DESTINATIONS if item in found), None) or next(
        item for item in found if item != "DestinationId"
    )
    return member.removesuffix("DestinationDescription"), found[member]


def _where(described: Mapping[str, Any]) -> str:
    """Of a destination that is sent to; empty where it is S3 itself."""
    cluster = next(
        (described[name] for name in ("ClusterEndpoint", "CollectionEndpoint", "DomainARN") if described.get(name)), ""
    )
    if cluster:
        return f"{cluster}/{described.get('IndexName', '')}"
    url = described.get("EndpointConfiguration", {}).get("Url")
    return str(url or next((described[name] for name in ("HECEndpoint", "ClusterJDBCURL") if described.get(name)), ""))


def need(account: Account, name: str) -> Stream:
    found = find(account, name)
    if found is None:
        there = names(account)
        raise UsageError(
            f"there is no stream {name}", hint=f"there are {', '.join(there)}" if there else "there are none at all"
        )
    return found
