"""Hyperparameter tuning and AutoML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite

from mlops.check.expressions import fold, literal
from mlops.check.jobs import NUMBER_RANGES, RANGES, SEARCHED, TUNING, defined
from mlops.check.members import entries
from mlops.check.named_images import named_image
from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.rules.tuning_search import combinations
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Join, Placed, Severity, Unknown, Value
from mlops.ir.members import get
from mlops.ir.values import pointer
from mlops.knowledge.algorithm_images import ALGORITHM_ACCOUNTS


def _range_sets(subject: Subject) -> Iterator[tuple[str, Mapping[str, Value], Placed]]:
    for tuning in subject.jobs[TUNING]:
        shared = get(tuning.request, "HyperParameterTuningJobConfig", "ParameterRanges")
        if isinstance(shared, Mapping):
            yield f"{tuning.at}/HyperParameterTuningJobConfig/ParameterRanges", shared, tuning.placed
        for at, job, placed in defined(tuning):
            own = job.get("HyperParameterRanges")
            if isinstance(own, Mapping):
                yield f"{at}/HyperParameterRanges", own, placed


def _bound(value: Value) -> float | None:
    try:
        number = float(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return number if number is not None and isfinite(number) else None


@rule(
    "X770",
    "tuning-range",
    Severity.ERROR,
    source="CreateHyperParameterTuningJob API: parameter ranges and scaling types",
)
def tuning_range(subject: Subject) -> Iterator[Fault]:
    """A range whose bounds are no numbers, stand the wrong way round, or do not go with its scaling type; those that
    parameters give, by their defaults.

    Bad:  {"MinValue": "0", "MaxValue": "1", "ScalingType": "Logarithmic"}
    Good: {"MinValue": "0.001", "MaxValue": "1", "ScalingType": "Logarithmic"}
    """
    for at, ranges, placed in _range_sets(subject):
        for kind in NUMBER_RANGES:
            for where, item in entries(ranges, kind):
                yield from _range(f"{at}{where}", kind, _with_defaults(subject, item), placed)


def _with_defaults(subject: Subject, item: Mapping[str, Value]) -> Mapping[str, Value]:
    """Bounds come as text, of parameters too: by a join."""
    bounds = {
        name: fold(subject, item.get(name)) for name in ("MinValue", "MaxValue") if isinstance(item.get(name), Join)
    }
    return {**item, **{name: text for name, text in bounds.items() if text is not None}} if bounds else item


def _range(at: str, kind: str, item: Mapping[str, Value], placed: Placed) -> Iterator[Fault]:
    bounds: dict[str, float] = {}
    for name in ("MinValue", "MaxValue"):
        value = item.get(name)
        number = _bound(value)
        if isinstance(value, str) and number is None:
            yield Fault(f"{at}/{name}", f"{shown(value)} is no number", 'write a text such as "0.1"', placed)
        elif number is not None:
            bounds[name] = number
            if kind == "IntegerParameterRanges" and number != int(number):
                yield Fault(f"{at}/{name}", f"{shown(value)} is no integer", None, placed)
    if len(bounds) < 2:
        return
    low, high = bounds["MinValue"], bounds["MaxValue"]
    if low > high:
        yield Fault(f"{at}/MinValue", f"MinValue {low:g} is above MaxValue {high:g}", "swap them", placed)
    scaling = item.get("ScalingType")
    if scaling == "Logarithmic" and low <= 0:
        yield Fault(f"{at}/MinValue", f"a logarithmic scale cannot start at {low:g}", "start above 0", placed)
    if scaling == "ReverseLogarithmic":
        if kind == "IntegerParameterRanges":
            yield Fault(f"{at}/ScalingType", "ReverseLogarithmic is for continuous ranges", None, placed)
        elif low < 0 or high >= 1:
            yield Fault(f"{at}/MaxValue", "a reverse logarithmic range lies within 0 and below 1", None, placed)


@rule("X771", "tuned-twice", Severity.ERROR, source="CreateHyperParameterTuningJob API")
def tuned_twice(subject: Subject) -> Iterator[Fault]:
    """A hyperparameter stands in two ranges, or both in a range and among the static ones.

    Bad:  "lr" in ContinuousParameterRanges and in StaticHyperParameters
    Good: "lr" in one place
    """
    for tuning in subject.jobs[TUNING]:
        places: dict[str, list[str]] = {}
        for at, ranges, owner in _range_sets(subject):
            if owner is not tuning.placed:
                continue
            seen: set[str] = set()
            for kind in RANGES:
                for where, item in entries(ranges, kind):
                    name = item.get("Name")
                    if not isinstance(name, str):
                        continue
                    if name in seen:
                        yield Fault(f"{at}{where}/Name", f"{name!r} stands in two ranges", "keep one", owner)
                    seen.add(name)
                    places.setdefault(name, []).append(at)
        for at, job, placed in defined(tuning):
            static = job.get("StaticHyperParameters")
            for name in static if isinstance(static, Mapping) else ():
                if any(place.startswith(f"{at}/") or "JobConfig/" in place for place in places.get(name, ())):
                    here = f"{at}/StaticHyperParameters{pointer(name)}"
                    yield Fault(here, f"{name!r} is tuned and static", "keep one", placed)


@rule(
    "X772", "tuning-limits", Severity.ERROR, source="CreateHyperParameterTuningJob API: ResourceLimits and strategies"
)
def tuning_limits(subject: Subject) -> Iterator[Fault]:
    """More jobs in parallel than in total; or (a warning) a grid search with a number of jobs, which the grid decides.

    Bad:  {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 10}
    Good: {"MaxNumberOfTrainingJobs": 10, "MaxParallelTrainingJobs": 4}
    """
    for tuning in subject.jobs[TUNING]:
        at, request, placed = tuning
        config = request.get("HyperParameterTuningJobConfig")
        here = f"{at}/HyperParameterTuningJobConfig/ResourceLimits"
        total = get(config, "ResourceLimits", "MaxNumberOfTrainingJobs")
        total_number = literal(subject, total)
        parallel = literal(subject, get(config, "ResourceLimits", "MaxParallelTrainingJobs"))
        if isinstance(total_number, int) and isinstance(parallel, int) and parallel > total_number:
            message = f"{parallel} jobs in parallel, {total_number} in total"
            yield Fault(f"{here}/MaxParallelTrainingJobs", message, "lower it", placed)
        if get(config, "Strategy") == "Grid" and total is not None and total_number != combinations(tuning):
            message = "a grid search has as many jobs as its grid"
            help_text = "remove it"
            yield Fault(f"{here}/MaxNumberOfTrainingJobs", message, help_text, placed, severity=Severity.WARNING)


@rule("X776", "tuning-strategy", Severity.ERROR, source="CreateHyperParameterTuningJob API: strategies")
def tuning_strategy(subject: Subject) -> Iterator[Fault]:
    """Members that contradict the strategy: Hyperband stops jobs itself, its configuration is for it alone and has its
    resources the right way round; a grid is made of categories.

    Bad:  "Strategy": "Hyperband", "TrainingJobEarlyStoppingType": "Auto"
    Good: "Strategy": "Hyperband", "TrainingJobEarlyStoppingType": "Off"
    """
    for start, request, placed in subject.jobs[TUNING]:
        config = request.get("HyperParameterTuningJobConfig")
        at = f"{start}/HyperParameterTuningJobConfig"
        strategy = get(config, "Strategy")
        if strategy == "Hyperband" and get(config, "TrainingJobEarlyStoppingType") == "Auto":
            yield Fault(f"{at}/TrainingJobEarlyStoppingType", "Hyperband stops jobs by itself", "write Off", placed)
        hyperband = get(config, "StrategyConfig", "HyperbandStrategyConfig")
        here = f"{at}/StrategyConfig/HyperbandStrategyConfig"
        if isinstance(strategy, str) and strategy != "Hyperband" and hyperband is not None:
            yield Fault(here, f"a Hyperband configuration with strategy {strategy}", "remove it", placed)
        low, high = get(hyperband, "MinResource"), get(hyperband, "MaxResource")
        if isinstance(low, int) and isinstance(high, int) and low > high:
            yield Fault(f"{here}/MinResource", f"MinResource {low} is above MaxResource {high}", "swap them", placed)
        for kind in NUMBER_RANGES:
            if strategy == "Grid" and get(config, "ParameterRanges", kind):
                yield Fault(f"{at}/ParameterRanges/{kind}", "a grid search takes categories only", None, placed)


@rule("X773", "tuning-definitions", Severity.ERROR, source="CreateHyperParameterTuningJob API")
def tuning_definitions(subject: Subject) -> Iterator[Fault]:
    """A tuning job has TrainingJobDefinition or TrainingJobDefinitions: one of both; several have names that differ.

    Bad:  {"TrainingJobDefinition": {...}, "TrainingJobDefinitions": [...]}
    Good: {"TrainingJobDefinition": {...}}
    """
    for at, request, placed in subject.jobs[TUNING]:
        names = ("TrainingJobDefinition", "TrainingJobDefinitions")
        given = [name for name in names if request.get(name) is not None]
        if len(given) == 2:
            yield Fault(f"{at}/{names[1]}", f"{names[0]} and {names[1]} exclude each other", "keep one", placed)
        elif not given:
            yield Fault(f"{at}/{names[0]}", "the tuning job defines no training job", "add one", placed)
        jobs = list(entries(request, names[1]))
        seen: set[str] = set()
        for where, job in jobs:
            name = job.get("DefinitionName")
            if name is None and len(jobs) > 1:
                message = "one of several definitions has no DefinitionName"
                yield Fault(f"{at}{where}/DefinitionName", message, "name each of them", placed)
            elif isinstance(name, str):
                if name in seen:
                    message = f"two definitions are named {name!r}"
                    yield Fault(f"{at}{where}/DefinitionName", message, "rename one of them", placed)
                seen.add(name)


@rule(
    "X774",
    "undefined-objective",
    Severity.ERROR,
    source="CreateHyperParameterTuningJob API: the objective is a defined metric",
)
def undefined_objective(subject: Subject) -> Iterator[Fault]:
    """The tuned metric is none of those that the training job's MetricDefinitions find. Built-in algorithms need none;
    an image of one's own without any is a warning.

    Bad:  "MetricName": "validation:rmse" with MetricDefinitions of "rmse" only
    Good: both the same
    """
    for tuning in subject.jobs[TUNING]:
        shared = "/HyperParameterTuningJobConfig/HyperParameterTuningJobObjective/MetricName"
        for at, job, placed in defined(tuning):
            listed = list(entries(job, "AlgorithmSpecification", "MetricDefinitions"))
            names = {item.get("Name") for _, item in listed if isinstance(item.get("Name"), str)}
            if not listed and _is_own_image(subject, job):
                message = "an image of one's own, and no MetricDefinitions: the tuning job never sees its metric"
                where = f"{at}/AlgorithmSpecification/MetricDefinitions"
                yield Fault(where, message, "add the metric's Name and Regex", placed, severity=Severity.WARNING)
            if not listed or len(names) != len(listed):
                continue
            found = {f"{at}/TuningObjective/MetricName": get(job, "TuningObjective", "MetricName")}
            if job is tuning.request.get("TrainingJobDefinition"):
                found[tuning.at + shared] = get(tuning.request, *shared.split("/")[1:])
            for where, metric in found.items():
                if isinstance(metric, str) and metric not in names:
                    known = [name for name in names if isinstance(name, str)]
                    help_text = did_you_mean(metric, known) or f"add a MetricDefinition named {metric!r}"
                    yield Fault(where, f"no MetricDefinition finds {metric!r}", help_text, placed)


def _is_own_image(subject: Subject, job: Mapping[str, Value]) -> bool:
    """Whether the image is known, and none of AWS's, whose algorithms bring their metrics."""
    image = named_image(subject, get(job, "AlgorithmSpecification", "TrainingImage"))
    return image is not None and image.framework is None and image.account not in ALGORITHM_ACCOUNTS


_METRICS = {
    "BinaryClassification": {
        "Accuracy", "F1", "AUC", "BalancedAccuracy", "Precision", "Recall",
    },
    "MulticlassClassification": {
        "Accuracy", "F1macro", "BalancedAccuracy", "PrecisionMacro", "RecallMacro",
    },
    "Regression": {"MSE", "RMSE", "MAE", "R2"},
}  # fmt: skip


@rule("X775", "automl-job", Severity.ERROR, source="official SDK's automl_step; CreateAutoMLJob API")
def automl_job(subject: Subject) -> Iterator[Fault]:
    """An AutoML step in no mode or another one than ENSEMBLING, an objective of another problem type, channels without
    data or with different targets, no channel to train on, or (a warning) an objective without a problem type or the
    other way round.

    Bad:  "ProblemType": "Regression", "AutoMLJobObjective": {"MetricName": "F1"}
    Good: "ProblemType": "Regression", "AutoMLJobObjective": {"MetricName": "RMSE"}
    """
    for placed, arguments in subject.of_type("AutoML"):
        at = f"{placed.pointer}/Arguments"
        mode = get(arguments, "AutoMLJobConfig", "Mode")
        if isinstance(mode, str) and mode != "ENSEMBLING":
            yield Fault(f"{at}/AutoMLJobConfig/Mode", f"mode {shown(mode)}", "pipelines take ENSEMBLING only", placed)
        if mode is None and not isinstance(arguments.get("AutoMLJobConfig"), Unknown):
            message = "AutoMLJobConfig has no Mode, and pipelines take ENSEMBLING only"
            yield Fault(f"{at}/AutoMLJobConfig/Mode", message, 'add "Mode": "ENSEMBLING"', placed)
        targets: list[str] = []
        for where, channel in entries(arguments, "InputDataConfig"):
            if channel.get("DataSource") is None:
                yield Fault(f"{at}{where}/DataSource", "the channel has no DataSource", "add it", placed)
            target = channel.get("TargetAttributeName")
            if isinstance(target, str):
                if targets and target not in targets:
                    message = f"the target is {target!r} here and {targets[0]!r} in another channel"
                    yield Fault(f"{at}{where}/TargetAttributeName", message, "use one target", placed)
                targets.append(target)
        kinds = [channel.get("ChannelType", "training") for _, channel in entries(arguments, "InputDataConfig")]
        if kinds and all(kind == "validation" for kind in kinds):
            message, help_text = "no channel is there to train on", 'leave "ChannelType" out of one of them'
            yield Fault(f"{at}/InputDataConfig/0/ChannelType", message, help_text, placed)
        kind, metric = arguments.get("ProblemType"), get(arguments, "AutoMLJobObjective", "MetricName")
        known = _METRICS.get(kind) if isinstance(kind, str) else None
        if known is not None and isinstance(metric, str) and metric not in known:
            where = f"{at}/AutoMLJobObjective/MetricName"
            yield Fault(where, f"{metric} is no metric of {kind}", f"one of {', '.join(sorted(known))}", placed)
        if (kind is None) != (arguments.get("AutoMLJobObjective") is None):
            missing = "ProblemType" if kind is None else "AutoMLJobObjective"
            message = "ProblemType and AutoMLJobObjective go together"
            yield Fault(f"{at}/{missing}", message, f"add {missing}", placed, severity=Severity.WARNING)


@rule(
    "X777",
    "nothing-to-tune",
    Severity.ERROR,
    source="CreateHyperParameterTuningJob API: an objective, and ranges unless Autotune chooses them",
)
def nothing_to_tune(subject: Subject) -> Iterator[Fault]:
    """A tuning job has no objective, or no ranges to search. Each of several definitions may have its own.

    Bad:  {"Strategy": "Bayesian", "ResourceLimits": {...}}
    Good: the same with HyperParameterTuningJobObjective and ParameterRanges
    """
    for tuning in subject.jobs[TUNING]:
        config, placed = tuning.request.get("HyperParameterTuningJobConfig"), tuning.placed
        at = f"{tuning.at}/HyperParameterTuningJobConfig"
        jobs = [job for _, job, _ in defined(tuning)]
        if not isinstance(config, Mapping) or not jobs:
            continue
        own = all(job.get("TuningObjective") is not None for job in jobs)
        if config.get("HyperParameterTuningJobObjective") is None and not own:
            message = "nothing says which metric to optimise"
            yield Fault(f"{at}/HyperParameterTuningJobObjective", message, "add Type and MetricName", placed)
        if get(tuning.request, "Autotune", "Mode") is not None:
            continue
        shared = _is_empty(config.get("ParameterRanges"))
        without = [where for where, job, _ in defined(tuning) if shared and _is_empty(job.get("HyperParameterRanges"))]
        if len(without) == len(jobs):
            yield Fault(f"{at}/ParameterRanges", "there is no range to search", "add one, or Autotune", placed)
        for where in without if len(without) < len(jobs) else ():
            message = "there is no range to search for this definition"
            yield Fault(f"{where}/HyperParameterRanges", message, "add one, or Autotune", placed)


@rule(
    "X987",
    "several-algorithms-at-once",
    Severity.WARNING,
    source="AWS docs: multiple-algorithm-hpo, early stopping and warm start are for one algorithm alone",
)
def several_algorithms_at_once(subject: Subject) -> Iterator[Fault]:
    """A tuning job of several definitions stops jobs early or starts from others, which is for one algorithm alone.

    Bad:  two TrainingJobDefinitions with "TrainingJobEarlyStoppingType": "Auto"
    Good: two TrainingJobDefinitions with "TrainingJobEarlyStoppingType": "Off"
    """
    for tuning in subject.jobs[TUNING]:
        count = len(list(entries(tuning.request, "TrainingJobDefinitions")))
        if count < 2:
            continue
        early = ("HyperParameterTuningJobConfig", "TrainingJobEarlyStoppingType")
        if literal(subject, get(tuning.request, *early)) == "Auto":
            message = f"jobs are stopped early of one algorithm alone, and {count} are tuned"
            yield Fault(tuning.at + pointer(*early), message, "write Off", tuning.placed)
        if tuning.request.get("WarmStartConfig") is not None:
            message = f"a warm start is for one algorithm alone, and {count} are tuned"
            yield Fault(f"{tuning.at}/WarmStartConfig", message, "remove it", tuning.placed)


def _is_empty(ranges: Value) -> bool:
    return ranges is None or (isinstance(ranges, Mapping) and not any(ranges.get(kind) for kind in SEARCHED))


@rule("X778", "repeated-category", Severity.WARNING, source="follows from the document")
def repeated_category(subject: Subject) -> Iterator[Fault]:
    """A value stands twice among the values of a categorical range.

    Bad:  "Values": ["adam", "adam"]
    Good: "Values": ["adam", "sgd"]
    """
    for at, ranges, placed in _range_sets(subject):
        for where, item in entries(ranges, "CategoricalParameterRanges"):
            values = item.get("Values")
            seen: set[str] = set()
            for index, value in enumerate(values if isinstance(values, tuple) else ()):
                if isinstance(value, str):
                    if value in seen:
                        yield Fault(f"{at}{where}/Values/{index}", f"{shown(value)} stands twice", "remove one", placed)
                    seen.add(value)


@rule("X779", "automl-times", Severity.WARNING, source="CreateAutoMLJob API: AutoMLJobCompletionCriteria")
def automl_times(subject: Subject) -> Iterator[Fault]:
    """One training job of an AutoML job may take longer than the whole AutoML job.

    Bad:  "MaxRuntimePerTrainingJobInSeconds": 7200, "MaxAutoMLJobRuntimeInSeconds": 3600
    Good: "MaxRuntimePerTrainingJobInSeconds": 600, "MaxAutoMLJobRuntimeInSeconds": 3600
    """
    for placed, arguments in subject.of_type("AutoML"):
        criteria = get(arguments, "AutoMLJobConfig", "CompletionCriteria")
        one = literal(subject, get(criteria, "MaxRuntimePerTrainingJobInSeconds"))
        whole = literal(subject, get(criteria, "MaxAutoMLJobRuntimeInSeconds"))
        if isinstance(one, int) and isinstance(whole, int) and one > whole:
            at = f"{placed.pointer}/Arguments/AutoMLJobConfig/CompletionCriteria/MaxRuntimePerTrainingJobInSeconds"
            yield Fault(at, f"{shown(one)} s for one job, {shown(whole)} s for all of them", "lower it", placed)
