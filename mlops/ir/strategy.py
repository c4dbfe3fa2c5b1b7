"""The record of a strategy: how a shift's course follows from what ``mlops.toml`` says of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.ir.shift import Course


@dataclass(frozen=True, slots=True)
class Strategy:
    """``settings`` is a frozen dataclass whose fields are the keys of the strategy's table. ``course`` takes them, and
    how many instances serve (None where nobody counts any); it raises ValueError with a sentence for what does not go
    together."""

    name: str
    summary: str
    settings: type[Any]
    course: Callable[[Any, int | None], Course]
