"""What of a reply does not fit the shape that the service model gives it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape


def misfits(shape: Shape, value: Any, at: str) -> list[str]:
    match shape, value:
        case StructureShape(), Mapping():
            unknown = [f"{at}: unknown {name}" for name in value if name not in shape.members]
            missing = [f"{at}: no {name}" for name in shape.required_members if name not in value]
            inner = [
                text
                for name, item in value.items()
                if name in shape.members
                for text in misfits(shape.members[name], item, f"{at}.{name}")
            ]
            return unknown + missing + inner
        case ListShape(), list():
            return [text for index, item in enumerate(value) for text in misfits(shape.member, item, f"{at}[{index}]")]
        case MapShape(), dict():
            return [text for key, item in value.items() for text in misfits(shape.value, item, f"{at}[{key}]")]
    if shape.name == "policyDocumentType":
        return []  # which botocore makes a value of
    types: dict[str, tuple[type, ...]] = {
        "string": (str,),
        "integer": (int,),
        "long": (int,),
        "float": (float,),
        "double": (float,),
        "boolean": (bool,),
        "timestamp": (datetime,),
    }
    if shape.type_name == "blob":
        return [] if hasattr(value, "read") else [f"{at}: no stream"]
    right = isinstance(value, types.get(shape.type_name, ()))
    if right and isinstance(value, datetime):
        right = value.tzinfo is not None
    return [] if right else [f"{at}: {value!r} is no {shape.type_name}"]
