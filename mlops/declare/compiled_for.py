"""Which environment is compiled for: known while a pipeline is lowered, and only then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops.project.environments import Environment

_environment: ContextVar[Environment | None] = ContextVar("_environment", default=None)


@contextmanager
def compiled_for(environment: Environment) -> Iterator[None]:
    """What is lowered meanwhile gets the facts of this one."""
    token = _environment.set(environment)
    try:
        yield
    finally:
        _environment.reset(token)


def the_environment() -> Environment | None:
    return _environment.get()
