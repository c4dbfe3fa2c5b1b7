"""Executions in a real MLflow store, an SQLite file, read back through mlflow's own client."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mlops.deploy.executions.recording import tracking
from mlops.ir import AccountError, ConfigurationError
from mlops.observe.experiments import COMPLETE, ExecutionRun, StepRun, Tracking, record
from mlops.project.environments import Environment, read_project

pytestmark = [
    pytest.mark.proof("sdk"),
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning"),
    pytest.mark.xdist_group("mlflow"),
]
BEGAN = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
ARN = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/churn/execution/abc123"
SERVER = "arn:aws:sagemaker:eu-west-1:111122223333:mlflow-tracking-server/team"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Tracking:
    folder = tmp_path_factory.mktemp("mlflow")
    return Tracking(f"sqlite:///{folder / 'mlflow.db'}", "", (folder / "artifacts").as_uri())


def step(name: str, status: str = "Succeeded", **more: Any) -> StepRun:
    return StepRun(name, f"{ARN}/{name}/1", status, BEGAN, BEGAN + timedelta(seconds=3), **more)


def execution(*steps: StepRun, status: str = "Succeeded", arn: str = ARN) -> ExecutionRun:
    ended = BEGAN + timedelta(minutes=1)
    return ExecutionRun(arn, "churn", status, BEGAN, ended, None, {"Depth": "5"}, '{"Steps": []}', steps)


def runs(where: Tracking) -> Sequence[Any]:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(where.uri)
    found = client.get_experiment_by_name(where.experiment)
    return list(client.search_runs([found.experiment_id], order_by=["attributes.start_time ASC"])) if found else []


def named(where: Tracking) -> dict[str, Any]:
    listed = runs(where)
    found = {run.data.tags["mlflow.runName"]: run for run in listed}
    assert len(found) == len(listed), "a run stands there twice"
    return found


def test_an_execution_and_its_steps(store: Tracking) -> None:
    from mlflow.tracking import MlflowClient

    where = replace(store, experiment="whole")
    train = step(
        "Train",
        parameters={"trees": "100", "long": "x" * 10_000},
        metrics={"validation:auc": 0.9, "odd name (%)": 1.0},
        artifacts={"model": "s3://bucket/model.tar.gz"},
    )
    report = step("Evaluate", metrics={"accuracy": 0.8}, reports={"quality.json": '{"accuracy": 0.8}'})
    identifier = record(execution(train, report), where)
    found = named(where)
    assert set(found) == {"abc123", "Train", "Evaluate"}
    assert found["abc123"].info.run_id == identifier
    assert found["abc123"].data.params == {"Depth": "5"}
    assert found["abc123"].data.metrics["Evaluate.accuracy"] == 0.8
    assert found["Train"].data.metrics == {"validation:auc": 0.9, "odd name ___": 1.0}
    assert found["Train"].data.params["trees"] == "100"
    assert found["Train"].data.tags["mlops.artifact.model"] == "s3://bucket/model.tar.gz"
    assert {run.data.tags.get("mlflow.parentRunId") for run in found.values()} == {None, identifier}
    assert found["Train"].info.end_time - found["Train"].info.start_time == 3000
    client = MlflowClient(where.uri)
    assert [item.path for item in client.list_artifacts(found["Evaluate"].info.run_id)] == ["quality.json"]
    assert [item.path for item in client.list_artifacts(identifier)] == ["definition.json"]


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("Succeeded", "FINISHED"),
        ("Failed", "FAILED"),
        ("Stopped", "KILLED"),
        ("CompletedWithFailures", "FAILED"),
    ],
)
def test_how_it_ended(store: Tracking, status: str, told: str) -> None:
    where = replace(store, experiment=f"ended {status}")
    record(execution(status=status), where)
    assert named(where)["abc123"].info.status == told


def test_a_metric_without_bounds_is_no_number(store: Tracking) -> None:
    where = replace(store, experiment="unbounded")
    record(execution(step("Train", metrics={"loss": float("inf"), "auc": 0.5}), arn=f"{ARN}9"), where)
    found = named(where)
    assert found["Train"].data.metrics == {"auc": 0.5}
    assert found["Train"].data.tags["mlops.metric.loss"] == "inf"
    assert found["abc1239"].data.metrics == {"Train.auc": 0.5}


def test_again_changes_nothing_and_a_retry_goes_on(store: Tracking) -> None:
    where = replace(store, experiment="again")
    failed = execution(step("Prepare"), step("Train", "Failed", failure="no memory"), status="Failed")
    first = record(failed, where)
    before = {name: run.to_dictionary() for name, run in named(where).items()}
    assert record(failed, where) == first
    assert {name: run.to_dictionary() for name, run in named(where).items()} == before
    assert before["Train"]["data"]["tags"]["mlops.failure"] == "no memory"
    again = replace(step("Train"), arn=f"{ARN}/Train/2")
    assert record(execution(step("Prepare"), again), where) == first
    assert sorted(run.data.tags["mlflow.runName"] for run in runs(where)) == ["Prepare", "Train", "Train", "abc123"]
    assert {run.info.status for run in runs(where) if run.info.run_id == first} == {"FINISHED"}


def test_half_a_step_is_written_anew(store: Tracking) -> None:
    from mlflow.tracking import MlflowClient

    where = replace(store, experiment="half")
    record(execution(step("Train", metrics={"auc": 0.9})), where)
    client = MlflowClient(where.uri)
    left = named(where)["Train"].info.run_id
    client.delete_tag(left, COMPLETE)
    record(execution(step("Train", metrics={"auc": 0.9})), where)
    found = named(where)
    assert found["Train"].info.run_id != left
    assert found["Train"].data.metrics == {"auc": 0.9}


def test_two_at_once_agree_on_the_experiment(store: Tracking) -> None:
    record(execution(), replace(store, experiment="tables are made"))
    where = replace(store, experiment="two at once")
    arns = [f"{ARN}{index}" for index in range(4)]
    with ThreadPoolExecutor(4) as pool:
        identifiers = list(pool.map(lambda arn: record(execution(arn=arn), where), arns))
    assert len(set(identifiers)) == 4
    assert len(runs(where)) == 4


def test_a_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(AccountError, match="could not be recorded to MLflow at http") as raised:
        record(execution(), Tracking("http://name:word@127.0.0.1:9", "x"))
    assert "word" not in str(raised.value)


def environment(name: str, mlflow: bool | str, tmp_path: Path) -> Environment:
    lines = [
        f"[env.{name}]",
        *(() if name == "local" else ('region = "eu-west-1"', 'role = "arn:aws:iam::111122223333:role/p"')),
        *(() if name == "local" else ('bucket = "acme-ml"',)),
        f"mlflow = {str(mlflow).lower() if isinstance(mlflow, bool) else repr(mlflow)}",
    ]
    (tmp_path / "mlops.toml").write_text("\n".join(lines))
    return read_project(tmp_path).environment(name)


@pytest.mark.parametrize(
    ("name", "asked", "config", "uri", "experiment"),
    [
        ("local", False, None, None, None),
        ("local", True, None, "sqlite:///{state}/mlflow/mlflow.db", "churn"),
        ("local", False, {"MlflowResourceArn": SERVER}, "sqlite:///{state}/mlflow/mlflow.db", "churn"),
        ("local", SERVER, None, "sqlite:///{state}/mlflow/mlflow.db", "churn"),
        ("local", "http://127.0.0.1:5000", {"MlflowExperimentName": "nightly"}, "http://127.0.0.1:5000", "nightly"),
        ("staging", SERVER, None, SERVER, "churn"),
        ("staging", False, {"MlflowResourceArn": SERVER}, None, None),
    ],
)
def test_who_asks_for_it(
    tmp_path: Path, name: str, asked: bool | str, config: dict[str, str] | None, uri: str | None, experiment: str | None
) -> None:
    found = environment(name, asked, tmp_path)
    where = tracking(found, config, "churn")
    assert (where and where.uri) == (uri and uri.format(state=found.state))
    assert (where and where.experiment) == experiment


def test_true_names_no_server_on_aws(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="names no server"):
        tracking(environment("staging", True, tmp_path), None, "churn")


PIPELINE = """
from mlops import Pipeline, Processing
with Pipeline("small") as pipeline:
    share = pipeline.float("Share", default=0.5)
    Processing("Look", code="look.py", image="123456789012.dkr.ecr.us-east-1.amazonaws.com/steps:1",
               instance="ml.m5.large", outputs=["report"], reports={"quality": "report/quality.json"})
"""
LOOK = """
import json, pathlib
pathlib.Path("/opt/ml/processing/output/report/quality.json").write_text(json.dumps({"auc": 0.75, "name": "x"}))
"""


def test_a_run_is_recorded(tmp_path: Path) -> None:
    """The command, its own process, and the file that it leaves; a second writer at the same time changes nothing."""
    (tmp_path / "mlops.toml").write_text("[env.local]\nmlflow = true\n")
    (tmp_path / "small.py").write_text(PIPELINE)
    (tmp_path / "look.py").write_text(LOOK)
    command = [sys.executable, "-m", "mlops"]
    ran = subprocess.run([*command, "run", "small.py"], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "recorded to MLflow as run " in ran.stderr
    assert "INFO" not in ran.stderr
    again = [subprocess.Popen([*command, "executions", "record"], cwd=tmp_path, stderr=-1, text=True) for _ in "ab"]
    assert [process.communicate()[1] and process.returncode for process in again] == [0, 0]
    found = named(Tracking(f"sqlite:///{tmp_path}/.mlops/mlflow/mlflow.db", "small"))
    assert found["Look"].data.metrics == {"auc": 0.75}
    assert {"Share": "0.5"} in [run.data.params for run in found.values()]


def test_a_server_that_does_not_answer_changes_nothing_of_the_run(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        uri = f"http://127.0.0.1:{server.getsockname()[1]}"
        (tmp_path / "mlops.toml").write_text(
            f'[env.local]\nmlflow = "{uri}"\n[env.local.notify]\non = ["succeeded"]\nfile = "told"\n'
        )
        (tmp_path / "small.py").write_text(PIPELINE)
        (tmp_path / "look.py").write_text(LOOK)
        patience = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "1", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
        command = [sys.executable, "-m", "mlops"]
        ran = subprocess.run(
            [*command, "run", "small.py"], cwd=tmp_path, env={**os.environ, **patience}, capture_output=True, text=True
        )
    assert (ran.returncode, "Succeeded" in ran.stdout, "succeeded" in ran.stderr) == (0, True, True)
    assert f"the execution could not be recorded to MLflow at {uri}: " in ran.stderr
    assert re.search("`mlops executions record [a-z0-9]{12}` does it again", ran.stderr)
    assert (tmp_path / "told").is_file()


def test_whatever_is_wrong_with_its_files_is_told_as_that(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("no database")
    with pytest.raises(AccountError, match="could not be recorded to MLflow at ") as failed:
        record(execution(), Tracking(f"sqlite:///{tmp_path}/mlflow.db", "x"))
    assert "executions record" in str(failed.value.hint)


def test_not_asked_for_is_told(tmp_path: Path) -> None:
    (tmp_path / "mlops.toml").write_text("")
    (tmp_path / "small.py").write_text(PIPELINE)
    (tmp_path / "look.py").write_text(LOOK)
    command = [sys.executable, "-m", "mlops"]
    ran = subprocess.run([*command, "run", "small.py"], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "MLflow" not in ran.stderr
    asked = subprocess.run([*command, "executions", "record"], cwd=tmp_path, capture_output=True, text=True)
    assert asked.returncode == 2
    assert "asks for MLflow" in asked.stderr
    assert "mlflow = true" in asked.stderr
    assert not (tmp_path / ".mlops" / "mlflow").exists()
