"""Where declared resources are noted while a file is read; no more is loaded for a file that declares none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops.declare.resources.base import DeclaredResource

_declared: ContextVar[list[DeclaredResource] | None] = ContextVar("declared", default=None)


@contextmanager
def declaring() -> Iterator[list[DeclaredResource]]:
    """Every resource that is declared meanwhile, in the order of declaring."""
    resources: list[DeclaredResource] = []
    token = _declared.set(resources)
    try:
        yield resources
    finally:
        _declared.reset(token)


def declare(resource: DeclaredResource) -> None:
    """Outside of a file that is read, as in a notebook, nobody notes it."""
    declared = _declared.get()
    if declared is not None:
        declared.append(resource)
