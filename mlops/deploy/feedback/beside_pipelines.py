"""Feedback that Python declares beside its pipeline, in another account than the local one: the same table as
``[env.NAME.feedback.X]``, so that all that follows asks one place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from mlops.ir import ConfigurationError, Definition, Step
from mlops.ir.resource import NAME
from mlops.ir.values import to_json
from mlops.project.environments import Environment

if TYPE_CHECKING:
    from mlops.project.feedback import Feedback

_OF_THE_RULE = ("feedback", "environment", "Tags")


def with_declared(environment: Environment, definitions: Iterable[Definition]) -> Environment:
    """With what is declared beside ``definitions``. Raises ConfigurationError where two declare one name."""
    steps = [step for definition in definitions for step in definition.feedback]
    if environment.is_local or not steps:
        return environment
    found: dict[str, Feedback] = dict(environment.feedback)
    twice: list[str] = []
    for step in steps:
        name, item = str(step.members[NAME]), _table(step)
        if name in found:
            twice.append(f"{item.said(environment.name, name)} and {found[name].said(environment.name, name)}")
        found[name] = item
    if twice:
        raise ConfigurationError("feedback is declared twice:\n" + "\n".join(twice), hint="keep one of a name")
    return replace(environment, feedback=found)


def _table(step: Step) -> Feedback:
    from mlops.project.feedback import Feedback  # it needs pydantic, and few declare any

    told = dict(to_json(step.arguments))
    for member in _OF_THE_RULE:
        told.pop(member, None)
    return Feedback.model_validate(told).at(f"{step.where.file}:{step.where.line}")
