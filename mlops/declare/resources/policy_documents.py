"""Policies of IAM in declared resources: documents, and single statements of one that has others too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.declare.misuse import misuse, speaking_of
from mlops.declare.references import Reference
from mlops.declare.resources.base import DeclaredResource
from mlops.declare.resources.json_values import as_json
from mlops.ir import Unknown, Value

_LISTED = ("Action", "NotAction", "Resource", "NotResource")


def document(resource: DeclaredResource, argument: str, given: Any) -> Value:
    """``given`` as it stands in a request; a mistake is told where it is no policy."""
    told = given.get("Statement", ()) if isinstance(given, Mapping) else ()
    if all(map(_is_statement, told if isinstance(told, list | tuple) else [told])):
        return as_json(resource, argument, given)
    return _no_statement(resource, argument)


def statement(resource: DeclaredResource, argument: str, given: Any) -> Value:
    return as_json(resource, argument, given) if _is_statement(given) else _no_statement(resource, argument)


def _is_statement(value: Any) -> bool:
    return isinstance(value, Mapping) and all(_is_texts(value[member]) for member in _LISTED if member in value)


def _is_texts(value: Any) -> bool:
    items = value if isinstance(value, list | tuple) else [value]
    return all(isinstance(item, str | Reference) for item in items)


def _no_statement(resource: DeclaredResource, argument: str) -> Value:
    with speaking_of(resource.where):
        message = f"{resource.label}: {argument} has a statement that is none of a policy"
        help = 'write e.g. {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::bucket/*"]}'
        misuse("D042", message, help=help)
    return Unknown()
