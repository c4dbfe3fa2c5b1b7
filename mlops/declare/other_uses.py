"""Parentheses, brackets and arrows on what takes none: told with all other mistakes of a file, with what was meant."""

from __future__ import annotations

import sys
from typing import TypeVar

from mlops.declare.misuse import misuse
from mlops.declare.source_line import is_authors

T = TypeVar("T")


def no_function(label: str, help: str, instead: T, *, step: str | None = None, what: str = "is no function") -> T:
    """What ``thing(…)`` is, for the ``__call__`` of a thing."""
    return _told(label, what, help, instead, step)


def no_brackets(label: str, help: str, instead: T, *, step: str | None = None) -> T:
    """What ``thing[…]`` is."""
    return _told(label, "has nothing in brackets", help, instead, step)


def no_block(label: str, help: str, *, step: str | None = None) -> None:
    """``with thing:``."""
    _told(label, "is no block", help, None, step)


def _told(label: str, what: str, help: str, instead: T, step: str | None) -> T:
    if not is_authors(sys._getframe(3).f_code.co_filename):
        raise TypeError(f"{label} {what}")
    misuse("D031", f"{label} {what}", help=help, step=step)
    return instead
