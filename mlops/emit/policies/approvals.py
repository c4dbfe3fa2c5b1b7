"""What the role of a rule for approvals needs: to start the promotion."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.emit.policies.statements import Need
from mlops.ir import Step
from mlops.ir.members import get
from mlops.ir.surroundings import Surroundings

_ACTIONS = {
    ":states:": "states:StartExecution",
    ":codepipeline:": "codepipeline:StartPipelineExecution",
    ":api-destination/": "events:InvokeApiDestination",
}


def starts_promotions(step: Step, role: str) -> bool:
    """Whether EventBridge takes ``role`` on for it."""
    return step.type == "Approval" and get(step.arguments, "RoleArn") == role


def approval_needs(step: Step, around: Surroundings) -> Iterator[Need]:
    started = get(step.arguments, "Starts")
    if not starts_promotions(step, around.role) or not isinstance(started, str):
        return
    for part, action in _ACTIONS.items():
        if part in started:
            # An API destination has a number behind its name.
            place = f"{started}/*" if part == ":api-destination/" and started.count("/") == 1 else started
            yield Need("StartPromotions", (action,), (place,), step.name)
