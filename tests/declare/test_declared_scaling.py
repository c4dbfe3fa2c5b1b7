"""Declared scaling of endpoints: the requests that it becomes, what cannot be together, and its template."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops.check.sources import open_targets
from mlops.emit import targets
from mlops.ir import unheard
from mlops.ir.discovery import modules
from mlops.use_cases.emit import emit

TOML = """
[env.production]
account = "123456789012"
region = "us-east-1"
role = "arn:aws:iam::123456789012:role/pipelines"
bucket = "acme-ml"
"""
MODEL = (
    "from mlops import resources\n"
    'm = resources.Model("m", image="123456789012.dkr.ecr.us-east-1.amazonaws.com/steps:1")\n'
)
ONE = 'c = resources.EndpointConfig("c", model=m.model_name, instance="ml.m5.large"{more})\n'
SERVERLESS = 'c = resources.EndpointConfig("c", model=m.model_name, serverless=resources.Serverless(2048, 5{more}))\n'
LATER = ', asynchronous=resources.Asynchronous("s3://acme-ml/answers")'
ENDPOINT = 'resources.Endpoint("e", config=c.config_name, scaling={scaling})\n'


def opened(folder: Path, scaling: str, config: str = ONE.format(more="")) -> Any:
    (folder / "mlops.toml").write_text(TOML)
    (folder / "serving.py").write_text(MODEL + config + ENDPOINT.format(scaling=scaling))
    return open_targets([str(folder / "serving.py")], "production")


SCALING = (
    "resources.Scaling(least=1, most=4, invocations=600, cooldown_in=120, "
    'schedule={"morning": resources.At("cron(0 8 ? * MON-FRI *)", 2, 4, timezone="Europe/Berlin")})'
)


def test_it_is_the_requests_of_application_auto_scaling(tmp_path: Path) -> None:
    found = opened(tmp_path, SCALING)
    assert not found.findings, found.findings
    (scaling,) = found.resources[0].definition.steps[-1].arguments["Scaling"]
    assert (scaling["VariantName"], scaling["MinCapacity"], scaling["MaxCapacity"]) == ("AllTraffic", 1, 4)
    (policy,) = scaling["Policies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"] == {
        "TargetValue": 600,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        "ScaleOutCooldown": 60,
        "ScaleInCooldown": 120,
    }
    (action,) = scaling["Scheduled"]
    assert action["ScalableTargetAction"] == {"MinCapacity": 2, "MaxCapacity": 4}
    assert (action["ScheduledActionName"], action["Timezone"]) == ("morning", "Europe/Berlin")


TWO = (
    'c = resources.EndpointConfig("c", variants={"a": resources.Variant(m.model_name, instance="ml.m5.large"), '
    '"b": resources.Variant(m.model_name, instance="ml.m5.large")})\n'
)
RULES = {
    "bounds": ("X990", "resources.Scaling(4, 2, invocations=6)", "resources.Scaling(1, 4, invocations=6)", "", ""),
    "a count outside": (
        "X990",
        "resources.Scaling(2, 4, invocations=6)",
        "resources.Scaling(1, 1, invocations=6)",
        "",
        "",
    ),
    "a time": (
        "X990",
        'resources.Scaling(1, 2, schedule={"n": resources.At("0 8 * * *", 1, 2)})',
        'resources.Scaling(1, 2, schedule={"n": resources.At("cron(0 8 * * ? *)", 1, 2)})',
        "",
        "",
    ),
    "bounds of a time": (
        "X990",
        'resources.Scaling(1, 4, schedule={"n": resources.At("rate(1 day)", 3, 2)})',
        'resources.Scaling(1, 4, schedule={"n": resources.At("rate(1 day)", 2, 3)})',
        "",
        "",
    ),
    "instances of a serverless one": (
        "X991",
        "resources.Scaling(1, 4, invocations=6)",
        'resources.Scaling(1, 4, utilization=0.7, of="concurrency")',
        SERVERLESS.format(more=", provisioned=1"),
        SERVERLESS.format(more=", provisioned=1"),
    ),
    "serverless without provisioned concurrency": (
        "X991",
        'resources.Scaling(1, 4, utilization=0.7, of="concurrency")',
        'resources.Scaling(1, 4, utilization=0.7, of="concurrency")',
        SERVERLESS.format(more=""),
        SERVERLESS.format(more=", provisioned=1"),
    ),
    "a load of something else": (
        "X991",
        "resources.Scaling(1, 4, utilization=0.7)",
        "resources.Scaling(1, 4, requests=5)",
        "",
        "",
    ),
    "concurrency of instances": (
        "X991",
        'resources.Scaling(1, 4, utilization=0.7, of="concurrency")',
        "resources.Scaling(1, 4, invocations=6)",
        "",
        "",
    ),
    "a backlog of what answers at once": (
        "X991",
        "resources.Scaling(1, 4, backlog=5)",
        "resources.Scaling(1, 4, backlog=5)",
        "",
        ONE.format(more=LATER),
    ),
    "to zero at once": (
        "X991",
        "resources.Scaling(0, 4, requests=5)",
        "resources.Scaling(0, 4, requests=5)",
        "",
        ONE.format(more=LATER),
    ),
    "to zero at night": (
        "X991",
        'resources.Scaling(1, 4, schedule={"n": resources.At("rate(1 day)", 0, 0)})',
        'resources.Scaling(1, 4, schedule={"n": resources.At("rate(1 day)", 0, 0)})',
        "",
        ONE.format(more=LATER),
    ),
    "a variant that is none": (
        "X991",
        "resources.Scaling(1, 4, invocations=6)",
        '{"a": resources.Scaling(1, 4, invocations=6)}',
        TWO,
        TWO,
    ),
    "nothing": ("X992", "resources.Scaling(1, 4)", "resources.Scaling(1, 4, requests=5)", "", ""),
}


@pytest.mark.parametrize("case", RULES)
def test_a_rule_fires_and_does_not(case: str, tmp_path: Path) -> None:
    code, bad, good, of_bad, of_good = RULES[case]
    plain = ONE.format(more="")
    found = opened(tmp_path, bad, of_bad or plain).findings
    assert code in [item.code for item in found] and {item.where.line for item in found if item.code == code} == {4}
    assert opened(tmp_path, good, of_good or plain).findings == ()


COMPONENTS = {
    "bounds": ("X990", "least=4, most=2, invocations=6", "least=2, most=4, invocations=6"),
    "a time": (
        "X990",
        'least=1, most=2, schedule={"n": resources.At("0 8 * * *", 1, 2)}',
        'least=1, most=2, schedule={"n": resources.At("cron(0 8 * * ? *)", 1, 2)}',
    ),
    "what is only woken": ("X992", "least=0, most=2", "least=0, most=2, requests=5"),
}


@pytest.mark.parametrize("case", COMPONENTS)
def test_a_rule_fires_for_a_component_and_does_not(case: str, tmp_path: Path) -> None:
    code, bad, good = COMPONENTS[case]

    def told(scaling: str) -> list[tuple[str, int | None]]:
        text = f'from mlops import resources\nresources.ComponentScaling("churn-a", {scaling})\n'
        (tmp_path / "mlops.toml").write_text(TOML)
        (tmp_path / "serving.py").write_text(text)
        found = open_targets([str(tmp_path / "serving.py")], "production")
        return [(item.code, item.where.line) for item in found.findings]

    assert (told(bad), told(good)) == ([(code, 2)], [])


def template(folder: Path) -> str:
    return emit(modules(targets)["cloudformation"], str(folder / "serving.py"), "production", unheard, "json").text


@pytest.mark.parametrize("names", [("a", "b"), ("a-c", "ac")], ids=["plain", "the same but for a dash"])
def test_each_variant_is_scaled_in_a_template(names: tuple[str, str], tmp_path: Path) -> None:
    first, second = names
    load = "resources.Scaling(1, 4, invocations=6)"
    two = TWO.replace('"a"', f'"{first}"').replace('"b"', f'"{second}"')
    opened(tmp_path, f'{{"{first}": {load}, "{second}": {load}}}', two)
    made = [item for item in json.loads(template(tmp_path))["Resources"].values() if "Scal" in item["Type"]]
    scaled = [item["Properties"]["ResourceId"]["Fn::Join"][1][3] for item in made if "Target" in item["Type"]]
    assert (sorted(scaled), len(made)) == (sorted(names), 4)


def test_a_template_scales_it_too(tmp_path: Path) -> None:
    opened(tmp_path, SCALING)
    text = template(tmp_path)
    resources = json.loads(text)["Resources"]
    kinds = {resource["Type"]: (name, resource) for name, resource in resources.items()}
    endpoint = kinds["AWS::SageMaker::Endpoint"]
    assert "Scaling" not in endpoint[1]["Properties"]
    name, target = kinds["AWS::ApplicationAutoScaling::ScalableTarget"]
    place = ["endpoint", {"Fn::GetAtt": [endpoint[0], "EndpointName"]}, "variant", "AllTraffic"]
    assert target["Properties"]["ResourceId"] == {"Fn::Join": ["/", place]}
    assert [item["ScheduledActionName"] for item in target["Properties"]["ScheduledActions"]] == ["morning"]
    policy = kinds["AWS::ApplicationAutoScaling::ScalingPolicy"][1]["Properties"]
    assert policy["ScalingTargetId"] == {"Ref": name} and policy["PolicyName"] == "invocations"
    (tmp_path / "template.json").write_text(text)
    found = open_targets([str(tmp_path / "template.json")], "local").findings
    assert [item for item in found if item.severity.name == "ERROR"] == []
