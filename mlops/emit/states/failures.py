"""How a failure goes on: caught and written down, under the step's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.emit.states.jsonata import DATA, braces, literal, merged, obj
from mlops.emit.states.scopes import Scope

_REASON_LENGTH = 1024


def caught(what: str, scope: Scope) -> Mapping[str, Any]:
    """A failure inside of something ends that; at the top it ends the machine, with its own words."""
    return catching("Failed", what, scope, scope.end) if scope.inner else {}


def catching(place: str, what: str, scope: Scope, to: str) -> Mapping[str, Any]:
    told = obj(
        {
            "Error": "$states.errorOutput.Error",
            "Cause": f"$substring($states.errorOutput.Cause, 0, {_REASON_LENGTH})",
        }
    )
    return {"Catch": [{"ErrorEquals": ["States.ALL"], "Output": noted(place, what, scope, told), "Next": to}]}


def noted(place: str, what: str, scope: Scope, told: str) -> str:
    """The data with ``told`` in one of its members: of a loop, for each iteration."""
    key = f"{literal(f'{what}-')} & {DATA}.Loop.Index" if scope.looped else literal(what)
    return braces(merged(obj({place: f"$merge([{DATA}.{place}, {{{key}: {told}}}])"})))
