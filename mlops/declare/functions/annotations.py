"""What a function's annotations say: how each argument travels, and each result."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from typing_extensions import is_typeddict  # typing's own does not know those of typing_extensions

SCALARS: Mapping[object, str] = {float: "float", int: "int", bool: "bool", str: "str"}
PATH = "path"
JSON = "json"


def kind_of(annotation: object) -> str:
    """How a value of a type travels; ``X | None`` travels as X does."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        own = [item for item in typing.get_args(annotation) if item is not type(None)]
        annotation = own[0] if len(own) == 1 else annotation
    if isinstance(annotation, type) and issubclass(annotation, Path):
        return PATH
    return SCALARS.get(annotation, JSON)


def results_of(annotation: object, names: Mapping[str, Any]) -> dict[str, str]:
    """Fields to kinds, in order; one result has the name ""."""
    if annotation is None or annotation is type(None):
        return {}
    fields: Mapping[str, Any] | None = None
    if typing.get_origin(annotation) is tuple:
        fields = {f"item{place}": item for place, item in enumerate(typing.get_args(annotation)) if item is not ...}
    elif isinstance(annotation, type) and (
        dataclasses.is_dataclass(annotation) or is_typeddict(annotation) or hasattr(annotation, "_fields")
    ):
        fields = typing.get_type_hints(annotation, dict(names))
    return {"": kind_of(annotation)} if fields is None else {name: kind_of(item) for name, item in fields.items()}
