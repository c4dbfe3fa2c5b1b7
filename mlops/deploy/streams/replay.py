"""What a stream could not deliver, put again: the records that lie in its error prefix, as they came."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import re
import zlib
from collections.abc import Iterator
from typing import Any

from mlops.account import Account, answers
from mlops.deploy.streams.described import Stream
from mlops.ir import UsageError
from mlops.ir.dataclass import dataclass

ERROR_TYPES = (
    "processing-failed", "format-conversion-failed", "http-endpoint-failed", "AmazonOpenSearchService_failed",
    "AmazonOpenSearchService-failed", "splunk-failed",
)  # fmt: skip
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


def records(account: Account, stream: Stream, found: FailedObject) -> Iterator[bytes]:
    """Raises UsageError for an object that is none of what failed."""
    with answers():
        reply = account.client("s3").get_object(Bucket=stream.bucket, Key=found.key)
        content = reply["Body"].read()
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise _damaged(stream, found, 0, error) from None
    for number, line in enumerate(content.splitlines(), 1):
        if line.strip():
            yield _raw(stream, found, number, line)


def _raw(stream: Stream, found: FailedObject, number: int, line: bytes) -> bytes:
    try:
        told: Any = json.loads(line)
        return base64.b64decode(told["rawData"], validate=True)
    except (ValueError, RecursionError, KeyError, TypeError, binascii.Error) as error:
        raise _damaged(stream, found, number, error) from None


def _damaged(stream: Stream, found: FailedObject, line: int, error: Exception) -> UsageError:
    at = f", line {line}" if line else ""
    return UsageError(
        f"s3://{stream.bucket}/{found.key}{at} is no record that failed: {type(error).__name__}",
        hint="an ErrorOutputPrefix that nothing else writes to keeps what failed apart",
    )


def remove(account: Account, stream: Stream, found: FailedObject) -> None:
    with answers():
        account.client("s3").delete_object(Bucket=stream.bucket, Key=found.key)
