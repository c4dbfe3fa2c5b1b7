"""A mistake of a test is told at its own line, without our frames."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from mlops.ir import MlopsError

P = ParamSpec("P")
R = TypeVar("R")


def plainly(function: Callable[P, R]) -> Callable[P, R]:
    """What it raises of ours begins in the test's line, with the way on as a note."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        __tracebackhide__ = True
        try:
            return function(*args, **kwargs)
        except MlopsError as error:
            raised = error.with_traceback(None)
        if raised.hint:
            raised.add_note(f"help: {raised.hint}")
        raise raised from None

    return call
