"""What a stream could not deliver, put again: the records that lie in its error prefix, as they came."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from mlops.account import Account, answers
from mlops.deploy.streams.described import Stream
from mlops.ir import UsageError
from mlops.ir.dataclass import dataclass

ERROR_TYPES = (
    "processing-failed", "format-conversion-failed", "http-endpoint-failed", "AmazonOpenSearchService_failed",
    "AmazonOpenSearchService-failed", "splunk-failed",
)  # fmt: skip
_GZIP = b"\x1f\x8b"
_STAMP = r"-\d+-\d{4}(?:-\d\d){5}-"
"""A version and a time: what stands behind the stream's name."""


@dataclass(frozen=True, slots=True)
class FailedObject:
    key: str
    size: int


def failed_objects(account: Account, stream: Stream) -> list[FailedObject]:
    """In the order of their keys: those that may hold records of this stream that failed."""
    plain = stream.error_prefix.partition("!{")[0]
    beginnings = (
        [plain] if stream.error_prefix else [f"{stream.prefix.partition('!{')[0]}{kind}/" for kind in ERROR_TYPES]
    )
    pages = account.client("s3").get_paginator("list_objects_v2")
    found: dict[str, FailedObject] = {}
    with answers():
        for beginning in beginnings:
            for page in pages.paginate(Bucket=stream.bucket, Prefix=beginning):
                for item in page.get("Contents", ()):
                    key = item["Key"]
                    if _is_of(stream, key):
                        found[key] = FailedObject(key, item["Size"])
    return [found[key] for key in sorted(found)]


def _is_of(stream: Stream, key: str) -> bool:
    """Named after the stream, not after one whose name goes on, and in a folder of what failed where such folders are
    told apart."""
    if re.match(re.escape(stream.name) + _STAMP, key.rpartition("/")[2]) is None:
        return False
    own = bool(stream.error_prefix) and "!{firehose:error-output-type}" not in stream.error_prefix
    return own or any(kind in key for kind in ERROR_TYPES)


@dataclass(frozen=True, slots=True)
class Part:
    """Of what failed: records that came from ``since`` on and before ``until``, whose object's key begins with
    ``prefix``, or that are known by one of ``ids``; all of them where nothing is said."""

    since: datetime | None = None
    until: datetime | None = None
    prefix: str = ""
    ids: frozenset[str] = frozenset()

    @property
    def is_all(self) -> bool:
        return self == Part()


@dataclass(frozen=True, slots=True)
class Line:
    """As it stands in the object, and the ``record`` as it came; ``chosen``: it is of the part."""

    text: bytes
    record: bytes
    chosen: bool


def lines(account: Account, stream: Stream, found: FailedObject, part: Part) -> Iterator[Line]:
    """Raises UsageError for an object that is none of what failed."""
    with answers():
        reply = account.client("s3").get_object(Bucket=stream.bucket, Key=found.key)
        content = reply["Body"].read()
    if content[:2] == _GZIP:
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise _damaged(stream, found, 0, error) from None
    for number, text in enumerate(content.splitlines(), 1):
        if text.strip():
            yield _line(stream, found, number, text, part)


def _line(stream: Stream, found: FailedObject, number: int, text: bytes, part: Part) -> Line:
    try:
        told: Any = json.loads(text)
        record = base64.b64decode(told["rawData"], validate=True)
        chosen = part.is_all or _is_in(part, found.key, told, record)
    except (ValueError, RecursionError, KeyError, TypeError, binascii.Error) as error:
        raise _damaged(stream, found, number, error) from None
    return Line(text, record, chosen)


def _is_in(part: Part, key: str, told: Mapping[str, Any], record: bytes) -> bool:
    if not key.startswith(part.prefix):
        return False
    if part.since is not None or part.until is not None:
        at = float(told["arrivalTimestamp"]) / 1000
        if part.since is not None and at < part.since.timestamp():
            return False
        if part.until is not None and at >= part.until.timestamp():
            return False
    return not part.ids or bool(part.ids & {*_ids(told, record)})


def _ids(told: Mapping[str, Any], record: bytes) -> Iterator[str]:
    """By which people know a record: the service's own, and that of the document."""
    yield from (str(told[member]) for member in ("esDocumentId", "sequenceNumber") if told.get(member))
    with suppress(ValueError, RecursionError):
        document: Any = json.loads(record)
        if isinstance(document, dict) and "id" in document:
            yield str(document["id"])


def _damaged(stream: Stream, found: FailedObject, line: int, error: Exception) -> UsageError:
    at = f", line {line}" if line else ""
    return UsageError(
        f"s3://{stream.bucket}/{found.key}{at} is no record that failed: {type(error).__name__}",
        hint="an ErrorOutputPrefix that nothing else writes to keeps what failed apart",
    )


def leave(account: Account, stream: Stream, found: FailedObject, kept: Sequence[Line]) -> None:
    """The object holds these alone."""
    content = b"".join(line.text + b"\n" for line in kept)
    with answers():
        account.client("s3").put_object(Bucket=stream.bucket, Key=found.key, Body=content)


def remove(account: Account, stream: Stream, found: FailedObject) -> None:
    with answers():
        account.client("s3").delete_object(Bucket=stream.bucket, Key=found.key)
