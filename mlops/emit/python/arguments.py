"""How a member of a request becomes an argument of a constructor: one small function per kind of argument.

Each looks a value up and gives its source, or None where the argument cannot say it or need not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from mlops.emit.python.expressions import (
    BOOLEAN,
    DATA,
    EVERY,
    INTEGER,
    MODEL,
    NUMBERS,
    STRING,
    Scope,
    literal,
    refer,
    write,
)
from mlops.emit.python.source import Node, Text, dictionary, listing
from mlops.ir import Step, Value

SOURCES = (DATA, MODEL, STRING)


@dataclass(frozen=True, slots=True)
class Facts:
    """A step to be written, and what may be used for it."""

    step: Step
    scope: Scope

    def at(self, path: str) -> Value | Missing:
        """A member of Arguments by its dotted path; ``0`` is the first item of a list."""
        found: Value = self.step.arguments
        for part in path.split("."):
            if isinstance(found, Mapping) and part in found:
                found = found[part]
            elif isinstance(found, tuple) and part == "0" and found:
                found = found[0]
            else:
                return MISSING
        return found


class Missing:
    """The type of :data:`MISSING`."""


MISSING = Missing()
Writer: TypeAlias = Callable[[Facts], "Node | None"]


@dataclass(frozen=True, slots=True)
class Argument:
    """``owns`` is the dotted path of what this argument makes whole; where it makes it wrong, the argument is left out
    and ``arguments=`` says it."""

    name: str
    writer: Writer
    owns: str


@dataclass(frozen=True, slots=True)
class Constructor:
    """A class of the language: ``properties`` are its typed references by path, each (attribute, kind); ``shared``
    says whether it takes what every step takes."""

    name: str
    arguments: tuple[Argument, ...]
    required: tuple[str, ...] = ()
    positional: tuple[str, ...] = ()
    properties: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    shared: bool = True


def scalar(
    name: str, path: str, accepts: Sequence[str], default: object = MISSING, absent: str | None = None
) -> Argument:
    """A string, number or flag, or a reference to one. ``default`` is the constructor's and left out; ``absent`` is
    what is written where the request has no such member."""

    def writer(facts: Facts) -> Node | None:
        value = facts.at(path)
        if isinstance(value, Missing):
            return None if absent is None else Text(absent)
        if _equal(value, default):
            return None
        return one(value, facts.scope, accepts)

    return Argument(name, writer, path)


def _equal(value: Value, default: object) -> bool:
    return type(value) is type(default) and value == default


def one(value: Value, scope: Scope, accepts: Sequence[str]) -> Node | None:
    """A literal or a reference of one of these kinds."""
    fits = (
        (isinstance(value, str) and STRING in accepts)
        or (isinstance(value, bool) and BOOLEAN in accepts)
        or (isinstance(value, int) and not isinstance(value, bool) and INTEGER in accepts)
        or (isinstance(value, float) and "float" in accepts)
    )
    return write(value, scope) if fits else refer(value, scope, accepts)


def text(name: str, path: str, default: object = MISSING, absent: str | None = None) -> Argument:
    return scalar(name, path, (STRING,), default, absent)


def count(name: str, path: str, default: object = MISSING) -> Argument:
    return scalar(name, path, (INTEGER,), default)


def number(name: str, path: str, default: object = MISSING) -> Argument:
    return scalar(name, path, NUMBERS, default)


def flag(name: str, path: str, default: object = MISSING) -> Argument:
    return scalar(name, path, (BOOLEAN,), default)


def choice(
    name: str, path: str, choices: Sequence[str], default: object = MISSING, absent: str | None = None
) -> Argument:
    """One of a few strings, never a reference."""

    def writer(facts: Facts) -> Node | None:
        value = facts.at(path)
        if isinstance(value, Missing):
            return None if absent is None else Text(absent)
        return literal(value) if isinstance(value, str) and value in choices and value != default else None

    return Argument(name, writer, path)


def texts(name: str, path: str, default: Sequence[str] | None = None, absent: str | None = None) -> Argument:
    """A list of plain strings."""

    def writer(facts: Facts) -> Node | None:
        value = facts.at(path)
        if isinstance(value, Missing):
            return None if absent is None else Text(absent)
        if not isinstance(value, tuple) or (default is not None and value == tuple(default)):
            return None
        return listing(literal(item) for item in value if isinstance(item, str)) if _all_texts(value) else None

    return Argument(name, writer, path)


def _all_texts(value: tuple[Value, ...]) -> bool:
    return all(isinstance(item, str) for item in value)


def mixed_list(name: str, path: str) -> Argument:
    """A list of strings and references."""

    def writer(facts: Facts) -> Node | None:
        value = facts.at(path)
        if not isinstance(value, tuple) or not value:
            return None
        items = [one(item, facts.scope, EVERY if not _is_literal(item) else (STRING,)) for item in value]
        return None if any(item is None for item in items) else listing(item for item in items if item is not None)

    return Argument(name, writer, path)


def _is_literal(value: Value) -> bool:
    return value is None or isinstance(value, str | bool | int | float)


def string_map(name: str, path: str, reserved: Sequence[str] = ()) -> Argument:
    """An object of strings and references."""

    def writer(facts: Facts) -> Node | None:
        value = facts.at(path)
        if not isinstance(value, Mapping) or not value or any(key in reserved for key in value):
            return None
        items = {
            key: one(item, facts.scope, EVERY if not _is_literal(item) else (STRING,)) for key, item in value.items()
        }
        if any(item is None for item in items.values()):
            return None
        return dictionary((key, item) for key, item in items.items() if item is not None)

    return Argument(name, writer, path)


def json_map(name: str, path: str) -> Argument:
    """An object of strings that are read as JSON where they are JSON: ``"5"`` is written as ``5``."""

    def writer(facts: Facts) -> Node | None:
        value = facts.at(path)
        if not isinstance(value, Mapping) or not value:
            return None
        if not all(isinstance(item, str) or not _is_literal(item) for item in value.values()):
            return None
        return dictionary((key, _unquoted(item, facts.scope)) for key, item in value.items())

    return Argument(name, writer, path)


def _unquoted(value: Value, scope: Scope) -> Node:
    if isinstance(value, str) and value not in scope.constants:
        try:
            number = json.loads(value)
        except (ValueError, RecursionError):
            return literal(value)
        if isinstance(number, int | float) and json.dumps(number) == value and number == number:
            return literal(number)
    return write(value, scope)
