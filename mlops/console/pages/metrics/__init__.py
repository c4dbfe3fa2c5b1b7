"""The metrics of an execution as they were printed, value by value, and what its reports judge."""

from __future__ import annotations

import json
from collections.abc import Mapping

from mlops.console.page import Page, Shown, Visit


def show(visit: Visit) -> Shown:
    from mlops.console.drawings import blocks
    from mlops.deploy.executions.recording import as_run
    from mlops.use_cases.curves import curves
    from mlops.use_cases.evaluations import drifts, evaluated
    from mlops.use_cases.looking import execution

    state = execution(visit.connected, visit.path["execution"]).state
    found = curves(visit.connected, state)
    return {
        "title": f"Metrics of {state.pipeline} {state.id}",
        "state": state,
        "curves": [(one, json.dumps([one.numbers, one.values]), json.dumps([one.metric])) for one in found],
        "judged": blocks([*evaluated({"": as_run(visit.connected.account, state)}), *drifts(visit.connected, state)]),
    }


def follows(visit: Visit) -> Mapping[str, str] | None:
    return {"execution": visit.path["execution"]}


PAGE = Page("/executions/{execution}/metrics", "Metrics", show, follows=follows)
