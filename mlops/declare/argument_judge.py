"""pydantic as the judge of a call, asked where the arguments are not plainly right."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError, validate_call

from mlops.declare.wrong_arguments import WrongArguments, is_unjudged

_STRICT = ConfigDict(strict=True, arbitrary_types_allowed=True, defer_build=True)


def judge(function: Callable[..., None]) -> Callable[..., None]:
    """The same with its arguments checked; raises :class:`WrongArguments`."""
    judged = validate_call(config=_STRICT)(function)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> None:
        if is_unjudged():
            function(*args, **kwargs)
            return
        try:
            judged(*args, **kwargs)
        except ValidationError as error:
            raise WrongArguments([dict(detail) for detail in error.errors(include_url=False)]) from None

    return call


def complaints(annotation: Any, argument: str, value: object) -> list[dict[str, Any]]:
    """What is wrong with ``value`` as this argument."""
    try:
        adapter = TypeAdapter(annotation, config=ConfigDict(strict=True, arbitrary_types_allowed=True))
    except PydanticUserError:  # a type with settings of its own
        adapter = TypeAdapter(annotation)
    try:
        adapter.validate_python(value)
    except ValidationError as error:
        found = error.errors(include_url=False)
        return [{**detail, "loc": (argument, *detail["loc"])} for detail in found]
    return []
