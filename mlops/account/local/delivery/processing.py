"""What is done to records between the spool and where they go: processors, one after the other in the order in which
the stream names them, each from records to records and failures."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import json
import re
import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from typing import Any, TypeAlias

from mlops.account.local.delivery.record import Failed, Record
from mlops.account.local.delivery.settings import MIB, Processor, Settings
from mlops.ir.dataclass import dataclass
from mlops.ir.values import Value
from mlops.knowledge.streams.names import FUNCTION, PROCESSING_FAILED, QUERY

Items: TypeAlias = Iterable[Record | Failed]
DEFAULT_RETRIES = 3
LARGEST_UNPACKED = 64 * MIB
"""Of one record: a few KiB can be gigabytes of nothing."""
DEFAULT_FUNCTION_MIB = 1.0


_BROKEN = re.compile("[\ud800-\udfff]")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}


class InvocationFailed(Exception):
    """A function did not answer; ``code`` is the service's word for it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


Invoke: TypeAlias = Callable[[str, Mapping[str, Any]], Any]
"""A function's answer to an event, by its ARN. Raises :class:`InvocationFailed`."""


@dataclass(frozen=True, slots=True)
class Work:
    """What processors need beside records."""

    settings: Settings
    region: str
    invoke: Invoke
    now: Callable[[], int]


def processed(records: Iterable[Record], work: Work) -> Iterator[Record | Failed]:
    """All processors of the stream."""
    items: Items = records
    for processor in work.settings.processors:
        items = _PROCESSORS[processor.type](processor, work, items)
    return iter(items)


def _each(change: Callable[[Record], Iterable[Record | Failed]], items: Items) -> Iterator[Record | Failed]:
    for item in items:
        if isinstance(item, Failed):
            yield item
        else:
            yield from change(item)


def _failed(record: Record, code: str, message: str) -> Failed:
    return Failed(record, PROCESSING_FAILED, code, message)


def _de_aggregated(processor: Processor, work: Work, items: Items) -> Iterator[Record | Failed]:
    """Several JSON documents behind one another, or what stands between delimiters (given in base64)."""
    if processor.parameters.get("SubRecordType") == "DELIMITED":
        delimiter = base64.b64decode(processor.parameters["Delimiter"])
        return _each(partial(_split, delimiter), items)
    return _each(_documents, items)


def _split(delimiter: bytes, record: Record) -> Iterator[Record]:
    for piece in record.data.split(delimiter):
        if piece:
            yield record.changed(piece)


def _documents(record: Record) -> Iterator[Record | Failed]:
    try:
        text, decoder = record.data.decode(), json.JSONDecoder()
        found, at = list[Record](), 0
        while at < len(text):
            if text[at].isspace() or text[at] == ",":
                at += 1
                continue
            value, end = decoder.raw_decode(text, at)
            # "A JSON array on a single line" is taken apart too.
            pieces = value if isinstance(value, list) else None
            whole = [text[at:end]] if pieces is None else [json.dumps(piece) for piece in pieces]
            found += [record.changed(piece.encode()) for piece in whole]
            at = end
    except (ValueError, RecursionError) as error:
        yield _failed(record, "DynamicPartitioning.DeAggregationFailed", f"Record is not valid JSON: {error}")
        return
    yield from found


def _decompressed(processor: Processor, work: Work, items: Items) -> Iterator[Record | Failed]:
    def change(record: Record) -> Iterator[Record | Failed]:
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(record.data)) as packed:
                unpacked = packed.read(LARGEST_UNPACKED + 1)
        except (OSError, EOFError, zlib.error) as error:
            yield _failed(record, "Decompression.Failed", f"Record is not GZIP: {error}")
            return
        if len(unpacked) > LARGEST_UNPACKED:
            yield _failed(record, "Decompression.Failed", f"Record has more than {LARGEST_UNPACKED} bytes unpacked")
            return
        yield record.changed(unpacked)

    return _each(change, items)


def _log_messages(processor: Processor, work: Work, items: Items) -> Iterator[Record | Failed]:
    """The messages of an envelope of CloudWatch Logs, a line each; control messages go."""

    def change(record: Record) -> Iterator[Record | Failed]:
        try:
            envelope = json.loads(record.data)
            kind, events = envelope["messageType"], envelope["logEvents"]
            messages = [str(event["message"]).encode() + b"\n" for event in events]
        except (ValueError, RecursionError, KeyError, TypeError) as error:
            yield _failed(record, "CloudWatchLogProcessing.Failed", f"Record is no envelope of logs: {error!r}")
            return
        if kind == "DATA_MESSAGE":
            yield from (record.changed(message) for message in messages)

    return _each(change, items) if processor.parameters.get("DataMessageExtraction") == "true" else iter(items)


def _delimited(processor: Processor, work: Work, items: Items) -> Iterator[Record | Failed]:
    given = processor.parameters.get("Delimiter") or "\\n"
    delimiter = re.sub(r"\\([ntr\\])", lambda found: _ESCAPED[found[1]], given).encode()
    return _each(lambda record: (record.changed(record.data + delimiter),), items)


def _keyed(processor: Processor, work: Work, items: Items) -> Iterator[Record | Failed]:
    """Partition keys by a query of jq, which answers an object."""
    program = compiled(processor.parameters["MetadataExtractionQuery"])

    def change(record: Record) -> Iterator[Record | Failed]:
        code = "DynamicPartitioning.MetadataExtractionFailed"
        try:
            # Its own text goes in: numbers stay as they are written.
            found = program.input_text(record.data.decode()).first()
        except (ValueError, StopIteration) as error:
            yield _failed(record, code, f"Metadata extraction failed: {error}")
            return
        keys = _key_values(found)
        if keys is None:
            yield _failed(record, code, "Metadata extraction query must evaluate to an object of plain values")
            return
        yield _with_keys(record, QUERY, keys)

    return _each(change, items)


@cache
def compiled(query: str) -> Any:
    """A query of jq. Raises ValueError for one that is wrong, ImportError where jq is not installed."""
    import jq  # an extra

    return jq.compile(query)


def _key_values(found: object) -> Mapping[str, Value] | None:
    """None for what no name of an object can have in it."""
    if not isinstance(found, dict) or any(isinstance(value, dict | list) for value in found.values()):
        return None
    if any(isinstance(value, str) and _BROKEN.search(value) for value in found.values()):
        return None
    return {
        str(name): str(value).lower() if isinstance(value, bool) else value
        for name, value in found.items()
        if value is not None
    }


def _with_keys(record: Record, namespace: str, keys: Mapping[str, Value]) -> Record:
    return Record(record.id, record.arrived, record.data, record.raw, {**record.keys, namespace: keys})


def _transformed(processor: Processor, work: Work, items: Items) -> Iterator[Record | Failed]:
    """By a function, so many at a time as it is to be given."""
    most = int(float(processor.parameters.get("BufferSizeInMBs") or DEFAULT_FUNCTION_MIB) * MIB)
    batch: list[Record] = []
    size = 0
    for item in items:
        if isinstance(item, Failed):
            yield item
            continue
        if batch and size + len(item.data) > most:
            yield from _invoked(processor, work, batch)
            batch, size = [], 0
        batch.append(item)
        size += len(item.data)
    if batch:
        yield from _invoked(processor, work, batch)


def _invoked(processor: Processor, work: Work, batch: list[Record]) -> Iterator[Record | Failed]:
    # Records of one put that was taken apart have one id: a function is told of each by an id of its own.
    told = {f"{record.id}{number:06d}": record for number, record in enumerate(batch)}
    arn = processor.parameters["LambdaArn"]
    retries = int(processor.parameters.get("NumberOfRetries") or DEFAULT_RETRIES)
    event = {
        "invocationId": str(uuid.uuid4()),
        "deliveryStreamArn": work.settings.arn,
        "region": work.region,
        "records": [
            {
                "recordId": number,
                "approximateArrivalTimestamp": record.arrived,
                "data": base64.b64encode(record.data).decode(),
            }
            for number, record in told.items()
        ],
    }
    attempts = 0
    while True:
        attempts += 1
        try:
            answered = _answers(work.invoke(arn, event))
        except InvocationFailed as error:
            if attempts <= retries:
                continue
            more = {"lambdaArn": arn}
            now = work.now()
            for record in batch:
                yield Failed(record, PROCESSING_FAILED, error.code, str(error), attempts, now, more)
            return
        break
    yield from _judged(told, answered, arn, attempts, work.now())


def _answers(answer: Any) -> list[Mapping[str, Any]]:
    found = answer.get("records") if isinstance(answer, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(item, Mapping) for item in found):
        raise InvocationFailed(
            "Lambda.JsonProcessingException",
            "There was an error parsing returned records from the Lambda function: it answers an object with records",
        )
    return found


def _judged(
    told: Mapping[str, Record], answered: list[Mapping[str, Any]], arn: str, attempts: int, now: int
) -> Iterator[Record | Failed]:
    """In the order of the answer; every record that was told comes out once, or was dropped."""

    def failed(record: Record, code: str, message: str) -> Failed:
        return Failed(record, PROCESSING_FAILED, code, message, attempts, now, {"lambdaArn": arn})

    seen: dict[str, int] = {}
    for item in answered:
        number = str(item.get("recordId"))
        seen[number] = seen.get(number, 0) + 1
    done: set[str] = set()
    for item in answered:
        number = str(item.get("recordId"))
        record = told.get(number)
        if record is None or number in done:
            continue
        done.add(number)
        if seen[number] > 1:
            yield failed(record, "Lambda.DuplicatedRecordId", "Multiple records were returned with the same record ID.")
            continue
        match item.get("result"):
            case "Ok":
                try:
                    data = base64.b64decode(item.get("data") or "", validate=True)
                except (binascii.Error, ValueError, TypeError):
                    yield failed(record, "Lambda.JsonProcessingException", "The data of a record must be base64.")
                    continue
                changed = record.changed(data)
                metadata = item.get("metadata")
                keys = _key_values(metadata.get("partitionKeys") if isinstance(metadata, Mapping) else None)
                yield _with_keys(changed, FUNCTION, keys) if keys else changed
            case "Dropped":
                pass
            case "ProcessingFailed":
                yield failed(record, "Lambda.ProcessingFailedStatus", "ProcessingFailed status set for record")
            case other:
                text = f"The result of a record must be Ok, Dropped or ProcessingFailed, and not {other!r}."
                yield failed(record, "Lambda.JsonProcessingException", text)
    for number, record in told.items():
        if number not in seen:
            yield failed(record, "Lambda.MissingRecordId", "One or more record Ids were not returned.")


_PROCESSORS: Mapping[str, Callable[[Processor, Work, Items], Iterator[Record | Failed]]] = {
    "Decompression": _decompressed,
    "CloudWatchLogProcessing": _log_messages,
    "RecordDeAggregation": _de_aggregated,
    "Lambda": _transformed,
    "MetadataExtraction": _keyed,
    "AppendDelimiterToRecord": _delimited,
}
