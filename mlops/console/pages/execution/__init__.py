"""One execution: what happened, why, and what now."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.console.page import Change, Done, Page, Shown, Visit, address


def show(visit: Visit) -> Shown:
    from mlops.console.drawings import embedded
    from mlops.emit.drawing.collapse import MOST
    from mlops.ir.hiding import hide_lines
    from mlops.use_cases.executions import failures, way_on
    from mlops.use_cases.looking import execution, outcome
    from mlops.use_cases.pictures import bars, graph

    found = execution(visit.connected, visit.path["execution"])
    state = found.state
    picture = bars(state)
    return {
        "title": f"{state.pipeline} {state.id}: {state.status}",
        "state": state,
        "graph": embedded(graph(visit.connected, state, whole=visit.query.one("whole") == "1")),
        "whole": visit.query.one("whole") == "1",
        "many": len(state.steps) > MOST,
        "turned": visit.query.but(whole=None if visit.query.one("whole") == "1" else "1"),
        "bars": embedded(picture) if picture is not None else None,
        "failures": [(failure, hide_lines(failure.log)) for failure in failures(visit.connected, state)],
        "way": way_on(state, visit.connected.environment.option),
        "outcome": outcome(visit.connected, state),
        "report": f"mlops executions report {state.id}{visit.connected.environment.option} -o report.html",
    }


def follows(visit: Visit) -> Mapping[str, str] | None:
    return {"execution": visit.path["execution"]}


def stop(change: Change) -> Done:
    from mlops.ir import unheard
    from mlops.use_cases import executions
    from mlops.use_cases.approval import GIVEN
    from mlops.use_cases.looking import execution

    found = execution(change.connected, change.visit.path["execution"])
    executions.stop(found, unheard, GIVEN, watching_it=False)
    return _done(found.arn, "stopped")


def retry(change: Change) -> Done:
    from mlops.use_cases import executions
    from mlops.use_cases.approval import GIVEN
    from mlops.use_cases.looking import execution

    found = execution(change.connected, change.visit.path["execution"])
    executions.retry(found, GIVEN)
    return _done(found.arn, "retried")


def _done(arn: str, what: str) -> Done:
    id = arn.rpartition("/")[2]
    return Done(address("executions", id), f"{what} the execution {arn}")


PAGE = Page("/executions/{execution}", "Execution", show, follows=follows, changes={"stop": stop, "retry": retry})
