"""Members of REST protocols that are not in the body: in the path, the query, the headers and the status."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.utils import is_json_value_header

from mlops.account.local.refusal import Refusal
from mlops.account.wire import event_streams, texts
from mlops.account.wire.messages import Reply, Request
from mlops.account.wire.rest_paths import named_in_path

CHUNK = 256 * 1024
_LISTED = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,]*))\s*(?:,|$)')


def read(
    operation: OperationModel, request: Request, body_of: Callable[[Shape, bytes, bool], dict[str, Any]]
) -> dict[str, Any]:
    """``body_of`` reads a shape, of which a body without ``payload`` holds the members that are nowhere else."""
    shape: StructureShape | None = operation.input_shape
    if shape is None:
        return {}
    path = named_in_path(operation, request.path)
    found = {}
    named = _named_in_query(operation, shape)
    for name, member in shape.members.items():
        value = _located(name, member, request, path, named)
        if value is not None:
            found[name] = value
    payload = shape.serialization.get("payload")
    if payload is None:
        if any("location" not in member.serialization for member in shape.members.values()):
            body = request.whole_body()
            found |= {name: item for name, item in body_of(shape, body, False).items() if name not in found}
        return found
    member = shape.members[payload]
    if member.type_name in ("blob", "string"):
        found[payload] = _payload(member, request)
    elif body := request.whole_body():
        found[payload] = body_of(member, body, True)
    return found


def _payload(member: Shape, request: Request) -> Any:
    if member.serialization.get("streaming"):
        return request.body
    body = request.whole_body()
    if member.type_name == "blob":
        return body
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Refusal("SerializationException", "The body is not text.") from None


def _named_in_query(operation: OperationModel, shape: StructureShape) -> frozenset[str]:
    """What a map of the query must not take for its own."""
    return frozenset(
        member.serialization.get("name", name)
        for name, member in shape.members.items()
        if member.serialization.get("location") == "querystring" and not isinstance(member, MapShape)
    )


def _located(
    name: str, member: Shape, request: Request, path: Mapping[str, str], named_in_query: frozenset[str]
) -> Any:
    told: str = member.serialization.get("name", name)
    match member.serialization.get("location"):
        case "uri":
            text = path.get(told)
            return None if text is None else texts.read(member, text)
        case "querystring":
            if isinstance(member, MapShape):
                return _map_of_query(member, request, named_in_query) or None
            values = [value for key, value in request.query if key == told]
            if not values:
                return None
            if isinstance(member, ListShape):
                return [texts.read(member.member, value) for value in values]
            return texts.read(member, values[0])
        case "header":
            text = request.headers.get(told.lower())
            return None if text is None else _from_header(member, text)
        case "headers":
            prefix = told.lower()
            found = {key[len(prefix) :]: text for key, text in request.headers.items() if key.startswith(prefix)}
            return found or None
    return None


def _map_of_query(member: MapShape, request: Request, named: frozenset[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in request.query:
        if key in named:
            continue
        if isinstance(member.value, ListShape):
            found.setdefault(key, []).append(value)
        else:
            found[key] = value
    return found


def _from_header(member: Shape, text: str) -> Any:
    if isinstance(member, ListShape):
        return [texts.read(member.member, item) for item in _listed(member.member, text)]
    if is_json_value_header(member):
        try:
            return json.loads(b64decode(text, validate=True))
        except (ValueError, RecursionError):
            raise Refusal("SerializationException", "A header that is JSON in base64 is not.") from None
    return texts.read(member, text)


def _listed(member: Shape, text: str) -> list[str]:
    """
    >>> _listed(Shape("Text", {"type": "string"}), 'a, "b, \\\\"c\\\\"",d')
    ['a', 'b, "c"', 'd']
    """
    if member.type_name == "timestamp" and member.serialization.get("timestampFormat", "rfc822") == "rfc822":
        words = text.split(",")  # of which each time has one itself
        return [",".join(words[place : place + 2]).strip() for place in range(0, len(words), 2)]
    found, place = list[str](), 0
    while place < len(text):
        piece = _LISTED.match(text, place)
        if piece is None:
            return [*found, text[place:].strip()]
        found.append(piece[2].strip() if piece[1] is None else re.sub(r"\\(.)", r"\1", piece[1]))
        place = piece.end()
    return found


def write(
    operation: OperationModel,
    reply: Mapping[str, Any],
    body_of: Callable[[OperationModel, Shape, Mapping[str, Any]], bytes],
    content_type: str,
) -> Reply:
    """``body_of`` writes the members of a shape that are in the body."""
    shape: StructureShape | None = operation.output_shape
    status = operation.http.get("responseCode", 200)
    if shape is None:
        return Reply(status)
    headers: dict[str, str] = {}
    inside: dict[str, Any] = {}
    for name, value in reply.items():
        member = shape.members[name]
        told: str = member.serialization.get("name", name)
        match member.serialization.get("location"):
            case "header":
                headers[told] = _to_header(member, value)
            case "headers":
                headers |= {f"{told}{key}": item for key, item in value.items()}
            case "statusCode":
                status = value
            case _:
                inside[name] = value
    payload = shape.serialization.get("payload")
    if payload is None:
        body_is_there = any("location" not in member.serialization for member in shape.members.values())
        body = body_of(operation, shape, inside) if body_is_there else b""
        return Reply(status, {**({"Content-Type": content_type} if body else {}), **headers}, body)
    member = shape.members[payload]
    if member.serialization.get("eventstream"):
        return Reply(
            status,
            {"Content-Type": event_streams.CONTENT_TYPE, **headers},
            event_streams.written(member, inside[payload]),
        )
    if member.type_name not in ("blob", "string"):
        body = body_of(operation, member, inside[payload]) if payload in inside else b""
        return Reply(status, {**({"Content-Type": content_type} if body else {}), **headers}, body)
    return Reply(status, headers, _content(inside.get(payload, b"")))


def _content(value: Any) -> bytes | Iterable[bytes]:
    if isinstance(value, str):
        return value.encode()
    if hasattr(value, "read"):
        return _pieces(value)
    content: bytes | Iterable[bytes] = value
    return content


def _pieces(stream: Any) -> Iterable[bytes]:
    try:
        while piece := stream.read(CHUNK):
            yield piece
    finally:
        stream.close()


def _to_header(member: Shape, value: Any) -> str:
    if isinstance(member, ListShape):
        return ",".join(_one_of_list(member.member, item) for item in value)
    if is_json_value_header(member):
        return b64encode(json.dumps(value, separators=(",", ":")).encode()).decode()
    return texts.written(member, value, "rfc822")


def _one_of_list(member: Shape, value: Any) -> str:
    text = texts.written(member, value, "rfc822")
    if member.type_name == "string" and ("," in text or '"' in text):
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}"'
    return text
