"""A tuning job's request as what is to be done."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from math import isinf
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.ir.members import get
from mlops.knowledge.algorithm_images import built_in
from mlops.knowledge.tuning import MOST_JOBS
from mlops.run.log import compiled_metrics
from mlops.run.outcome import StepFailed
from mlops.run.tuning.space import Space, Values, space
from mlops.run.tuning.strategies import Search, Settings, search
from mlops.run.tuning.trial import Goal

_UNTOLD_JOBS = 20
_OF_THE_SEARCH = frozenset(
    {
        "DefinitionName",
        "TuningObjective",
        "HyperParameterRanges",
        "StaticHyperParameters",
        "HyperParameterTuningResourceConfig",
    }
)


@dataclass(frozen=True, slots=True)
class Definition:
    """What the jobs of one TrainingJobDefinition have in common. ``pattern`` finds the objective in their logs, None
    where nothing in the request says how."""

    request: Mapping[str, Any]
    goal: Goal
    space: Space
    search: Search
    pattern: re.Pattern[str] | None

    @property
    def name(self) -> str | None:
        return self.request.get("DefinitionName")


@dataclass(frozen=True, slots=True)
class Plan:
    """``jobs`` is how many are tried at most, ``seconds`` how long all together may take. ``told`` is for people."""

    config: Mapping[str, Any]
    definitions: tuple[Definition, ...]
    jobs: int
    parallel: int
    seconds: float | None
    stops_early: bool
    told: tuple[str, ...]

    @property
    def watches(self) -> bool:
        """Values of the objective matter while a job runs."""
        return self.stops_early or any(definition.search.watches for definition in self.definitions)


def plan(request: Mapping[str, Any], name: str) -> Plan:
    """``name`` is the tuning job's, which is the seed where none is given. Raises :class:`StepFailed`."""
    config = request.get("HyperParameterTuningJobConfig") or {}
    limits = config.get("ResourceLimits") or {}
    one, several = request.get("TrainingJobDefinition"), request.get("TrainingJobDefinitions") or ()
    listed = [one] if one else list(several)
    if not listed:
        raise StepFailed("the tuning job has no TrainingJobDefinition")
    total, told = limits.get("MaxNumberOfTrainingJobs"), list[str]()
    if total is None and get(request, "Autotune", "Mode") == "Enabled":
        total = _UNTOLD_JOBS
        told.append(f"Autotune: {total} training jobs are tried; the service may choose another number")
    strategy = str(config.get("Strategy"))
    most = int(total) if total is not None else MOST_JOBS.get(strategy, MOST_JOBS["Random"])
    seed = str(config.get("RandomSeed", name))
    definitions, sizes = list[Definition](), 0.0
    for number, item in enumerate(listed):
        found, notes = space(item.get("HyperParameterRanges") or config.get("ParameterRanges") or {})
        told += notes
        sizes += found.size
        settings = Settings(
            f"{seed}/{number}" if number else seed,
            most if total is not None else None,
            (config.get("StrategyConfig") or {}).get("HyperbandStrategyConfig") or {},
            item.get("StaticHyperParameters") or {},
        )
        goal = _goal(item.get("TuningObjective") or config.get("HyperParameterTuningJobObjective"))
        patterns = compiled_metrics(_metrics(item.get("AlgorithmSpecification") or {}))
        definitions.append(Definition(item, goal, found, search(strategy, found, settings), patterns.get(goal.metric)))
    if strategy == "Grid" and not isinf(sizes):
        most = min(int(sizes), MOST_JOBS["Grid"])
    runtime = limits.get("MaxRuntimeInSeconds")
    return Plan(
        config,
        tuple(definitions),
        most,
        max(1, int(limits.get("MaxParallelTrainingJobs") or 1)),
        None if runtime is None else float(runtime),
        config.get("TrainingJobEarlyStoppingType") == "Auto",
        tuple(told),
    )


def _metrics(algorithm: Mapping[str, Any]) -> Any:
    """An algorithm of Amazon's has its own."""
    found = built_in(str(algorithm.get("TrainingImage")))
    return algorithm.get("MetricDefinitions") or (found.algorithm.metric_definitions if found is not None else None)


def _goal(objective: Any) -> Goal:
    metric = get(objective, "MetricName")
    if not metric:
        raise StepFailed("the tuning job has no objective: give HyperParameterTuningJobObjective")
    return Goal(str(metric), get(objective, "Type") == "Maximize")


def job_request(definition: Definition, values: Values, tuning_arn: str) -> dict[str, Any]:
    """What CreateTrainingJob would be asked, and the ARN of the tuning job, which Describe tells."""
    given = definition.request
    kept = {member: value for member, value in given.items() if member not in _OF_THE_SEARCH}
    machines = given.get("HyperParameterTuningResourceConfig")
    if machines:
        kept["ResourceConfig"] = _first_machine(machines)
    tuned = {**(given.get("StaticHyperParameters") or {}), **values}
    # The service tells a job what it is tuned for; its toolkits hide it from scripts.
    kept["HyperParameters"] = {"_tuning_objective_metric": definition.goal.metric, **tuned}
    return {**kept, "TuningJobArn": tuning_arn}


def _first_machine(machines: Mapping[str, Any]) -> Mapping[str, Any]:
    """Here every machine is free."""
    listed: Sequence[Mapping[str, Any]] = machines.get("InstanceConfigs") or ()
    chosen = listed[0] if listed else machines
    return {
        member: chosen.get(member, machines.get(member))
        for member in ("InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId")
        if chosen.get(member, machines.get(member)) is not None
    }


def job_name(tuning: str, number: int) -> str:
    """As the service gives them: behind the name of the tuning job, a number and eight letters.

    >>> job_name("churn-1", 3)
    'churn-1-003-cec9f849'
    """
    return f"{tuning}-{number:03d}-{hashlib.sha256(f'{tuning}/{number}'.encode()).hexdigest()[:8]}"
