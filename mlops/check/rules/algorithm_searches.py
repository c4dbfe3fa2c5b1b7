"""Built-in algorithms: what a search may vary and look for."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.check.algorithm_trainings import SOURCE, AlgorithmTraining, deciding, is_number, trainings
from mlops.check.jobs import RANGES, Job, SearchedRange
from mlops.check.members import entries
from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity
from mlops.ir.members import get
from mlops.ir.values import pointer


@rule("X857", "algorithm-tuning", Severity.ERROR, source=f"{SOURCE}; sdk#2226, sagemaker-xgboost-container#113")
def algorithm_tuning(subject: Subject) -> Iterator[Fault]:
    """A tuning job searches for what the built-in algorithm does not let be tuned, by a range of another kind or at
    values that it refuses, or for the best of a metric that the algorithm does not tell, or tells of a channel that is
    not there or with other hyperparameters alone, or in the wrong direction.

    Bad:  "MetricName": "validation:rsme" for XGBoost
    Good: "MetricName": "validation:rmse"
    """
    for found in trainings(subject):
        if found.tuning is None:
            continue
        tunable, placed = found.algorithm.tunable, found.job.placed
        for searched in found.ranges if tunable else ():
            at, kind, name, _ = searched
            wanted = tunable.get(name)
            if wanted is None:
                help_text = did_you_mean(name, tunable) or f"it lets tune {', '.join(tunable)}"
                yield Fault(f"{at}/Name", f"{found.name} does not let {name!r} be tuned", help_text, placed)
            elif kind in RANGES and not kind.startswith(wanted):
                message = f"{name} of {found.name} is searched in {wanted}ParameterRanges"
                yield Fault(f"{at}/Name", message, f"move it from {kind}", placed)
            else:
                yield from _refused(found, searched)
        yield from _objective(found, found.tuning, placed)


def _refused(found: AlgorithmTraining, searched: SearchedRange) -> Iterator[Fault]:
    """Bounds and values of a range that the algorithm refuses when the search comes to them."""
    at, _, name, item = searched
    kind, values = found.algorithm.hyperparameters[name], item.get("Values")
    given = [(f"{at}/{member}", item.get(member)) for member in ("MinValue", "MaxValue")]
    given += [
        (f"{at}/Values/{index}", value) for index, value in enumerate(values if isinstance(values, tuple) else ())
    ]
    for where, value in given:
        if (
            isinstance(value, str)
            and is_number(value) == (kind.kind in ("integer", "number"))
            and not kind.takes(value)
        ):
            message = f"{name} is searched at {shown(value)}, {kind.wanted} is wanted"
            yield Fault(where, message, None, found.job.placed)


def _objective(found: AlgorithmTraining, tuning: Job, placed: Placed) -> Iterator[Fault]:
    metrics = found.algorithm.metrics
    shared = ("HyperParameterTuningJobConfig", "HyperParameterTuningJobObjective")
    own = f"{found.job.at}/TuningObjective", found.job.request.get("TuningObjective")
    at, objective = own if own[1] is not None else (tuning.at + pointer(*shared), get(tuning.request, *shared))
    metric, direction = get(objective, "MetricName"), get(objective, "Type")
    if not metrics or not isinstance(metric, str):
        return
    if metric not in metrics:
        help_text = did_you_mean(metric, metrics) or f"e.g. {next(iter(metrics))}"
        yield Fault(f"{at}/MetricName", f"{found.name} tells of no metric {metric!r}", help_text, placed)
        return
    if isinstance(direction, str) and direction != metrics[metric]:
        message = f"the best {metric} is the other way round than {direction}"
        yield Fault(f"{at}/Type", message, f"write {metrics[metric]}", placed)
    for condition in found.algorithm.told_if if metric in metrics else ():
        plain = deciding(found, condition) if metric in condition.names else None
        if plain is not None and not condition.holds(plain):
            wanted = " and ".join(f"{name} {' or '.join(some)}" for name, some in condition.when.items())
            others = [name for one in found.algorithm.told_if if one.holds(plain) for name in one.names]
            way_on = f"e.g. {others[0]}" if others else "take one of its other metrics"
            yield Fault(f"{at}/MetricName", f"{found.name} tells {metric} only with {wanted}", way_on, placed)
            return
    channel = metric.partition(":")[0]
    listed = [item.get("ChannelName") for _, item in entries(found.job.request, "InputDataConfig")]
    is_told = channel in listed or channel not in found.algorithm.channels or "_kfold" in found.given
    if not is_told and listed and all(isinstance(name, str) for name in listed):
        message = f"{found.name} tells {metric} of a channel {channel!r} alone, and there is none"
        yield Fault(f"{at}/MetricName", message, f"add the channel to {found.job.at}/InputDataConfig", placed)
