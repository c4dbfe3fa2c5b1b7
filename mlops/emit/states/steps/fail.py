"""The end of a machine; inside of a branch or a loop, of that."""

from __future__ import annotations

from mlops.emit.states.failures import noted
from mlops.emit.states.jsonata import braces, expression, obj
from mlops.emit.states.step_states import StepStates
from mlops.emit.states.work import Work
from mlops.ir.members import get


def _write(work: Work) -> str:
    step, scope = work.step, work.scope
    message = expression(get(step.arguments, "ErrorMessage") or "", work.words())
    if scope.inner:
        told = obj({"Error": "'Fail'", "Cause": message})
        work.put(step.name, {"Type": "Pass", "Output": noted("Failed", step.name, scope, told), "Next": scope.end})
    else:
        work.put(step.name, {"Type": "Fail", "Error": "Fail", "Cause": braces(f"$string({message})")})
    return work.first


STATES = StepStates("Fail", _write)
