"""Tuning by its meaning: the size of what is searched, what a strategy and an image want, and limits of the service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil, floor, isfinite, prod

from mlops.check.expressions import literal
from mlops.check.images import parse
from mlops.check.jobs import NUMBER_RANGES, SEARCHED, TRAINING, TUNING, Job, defined
from mlops.check.members import entries
from mlops.check.metric_words import better
from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Severity, Value
from mlops.ir.members import get
from mlops.knowledge.algorithm_images import ALGORITHM_ACCOUNTS
from mlops.knowledge.framework_images import needs_script
from mlops.knowledge.tuning import EPOCHS, MOST_JOBS

_CONFIG = "HyperParameterTuningJobConfig"
_MOST_RANGES, _MOST_HYPERPARAMETERS, _MOST_RESOURCE = 30, 100, 20_000


def _integer(value: Value) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _ranges(tuning: Job, job: Job) -> Value:
    """Those that are searched for one of the training jobs: its own, or those for all."""
    own = job.request.get("HyperParameterRanges")
    return own if own is not None else get(tuning.request, _CONFIG, "ParameterRanges")


def _named(ranges: Value) -> list[tuple[str, Mapping[str, Value]]]:
    return [(kind, item) for kind in SEARCHED for _, item in entries(ranges, kind)]


def combinations(tuning: Job) -> float | None:
    """How many there are to try; infinite where a range is continuous, None where it is not known."""
    counts = [_combinations(_ranges(tuning, job)) for job in defined(tuning)]
    known = [count for count in counts if count is not None]
    return sum(known) if known and len(known) == len(counts) else None


def _combinations(ranges: Value) -> float | None:
    listed = _named(ranges)
    counts = [_values(kind, item) for kind, item in listed]
    known = [count for count in counts if count is not None]
    return prod(known) if known and len(known) == len(counts) else None


def _values(kind: str, item: Mapping[str, Value]) -> float | None:
    if kind == "AutoParameters":
        return None
    if kind == "CategoricalParameterRanges":
        values = item.get("Values")
        texts = [value for value in values if isinstance(value, str)] if isinstance(values, tuple) else []
        return len(set(texts)) if isinstance(values, tuple) and texts and len(texts) == len(values) else None
    low, high = (_number(item.get(name)) for name in ("MinValue", "MaxValue"))
    if low is None or high is None or low > high:
        return None
    if kind == "IntegerParameterRanges":
        return floor(high) - ceil(low) + 1
    return 1 if low == high else float("inf")


def _number(value: Value) -> float | None:
    try:
        number = float(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return number if number is not None and isfinite(number) else None


@rule(
    "X980",
    "too-few-combinations",
    Severity.ERROR,
    source="'The total number of hyperparameter combinations ... must be equal or greater than the value of "
    "MaxNumberOfJobs' (aws/amazon-sagemaker-operator-for-k8s#123)",
)
def too_few_combinations(subject: Subject) -> Iterator[Fault]:
    """A tuning job is to train more jobs than its ranges have combinations: only categories and integers, and few.

    Bad:  "MaxNumberOfTrainingJobs": 10 with one integer from 1 to 3
    Good: "MaxNumberOfTrainingJobs": 3 with one integer from 1 to 3
    """
    for tuning in subject.jobs[TUNING]:
        total = _integer(literal(subject, get(tuning.request, _CONFIG, "ResourceLimits", "MaxNumberOfTrainingJobs")))
        there = combinations(tuning)
        # Of a grid X772 speaks.
        if total is not None and there is not None and total > there and _strategy(subject, tuning) != "Grid":
            at = f"{tuning.at}/{_CONFIG}/ResourceLimits/MaxNumberOfTrainingJobs"
            message = f"{total} training jobs, and the ranges have {there:g} combination{'s' if there != 1 else ''}"
            yield Fault(at, message, f"lower it to {there:g}, or widen a range", tuning.placed)


def _strategy(subject: Subject, tuning: Job) -> Value:
    return literal(subject, get(tuning.request, _CONFIG, "Strategy"))


@rule(
    "X981",
    "search-over-limits",
    Severity.ERROR,
    source="ParameterRanges API: 30 in all; AWS docs: automatic-model-tuning-limits, -define-ranges",
)
def search_over_limits(subject: Subject) -> Iterator[Fault]:
    """More than 30 hyperparameters are searched, or more than 100 are tuned and static together; or (a warning) more
    training jobs or more of them at a time than an account can have.

    Bad:  20 integer and 11 categorical ranges
    Good: 20 integer and 10 categorical ranges
    """
    for tuning in subject.jobs[TUNING]:
        here = f"{tuning.at}/{_CONFIG}"
        for at, job, placed in defined(tuning):
            own = job.get("HyperParameterRanges") is not None
            where = f"{at}/HyperParameterRanges" if own else f"{here}/ParameterRanges"
            found = [kind for kind, _ in _named(_ranges(tuning, Job(at, job, placed))) if kind != "AutoParameters"]
            static = job.get("StaticHyperParameters")
            if len(found) > _MOST_RANGES:
                message = f"{len(found)} hyperparameters are searched, {_MOST_RANGES} can be"
                yield Fault(where, message, "search fewer", placed)
            elif isinstance(static, Mapping) and len(found) + len(static) > _MOST_HYPERPARAMETERS:
                message = (
                    f"{len(found)} tuned and {len(static)} static hyperparameters are more than {_MOST_HYPERPARAMETERS}"
                )
                yield Fault(f"{at}/StaticHyperParameters", message, "leave some out", placed)
        limits = get(tuning.request, _CONFIG, "ResourceLimits")
        strategy, there = _strategy(subject, tuning), combinations(tuning)
        most = MOST_JOBS.get(strategy) if isinstance(strategy, str) else None
        total = _integer(literal(subject, get(limits, "MaxNumberOfTrainingJobs")))
        if most is not None and total is not None and total > most:
            message = f"{shown(total)} training jobs, {strategy} has {most} at most"
            at = f"{here}/ResourceLimits/MaxNumberOfTrainingJobs"
            yield Fault(at, message, f"at most {most}", tuning.placed, severity=Severity.WARNING)
        elif most is not None and strategy == "Grid" and there is not None and isfinite(there) and there > most:
            message = f"the grid has {there:g} combinations, and {most} can be tried"
            yield Fault(f"{here}/ParameterRanges", message, "use fewer", tuning.placed, severity=Severity.WARNING)
        parallel = _integer(literal(subject, get(limits, "MaxParallelTrainingJobs")))
        if parallel is not None and parallel > 100:
            at = f"{here}/ResourceLimits/MaxParallelTrainingJobs"
            message = f"{shown(parallel)} training jobs at a time, 100 can be had"
            yield Fault(
                at, message, "at most 100, 10 unless more were asked for", tuning.placed, severity=Severity.WARNING
            )


@rule(
    "X982",
    "strategy-lacks",
    Severity.ERROR,
    source="'MaxResource parameter is not provided and could not be inferred' (awslabs/graphstorm#1243); "
    "HyperbandStrategyConfig API; AWS docs: automatic-model-tuning-how-it-works",
)
def strategy_lacks(subject: Subject) -> Iterator[Fault]:
    """Hyperband without MaxResource, and no static hyperparameter tells the epochs; more than 20,000 of them; or a grid
    over a training job's own ranges that are no categories.

    Bad:  "Strategy": "Hyperband" without StrategyConfig
    Good: "StrategyConfig": {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 27}}
    """
    for tuning in subject.jobs[TUNING]:
        strategy, jobs = _strategy(subject, tuning), list(defined(tuning))
        most = get(tuning.request, _CONFIG, "StrategyConfig", "HyperbandStrategyConfig", "MaxResource")
        at = f"{tuning.at}/{_CONFIG}/StrategyConfig/HyperbandStrategyConfig/MaxResource"
        if strategy == "Hyperband" and most is None:
            groups = [job.request.get("StaticHyperParameters") for job in jobs]
            if any(item is None or (isinstance(item, Mapping) and not item.keys() & set(EPOCHS)) for item in groups):
                message = "Hyperband without MaxResource, and no static hyperparameter tells the epochs"
                yield Fault(at, message, f"add it, or one of {', '.join(EPOCHS)}", tuning.placed)
        resource = _integer(literal(subject, most))
        if resource is not None and resource > _MOST_RESOURCE:
            message = f"MaxResource is {shown(resource)}, {_MOST_RESOURCE} is the most"
            yield Fault(at, message, "lower it", tuning.placed)
        for start, job, placed in jobs:
            for kind in NUMBER_RANGES:
                if strategy == "Grid" and get(job, "HyperParameterRanges", kind):
                    where = f"{start}/HyperParameterRanges/{kind}"
                    yield Fault(where, "a grid search takes categories only", "list the values to try", placed)


@rule(
    "X983",
    "metrics-of-another",
    Severity.ERROR,
    source="'You can't override the metric definitions for Amazon SageMaker algorithms' (xgboost-container#121)"
    "; 'A metric is required for this hyperparameter tuning job objective' (ex#1207, sdk#3932); sdk#1031",
)
def metrics_of_another(subject: Subject) -> Iterator[Fault]:
    """A tuning job defines metrics for one of Amazon's algorithms, which has its own, in script mode too; or none for a
    framework image, which has none. A training job that defines some for an algorithm is a warning.

    Bad:  MetricDefinitions with XGBoost's image
    Good: the objective "validation:rmse" and no MetricDefinitions
    """
    for tuning in subject.jobs[TUNING]:
        for at, job, placed in defined(tuning):
            algorithm = job.get("AlgorithmSpecification")
            image, listed = literal(subject, get(algorithm, "TrainingImage")), get(algorithm, "MetricDefinitions")
            where = f"{at}/AlgorithmSpecification/MetricDefinitions"
            if isinstance(image, str) and listed and _is_algorithm(image):
                message = "the algorithm has metrics of its own, and takes no MetricDefinitions"
                yield Fault(where, message, "remove them", placed)
            elif isinstance(image, str) and not listed and needs_script(image):
                message = "a framework image has no metrics of its own, and nothing finds the one that is tuned for"
                yield Fault(where, message, "add its Name and a Regex for the script's log", placed)
    for at, job, placed in subject.jobs[TRAINING]:
        algorithm, listed = job.get("AlgorithmSpecification"), get(job, "AlgorithmSpecification", "MetricDefinitions")
        image = literal(subject, get(algorithm, "TrainingImage")) if listed else None
        runs_script = get(job, "HyperParameters", "sagemaker_program") or get(job, "Environment", "SAGEMAKER_PROGRAM")
        own_command = get(algorithm, "ContainerEntrypoint")
        if placed.step.type == "Tuning" or runs_script or own_command or not isinstance(image, str):
            continue
        if _is_algorithm(image):
            where = f"{at}/AlgorithmSpecification/MetricDefinitions"
            message = "the algorithm has metrics of its own, and these take their place"
            yield Fault(where, message, "remove them", placed, severity=Severity.WARNING)


def _is_algorithm(image: str) -> bool:
    from mlops.knowledge.algorithms import algorithm

    known = parse(image)
    return known is not None and known.account in ALGORITHM_ACCOUNTS and algorithm(known.repository) is not None


@rule(
    "X984",
    "tuned-by-other-names",
    Severity.WARNING,
    source="XGBoost in script mode tunes the algorithm's hyperparameters and metrics only (sdk#2226)",
)
def tuned_by_other_names(subject: Subject) -> Iterator[Fault]:
    """An algorithm's image that runs a script of one's own is tuned by a hyperparameter or for a metric that the
    algorithm does not have: the service knows the image, not the script.

    Bad:  "Name": "feature_xform" with XGBoost's image and a script
    Good: "Name": "eta"
    """
    for tuning in subject.jobs[TUNING]:
        for start, job, placed in defined(tuning):
            image = literal(subject, get(job, "AlgorithmSpecification", "TrainingImage"))
            if not isinstance(image, str) or not _is_algorithm(image):
                continue
            # Without a script X857 speaks of it.
            if get(job, "StaticHyperParameters", "sagemaker_program") is None:
                continue
            from mlops.knowledge.algorithms import algorithm

            known = parse(image)
            found = algorithm(known.repository) if known is not None else None
            if found is None:
                continue
            own = job.get("HyperParameterRanges") is not None
            where = f"{start}/HyperParameterRanges" if own else f"{tuning.at}/{_CONFIG}/ParameterRanges"
            ranges = _ranges(tuning, Job(start, job, placed))
            for kind in SEARCHED:
                for at, item in entries(ranges, kind):
                    name = item.get("Name")
                    if isinstance(name, str) and found.tunable and name not in found.tunable:
                        message = f"{found.title}'s image does not let {name!r} be tuned, whatever the script takes"
                        help_text = did_you_mean(name, found.tunable)
                        yield Fault(f"{where}{at}/Name", message, help_text, placed)
            objective = job.get("TuningObjective") or get(tuning.request, _CONFIG, "HyperParameterTuningJobObjective")
            metric = get(objective, "MetricName")
            if isinstance(metric, str) and found.metrics and metric not in found.metrics:
                shared = f"{tuning.at}/{_CONFIG}/HyperParameterTuningJobObjective/MetricName"
                at = f"{start}/TuningObjective/MetricName" if job.get("TuningObjective") is not None else shared
                message = f"{found.title}'s image is tuned for its own metrics, and {metric!r} is none"
                yield Fault(at, message, did_you_mean(metric, found.metrics), placed)


@rule(
    "X985",
    "tuning-that-cannot-complete",
    Severity.WARNING,
    source="CreateHyperParameterTuningJob API: ResourceLimits, TuningJobCompletionCriteria",
)
def tuning_that_cannot_complete(subject: Subject) -> Iterator[Fault]:
    """One training job may run longer than the whole tuning job, or a tuning job is to stop after more jobs without
    progress than it has.

    Bad:  "ResourceLimits": {"MaxRuntimeInSeconds": 1800} with "StoppingCondition": {"MaxRuntimeInSeconds": 3600}
    Good: "ResourceLimits": {"MaxRuntimeInSeconds": 36000} with the same
    """
    for tuning in subject.jobs[TUNING]:
        config = get(tuning.request, _CONFIG)
        limit = _integer(literal(subject, get(config, "ResourceLimits", "MaxRuntimeInSeconds")))
        for at, job, placed in defined(tuning):
            one = _integer(literal(subject, get(job, "StoppingCondition", "MaxRuntimeInSeconds")))
            if one is not None and limit is not None and one > limit:
                where = f"{at}/StoppingCondition/MaxRuntimeInSeconds"
                message = f"one training job may take {shown(one)} s, the whole tuning job {shown(limit)} s"
                yield Fault(where, message, "lower it, or raise the tuning job's", placed)
        total = _integer(literal(subject, get(config, "ResourceLimits", "MaxNumberOfTrainingJobs")))
        members = ("TuningJobCompletionCriteria", "BestObjectiveNotImproving", "MaxNumberOfTrainingJobsNotImproving")
        patience = _integer(literal(subject, get(config, *members)))
        if total is not None and patience is not None and patience >= total:
            message = f"it stops after {patience} jobs without progress, and has {total}"
            yield Fault(f"{tuning.at}/{_CONFIG}/{'/'.join(members)}", message, f"at most {total - 1}", tuning.placed)


@rule(
    "X986",
    "tuning-members-that-exclude",
    Severity.ERROR,
    source="CreateHyperParameterTuningJob API: HyperParameterTuningResourceConfig, AutoParameter",
)
def tuning_members_that_exclude(subject: Subject) -> Iterator[Fault]:
    """A tuning job says its machines twice, by ResourceConfig and HyperParameterTuningResourceConfig, or by
    InstanceConfigs and InstanceType; or has AutoParameters without Autotune. A warm pool, which tuning jobs have by
    themselves, is a warning.

    Bad:  {"InstanceType": "ml.m5.xlarge", "InstanceConfigs": [...]}
    Good: {"InstanceConfigs": [...]}
    """
    for tuning in subject.jobs[TUNING]:
        autotuned = literal(subject, get(tuning.request, "Autotune", "Mode")) == "Enabled"
        for at, job, placed in defined(tuning):
            flexible = job.get("HyperParameterTuningResourceConfig")
            here = f"{at}/HyperParameterTuningResourceConfig"
            if flexible is not None and job.get("ResourceConfig") is not None:
                message = "ResourceConfig and HyperParameterTuningResourceConfig exclude each other"
                yield Fault(here, message, "keep one of them", placed)
            if get(flexible, "AllocationStrategy") is not None and get(flexible, "InstanceConfigs") is None:
                message = "AllocationStrategy is for InstanceConfigs, and there are none"
                where = f"{here}/AllocationStrategy"
                yield Fault(where, message, "remove it", placed, severity=Severity.WARNING)
            if get(job, "ResourceConfig", "KeepAlivePeriodInSeconds") not in (None, 0):
                message = "a tuning job keeps its instances warm by itself"
                where = f"{at}/ResourceConfig/KeepAlivePeriodInSeconds"
                yield Fault(where, message, "remove it", placed, severity=Severity.WARNING)
            for name in ("InstanceType", "InstanceCount", "VolumeSizeInGB"):
                if get(flexible, "InstanceConfigs") is not None and get(flexible, name) is not None:
                    yield Fault(f"{here}/{name}", f"{name} and InstanceConfigs exclude each other", "remove it", placed)
            own = job.get("HyperParameterRanges") is not None
            where = f"{at}/HyperParameterRanges" if own else f"{tuning.at}/{_CONFIG}/ParameterRanges"
            if get(_ranges(tuning, Job(at, job, placed)), "AutoParameters") and not autotuned:
                message = "AutoParameters are for Autotune, which is not enabled"
                yield Fault(f"{where}/AutoParameters", message, 'set "Autotune": {"Mode": "Enabled"}', placed)


@rule("X988", "best-the-wrong-way", Severity.WARNING, source="what errors and scores are, by the words of their names")
def best_the_wrong_way(subject: Subject) -> Iterator[Fault]:
    """A tuning job looks for the largest of an error or a loss, or for the smallest of a score: the worst model wins.
    A name that says that it is negated is let pass.

    Bad:  {"Type": "Maximize", "MetricName": "validation:rmse"}
    Good: {"Type": "Minimize", "MetricName": "validation:rmse"}
    """
    for tuning in subject.jobs[TUNING]:
        places = [(f"{tuning.at}/{_CONFIG}/{_OBJECTIVE}", get(tuning.request, _CONFIG, _OBJECTIVE))]
        places += [(f"{at}/TuningObjective", job.get("TuningObjective")) for at, job, _ in defined(tuning)]
        images = [
            literal(subject, get(job, "AlgorithmSpecification", "TrainingImage")) for _, job, _ in defined(tuning)
        ]
        # Of those X857 speaks.
        if any(isinstance(image, str) and _is_algorithm(image) for image in images):
            continue
        for at, objective in places:
            kind, name = get(objective, "Type"), get(objective, "MetricName")
            way = better(name) if isinstance(name, str) else None
            wanted = {"smaller": "Minimize", "larger": "Maximize"}.get(way or "")
            if wanted is not None and kind in ("Minimize", "Maximize") and kind != wanted:
                best, sought = ("smallest", "largest") if wanted == "Minimize" else ("largest", "smallest")
                message = f"the best {name} is the {best}, and the job looks for the {sought}"
                yield Fault(f"{at}/Type", message, f"write {wanted}", tuning.placed)


_OBJECTIVE = "HyperParameterTuningJobObjective"
