"""What Prometheus reads of an account, by its own parser; asked as it asks."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mlops.account.local.answering import answer
from mlops.account.local.process.router import records
from mlops.account.local.process.router.records import Record, Recorder
from mlops.account.local.state import State
from mlops.account.local.upkeep.exposition import exposition
from mlops.account.wire.answers import Answers
from mlops.account.wire.server import Server

MINUTE = datetime.fromtimestamp(int(datetime.now(UTC).timestamp()) // 60 * 60, UTC)
NOW = MINUTE + timedelta(seconds=90)


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / ".mlops", "us-east-1")


def read(text: str) -> Mapping[tuple[str, tuple[tuple[str, str], ...]], float]:
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found
            found[key] = sample.value
    return found


def put(state: State, name: str, value: float, **dimensions: str) -> None:
    pairs = [{"Name": key, "Value": item} for key, item in dimensions.items()]
    datum = {"MetricName": name, "Value": value, "Timestamp": MINUTE + timedelta(seconds=5), "Dimensions": pairs}
    answer(state, "cloudwatch", "PutMetricData", {"Namespace": "Shop/Front", "MetricData": [datum]})


def test_metrics_have_the_names_of_exporters_and_values_of_the_last_minute(state: State) -> None:
    put(state, "OrdersMade", 2.5, City="Ulm")
    put(state, "OrdersMade", 4, City="Ulm")
    put(state, "OrdersMade", 1, City='"new"\nline\\')
    found = read(exposition(state, NOW))
    assert found["shop_front_orders_made_sum", (("city", "Ulm"),)] == 6.5
    assert found["shop_front_orders_made_sample_count", (("city", "Ulm"),)] == 2
    assert found["shop_front_orders_made_maximum", (("city", '"new"\nline\\'),)] == 1
    assert not any(name.startswith("shop") for name, _ in read(exposition(state, NOW + timedelta(minutes=2))))


def test_names_that_become_one_are_told_apart_by_a_label(state: State) -> None:
    put(state, "a_b", 1)
    put(state, "a.b", 2)
    put(state, "a-b", 3, **{"x.y": "1", "x_y": "2"})
    put(state, "mlops_", 4, **{"9 of": "x", "é": "y"})
    found = {
        dict(key[1]).get("cloudwatch_metric"): value
        for key, value in read(exposition(state, NOW)).items()
        if key[0] == "shop_front_a_b_sum" and "x_y" not in dict(key[1])
    }
    assert found == {None: 2, "Shop/Front a_b": 1}
    assert read(exposition(state, NOW))["shop_front_a_b_sum", (("x_y", "1"), ("x_y_2", "2"))] == 3


def test_alarms_endpoints_and_events_are_told(state: State) -> None:
    alarm: dict[str, Any] = {
        "AlarmName": "many",
        "Namespace": "Shop/Front",
        "MetricName": "OrdersMade",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    answer(state, "cloudwatch", "PutMetricAlarm", alarm)
    put(state, "OrdersMade", 2)
    found = read(exposition(state, NOW))
    states = {dict(labels)["state"]: value for (name, labels), value in found.items() if name == "mlops_alarm_state"}
    assert states == {"ALARM": 1, "OK": 0, "INSUFFICIENT_DATA": 0}
    assert found["mlops_events_total", (("kind", "alarm.configured"),)] == 1
    assert found["mlops_clock_up", ()] == 0


def test_requests_to_an_endpoint_are_told(state: State) -> None:
    at = MINUTE.timestamp()
    state.endpoint_folder("door").mkdir(parents=True)
    recorder = Recorder(state.endpoint_folder("door") / records.FOLDER, clock=lambda: at)
    for number in range(3):
        recorder.add(Record(at + number, "c1", "blue", False, 200, 200, 1000, 10, 1, 1, None))
    recorder.close()
    state.store.write("INSERT INTO resource VALUES ('Endpoint', 'door', '', '', 'InService', '{}')")
    found = read(exposition(state, NOW))
    labels = (("endpoint_name", "door"), ("variant_name", "blue"))
    assert found["aws_sagemaker_invocations_sum", labels] == 3
    assert found["aws_sagemaker_model_latency_average", labels] == 1000
    assert found["mlops_endpoint_status", (("endpoint", "door"), ("status", "InService"))] == 1


def test_the_server_answers_a_scrape_and_keeps_a_bucket_of_that_name(tmp_path: Path) -> None:
    server = Server(Answers(tmp_path / ".mlops", "us-east-1"))
    server.start()
    try:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        connection.request("GET", "/metrics", headers={"Accept": "text/plain;version=0.0.4"})
        reply = connection.getresponse()
        assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert ("mlops_clock_up", ()) in read(reply.read().decode())
        signed = "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/s3/aws4_request, Signature=0"
        connection.request("GET", "/metrics", headers={"Authorization": signed})
        assert b"NoSuchBucket" in connection.getresponse().read()
        connection.close()
    finally:
        server.stop()
