"""The framing of an answer that is streamed: application/vnd.amazon.eventstream, as SageMaker Runtime sends it.

A message is its length, that of its headers and a checksum of both, four bytes each, then the headers, the payload and
a checksum of it all.
"""

from __future__ import annotations

import json
import struct
from zlib import crc32

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7


def part(payload: bytes) -> bytes:
    """A PayloadPart."""
    return framed(_PART, payload)


def fault(message: str, code: str) -> bytes:
    """A ModelStreamError, in place of what would have come."""
    return framed(_FAULT, json.dumps({"Message": message, "ErrorCode": code}).encode())


def headers_of(**told: str) -> bytes:
    """
    >>> headers_of(event_type="PayloadPart")
    b'\\x0b:event-type\\x07\\x00\\x0bPayloadPart'
    """
    found = b""
    for name, value in told.items():
        word = f":{name.replace('_', '-')}".encode()
        found += struct.pack(">B", len(word)) + word + struct.pack(">BH", _STRING, len(value)) + value.encode()
    return found


def framed(headers: bytes, payload: bytes) -> bytes:
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    head = prelude + struct.pack(">I", crc32(prelude)) + headers
    return head + payload + struct.pack(">I", crc32(payload, crc32(head)))


_PART = headers_of(event_type="PayloadPart", content_type="application/octet-stream", message_type="event")
_FAULT = headers_of(exception_type="ModelStreamError", content_type="application/json", message_type="exception")
