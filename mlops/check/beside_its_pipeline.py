"""Feedback that a file declares: in another account than the local one, whose process runs it, it belongs to the
pipeline that it starts, and is planned, made and removed with that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mlops.check.ports import Lowered
from mlops.ir import Definition, Finding, Ref, Severity, Step, Unknown, Value
from mlops.ir.resource import NAME
from mlops.ir.values import Expression, expressions, transform

if TYPE_CHECKING:
    from mlops.project.environments import Environment

FEEDBACK = "Feedback"


def with_feedback(lowered: Sequence[Lowered], environment: Environment) -> Sequence[Lowered]:
    """What one file declares, its feedback with the pipelines of the file; a finding for what starts none of them."""
    beside = next((item for item in lowered if item.definition.of_resources), None)
    if environment.is_local or beside is None:
        return lowered
    found = [_named(step, beside.definition) for step in beside.definition.steps if step.type == FEEDBACK]
    if not found:
        return lowered
    pipelines = [item for item in lowered if not item.definition.of_resources]
    names = {item.definition.name for item in pipelines}
    judged = [(step, _wrong(step, names, environment.name)) for step in found]
    sound = [step for step, finding in judged if finding is None]
    others = (step for step in beside.definition.steps if step.type != FEEDBACK)
    left = (*others, *(step for step, finding in judged if finding is not None))
    told = (*beside.findings, *(finding for _, finding in judged if finding is not None))
    made = [
        Lowered(replace(item.definition, feedback=tuple(_of(item.definition, sound))), item.findings)
        for item in pipelines
    ]
    if left:
        return [*made, Lowered(replace(beside.definition, steps=left), told)]
    # Nothing else is declared there: what was found in it is told with its pipelines.
    return [Lowered(made[0].definition, (*made[0].findings, *told)), *made[1:]]


def _of(definition: Definition, feedback: Sequence[Step]) -> Iterator[Step]:
    return (step for step in feedback if _starts(step) == definition.name)


def _starts(step: Step) -> Value:
    return step.arguments.get("pipeline") if isinstance(step.arguments, Mapping) else None


def _named(step: Step, declared: Definition) -> Step:
    """What it watches, by the names that the account has for it too."""
    names = {other.name: other.members[NAME] for other in declared.steps}

    def known(expression: Expression) -> Value:
        path = expression.path if isinstance(expression, Ref) else None
        if path is None or path.root != "Steps" or str(path.segments[-1]).lower().endswith("arn"):
            return expression
        return names.get(path.name, expression)

    return replace(step, arguments=transform(step.arguments, known))


def _wrong(step: Step, pipelines: set[str | None], environment: str) -> Finding | None:
    name, starts = step.members[NAME], _starts(step)
    if any(not isinstance(found, Unknown) for _, found in expressions(step.arguments)):
        message = f"the feedback {name} names what only an execution knows"
        help = "give a name, or an attribute of a resource of this file"
    elif starts is None:
        message = f"the feedback {name} starts no pipeline, and in {environment} nobody does the rest"
        help = "an alarm's actions tell people, and `alarms` of promote take a shift back; or give pipeline="
    elif starts not in pipelines:
        message = f"the feedback {name} starts {starts}, which this file does not declare"
        help = f"in {environment} it is made with its pipeline: declare both in one file, or it in mlops.toml"
    else:
        return None
    from mlops.declare.mistakes import MISTAKES

    return Finding("D042", MISTAKES["D042"].name, Severity.ERROR, message, help=help, step=step.name, where=step.where)
