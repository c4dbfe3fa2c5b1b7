"""Metrics and alarms: the same by the local account and by moto where that knows them, and what requests leave."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from mlops.account import connect
from mlops.account.local.process.router.records import FOLDER, Record, Recorder, between
from mlops.account.local.process.serving import usage
from mlops.account.local.process.serving.usage import Usage
from mlops.account.local.services.cloudwatch.statistics import statistic_of
from mlops.project.environments import read_project

NOW = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=5)


@pytest.fixture(params=["local", "moto"])
def cloudwatch(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "local":
        return connect(read_project(tmp_path).environment("local")).client("cloudwatch")
    return boto3.client(
        "cloudwatch",
        region_name="us-east-1",
        endpoint_url=request.getfixturevalue("moto_url"),
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


def put(cloudwatch: Any, namespace: str, *values: float, at: datetime = NOW) -> None:
    for value in values:
        cloudwatch.put_metric_data(
            Namespace=namespace,
            MetricData=[
                {
                    "MetricName": "orders",
                    "Dimensions": [{"Name": "shop", "Value": "1"}],
                    "Timestamp": at,
                    "Value": value,
                }
            ],
        )


@pytest.mark.parametrize(("statistic", "value"), [("Sum", 6.0), ("Average", 2.0), ("Minimum", 1.0), ("Maximum", 3.0)])
def test_what_was_put_is_given_by_period(cloudwatch: Any, statistic: str, value: float) -> None:
    namespace = f"shop-{statistic}"
    put(cloudwatch, namespace, 1.0, 2.0, 3.0)
    asked = {
        "Namespace": namespace,
        "MetricName": "orders",
        "Dimensions": [{"Name": "shop", "Value": "1"}],
    }
    reply = cloudwatch.get_metric_data(
        StartTime=NOW,
        EndTime=NOW + timedelta(minutes=1),
        MetricDataQueries=[{"Id": "a", "MetricStat": {"Metric": asked, "Period": 60, "Stat": statistic}}],
    )
    (found,) = reply["MetricDataResults"]
    assert (found["Timestamps"], found["Values"]) == ([NOW], [value])
    told = cloudwatch.get_metric_statistics(
        **asked, StartTime=NOW, EndTime=NOW + timedelta(minutes=1), Period=60, Statistics=[statistic]
    )
    assert [(item["Timestamp"], item[statistic]) for item in told["Datapoints"]] == [(NOW, value)]
    assert [item["MetricName"] for item in cloudwatch.list_metrics(Namespace=namespace)["Metrics"]] == ["orders"]


def test_another_set_of_dimensions_is_another_metric(cloudwatch: Any) -> None:
    put(cloudwatch, "shop-other", 1.0)
    reply = cloudwatch.get_metric_data(
        StartTime=NOW,
        EndTime=NOW + timedelta(minutes=1),
        MetricDataQueries=[
            {
                "Id": "a",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "shop-other",
                        "MetricName": "orders",
                        "Dimensions": [{"Name": "shop", "Value": "2"}],
                    },
                    "Period": 60,
                    "Stat": "Sum",
                },
            }
        ],
    )
    assert reply["MetricDataResults"][0]["Values"] == []


def alarm(cloudwatch: Any, name: str, **more: Any) -> None:
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="shop-alarm",
        MetricName="orders",
        Dimensions=[{"Name": "shop", "Value": "1"}],
        Statistic="Sum",
        **{
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 5.0,
            "ComparisonOperator": "GreaterThanThreshold",
            **more,
        },
    )


def test_an_alarm_is_made_told_set_and_removed(cloudwatch: Any) -> None:
    alarm(cloudwatch, "many")
    (found,) = cloudwatch.describe_alarms(AlarmNames=["many"])["MetricAlarms"]
    assert (found["AlarmName"], found["Threshold"]) == ("many", 5.0)
    alarm(cloudwatch, "many", Threshold=7.0)
    (found,) = cloudwatch.describe_alarms(AlarmNamePrefix="ma")["MetricAlarms"]
    assert found["Threshold"] == 7.0
    cloudwatch.delete_alarms(AlarmNames=["many", "there is none"])
    assert cloudwatch.describe_alarms(AlarmNames=["many"])["MetricAlarms"] == []


@pytest.fixture
def local(tmp_path: Path) -> Any:
    return connect(read_project(tmp_path).environment("local"))


def test_an_alarm_follows_its_metric(local: Any) -> None:
    """Whoever asks evaluates it, beside the clock."""
    cloudwatch = local.client("cloudwatch")
    alarm(cloudwatch, "many", EvaluationPeriods=60, DatapointsToAlarm=1)
    # Not when this file was loaded: that is as long ago as the tests before this one took.
    just = datetime.now(UTC) - timedelta(minutes=1)
    put(cloudwatch, "shop-alarm", 4.0, at=just)
    assert [item["StateValue"] for item in cloudwatch.describe_alarms()["MetricAlarms"]] == ["OK"]
    put(cloudwatch, "shop-alarm", 2.0, at=just)
    (found,) = cloudwatch.describe_alarms()["MetricAlarms"]
    assert found["StateValue"] == "ALARM"
    assert "1 out of the last 60 datapoints [6 (" in found["StateReason"]
    told = cloudwatch.describe_alarm_history(AlarmName="many")["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in told] == [
        "Alarm updated from OK to ALARM",
        "Alarm updated from INSUFFICIENT_DATA to OK",
        'Alarm "many" created',
    ]


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"Metric": {}}, "The parameter Namespace is required"),
        ({"Metric": {"Namespace": "a"}}, "The parameter MetricName is required"),
        ({"Period": 7}, "is none of 1, 5, 10, 20, 30 and multiples of 60"),
        ({"Stat": "Median"}, "The value Median for parameter Stat is not supported"),
    ],
)
def test_what_is_refused(local: Any, request_: dict[str, Any], said: str) -> None:
    stat = {"Metric": {"Namespace": "a", "MetricName": "b"}, "Period": 60, "Stat": "Sum", **request_}
    with pytest.raises(ClientError, match=said):
        local.client("cloudwatch").get_metric_data(
            StartTime=NOW, EndTime=NOW + timedelta(minutes=1), MetricDataQueries=[{"Id": "a", "MetricStat": stat}]
        )


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.floats(0, 99.9))
def test_a_percentile_lies_among_the_values(values: list[float], percent: float) -> None:
    found = statistic_of(f"p{percent:.2f}", values)
    assert min(values) <= found <= max(values)
    assert statistic_of("PR(:)", values) == 100


def record(at: float, status: int, model_status: int, latency: int = 1000) -> Record:
    return Record(at, "c1", "blue", False, status, model_status, latency, 10, 1, 1, None)


@pytest.fixture
def requests(local: Any) -> Iterator[Any]:
    """Of the endpoint ``door``: eight good ones, one that its caller did wrong, one that the model failed at."""
    folder = local.state.endpoint_folder("door") / FOLDER
    folder.parent.mkdir(parents=True)
    start = NOW.timestamp()
    recorder = Recorder(folder, clock=lambda: start)
    for number in range(8):
        recorder.add(record(start + number, 200, 200, 1000 * (number + 1)))
    recorder.add(record(start + 8, 424, 404))
    recorder.add(record(start + 9, 424, 500))
    recorder.add(record(start + 70, 200, 200))
    recorder.close()
    yield local


@pytest.mark.parametrize(
    ("metric", "statistic", "value"),
    [
        ("Invocations", "Sum", 10.0),
        ("Invocation4XXErrors", "Sum", 1.0),
        ("Invocation5XXErrors", "Sum", 1.0),
        ("InvocationModelErrors", "Average", 0.2),
        ("ModelLatency", "Maximum", 8000.0),
        ("ModelLatency", "PR(:4000)", 60.0),
        ("OverheadLatency", "Average", 10.0),
    ],
)
@pytest.mark.parametrize("of_config", [False, True])
def test_requests_are_metrics(requests: Any, metric: str, statistic: str, value: float, of_config: bool) -> None:
    dimensions = {"EndpointName": "door", "VariantName": "blue", **({"EndpointConfigName": "c1"} if of_config else {})}
    reply = requests.client("cloudwatch").get_metric_data(
        StartTime=NOW,
        EndTime=NOW + timedelta(minutes=1),
        MetricDataQueries=[
            {
                "Id": "a",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/SageMaker",
                        "MetricName": metric,
                        "Dimensions": [{"Name": key, "Value": item} for key, item in dimensions.items()],
                    },
                    "Period": 60,
                    "Stat": statistic,
                },
            }
        ],
    )
    assert reply["MetricDataResults"][0]["Values"] == [pytest.approx(value)]


@pytest.mark.parametrize(
    ("statistic", "value"),
    [("Average", 15.0), ("Maximum", 20.0), ("SampleCount", 2.0), ("p50", 15.0), ("PR(:10)", 50), ("PR(10:20)", 50)],
)
@pytest.mark.parametrize("metric", ["CPUUtilization", "MemoryUtilization"])
def test_what_instances_use_is_a_metric_of_their_variant(local: Any, metric: str, statistic: str, value: float) -> None:
    start = NOW.timestamp()
    local.state.endpoint_folder("door").mkdir(parents=True)
    recorder = Recorder(local.state.endpoint_folder("door") / usage.FOLDER, clock=lambda: start, columns=Usage._fields)
    for instance, used in enumerate((10.0, 20.0)):
        recorder.add(Usage(start + 1, "c1", "blue", str(instance), used, used))
    recorder.add(Usage(start + 1, "c1", "green", "0", 99.0, 99.0))
    recorder.add(Usage(start + 61, "c1", "blue", "0", 99.0, 99.0))
    recorder.close()
    extended = statistic.startswith(("p", "PR"))
    told = local.client("cloudwatch").get_metric_statistics(
        Namespace="/aws/sagemaker/Endpoints",
        MetricName=metric,
        Dimensions=[{"Name": "EndpointName", "Value": "door"}, {"Name": "VariantName", "Value": "blue"}],
        StartTime=NOW,
        EndTime=NOW + timedelta(minutes=1),
        Period=60,
        **{"ExtendedStatistics" if extended else "Statistics": [statistic]},
    )
    (point,) = told["Datapoints"]
    assert (point["ExtendedStatistics"] if extended else point)[statistic] == value


def test_what_processes_use_is_measured() -> None:
    """Of this process, with a child that has ended."""
    found: list[Usage] = []
    now = 1000.0
    meter = usage.Meter(found.append, lambda: now)
    mine = usage.Measured("a#1", os.getpid(), "c1", "blue", "0", memory=1 << 30)
    meter.look([mine])
    assert found == []  # CPU is a difference
    began = time.process_time()
    subprocess.run([sys.executable, "-S", "-c", "sum(range(2_000_000))"], check=True)
    kept = bytes(1) * (128 << 20)
    burnt = time.process_time() - began
    now += 10
    meter.look([mine])
    (first,) = found
    assert first.cpu >= 100 * burnt / 10 - 0.2 and len(kept) == 128 << 20
    del kept
    now += 10
    meter.look([mine, usage.Measured("a#2", os.getpid(), "c1", "blue", "1", memory=None)])
    assert len(found) == 2 and first.memory - found[1].memory > 10
    # One that is looked at anew begins anew.
    meter.look([])
    now += 1
    meter.look([mine])
    assert len(found) == 2


def test_what_nobody_asked_yet_has_no_records(tmp_path: Path) -> None:
    """An alarm over it is asked nevertheless."""
    assert list(between(tmp_path / "nothing", 0, 1e12)) == []


def test_records_are_read_from_the_files_of_their_time(tmp_path: Path) -> None:
    for start in (1000, 1100, 1200):
        recorder = Recorder(tmp_path, clock=lambda start=start: float(start))
        for second in range(start, start + 100):
            recorder.add(record(float(second), 200, 200))
        recorder.close()
    assert [item.time for item in between(tmp_path, 1095, 1105)] == [float(second) for second in range(1095, 1105)]
    assert list(between(tmp_path, 5000, 6000)) == []
