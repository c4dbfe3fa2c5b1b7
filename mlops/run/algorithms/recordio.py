"""Records of protobuf in RecordIO: what the built-in algorithms read and write, by the schema ``aialgs.data.Record``.

Only what algorithms use of it: a Record has maps ``features`` and ``label`` from names to tensors of float32, float64
or int32, each with values and, where it is sparse, keys and a shape (sagemaker-containers: record_pb2.py).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_MAGIC = 0xCED7230A
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FLOAT32, _FLOAT64, _INT32 = 2, 3, 7
_DTYPES: Mapping[int, Any] = {_FLOAT32: np.float32, _FLOAT64: np.float64, _INT32: np.int32}


@dataclass(frozen=True, slots=True)
class Tensor:
    """``keys`` are there where it is sparse; then ``shape`` says how long it is, where that was written."""

    values: Any
    keys: Any = None
    shape: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    features: Mapping[str, Tensor | None]
    label: Mapping[str, Tensor | None]


def records(data: bytes) -> Iterator[Record]:
    """Raises ValueError."""
    for body in _bodies(data):
        features: dict[str, Tensor | None] = {}
        label: dict[str, Tensor | None] = {}
        for number, value in _members(body):
            if number in (1, 2):
                name, tensor = _entry(_part(value))
                (features if number == 1 else label)[name] = tensor
        yield Record(features, label)


def written(labels: Sequence[Mapping[str, Sequence[float]]]) -> bytes:
    """One record for each, whose label has those tensors of float32."""
    return b"".join(_framed(b"".join(_label(name, values) for name, values in item.items())) for item in labels)


def _bodies(data: bytes) -> Iterator[bytes]:
    offset = 0
    while offset + 8 <= len(data):
        magic, length = struct.unpack_from("<II", data, offset)
        if magic != _MAGIC:
            raise ValueError(f"Invalid RecordIO magic at offset {offset}")
        offset += 8
        padded = (length + 3) // 4 * 4
        if offset + padded > len(data):
            raise ValueError(f"Truncated record at offset {offset}")
        yield data[offset : offset + length]
        offset += padded


def _framed(body: bytes) -> bytes:
    return struct.pack("<II", _MAGIC, len(body)) + body + b"\0" * (-len(body) % 4)


def _entry(data: bytes) -> tuple[str, Tensor | None]:
    """Of a map."""
    name, tensor = "", None
    for number, value in _members(data):
        if number == 1:
            name = _part(value).decode("utf-8")
        elif number == 2:
            tensor = _value(_part(value))
    return name, tensor


def _value(data: bytes) -> Tensor | None:
    found = [(number, _part(value)) for number, value in _members(data) if number in _DTYPES]
    return _tensor(*found[-1]) if found else None


def _part(value: Any) -> bytes:
    """Raises ValueError where a number stands in its place."""
    if not isinstance(value, bytes):
        raise ValueError("Error parsing message")
    return value


def _tensor(kind: int, data: bytes) -> Tensor:
    parts: dict[int, list[Any]] = {1: [], 2: [], 3: []}
    for number, value in _members(data):
        if number not in parts:
            continue
        if not isinstance(value, bytes):  # not packed
            parts[number].append(_plain(kind, value) if number == 1 else value)
        elif number == 1 and kind != _INT32:
            parts[1].extend(np.frombuffer(value, dtype="<f4" if kind == _FLOAT32 else "<f8"))
        else:
            unpacked = _varints(value)
            parts[number].extend((_signed(item) for item in unpacked) if number == 1 else unpacked)
    try:
        keys = np.array(parts[2], dtype=np.int64) if parts[2] else None
        return Tensor(np.array(parts[1], dtype=_DTYPES[kind]), keys, tuple(parts[3]))
    except OverflowError as fault:
        raise ValueError("Error parsing message") from fault


def _plain(kind: int, value: int) -> float:
    if kind == _INT32:
        return _signed(value)
    code, size = ("<f", 4) if kind == _FLOAT32 else ("<d", 8)
    if value >= 1 << 8 * size:
        raise ValueError("Error parsing message")
    number: float = struct.unpack(code, value.to_bytes(size, "little"))[0]
    return number


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _members(data: bytes) -> Iterator[tuple[int, Any]]:
    """Number and value of each; text, messages and packed numbers are bytes, all others integers."""
    offset = 0
    while offset < len(data):
        tag, offset = _varint(data, offset)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, offset = _varint(data, offset)
            yield number, value
            continue
        if wire == _BYTES:
            length, offset = _varint(data, offset)
        elif wire in (_FIXED32, _FIXED64):
            length = 4 if wire == _FIXED32 else 8
        else:
            raise ValueError("Error parsing message")
        if offset + length > len(data):
            raise ValueError("Error parsing message")
        part = data[offset : offset + length]
        offset += length
        yield number, part if wire == _BYTES else int.from_bytes(part, "little")


def _varint(data: bytes, offset: int) -> tuple[int, int]:
    value = shift = 0
    while offset < len(data) and shift < 70:
        byte = data[offset]
        offset += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, offset
        shift += 7
    raise ValueError("Error parsing message")


def _varints(data: bytes) -> list[int]:
    found, offset = [], 0
    while offset < len(data):
        value, offset = _varint(data, offset)
        found.append(value)
    return found


def _label(name: str, values: Sequence[float]) -> bytes:
    tensor = _member(1, np.asarray(values, dtype="<f4").tobytes()) if len(values) else b""
    return _member(2, _member(1, name.encode()) + _member(2, _member(_FLOAT32, tensor)))


def _member(number: int, body: bytes) -> bytes:
    return _number(number << 3 | _BYTES) + _number(len(body)) + body


def _number(value: int) -> bytes:
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)
