"""Declared monitors, batches, keys and approvals: what they name, by which clock, and within which limits. One file has
all rows, each with its twin that nothing is told of."""

# ruff: noqa: E501 - one row, one line
from __future__ import annotations

from typing import NamedTuple

import pytest

from mlops.ir import Finding, unheard
from mlops.use_cases.check import Check, look

TOML = """[env.prod]
account = "111122223333"
region = "eu-west-1"
role = "arn:aws:iam::111122223333:role/pipelines"
bucket = "acme-ml"
"""
PIPELINE = """from mlops import Pipeline, RegisterModel

with Pipeline("churn"):
    RegisterModel("Register", model="s3://acme-ml/model.tar.gz", image="111122223333.dkr.ecr.eu-west-1.amazonaws.com/churn:1",
                  group="churn", content_types=["text/csv"], response_types=["text/csv"])
"""
SERVING = """from mlops import resources
from mlops.resources import Approval, At, Batch, Bias, EndpointConfig, Key, Model, ModelQuality, Monitor, Scaling

model = Model("churn", group="churn")
captured = EndpointConfig("captured", model=model.model_name, instance="ml.m5.large", capture=resources.Capture("s3://acme-ml/captured", percent=20))
silent = EndpointConfig("silent", model=model.model_name, instance="ml.m5.large")
seen = resources.Endpoint("churn", config=captured.config_name)
unseen = resources.Endpoint("unseen", config=silent.config_name)
setup = resources.NotebookInstanceLifecycleConfig("research-setup", on_start="#!/bin/bash\\nset -e\\ntrue\\n")


def watch(name, endpoint=seen.endpoint_name, **more):
    more = {"data_quality": resources.DataQuality(), **more}
    Monitor(name, endpoint=endpoint, image="111122223333.dkr.ecr.eu-west-1.amazonaws.com/watch:1", **more)


def batch(name, when, **more):
    Batch(name, model=model.model_name, data="s3://acme-ml/rows/", to=f"s3://acme-ml/answers/{name}/", instance="ml.m5.large", when=when, **more)


def scaled(name, zone):
    when = At("cron(0 8 ? * MON-FRI *)", least=1, most=2, timezone=zone)
    resources.Endpoint(name, config=silent.config_name, scaling=Scaling(least=1, most=2, invocations=600, schedule={"day": when}))


def notebook(name, lifecycle):
    resources.NotebookInstance(name, instance="ml.t3.medium", subnet="subnet-0a1b2c3d", security_groups=["sg-0a1b2c3d"], lifecycle=lifecycle)


def key(name, action, *more):
    statement = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": action, "Resource": "*"}
    Key(name, policy={"Version": "2012-10-17", "Statement": [statement, *more]})


CALLS = resources.Metric("AWS/SageMaker", "Invocations", {"EndpointName": "churn", "VariantName": "AllTraffic"})
MACHINE = "arn:aws:states:eu-west-1:{}:stateMachine:promotion"
"""


class Row(NamedTuple):
    """``code`` is None where nothing is told."""

    name: str
    written: str
    code: str | None = None
    words: str = ""


ROWS = [
    Row("monitor-blind", 'watch("blind", unseen.endpoint_name)', "X838", "captures nothing"),
    Row("monitor-sees", 'watch("sees")'),
    Row("monitor-misspelt", 'watch("misspelt", "chrun")', "X836", "did you mean 'churn'?"),
    Row("monitor-elsewhere", 'watch("elsewhere", "weather")'),
    Row("monitor-other-problem", 'watch("other-problem", model_quality=ModelQuality("BinaryClassification", at_least={"rmse": 0.8}))', "X839", "not measured of a Binary"),
    Row("monitor-its-problem", 'watch("its-problem", model_quality=ModelQuality("Regression", at_most={"rmse": 8.0}))'),
    Row("monitor-percent", 'watch("percent", model_quality=ModelQuality("BinaryClassification", at_least={"accuracy": 80}))', "X839", "between 0 and 1"),
    Row("monitor-share", 'watch("share", model_quality=ModelQuality("BinaryClassification", at_least={"accuracy": 0.8}))'),
    Row("monitor-no-bias", 'watch("no-bias", bias=Bias({"plan": "free"}, positive=1, at_most={"DPPLX": 0.1}))', "X839", "not measured of bias"),
    Row("monitor-bias", 'watch("bias", bias=Bias({"plan": "free"}, positive=1, at_most={"DPPL": 0.1}))'),
    Row("monitor-rarely", 'watch("rarely", schedule="cron(20 6 * * ? *)")', "X842", "the rest is never seen"),
    Row("monitor-daily", 'watch("daily", schedule="cron(20 6 * * ? *)", window="1d")'),
    Row("monitor-again", 'watch("again", schedule="rate(1 hour)", window="1d")', "X842", "looked at again"),
    Row("monitor-hourly", 'watch("hourly", schedule="rate(1 hour)")'),
    Row("monitor-weekdays", 'watch("weekdays", schedule="cron(20 6 ? * MON-FRI *)", window="1d")'),
    Row("batch-never", 'batch("never", "cron(0 3 31 2 ? *)")', "X843", "never fires"),
    Row("batch-nightly", 'batch("nightly", "cron(0 3 * * ? *)", timezone="Europe/Berlin")'),
    Row("batch-nowhere", 'batch("nowhere", "rate(1 day)", timezone="Europe/Berln")', "X843", "did you mean 'Europe/Berlin'?"),
    Row("endpoint-nowhere", 'scaled("nowhere", "Europe/Berln")', "X843", "did you mean 'Europe/Berlin'?"),
    Row("endpoint-somewhere", 'scaled("somewhere", "Europe/Berlin")'),
    Row("notebook-instance-misspelt", 'notebook("misspelt", "research-stup")', "X836", "did you mean 'research-setup'?"),
    Row("notebook-instance-elsewhere", 'notebook("elsewhere", "company-default")'),
    Row("key-lost", 'key("lost", ["kms:Decrypt"])', "X844", "nobody may change"),
    Row("key-kept", 'key("kept", ["kms:Decrypt", "kms:PutKeyPolicy"])'),
    Row("key-kept-by-a-pattern", 'key("kept-by-a-pattern", ["kms:Put*Policy"])'),
    Row("key-lost-by-a-denial", 'key("lost-by-a-denial", ["kms:Decrypt"], {"Effect": "Deny", "Principal": "*", "NotAction": "kms:Decrypt", "Resource": "*"})', "X844", "nobody may change"),
    Row("alarm-odd", 'resources.Alarm("odd", metric=CALLS, statistic="Sum", period=60, comparison="GreaterThanThreshold", threshold=1, arguments={"Dimensions": [{"Name": {}, "Value": "x"}]})', "S203", "a string is wanted"),
    Row("approval-abroad", 'Approval("abroad", group="churn", starts=MACHINE.format("444455556666"))', "A053", "444455556666"),
    Row("approval-here", 'Approval("here", group="churn", starts=MACHINE.format("111122223333"))'),
    Row("approval-group", 'Approval("group", group="chrun", starts=MACHINE.format("111122223333"))', "A052", "did you mean 'churn'?"),
    Row("model-group", 'Model("group", group="chrun")', "A052", "did you mean 'churn'?"),
    Row("model-others", 'Model("others", group="weather")'),
]  # fmt: skip


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Finding, ...]:
    root = tmp_path_factory.mktemp("project")
    (root / "mlops.toml").write_text(TOML)
    (root / "pipelines").mkdir()
    (root / "pipelines" / "churn.py").write_text(PIPELINE)
    (root / "pipelines" / "serving.py").write_text(SERVING + "\n".join(row.written for row in ROWS) + "\n")
    return look(Check((str(root),), "prod"), unheard).findings


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_declared_resource(found: tuple[Finding, ...], row: Row) -> None:
    told = [item for item in found if item.step == row.name]
    assert [item.code for item in told] == ([] if row.code is None else [row.code]), told
    assert all(row.words in f"{item.message} {item.help}" for item in told)


def test_nothing_else_is_told(found: tuple[Finding, ...]) -> None:
    assert {item.step for item in found} <= {row.name for row in ROWS}
