"""Arguments of declared resources that are any JSON, in which others are named by reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.declare.misuse import misuse, speaking_of
from mlops.declare.references import Reference, lower
from mlops.declare.resources.base import DeclaredResource
from mlops.ir import Unknown, Value


def as_json(resource: DeclaredResource, argument: str, given: Any) -> Value:
    """``given`` as it stands in a request; a mistake is told where it is no JSON."""
    if _is_json(given):
        return lower(given)
    with speaking_of(resource.where):
        message = f"{resource.label}: {argument} has a value that is none of JSON"
        misuse("D042", message, help="write texts, numbers, lists and mappings, and what other resources yield")
    return Unknown()


def _is_json(value: Any) -> bool:
    match value:
        case Mapping():
            return all(isinstance(key, str) and _is_json(item) for key, item in value.items())
        case list() | tuple():
            return all(map(_is_json, value))
    return value is None or isinstance(value, str | int | float | Reference)
