"""What a model card of SageMaker may hold: ``schema.json``, in the service's words, with its sources.

What people declare of a model has the names that it has there, without the sections: each is there once.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from mlops.ir.dataclass import dataclass

LONGEST = 100_000
"""Characters of a card's content (API: ModelCardContent)."""
_FILE = Path(__file__).parent / "schema.json"  # importlib.resources would load as much again as a check does
_OF_PACKAGES = ("model_creator", "model_artifact")
_NOT_OF_PACKAGES = "model_package_details"
_OF_THE_SERVICE = frozenset({"model_id", "model_name", _NOT_OF_PACKAGES})
"""What the registry knows, and nobody declares."""


@dataclass(frozen=True, slots=True)
class Field:
    """A text of a section. ``longest`` is how many characters it may have, ``choices`` are all that it may be where
    they are counted."""

    section: str
    name: str
    longest: int
    choices: tuple[str, ...] = ()


@cache
def schema() -> Mapping[str, Any]:
    """Of the content of a model card."""
    found: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return found


def package_schema() -> Mapping[str, Any]:
    """Of the content of the card that a model package has: it lacks what the package itself tells."""
    whole = schema()
    sections = {name: section for name, section in whole["properties"].items() if name != _NOT_OF_PACKAGES}
    overview = sections["model_overview"]
    kept = {name: overview["properties"][name] for name in _OF_PACKAGES}
    return {**whole, "properties": {**sections, "model_overview": {**overview, "properties": kept}}}


@cache
def fields() -> Mapping[str, Field]:
    """What people may declare, by name, in the order of the card."""
    return {field.name: field for field in _texts()}


def _texts() -> Iterator[Field]:
    whole = schema()
    for section, told in whole["properties"].items():
        for name, kind in (told.get("properties") or {}).items() if section not in _OF_THE_SERVICE else ():
            kind = whole["definitions"][kind["$ref"].rpartition("/")[2]] if "$ref" in kind else kind
            if kind.get("type") == "string" and name not in _OF_THE_SERVICE:
                yield Field(section, name, kind.get("maxLength", LONGEST), tuple(kind.get("enum", ())))


def for_package(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """What of a card's content a model package takes.

    >>> for_package({"model_overview": {"model_owner": "growth"}, "intended_uses": {"risk_rating": "Low"}})
    {'intended_uses': {'risk_rating': 'Low'}}
    """
    return {name: value for name, value in fitted(content, package_schema()).items() if value}


def fitted(value: Any, kind: Mapping[str, Any] | None = None) -> Any:
    """A value as the schema takes it, the whole content without ``kind``: texts and lists that are too long are cut,
    what it does not know or take is left out. None for what cannot be mended.

    >>> fitted({"model_overview": {"model_owner": "growth", "size": 3}, "evaluation_details": [{"name": ""}]})
    {'model_overview': {'model_owner': 'growth'}, 'evaluation_details': []}
    """
    kind = schema() if kind is None else kind
    if "$ref" in kind:
        kind = schema()["definitions"][kind["$ref"].rpartition("/")[2]]
    if "anyOf" in kind:
        return next((found for found in (fitted(value, one) for one in kind["anyOf"]) if found is not None), None)
    match kind["type"], value:
        case "object", Mapping():
            return _fitted_members(value, kind)
        case "array", list() | tuple():
            found = [item for item in (fitted(item, kind["items"]) for item in value) if item is not None]
            return found[: kind.get("maxItems")] if len(found) >= kind.get("minItems", 0) else None
        case "string", str():
            return _fitted_text(value, kind)
        case "number", int() | float() if not isinstance(value, bool):
            return value if math.isfinite(value) and value >= kind.get("minimum", -math.inf) else None
        case "boolean", bool():
            return value
    return None


_NAMED = re.compile("[a-zA-Z_]")
"""A detail of one's own is named by a word: AWS::SageMaker::ModelCard, CustomDetails."""


def _fitted_members(value: Mapping[str, Any], kind: Mapping[str, Any]) -> Mapping[str, Any] | None:
    known, others = kind.get("properties", {}), kind.get("additionalProperties")
    found = {}
    for name, item in value.items():
        free = others if isinstance(others, Mapping) and _NAMED.search(str(name)) else None
        told = known.get(name, free)
        made = fitted(item, told) if told is not None else None
        if made is not None:
            found[str(name)] = made
    return found if all(name in found for name in kind.get("required", ())) else None


def _fitted_text(text: str, kind: Mapping[str, Any]) -> str | None:
    if "enum" in kind:
        return text if text in kind["enum"] else None
    counted = re.search(r"\{1,(\d+)\}", kind.get("pattern", ""))
    least = 1 if counted else kind.get("minLength", 0)
    longest = int(counted[1]) if counted else kind.get("maxLength", LONGEST)
    if len(text.strip()) < least:
        return None
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
