"""An endpoint: one of its name may be there; then that is updated, as in a pipeline."""

from __future__ import annotations

from mlops.emit.states.calling import call_of, write_call
from mlops.emit.states.jsonata import DATA, braces
from mlops.emit.states.step_states import StepStates
from mlops.emit.states.work import Work
from mlops.ir.members import get

_NAME = "EndpointName"


def _write(work: Work) -> str:
    call = call_of(work)
    write_call(work, call)
    if get(work.step.arguments, _NAME) is None:
        return work.first
    there, updates = f"{work.step.name}: is it there", f"{work.step.name}: updates"
    work.put(
        there,
        {
            "Type": "Task",
            "Resource": work.resource("aws-sdk:sagemaker:describeEndpoint"),
            "Arguments": {_NAME: call.request[_NAME]},
            "Output": braces(DATA),
            "Catch": [{"ErrorEquals": ["States.ALL"], "Output": braces(DATA), "Next": work.first}],
            "Next": updates,
        },
    )
    changed = {key: value for key, value in call.request.items() if key != "Tags"}
    resource = work.resource("aws-sdk:sagemaker:updateEndpoint")
    work.put(updates, {**work.scope.states[work.step.name], "Resource": resource, "Arguments": changed})
    return there


STATES = StepStates("Endpoint", _write)
