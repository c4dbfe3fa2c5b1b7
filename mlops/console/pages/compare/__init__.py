"""Two to twenty executions side by side: of what went in and came out, that which differs."""

from __future__ import annotations

import json

from mlops.console.page import NotThere, Page, Shown, Visit

_TOPICS = {"execution": "Execution", "parameter": "Parameters", "step": "Steps", "metric": "Metrics"}


def show(visit: Visit) -> Shown:
    from mlops.console.drawings import blocks, embedded
    from mlops.deploy.executions.diff import diff
    from mlops.use_cases.comparing import MOST, compared
    from mlops.use_cases.looking import execution

    query = visit.query
    arns = [execution(visit.connected, id).arn for id in query.all("e")[: MOST + 1]]
    if len(arns) == 1 and query.one("beside") == "succeeded":
        arns.insert(0, _succeeded_before(visit, arns[0]))
    found = compared(visit.connected, arns)
    everything = query.one("all") == "1"
    two = [state.arn for state in found.states]
    details = diff(visit.connected.account, two[0], two[1]).differences if len(two) == 2 else None
    rows = [
        (topic, [row for row in found.rows if row.topic == key and (everything or row.differs)])
        for key, topic in _TOPICS.items()
    ]
    return {
        "title": f"{len(found.states)} executions side by side",
        "states": found.states,
        "sections": [(topic, listed) for topic, listed in rows if listed],
        "everything": everything,
        "turned": query.but(all=None if everything else "1"),
        "details": details,
        "curves": [
            (one.name, json.dumps([one.numbers, *one.values.values()]), json.dumps([*one.values]))
            for one in found.curves
        ],
        "parallel": embedded(found.parallel) if found.parallel is not None else None,
        "judged": blocks(found.evaluation),
    }


def _succeeded_before(visit: Visit, arn: str) -> str:
    from mlops.use_cases.browse import succeeded_before
    from mlops.use_cases.looking import execution

    state = execution(visit.connected, arn).state
    found = succeeded_before(visit.connected, state)
    if found is None:
        raise NotThere(f"no execution of {state.pipeline} has succeeded before {state.id}")
    return found.arn


PAGE = Page("/compare", "Compare", show)
