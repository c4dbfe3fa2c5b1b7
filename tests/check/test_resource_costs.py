"""What is declared beside pipelines costs by the month: sums by hand, and what is not known is never 0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

from mlops.check.costs.bounds import Bounds
from mlops.check.costs.sums import costs
from mlops.check.sources import open_targets
from mlops.ir import Severity
from mlops.project.prices import parse_prices

if TYPE_CHECKING:
    from pathlib import Path

# 1,048,576 records of 5 KiB are 5 GiB, and of 3 KiB they are billed as such.
PRICES = """
date = 2026-11-29
source = "a test"
currency = "USD"
[traffic]
put = { records = 1_048_576, bytes = 3072 }
full = { records = 1_048_576, bytes = 6144 }
columns = { records = 1_048_576, bytes = 5120 }
topic = { records = 1_048_576, bytes = 3072 }
logs = { records = 1_048_576, bytes = 3072 }
shaped = { records = 1_048_576, bytes = 3072 }
changed = { records = 1_048_576, bytes = 3072 }
parts = { records = 1_048_576, bytes = 3072 }
inside = { records = 1_048_576, bytes = 3072 }

[prices.us-east-1.stream]
gb = 1.0
kafka-gb = 2.0
conversion-gb = 0.5
vpc-gb = 0.25
vpc-hour = 0.1
[prices.us-east-1.domain]
"r6g.large.search" = 1.0
"or1.medium.search" = 1.0
"m6g.large.search" = 0.5
"ultrawarm1.medium.search" = 2.0
gp3-gb-month = 0.1
warm-gb-month = 0.01
[prices.us-east-1.notebook]
"ml.t3.medium" = 0.1
volume-gb-month = 0.2
[prices.us-east-1.studio]
"ml.t3.medium" = 0.1
volume-gb-month = 0.2
"""
TOML = """
[env.dev]
account = "111122223333"
region = "us-east-1"
role = "arn:aws:iam::111122223333:role/pipelines"
bucket = "acme-ml"
subnets = ["subnet-1"]
security_groups = ["sg-1"]
"""
DECLARED = """
from mlops import resources

TO = "s3://acme-ml/events/"
PARQUET = dict(table="db.events", size=64)
resources.Stream("put", to=TO)
resources.Stream("full", to=TO)
resources.Stream("columns", to=TO, **PARQUET)
resources.Stream("silent", to=TO)
cluster, topic = "arn:aws:kafka:us-east-1:111122223333:cluster/c/1", "t"
resources.Stream("topic", to=TO, source=resources.Kafka(cluster, topic))
search = resources.OpenSearch("i", domain="arn:aws:es:us-east-1:111122223333:domain/events")
role = "arn:aws:iam::111122223333:role/r"
vpc = {"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"], "RoleARN": role}
inside = {"AmazonopensearchserviceDestinationConfiguration": {"VpcConfiguration": vpc}}
resources.Stream("inside", to=TO, endpoint=search, arguments=inside)

KIND = TO + "!{partitionKeyFromQuery:kind}/"
resources.Stream("parts", to=KIND, errors="failed/", partition_by="{kind: .kind}", size=64)
resources.Stream("logs", to=TO, logs="envelopes", newline=True)
resources.Stream("shaped", to=TO, newline=True)
changed = dict(to=TO, endpoint=search, arguments=inside, function="arn:aws:lambda:us-east-1:111122223333:function:f:1")
resources.Stream("changed", **changed)
tables = resources.Iceberg("db.t", "arn:aws:glue:us-east-1:111122223333:catalog")
resources.Stream("tables", to=TO, endpoint=tables)

GB = resources.Volume(100)
MASTERS = resources.Nodes("m6g.large.search", 3)
WARM = resources.Nodes("ultrawarm1.medium.search", 2)
resources.Domain("small", instance="r6g.large.search", volume=GB)
resources.Domain("zones", instance="r6g.large.search", count=2, zones=2, volume=GB, masters=MASTERS, auto_tune=True)
resources.Domain("warm", instance="r6g.large.search", volume=GB, masters=MASTERS, warm=WARM)
resources.Domain("cold", instance="r6g.large.search", volume=GB, masters=MASTERS, warm=WARM, cold=True)
resources.Domain("fast", instance="r6g.large.search", volume=resources.Volume(100, iops=4000))
resources.Domain("old", instance="r6g.large.search", volume=resources.Volume(100, type="gp2"))
resources.Domain("managed", instance="or1.medium.search", volume=GB)
resources.Domain("large", instance="r6g.xlarge.search", volume=GB)

idle = resources.NotebookInstanceLifecycleConfig("idle", idle_stop=60)
setup = resources.NotebookInstanceLifecycleConfig("setup", on_start="#!/bin/bash\\nmkdir -p /data\\n")
resources.NotebookInstance("open", instance="ml.t3.medium")
resources.NotebookInstance("set-up", instance="ml.t3.medium", lifecycle=setup.lifecycle_config_name)
resources.NotebookInstance("idles", instance="ml.t3.medium", volume=10, lifecycle=idle.lifecycle_config_name)
resources.NotebookInstance("elsewhere", instance="ml.t3.medium", lifecycle="of-another-file")
resources.NotebookInstance("unpriced", instance="ml.t3.large")

team = resources.StudioDomain("team", vpc="vpc-1")
ever = resources.StudioDomain("ever", vpc="vpc-1", idle=None)
ada, bob = resources.UserProfile("ada", domain=team), resources.UserProfile("bob", domain=ever)
resources.Space("lab", owner=ada, instance="ml.t3.medium", volume=50)
resources.Space("lab", owner=bob, instance="ml.t3.medium", volume=50)
resources.Space("chosen", owner=ada, volume=50)
"""
Sums = tuple[float | None, float | None, float | None]

MONTHS: dict[str, tuple[Sums, str]] = {
    "put (Stream)": ((5.0, 5.0, 8.0), ""),
    "full (Stream)": ((6.0, 10.0, 11.0), ""),
    "columns (Stream)": ((7.5, 7.5, 15.0), ""),
    "silent (Stream)": ((0.0, None, None), "4.7684 USD of gb for each million records"),
    "topic (Stream)": ((6.0, 6.0, None), "what is delivered"),
    "inside (Stream)": ((5.0 + 1.25 + 73.0, None, 8.0 + 2.0 + 146.0), ""),
    "parts (Stream)": ((5.0, None, None), "partitions are billed by what is delivered"),
    "logs (Stream)": ((5.0, None, None), "what is unpacked"),
    "shaped (Stream)": ((5.0, 5.0, 8.0), ""),
    "changed (Stream)": ((78.0, None, None), "what changes its records"),
    "tables (Stream)": ((0.0, None, None), "what goes into tables of Iceberg has a price of its own"),
    "small (Domain)": ((740.0, 740.0, 740.0), ""),
    "zones (Domain)": ((1460.0 + 20.0 + 1095.0,) * 3, ""),
    "warm (Domain)": ((740.0 + 1095.0 + 2920.0, None, 740.0 + 1095.0 + 2920.0 + 30.72), ""),
    "cold (Domain)": ((740.0 + 1095.0 + 2920.0, None, None), "cold storage"),
    "fast (Domain)": ((740.0, None, None), "IOPS and throughput of gp3"),
    "old (Domain)": ((730.0, None, None), "no price of gp2-gb-month for domain in us-east-1"),
    "managed (Domain)": ((740.0, None, None), "managed storage"),
    "large (Domain)": ((10.0, None, None), "no price of r6g.xlarge.search for domain"),
    "open (NotebookInstance)": ((74.0, 74.0, 74.0), ""),
    "set-up (NotebookInstance)": ((74.0, 74.0, 74.0), ""),
    "idles (NotebookInstance)": ((2.0, None, 75.0), ""),
    "elsewhere (NotebookInstance)": ((1.0, None, 74.0), ""),
    "unpriced (NotebookInstance)": ((1.0, None, None), "no price of ml.t3.large for notebook"),
    "team/lab (Space)": ((10.0, None, 83.0), ""),
    "ever/lab (Space)": ((10.0, 83.0, 83.0), ""),
    "team/chosen (Space)": ((10.0, None, None), "chosen when it is opened"),
}


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Bounds]:
    folder: Path = tmp_path_factory.mktemp("declared")
    (folder / "mlops.toml").write_text(TOML)
    (folder / "declared.py").write_text(DECLARED)
    opened = open_targets([str(folder / "declared.py")], "dev")
    (checked,) = opened.resources
    assert not [finding for finding in opened.findings if finding.severity is Severity.ERROR]
    return costs(checked, parse_prices(PRICES, "prices.toml"), "us-east-1", {}).resources


@pytest.mark.parametrize("name", MONTHS)
def test_a_month(months: Mapping[str, Bounds], name: str) -> None:
    wanted, why = MONTHS[name]
    found = months[name]
    assert (found.lower, found.expected, found.upper) == tuple(pytest.approx(one) if one else one for one in wanted)
    assert why in " ".join(found.unknown) and bool(why) == bool(found.unknown)


def test_every_one_that_is_declared_is_told(months: Mapping[str, Bounds]) -> None:
    assert set(months) == set(MONTHS)
