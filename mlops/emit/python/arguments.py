"""How a member of a request becomes an argument of a constructor: one small function per kind of argument.

Each looks a value up and gives its source, or None where the argument cannot say it or need not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from mlops.emit.python.expressions import (
    BOOLEAN,
    DATA,
    EVERY,
    INTEGER,
    MODEL,
    NUMBERS,
    STRING,
    Pattern,
    Scope,
    literal,
    refer,
    write,
)
from mlops.emit.python.source import Node, Text, call, dictionary, listing
from mlops.emit.python.telling import Telling, one
from mlops.ir import Step, Value, fields
from mlops.ir.fields import MISSING, Missing

SOURCES = (DATA, MODEL, STRING)


@dataclass(frozen=True, slots=True)
class Facts:
    """A step to be written, and what may be used for it. ``before`` collects variables that have to be made first;
    ``corrections`` is what earlier guesses left out of things inside the step, by their names."""

    step: Step
    scope: Scope
    telling: Telling

    @property
    def before(self) -> list[tuple[str, Node]]:
        return self.telling.before

    def inside(self, arguments: Mapping[str, Value]) -> Facts:
        """The same, looking into an object of the request."""
        return replace(self, step=replace(self.step, arguments=arguments))

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
    """A class of the language: ``properties`` are its typed references by path, each (attribute, kind), ``patterns``
    those of whole families of paths; ``shared`` says whether it takes what every step takes."""

    name: str
    arguments: tuple[Argument, ...]
    required: tuple[str, ...] = ()
    positional: tuple[str, ...] = ()
    properties: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    patterns: Sequence[Pattern] = ()
    shared: bool = True
    fields: Sequence[fields.Field] = ()
    inner: tuple[str, str] | None = None


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


def text(name: str, path: str, default: object = MISSING, absent: str | None = None) -> Argument:
    return scalar(name, path, (STRING,), default, absent)


def word(name: str, path: str, default: object = MISSING, *, only: str = "") -> Argument:
    """A plain string that begins with ``only``, never a reference."""

    def writer(facts: Facts) -> Node | None:
        value = facts.at(path)
        return literal(value) if isinstance(value, str) and value != default and value.startswith(only) else None

    return Argument(name, writer, path)


def count(name: str, path: str, default: object = MISSING, absent: str | None = None) -> Argument:
    return scalar(name, path, (INTEGER,), default, absent)


def number(name: str, path: str, default: object = MISSING) -> Argument:
    return scalar(name, path, NUMBERS, default)


def flag(name: str, path: str, default: object = MISSING) -> Argument:
    return scalar(name, path, (BOOLEAN,), default)


def choice(
    name: str,
    path: str,
    choices: Sequence[str],
    default: object = MISSING,
    absent: str | None = None,
    *,
    reference: bool = False,
) -> Argument:
    """One of a few strings; a ``reference`` only where the constructor takes one."""

    def writer(facts: Facts) -> Node | None:
        value = facts.at(path)
        if isinstance(value, Missing):
            return None if absent is None else Text(absent)
        if isinstance(value, str):
            return literal(value) if value in choices and value != default else None
        return refer(value, facts.scope, (STRING,)) if reference else None

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


def string_map(name: str, path: str, *, empty: bool = False) -> Argument:
    """An object of strings and references; ``empty`` where the constructor writes one without members too."""

    def writer(facts: Facts) -> Node | None:
        value = facts.at(path)
        if not isinstance(value, Mapping) or not (value or empty):
            return None
        items = {
            key: one(item, facts.scope, EVERY if not _is_literal(item) else (STRING,)) for key, item in value.items()
        }
        if any(item is None for item in items.values()):
            return None
        return dictionary((key, item) for key, item in items.items() if item is not None)

    return Argument(name, writer, path)


def record(
    name: str,
    value: Value | Missing,
    facts: Facts,
    arguments: Sequence[Argument],
    *,
    positional: bool = True,
    merged: bool = False,
) -> Node | None:
    """``Name(…)`` of an object of the request, its first argument without a keyword unless told; None where there is no
    object, or it has members that these arguments do not say, unless its own ``arguments`` is ``merged`` into it."""
    if not isinstance(value, Mapping):
        return None
    inner = facts.inside(value)
    said = [(argument, argument.writer(inner)) for argument in arguments]
    known = {argument.owns.partition(".")[0] for argument in arguments}
    rest = {key: item for key, item in value.items() if key not in known}
    if rest and not merged:
        return None
    written = {argument.name: node for argument, node in said if node is not None}
    if rest:
        written["arguments"] = write(rest, facts.scope)
    first = arguments[0].name
    lone = [written.pop(first)] if positional and first in written else []
    return call(name, lone, written)


def nested(name: str, path: str, record_name: str, arguments: Sequence[Argument]) -> Argument:
    """An argument that is a record."""
    return Argument(name, lambda facts: record(record_name, facts.at(path), facts, arguments), path)


def named_records(
    name: str, path: str, member: str, record_name: str, arguments: Sequence[Argument], *, merged: bool = False
) -> Argument:
    """A list of objects as records by the name that each has in ``member``."""

    def writer(facts: Facts) -> Node | None:
        listed = facts.at(path)
        if not isinstance(listed, tuple) or not listed:
            return None
        written: dict[str, Node] = {}
        for item in listed:
            key = item.get(member) if isinstance(item, Mapping) else None
            if not isinstance(item, Mapping) or not isinstance(key, str) or key in written:
                return None
            rest = {other: value for other, value in item.items() if other != member}
            node = record(record_name, rest, facts, arguments, merged=merged)
            if node is None:
                return None
            written[key] = node
        return dictionary(written.items())

    return Argument(name, writer, path)


def data(name: str, path: str, *, model: bool = False) -> Argument:
    """An S3 URI, or a reference to one."""

    def writer(facts: Facts) -> Node | None:
        value = facts.at(path)
        return None if isinstance(value, Missing) else s3_source(value, facts, SOURCES if model else (DATA, STRING))

    return Argument(name, writer, path)


def objects(value: Value | Missing) -> list[Mapping[str, Value]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, tuple) else []


def by_name(items: list[Mapping[str, Value]], member: str) -> dict[str, Mapping[str, Value]] | None:
    """Items by their name; None where one has none, or two have the same."""
    found = {str(item[member]): item for item in items if isinstance(item.get(member), str)}
    return found if len(found) == len(items) else None


def member_at(item: Mapping[str, Value], path: str) -> Value:
    found: Value = item
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def s3_source(value: Value, facts: Facts, accepts: Sequence[str] = SOURCES) -> Node | None:
    """An S3 URI; a string without ``://`` would name a local file."""
    if isinstance(value, str) and "://" not in value:
        return None
    return one(value, facts.scope, accepts)


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
