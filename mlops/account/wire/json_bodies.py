"""Members as JSON, in both directions."""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from mlops.account.local.refusal import Refusal
from mlops.account.wire import texts

_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def loaded(body: bytes) -> dict[str, Any]:
    """The object that a body is; nothing is an empty one."""
    if not body:
        return {}
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise Refusal("SerializationException", "The body is not JSON.") from None
    if not isinstance(found, dict):
        raise Refusal("SerializationException", "The body is not a JSON object.")
    return found


def read(shape: Shape, value: Any) -> Any:
    """What does not fit the shape stays as it is: whoever obeys the model will say so."""
    match shape:
        case StructureShape():
            if shape.is_document_type or not isinstance(value, dict):
                return value
            found = {}
            for name, member in shape.members.items():
                inner = value.get(member.serialization.get("name", name))
                if inner is not None:
                    found[name] = read(member, inner)
            return found
        case ListShape():
            return [read(shape.member, item) for item in value] if isinstance(value, list) else value
        case MapShape():
            if not isinstance(value, dict):
                return value
            return {key: read(shape.value, item) for key, item in value.items()}
    match shape.type_name:
        case "timestamp":
            return texts.time(value)
        case "blob":
            return texts.blob(value) if isinstance(value, str) else value
        case "float" | "double":
            return _SPECIAL.get(value, value) if isinstance(value, str) else value
    return value


def written(shape: Shape, value: Any, times: texts.TimeFormat = "unixtimestamp") -> Any:
    """As :func:`json.dumps` takes it."""
    match shape:
        case StructureShape():
            if shape.is_document_type:
                return value
            members = shape.members
            return {
                members[name].serialization.get("name", name): written(members[name], item, times)
                for name, item in value.items()
            }
        case ListShape():
            return [written(shape.member, item, times) for item in value]
        case MapShape():
            return {key: written(shape.value, item, times) for key, item in value.items()}
    match shape.type_name:
        case "timestamp":
            return texts.written_time(value, shape.serialization.get("timestampFormat", times))
        case "blob":
            return b64encode(value.encode() if isinstance(value, str) else value).decode()
        case "float" | "double":
            return value if math.isfinite(value) else texts.special(value)
    return value


def dumped(found: Mapping[str, Any]) -> bytes:
    return json.dumps(found, separators=(",", ":")).encode()
