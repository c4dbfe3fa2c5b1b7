"""What a stream would be set to, by the sizes and rates of what is put into it, and why.

Billed is each record rounded up to 5 KiB (guide: "Data Firehose pricing" and quotas), so that small records cost many
times what they weigh; a GB of them is told by the price of the first tier in us-east-1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from mlops.account import Account, answers
from mlops.account.delivery import Flow
from mlops.deploy.streams.publisher import ATTEMPTS, LARGEST_BATCH, LINGER_SECONDS, MOST_RECORDS, pauses
from mlops.ir.dataclass import dataclass

MIB = 1024 * 1024
BILLED_BYTES = 5 * 1024
PRICE_PER_GB = 0.029
"""Dollars for a GB that is put directly, of the first 500 TB a month in us-east-1, as the price list had it in 2026."""
_SOON = 5
_LONGEST = {"Splunk": 60}
_LONGEST_ELSE = 900
"""Seconds that a buffer may wait."""
_SIZES = {"ExtendedS3": (1, 128), "HttpEndpoint": (1, 64), "Amazonopensearchservice": (1, 100), "Splunk": (1, 5)}
_INTERVALS = {"ExtendedS3": 300, "HttpEndpoint": 60, "Splunk": 60}
_LEAST_CONVERTED = 64
_LEAST_ATTEMPTS = 2
_REQUESTS_A_SECOND = 1000
"""Quota of a stream that is put to, where it is not 2,000 (us-east-1, us-west-2, eu-west-1)."""
_WORTH = 0.8
"""Of what it was: GZIP that leaves more is not worth its CPU."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """``now`` and ``then`` as people write them."""

    setting: str
    now: str
    then: str
    why: str

    @property
    def is_change(self) -> bool:
        return self.now != self.then


@dataclass(frozen=True, slots=True)
class Tuning:
    """``billed`` is how many times its own weight a record is billed as; ``dollars`` are for a GB of it, now and with
    what is suggested."""

    flow: Flow
    delay: float
    suggestions: tuple[Suggestion, ...]
    billed: float
    dollars: tuple[float, float]


def observed(account: Account, name: str) -> Flow | None:
    """Of the last day, by the metrics of the service; in the local account of what still lies there."""
    if account.here is not None:
        return account.here.flow(name)
    client, end = account.client("cloudwatch"), datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    sums: dict[str, list[float]] = {}
    with answers():
        for metric in ("IncomingRecords", "IncomingBytes", "IncomingPutRequests"):
            reply = client.get_metric_statistics(
                Namespace="AWS/Firehose",
                MetricName=metric,
                Dimensions=[{"Name": "DeliveryStreamName", "Value": name}],
                StartTime=end - timedelta(days=1),
                EndTime=end,
                Period=3600,
                Statistics=["Sum"],
            )
            sums[metric] = [point["Sum"] for point in reply["Datapoints"]]
    records, size, requests = (sum(sums[metric]) for metric in sums)
    if not records:
        return None
    # The busiest hour says what a buffer has to hold.
    busiest = max(range(len(sums["IncomingRecords"])), key=lambda hour: sums["IncomingRecords"][hour])
    rate = sums["IncomingRecords"][busiest] / 3600
    return Flow(int(records), int(size), records / rate, int(requests) or int(records))


def tuned(
    destination: Mapping[str, Any], kind: str, flow: Flow, delay: float | None, tolerance: int | None = None
) -> Tuning:
    """``destination`` as DescribeDeliveryStream tells it, ``delay`` is how late a record may be: as late as the buffer
    is now, where nobody says. ``tolerance`` is how many records may come twice where one request is not answered."""
    hints = destination.get("BufferingHints") or {}
    seconds = hints.get("IntervalInSeconds", _INTERVALS.get(kind, 300))
    late = float(seconds if delay is None else delay)
    record = max(flow.bytes / flow.records, 1.0)  # all of them may be empty
    billed = math.ceil(record / BILLED_BYTES) * BILLED_BYTES / record
    together = max(int(BILLED_BYTES // record), 1)
    dollars = (billed * PRICE_PER_GB, billed / together * PRICE_PER_GB if together > 1 else billed * PRICE_PER_GB)
    found = (
        *_publisher(flow, record, late, tolerance),
        *_joined(destination, record, together, billed),
        *_buffer(destination, kind, hints, flow, late, seconds),
        *_compression(destination, kind, flow),
    )
    return Tuning(flow, late, found, billed, dollars)


def _publisher(flow: Flow, record: float, late: float, tolerance: int | None) -> Iterator[Suggestion]:
    batch = _batch(flow, record, late, tolerance)
    yield batch
    most = int(batch.then)
    linger = min(late, LINGER_SECONDS)
    filled = most / flow.rate
    if flow.rate * linger < 1:
        then, why = (
            0.0,
            f"the next record comes after {1 / flow.rate:.1f} seconds: none is waited for, and each is a request",
        )
    elif filled < linger:
        then, why = (
            linger,
            f"a request is full after {filled:.3f} seconds; a record that no other follows waits no longer",
        )
    else:
        then, why = (
            linger,
            f"{flow.rate * linger:.0f} records come meanwhile; the publisher sends sooner where none would",
        )
    yield Suggestion("linger_seconds", f"{LINGER_SECONDS:g}", f"{then:g}", why)
    attempts, longest = ATTEMPTS, pauses(ATTEMPTS)
    while attempts > _LEAST_ATTEMPTS and pauses(attempts - 1) >= late:
        attempts, longest = attempts - 1, pauses(attempts - 1)
    kept = (
        f"what nobody takes is tried for {longest:.1f} seconds at most, while put() waits; then it lies in the folder"
    )
    yield Suggestion("attempts", f"{ATTEMPTS}", f"{attempts}", kept)


def _batch(flow: Flow, record: float, late: float, tolerance: int | None) -> Suggestion:
    """As many as come while a record may wait, and a request takes, and may come twice."""
    come = flow.rate * min(late, LINGER_SECONDS)
    most = max(min(MOST_RECORDS, int(LARGEST_BATCH // record)), 1)
    then = max(min(most, math.ceil(come), tolerance or most), 1)
    now = flow.records / max(flow.requests, 1)
    asked = flow.rate / then
    why = (
        f"{flow.rate:.1f} records/s of {record:.0f} bytes come, and a request takes {most}: {asked:.1f} requests/s, of "
        f"which one without an answer brings {then} twice"
    )
    if asked > _REQUESTS_A_SECOND:
        why += f", and most regions take {_REQUESTS_A_SECOND}"
    return Suggestion("records in a request", f"{now:.0f}", f"{then}", why)


def _joined(destination: Mapping[str, Any], record: float, together: int, billed: float) -> Iterator[Suggestion]:
    processing = destination.get("ProcessingConfiguration") or {}
    kinds = {item.get("Type") for item in processing.get("Processors") or ()} if processing.get("Enabled") else set()
    if together < 2:
        return
    split = "" if "RecordDeAggregation" in kinds else "; with `split`, where more is done to each than to write it"
    yield Suggestion(
        "lines in a record",
        "1",
        f"{together}",
        f"a record is billed as a multiple of 5 KiB, {billed:.1f} times what it is{split}",
    )


def _buffer(
    destination: Mapping[str, Any], kind: str, hints: Mapping[str, Any], flow: Flow, late: float, seconds: int
) -> Iterator[Suggestion]:
    if kind not in _SIZES:
        return
    least, most = _SIZES[kind]
    partitioned = bool((destination.get("DynamicPartitioningConfiguration") or {}).get("Enabled"))
    converted = bool((destination.get("DataFormatConversionConfiguration") or {}).get("Enabled"))
    least = _LEAST_CONVERTED if partitioned or converted else least
    comes = flow.rate * flow.bytes / flow.records
    longest = _LONGEST.get(kind, _LONGEST_ELSE)
    then = 0 if late <= _SOON and not partitioned else int(min(max(late, 60 if partitioned else 1), longest))
    told = f"a record may be {late:.0f} seconds late"
    if kind == "ExtendedS3":
        each = comes * max(then, 1)
        told += f": an object then has {_size(each)}"
        if each < MIB and late < longest:
            told += f"; after {longest} seconds it had {_size(comes * longest)}"
    yield Suggestion("seconds of a buffer", f"{seconds}", f"{then}", told)
    wanted = comes * max(then, 1) * 1.25
    size = int(min(max(math.ceil(wanted / MIB), least), most))
    now = hints.get("SizeInMBs", 128 if converted and not partitioned else 5)
    why = f"{_size(comes)} come in a second, and a quarter more: the time and not the size says when a buffer goes"
    if wanted > most * MIB:
        why = f"{_size(comes)} come in a second: more than {most} MiB it cannot be, and it goes when it is full"
    yield Suggestion("MiB of a buffer", f"{now}", f"{size}", why)


def _compression(destination: Mapping[str, Any], kind: str, flow: Flow) -> Iterator[Suggestion]:
    converted = (destination.get("DataFormatConversionConfiguration") or {}).get("Enabled")
    now = destination.get("CompressionFormat") or "UNCOMPRESSED"
    if kind != "ExtendedS3" or converted:
        return
    if flow.packed is None:
        then = now if now != "UNCOMPRESSED" else "GZIP"
        yield Suggestion("compression", now, then, "text is a few times smaller by it")
    elif now == "UNCOMPRESSED" and flow.packed <= _WORTH:
        yield Suggestion("compression", now, "GZIP", f"of a sample it leaves {flow.packed:.0%}")
    else:
        yield Suggestion("compression", now, now, f"GZIP leaves {flow.packed:.0%} of a sample")


def _size(count: float) -> str:
    for unit, size in (("MiB", MIB), ("KiB", 1024)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count:.0f} bytes"
