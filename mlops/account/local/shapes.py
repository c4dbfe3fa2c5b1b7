"""The service model's law on both sides: what a request may hold beyond botocore's own checks, what a reply holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from mlops.account.local.refusal import invalid


def obey(shape: Shape | None, request: Mapping[str, Any]) -> None:
    """Enums, patterns and upper bounds; botocore has checked types, required members and lower bounds before.
    Raises ValidationException with all that is wrong, worded as SageMaker words it."""
    if shape is None:
        return
    wrong = list(_violations(shape, request, ""))
    if wrong:
        plural = "error" if len(wrong) == 1 else "errors"
        raise invalid(f"{len(wrong)} validation {plural} detected: {'; '.join(wrong)}")


def _violations(shape: Shape, value: Any, at: str) -> Iterator[str]:
    match shape:
        case StructureShape():
            for name, item in value.items():
                if name in shape.members and item is not None:
                    yield from _violations(shape.members[name], item, f"{at}.{name}" if at else name)
        case ListShape():
            yield from _too_many(shape, value, at)
            for index, item in enumerate(value):
                yield from _violations(shape.member, item, f"{at}.{index + 1}.member")
        case MapShape():
            yield from _too_many(shape, value, at)
            for key, item in value.items():
                yield from _violations(shape.key, key, f"{at}.{key}.key")
                yield from _violations(shape.value, item, f"{at}.{key}.value")
        case Shape(type_name="string"):
            yield from _wrong_text(shape, value, at)
        case Shape(type_name="integer" | "long" | "float" | "double"):
            highest = shape.metadata.get("max")
            if highest is not None and value > highest:
                yield _failed(value, at, f"have value less than or equal to {highest}")


def _too_many(shape: Shape, value: Any, at: str) -> Iterator[str]:
    highest = shape.metadata.get("max")
    if highest is not None and len(value) > highest:
        yield f"Value at '{at}' failed to satisfy constraint: Member must have length less than or equal to {highest}"


def _wrong_text(shape: Shape, value: str, at: str) -> Iterator[str]:
    choices = shape.metadata.get("enum")
    if choices and value not in choices:
        yield _failed(value, at, f"satisfy enum value set: [{', '.join(choices)}]")
    highest = shape.metadata.get("max")
    if highest is not None and len(value) > highest:
        yield _failed(value, at, f"have length less than or equal to {highest}")
    pattern = shape.metadata.get("pattern")
    if pattern is not None:
        compiled = _compiled(pattern)
        if compiled is not None and compiled.fullmatch(value) is None:
            yield _failed(value, at, f"satisfy regular expression pattern: {pattern}")


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    r"""None for Java's own syntax (``\p{L}``), which this language does not read."""
    try:
        # In Java `.` stops at a line's end too, but the service is fed values of several lines where it says `.*`.
        return re.compile(pattern, re.DOTALL)
    except re.error:
        return None


def _failed(value: Any, at: str, constraint: str) -> str:
    shown = str(value)
    shown = shown if len(shown) <= 200 else f"{shown[:200]}…"
    return f"Value '{shown}' at '{at}' failed to satisfy constraint: Member must {constraint}"


def conform(shape: Shape | None, value: Any) -> Any:
    """A stored reply as boto3 would have parsed it: only members that the shape knows, none of them None, times as
    aware datetimes."""
    if shape is None or value is None:
        return value
    match shape:
        case StructureShape():
            return {
                name: conform(member, value[name])
                for name, member in shape.members.items()
                if value.get(name) is not None
            }
        case ListShape():
            return [conform(shape.member, item) for item in value]
        case MapShape():
            return {key: conform(shape.value, item) for key, item in value.items()}
        case Shape(type_name="timestamp"):
            return _time(value)
        case Shape(type_name="float" | "double"):
            return float(value)
    return value


def _time(value: datetime | str | float) -> datetime:
    match value:
        case datetime():
            found = value
        case str():
            found = datetime.fromisoformat(value)
        case _:
            return datetime.fromtimestamp(value, UTC)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
