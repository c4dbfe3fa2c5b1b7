"""Members of a configuration that people write, each with what was to stand there where something else does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlops.monitor.fault import Fault


def section(value: Any, what: str) -> Mapping[str, Any]:
    """An object; null is an empty one. Raises :class:`Fault`."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Fault(f"{what} is {value!r:.80}, an object is wanted")
    return value


def listed(value: Any, what: str) -> Sequence[Any]:
    """A list; null is an empty one. Raises :class:`Fault`."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise Fault(f"{what} is {value!r:.80}, a list is wanted")
    return value


def count(value: Any, what: str, otherwise: int) -> int:
    """``otherwise`` where nothing, or 0, stands there. Raises :class:`Fault`."""
    if value is None:
        return otherwise
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Fault(f"{what} is {value!r:.80}, an integer is wanted")
    return value or otherwise
