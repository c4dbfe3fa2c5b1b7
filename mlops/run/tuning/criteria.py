"""When a search is over before all its jobs have run: TuningJobCompletionCriteria and what never gets anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlops.ir.members import get
from mlops.run.tuning.trial import Goal, Trial

_FRUITLESS = 5
"""Jobs without a result after which the service gives up, in its own words (below)."""
_CONVERGED_JOBS, _LEAST_JOBS, _WORTH_IT = 10, 20, 0.001


def not_improving(trials: Sequence[Trial]) -> int:
    """How many jobs have ended since the best one."""
    ended = [trial for trial in trials if not trial.runs and trial.number > 0]
    best = min((trial for trial in ended if trial.cost is not None), key=_cost, default=None)
    return 0 if best is None else len(ended) - 1 - ended.index(best)


def reached(config: Mapping[str, Any], trials: Sequence[Trial], goals: Sequence[Goal]) -> str | None:
    """Why it is complete; None where it goes on. ``trials`` are in the order of their ends, ``goals`` those of the
    definitions by position."""
    criteria = config.get("TuningJobCompletionCriteria") or {}
    ended = [trial for trial in trials if not trial.runs and trial.number > 0]
    target = criteria.get("TargetObjectiveMetricValue")
    if target is not None and any(
        trial.cost is not None and trial.cost <= goals[trial.definition].cost(float(target)) for trial in ended
    ):
        return f"the objective has reached {target}"
    patience = get(criteria, "BestObjectiveNotImproving", "MaxNumberOfTrainingJobsNotImproving")
    if isinstance(patience, int) and not_improving(ended) >= patience:
        return f"{patience} jobs have not found anything better"
    if get(criteria, "ConvergenceDetected", "CompleteOnConvergence") == "Enabled" and _has_converged(ended):
        return f"it has converged: the last {_CONVERGED_JOBS} jobs have improved nothing worth it"
    return None


def fruitless(trials: Sequence[Trial], *, at_the_end: bool) -> str | None:
    """Why the search has failed, in the service's words."""
    ended = [trial for trial in trials if not trial.runs and trial.number > 0]
    if any(trial.cost is not None for trial in ended) or not (at_the_end or len(ended) >= _FRUITLESS):
        return None
    completed = [trial for trial in ended if trial.status == "Completed"]
    if not completed:
        reasons = [str(trial.told["FailureReason"]) for trial in ended if trial.told.get("FailureReason")]
        told = f" The last one: {reasons[-1]}" if reasons else ""
        return (
            f"No training job succeeded after {len(ended)} attempts. Please take a look at the training job failures "
            f"to get more details.{told}"
        )
    if not at_the_end and len(completed) < _FRUITLESS:
        return None
    return (
        f"No objective metrics found after running {len(ended)} training jobs. Please ensure that the custom algorithm "
        "is emitting the objective metric as defined by the regular expression provided."
    )


def _has_converged(ended: Sequence[Trial]) -> bool:
    """When the service sees convergence is not documented."""
    costs = [trial.cost for trial in ended if trial.cost is not None]
    if len(costs) < _LEAST_JOBS:
        return False
    before, after = min(costs[:-_CONVERGED_JOBS]), min(costs)
    return before - after <= _WORTH_IT * max(abs(before), 1e-12)


def _cost(trial: Trial) -> tuple[float, int]:
    return (trial.cost if trial.cost is not None else float("inf"), trial.number)
