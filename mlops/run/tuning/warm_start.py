"""What earlier tuning jobs of the account have found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops.ir.members import get
from mlops.run.outcome import StepFailed
from mlops.run.ports import Registry
from mlops.run.tuning.space import Space, Values
from mlops.run.tuning.trial import Goal, Trial, ranked

_PAGE = 100
_FIRSTS = 3


def earlier(config: Mapping[str, Any], goals: Sequence[Goal], registry: Registry) -> list[Trial]:
    """Of all parents in WarmStartConfig, with numbers below 1. Raises :class:`StepFailed` where one still runs, and
    RequestRefused where it is not there."""
    found: list[Trial] = []
    for parent in config.get("ParentHyperParameterTuningJobs") or ():
        name = str(parent.get("HyperParameterTuningJobName"))
        told = registry.describe("DescribeHyperParameterTuningJob", {"HyperParameterTuningJobName": name})
        if told["HyperParameterTuningJobStatus"] in ("InProgress", "Stopping"):
            raise StepFailed(f"the parent tuning job {name} still runs")
        goal = _goal_of(told) or goals[0]
        for summary in _summaries(registry, name):
            values = summary.get("TunedHyperParameters") or {}
            trial = Trial(-len(found), 0, values, status=str(summary["TrainingJobStatus"]), told=summary)
            reached = (summary.get("FinalHyperParameterTuningJobObjectiveMetric") or {}).get("Value")
            trial.cost = None if reached is None else goal.cost(float(reached))
            found.append(trial)
    return found


def firsts(trials: Sequence[Trial], space: Space) -> list[Values]:
    """The best of them, as far as they are of ``space``: its ranges may be others than theirs."""
    fitting = [trial.values for trial in ranked(trials) if space.holds(trial.values)]
    return [{dimension.name: values[dimension.name] for dimension in space.dimensions} for values in fitting[:_FIRSTS]]


def _goal_of(told: Mapping[str, Any]) -> Goal | None:
    objective = get(told, "HyperParameterTuningJobConfig", "HyperParameterTuningJobObjective") or get(
        told, "TrainingJobDefinition", "TuningObjective"
    )
    metric = get(objective, "MetricName")
    return Goal(str(metric), get(objective, "Type") == "Maximize") if metric else None


def _summaries(registry: Registry, name: str) -> Iterator[Mapping[str, Any]]:
    request: dict[str, Any] = {"HyperParameterTuningJobName": name, "MaxResults": _PAGE}
    while True:
        page = registry.describe("ListTrainingJobsForHyperParameterTuningJob", request)
        yield from page["TrainingJobSummaries"]
        if not page.get("NextToken"):
            return
        request["NextToken"] = page["NextToken"]
