"""Tuning by its meaning: rows for ``test_rules.py``. Limits and rules by the guide's pages automatic-model-tuning-limits,
-how-it-works and -define-ranges, by the API's texts, and by refusals that were seen; see each rule's source."""

# ruff: noqa: E501 - one row, one line
from __future__ import annotations

from typing import Any

from rule_cases import SEVERAL, TUNED, WARNING, Case
from sound_definition import GONE

CONFIG, JOB = "Tune:HyperParameterTuningJobConfig", "Tune:TrainingJobDefinition"
RANGES, LIMITS, SKLEARN = (
    f"{CONFIG}/ParameterRanges",
    f"{CONFIG}/ResourceLimits",
    "sagemaker-scikit-learn:1.2-1-cpu-py3",
)
TOTAL, SPEC = f"{LIMITS}/MaxNumberOfTrainingJobs", f"{JOB}/AlgorithmSpecification"
FRAMEWORK = {f"{SPEC}/TrainingImage": f"141502667606.dkr.ecr.eu-west-1.amazonaws.com/{SKLEARN}",
             f"{JOB}/StaticHyperParameters": {"sagemaker_program": "t.py", "sagemaker_submit_directory": "s3://acme/c.tar.gz"}}  # fmt: skip
BOOSTED = {
    **TUNED,
    f"{JOB}/StaticHyperParameters": {
        "num_round": "5",
        "sagemaker_program": "t.py",
        "sagemaker_submit_directory": "s3://acme/c.tar.gz",
    },
}
"""XGBoost's image with a script."""
HYPERBAND = {f"{CONFIG}/Strategy": "Hyperband", f"{CONFIG}/TrainingJobEarlyStoppingType": "Off"}
RESOURCES = {f"{CONFIG}/StrategyConfig": {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 27}}}
MACHINES = {"InstanceConfigs": [{"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}]}
FLEXIBLE = {f"{JOB}/ResourceConfig": GONE, f"{JOB}/HyperParameterTuningResourceConfig": MACHINES}


def _integers(*bounds: tuple[str, str]) -> list[dict[str, str]]:
    return [{"Name": f"n{index}", "MinValue": low, "MaxValue": high} for index, (low, high) in enumerate(bounds)]


def _categories(*sizes: int) -> list[dict[str, Any]]:
    return [{"Name": f"c{index}", "Values": [f"v{value}" for value in range(size)]} for index, size in enumerate(sizes)]


def _few(name: str, bad: dict[str, Any], good: dict[str, Any]) -> Case:
    """The sound tuning job wants 8 training jobs."""
    return Case(name, "X980", {RANGES: bad}, TOTAL, {RANGES: good})


CASES = [
    _few("three integers", {"IntegerParameterRanges": _integers(("1", "3"))}, {"IntegerParameterRanges": _integers(("1", "8"))}),
    _few("three categories", {"CategoricalParameterRanges": _categories(3)}, {"CategoricalParameterRanges": _categories(8)}),
    _few("integers and categories", {"IntegerParameterRanges": _integers(("0", "1")), "CategoricalParameterRanges": _categories(3)},
         {"IntegerParameterRanges": _integers(("0", "1")), "CategoricalParameterRanges": _categories(4)}),
    _few("one number only", {"ContinuousParameterRanges": [{"Name": "lr", "MinValue": "0.1", "MaxValue": "0.1"}]},
         {"ContinuousParameterRanges": [{"Name": "lr", "MinValue": "0.1", "MaxValue": "0.11"}]}),
    _few("integers on a logarithmic scale", {"IntegerParameterRanges": [{**_integers(("1", "7"))[0], "ScalingType": "Logarithmic"}]},
         {"IntegerParameterRanges": [{**_integers(("1", "9"))[0], "ScalingType": "Logarithmic"}]}),
    Case("a parameter of jobs", "X980", {RANGES: {"IntegerParameterRanges": _integers(("1", "3"))}, TOTAL: {"Get": "Parameters.Depth"}, f"{LIMITS}/MaxParallelTrainingJobs": 1},
         TOTAL, {RANGES: {"IntegerParameterRanges": _integers(("1", "3"))}, TOTAL: {"Get": "Parameters.Depth"}, f"{LIMITS}/MaxParallelTrainingJobs": 1, "Depth.DefaultValue": 3}),
    Case("two definitions of few", "X980",
         {**SEVERAL, RANGES: GONE, "Tune:TrainingJobDefinitions/0/HyperParameterRanges": {"IntegerParameterRanges": _integers(("1", "3"))},
          "Tune:TrainingJobDefinitions/1/HyperParameterRanges": {"IntegerParameterRanges": _integers(("1", "4"))}}, TOTAL,
         {**SEVERAL, RANGES: GONE, "Tune:TrainingJobDefinitions/0/HyperParameterRanges": {"IntegerParameterRanges": _integers(("1", "4"))},
          "Tune:TrainingJobDefinitions/1/HyperParameterRanges": {"IntegerParameterRanges": _integers(("1", "4"))}}),
    Case("a grid with another number", "X772", {f"{CONFIG}/Strategy": "Grid", RANGES: {"CategoricalParameterRanges": _categories(2, 3)}, TOTAL: 7}, TOTAL,
         {f"{CONFIG}/Strategy": "Grid", RANGES: {"CategoricalParameterRanges": _categories(2, 3)}, TOTAL: 6}, WARNING),
    Case("31 ranges", "X981", {RANGES: {"IntegerParameterRanges": _integers(*[("1", "9")] * 20), "CategoricalParameterRanges": _categories(*[2] * 11)}}, RANGES,
         {RANGES: {"IntegerParameterRanges": _integers(*[("1", "9")] * 20), "CategoricalParameterRanges": _categories(*[2] * 10)}}),
    Case("100 static and one tuned", "X981", {f"{JOB}/StaticHyperParameters": {f"h{n}": "1" for n in range(100)}}, f"{JOB}/StaticHyperParameters",
         {f"{JOB}/StaticHyperParameters": {f"h{n}": "1" for n in range(99)}}),
    Case("751 jobs", "X981", {TOTAL: 751}, TOTAL, {TOTAL: 751, f"{CONFIG}/Strategy": "Random"}, WARNING),
    Case("101 jobs at a time", "X981", {TOTAL: 500, f"{LIMITS}/MaxParallelTrainingJobs": 101}, f"{LIMITS}/MaxParallelTrainingJobs",
         {TOTAL: 500, f"{LIMITS}/MaxParallelTrainingJobs": 100}, WARNING),
    Case("a grid of 900", "X981", {f"{CONFIG}/Strategy": "Grid", TOTAL: GONE, RANGES: {"CategoricalParameterRanges": _categories(30, 30)}}, RANGES,
         {f"{CONFIG}/Strategy": "Grid", TOTAL: GONE, RANGES: {"CategoricalParameterRanges": _categories(30, 25)}}, WARNING),
    Case("Hyperband without resources", "X982", HYPERBAND, f"{CONFIG}/StrategyConfig/HyperbandStrategyConfig/MaxResource", {**HYPERBAND, **RESOURCES}),
    Case("Hyperband that tells no epochs", "X982", {**HYPERBAND, f"{JOB}/StaticHyperParameters": {"rounds": "9"}},
         f"{CONFIG}/StrategyConfig/HyperbandStrategyConfig/MaxResource", {**HYPERBAND, f"{JOB}/StaticHyperParameters": {"num_epochs": "9"}}),
    Case("Hyperband of too much", "X982", {**HYPERBAND, f"{CONFIG}/StrategyConfig": {"HyperbandStrategyConfig": {"MaxResource": 20001}}},
         f"{CONFIG}/StrategyConfig/HyperbandStrategyConfig/MaxResource", {**HYPERBAND, **RESOURCES}),
    Case("a grid over a definition's integers", "X982",
         {f"{CONFIG}/Strategy": "Grid", TOTAL: GONE, RANGES: GONE, f"{JOB}/HyperParameterRanges": {"IntegerParameterRanges": _integers(("1", "8"))}},
         f"{JOB}/HyperParameterRanges/IntegerParameterRanges",
         {f"{CONFIG}/Strategy": "Grid", TOTAL: GONE, RANGES: GONE, f"{JOB}/HyperParameterRanges": {"CategoricalParameterRanges": _categories(8)}}),
    Case("metrics for XGBoost", "X983", {**TUNED, f"{SPEC}/MetricDefinitions": [{"Name": "validation:rmse", "Regex": "(.*)"}]},
         f"{SPEC}/MetricDefinitions", TUNED),
    Case("metrics for XGBoost's script", "X983", {**BOOSTED, f"{SPEC}/MetricDefinitions": [{"Name": "validation:rmse", "Regex": "(.*)"}]},
         f"{SPEC}/MetricDefinitions", BOOSTED),
    Case("no metrics for scikit-learn's image", "X983", {**FRAMEWORK, f"{SPEC}/MetricDefinitions": GONE}, f"{SPEC}/MetricDefinitions", FRAMEWORK),
    Case("a script's own hyperparameter of XGBoost's image", "X984", {**BOOSTED, f"{RANGES}/ContinuousParameterRanges/0/Name": "feature_xform"},
         f"{RANGES}/ContinuousParameterRanges/0/Name", BOOSTED, WARNING),
    Case("a script's own metric of XGBoost's image", "X984", {**BOOSTED, f"{CONFIG}/HyperParameterTuningJobObjective/MetricName": "mine"},
         f"{CONFIG}/HyperParameterTuningJobObjective/MetricName", BOOSTED, WARNING),
    Case("one job longer than all", "X985", {f"{LIMITS}/MaxRuntimeInSeconds": 1800}, f"{JOB}/StoppingCondition/MaxRuntimeInSeconds",
         {f"{LIMITS}/MaxRuntimeInSeconds": 3600}, WARNING),
    Case("patience beyond the end", "X985", {f"{CONFIG}/TuningJobCompletionCriteria": {"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 8}}},
         f"{CONFIG}/TuningJobCompletionCriteria/BestObjectiveNotImproving/MaxNumberOfTrainingJobsNotImproving",
         {f"{CONFIG}/TuningJobCompletionCriteria": {"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 7}}}, WARNING),
    Case("two kinds of machines", "X986", {f"{JOB}/HyperParameterTuningResourceConfig": MACHINES}, f"{JOB}/HyperParameterTuningResourceConfig", FLEXIBLE),
    Case("machines beside a list of them", "X986", {**FLEXIBLE, f"{JOB}/HyperParameterTuningResourceConfig": {**MACHINES, "InstanceCount": 1}},
         f"{JOB}/HyperParameterTuningResourceConfig/InstanceCount", FLEXIBLE),
    Case("ranges that nobody chooses", "X986", {f"{RANGES}/AutoParameters": [{"Name": "depth9", "ValueHint": "5"}]}, f"{RANGES}/AutoParameters",
         {f"{RANGES}/AutoParameters": [{"Name": "depth9", "ValueHint": "5"}], "Tune:Autotune": {"Mode": "Enabled"}}),
]  # fmt: skip
WORDS = {"X985", "X986"}
FOLLOW = {"X776": {"X982"}}
