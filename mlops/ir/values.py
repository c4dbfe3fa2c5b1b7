"""Values of a definition document: plain JSON, and expressions that are known only when the pipeline runs.

Objects are mappings and lists are tuples; nothing here is ever changed after it was made. ``1``, ``1.0`` and
``True`` are different values although Python calls them equal: compare with :func:`same`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from types import NoneType
from typing import Any, TypeAlias

from mlops.ir.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Ref:
    """``{"Get": expression}``, e.g. ``Steps.Train.ModelArtifacts.S3ModelArtifacts``, kept as it was written."""

    expression: str

    @property
    def path(self) -> RefPath | None:
        """The parsed expression; None where the expression has no sense."""
        return parse_expression(self.expression)


@dataclass(frozen=True, slots=True)
class Join:
    """``{"Std:Join": {"On": on, "Values": values}}``."""

    on: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class JsonGet:
    """``{"Std:JsonGet": {"PropertyFile": …, "Path": …}}`` or the same with ``S3Uri``; exactly one of the two is set."""

    path: Value
    property_file: Value = None
    s3_uri: Value = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """Stands where a mistake was already reported; no check speaks about it again, and it is never emitted."""


Expression: TypeAlias = Ref | Join | JsonGet | Unknown
LITERALS = (str, int, float, NoneType)
Value: TypeAlias = "bool | int | float | str | Expression | tuple[Value, ...] | Mapping[str, Value] | None"


@dataclass(frozen=True, slots=True)
class RefPath:
    """``Steps.Train.A['k'][0]`` is root ``Steps``, name ``Train``, segments ``("A", Key("k"), 0)``.

    ``segments`` holds member names as :class:`str`, list indexes as :class:`int` and quoted keys as :class:`Key`.
    """

    root: str
    name: str
    segments: tuple[str | int | Key, ...] = ()


@dataclass(frozen=True, slots=True)
class Key:
    """A quoted key of a property path: ``['train']``."""

    text: str


@lru_cache(maxsize=65536)
def parse_expression(text: str) -> RefPath | None:
    """
    >>> parse_expression("Parameters.MaxDepth")
    RefPath(root='Parameters', name='MaxDepth', segments=())
    >>> parse_expression("Steps.Prep.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri").segments[:3]
    ('ProcessingOutputConfig', 'Outputs', Key(text='train'))
    >>> parse_expression("Steps.Tune.TrainingJobSummaries[0].TrainingJobName").segments
    ('TrainingJobSummaries', 0, 'TrainingJobName')
    >>> parse_expression("nonsense") is None
    True
    """
    root, dot, rest = text.partition(".")
    if not dot or not root or not rest:
        return None
    name, position = _bare(rest, 0)
    if not name:
        return None
    segments: list[str | int | Key] = []
    while position < len(rest):
        if rest[position] == ".":
            member, position = _bare(rest, position + 1)
            if not member:
                return None
            segments.append(member)
        elif rest[position] == "[":
            end = _bracket_end(rest, position)
            if end is None:
                return None
            inside = rest[position + 1 : end]
            if len(inside) >= 2 and inside[0] in "'\"" and inside[-1] == inside[0]:
                segments.append(Key(inside[1:-1]))
            elif inside.isascii() and inside.isdigit() and len(inside) < 10:
                segments.append(int(inside))
            else:
                return None
            position = end + 1
        else:
            return None
    return RefPath(root, name, tuple(segments))


def _bare(text: str, start: int) -> tuple[str, int]:
    end = start
    while end < len(text) and text[end] not in ".[]":
        end += 1
    return text[start:end], end


def _bracket_end(text: str, start: int) -> int | None:
    quote = text[start + 1 : start + 2]
    if quote in ("'", '"'):
        closing = text.find(f"{quote}]", start + 2)
        return None if closing < 0 else closing + 1
    closing = text.find("]", start)
    return None if closing < 0 else closing


def from_json(raw: Any) -> Value:
    """Freeze parsed JSON. A malformed expression stays the plain object that it is; the checker speaks about it."""
    if isinstance(raw, dict):
        members = {key: item if isinstance(item, LITERALS) else from_json(item) for key, item in raw.items()}
        return members if len(members) != 1 else to_expression(members) or members
    if isinstance(raw, list | tuple):
        return tuple([item if isinstance(item, LITERALS) else from_json(item) for item in raw])
    return raw  # type: ignore[no-any-return]


def to_expression(members: Mapping[str, Value]) -> Expression | None:
    """The expression that a frozen object is in the document's own form; None where it is none, or malformed."""
    if len(members) != 1:
        return None
    ((key, body),) = members.items()
    match key, body:
        case "Get", str():
            return Ref(body)
        case "Std:Join", {"On": str(on), "Values": tuple(values), **rest} if not rest:
            return Join(on, values)
        case "Std:JsonGet", {"PropertyFile": file, "Path": path, **rest} if not rest and file is not None:
            return JsonGet(path=path, property_file=file)
        case "Std:JsonGet", {"S3Uri": uri, "Path": path, **rest} if not rest and uri is not None:
            return JsonGet(path=path, s3_uri=uri)
    return None


def to_json(value: Value) -> Any:
    """Thaw to what :func:`json.dumps` takes. An :class:`Unknown` must have stopped the command before."""
    if isinstance(value, dict):  # nearly always, and quicker to see than that it is a Mapping
        return {key: item if isinstance(item, LITERALS) else to_json(item) for key, item in value.items()}
    match value:
        case Ref():
            return {"Get": value.expression}
        case Join():
            return {"Std:Join": {"On": value.on, "Values": [to_json(item) for item in value.values]}}
        case JsonGet():
            source = (
                {"S3Uri": to_json(value.s3_uri)}
                if value.s3_uri is not None
                else {"PropertyFile": to_json(value.property_file)}
            )
            return {"Std:JsonGet": {**source, "Path": to_json(value.path)}}
        case Unknown():
            raise AssertionError("a value with a reported mistake reached the emitter")
        case Mapping():
            return {key: to_json(item) for key, item in value.items()}
        case tuple():
            return [to_json(item) for item in value]
    return value


def same(left: Value, right: Value) -> bool:
    """Equal as JSON values: the order of members does not count, the type of numbers does."""
    return json.dumps(to_json(left), sort_keys=True) == json.dumps(to_json(right), sort_keys=True)


def pointer(*segments: str | int) -> str:
    """
    >>> pointer("Steps", 2, "a/b~c")
    '/Steps/2/a~1b~0c'
    """
    if len(segments) == 1 and isinstance(segments[0], str):
        return _token(segments[0])
    return "".join([f"/{segment}" if isinstance(segment, int) else _token(segment) for segment in segments])


@lru_cache(maxsize=4096)
def _token(member: str) -> str:
    """Cached: every walk over a document asks for the same few names, step after step."""
    return "/" + member.replace("~", "~0").replace("/", "~1")


def expressions(value: Value, at: str = "") -> Iterator[tuple[str, Expression]]:
    """Every expression in a value with its pointer, outermost first; the parts of a Join or JsonGet follow it."""
    found: list[tuple[str, Expression]] = []
    _collect(value, at, found)
    return iter(found)


def _collect(value: Value, at: str, found: list[tuple[str, Expression]]) -> None:
    """A walk over the whole document that most rules wait for; so no generators, and the common kinds first."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(item, LITERALS):
                _collect(item, at + _token(key), found)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            if not isinstance(item, LITERALS):
                _collect(item, f"{at}/{index}", found)
    elif isinstance(value, LITERALS):
        return
    elif isinstance(value, Join):
        found.append((at, value))
        _collect(value.values, f"{at}/Std:Join/Values", found)
    elif isinstance(value, JsonGet):
        found.append((at, value))
        _collect(value.property_file, f"{at}/Std:JsonGet/PropertyFile", found)
        _collect(value.s3_uri, f"{at}/Std:JsonGet/S3Uri", found)
        _collect(value.path, f"{at}/Std:JsonGet/Path", found)
    elif isinstance(value, Ref | Unknown):
        found.append((at, value))
    else:
        _collect(dict(value), at, found)


def refs(value: Value, at: str = "") -> Iterator[tuple[str, Ref]]:
    """Every :class:`Ref` in a value, however deep, with its pointer."""
    for place, expression in expressions(value, at):
        if isinstance(expression, Ref):
            yield place, expression


def transform(value: Value, change: Callable[[Expression], Value]) -> Value:
    """A copy of ``value`` with each outermost expression replaced by ``change(expression)``."""
    match value:
        case Ref() | Join() | JsonGet() | Unknown():
            return change(value)
        case Mapping():
            return {key: transform(item, change) for key, item in value.items()}
        case tuple():
            return tuple(transform(item, change) for item in value)
    return value
