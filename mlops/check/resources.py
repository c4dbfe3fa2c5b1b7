"""What a file declares beside its pipelines, checked by the rules for the steps of those types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from mlops.check import check, step_types
from mlops.ir import Checked, Definition, Finding, Ref, StepType, Unknown, Value
from mlops.ir.resource import GROUPS, NAME
from mlops.ir.values import Expression, transform

KINDS = ("Model", "EndpointConfig", "Endpoint")


def check_resources(
    definition: Definition, *, findings: Iterable[Finding] = (), wrong_arguments: frozenset[str | None] = frozenset()
) -> Checked:
    judged = replace(
        definition,
        steps=tuple(replace(step, arguments=transform(step.arguments, _unasked)) for step in definition.steps),
    )
    checked = check(judged, findings=findings, types=_types(), wrong_arguments=wrong_arguments)
    return replace(checked, definition=definition)


def _unasked(expression: Expression) -> Value:
    """What the account says is none of a pipeline's expressions."""
    path = expression.path if isinstance(expression, Ref) else None
    return Unknown() if path is not None and path.root == GROUPS else expression


def _types() -> Mapping[str, StepType]:
    known = step_types()
    # A resource is no step: nothing is cached, retried or waited for.
    return {kind: replace(known[kind], envelope=frozenset({NAME})) for kind in KINDS}
