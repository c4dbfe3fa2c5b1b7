"""A captured request as the line that SageMaker writes of it, and the key of the file that holds it."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

from mlops.account.local.process.capture.rule import Capture
from mlops.account.local.process.capture.seen import Seen, Side

VERSION = "0"


def line(seen: Seen, side: Side, capture: Capture) -> str:
    """With its end."""
    data: dict[str, Any] = {}
    if capture.input:
        data["endpointInput"] = _payload(seen.body, seen.content_type, "INPUT", capture)
    if capture.output and side.body is not None:
        data["endpointOutput"] = _payload(side.body, side.content_type, "OUTPUT", capture)
    metadata: dict[str, Any] = {"eventId": seen.event_id}
    # The answer's own come before those of the question, which a container need not repeat.
    attributes = side.attributes or seen.attributes
    if attributes:
        metadata["customAttributes"] = [attributes]
    metadata["inferenceTime"] = f"{datetime.fromtimestamp(seen.time, UTC):%Y-%m-%dT%H:%M:%SZ}"
    if seen.inference_id:
        metadata["inferenceId"] = seen.inference_id
    if seen.target:
        # Not the service's: whoever compares variants leaves out what a caller chose.
        metadata["targetVariant"] = seen.target
    return _LINE.encode({"captureData": data, "eventMetadata": metadata, "eventVersion": VERSION}) + "\n"


def folder(destination: str, endpoint: str, variant: str, moment: float) -> str:
    """By the hour of the invocation.

    >>> folder("s3://acme/kept", "churn", "blue", 1700000000.5)
    's3://acme/kept/churn/blue/2023/11/14/22'
    """
    return f"{destination}/{endpoint}/{variant}/{datetime.fromtimestamp(moment, UTC):%Y/%m/%d/%H}"


def file_name(moment: float, file_id: str) -> str:
    """
    >>> file_name(1700000000.5, "0b1e")
    '13-20-500-0b1e.jsonl'
    """
    at = datetime.fromtimestamp(moment, UTC)
    return f"{at:%M-%S}-{at.microsecond // 1000:03}-{file_id}.jsonl"


def _payload(body: bytes, content_type: str | None, mode: str, capture: Capture) -> dict[str, Any]:
    data, encoding = _encoded(body, content_type, capture)
    return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}


def _encoded(body: bytes, content_type: str | None, capture: Capture) -> tuple[str, str]:
    kind = (content_type or "").partition(";")[0].strip().lower()
    name = "CSV" if kind in capture.csv else "JSON" if kind in capture.json else None
    if name is not None:
        try:
            return body.decode(), name
        except UnicodeDecodeError:
            pass  # it is not what it says
    return b64encode(body).decode(), "BASE64"


_LINE = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
