"""What a file declares beside its pipelines, checked by the rules for the steps of those types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache

from mlops.check import check
from mlops.check.own_step_types import StepTypesOf
from mlops.ir import Checked, Definition, Finding, Ref, StepType, Unknown, Value
from mlops.ir.resource import GROUPS, NAME, NAMED_BY
from mlops.ir.values import Expression, transform


def check_resources(
    definition: Definition, *, findings: Iterable[Finding] = (), wrong_arguments: frozenset[str | None] = frozenset()
) -> Checked:
    judged = replace(
        definition,
        steps=tuple(replace(step, arguments=transform(step.arguments, _unasked)) for step in definition.steps),
    )
    checked = check(judged, findings=findings, types=resource_steps(), wrong_arguments=wrong_arguments)
    return replace(checked, definition=definition)


def _unasked(expression: Expression) -> Value:
    """What the account says is none of a pipeline's expressions."""
    path = expression.path if isinstance(expression, Ref) else None
    return Unknown() if path is not None and path.root == GROUPS else expression


class _Resources(Mapping[str, StepType]):
    """The types of the steps that stand for resources, by their ``Type``."""

    def __init__(self) -> None:
        self._steps = StepTypesOf("mlops.declare.resources")

    def __getitem__(self, name: str) -> StepType:
        # A resource is no step: nothing is cached, retried or waited for.
        return replace(self._steps[name], envelope=frozenset({NAME, NAMED_BY}))

    def __iter__(self) -> Iterator[str]:
        return iter(self._steps)

    def __len__(self) -> int:
        return len(self._steps)


@cache
def resource_steps() -> Mapping[str, StepType]:
    return _Resources()
