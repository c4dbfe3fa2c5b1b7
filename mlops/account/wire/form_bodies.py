"""Members out of a form: the request of the query protocol, ``Tags.member.1.Key=owner``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from botocore.model import ListShape, MapShape, Shape, StructureShape

from mlops.account.local.refusal import Refusal
from mlops.account.wire import texts

Tree: TypeAlias = "dict[str, Tree | str]"
_DEEPEST = 64


def tree(pairs: Iterable[tuple[str, str]]) -> Tree:
    """By the words between the points.

    >>> tree([("Tags.member.1.Key", "owner"), ("Action", "TagRole"), ("Tags.member.1.Value", "me")])
    {'Tags': {'member': {'1': {'Key': 'owner', 'Value': 'me'}}}, 'Action': 'TagRole'}
    """
    found: Tree = {}
    for name, value in pairs:
        *above, last = name.split(".")
        if len(above) > _DEEPEST:
            raise _malformed(name)
        at = found
        for word in above:
            below = at.setdefault(word, {})
            if not isinstance(below, dict):
                raise _malformed(name)
            at = below
        if isinstance(at.get(last), dict):
            raise _malformed(name)
        at[last] = value
    return found


def read(shape: Shape, value: Tree | str) -> Any:
    match shape:
        case StructureShape():
            if not isinstance(value, dict):
                return {} if value == "" else value
            return {
                name: read(member, value[told])
                for name, member in shape.members.items()
                if (told := _name(member, name)) in value
            }
        case ListShape():
            if value == "":
                return []
            return [read(shape.member, item) for item in _numbered(_inner(shape, value))]
        case MapShape():
            if value == "":
                return {}
            return dict(_pair(shape, item) for item in _numbered(_inner(shape, value)))
    if isinstance(value, dict):
        raise _malformed(next(iter(value), ""))
    return texts.read(shape, value)


def _name(member: Shape, name: str) -> str:
    """A flattened list goes by the name of what is in it."""
    if isinstance(member, ListShape) and member.serialization.get("flattened"):
        told: str | None = member.member.serialization.get("name")
        if told:
            return told
    told = member.serialization.get("name", name)
    return told or name


def _inner(shape: Shape, value: Tree | str) -> Mapping[str, Tree | str]:
    if not isinstance(value, dict):
        raise _malformed(value)
    if shape.serialization.get("flattened"):
        return value
    told = shape.member.serialization.get("name", "member") if isinstance(shape, ListShape) else "entry"
    # `member` is what many clients write whatever the model calls it.
    inner = value.get(told, value.get("member"))
    if not isinstance(inner, dict):
        raise _malformed(told)
    return inner


def _numbered(found: Mapping[str, Tree | str]) -> list[Tree | str]:
    """In the order of their numbers, which need not be without gaps."""
    if not all(key.isascii() and key.isdigit() and len(key) < 10 for key in found):
        raise _malformed(next(iter(found), ""))
    return [found[key] for key in sorted(found, key=int)]


def _pair(shape: MapShape, entry: Tree | str) -> tuple[Any, Any]:
    key, value = shape.key.serialization.get("name", "key"), shape.value.serialization.get("name", "value")
    if not isinstance(entry, dict) or key not in entry or value not in entry:
        raise _malformed(key)
    return read(shape.key, entry[key]), read(shape.value, entry[value])


def _malformed(name: str) -> Refusal:
    return Refusal("MalformedQueryString", f"The form has no sense at {name[:100]!r}.")
