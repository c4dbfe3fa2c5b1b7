"""A step on a cluster that is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.emit.policies.statements import Need
from mlops.emit.states.calling import as_text
from mlops.emit.states.jsonata import Unspelled, expression, spelled
from mlops.emit.states.step_states import StepStates
from mlops.emit.states.watching import watching
from mlops.emit.states.work import Work
from mlops.ir import Step
from mlops.ir.members import get
from mlops.ir.surroundings import Surroundings

_RULE = "StepFunctionsGetEventForEMRAddJobFlowStepsRule"


def _write(work: Work) -> str:
    step, words = work.step, work.words()
    if work.wanted - {"ClusterId"}:
        raise Unspelled("of an EMR step a machine hands on the ClusterId alone")
    arguments = step.arguments if isinstance(step.arguments, Mapping) else {}
    if arguments.get("ClusterConfig") is not None:
        raise Unspelled("it makes a cluster of its own; name one that is there by its id")
    cluster = expression(arguments.get("ClusterId"), words)
    jar = spelled(get(step.arguments, "StepConfig", "HadoopJarStep"), words)
    request: dict[str, Any] = {
        "ClusterId": as_text(cluster),
        "Step": {"Name": step.name, "ActionOnFailure": "CONTINUE", "HadoopJarStep": jar},
    }
    if arguments.get("ExecutionRoleArn") is not None:
        request["ExecutionRoleArn"] = spelled(arguments["ExecutionRoleArn"], words)
    work.put(
        step.name,
        {
            "Type": "Task",
            **work.comment(),
            "Resource": work.resource("elasticmapreduce:addStep.sync"),
            "Arguments": request,
            "Output": work.recorded({"ClusterId": cluster}),
            **work.failing(),
            "Next": work.then,
        },
    )
    return work.first


def _needs(step: Step, around: Surroundings, looked: frozenset[str]) -> Iterator[Need]:
    yield watching(_RULE, step.name, around)


STATES = StepStates("EMR", _write, _needs)
