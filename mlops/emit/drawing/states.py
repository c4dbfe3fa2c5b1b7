"""How a state looks, of a step, a version, an endpoint, an alarm: a colour, a sign, and a word, so that none of them is
needed alone."""

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
_SQUARE, _PLAY = "M-2.4 -2.4 H2.4 V2.4 H-2.4 Z", "M-2 -3.2 L3.2 0 L-2 3.2 Z"
_STATES: Mapping[str, State] = {
    "Failed": State("bad", _CROSS, "Failed"),
    "Stopped": State("halted", _SQUARE, "Stopped"),
    "Stopping": State("halted", _SQUARE, "Stopping"),
    "Executing": State("busy", _PLAY, "Executing"),
    "Starting": State("busy", "M0 -3.4 V0 H2.8", "Starting"),
    "Succeeded": State("good", _CHECK, "Succeeded"),
    "cached": State("good", "M-3 -1.4 H3 M-3 1.6 H3", "cached"),
    "Skipped": State("idle", "M-3 0 H3", "Skipped"),
    "InService": State("good", _CHECK, "InService"),
    "Approved": State("good", _CHECK, "Approved"),
    "Rejected": State("bad", _CROSS, "Rejected"),
    "PendingManualApproval": State("halted", "M0 -3.4 V0.6 M0 2.6 V3.2", "PendingManualApproval"),
    "Creating": State("busy", _PLAY, "Creating"),
    "Updating": State("busy", _PLAY, "Updating"),
    "RollingBack": State("busy", _PLAY, "RollingBack"),
    "Deleting": State("halted", _SQUARE, "Deleting"),
    "OutOfService": State("bad", _CROSS, "OutOfService"),
    "UpdateRollbackFailed": State("bad", _CROSS, "UpdateRollbackFailed"),
    "passes": State("good", _CHECK, "passes"),
    "refuses": State("bad", _CROSS, "refuses"),
    "ACTIVE": State("good", _CHECK, "ACTIVE"),
    "CREATING": State("busy", _PLAY, "CREATING"),
    "DELETING": State("halted", _SQUARE, "DELETING"),
    "CREATING_FAILED": State("bad", _CROSS, "CREATING_FAILED"),
    "DELETING_FAILED": State("bad", _CROSS, "DELETING_FAILED"),
    "green": State("good", _CHECK, "green"),
    "red": State("bad", _CROSS, "red"),
    "OK": State("good", _CHECK, "OK"),
    "ALARM": State("bad", _CROSS, "ALARM"),
    "Completed": State("good", _CHECK, "Completed"),
    "CompletedWithViolations": State("bad", _CROSS, "CompletedWithViolations"),
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
