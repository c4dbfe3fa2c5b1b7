"""A monitor of an endpoint that serves here: captured, looked at, told of; and whatever of its schedule is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mlops.account.local import clock, events, ownership
from mlops.account.local.state import State
from mlops.deploy.outcomes import ground_truth

from .conftest import World
from .test_declared import upserted
from .test_promote import archive

pytestmark = [
    pytest.mark.proof("kills"),
    pytest.mark.parametrize("world", ["local"], indirect=True),
]
CODE = """
def model_fn(folder): return None
def input_fn(body, kind): return body if isinstance(body, str) else body.decode()
def predict_fn(body, model):
    rows = [line.split(",") for line in body.splitlines()]
    return "\\n".join(str(0.07 * float(value) + 0.01 * float(kind)) for value, kind in rows)
def output_fn(answer, accept): return answer
"""
MONITOR = """
from mlops import resources
resources.Monitor(
    "watch", endpoint="churn", schedule="cron(0 0 1 1 ? 2099)", baseline="s3://{bucket}/train/",
    label_column="churned", drift=resources.Drift(),
    attributions=resources.Attributions(rows=10),
    model_quality=resources.ModelQuality("BinaryClassification", at_least={{{{"accuracy": 0.9}}}}),
)
"""


def captured(world: World, hour: int, moved: float) -> None:
    lines, labels = [], []
    for number in range(300):
        value = (number * 37 % 300) / 30 + moved
        name = f"{hour}-{number}"
        labels.append(ground_truth.Outcome(name, "label", "1"))
        lines.append(
            json.dumps(
                {
                    "captureData": {
                        "endpointInput": {
                            "observedContentType": "text/csv", "mode": "INPUT", "data": f"{value:.2f},{number % 3}",
                            "encoding": "CSV",
                        },
                        "endpointOutput": {
                            "observedContentType": "text/csv", "mode": "OUTPUT", "data": "0.7", "encoding": "CSV",
                        },
                    },
                    "eventMetadata": {
                        "eventId": name, "inferenceTime": f"2026-01-05T{hour:02}:00:{number % 60:02}Z",
                    },
                    "eventVersion": "0",
                }
            )
        )  # fmt: skip
    key = f"captured/churn/A/2026/01/05/{hour:02}/00-00-000-a.jsonl"
    world.account.client("s3").put_object(Bucket=world.environment.bucket, Key=key, Body="\n".join(lines).encode())
    ground_truth.publish(world.account, world.environment, "churn", labels, datetime(2026, 1, 6, tzinfo=UTC))


@pytest.fixture
def watched(world: World) -> Iterator[World]:
    bucket, s3 = world.environment.bucket, world.account.client("s3")
    s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=archive("code/inference.py", CODE))
    rows = [f"{(number * 37 % 300) / 30:.2f},{number % 3},1" for number in range(900)]
    s3.put_object(Bucket=bucket, Key="train/a.csv", Body="\n".join(["value,kind,churned", *rows]).encode())
    captured(world, 9, 0.0)
    captured(world, 10, 2.0)
    sagemaker, role = world.account.client("sagemaker"), "arn:aws:iam::000000000000:role/r"
    model = {"Image": "x", "ModelDataUrl": f"s3://{bucket}/model.tar.gz"}
    sagemaker.create_model(ModelName="m", PrimaryContainer=model, ExecutionRoleArn=role)
    capture = {
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{bucket}/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    }
    variant = {"VariantName": "A", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant], DataCaptureConfig=capture)
    sagemaker.create_endpoint(EndpointName="churn", EndpointConfigName="c")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="churn", WaiterConfig={"Delay": 1})
    upserted(world, MONITOR.format(bucket=bucket))
    yield world
    sagemaker.delete_endpoint(EndpointName="churn")
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="churn", WaiterConfig={"Delay": 1})


def mlops(world: World, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mlops", *words], cwd=world.folder, capture_output=True, text=True, check=False
    )


def told(world: World) -> list[tuple[str, Mapping[str, Any]]]:
    assert world.account.events is not None
    found = world.account.events.read(kinds=("monitor.ended", "monitor.violated", "monitor.failed"))
    return [(event.kind, event.detail) for event in found]


def test_a_window_is_looked_at_and_told_of(watched: World) -> None:
    sound = mlops(watched, "monitor", "run", "watch", "--since", "2026-01-05T09:00:00Z", "--format", "json")
    assert sound.returncode == 0, sound.stderr
    shown = json.loads(sound.stdout)
    assert {kind: (found["rows"], found["violations"]) for kind, found in shown["kinds"].items()} == {
        "drift": (300, 0),
        "model_quality": (300, 0),
        "attributions": (10, 0),
    }
    drifted = mlops(watched, "monitor", "run", "watch", "--since", "2026-01-05T10:00:00Z")
    assert drifted.returncode == 1
    assert "value: baseline_drift_check: Baseline drift distance" in drifted.stdout
    assert "as it was read before" in drifted.stderr
    assert "2026-01-05T10:00:00Z  2026-01-05T11:00:00Z  300" in mlops(watched, "monitor", "show", "watch").stdout
    assert "2026-01-05T10" not in mlops(watched, "monitor", "show", "watch", "--last", "0").stdout
    cloudwatch = watched.account.client("cloudwatch")
    about = [{"Name": "Endpoint", "Value": "churn"}, {"Name": "MonitoringSchedule", "Value": "watch"}]
    found = cloudwatch.get_metric_statistics(
        Namespace="/aws/sagemaker/Endpoints/data-metrics",
        MetricName="feature_baseline_drift_value",
        Dimensions=about,
        StartTime=datetime(2026, 1, 5, tzinfo=UTC),
        EndTime=datetime(2026, 1, 6, tzinfo=UTC),
        Period=3600,
        Statistics=["Maximum"],
    )["Datapoints"]
    assert [point["Maximum"] > 0.1 for point in sorted(found, key=lambda point: point["Timestamp"])] == [False, True]
    assert ("value", "drift") in {(detail.get("feature"), detail.get("kind")) for _, detail in told(watched)}


def test_whatever_is_killed_each_window_is_looked_at_one_time(watched: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(clock.SWITCH, raising=False)
    state = State(watched.folder / ".mlops", "us-east-1")
    schedule = watched.account.client("scheduler").get_schedule(Name="watch", GroupName="mlops-monitor-watch")
    now = datetime.now(UTC)
    with state.store.transaction():
        for due in ("2026-01-05T10:00:20Z", "2026-01-05T11:00:20Z"):
            text = schedule["Target"]["Input"].replace("<aws.scheduler.scheduled-time>", due)
            ids = {"schedule": "watch", "window": due}
            clock.post(
                state, schedule["Target"], "watch", ids, token=due, now=now, until=now + timedelta(hours=1), text=text
            )
    clock.wake(state)
    killed = 0
    deadline = time.monotonic() + 120
    while len(made := events.read(state.store, kinds=("delivery.made", "delivery.failed"))) < 2:
        assert time.monotonic() < deadline, told(watched)
        time.sleep(0.4)
        if killed < 6:
            for process in _processes(watched.folder):
                os.kill(process, signal.SIGKILL)
            killed += 1
        if not ownership.owned(state.clock_folder):
            clock.wake(state)
    assert [event.kind for event in made] == ["delivery.made", "delivery.made"], made
    ended = [detail["since"] for kind, detail in told(watched) if kind == "monitor.ended"]
    assert sorted(ended) == ["2026-01-05T09:00:00Z", "2026-01-05T10:00:00Z"]
    jobs = watched.account.client("sagemaker").list_processing_jobs()["ProcessingJobSummaries"]
    assert len(jobs) == 2, jobs


def _processes(folder: Path) -> list[int]:
    """Of the clock and of runs of monitors in this project; not of the jobs that they started."""
    found = []
    for place in Path("/proc").iterdir():
        try:
            words = (place / "cmdline").read_bytes().split(b"\0") if place.name.isdigit() else []
            here = os.readlink(place / "cwd") == str(folder) if words else False
        except OSError:
            continue
        if (b"monitor" in words and here) or (b"clock" in words and str(folder / ".mlops").encode() in words):
            found.append(int(place.name))
    return found
