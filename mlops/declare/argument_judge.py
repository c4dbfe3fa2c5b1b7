"""pydantic as the judge of a call, asked where the arguments are not plainly right."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from pydantic import ConfigDict, ValidationError, validate_call

from mlops.declare.wrong_arguments import WrongArguments

_STRICT = ConfigDict(strict=True, arbitrary_types_allowed=True, defer_build=True)


def judge(function: Callable[..., None]) -> Callable[..., None]:
    """The same with its arguments checked; raises :class:`WrongArguments`."""
    judged = validate_call(config=_STRICT)(function)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> None:
        try:
            judged(*args, **kwargs)
        except ValidationError as error:
            raise WrongArguments([dict(detail) for detail in error.errors(include_url=False)]) from None

    return call
