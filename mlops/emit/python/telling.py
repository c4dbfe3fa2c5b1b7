"""Members of a step as arguments: None where an argument cannot say its member, or need not."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence

from mlops.emit.python.expressions import Scope, literal, refer, write
from mlops.emit.python.source import Items, Node, Text, call, dictionary, listing, string
from mlops.ir import Value
from mlops.ir.dataclass import dataclass
from mlops.ir.fields import (
    BOOLEAN,
    FLOAT,
    INTEGER,
    REQUIRED,
    STRING,
    By,
    Field,
    Given,
    Kept,
    Kind,
    Made,
    Missing,
    Name,
    Of,
    Record,
    Said,
    Spoken,
    StepNamed,
)


@dataclass(frozen=True, slots=True)
class Telling:
    """One step being told: ``before`` are variables that have to be made first, with what they hold; ``kept`` are
    their names by the keys of what is kept in them. ``corrections`` are what earlier guesses left out of things inside
    the step, by the member that names those and their names."""

    given: Given
    scope: Scope
    corrections: Mapping[tuple[str, str], Node] = dataclasses.field(default_factory=dict)
    before: list[tuple[str, Node]] = dataclasses.field(default_factory=list)
    kept: dict[str, str] = dataclasses.field(default_factory=dict)
    module: str = ""
    """Stands before the names of records, with a dot."""

    def argument(self, field: Field, given: Given | None = None) -> Node | None:
        """By the field's own word or by its kind; of an object inside the step where one is ``given``."""
        inner = given or self.given
        if field.said is not None:
            spoken = field.said(inner)
            return None if spoken is None else self.node(spoken)
        value = inner.at(field.path)
        if isinstance(value, Missing):
            return Text(field.absent) if field.absent else None
        if _equal(value, field.default) or (field.otherwise == "role" and value == self.scope.role):
            return None
        if value in ((), {}) and not field.keeps and not field.absent:
            return None
        return self.written(value, field.kind)

    def node(self, spoken: Spoken) -> Node | None:
        match spoken:
            case Said(value, None):
                return write(value, self.scope)
            case Said(value, accepts):
                return one(value, self.scope, accepts or ())
            case Of(kind, value):
                return self.written(value, kind)
            case By(field, whole):
                return self.argument(field, self.given.inside(whole))
            case Made(name, positional, keywords):
                nodes, named = self._all([*positional]), self._all([*keywords.values()])
                if nodes is None or named is None:
                    return None
                return call(self._named(name), nodes, dict(zip(keywords, named, strict=True)))
            case Name(text):
                return Text(text)
            case StepNamed(name):
                return step_named(name, self.scope)
            case Kept():
                return self._kept(spoken)
            case list():
                items = self._all(spoken)
                return None if items is None else listing(items)
            case dict():
                items = self._all([*spoken.values()])
                return None if items is None else dictionary(zip(spoken, items, strict=True))

    def written(self, value: Value, kind: Kind) -> Node | None:
        match kind.form, value:
            case "one", _:
                return one(value, self.scope, kind.accepts)
            case "word", _:
                return self._item(value, kind)
            case "source", _:
                # A string without it would name a local file.
                return None if isinstance(value, str) and "://" not in value else one(value, self.scope, kind.accepts)
            case "plain", str():
                return literal(value)
            case "choice", str():
                return literal(value) if value in kind.words else None
            case "choice", _:
                return refer(value, self.scope, kind.accepts)
            case "list", tuple():
                return _list([self._item(item, kind) for item in value])
            case "map", Mapping():
                return _by_name({key: self._item(item, kind) for key, item in value.items()})
            case "any", Mapping():
                return write(value, self.scope)
            case "json", Mapping():
                if all(isinstance(item, str) or not _is_literal(item) for item in value.values()):
                    return dictionary((key, self._unquoted(item)) for key, item in value.items())
            case "tags", tuple():
                return self._tags(value)
            case "record", _:
                return self._record(value, kind)
            case "objects", tuple():
                return _list([self._record(item, kind) for item in value])
            case "records", tuple():
                return self._records(value, kind)
        return None

    def _named(self, name: str) -> str:
        return f"{self.module}{name}" if name else name

    def _all(self, several: Sequence[Spoken]) -> list[Node] | None:
        nodes = [self.node(item) for item in several]
        known = [node for node in nodes if node is not None]
        return known if len(known) == len(nodes) else None

    def _kept(self, spoken: Kept) -> Node | None:
        if spoken.key not in self.kept:
            made = self.node(spoken.made)
            if made is None:
                return None
            self.kept[spoken.key] = self.scope.use(self.scope.names.variable(spoken.hint, "entity"))
            self.before.append((self.kept[spoken.key], made))
        return Text(self.kept[spoken.key])

    def _item(self, value: Value, kind: Kind) -> Node | None:
        """An item of a list or a map: a text, or a reference."""
        return one(value, self.scope, (STRING,) if _is_literal(value) else kind.accepts)

    def _unquoted(self, value: Value) -> Node:
        if isinstance(value, str) and value not in self.scope.constants:
            try:
                number = json.loads(value)
            except (ValueError, RecursionError):
                return literal(value)
            if isinstance(number, int | float) and json.dumps(number) == value and number == number:
                return literal(number)
        return write(value, self.scope)

    def _tags(self, listed: tuple[Value, ...]) -> Node | None:
        """In the order of their keys, as the language writes them."""
        items: dict[str, Node | None] = {}
        for item in listed:
            match item:
                case {"Key": str(key), "Value": value, **rest} if not rest and key not in items:
                    items[key] = one(value, self.scope, (STRING,))
                case _:
                    return None
        return _by_name(items) if items and list(items) == sorted(items) else None

    def _record(self, value: Value, kind: Kind) -> Node | None:
        """``Name(…)`` of an object of the request, or its first argument where that alone says it."""
        if not isinstance(value, Mapping):
            return None
        for record in kind.records:
            node = self._made(record, value)
            if node is not None:
                return self._short(record, value, kind, node) or node
        return None

    def _short(self, record: Record, value: Mapping[str, Value], kind: Kind, node: Items) -> Node | None:
        """Not for each reference that the record takes."""
        first = record.in_order[0]
        if first.kind.form == "record" and kind.accepts and len(node.items) == 1:
            return node.items[0][1]
        if not kind.accepts or len(node.items) != 1 or node.items[0][0] not in ("", f"{first.name}="):
            return None
        alone = self.argument(first._replace(kind=first.kind._replace(accepts=kind.accepts)), self.given.inside(value))
        return alone if alone is not None and alone.flat() == node.items[0][1].flat() else None

    def _made(self, record: Record, value: Mapping[str, Value]) -> Items | None:
        """None where the object has members that the record has no field and no place for, or lacks what it needs."""
        given = self.given.inside(value)
        written: dict[str, Node] = {}
        rest: Mapping[str, Value] = value
        for field in record.in_order:
            node = self.argument(field, given) if field.name and field.name not in written else None
            if node is not None:
                written[field.name] = node
            found = given.at(field.path)
            if not field.name and field.default is not None and not _equal(found, field.default):
                return None
            # What an argument cannot say, or says only that it does not, is left to `arguments`.
            unsaid = (node is None and not _equal(found, field.default)) or (node is not None and node.flat() == "None")
            if (field.name or field.default is not None) and not (record.rest and unsaid) and field.owner:
                rest = _without(rest, field.owner.split("."))
        if rest and not record.rest:
            return None
        if any(field.default is REQUIRED and field.name not in written for field in record.fields):
            return None
        if rest and record.rest is True:
            written["arguments"] = write(rest, self.scope)
        bare: list[Node] = []
        for field in record.in_order[: record.positional]:
            if field.name in written:
                bare.append(written.pop(field.name))
            else:
                break
        return call(self._named(record.name), bare, written)

    def _records(self, listed: tuple[Value, ...], kind: Kind) -> Node | None:
        """Objects by the name that each has in one of its members."""
        written: dict[str, Node | None] = {}
        for item in listed:
            name = item.get(kind.key) if isinstance(item, Mapping) else None
            if not isinstance(item, Mapping) or not isinstance(name, str) or name in written:
                return None
            node = self._record({key: value for key, value in item.items() if key != kind.key}, kind)
            correction = self.corrections.get((kind.key, name))
            if isinstance(node, Items) and correction is not None:
                node = Items(node.opening, (*node.items, ("arguments=", correction)), node.closing)
            written[name] = node
        return _by_name(written)


def step_named(name: str, scope: Scope) -> Node:
    """A step's variable, or its name where it stands further down."""
    variable = scope.steps.get(name)
    return Text(scope.use(variable.name) if variable and variable.has_property else string(name))


def one(value: Value, scope: Scope, accepts: Sequence[str]) -> Node | None:
    """A literal or a reference of one of these kinds."""
    fits = (
        (isinstance(value, str) and STRING in accepts)
        or (isinstance(value, bool) and BOOLEAN in accepts)
        or (isinstance(value, int) and not isinstance(value, bool) and INTEGER in accepts)
        or (isinstance(value, float) and FLOAT in accepts)
    )
    return write(value, scope) if fits else refer(value, scope, accepts)


def _equal(value: object, default: object) -> bool:
    return type(value) is type(default) and value == default


def _is_literal(value: Value) -> bool:
    return value is None or isinstance(value, str | bool | int | float)


def _without(value: Mapping[str, Value], path: Sequence[str]) -> Mapping[str, Value]:
    """An object without the member at a path, and without what it alone was in."""
    first, *others = path
    inside = value.get(first)
    left = _without(inside, others) if others and isinstance(inside, Mapping) else {}
    return {key: left if key == first else item for key, item in value.items() if key != first or left}


def _list(nodes: Sequence[Node | None]) -> Node | None:
    known = [node for node in nodes if node is not None]
    return listing(known) if len(known) == len(nodes) else None


def _by_name(nodes: Mapping[str, Node | None]) -> Node | None:
    known = [(key, node) for key, node in nodes.items() if node is not None]
    return dictionary(known) if len(known) == len(nodes) else None
