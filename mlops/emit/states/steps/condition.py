"""A Choice, whose two roads meet again."""

from __future__ import annotations

from typing import Any

from mlops.emit.states.jsonata import braces, condition
from mlops.emit.states.step_states import StepStates
from mlops.emit.states.work import Work
from mlops.ir.members import get

_BRANCHES = ("IfSteps", "ElseSteps")


def _write(work: Work) -> str:
    step, graph = work.step, work.shared.graph
    holds = condition(get(step.arguments, "Conditions"), work.words())
    around = work.shared.placed[step.name].branches
    yes, no = (graph.block((*around, (step.name, member)), work.then, work.scope) for member in _BRANCHES)
    rule: dict[str, Any] = {"Condition": braces(holds), "Next": yes}
    if work.wanted:
        rule["Output"] = work.recorded({"Outcome": "true"})
        otherwise = graph.fresh(f"{step.name}: is false")
        work.put(otherwise, {"Type": "Pass", "Output": work.recorded({"Outcome": "false"}), "Next": no})
        no = otherwise
    work.put(step.name, {"Type": "Choice", **work.comment(), "Choices": [rule], "Default": no})
    return work.first


STATES = StepStates("Condition", _write)
