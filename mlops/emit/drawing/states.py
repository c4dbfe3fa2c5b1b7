"""How the state of a step looks: a colour, a sign, and a word, so that none of them is needed alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mlops.ir.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class State:
    """``kind`` is the class that colours it; ``glyph`` is drawn in a circle of 8 around 0 0; ``word`` is read."""

    kind: str
    glyph: str
    word: str


_CHECK, _CROSS = "M-3.5 0.2 L-1 2.8 L3.6 -2.6", "M-2.8 -2.8 L2.8 2.8 M2.8 -2.8 L-2.8 2.8"
_STATES: Mapping[str, State] = {
    "Failed": State("bad", _CROSS, "Failed"),
    "Stopped": State("halted", "M-2.4 -2.4 H2.4 V2.4 H-2.4 Z", "Stopped"),
    "Stopping": State("halted", "M-2.4 -2.4 H2.4 V2.4 H-2.4 Z", "Stopping"),
    "Executing": State("busy", "M-2 -3.2 L3.2 0 L-2 3.2 Z", "Executing"),
    "Starting": State("busy", "M0 -3.4 V0 H2.8", "Starting"),
    "Succeeded": State("good", _CHECK, "Succeeded"),
    "cached": State("good", "M-3 -1.4 H3 M-3 1.6 H3", "cached"),
    "Skipped": State("idle", "M-3 0 H3", "Skipped"),
}
"""In the order in which they matter to who looks at several at once."""


def state_of(status: str) -> State:
    """One that we have never heard of has no glyph but its word."""
    return _STATES.get(status) or State("idle", "", status)


def together(statuses: Iterable[str | None]) -> str | None:
    """The one that is told of several steps: that one has failed is more than that others succeeded.

    >>> together(["Succeeded", "Failed", None])
    'Failed'
    >>> together(["Succeeded", None])
    'Executing'
    """
    found = list(statuses)
    there = {status for status in found if status is not None}
    if not there:
        return None
    for status in ("Failed", "Stopped", "Stopping", "Executing", "Starting"):
        if status in there:
            return status
    if None in found:
        return "Executing"
    return there.pop() if len(there) == 1 else "Succeeded"
