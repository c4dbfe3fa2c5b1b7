"""What a configuration asks to be captured, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.account.local.services.sagemaker import capturing
from mlops.ir.dataclass import dataclass

_INPUT, _OUTPUT, _BOTH = "Input", "Output", "InputAndOutput"


@dataclass(frozen=True, slots=True)
class Capture:
    """``share`` of the requests, below ``destination``. Content types of neither list are kept as base64."""

    destination: str
    share: float = 1.0
    input: bool = True
    output: bool = True
    csv: frozenset[str] = frozenset()
    json: frozenset[str] = frozenset()


def of(config: Mapping[str, Any]) -> Capture | None:
    """Of DescribeEndpointConfig's reply; None where it asks for nothing, or for what an older version let pass."""
    given = config.get("DataCaptureConfig") or {}
    if not capturing.enabled(config) or capturing.bucket_of(given.get("DestinationS3Uri", "")) is None:
        return None
    modes = {option["CaptureMode"] for option in given["CaptureOptions"]}
    types = given.get("CaptureContentTypeHeader") or {}
    return Capture(
        given["DestinationS3Uri"].rstrip("/"),
        given["InitialSamplingPercentage"] / 100,
        bool(modes & {_INPUT, _BOTH}),
        bool(modes & {_OUTPUT, _BOTH}),
        frozenset(map(str.lower, types.get("CsvContentTypes") or ())),
        frozenset(map(str.lower, types.get("JsonContentTypes") or ())),
    )
