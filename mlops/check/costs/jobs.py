"""Jobs: instances for as long as one runs."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.check.costs.asked import Asked
from mlops.check.costs.bounds import Bounds, one_of, unknown
from mlops.check.costs.instances import by_the_hour
from mlops.check.jobs import PROCESSING, TRAINING, TRANSFORM, TUNING, Job, Kind, Machine, defined, machine
from mlops.ir.members import get
from mlops.knowledge.prices import SPOT_LEAST

_DAY = 86_400
"""botocore: how long a job may run whose StoppingCondition says nothing."""
_USES = {TRAINING: "training", PROCESSING: "processing", TRANSFORM: "transform"}
_CHOSEN = "HyperParameterTuningResourceConfig"
"""In the place of a training's own, in a tuning job."""
_UNLIMITED = "a transform has no limit of time"


def job(asked: Asked, kind: Kind, found: Job) -> Bounds:
    """At least what is billed at any rate, at most what it may run for; between, what past executions took."""
    if kind is TUNING:
        return _tuning(asked, found)
    use = _USES.get(kind)
    machines = machine(kind, found) if use is not None else None
    if machines is None and isinstance(chosen := found.request.get(_CHOSEN), Mapping):
        machines = Machine(f"{found.at}/{_CHOSEN}", chosen, found.placed)
    if use is None or machines is None:
        return unknown("what such a job runs on is its own choice")
    if get(machines.settings, "TrainingPlanArn") is not None:
        return unknown("its capacity is a training plan's, which is paid for elsewhere")
    hourly = by_the_hour(asked, machines, use)
    if isinstance(hourly, str):
        return unknown(hourly)
    told: list[str] = []
    seconds = _limit(asked, kind, found)
    if seconds is None:
        told.append(_UNLIMITED if kind is TRANSFORM else "how long it may run is known at run time only")
    kept = asked.number(machines.settings.get("KeepAlivePeriodInSeconds"), 0)
    spot = found.request.get("EnableManagedSpotTraining")
    part = asked.prices.spot if spot else 1.0
    took = asked.seconds.get(found.placed.step.name)
    least = hourly * asked.prices.minimum_seconds / 3600 * (SPOT_LEAST if spot else 1)
    most = None if seconds is None or kept is None else hourly * (seconds + kept) / 3600
    expected = None if took is None or part is None else max(least, hourly * took / 3600 * part)
    return Bounds(least, expected, most, tuple(told))


def _limit(asked: Asked, kind: Kind, found: Job) -> int | None:
    if kind is TRANSFORM:
        return None
    return asked.number(get(found.request, "StoppingCondition", "MaxRuntimeInSeconds"), _DAY)


def _tuning(asked: Asked, found: Job) -> Bounds:
    """As many trainings as it may start, of whichever definition is dearer; one at least."""
    trainings = list(defined(found))
    most = asked.number(
        get(found.request, "HyperParameterTuningJobConfig", "ResourceLimits", "MaxNumberOfTrainingJobs")
    )
    if not trainings:
        return unknown("it defines no training")
    # A step's time is the whole tuning job's, of which trainings run side by side.
    alone = Asked(asked.subject, asked.prices, asked.region, {})
    one = one_of(job(alone, TRAINING, training) for training in trainings)
    if most is None:
        return Bounds(one.lower, None, None, (*one.unknown, "how many trainings it may start is not said"))
    return one.times(1, most)
