"""Features of requests that endpoints captured: those that somebody named, and nothing else of them."""

from __future__ import annotations

import base64
import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mlops.account import Account, answers
from mlops.account.missing import unless_missing
from mlops.deploy.monitors import inputs
from mlops.deploy.monitors.windows import Window
from mlops.ir.captured_fields import Features
from mlops.ir.dataclass import dataclass

_ROWS = "instances"
"""The member under which TensorFlow's and our own servers take several."""


@dataclass(frozen=True, slots=True)
class CapturedRow:
    """``features`` are the values of those that were named, as they were sent; ``row`` is the place in the request."""

    time: datetime
    endpoint: str
    variant: str
    inference: str
    row: int
    features: Mapping[str, Any]


def captured_rows(account: Account, features: Features, window: Window) -> Iterator[CapturedRow]:
    """Of the endpoints that are there and capture. Requests in which no feature of that name stands are left out."""
    s3 = account.client("s3")
    for endpoint in sorted(features):
        with answers():
            found = _destination(account.client("sagemaker"), endpoint)
            if found is None:
                continue
            destination, shadows = found
            listed = inputs.captured(account, endpoint, destination, shadows, window)
        for key in listed.keys:
            variant = key.removeprefix(listed.prefix).partition("/")[0]
            with answers():
                content = s3.get_object(Bucket=listed.bucket, Key=key)["Body"].read()
            for line in content.decode(errors="replace").splitlines():
                for row in _rows(line, endpoint, variant, [*features[endpoint]]):
                    if window.since <= row.time < window.until:
                        yield row


def _destination(sagemaker: Any, endpoint: str) -> tuple[str, Sequence[str]] | None:
    """Where it captures to, and its shadows; None where there is no such endpoint, or it does not capture."""
    described = unless_missing(lambda: sagemaker.describe_endpoint(EndpointName=endpoint))
    if described is None:
        return None
    config = sagemaker.describe_endpoint_config(EndpointConfigName=described["EndpointConfigName"])
    destination = (config.get("DataCaptureConfig") or {}).get("DestinationS3Uri")
    shadows = [str(variant["VariantName"]) for variant in config.get("ShadowProductionVariants") or ()]
    return (str(destination), shadows) if destination else None


def _rows(line: str, endpoint: str, variant: str, names: Sequence[str]) -> Iterator[CapturedRow]:
    """None of what is no line of data capture."""
    try:
        told = json.loads(line)
        metadata, asked = told["eventMetadata"], told["captureData"].get("endpointInput") or {}
        at = datetime.fromisoformat(metadata["inferenceTime"]).astimezone(UTC)
        inference = str(metadata.get("inferenceId") or metadata["eventId"])
        sent = [*_sent(str(asked.get("data", "")), asked.get("encoding"))]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return
    for number, values in enumerate(sent):
        known = {name: values[name] for name in names if values.get(name) is not None}
        if known:
            yield CapturedRow(at, endpoint, variant, inference, number, known)


def _sent(data: str, encoding: object) -> Iterator[Mapping[str, Any]]:
    """Each row by the names of its members, or the numbers of its columns."""
    if encoding == "BASE64":
        data = base64.b64decode(data, validate=True).decode()
    if encoding == "CSV":
        for values in csv.reader(data.splitlines()):
            yield {str(number): value for number, value in enumerate(values)}
        return
    body = json.loads(data)
    if isinstance(body, Mapping) and isinstance(body.get(_ROWS), list):
        body = body[_ROWS]
    for row in body if isinstance(body, list) else [body]:
        if isinstance(row, Mapping):
            yield row
