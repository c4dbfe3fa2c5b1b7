"""Members as CBOR (RFC 8949), in both directions: what the service's own clients write, in any of its lengths."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from mlops.account.local.refusal import Refusal
from mlops.account.wire import json_bodies, texts

_DEEPEST = 128
_OPEN, _BREAK = 31, 0xFF
_SIMPLE: Mapping[int, bool | None] = {20: False, 21: True, 22: None, 23: None}
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}
_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _LIST, _MAP, _TAG, _OTHER = range(8)
_TIME = 1


def loaded(body: bytes) -> dict[str, Any]:
    """The map that a body is; nothing is an empty one."""
    if not body:
        return {}
    reader = _Reader(body)
    try:
        found = reader.item(0)
    except (IndexError, struct.error, UnicodeDecodeError, ValueError, OverflowError, TypeError):
        raise Refusal("SerializationException", "The body is not CBOR.") from None
    if not isinstance(found, dict) or reader.place != len(body):
        raise Refusal("SerializationException", "The body is not one map of CBOR.")
    return found


def read(shape: Shape, value: Any) -> Any:
    return json_bodies.read(shape, value)


class _Reader:
    def __init__(self, body: bytes) -> None:
        self.body = body
        self.place = 0

    def item(self, depth: int) -> Any:
        if depth > _DEEPEST:
            raise ValueError("too deep")
        first = self._take(1)[0]
        kind, told = first >> 5, first & 31
        match kind:
            case 0:
                return self._count(told)
            case 1:
                return -1 - self._count(told)
            case 2:
                return self._text(told, kind)
            case 3:
                return self._text(told, kind).decode()
            case 4:
                return [self.item(depth + 1) for _ in self._times(told)]
            case 5:
                return self._map(told, depth)
            case 6:
                return self._tagged(self._count(told), depth)
        if told in _SIMPLE:
            return _SIMPLE[told]
        form = _FLOATS.get(told)
        if form is None:
            raise ValueError("no simple value")
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _take(self, count: int) -> bytes:
        end = self.place + count
        if end > len(self.body):
            raise ValueError("it ends too early")
        taken = self.body[self.place : end]
        self.place = end
        return taken

    def _count(self, told: int) -> int:
        if told < 24:
            return told
        if told > 27:
            raise ValueError("no length")
        return int.from_bytes(self._take(1 << (told - 24)), "big")

    def _times(self, told: int) -> Any:
        """As often as there are items: what is said to be more than the body has bytes is not begun."""
        if told != _OPEN:
            count = self._count(told)
            if count > len(self.body) - self.place:
                raise ValueError("more items than bytes")
            yield from range(count)
            return
        while self.body[self.place] != _BREAK:
            yield
        self.place += 1

    def _text(self, told: int, kind: int) -> bytes:
        if told != _OPEN:
            return self._take(self._count(told))
        parts = []
        while self.body[self.place] != _BREAK:
            first = self._take(1)[0]
            if first >> 5 != kind:
                raise ValueError("a piece of another kind")
            parts.append(self._take(self._count(first & 31)))
        self.place += 1
        return b"".join(parts)

    def _map(self, told: int, depth: int) -> dict[Any, Any]:
        found = {}
        for _ in self._times(told):
            key = self.item(depth + 1)
            value = self.item(depth + 1)
            if value is not None:
                found[key] = value
        return found

    def _tagged(self, tag: int, depth: int) -> Any:
        value = self.item(depth + 1)
        if tag == _TIME and isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        return value


def written(shape: Shape, value: Any, into: bytearray) -> None:
    match shape:
        case StructureShape():
            _head(into, _MAP, len(value))
            for name, item in value.items():
                member = shape.members[name]
                text(member.serialization.get("name", name), into)
                written(member, item, into)
            return
        case ListShape():
            _head(into, _LIST, len(value))
            for item in value:
                written(shape.member, item, into)
            return
        case MapShape():
            _head(into, _MAP, len(value))
            for key, item in value.items():
                text(key, into)
                written(shape.value, item, into)
            return
    match shape.type_name:
        case "boolean":
            into.append(_OTHER << 5 | (21 if value else 20))
        case "integer" | "long":
            _integer(value, into)
        case "float" | "double":
            into.append(_OTHER << 5 | 27)
            into += struct.pack(">d", math.nan if math.isnan(value) else value)
        case "timestamp":
            into.append(_TAG << 5 | _TIME)
            seconds = texts.written_time(value, "unixtimestamp")
            if isinstance(seconds, int):
                _integer(seconds, into)
            else:
                into.append(_OTHER << 5 | 27)
                into += struct.pack(">d", seconds)
        case "blob":
            content = value.encode() if isinstance(value, str) else bytes(value)
            _head(into, _BYTES, len(content))
            into += content
        case _:
            text(str(value), into)


def text(value: str, into: bytearray) -> None:
    content = value.encode()
    _head(into, _TEXT, len(content))
    into += content


def texts_of(pairs: Mapping[str, str]) -> bytes:
    """A map of texts."""
    into = bytearray()
    _head(into, _MAP, len(pairs))
    for name, value in pairs.items():
        text(name, into)
        text(value, into)
    return bytes(into)


def _integer(value: int, into: bytearray) -> None:
    _head(into, _UNSIGNED if value >= 0 else _NEGATIVE, value if value >= 0 else -1 - value)


def _head(into: bytearray, kind: int, count: int) -> None:
    if count < 24:
        into.append(kind << 5 | count)
        return
    for told, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if count < 1 << 8 * size:
            into.append(kind << 5 | told)
            into += count.to_bytes(size, "big")
            return
    raise OverflowError("a number of more than 64 bits")
