"""Events that go out as they come, framed as application/vnd.amazon.eventstream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import EventStreamError
from botocore.model import StructureShape

from mlops.account.local.process.router.event_stream import CONTENT_TYPE, framed, headers_of
from mlops.account.wire import json_bodies

__all__ = ["CONTENT_TYPE", "written"]


def written(shape: StructureShape, events: Any) -> Iterator[bytes]:
    """``events`` are structures of one member each, and may be closed. An error among them is the last that is told."""
    try:
        for event in events:
            for name, body in event.items():
                yield _event(shape.members[name], name, body)
    except EventStreamError as error:
        told = error.response["Error"]
        kind = str(told.get("Code"))
        body = {name: value for name, value in told.items() if name != "Code"}
        headers = headers_of(exception_type=kind, content_type="application/json", message_type="exception")
        yield framed(headers, json_bodies.dumped(body))
    finally:
        close = getattr(events, "close", None)
        if close is not None:
            close()


def _event(shape: StructureShape, name: str, body: Mapping[str, Any]) -> bytes:
    payload = next((item for item, member in shape.members.items() if member.serialization.get("eventpayload")), None)
    if payload is not None and shape.members[payload].type_name == "blob":
        headers = headers_of(event_type=name, content_type="application/octet-stream", message_type="event")
        return framed(headers, body.get(payload, b""))
    headers = headers_of(event_type=name, content_type="application/json", message_type="event")
    return framed(headers, json_bodies.dumped(json_bodies.written(shape, body)))
