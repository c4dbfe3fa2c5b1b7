"""Values that are plainly of an annotated type: what authors write nearly always is, and then pydantic is not asked.

Loading pydantic and building its schemas takes longer than all else that a compile does. So what is given is looked at
here first. :data:`UNSURE` says only that: pydantic then judges, and words what is wrong. What is taken here pydantic
would take too, in its strict mode, and would give the same value; lists and dictionaries are copied, as it copies them.
"""

from __future__ import annotations

import dataclasses
import re
import sys
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, is_dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias, Union

from typing_extensions import is_typeddict  # typing's own does not know those of typing_extensions

from mlops.ir.dataclass import dataclass

UNSURE: Final = object()

Take: TypeAlias = Callable[[Any], Any]
"""From a value to itself, or a copy, or :data:`UNSURE`."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """``Annotated[str, Pattern(…)]``, for pydantic as well. The expression is one that Python and Rust read alike."""

    regex: str

    def __get_pydantic_core_schema__(self, source: object, handler: Callable[[object], dict[str, Any]]) -> Any:
        return {**handler(source), "pattern": self.regex}

    def holds(self, value: Any) -> bool:
        # Python's $ also stands before a line's end.
        return "\n" not in value and re.search(self.regex, value) is not None


@dataclass(frozen=True, slots=True)
class AtLeast:
    """``Annotated[int, AtLeast(1)]``, for pydantic as well."""

    least: int

    def __get_pydantic_core_schema__(self, source: object, handler: Callable[[object], dict[str, Any]]) -> Any:
        return {**handler(source), "ge": self.least}

    def holds(self, value: Any) -> bool:
        return bool(value >= self.least)


def _never(value: Any) -> Any:
    return UNSURE


def _whatever(value: Any) -> Any:
    return value


@cache
def take(annotation: Any) -> Take:
    """How values of a type are taken. Of a type that is not known here nothing is sure."""
    if annotation is Any:
        return _whatever
    if annotation in (str, int, float, bool, None, types.NoneType):
        return _exactly(types.NoneType if annotation is None else annotation)
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (Union, types.UnionType):
        return _one_of([take(item) for item in inner])
    if origin is Literal:
        return _literal({(type(item), item) for item in inner})
    if origin is Annotated:
        return _held(take(inner[0]), inner[1:])
    if origin is Sequence:
        return _items((list, tuple), take(inner[0]))
    if origin is list:
        return _items((list,), take(inner[0]))
    if origin is tuple and len(inner) == 2 and inner[1] is ...:
        return _items((tuple,), take(inner[0]))
    if origin in (Mapping, dict):
        return _members(take(inner[0]), take(inner[1]))
    return _instance(annotation) if isinstance(annotation, type) and origin is None else _never


def _exactly(kind: type) -> Take:
    return lambda value: value if type(value) is kind else UNSURE


def _one_of(takes: Sequence[Take]) -> Take:
    def taken(value: Any) -> Any:
        for item in takes:
            found = item(value)
            if found is not UNSURE:
                return found
        return UNSURE

    return taken


def _literal(known: set[tuple[type, Any]]) -> Take:
    return lambda value: value if type(value) in (str, int, bool) and (type(value), value) in known else UNSURE


def _held(inner: Take, marks: Sequence[Any]) -> Take:
    if not all(isinstance(mark, Pattern | AtLeast) for mark in marks):
        return _never

    def taken(value: Any) -> Any:
        found = inner(value)
        return found if found is UNSURE or all(mark.holds(found) for mark in marks) else UNSURE

    return taken


def _items(kinds: tuple[type, ...], inner: Take) -> Take:
    def taken(value: Any) -> Any:
        if type(value) not in kinds:
            return UNSURE
        found = [inner(item) for item in value]
        return UNSURE if any(item is UNSURE for item in found) else type(value)(found)

    return taken


def _members(key: Take, inner: Take) -> Take:
    def taken(value: Any) -> Any:
        if type(value) is not dict:
            return UNSURE
        found = {key(name): inner(item) for name, item in value.items()}
        sure = UNSURE not in found and all(item is not UNSURE for item in found.values())
        return found if sure else UNSURE

    return taken


def _instance(kind: type) -> Take:
    """pydantic asks whether a value is an instance where a class tells it nothing else."""
    if issubclass(kind, Path):
        return lambda value: value if isinstance(value, kind) else UNSURE
    if not kind.__module__.startswith("mlops.") or is_typeddict(kind) or issubclass(kind, tuple | str | int):
        return _never
    if is_dataclass(kind) and not hasattr(kind, "__get_pydantic_core_schema__"):
        return _exactly(kind)
    return lambda value: value if isinstance(value, kind) else UNSURE


def hint(written: Any, names: Mapping[str, Any]) -> Any:
    """An annotation as a type; None where ``names`` lack what it needs."""
    try:
        asked = types.SimpleNamespace(__annotations__={"it": written})
        return typing.get_type_hints(asked, dict(names), include_extras=True)["it"]
    except (NameError, TypeError):
        return None


class ExactCall:
    """The arguments of one function, each by its annotation. Annotations are read when an argument is first given."""

    def __init__(self, function: Callable[..., Any]) -> None:
        code = function.__code__
        self._function = function
        self._places = code.co_varnames[: code.co_argcount]
        self._names = {*code.co_varnames[code.co_posonlyargcount : code.co_argcount + code.co_kwonlyargcount]}
        optional = len(function.__defaults__ or ())
        keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
        self._required = {
            *self._places[: len(self._places) - optional],
            *(name for name in keywords if name not in (function.__kwdefaults__ or {})),
        }
        starred, doubled = bool(code.co_flags & 0x04), bool(code.co_flags & 0x08)
        self._variadic = starred
        self._more = code.co_varnames[code.co_argcount + code.co_kwonlyargcount] if doubled and not starred else None
        self._others: Mapping[str, Any] | None = None
        self._takes: dict[str, Take] = {}

    def taken(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]] | None:
        """The arguments as the function gets them; None where not all of them are plainly right."""
        if self._variadic or len(args) > len(self._places):
            return None
        given = self._places[: len(args)]
        if not self._required <= {*given, *kwargs} or not kwargs.keys().isdisjoint(given):
            return None
        places = [self._take(name)(value) for name, value in zip(given, args, strict=True)]
        named = {name: self._take(name)(value) for name, value in kwargs.items()}
        if any(value is UNSURE for value in places) or any(value is UNSURE for value in named.values()):
            return None
        return places, named

    def _take(self, name: str) -> Take:
        if name not in self._takes:
            self._takes[name] = self._made(name)
        return self._takes[name]

    def annotation(self, name: str) -> Any:
        """The type of an argument: Any where it has none, None where there is none or where it cannot be read."""
        annotations = self._function.__annotations__
        if name in self._names or name in self._places:
            return hint(annotations[name], self._function.__globals__) if name in annotations else Any
        if self._more is None:
            return None
        if self._others is None:
            unpacked = typing.get_args(hint(annotations.get(self._more), self._function.__globals__))
            table = unpacked[0] if unpacked and is_typeddict(unpacked[0]) else None
            self._others = {} if table is None else table.__annotations__
        return hint(self._others[name], {}) if name in self._others else None

    def _made(self, name: str) -> Take:
        return _of(self.annotation(name))


def _of(annotation: Any) -> Take:
    return _never if annotation is None else take(annotation)


def exact_fields(cls: type, table: Any) -> dict[str, Any] | None:
    """The members of ``table`` as fields of a dataclass; None where not all of them are plainly right."""
    fields = {item.name: item for item in dataclasses.fields(cls)}
    required = {name for name, item in fields.items() if item.default is item.default_factory is MISSING}
    if type(table) is not dict or not required <= table.keys() <= fields.keys():
        return None
    names = vars(sys.modules[cls.__module__])
    found = {name: _of(hint(fields[name].type, names))(value) for name, value in table.items()}
    return None if any(value is UNSURE for value in found.values()) else found
