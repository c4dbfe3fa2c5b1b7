"""What is wrong with a configuration by the provider's schema alone, for the fast tests: Terraform itself is asked by
the judge ``terraform``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from mlops.knowledge.terraform import schema

TYPES: Mapping[str, Any] = json.loads(files("mlops.knowledge.terraform").joinpath("types.json").read_text())
META = frozenset({"//", "count", "depends_on", "lifecycle"})
_ADDRESS = re.compile(r"\b(aws_\w+)\.(\w+)(?:\[0\])?\.(\w+)")
_KINDS: Mapping[str, tuple[type, ...]] = {"string": (str, int, float), "number": (int, float), "bool": (bool,)}
"""Terraform makes a text of a number."""


def faults(document: Mapping[str, Any]) -> list[str]:
    return [*_arguments(document), *_references(document)]


def _arguments(document: Mapping[str, Any]) -> Iterator[str]:
    for kind, made in document["resource"].items():
        if kind not in TYPES["resources"]:
            yield f"{kind} is no type"
            continue
        for name, body in made.items():
            told = {argument: value for argument, value in body.items() if argument not in META}
            yield from _block(told, schema(kind), f"{kind}.{name}")


def _block(told: Mapping[str, Any], block: Mapping[str, Any], at: str) -> Iterator[str]:
    attributes, blocks = block["attributes"], block.get("blocks", {})
    for argument, value in told.items():
        here = f"{at}.{argument}"
        if argument in blocks:
            items = value if isinstance(value, list) else [value]
            if len(items) > blocks[argument].get("max", len(items)):
                yield f"{here} is more than one"
            for item in items:
                yield from _block(item, blocks[argument], here)
        elif argument not in attributes or attributes[argument].endswith("="):
            yield f"{here} is no argument"
        elif not _is(value, attributes[argument].rstrip("!")):
            yield f"{here} is no {attributes[argument].rstrip('!')}"
    required = [name for name, kind in attributes.items() if kind.endswith("!")]
    required += [name for name, inside in blocks.items() if inside.get("min")]
    yield from (f"{at} has no {name}" for name in required if name not in told)


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, str) and value.startswith("${"):
        return True
    outer, _, inner = kind.partition("(")
    if not inner:
        return isinstance(value, _KINDS[outer]) and (kind == "bool" or not isinstance(value, bool))
    items = value.values() if isinstance(value, dict) and outer == "map" else value
    return isinstance(value, dict if outer == "map" else list) and all(_is(item, inner[:-1]) for item in items)


def _references(document: Mapping[str, Any]) -> Iterator[str]:
    known = {f"{kind}.{name}" for kind, made in document["resource"].items() for name in made}
    for at, text in _texts(document, ""):
        for expression in re.findall(r"(?<!\$)\$\{((?:[^{}]|\{[^{}]*\})*)\}", text):
            yield from _expression(expression, document, known, at)
    for kind, made in document["resource"].items():
        for name, body in made.items():
            yield from (f"{kind}.{name} waits for {one}" for one in body.get("depends_on", ()) if one not in known)


def _expression(expression: str, document: Mapping[str, Any], known: set[str], at: str) -> Iterator[str]:
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression)
    for kind, name, attribute in _ADDRESS.findall(re.sub(r"data\.\w+\.\w+\.\w+", "", bare)):
        if f"{kind}.{name}" not in known:
            yield f"{at} refers to {kind}.{name}, which is nowhere"
        elif attribute not in schema(kind)["attributes"]:
            yield f"{at} asks {kind}.{name} for {attribute}"
    for source, name, attribute in re.findall(r"data\.(\w+)\.(\w+)\.(\w+)", bare):
        if name not in document["data"].get(source, {}) or attribute not in TYPES["data"][source]["attributes"]:
            yield f"{at} refers to data.{source}.{name}.{attribute}, which is nowhere"
    for word, section in (("var", "variable"), ("local", "locals")):
        for name in re.findall(rf"\b{word}\.(\w+)", bare):
            if name not in document.get(section, {}):
                yield f"{at} refers to {word}.{name}, which is nowhere"


def _texts(value: Any, at: str) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield at, value
        case Mapping():
            for key, item in value.items():
                yield from _texts(item, f"{at}/{key}")
        case list():
            for index, item in enumerate(value):
                yield from _texts(item, f"{at}/{index}")
