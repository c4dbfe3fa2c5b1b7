"""How a lower layer reaches a higher one, in the few places where it must.

A pipeline shows and runs itself in a notebook, a file of the official SDK is composed where targets are opened, what it
asks is looked up in the local account, and that account's clock runs a monitor as a person would.
The asking layer declares a :class:`Port`, typed by what it takes; the package says in ``mlops/__init__.py`` what fills
it. This module imports nothing of ours, so that every layer may.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Generic, TypeVar, cast

T_co = TypeVar("T_co", covariant=True)

_homes: dict[str, str] = {}


def fill(homes: Mapping[str, str]) -> None:
    """``homes`` are by the port's name: a module, or ``module:name``. It is loaded when somebody asks for it."""
    _homes.update(homes)


class Port(Generic[T_co]):
    """What a layer needs and does not have. Whoever calls from above may hand in something else instead."""

    def __init__(self, name: str) -> None:
        self.name = name

    def get(self) -> T_co:
        module, _, name = _homes[self.name].partition(":")
        loaded = importlib.import_module(module)
        return cast("T_co", getattr(loaded, name) if name else loaded)
