"""Streams of Data Firehose by the month: what they take in, convert and bring into a VPC, by the traffic that the file
of prices assumes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import ceil

from mlops.check.costs.asked import Asked
from mlops.check.costs.bounds import Bounds, at_least, together
from mlops.check.members import entries
from mlops.ir import Placed, Value
from mlops.ir.members import get
from mlops.ir.resource import NAME
from mlops.knowledge.prices import (
    CONVERTED,
    GIB,
    HOURS_OF_A_MONTH,
    IN_VPC,
    INGESTED,
    KAFKA,
    RECORD_BYTES,
    STREAM,
    TO_VPC,
)
from mlops.project.traffic import Traffic

_S3 = ("ExtendedS3DestinationConfiguration", "DataFormatConversionConfiguration")
_PARTITIONS = ("ExtendedS3DestinationConfiguration", "DynamicPartitioningConfiguration")
_CLUSTERS = (
    "AmazonopensearchserviceDestinationConfiguration",
    "AmazonOpenSearchServerlessDestinationConfiguration",
    "ElasticsearchDestinationConfiguration",
)
_OTHERS = {"SnowflakeDestinationConfiguration": "Snowflake", "IcebergDestinationConfiguration": "tables of Iceberg"}
_CHANGING = frozenset({"Lambda", "Decompression"})
_MILLION = 1_000_000


def month(asked: Asked, placed: Placed, stream: Mapping[str, Value]) -> Bounds:
    name = str(placed.step.members.get(NAME, placed.step.name))
    parts = [_ingested(asked, stream, name), *_converted(asked, stream, name), *_in_vpc(asked, stream, name)]
    if get(stream, *_PARTITIONS, "Enabled") is True:
        parts.append(at_least("partitions are billed by what is delivered, by objects and hours of jq"))
    if "Decompression" in _processors(stream):
        parts.append(at_least("logs are billed by what is unpacked, too"))
    return together(parts)


def _ingested(asked: Asked, stream: Mapping[str, Value], name: str) -> Bounds:
    """Of the first tier of prices, the dearest one."""
    other = next((words for member, words in _OTHERS.items() if stream.get(member) is not None), None)
    if other is not None:
        return at_least(f"what goes into {other} has a price of its own, which is not known here")
    traffic = asked.prices.traffic.get(name)
    if stream.get("DeliveryStreamType") != "MSKAsSource":
        return _not_said(asked, INGESTED, name) if traffic is None else _rounded(asked, INGESTED, traffic)
    if traffic is None:
        return _not_said(asked, KAFKA, name)
    # The greater of what is taken in and what is delivered, and the latter is not known.
    found = asked.priced(STREAM, KAFKA, traffic.records * traffic.bytes / GIB)
    return replace(
        found, upper=None, unknown=(*found.unknown, "of Kafka what is delivered is billed, where it is more")
    )


def _converted(asked: Asked, stream: Mapping[str, Value], name: str) -> Iterator[Bounds]:
    """To Parquet or ORC: what is taken in, rounded as it is there."""
    told = get(stream, *_S3)
    if told is not None and get(told, "Enabled") is not False:
        traffic = asked.prices.traffic.get(name)
        yield _not_said(asked, CONVERTED, name) if traffic is None else _rounded(asked, CONVERTED, traffic)


def _in_vpc(asked: Asked, stream: Mapping[str, Value], name: str) -> Iterator[Bounds]:
    """The hours that it is active in each zone, which are as many as its subnets at most."""
    subnets = next(
        (found for cluster in _CLUSTERS if (found := get(stream, cluster, "VpcConfiguration", "SubnetIds"))), None
    )
    if subnets is None:
        return
    if not isinstance(subnets, tuple):
        yield at_least("in how many subnets it is active is known at run time only")
        return
    yield asked.priced(STREAM, IN_VPC, HOURS_OF_A_MONTH, HOURS_OF_A_MONTH * len(subnets))
    traffic = asked.prices.traffic.get(name)
    if _CHANGING & _processors(stream):
        yield at_least("how much of it goes into the VPC is known to what changes its records")
    else:
        yield _not_said(asked, TO_VPC, name) if traffic is None else _rounded(asked, TO_VPC, traffic)


def _processors(stream: Mapping[str, Value]) -> set[Value]:
    """What is done to records, by its types."""
    told = [
        item
        for destination in stream.values()
        for _, item in entries(destination, "ProcessingConfiguration", "Processors")
    ]
    return {item.get("Type") for item in told}


def _rounded(asked: Asked, key: str, traffic: Traffic) -> Bounds:
    """Each record is rounded up. Of records with so many bytes on average, no less than that or a step each is billed,
    and less than a step more; what is to be expected is what it were if all had the same size."""
    step = RECORD_BYTES
    found = asked.priced(STREAM, key, traffic.records / GIB)
    return Bounds(
        None if found.lower is None else found.lower * max(traffic.bytes, step),
        None if found.expected is None else found.expected * ceil(traffic.bytes / step) * step,
        None if found.upper is None else found.upper * (traffic.bytes + step),
        found.unknown,
    )


def _not_said(asked: Asked, key: str, name: str) -> Bounds:
    of_one = asked.priced(STREAM, key, _MILLION * RECORD_BYTES / GIB)
    if of_one.upper is None:
        return of_one
    rate = f"{of_one.upper:.4f} {asked.prices.currency} of {key} for each million records of 5 KiB"
    return at_least(
        f"what it is sent is not said: {rate}; [traffic.{name}] of the file of prices says records and bytes"
    )
