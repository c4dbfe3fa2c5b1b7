"""What looks at a shift of traffic, against the time that the stages of its strategy give it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mlops.check.members import entries
from mlops.check.tables import FINDINGS
from mlops.ir import Checked, Finding, Value
from mlops.ir.duration import said
from mlops.ir.members import get
from mlops.ir.shift import Stage


def alarms_that_come_too_late(
    stages: Sequence[Stage], alarms: Sequence[str], resources: Sequence[Checked]
) -> Iterator[Finding]:
    """Of the alarms that a promotion watches, those that are declared."""
    told = FINDINGS["A060"]
    shortest = min((stage.bake for stage in stages if stage.bake), default=None)
    for step in (step for checked in resources for step in checked.definition.steps if step.type == "Alarm"):
        name = get(step.arguments, "AlarmName")
        if name not in alarms or not isinstance(step.arguments, Mapping):
            continue
        needs = _seconds(step.arguments)
        if shortest is not None and needs is not None and needs > shortest:
            message = f"the alarm {name} needs {said(needs)} to go off, and a stage of the promotion ends after"
            message += f" {said(shortest)}"
            help_text = "let the stages last longer, or take a shorter period or fewer of them"
            yield Finding("A060", told.name, told.severity, message, help=help_text, step=step.name, where=step.where)
        if step.arguments.get("TreatMissingData") == "breaching":
            message = f"the alarm {name} takes periods without values for bad ones, and a version that has no traffic"
            message += " yet has none"
            help_text = 'write missing="notBreaching"; that nothing comes any more is for another alarm'
            yield Finding("A060", told.name, told.severity, message, help=help_text, step=step.name, where=step.where)


def _seconds(alarm: Mapping[str, Value]) -> int | None:
    """How long something has to be wrong until the alarm goes off."""
    periods = [alarm.get("Period"), *(item.get("Period") for _, item in entries(alarm, "Metrics"))]
    periods += [get(item, "MetricStat", "Period") for _, item in entries(alarm, "Metrics")]
    known = [value for value in periods if isinstance(value, int)]
    count = alarm.get("DatapointsToAlarm") or alarm.get("EvaluationPeriods")
    return max(known) * count if known and isinstance(count, int) else None
