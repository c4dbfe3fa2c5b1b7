"""Whether a value can be an argument of a function, and how a reference gets to it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from mlops.declare.functions.annotations import JSON, PATH
from mlops.declare.references import (
    AnyReference,
    BooleanReference,
    DataReference,
    IntegerReference,
    ModelReference,
    NumberReference,
    Poison,
    Reference,
    ReportReference,
    StringReference,
)
from mlops.declare.run_time_texts import join
from mlops.declare.shown import shown
from mlops.declare.steps.processing import Athena, Input, Redshift

_TAKES: Mapping[str, tuple[type, ...]] = {
    "float": (NumberReference, AnyReference),
    "int": (IntegerReference, AnyReference),
    "bool": (BooleanReference, AnyReference),
    "str": (StringReference, DataReference, ModelReference, ReportReference),
}

_LITERALS: Mapping[str, tuple[type, ...]] = {"float": (float, int), "int": (int,), "bool": (bool,), "str": (str,)}


def unfit(kind: str, value: object) -> str | None:
    """Why a value cannot be an argument of that kind; None where it can."""
    if isinstance(value, Poison):
        return None
    if kind == PATH:
        data = (DataReference, ModelReference, StringReference, ReportReference, str, Path, Input, Athena, Redshift)
        return None if isinstance(value, data) else f"is a Path, so it takes data; it is {shown(value)}"
    if isinstance(value, Reference | ReportReference):
        if isinstance(value, _TAKES.get(kind, ())):
            return None
        return f"takes {'what JSON has' if kind == JSON else f'type {kind}'}; it is {shown(value)}"
    if value is None:
        return None
    if kind != JSON:
        fits = isinstance(value, _LITERALS[kind]) and (kind == "bool" or not isinstance(value, bool))
        finite = not isinstance(value, float) or math.isfinite(value)
        return None if fits and finite else f"takes type {kind}; it is {shown(value)}"
    fault = next(_not_json(value), None)
    return None if fault is None else f"travels as JSON, which has no {shown(fault)}"


def _not_json(value: object, depth: int = 0) -> Iterator[object]:
    """Parts of a value that JSON would change or refuse."""
    if depth > 64:
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _not_json(item, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                yield key
            yield from _not_json(item, depth + 1)
    elif type(value) not in (str, int, float, bool, type(None)) or (
        isinstance(value, float) and not math.isfinite(value)
    ):
        yield value


def as_text(value: Reference | ReportReference) -> str | Reference:
    """A reference as a word of a command line: the run makes text of a number by a join."""
    if isinstance(value, ReportReference):
        return value.uri
    return value if isinstance(value, StringReference | DataReference | ModelReference) else join(value)
