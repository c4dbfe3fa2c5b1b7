"""Every algorithm of Amazon's own: what its documentation writes has no finding, and what breaks it is told."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from algorithm_faults import CPU, FAULTS, GPU, Planted
from sound_definition import GONE, channel, findings, job

from mlops.knowledge.algorithm_images import ALGORITHM_ACCOUNTS
from mlops.knowledge.algorithms import Algorithm, algorithm, names

EXAMPLES: Mapping[str, Any] = tomllib.loads(
    (Path(__file__).parent.parent / "knowledge" / "algorithm_examples.toml").read_text(encoding="utf-8")
)
SAID = ("defaults", "low", "high")
CODES = frozenset({"X850", "X851", "X855", "X856", "X857", "X858"})
ACCOUNT = "438346466558"


def known(name: str) -> Algorithm:
    found = algorithm(name)
    assert found is not None
    return found


def image(name: str) -> str:
    return f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/{name}:1"


def channels(name: str, values: Mapping[str, str] | None = None) -> dict[str, str | None]:
    """Those that it requires, with these values too, each of the first type that it reads."""
    kinds = known(name).channels
    wanted = {key for key, kind in kinds.items() if kind.required}
    wanted |= {item.channel or "" for item in known(name).narrowed if values and item.condition.holds(values)}
    return {key: (kind.content_types or (None,))[0] for key, kind in kinds.items() if key in wanted}


def training(name: str, values: Mapping[str, str], inputs: Mapping[str, str | None] | None = None) -> dict[str, Any]:
    listed = [
        {**channel(key, f"s3://raw/{key}"), **({"ContentType": kind} if kind else {})}
        for key, kind in (channels(name, values) if inputs is None else inputs).items()
    ]
    for item in listed:
        kind = known(name).channels.get(item["ChannelName"])
        if kind is not None and kind.distribution is not None:
            item["DataSource"]["S3DataSource"]["S3DataDistributionType"] = kind.distribution
    return {
        **job(image(name)),
        "AlgorithmSpecification": {"TrainingImage": image(name), "TrainingInputMode": "File"},
        "InputDataConfig": listed,
        "ResourceConfig": {
            "InstanceType": CPU if "cpu" in known(name).devices else GPU,
            "InstanceCount": 1,
            "VolumeSizeInGB": 30,
        },
        "HyperParameters": dict(values),
    }


def tuning(
    name: str, values: Mapping[str, str], ranges: Mapping[str, Any], metric: tuple[str, str] | None
) -> dict[str, Any]:
    name_, direction = metric or next(iter(known(name).metrics.items()))
    told_of, kinds = name_.partition(":")[0], known(name).channels
    asked = {told_of: (kinds[told_of].content_types or (None,))[0]} if told_of in kinds else {}
    request = training(name, values, {**channels(name, values), **asked})
    request["StaticHyperParameters"] = request.pop("HyperParameters")
    return {
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 8, "MaxParallelTrainingJobs": 2},
            "HyperParameterTuningJobObjective": {"Type": direction, "MetricName": name_},
            "ParameterRanges": ranges,
        },
        "TrainingJobDefinition": request,
    }


def alone(kind: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {"Version": "2020-12-01", "Steps": [{"Name": "Fit", "Type": kind, "Arguments": arguments}]}


def one_range(name: str, kind: str, key: str) -> dict[str, Any]:
    low, high = EXAMPLES[name]["ranges"].get(key, ["1", "9"])
    item: dict[str, Any] = {"Name": key, "MinValue": low, "MaxValue": high}
    values = EXAMPLES[name]["categories"].get(key, ["1", "2"])
    return {f"{kind}ParameterRanges": [{"Name": key, "Values": values} if kind == "Categorical" else item]}


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("name", names())
def test_what_the_documentation_writes_has_no_finding(name: str, said: str) -> None:
    example = EXAMPLES[name]
    assert findings(alone("Training", training(name, {**example["required"], **example[said]}))) == []


@pytest.mark.parametrize("name", [name for name in names() if known(name).tunable])
def test_the_ranges_that_it_recommends_have_no_finding(name: str) -> None:
    example, tunable = EXAMPLES[name], known(name).tunable
    ranges: dict[str, list[Any]] = {}
    for key, (low, high) in example["ranges"].items():
        item = {"Name": key, "MinValue": low, "MaxValue": high}
        ranges.setdefault(f"{tunable[key]}ParameterRanges", []).append(item)
    for key, values in example["categories"].items():
        ranges.setdefault("CategoricalParameterRanges", []).append({"Name": key, "Values": values})
    searched = {*example["ranges"], *example["categories"]}
    static = {key: value for key, value in example["required"].items() if key not in searched}
    for metric in known(name).metrics.items():
        asked = fitting(name, metric[0])
        left = {kind: [item for item in items if item["Name"] not in asked] for kind, items in ranges.items()}
        request = tuning(name, {**static, **asked}, {kind: items for kind, items in left.items() if items}, metric)
        assert findings(alone("Tuning", request)) == []


def fitting(name: str, metric: str) -> dict[str, str]:
    """Values with which it tells the metric, and what they require."""
    wanted = (condition.when for condition in known(name).told_if if metric in condition.names)
    values = {key: choices[0] for when in wanted for key, choices in when.items()}
    if values.get("predictor_type") == "multiclass_classifier":
        values["num_classes"] = "3"
    return values


def planted(name: str, fault: Planted) -> dict[str, Any]:
    values = {**EXAMPLES[name]["required"], **fault.values}
    values = {key: value for key, value in values.items() if value is not GONE}
    if fault.tuned or fault.metric:
        tunable = next(iter(known(name).tunable.items()))
        kind, key = fault.tuned or (tunable[1], tunable[0])
        metric, direction = fault.metric or next(iter(known(name).metrics.items()))
        if fault.metric is None or direction != known(name).metrics.get(metric):
            values |= fitting(name, metric)
        static = {other: value for other, value in values.items() if other != key}
        return alone("Tuning", tuning(name, static, one_range(name, kind, key), fault.metric))
    request = training(name, values, fault.channels)
    places = {
        "machine": (request["ResourceConfig"], "InstanceType"),
        "count": (request["ResourceConfig"], "InstanceCount"),
        "mode": (request["AlgorithmSpecification"], "TrainingInputMode"),
    }
    for key, value in fault.others.items():
        holder, member = places[key]
        holder[member] = value
    return alone("Training", request)


@pytest.mark.parametrize("name", names())
def test_what_breaks_it_is_told(name: str) -> None:
    silent = [
        fault for fault in FAULTS[name] if fault.code not in {item.code for item in findings(planted(name, fault))}
    ]
    assert silent == []


@pytest.mark.parametrize("name", names())
def test_a_fault_is_told_once(name: str) -> None:
    """Whatever else an algorithm's rules say of it: a value that is required with another one may be told beside it."""
    for fault in FAULTS[name]:
        told = [item.code for item in findings(planted(name, fault)) if item.code in CODES]
        assert len(told) <= 1 + (fault.channels is not None), fault


@pytest.mark.parametrize(
    ("name", "ranges", "at"),
    [
        ("xgboost", {"ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.1", "MaxValue": "3"}]}, "0/MaxValue"),
        ("kmeans", {"IntegerParameterRanges": [{"Name": "epochs", "MinValue": "0", "MaxValue": "9"}]}, "0/MinValue"),
        ("ntm", {"CategoricalParameterRanges": [{"Name": "optimizer", "Values": ["adam", "ftrl"]}]}, "0/Values/1"),
    ],
)
def test_a_value_that_it_refuses_is_not_searched(name: str, ranges: Mapping[str, Any], at: str) -> None:
    found = findings(alone("Tuning", tuning(name, EXAMPLES[name]["required"], ranges, None)), "X857")
    assert [item.path.endswith(at) for item in found] == [True]


def test_ten_are_planted_in_each() -> None:
    assert set(FAULTS) == set(names()) == set(EXAMPLES)
    assert min(map(len, FAULTS.values())) >= 10


def test_the_accounts_of_other_regions_hold_algorithms_too() -> None:
    for account in ("522234722520", "766337827248", "999678624901", "455444449433", "991648021394"):
        assert account in ALGORITHM_ACCOUNTS
