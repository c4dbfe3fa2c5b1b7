"""Arguments to the members that they are in the document, by the fields of a step or a record."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from mlops.declare.references import Poison, Reference, is_expression, lower, lower_word
from mlops.ir import Join, Ref, Unknown, Value
from mlops.ir.fields import WORDS, Field, Otherwise, Record
from mlops.ir.values import expressions, to_json

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering
    from mlops.declare.steps.base import Step

__all__ = ["omit"]

T = TypeVar("T")


class _Omit:
    """The type of :data:`omit`."""

    def __repr__(self) -> str:
        return "omit"


omit: Final = _Omit()
"""Inside ``arguments=`` and ``members=``: leave this member out although an argument or the environment gives it."""


def merge(base: Mapping[str, Value], over: Mapping[str, Any]) -> dict[str, Value]:
    """The author's ``over`` wins and is lowered; objects merge member by member, lists are replaced.

    >>> merge({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}})
    {'a': {'b': 1, 'c': 3}}
    """
    merged = dict(base)
    for key, value in over.items():
        present = merged.get(key)
        if value is omit:
            merged.pop(key, None)
        elif isinstance(value, Mapping) and not is_expression(value):
            merged[key] = merge(present if isinstance(present, Mapping) else {}, value)
        else:
            merged[key] = lower(value)
    return merged


def without_none(members: Mapping[str, Value]) -> dict[str, Value]:
    """Drop members that the author left out."""
    return {key: value for key, value in members.items() if value is not None}


def request_of(step: Step, lowering: Lowering) -> dict[str, Value]:
    """The request of a step."""
    fields = [field for field in step.constructor.fields if not field.path.startswith("/")]
    return members(step, fields, lowering, step)


def envelope_of(step: Step, lowering: Lowering) -> dict[str, Value]:
    """Members of the step itself."""
    fields = [field for field in step.constructor.fields if field.path.startswith("/")]
    return members(step, fields, lowering, step)


def members(given: object, fields: Sequence[Field], lowering: Lowering, step: Step) -> dict[str, Value]:
    """In the order of the fields, which is that of the document. ``given`` is the step, or a record of its."""
    made: dict[str, Any] = {}
    told: set[str] = set()
    for field in fields:
        if is_wrong(given, field.name):
            if field.name in told or not field.path:
                continue  # of several members that exclude each other one is enough
            told.add(field.name)
            value: Value = Unknown()
        else:
            value = _member(given, field, lowering, step)
        if value is None and field.keeps != "null":
            continue
        if not field.path:
            made.update(value if isinstance(value, Mapping) else {})
            continue
        *parents, last = field.path.removeprefix("/").split(".")
        inside = made
        for parent in parents:
            inside = inside.setdefault(parent, {})
        present = inside.get(last)
        inside[last] = {**present, **value} if isinstance(present, dict) and isinstance(value, dict) else value
    return made


def is_wrong(given: object, argument: str) -> bool:
    """The argument of a step or a record has a reported mistake."""
    return argument in getattr(given, "wrong", ()) or isinstance(getattr(given, argument, None), Poison)


def member(given: object, field: Field, lowering: Lowering, step: Step) -> Value:
    return Unknown() if is_wrong(given, field.name) else _member(given, field, lowering, step)


def _member(given: object, field: Field, lowering: Lowering, step: Step) -> Value:
    if field.to is not None:
        return field.to(given, lowering, step)
    value: Any = getattr(given, field.name) if field.name else field.default
    if field.kind.form == "tags":
        return tags(lowering, value)
    if value is None:
        return _OTHERWISE[field.otherwise](lowering, step) if field.otherwise else None
    written = _lowered(value, field, lowering, step)
    return None if not field.keeps and written in ((), {}) and field.kind.form in _SEVERAL else written


_SEVERAL = ("list", "map", "json", "records", "objects")


def _lowered(value: Any, field: Field, lowering: Lowering, step: Step) -> Value:
    match field.kind.form:
        case "source":
            return lowering.data(value, step=step)
        case "list":
            return tuple(map(lower_word, value)) if field.kind is WORDS else lower(tuple(value))
        case "map":
            return {key: lower(item) for key, item in value.items()}
        case "json":
            return strings(value)
        case "record":
            return _made(value, field.kind.records, lowering, step)
        case "objects":
            return tuple(_made(item, field.kind.records, lowering, step) for item in value)
        case "records":
            key, records = field.kind.key, field.kind.records
            return tuple({key: name, **_made(item, records, lowering, step)} for name, item in value.items())
    return lower(value)


def record_of(value: object, record: Record, lowering: Lowering, step: Step) -> dict[str, Value]:
    """An object of the request; what has no argument of its own is merged into it."""
    made = members(value, record.fields, lowering, step)
    return merge(made, getattr(value, "arguments", None) or {}) if record.rest else made


def _made(value: object, records: Sequence[Record], lowering: Lowering, step: Step) -> dict[str, Value]:
    """Of a record, or of what stands for one whose other arguments are left out."""
    record = next((record for record in records if isinstance(value, record.of)), None)
    if record is None:
        record = records[0]
        value = record.of(value)
    return record_of(value, record, lowering, step)


def with_values(given: T, **values: object) -> T:
    """A record with other values, which need not be what an author may write."""
    known = {field.name: getattr(given, field.name) for field in dataclasses.fields(given)}  # type: ignore[arg-type]
    changed: Any = object.__new__(type(given))
    for name, value in {**known, **values}.items():
        object.__setattr__(changed, name, value)
    made: T = changed
    return made


def as_given(name: str) -> Callable[[Any, Any, Any], Value]:
    """The ``to`` of a field whose value is that of the document already."""

    def to(given: Any, *_: object) -> Value:
        value: Value = getattr(given, name)
        return value

    return to


def strings(values: Mapping[str, Any]) -> dict[str, Value]:
    """Values for a map of strings: references stay, a string is sent as it is, anything else as JSON.

    The training toolkit reads each value as JSON and keeps it where that fails, so no string needs quotes."""
    sent: dict[str, Value] = {}
    for key, value in values.items():
        lowered = lower(value)
        plain = isinstance(value, Reference | str) or any(True for _ in expressions(lowered))
        sent[key] = lowered if plain else json.dumps(to_json(lowered), sort_keys=True, separators=(",", ":"))
    return sent


def tags(lowering: Lowering, own: Mapping[str, object] | None = None) -> Value:
    """The environment's tags and the step's ``own`` as a request's Tags, or None."""
    listed = {**lowering.environment.tags, **(own or {})}
    return tuple({"Key": key, "Value": lower(value)} for key, value in sorted(listed.items())) or None


def execution_folder(lowering: Lowering, *parts: str) -> Value:
    """An S3 URI of this execution alone, where the official SDK puts it too."""
    environment = lowering.environment
    prefix = (environment.prefix,) if environment.prefix else ()
    execution = Ref("Execution.PipelineExecutionId")
    return Join("/", ("s3:/", environment.bucket, *prefix, lowering.pipeline, execution, *parts))


_OTHERWISE: Mapping[Otherwise, Callable[[Lowering, Step], Value]] = {
    "role": lambda lowering, _: lowering.environment.role,
    "kms_key": lambda lowering, _: lowering.environment.kms_key,
    "instance": lambda lowering, _: lowering.instance(None),
    "folder": lambda lowering, step: lowering.environment.uri(lowering.pipeline, step.name),
    "execution folder": lambda lowering, step: execution_folder(lowering, step.name),
}
