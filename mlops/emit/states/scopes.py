"""Where states are written: the machine itself, a branch of a Parallel, the body of a Map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.ir.dataclass import dataclass

FAILED = "Failed"
"""The state in which a machine ends that has failed."""


@dataclass(frozen=True, slots=True)
class Scope:
    """``end`` is the state that ends it. ``inner``: a failure is written down and ends this scope alone, so that what
    runs beside it goes on, as in a pipeline. ``looped``: it is run for each item."""

    states: dict[str, Any]
    end: str
    inner: bool = False
    looped: bool = False

    @property
    def failed(self) -> str:
        """Where a failure goes that is written down."""
        return self.end if self.inner else FAILED


def in_order(first: str, states: Mapping[str, Any]) -> dict[str, Any]:
    """As they come after each other; what nothing leads to is left out."""
    found: dict[str, Any] = {}
    waiting = [first]
    while waiting:
        name = waiting.pop(0)
        if name in found or name not in states:
            continue
        found[name] = states[name]
        waiting[:0] = _next(states[name])
    return {**{name: found[name] for name in found if not _ends(found[name])}, **found}


def _ends(state: Mapping[str, Any]) -> bool:
    return state["Type"] in ("Succeed", "Fail")


def _next(state: Mapping[str, Any]) -> Iterator[str]:
    """The plain road first, so that a failure's stands behind."""
    for choice in state.get("Choices", ()):
        yield choice["Next"]
    for member in ("Next", "Default"):
        if member in state:
            yield state[member]
    for catcher in state.get("Catch", ()):
        yield catcher["Next"]
