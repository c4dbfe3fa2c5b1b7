"""A version of a model, and the group where there is none: pipelines make that."""

from __future__ import annotations

from typing import Any

from mlops.emit.states.calling import call_of, write_call
from mlops.emit.states.jsonata import DATA, braces
from mlops.emit.states.step_states import StepStates
from mlops.emit.states.work import Work
from mlops.ir.members import get

_GROUP = "ModelPackageGroupName"
_LONGEST_STATE = 80


def _write(work: Work) -> str:
    is_grouped = get(work.step.arguments, _GROUP) is not None
    call = call_of(work, is_named=not is_grouped)
    write_call(work, call)
    return _group(work, call.request[_GROUP]) if is_grouped else work.first


def _group(work: Work, group: Any) -> str:
    there, makes = f"{work.step.name}: group", f"{work.step.name}: makes the group"
    if len(makes) > _LONGEST_STATE:
        makes = f"{work.step.name}: makes group"
    work.put(
        there,
        {
            "Type": "Task",
            "Resource": work.resource("aws-sdk:sagemaker:describeModelPackageGroup"),
            "Arguments": {_GROUP: group},
            "Output": braces(DATA),
            "Catch": [{"ErrorEquals": ["States.ALL"], "Output": braces(DATA), "Next": makes}],
            "Next": work.first,
        },
    )
    work.put(
        makes,
        {
            "Type": "Task",
            "Resource": work.resource("aws-sdk:sagemaker:createModelPackageGroup"),
            "Arguments": {_GROUP: group},
            "Output": braces(DATA),
            **work.caught(),
            "Next": work.first,
        },
    )
    return there


STATES = StepStates("RegisterModel", _write)
