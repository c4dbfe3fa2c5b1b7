"""Values as text, where a protocol has nothing but text: in paths, queries, headers, forms and XML."""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Literal, TypeAlias

from botocore.model import Shape
from botocore.utils import parse_to_aware_datetime

from mlops.account.local.refusal import Refusal

TimeFormat: TypeAlias = Literal["iso8601", "rfc822", "unixtimestamp"]


def read(shape: Shape, text: str) -> Any:
    """What cannot be read as the shape wants it stays text: whoever obeys the model will say so."""
    match shape.type_name:
        case "boolean":
            return {"true": True, "false": False}.get(text.strip().lower(), text)
        case "integer" | "long":
            return _number(int, text)
        case "float" | "double":
            return _number(float, text)
        case "timestamp":
            return time(text)
        case "blob":
            return blob(text)
    return text


def written(shape: Shape, value: Any, times: TimeFormat) -> str:
    """``times`` is the form where the model names none."""
    match shape.type_name:
        case "boolean":
            return "true" if value else "false"
        case "float" | "double":
            return number(value) if math.isfinite(value) else special(value)
        case "timestamp":
            return str(written_time(value, shape.serialization.get("timestampFormat", times)))
        case "blob":
            return b64encode(value.encode() if isinstance(value, str) else value).decode()
    return str(value)


def time(value: Any) -> Any:
    """A time of any form, aware; the value itself where it is none."""
    if isinstance(value, bool):
        return value
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        return parse_to_aware_datetime(value).astimezone(UTC)
    except (ValueError, OverflowError, OSError, TypeError, RuntimeError):
        return value


def written_time(value: datetime, form: str) -> str | float:
    """
    >>> moment = datetime(2026, 11, 29, 3, 4, 5, 678000, tzinfo=UTC)
    >>> [written_time(moment, form) for form in ("iso8601", "rfc822", "unixTimestamp")]
    ['2026-11-29T03:04:05.678Z', 'Sun, 29 Nov 2026 03:04:05 GMT', 1795921445.678]
    """
    value = value.astimezone(UTC)
    match form.lower():
        case "rfc822":
            return format_datetime(value.replace(microsecond=0), usegmt=True)
        case "unixtimestamp":
            return value.timestamp() if value.microsecond else int(value.timestamp())
    digits = "milliseconds" if value.microsecond % 1000 == 0 else "microseconds"
    return value.replace(tzinfo=None).isoformat(timespec=digits) + "Z"


def blob(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise Refusal("SerializationException", "A member that is binary is not in base64.") from None


def number(value: float) -> str:
    """
    >>> number(3), number(0.1)
    ('3.0', '0.1')
    """
    return repr(float(value))


def special(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _number(kind: type[int] | type[float], text: str) -> Any:
    # Python reads more than the services do: digits of other scripts, underscores.
    if not text.isascii() or "_" in text:
        return text
    try:
        return kind(text)
    except ValueError:
        return text
