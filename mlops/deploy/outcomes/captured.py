"""A line of data capture, as a request whose outcome is to come.

Callers tell what capture does not: attributes as ``name=value``, several with commas between. ``mlops.ab`` names the
test that chose the variant, ``mlops.user`` who is asked for (:mod:`mlops.client` writes both).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mlops.ir.dataclass import dataclass

TEST, USER = "mlops.ab", "mlops.user"
_BETWEEN = re.compile(r"[,;&\s]+")


@dataclass(frozen=True, slots=True)
class Request:
    """``second`` since 1970 at which it came. ``chosen``: the caller named the variant, and no test did."""

    id: str
    second: int
    answer: str | None
    attributes: Mapping[str, str]
    chosen: bool = False

    @property
    def user(self) -> str | None:
        return self.attributes.get(USER)


def parsed(line: str) -> Request:
    """Raises ValueError for what is no line of data capture."""
    told = json.loads(line)
    try:
        metadata = told["eventMetadata"]
        found = attributes(metadata.get("customAttributes") or ())
        return Request(
            str(metadata.get("inferenceId") or metadata["eventId"]),
            int(datetime.fromisoformat(metadata["inferenceTime"]).timestamp()),
            _text(told["captureData"].get("endpointOutput")),
            found,
            bool(metadata.get("targetVariant")) and TEST not in found,
        )
    except (KeyError, TypeError, AttributeError):
        raise ValueError("no line of data capture") from None


def attributes(written: Any) -> dict[str, str]:
    """
    >>> attributes(["segment=new, plan=free"])
    {'segment': 'new', 'plan': 'free'}
    """
    text = written if isinstance(written, str) else ",".join(map(str, written))
    pairs = (part.partition("=") for part in _BETWEEN.split(text))
    return {name: value for name, equals, value in pairs if equals and name}


def _text(payload: Any) -> str | None:
    if payload is None:
        return None
    data = str(payload["data"])
    if payload.get("encoding") != "BASE64":
        return data
    try:
        return base64.b64decode(data, validate=True).decode()
    except ValueError:
        return None
