"""One endpoint: what serves there and how it does, the shift of traffic that is under way, and what may be done about
it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from mlops.console.page import Change, Done, Page, Shown, Visit, address

_HOURS = (1, 6, 24, 168)
_MOST_ENTRIES = 30
_HOW: Mapping[str, tuple[str, str, str]] = {
    "pause": ("Pause …", "The traffic stays as it is split, and nobody looks at it, until somebody goes on.", "Pause"),
    "resume": ("Go on …", "It goes on where it was paused, or where its process was lost.", "Go on"),
    "promote-now": ("Promote now …", "The new version gets all traffic at once, without another look.", "Promote now"),
    "abort": ("Take back …", "What served before gets all traffic again.", "Take the shift back"),
}


def show(visit: Visit) -> Shown:
    from mlops.console.drawings import embedded
    from mlops.use_cases import endpoints
    from mlops.use_cases.endpoint_picture import traffic
    from mlops.use_cases.watching_endpoints import look_once

    name = visit.path["endpoint"]
    found = endpoints.show(visit.connected, name)
    chosen = visit.query.number("hours", 1)
    hours = chosen if chosen in _HOURS else 1
    look = look_once(visit.connected, name)
    picture = traffic(visit.connected, name, hours * 3600.0)
    shift = look.shift
    going = shift is not None and not shift.is_over
    return {
        "title": f"{name}: {found['EndpointStatus']}",
        "name": name,
        "found": found,
        "look": look,
        "shift": shift,
        "going": going,
        "steps": _steps(shift.phase) if shift is not None and going and visit.may_change else {},
        "picture": embedded(picture) if picture is not None else None,
        "hours": hours,
        "spans": [(hours_, visit.query.but(hours=str(hours_))) for hours_ in _HOURS],
        "evidence": _evidence(visit, name) if shift is not None else None,
        "history": [*reversed(endpoints.history(visit.connected, name, _MOST_ENTRIES))],
    }


def _steps(phase: str) -> Mapping[str, tuple[str, str, str]]:
    left_out = "pause" if phase == "paused" else ""
    return {name: told for name, told in _HOW.items() if name != left_out}


def _evidence(visit: Visit, name: str) -> Mapping[str, Any] | None:
    """Of the last shift that was looked at; None where there was none."""
    from mlops.console.drawings import embedded
    from mlops.deploy.shifting.evidence import stages
    from mlops.ir import MlopsError
    from mlops.use_cases.verdict import explain
    from mlops.use_cases.verdict_picture import picture

    try:
        found = explain(visit.connected, name)
    except MlopsError as error:
        return {"error": error.message}
    samples = found.samples
    title = f"Version {samples.version} of {samples.group}: the evidence"
    drawn = picture(title, found.lines, stages(samples)) if found.lines else None
    return {
        "error": None,
        "samples": samples,
        "looks": [*reversed(found.looks)],
        "shadow": [*reversed(found.shadow)],
        "picture": embedded(drawn) if drawn is not None else None,
        "now": found.then.told,
        "ended": found.ended,
    }


def follows(visit: Visit) -> Mapping[str, str] | None:
    return {"endpoint": visit.path["endpoint"]}


def _steer(change: Change, what: Literal["pause", "resume", "promote-now", "abort"]) -> Done:
    from mlops.ir import unheard
    from mlops.use_cases import endpoints
    from mlops.use_cases.approval import GIVEN

    name = change.visit.path["endpoint"]
    told = endpoints.steer(change.connected, name, what, unheard, GIVEN, reason=change.reason)
    return Done(address("endpoints", name), f"asked for {what} at the endpoint {name}: {told}")


PAGE = Page(
    "/endpoints/{endpoint}",
    "Endpoint",
    show,
    follows=follows,
    changes={
        "pause": lambda change: _steer(change, "pause"),
        "resume": lambda change: _steer(change, "resume"),
        "promote-now": lambda change: _steer(change, "promote-now"),
        "abort": lambda change: _steer(change, "abort"),
    },
)
