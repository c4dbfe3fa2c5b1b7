"""An event as a document: the fields of :mod:`mlops.ir.event_fields`, and an id that follows from what it says, so that
what is put twice is there once."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.ir.event_fields import DETAIL, IDS, LEFT_OUT
from mlops.ir.events import Event
from mlops.ir.hiding import beginning
from mlops.ir.index import TIME, Kind

LONGEST, MOST = 8_000, 100
"""Characters of one value, and values of one field; the rest is in the account."""
_NO_LONG = 2**63


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose events these are."""

    environment: str
    account: str
    region: str


@dataclass(frozen=True, slots=True)
class Document:
    """``unknown`` are members of the event that no field is for."""

    id: str
    body: Mapping[str, Any]
    unknown: tuple[str, ...] = ()


def document(event: Event, origin: Origin) -> Document:
    """What looks like a secret is hidden, also in names."""
    noun, _, happened = event.kind.partition(".")
    time = event.time.astimezone(UTC)
    known: dict[str, Any] = {
        TIME: moment(time),
        "kind": event.kind,
        "noun": noun,
        "happened": happened,
        "about": _text(event.about),
        "environment": origin.environment,
        "account": origin.account,
        "region": origin.region,
        "sequence": event.sequence,
        "hour": time.hour,
    }
    ids = {name: _text(value) for name, value in event.ids.items() if name in IDS}
    detail = {
        name: found for name in event.detail if (found := _value(DETAIL.get(name), event.detail[name])) is not None
    }
    unknown = (
        *(f"ids.{name}" for name in event.ids if name not in IDS),
        *(f"detail.{name}" for name in event.detail if name not in DETAIL and name not in LEFT_OUT),
    )
    body = {name: value for name, value in known.items() if value is not None}
    body |= {name: inside for name, inside in (("ids", ids), ("detail", detail)) if inside}
    return Document(_id(event, origin), body, unknown)


def moment(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def digest(whole: Sequence[Any]) -> str:
    """The id of a document that is put twice and is one."""
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()[:40]


def _id(event: Event, origin: Origin) -> str:
    whole = [
        origin.environment,
        origin.account,
        origin.region,
        event.time.isoformat(),
        event.kind,
        event.about,
        event.sequence,
        sorted(event.ids.items()),
    ]
    return digest(whole)


def _value(kind: Kind | None, value: Any) -> Any:
    """None for what is no value of its field: a plug-in may tell what it likes."""
    match kind:
        case None:
            return None
        case "long" | "double":
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            return value if is_number and math.isfinite(value) and abs(value) < _NO_LONG else None
        case _ if isinstance(value, list | tuple):
            return [_text(str(item)) for item in value[:MOST] if isinstance(item, str | int | float)]
        case _ if isinstance(value, str | int | float):
            return _text(str(value))
    return None


def _text(value: str) -> str:
    return beginning(value, LONGEST)
