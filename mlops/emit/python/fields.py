"""A member of the request as an argument, by the field that it has: None where that cannot say it or need not."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from mlops.emit.python.expressions import literal, refer, write
from mlops.emit.python.source import Items, Node, Text, call, dictionary, listing
from mlops.emit.python.spoken import Telling, one
from mlops.ir import Value
from mlops.ir.fields import STRING, Field, Given, Kind, Missing, Record


def argument(field: Field, given: Given, telling: Telling) -> Node | None:
    if field.said is not None:
        spoken = field.said(given)
        return None if spoken is None else telling.node(spoken)
    value = given.at(field.path)
    if isinstance(value, Missing):
        return Text(field.absent) if field.absent else None
    if type(value) is type(field.default) and value == field.default:
        return None
    if field.otherwise == "role" and value == telling.scope.role:
        return None
    if value in ((), {}) and not field.keeps and not field.absent:
        return None
    return _written(value, field.kind, given, telling)


def _written(value: Value, kind: Kind, given: Given, telling: Telling) -> Node | None:
    scope = telling.scope
    match kind.form, value:
        case "one", _:
            return one(value, scope, kind.accepts)
        case "source", _:
            # A string without it would name a local file.
            return None if isinstance(value, str) and "://" not in value else one(value, scope, kind.accepts)
        case "plain", str():
            return literal(value)
        case "choice", str():
            return literal(value) if value in kind.words else None
        case "choice", _:
            return refer(value, scope, kind.accepts)
        case "list", tuple():
            return _list([_item(item, kind, telling) for item in value])
        case "map", Mapping():
            return _by_name({key: _item(item, kind, telling) for key, item in value.items()})
        case "any", Mapping():
            return write(value, scope)
        case "json", Mapping():
            if all(isinstance(item, str) or not _is_literal(item) for item in value.values()):
                return dictionary((key, _unquoted(item, telling)) for key, item in value.items())
        case "tags", tuple():
            return _tags(value, telling)
        case "record", _:
            return _record(value, kind, given, telling)
        case "records", tuple():
            return _records(value, kind, given, telling)
    return None


def _item(value: Value, kind: Kind, telling: Telling) -> Node | None:
    """An item of a list or a map: a text, or a reference."""
    return one(value, telling.scope, (STRING,) if _is_literal(value) else kind.accepts)


def _is_literal(value: Value) -> bool:
    return value is None or isinstance(value, str | bool | int | float)


def _list(nodes: Sequence[Node | None]) -> Node | None:
    known = [node for node in nodes if node is not None]
    return listing(known) if len(known) == len(nodes) else None


def _by_name(nodes: Mapping[str, Node | None]) -> Node | None:
    known = [(key, node) for key, node in nodes.items() if node is not None]
    return dictionary(known) if len(known) == len(nodes) else None


def _unquoted(value: Value, telling: Telling) -> Node:
    if isinstance(value, str) and value not in telling.scope.constants:
        try:
            number = json.loads(value)
        except (ValueError, RecursionError):
            return literal(value)
        if isinstance(number, int | float) and json.dumps(number) == value and number == number:
            return literal(number)
    return write(value, telling.scope)


def _tags(listed: tuple[Value, ...], telling: Telling) -> Node | None:
    """In the order of their keys, as the language writes them."""
    items: dict[str, Node | None] = {}
    for item in listed:
        match item:
            case {"Key": str(key), "Value": value, **rest} if not rest and key not in items:
                items[key] = one(value, telling.scope, (STRING,))
            case _:
                return None
    return _by_name(items) if items and list(items) == sorted(items) else None


def _record(value: Value, kind: Kind, given: Given, telling: Telling) -> Node | None:
    """``Name(…)`` of an object of the request, or its first argument where that alone says it."""
    for record in kind.records:
        node = made(record, value, given, telling)
        if node is None:
            continue
        if len(node.items) == 1 and kind.accepts and node.items[0][0] in ("", f"{record.fields[0].name}="):
            short = node.items[0][1]
            first = given.inside(value).at(record.fields[0].path) if isinstance(value, Mapping) else value
            alone = record.fields[0].kind._replace(accepts=kind.accepts)
            plain = None if isinstance(first, Missing) else _written(first, alone, given, telling)
            if plain is not None and plain.flat() == short.flat():
                return short
        return node
    return None


def made(record: Record, value: Value | Missing, given: Given, telling: Telling) -> Items | None:
    """None where there is no object, or it has members that the record has no field for and no place."""
    if not isinstance(value, Mapping):
        return None
    inner = given.inside(value)
    known = {field.owner.partition(".")[0] for field in record.fields}
    rest = {key: item for key, item in value.items() if key not in known}
    fixed = [field for field in record.fields if not field.name and field.to is None]
    if (rest and not record.rest) or any(inner.at(field.path) != field.default for field in fixed):
        return None
    told = {field.name: argument(field, inner, telling) for field in record.fields if field.name}
    written = {name: node for name, node in told.items() if node is not None}
    if rest:
        written["arguments"] = write(rest, telling.scope)
    first = record.fields[0].name
    lone = [written.pop(first)] if record.positional and first in written else []
    return call(record.name, lone, written)


def _records(listed: tuple[Value, ...], kind: Kind, given: Given, telling: Telling) -> Node | None:
    """Objects by the name that each has in one of its members."""
    written: dict[str, Node | None] = {}
    for item in listed:
        name = item.get(kind.key) if isinstance(item, Mapping) else None
        if not isinstance(item, Mapping) or not isinstance(name, str) or name in written:
            return None
        rest = {key: value for key, value in item.items() if key != kind.key}
        written[name] = _record(rest, kind, given, telling)
    return _by_name(written)
