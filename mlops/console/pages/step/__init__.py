"""One step of an execution: its job, what it read and wrote, why it ran."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.console.page import NotThere, Page, Sent, Shown, Visit

_MOST_LISTED = 100


def show(visit: Visit) -> Shown:
    from mlops.use_cases.executions import replay_commands
    from mlops.use_cases.looking import execution, place_of, step_looked, step_of
    from mlops.use_cases.previews import preview

    state = execution(visit.connected, visit.path["execution"]).state
    step = step_of(state, visit.path["step"])
    query = visit.query
    chosen, seen = None, None
    if query.one("of"):
        chosen = place_of(visit.connected, state, step, query.one("direction"), query.one("of"))
        seen = preview(visit.connected, chosen, query.one("file"))
    return {
        "title": f"{step.name} of {state.pipeline} {state.id}",
        "looked": step_looked(visit.connected, state, step),
        "replay": replay_commands(visit.connected, state).get(step.name),
        "chosen": chosen,
        "file": query.one("file"),
        "preview": seen,
        "picture": query.but(),
        "masked": query.one("masked") == "1",
        "turned": query.but(masked=None if query.one("masked") == "1" else "1"),
        "of_cell": lambda cell, output: query.but(cell=str(cell), output=str(output)),
        "most": _MOST_LISTED,
    }


def follows(visit: Visit) -> Mapping[str, str] | None:
    return {"execution": visit.path["execution"]}


def picture(visit: Visit) -> Sent:
    from mlops.use_cases.looking import execution, place_of, step_of
    from mlops.use_cases.previews import picture

    state = execution(visit.connected, visit.path["execution"]).state
    step, query = step_of(state, visit.path["step"]), visit.query
    place = place_of(visit.connected, state, step, query.one("direction"), query.one("of"))
    output = (query.number("cell"), query.number("output")) if query.one("cell") else None
    found = picture(visit.connected, place, query.one("file"), output)
    if found is None:
        raise NotThere("that is no picture, or a large one")
    return Sent(*found)


PAGE = Page("/executions/{execution}/steps/{step}", "Step", show, follows=follows, files={"picture": picture})
