"""What a SearchExpression asks of a record, by the shape that the service's model gives the record.

A property is a path of members. A list on its way stands for each of its items, a table (HyperParameters, Environment)
goes on by its keys, as ``Tags.<key>`` does; ``Metrics.<name>`` is a table that a record has beside what its shape says.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from botocore.model import ListShape, MapShape, Shape, StructureShape

from mlops.account.local.refusal import Refusal, invalid
from mlops.ir.dataclass import dataclass

Test: TypeAlias = Callable[[Any], bool]
_MOST = 50
"""Subexpressions, nested filters and filters of one expression, counted together (API: Search)."""
_TABLES = ("Tags", "Metrics")
_MEASURED = ("TrainingJob", "TrialComponent")
_OFTEN_CONTAINS = {
    "Experiment": ("DisplayName", "ExperimentName", "Tags"),
    "Trial": ("DisplayName", "TrialName", "Tags"),
    "TrialComponent": ("DisplayName", "TrialComponentName", "Tags", "InputArtifacts", "OutputArtifacts"),
}
"""Of which Contains may be asked more than once (API: Filter)."""
_TEXT, _NUMBER, _TIME, _FLAG, _EITHER, _WHOLE = "text", "number", "timestamp", "boolean", "text or number", "structure"
_KINDS = {
    "string": _TEXT,
    "integer": _NUMBER,
    "long": _NUMBER,
    "float": _NUMBER,
    "double": _NUMBER,
    "timestamp": _TIME,
    "boolean": _FLAG,
}
_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}


@dataclass(frozen=True, slots=True)
class Property:
    name: str
    kind: str
    path: tuple[str, ...]

    def values(self, record: Any) -> Iterator[Any]:
        return _read(record, self.path)


def property_of(shape: Shape | None, name: str) -> Property:
    """Raises Refusal where the shape has none of that name. Without a shape any name is taken for a text."""
    if shape is None:
        return Property(name, _TEXT, tuple(name.split(".")))
    kind, path = _followed(shape, tuple(name.split(".")), name)
    return Property(name, kind, path)


def _followed(shape: Shape, left: tuple[str, ...], name: str) -> tuple[str, tuple[str, ...]]:
    first, rest = left[0] if left else "", ".".join(left[1:])
    match shape:
        case _ if not left:
            return (_KINDS.get(shape.type_name, _WHOLE), ()) if not isinstance(shape, ListShape) else _items(shape)
        case StructureShape() if first in _TABLES and rest and (first in shape.members or shape.name in _MEASURED):
            return _NUMBER if first == "Metrics" else _TEXT, (first, rest)
        case StructureShape() if first in shape.members:
            kind, path = _followed(shape.members[first], left[1:], name)
            return kind, (first, *path)
        case ListShape():
            return _followed(shape.member, left, name)
        case MapShape():
            return _EITHER, (".".join(left),)
    raise invalid(f"Unknown property name: {name}")


def _items(shape: ListShape) -> tuple[str, tuple[str, ...]]:
    return _KINDS.get(shape.member.type_name, _WHOLE), ()


def _read(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _read(item, path)
    elif not path:
        yield value
    elif isinstance(value, Mapping) and value.get(path[0]) is not None:
        found = value[path[0]]
        if path[0] == "Tags" and len(path) > 1:
            found = {item["Key"]: item["Value"] for item in found}
        yield from _read(found, path[1:])


def condition(shape: Shape | None, expression: Mapping[str, Any]) -> Test:
    """Raises Refusal for what cannot be asked."""
    return _Reading(shape).condition(expression)


@dataclass(slots=True)
class _Reading:
    """Of one expression, which may hold others."""

    shape: Shape | None
    parts: int = 0
    contains: list[str] = field(default_factory=list)

    def condition(self, expression: Mapping[str, Any]) -> Test:
        filters = expression.get("Filters") or ()
        nested = expression.get("NestedFilters") or ()
        below = expression.get("SubExpressions") or ()
        self.parts += len(filters) + len(nested) + len(below)
        if self.parts > _MOST:
            raise invalid(f"A SearchExpression has at most {_MOST} subexpressions, nested filters and filters.")
        tests = [self.filter(item, self.shape, "") for item in filters]
        tests += [self.nested(item) for item in nested]
        tests += [self.condition(item) for item in below]
        if not tests:
            raise invalid("You must provide at least one subexpression, filter, or nested filter.")
        holds = any if expression.get("Operator") == "Or" else all
        return lambda record: holds(test(record) for test in tests)

    def nested(self, asked: Mapping[str, Any]) -> Test:
        """One item of the list has all of it."""
        at = asked["NestedPropertyName"]
        shape = self.shape
        for part in at.split("."):
            shape = shape.member if isinstance(shape, ListShape) else shape
            shape = shape.members.get(part) if isinstance(shape, StructureShape) else None
        if not isinstance(shape, ListShape):
            raise invalid(f"{at} is no list of properties that nested filters could be asked of.")
        self.parts += len(asked["Filters"])
        tests = [self.filter(item, shape.member, f"{at}.") for item in asked["Filters"]]
        path = tuple(at.split("."))
        return lambda record: any(all(test(item) for test in tests) for item in _read(record, path))

    def filter(self, asked: Mapping[str, Any], shape: Shape | None, prefix: str) -> Test:
        name, wanted = asked["Name"], asked.get("Operator") or "Equals"
        if not name.startswith(prefix):
            raise invalid(f"The name of a filter that is nested in {prefix[:-1]} begins with {prefix}: {name}")
        found = property_of(shape, name.removeprefix(prefix))
        if wanted in ("Exists", "NotExists"):
            there = wanted == "Exists"
            return lambda record: any(True for _ in found.values(record)) is there
        if asked.get("Value") is None:
            raise invalid(f"A filter with the operator {wanted} needs a value: {name}")
        if wanted == "Contains":
            self._count(name)
        return _comparing(found, wanted, asked["Value"])

    def _count(self, name: str) -> None:
        often = _OFTEN_CONTAINS.get(self.shape.name if self.shape is not None else "", ())
        if name.partition(".")[0] in often:
            return
        self.contains.append(name)
        if len(self.contains) > 1:
            raise invalid("'CONTAINS' operator usage limit of 1 exceeded.")


def _comparing(found: Property, wanted: str, text: str) -> Test:
    if wanted in ("Contains", "In"):
        if found.kind not in (_TEXT, _EITHER):
            raise _unsupported(found, wanted)
        if wanted == "Contains":
            return lambda record: any(text in str(value) for value in found.values(record))
        several = {item.strip() for item in text.split(",")}
        return lambda record: any(str(value) in several for value in found.values(record))
    compares = _order(found, wanted) if wanted in _ORDERS else operator.eq
    value = _value(found, text)
    if wanted == "NotEquals":
        return lambda record: not any(_is(found, compares, told, value) for told in found.values(record))
    return lambda record: any(_is(found, compares, told, value) for told in found.values(record))


def _order(found: Property, wanted: str) -> Callable[[Any, Any], bool]:
    if found.kind in (_TEXT, _FLAG):
        raise _unsupported(found, wanted)
    return _ORDERS[wanted]


def _is(found: Property, compares: Callable[[Any, Any], bool], told: Any, value: Any) -> bool:
    if found.kind != _EITHER:
        return compares(told, value)
    number, asked = _number(told), _number(value)
    if number is None or asked is None:
        return compares is operator.eq and told == value
    # Where a whole number is asked for, decimals count as whole ones (API: Filter).
    return compares(int(number) if value.lstrip("+-").isdigit() else number, asked)


def _value(found: Property, text: str) -> Any:
    """As values of that kind are told."""
    if found.kind == _WHOLE:
        raise invalid(f"Only Exists and NotExists are supported for the property {found.name}.")
    reads: Callable[[str], Any] | None = {_NUMBER: _number, _TIME: _time, _FLAG: _flag}.get(found.kind)
    if reads is None:
        return text
    value = reads(text)
    if value is None:
        raise invalid(f"The value of a filter for the {found.kind} property {found.name} is no {found.kind}: {text}")
    return value


def _flag(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())


def _time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if abs(number) < float("inf") else None


def _unsupported(found: Property, wanted: str) -> Refusal:
    return invalid(f"The operator {wanted} is not supported for the {found.kind} property {found.name}.")
