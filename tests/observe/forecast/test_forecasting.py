"""``mlops endpoints forecast`` as a user types it, and the gate that looks for anomalies."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlops.account import connect
from mlops.account.local.refusal import invalid
from mlops.account.local.services.sagemaker import endpoints, resources
from mlops.cli import main
from mlops.deploy.gates import gates
from mlops.ir import UsageError
from mlops.ir.gate import Asked
from mlops.project.environments import read_project
from mlops.use_cases.forecasting import Wanted, forecast
from tests.observe.forecast.series_of import planted

DIMENSIONS = [{"Name": "EndpointName", "Value": "door"}, {"Name": "VariantName", "Value": "AllTraffic"}]


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlops.toml").write_text("[env.local]\n")
    return connect(read_project(tmp_path).environment("local"))


def hour() -> datetime:
    """In which the test ends, too: what is asked goes by the time at which it is asked."""
    left = 3600 - time.time() % 3600
    if left < 20:
        time.sleep(left)
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def put(account: Any, values: Any) -> None:
    first = hour() - timedelta(hours=len(values))
    data = [
        {
            "MetricName": "requests",
            "Dimensions": DIMENSIONS,
            "Timestamp": first + timedelta(hours=i),
            "Value": float(value),
        }
        for i, value in enumerate(values)
        if np.isfinite(value)
    ]
    for start in range(0, len(data), 500):
        account.client("cloudwatch").put_metric_data(Namespace="Shop", MetricData=data[start : start + 500])


def endpoint(account: Any) -> None:
    variant = {"VariantName": "AllTraffic", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    for kind, name, body in (
        (endpoints.CONFIG, "new", {"EndpointConfigName": "new", "ProductionVariants": [variant]}),
        (endpoints.KIND, "door", {"EndpointName": "door", "EndpointConfigName": "new"}),
    ):
        resources.insert(account.state, kind, name, body, taken=invalid("taken"), status="Failed")


def test_it_tells_trend_season_error_and_anomaly(account: Any, capsys: pytest.CaptureFixture[str]) -> None:
    endpoint(account)
    series = planted(1, 336, ((24, 30),), trend=0.1)
    series.values[330] += 60
    put(account, series.values)
    asked = ["endpoints", "forecast", "door", "--namespace", "Shop", "--metric", "requests", "--ahead", "12h"]
    assert main([*asked, "--per-instance", "0.2"]) == 0
    out = capsys.readouterr().out
    assert "season     1d: up to" in out
    assert "anomalies  1\n" in out
    assert "instances  " in out
    assert len(out.split("HIGH\n")[1].splitlines()) == 12
    assert main([*asked, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["seasons_in_seconds"] == [86400.0]
    assert told["evaluation"]["is_better"]
    assert told["forecast"][0]["time"] == hour().isoformat()


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (
            Wanted(metric="requests", namespace="Shop", variant="blue"),
            "has the variants AllTraffic; none is called blue",
        ),
        (Wanted(metric="orders", namespace="Shop"), "Shop has no orders of EndpointName=door"),
        (Wanted(every="90s"), "a whole number of minutes apart"),
        (Wanted(every="90"), "a whole number of minutes apart"),
        (Wanted(every="soon"), "no duration"),
        (Wanted(ahead="5m"), "less than one step"),
        (Wanted(metric="requests", namespace="Shop", statistic="Average", each=5.0), "Average is no count"),
        (Wanted(metric="requests", namespace="Shop", seasons=["30d"]), "cannot be seen"),
    ],
)
def test_what_cannot_be_forecast_is_a_sentence(account: Any, wanted: Wanted, words: str) -> None:
    endpoint(account)
    put(account, planted(1, 60, ()).values)
    with pytest.raises(UsageError, match=words):
        forecast("local", "door", wanted)


def judged(account: Any, *, serves: bool = True, **settings: Any) -> tuple[bool, str]:
    gate = gates()["no-anomaly"]
    dimensions = {"EndpointName": "{endpoint}", "VariantName": "AllTraffic"}
    read = gate.read({"name": "requests", "namespace": "Shop", "dimensions": dimensions, **settings})
    asked = Asked("production", "churn", 7, "Approved", None, hour(), hour(), client=account.client)
    judgement = gate.judge(read, replace(asked, endpoint=lambda: "door" if serves else None))
    return judgement.passes, judgement.found


def test_the_gate_looks_for_anomalies_of_late(account: Any) -> None:
    series = planted(1, 336, ((24, 30),))
    series.values[300] += 90
    put(account, series.values)
    assert judged(account) == (True, "requests was as expected for 1d")
    passes, found = judged(account, within="3d")
    assert (passes, "was expected" in found, "requests was" in found) == (False, True, True)
    assert judged(account, serves=False) == (True, "no version serves there yet")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"within": "20d"}, "each is at least the one before"),
        ({"every": "90s"}, "minutes apart"),
        ({"far": 1.0}, "2 or more"),
        ({"wihtin": "1d"}, "is not a key of it"),
    ],
)
def test_settings_of_the_gate_that_mean_nothing_are_a_sentence(settings: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        gates()["no-anomaly"].read({"name": "requests", **settings})


def test_an_endpoint_that_is_not_there_is_a_sentence(account: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["endpoints", "forecast", "nobody"]) == 2
    assert "error: there is no endpoint 'nobody'" in capsys.readouterr().err
