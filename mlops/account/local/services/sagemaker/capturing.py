"""DataCaptureConfig of an endpoint configuration: what it asks for, and what DescribeEndpoint tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.account.local.refusal import invalid
from mlops.ir.s3_uri import is_bucket_name

_SCHEME = "s3://"


def enabled(config: Mapping[str, Any]) -> bool:
    """It is unless that is switched off, as the API says.

    >>> enabled({"DataCaptureConfig": {}}), enabled({"DataCaptureConfig": {"EnableCapture": False}}), enabled({})
    (True, False, False)
    """
    given = config.get("DataCaptureConfig")
    return given is not None and given.get("EnableCapture") is not False


def bucket_of(destination: str) -> str | None:
    """Where there can be such a bucket.

    >>> bucket_of("s3://acme-capture/churn"), bucket_of("https://acme-capture/churn"), bucket_of("s3:///churn")
    ('acme-capture', None, None)
    """
    bucket = destination.removeprefix(_SCHEME).partition("/")[0]
    return bucket if destination.startswith(_SCHEME) and is_bucket_name(bucket) else None


def need_destination(config: Mapping[str, Any]) -> None:
    """Raises Refusal where nothing could be written."""
    destination = (config.get("DataCaptureConfig") or {}).get("DestinationS3Uri")
    if enabled(config) and bucket_of(destination or "") is None:
        raise invalid(f"DataCaptureConfig: {destination} is no place in a bucket, as s3://BUCKET/PREFIX is.")


def told(config: Mapping[str, Any]) -> dict[str, Any] | None:
    """As DataCaptureConfigSummary."""
    given = config.get("DataCaptureConfig")
    if not given:
        return None
    started = enabled(config) and bucket_of(given["DestinationS3Uri"]) is not None
    return {
        "EnableCapture": enabled(config),
        "CaptureStatus": "Started" if started else "Stopped",
        "CurrentSamplingPercentage": given["InitialSamplingPercentage"],
        "DestinationS3Uri": given["DestinationS3Uri"],
        "KmsKeyId": given.get("KmsKeyId", ""),
    }
