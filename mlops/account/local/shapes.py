"""The service model's law on both sides: what a request may hold beyond botocore's own checks, what a reply holds."""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.utils import parse_to_aware_datetime

from mlops.account.local.refusal import Refusal

_repr = reprlib.Repr()
_HIDDEN = "***Sensitive Data Redacted***"
"""As the services tell what their models call sensitive."""


# S3, STS and SQS have their own ways to say no, and judge more mildly than their models.
_INVALID = {"s3": "InvalidArgument", "sts": "ValidationError", "sqs": "InvalidParameterValue"}
_SHAPES = 8192
"""That are remembered: each client has its own."""
_BITS = {"integer": 31, "long": 63}


class _Models(Loader):  # type: ignore[misc]  # botocore has no types
    """botocore looks through its four hundred services for each model that it loads, to know whether that one is among
    them. A service that is not there is missed a moment later."""

    def __init__(self) -> None:
        super().__init__()
        self._asked: set[str] = set()

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        self._asked.add(service_name)
        return super().load_service_model(service_name, type_name, api_version)

    def list_available_services(self, type_name: str) -> list[str]:
        return [*self._asked]


@cache
def models() -> Loader:
    """Parsed service models, once per process whatever the number of accounts."""
    return _Models()


@cache
def operation(service: str, name: str) -> OperationModel:
    return service_model(service).operation_model(name)


@cache
def service_model(service: str) -> ServiceModel:
    return ServiceModel(models().load_service_model(service, "service-2"), service)


def obey(service: str, name: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The request of an operation as the answers take it: only members that the model knows, none of them None, times
    as aware datetimes. Nothing is taken for granted of it. Raises the service's refusal with all that is wrong, worded
    as SageMaker words it."""
    shape = operation(service, name).input_shape
    if shape is None:
        return {}
    try:
        return _obeyed(service, shape, request)
    except RecursionError:
        raise Refusal(_INVALID.get(service, "ValidationException"), "The request is nested too deeply.") from None


def _obeyed(service: str, shape: Shape, request: Mapping[str, Any]) -> Mapping[str, Any]:
    strict = service not in _INVALID
    try:
        plain: Mapping[str, Any] = _taking(shape, strict)(request)
    except _NotPlain:
        pass
    else:
        return plain
    wrong: list[str] = []
    given: Mapping[str, Any] = _fit(shape, request, "", wrong, strict=strict)
    if wrong:
        plural = "error" if len(wrong) == 1 else "errors"
        text = f"{len(wrong)} validation {plural} detected: {'; '.join(wrong)}"
        raise Refusal(_INVALID.get(service, "ValidationException"), text)
    return given


class _NotPlain(Exception):
    """It is wrong, or of a kind that takes longer to see: whoever tells what is wrong looks again."""


@lru_cache(maxsize=_SHAPES)
def _taking(shape: Shape, strict: bool) -> Callable[[Any], Any]:
    """What :func:`_fit` makes of a value where that is plainly right, in a fifth of the time: a put has 500 records."""
    match shape:
        case StructureShape():
            return _taking_members(shape, strict)
        case ListShape():
            return _taking_items(shape, strict)
        case Shape(type_name="string"):
            return _taking_text(shape, strict)
        case Shape(type_name="blob"):
            return _taken_bytes
        case Shape(type_name="boolean"):
            return _taken_flag
        case Shape(type_name="integer" | "long"):
            return _taking_number(shape, strict)
    return _not_plain


def _taking_members(shape: StructureShape, strict: bool) -> Callable[[Any], Any]:
    required, names = tuple(shape.required_members), tuple(shape.members)
    takings: dict[str, Callable[[Any], Any]] = {}

    def take(value: Any) -> Any:
        if type(value) is not dict:
            raise _NotPlain
        if not takings:  # not before: a shape may be a member of itself
            takings.update({name: _taking(shape.members[name], strict) for name in names})
        for name in required:
            if value.get(name) is None:
                raise _NotPlain
        return {name: takings[name](value[name]) for name in names if value.get(name) is not None}

    return take


def _taking_items(shape: ListShape, strict: bool) -> Callable[[Any], Any]:
    lowest = shape.metadata.get("min") or 0
    highest = shape.metadata.get("max") if strict else None

    def take(value: Any) -> Any:
        if type(value) not in (list, tuple) or len(value) < lowest or (highest is not None and len(value) > highest):
            raise _NotPlain
        item = _taking(shape.member, strict)
        return [item(each) for each in value]

    return take


def _taking_text(shape: Shape, strict: bool) -> Callable[[Any], Any]:
    lowest = shape.metadata.get("min") or 0
    highest, choices, pattern = (shape.metadata.get(name) if strict else None for name in ("max", "enum", "pattern"))
    compiled = None if pattern is None else _compiled(pattern)

    def take(value: Any) -> Any:
        if type(value) is not str or not value.isascii() or len(value) < lowest:
            raise _NotPlain
        if (highest is not None and len(value) > highest) or (choices and value not in choices):
            raise _NotPlain
        if compiled is not None and compiled.fullmatch(value) is None:
            raise _NotPlain
        return value

    return take


def _taking_number(shape: Shape, strict: bool) -> Callable[[Any], Any]:
    bound = 2 ** _BITS[shape.type_name] - 1
    lowest, highest = shape.metadata.get("min"), shape.metadata.get("max")
    lowest = -bound if lowest is None else lowest
    highest = bound if highest is None or not strict else min(highest, bound)

    def take(value: Any) -> Any:
        if type(value) is not int or not lowest <= value <= highest:
            raise _NotPlain
        return value

    return take


def _taken_bytes(value: Any) -> Any:
    if type(value) is not bytes:
        raise _NotPlain
    return value


def _taken_flag(value: Any) -> Any:
    if type(value) is not bool:
        raise _NotPlain
    return value


def _not_plain(value: Any) -> Any:
    raise _NotPlain


def _fit(shape: Shape, value: Any, at: str, wrong: list[str], *, strict: bool) -> Any:
    match shape, value:
        case StructureShape(), Mapping():
            for name in shape.required_members:
                if value.get(name) is None:
                    wrong.append(_failed(None, _below(at, name), "not be null"))
            return {
                name: _fit(member, value[name], _below(at, name), wrong, strict=strict)
                for name, member in shape.members.items()
                if value.get(name) is not None
            }
        case ListShape(), list() | tuple():
            wrong += _wrong_size(shape, len(value), at, "length", strict=strict)
            return [
                _fit(shape.member, item, f"{at}.{index + 1}.member", wrong, strict=strict)
                for index, item in enumerate(value)
            ]
        case MapShape(), Mapping():
            wrong += _wrong_size(shape, len(value), at, "length", strict=strict)
            return {
                _fit(shape.key, key, f"{at}.{key}.key", wrong, strict=strict): _fit(
                    shape.value, item, f"{at}.{key}.value", wrong, strict=strict
                )
                for key, item in value.items()
            }
        case Shape(type_name="string"), str():
            wrong += _wrong_text(shape, value, at, strict=strict)
        case Shape(type_name="boolean"), bool():
            pass
        case Shape(type_name="integer" | "long"), int() if not isinstance(value, bool):
            if value.bit_length() > _BITS[shape.type_name]:
                wrong.append(_failed(value, at, f"be of type {shape.type_name}"))
            wrong += _wrong_size(shape, value, at, "value", strict=strict)
        case Shape(type_name="float" | "double"), int() | float() if not isinstance(value, bool):
            if not math.isfinite(value):
                wrong.append(_failed(value, at, "be a finite number"))
            wrong += _wrong_size(shape, value, at, "value", strict=strict)
        case Shape(type_name="timestamp"), datetime() | str() | int() | float() if not isinstance(value, bool):
            try:
                return parse_to_aware_datetime(value).astimezone(UTC)
            except (ValueError, OverflowError, OSError, TypeError, RuntimeError):
                wrong.append(_failed(value, at, "be a time"))
        case Shape(type_name="blob"), bytes() | bytearray() | memoryview():
            pass
        case Shape(type_name="blob"), str():
            wrong += _wrong_letters(value, at)
        case Shape(type_name="blob"), _ if hasattr(value, "read"):
            pass
        case _:
            shown = _HIDDEN if shape.metadata.get("sensitive") else value
            wrong.append(_failed(shown, at, f"be of type {shape.type_name}"))
    return value


def _below(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def _wrong_size(shape: Shape, size: float, at: str, what: str, *, strict: bool) -> Iterator[str]:
    lowest, highest = shape.metadata.get("min"), shape.metadata.get("max")
    shown = size if what == "value" else None
    if lowest is not None and size < lowest:
        yield _failed(shown, at, f"have {what} greater than or equal to {lowest}", plain=what != "value")
    if strict and highest is not None and size > highest:
        yield _failed(shown, at, f"have {what} less than or equal to {highest}", plain=what != "value")


def _wrong_letters(value: str, at: str) -> Iterator[str]:
    try:
        value.encode()
    except UnicodeEncodeError:
        yield _failed(value.encode(errors="replace").decode(), at, "be text")


def _wrong_text(shape: Shape, value: str, at: str, *, strict: bool) -> Iterator[str]:
    yield from _wrong_letters(value, at)
    choices = shape.metadata.get("enum")
    shown = _HIDDEN if shape.metadata.get("sensitive") else value
    if strict and choices and value not in choices:
        yield _failed(shown, at, f"satisfy enum value set: [{', '.join(choices)}]")
    lowest, highest = shape.metadata.get("min"), shape.metadata.get("max")
    if lowest is not None and len(value) < lowest:
        yield _failed(shown, at, f"have length greater than or equal to {lowest}")
    if strict and highest is not None and len(value) > highest:
        yield _failed(shown, at, f"have length less than or equal to {highest}")
    pattern = shape.metadata.get("pattern")
    if strict and pattern is not None:
        compiled = _compiled(pattern)
        if compiled is not None and compiled.fullmatch(value) is None:
            yield _failed(shown, at, f"satisfy regular expression pattern: {pattern}")


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    r"""None for Java's own syntax (``\p{L}``), which this language does not read."""
    try:
        # In Java `.` stops at a line's end too, but the service is fed values of several lines where it says `.*`.
        return re.compile(pattern, re.DOTALL)
    except re.error:
        return None


def _failed(value: Any, at: str, constraint: str, *, plain: bool = False) -> str:
    """``plain`` says nothing of the value."""
    if plain:
        return f"Value at '{at}' failed to satisfy constraint: Member must {constraint}"
    shown = _shown(value)
    shown = shown if len(shown) <= 200 else f"{shown[:200]}…"
    return f"Value '{shown}' at '{at}' failed to satisfy constraint: Member must {constraint}"


def _shown(value: Any) -> str:
    match value:
        case None:
            return "null"
        case str() | bool() | float() | datetime():
            return str(value)
    try:
        return _repr.repr(value)
    except ValueError:  # Python writes no number of thousands of digits
        return type(value).__name__


def conform(shape: Shape | None, value: Any) -> Any:
    """A stored reply as boto3 would have parsed it: only members that the shape knows, none of them None, times as
    aware datetimes."""
    return value if shape is None or value is None else _conforming(shape)(value)


@lru_cache(maxsize=_SHAPES)
def _conforming(shape: Shape) -> Callable[[Any], Any]:
    if isinstance(shape, StructureShape) and not shape.serialization.get("eventstream"):
        return _conforming_members(shape)
    if isinstance(shape, ListShape):
        return lambda value: [None if item is None else _conforming(shape.member)(item) for item in value]
    if shape.type_name in ("string", "boolean", "integer", "long", "blob"):
        return _as_it_is
    return lambda value: _conform(shape, value)


def _conforming_members(shape: StructureShape) -> Callable[[Any], Any]:
    members: dict[str, Callable[[Any], Any]] = {}

    def conforming(value: Any) -> Any:
        if not members:
            members.update({name: _conforming(member) for name, member in shape.members.items()})
        return {name: told(value[name]) for name, told in members.items() if value.get(name) is not None}

    return conforming


def _as_it_is(value: Any) -> Any:
    return value


def _conform(shape: Shape, value: Any) -> Any:
    match shape:
        case MapShape():
            return {key: conform(shape.value, item) for key, item in value.items()}
        case Shape(type_name="timestamp"):
            return _time(value)
        case Shape(type_name="float" | "double"):
            return float(value)
    return value  # among them events that are still to come


def _time(value: datetime | str | float) -> datetime:
    match value:
        case datetime():
            found = value
        case str():
            found = datetime.fromisoformat(value)
        case _:
            return datetime.fromtimestamp(value, UTC)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
