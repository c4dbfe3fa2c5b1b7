"""A captured request as a document: the fields of :mod:`mlops.ir.captured_fields`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from mlops.ir.captured_fields import FEATURE, FeatureKind
from mlops.ir.hiding import beginning
from mlops.ir.index import TIME
from mlops.observe.search.documents import LONGEST, Document, Origin, digest, moment

_NO_LONG = 2**63


class Row(Protocol):
    @property
    def time(self) -> datetime: ...
    @property
    def endpoint(self) -> str: ...
    @property
    def variant(self) -> str: ...
    @property
    def inference(self) -> str: ...
    @property
    def row(self) -> int: ...
    @property
    def features(self) -> Mapping[str, Any]: ...


def captured_document(row: Row, kinds: Mapping[str, FeatureKind], origin: Origin) -> Document:
    """A value that is none of its kind is left out, and told as unknown."""
    values = {name: _value(kinds[name], value) for name, value in row.features.items()}
    known = {name: value for name, value in values.items() if value is not None}
    whole = [origin.environment, origin.account, origin.region, row.endpoint, row.variant, row.inference, row.row]
    at = moment(row.time)
    body = {
        TIME: at,
        "endpoint": row.endpoint,
        "variant": row.variant,
        "inference": beginning(row.inference, LONGEST),
        "row": row.row,
        "environment": origin.environment,
        "account": origin.account,
        "region": origin.region,
        **({FEATURE: known} if known else {}),
    }
    unknown = tuple(f"{FEATURE}.{name}" for name, value in values.items() if value is None)
    return Document(digest([*whole, at]), body, unknown)


def _value(kind: FeatureKind, value: Any) -> Any:
    match kind:
        case "geo_point":
            return place(value)
        case "keyword":
            return beginning(str(value), LONGEST) if isinstance(value, str | int | float) else None
    number = _number(value)
    if number is None or abs(number) >= _NO_LONG:
        return None
    if kind == "double":
        return number
    return int(number) if number == int(number) else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def place(value: Any) -> Mapping[str, float] | None:
    """In the forms of a ``geo_point``: an object, a text with the latitude first, a list with the longitude first.

    >>> place("48.1, 11.5") == place([11.5, 48.1]) == place({"lat": 48.1, "lon": 11.5})
    True
    >>> place("91,0") is None
    True
    """
    match value:
        case {"lat": lat, "lon": lon}:
            pass
        case str() if value.count(",") == 1:
            lat, _, lon = value.partition(",")
        case [lon, lat]:
            pass
        case _:
            return None
    north, east = _number(lat), _number(lon)
    if north is None or east is None or abs(north) > 90 or abs(east) > 180:
        return None
    return {"lat": north, "lon": east}
