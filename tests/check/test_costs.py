"""What definitions cost: sums by hand, and what is not known is never 0."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from mlops.check import bind
from mlops.check.costs.sums import Costs, costs
from mlops.ir import ConfigurationError, UsageError
from mlops.ir.reader import read
from mlops.knowledge.prices import sample
from mlops.project.price_offers import from_offer
from mlops.project.prices import parse_prices, written

PRICES = """
date = 2026-11-29
source = "a test"
currency = "USD"
minimum_seconds = 60
spot = 0.5
[prices.us-east-1.training]
"ml.a.large" = 3.6
volume-gb-month = 7.3
[prices.us-east-1.processing]
"ml.a.large" = 7.2
[prices.us-east-1.transform]
"ml.a.large" = 3.6
[prices.us-east-1.endpoint]
"ml.a.large" = 1.0
[prices.us-east-1.serverless]
gb-second = 0.001
[prices.us-east-1.stream]
gb = 1.0
[traffic.clicks]
records = 10
bytes = 20
"""


def resources(kind: str = "ml.a.large", count: Any = 1, **more: Any) -> dict[str, Any]:
    return {"InstanceType": kind, "InstanceCount": count, **more}


def training(name: str = "T", limit: Any = 100, more: Any = None, **machine: Any) -> dict[str, Any]:
    stop = {} if limit is None else {"StoppingCondition": {"MaxRuntimeInSeconds": limit}}
    return {
        "Name": name,
        "Type": "Training",
        "Arguments": {"ResourceConfig": resources(**machine), **stop, **(more or {})},
    }


def processing(name: str = "P", **machine: Any) -> dict[str, Any]:
    stop = {"StoppingCondition": {"MaxRuntimeInSeconds": 100}}
    return {
        "Name": name,
        "Type": "Processing",
        "Arguments": {"ProcessingResources": {"ClusterConfig": resources(**machine)}, **stop},
    }


def tuning(most: Any, **other: Any) -> dict[str, Any]:
    limits = {"HyperParameterTuningJobConfig": {"ResourceLimits": {"MaxNumberOfTrainingJobs": most}}}
    return {
        "Name": "U",
        "Type": "Tuning",
        "Arguments": {**limits, "TrainingJobDefinition": other or training()["Arguments"]},
    }


def condition(yes: list[Any], no: list[Any]) -> dict[str, Any]:
    return {"Name": "C", "Type": "Condition", "Arguments": {"Conditions": [], "IfSteps": yes, "ElseSteps": no}}


def each(items: Any) -> dict[str, Any]:
    return {"Name": "F", "Type": "ForEach", "Arguments": {"IterableItems": items, "ForEachBody": [training()]}}


def endpoint(*variants: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Name": "E", "Type": "EndpointConfig", "Arguments": {"ProductionVariants": list(variants), **more}}


def variant(count: int = 1, kind: str = "ml.a.large", **more: Any) -> dict[str, Any]:
    return {"VariantName": "v", "InstanceType": kind, "InitialInstanceCount": count, **more}


def priced(*steps: dict[str, Any], seconds: dict[str, float] | None = None) -> Costs:
    document = {
        "Version": "2020-12-01",
        "Parameters": [{"Name": "Count", "Type": "Integer", "DefaultValue": 3}, {"Name": "Open", "Type": "Integer"}],
        "Steps": list(steps),
    }
    definition, _ = read(json.dumps(document))
    assert definition is not None
    return costs(bind(definition), parse_prices(PRICES, "prices.toml"), "us-east-1", seconds or {})


ASYNC = {"OutputConfig": {"S3OutputPath": "s3://b/p"}}
SCALED = {"MinInstanceCount": 0, "MaxInstanceCount": 4, "Status": "ENABLED"}
SPOT = {"EnableManagedSpotTraining": True}
GROUPS = [resources(count=1, InstanceGroupName="a"), resources(count=2, InstanceGroupName="b")]
POLICY = [{"ExceptionType": ["Step.SERVICE_FAULT"], "MaxAttempts": 2}]
OPEN_POLICY = [{"ExceptionType": ["Step.SERVICE_FAULT"], "ExpireAfterMin": 5}]
READ = {"Get": "Parameters.Count"}
LATER = {"Get": "Parameters.Open"}

# An execution: 3.6 an hour is a thousandth a second; a minute is the least.
EXECUTIONS: dict[str, tuple[list[dict[str, Any]], tuple[float | None, float | None, float | None], str]] = {
    "a training": ([training()], (0.06, 0.06, 0.1), ""),
    "no limit is a day": ([training(limit=None)], (0.06, 0.06, 86.4), ""),
    "a count by a parameter": ([training(count=READ)], (0.18, 0.18, 0.3), ""),
    "a count of a run": ([training(count=LATER)], (None, None, None), "at run time only"),
    "groups": ([training(kind=None, InstanceGroups=GROUPS)], (0.18, 0.18, 0.3), ""),
    "storage": ([training(VolumeSizeInGB=360)], (0.12, 0.12, 0.2), ""),
    "a warm pool": ([training(KeepAlivePeriodInSeconds=100)], (0.06, 0.06, 0.2), ""),
    "spot": ([training(more=SPOT)], (0.006, 0.025, 0.1), ""),
    "no price": ([training(kind="ml.b.large")], (None, None, None), "no price of ml.b.large for training"),
    "no price of storage": ([processing(VolumeSizeInGB=1)], (None, None, None), "no price of storage of processing"),
    "the rest is known": ([training(), processing(kind="ml.b.large")], (0.06, None, None), "no price of ml.b.large"),
    "a tuning with instances of its own": (
        [tuning(4, HyperParameterTuningResourceConfig=resources())],
        (0.06, None, 345.6),
        "",
    ),
    "a tuning": ([tuning(4)], (0.06, None, 0.4), ""),
    "a transform": (
        [{"Name": "T", "Type": "Transform", "Arguments": {"TransformResources": resources()}}],
        (0.06, 0.06, None),
        "no limit of time",
    ),
    "branches": ([condition([training()], [training("T2"), processing()])], (0.06, None, 0.3), ""),
    "no other branch": ([condition([training()], [])], (0.0, None, 0.1), ""),
    "each of three": ([each(["a", "b", "c"])], (0.18, 0.18, 0.3), ""),
    "each of many": ([each({"Get": "Parameters.Open"})], (0.06, None, 10.0), ""),
    "cached": ([{**training(), "CacheConfig": {"Enabled": True}}], (0.0, 0.06, 0.1), ""),
    "tried again": ([{**training(), "RetryPolicies": POLICY}], (0.06, 0.06, 0.3), ""),
    "tried for a time": ([{**training(), "RetryPolicies": OPEN_POLICY}], (0.06, 0.06, None), "not limited"),
    "a function": ([{"Name": "L", "Type": "Lambda", "Arguments": {}}], (None, None, None), "Lambda"),
    "nothing": ([{"Name": "N", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}}], (0.0, 0.0, 0.0), ""),
}
MONTHS: dict[str, tuple[dict[str, Any], tuple[float | None, float | None, float | None], str]] = {
    "two variants": (endpoint(variant(1), variant(2)), (2190.0, 2190.0, 2190.0), ""),
    "a shadow": (endpoint(variant(), ShadowProductionVariants=[variant()]), (1460.0, 1460.0, 1460.0), ""),
    "scaled": (endpoint(variant(ManagedInstanceScaling=SCALED)), (0.0, None, 2920.0), ""),
    "scaled from none": (endpoint(variant(0, ManagedInstanceScaling=SCALED)), (0.0, None, 2920.0), ""),
    "no price": (endpoint(variant(kind="ml.b.large")), (None, None, None), "no price of ml.b.large for endpoint"),
    "asynchronous": (endpoint(variant(), AsyncInferenceConfig=ASYNC), (None, None, None), "for asynchronous"),
    "serverless": (
        endpoint({"VariantName": "v", "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 1}}),
        (0.0, None, None),
        "2.0000 USD for each 1,000 seconds",
    ),
}


@pytest.mark.parametrize("name", EXECUTIONS)
def test_an_execution(name: str) -> None:
    steps, wanted, why = EXECUTIONS[name]
    found = priced(*steps, seconds={"T": 50.0}).execution
    assert (found.lower, found.expected, found.upper) == tuple(pytest.approx(one) if one else one for one in wanted)
    assert why in " ".join(found.unknown) and bool(why) == bool(found.unknown)


@pytest.mark.parametrize("name", MONTHS)
def test_a_month(name: str) -> None:
    step, wanted, why = MONTHS[name]
    found = priced(step).endpoints["E"]
    assert (found.lower, found.expected, found.upper) == wanted
    assert why in " ".join(found.unknown) and bool(why) == bool(found.unknown)


def test_without_past_executions_nothing_is_expected() -> None:
    assert priced(training()).execution.expected is None
    assert priced(training(), seconds={"T": 90.0}).execution.expected == pytest.approx(0.09)


WRONG = {
    "date = 2026-11-29": ('date = "today"', "date has to be the day"),
    "3.6": ("0", "has to be a number above 0"),
    "7.3": ("nan", "has to be a number above 0"),
    "us-east-1.transform": ("us-east-1.transforms", "did you mean 'transform'"),
    "gb = 1.0": ("gbs = 1.0", "did you mean 'gb'"),
    "records = 10": ("records = 1.5", "traffic.clicks.records has to be an integer above 0; it is 1.5"),
    "bytes = 20": ("size = 20", "traffic.clicks.size is not known here"),
    "[traffic.clicks]": ("[[traffic.clicks]]", "has to be a table with records and bytes"),
    "spot = 0.5": ("spot = 50", "at most 1"),
    "minimum_seconds = 60": ("minimum_secs = 60", "'minimum_secs' is not known here"),
}


@pytest.mark.parametrize("part", WRONG)
def test_a_mistake_in_the_file_is_told(part: str) -> None:
    other, said = WRONG[part]
    with pytest.raises(ConfigurationError, match=r"prices\.toml: ") as told:
        parse_prices(PRICES.replace(part, other, 1), "prices.toml")
    assert said in str(told.value)


def test_the_sample_says_that_it_is_one() -> None:
    assert parse_prices(sample(), "the sample").sample


OFFERED = (
    ("us-east-1", "USE1-Train:ml.m5.large", "0", "0.1150000000", "OnDemand"),
    ("eu-west-1", "EU-Host:ml.m5.large", "0", "0.1280000000", "OnDemand"),
    ("eu-west-1", "EU-Host:VolumeUsage.gp2", "0", "0.154", "OnDemand"),
    ("eu-west-1", "EU-Host:VolumeUsage.gp3", "0", "0.12", "OnDemand"),
    ("eu-west-1", "EU-Host:ml.m5.xlarge", "0", "0.0000000000", "OnDemand"),
    ("eu-west-1", "EU-Host:ml.m5.2xlarge", "100", "0.3", "OnDemand"),
    ("eu-west-1", "EU-Studio:ml.m5.large", "0", "0.1", "OnDemand"),
    ("eu-west-1", "EU-Train:ml.m5.large", "0", "0.1", "Reserved"),
    # As offers have them: the first seconds for nothing, and what is no use of an instance of ours.
    ("eu-west-1", "EU-ServerlessInf:Mem-4GB", "0", "0.0000000000", "OnDemand"),
    ("eu-west-1", "EU-ServerlessInf:Mem-4GB", "150000", "0.0000800000", "OnDemand"),
    ("eu-west-1", "EU-ProvisionedConcurrency:Mem-4GB", "0", "0.0000100000", "OnDemand"),
    ("eu-west-1", "EU-Studio:KernelGateway-ml.t3.medium", "0", "0.06", "OnDemand"),
    # One price of a space's applications, the dearer one.
    ("eu-west-1", "EU-Studio:JupyterLab-ml.t3.medium", "0", "0.05", "OnDemand"),
    ("eu-west-1", "EU-Studio:CodeEditor-ml.t3.medium", "0", "0.04", "OnDemand"),
    ("eu-west-1", "EU-Studio:VolumeUsage.gp3", "0", "0.12", "OnDemand"),
    ("eu-west-1", "EU-TrainWarmPool:ml.m5.large", "0", "0.1", "OnDemand"),
    ("us-west-2-lax-1", "LAX1-Host:ml.m5.large", "0", "0.2", "OnDemand"),
    ("", "AsyncInf:ml.m.xlarge-AsyncInfParent", "0", "0.2", "OnDemand"),
)
TAKEN = {
    "us-east-1": {"training": {"ml.m5.large": 0.115}},
    "eu-west-1": {
        "endpoint": {"ml.m5.large": 0.128, "volume-gb-month": 0.154},
        "serverless": {"gb-second": 0.00002},
        "studio": {"ml.t3.medium": 0.05, "volume-gb-month": 0.12},
    },
}


def offer_json(code: str = "AmazonSageMaker", currency: str = "USD") -> str:
    products, terms = {}, {"OnDemand": {}, "Reserved": {}}  # type: dict[str, Any], dict[str, Any]
    for number, (region, usage, begins, price, kind) in enumerate(OFFERED):
        products[f"S{number}"] = {"attributes": {"regionCode": region, "usagetype": usage}}
        dimension = {"unit": "Hrs", "beginRange": begins, "pricePerUnit": {currency: price}}
        terms[kind][f"S{number}"] = {f"S{number}.T": {"priceDimensions": {"D": dimension}}}
    return json.dumps(
        {"offerCode": code, "publicationDate": "2026-09-20T02:56:06Z", "products": products, "terms": terms}
    )


def offer_csv(code: str = "AmazonSageMaker") -> str:
    out = io.StringIO()
    rows = csv.writer(out, quoting=csv.QUOTE_ALL)
    rows.writerows([("FormatVersion", "v1.0"), ("Publication Date", "2026-09-20T02:56:06Z"), ("OfferCode", code)])
    rows.writerow(("SKU", "TermType", "StartingRange", "PricePerUnit", "Currency", "Region Code", "usageType"))
    for number, (region, usage, begins, price, kind) in enumerate(OFFERED):
        rows.writerow((f"S{number}", kind, begins, price, "USD", region, usage))
    return out.getvalue()


def offer_answered() -> str:
    """What `aws pricing get-products` prints."""
    offer = json.loads(offer_json())
    listed = [
        {
            "product": {"sku": sku, **product},
            "serviceCode": "AmazonSageMaker",
            "terms": {kind: by_sku[sku] for kind, by_sku in offer["terms"].items() if sku in by_sku},
            "publicationDate": offer["publicationDate"],
        }
        for sku, product in offer["products"].items()
    ]
    return json.dumps({"FormatVersion": "aws_v1", "PriceList": [json.dumps(item) for item in listed]})


@pytest.mark.parametrize("text", [offer_json(), offer_csv(), offer_answered()], ids=["json", "csv", "an answer"])
def test_an_offer_file_becomes_a_file_of_prices(text: str, tmp_path: Path) -> None:
    (tmp_path / "offer").write_text(text)
    found = parse_prices(written(from_offer(tmp_path / "offer")), "prices.toml")
    assert found.prices == TAKEN
    assert (found.date.isoformat(), found.currency, found.sample) == ("2026-09-20", "USD", False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (offer_json("AmazonEC2"), "it is of AmazonEC2"),
        (offer_csv("AmazonEC2"), "it is of AmazonEC2"),
        ('{"offerCode": "AmazonSageMaker", "regions": {}}', "fetch the currentVersionUrl of yours"),
        ('{"PriceList": []}', "it has no product"),
        (offer_answered().replace("AmazonSageMaker", "AmazonEC2"), "it is of AmazonEC2"),
        ("{", "is no offer file"),
        ("[]", "no line begins with SKU"),
        ('{"offerCode": "AmazonSageMaker"}', "is no offer file of AmazonSageMaker: it lacks 'publicationDate'"),
        ('{"PriceList": [null]}', "is no offer file of AmazonSageMaker: its members are others"),
        ("", "is no offer file"),
        (
            offer_json()
            .replace("-Train:", "-Other:")
            .replace("-Host:", "-Other:")
            .replace("Inf:", "x:")
            .replace("Studio:", "x:"),
            "has no prices",
        ),
        (offer_json().replace("0.1150000000", "-1"), "the price of USE1-Train:ml.m5.large is '-1'"),
    ],
    ids=[
        "of EC2",
        "of EC2 as CSV",
        "of all regions",
        "an answer of nothing",
        "an answer of EC2",
        "broken",
        "a list",
        "no date",
        "an answer of no objects",
        "empty",
        "nothing of ours",
        "a price below 0",
    ],
)
def test_another_file_is_refused(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "offer").write_text(text)
    with pytest.raises(UsageError) as told:
        from_offer(tmp_path / "offer")
    assert said in str(told.value)
