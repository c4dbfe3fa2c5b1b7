"""What can be said of an argument without a pipeline: the members that it becomes, and what stands there without it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

from mlops.declare.constructors import constructors
from mlops.ir.fields import REQUIRED, Field, Record

OTHERWISE = {
    "role": "the environment's role",
    "kms_key": "the environment's key",
    "instance": "the environment's instance",
    "folder": "a folder of the step in the environment's bucket",
    "execution folder": "a folder of the execution in the environment's bucket",
}


def members(fields: Iterable[Field]) -> Sequence[str]:
    """Of the fields of one argument, as Markdown."""
    return list(dict.fromkeys(f"`{field.path}`" if field.path else "others are made with it" for field in fields))


def default(field: Field) -> str:
    """Empty where the member is left out."""
    if field.otherwise is not None:
        return OTHERWISE[field.otherwise]
    if field.default is REQUIRED:
        return "required"
    return "" if field.default in (None, (), {}, "") else f"`{field.default!r}`"


def records(fields: Sequence[Field]) -> Iterator[Record]:
    """Those that arguments are made with, also inside of each other."""
    for field in fields:
        for record in field.kind.records:
            yield record
            yield from records(record.fields)


@cache
def of_names() -> Mapping[str, Sequence[Field]]:
    """The fields of each constructor and record, by its name."""
    found: dict[str, list[Field]] = {item.name: list(item.fields) for item in constructors()}
    for item in constructors():
        for record in records(item.fields):
            found.setdefault(record.name, []).extend(record.in_order)
    return found
