"""A call whose arguments are not what its annotations say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_unjudged: ContextVar[bool] = ContextVar("unjudged", default=False)


class WrongArguments(Exception):
    """What pydantic says of the arguments of a call."""

    def __init__(self, details: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(details)
        self.details = details


@contextmanager
def unjudged() -> Iterator[None]:
    """What was wrong is told, and poisoned values stand for it: nothing is judged a second time."""
    token = _unjudged.set(True)
    try:
        yield
    finally:
        _unjudged.reset(token)


def is_unjudged() -> bool:
    return _unjudged.get()
