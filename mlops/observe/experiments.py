"""Executions as MLflow runs, through mlflow's own client: a run for the execution, and below it one for each step.

Writing an execution again changes nothing that is right already: runs are found by what they stand for, one that was
left half-written is thrown away and written anew. mlflow costs two seconds to import and is loaded only here.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from math import isinf
from typing import TYPE_CHECKING

from mlops.ir import AccountError, ConfigurationError, MlopsError
from mlops.ir.dataclass import dataclass

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

STANDS_FOR = "mlops.stands_for"
"""The tag that holds an execution's ARN, or that of a step's attempt."""
COMPLETE = "mlops.complete"
"""The tag that is set last."""

_STATUS = {"Succeeded": "FINISHED", "Failed": "FAILED", "Stopped": "KILLED", "CompletedWithFailures": "FAILED"}
# MLflow's own limits; the server refuses what is longer.
_MOST_PARAMETERS, _MOST_METRICS, _PARAMETER_LENGTH, _KEY_LENGTH, _TAG_LENGTH = 100, 1000, 6000, 250, 5000
_PATIENCE = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "20", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
_ILLEGAL_IN_KEY = re.compile(r"[^\w./ :-]")


@dataclass(frozen=True, slots=True)
class Tracking:
    """``uri`` is what MLflow calls a tracking URI (a server's address or ARN, or an SQLite file); ``artifacts`` is
    where a new experiment keeps its files, None where the server decides."""

    uri: str
    experiment: str
    artifacts: str | None = None


@dataclass(frozen=True, slots=True)
class StepRun:
    """One step that ended. ``arn`` tells this attempt from every other; ``artifacts`` are URIs by name, ``reports``
    small documents by file name."""

    name: str
    arn: str
    status: str
    started: datetime | None
    ended: datetime | None
    failure: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    artifacts: Mapping[str, str] = field(default_factory=dict)
    reports: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExecutionRun:
    """One execution that ended, and its steps."""

    arn: str
    pipeline: str
    status: str
    started: datetime | None
    ended: datetime | None
    failure: str | None
    parameters: Mapping[str, str]
    definition: str
    steps: Sequence[StepRun]


def need_mlflow(tracking: Tracking) -> None:
    """Raises ConfigurationError where what recording needs is not installed, without importing it."""
    wanted = ["mlflow"] + (["sagemaker_mlflow"] if tracking.uri.startswith("arn:") else [])
    missing = [name.replace("_", "-") for name in wanted if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"executions are to be recorded to MLflow, but {' and '.join(missing)} is not installed",
            hint="pip install 'mlflow>=3'",
        )


def record(execution: ExecutionRun, tracking: Tracking) -> str:
    """The id of the execution's run. Raises AccountError where the server refuses or cannot be reached."""
    need_mlflow(tracking)
    with _quiet(), _answers(tracking, execution):
        from mlflow.tracking import MlflowClient

        client = MlflowClient(tracking_uri=tracking.uri)
        experiment = _experiment(client, tracking)
        return _record_execution(client, experiment, execution)


def _record_execution(client: MlflowClient, experiment: str, execution: ExecutionRun) -> str:
    run = _found(client, experiment, execution.arn)
    # A retry goes on with the same execution: its run gets the new steps and the new end.
    identifier: str = (
        run.info.run_id
        if run is not None
        else client.create_run(
            experiment,
            start_time=_milliseconds(execution.started),
            run_name=execution.arn.rpartition("/")[2],
            tags={STANDS_FOR: execution.arn, "mlops.pipeline": execution.pipeline},
        ).info.run_id
    )
    if run is None or COMPLETE not in run.data.tags:
        _parameters(client, identifier, execution.parameters, known=run.data.params if run is not None else {})
        client.log_text(identifier, execution.definition, "definition.json")
    for step in execution.steps:
        _record_step(client, experiment, identifier, step)
    for name, value in _metrics_of(execution.steps).items():
        if run is None or run.data.metrics.get(name) != value:
            client.log_metric(identifier, name, value, timestamp=_milliseconds(execution.ended))
    _close(client, identifier, execution.status, execution.ended, execution.failure)
    return identifier


def _record_step(client: MlflowClient, experiment: str, parent: str, step: StepRun) -> None:
    known = _found(client, experiment, step.arn)
    if known is not None:
        if COMPLETE in known.data.tags:
            return
        client.delete_run(known.info.run_id)
    tags = {
        STANDS_FOR: step.arn,
        "mlflow.parentRunId": parent,
        **{f"mlops.artifact.{name}"[:_KEY_LENGTH]: uri[:_TAG_LENGTH] for name, uri in step.artifacts.items()},
        # As a number MLflow would keep the largest that there is, and compare with it.
        **{
            f"mlops.metric.{_key(name)}"[:_KEY_LENGTH]: str(value)
            for name, value in step.metrics.items()
            if isinf(value)
        },
        **step.tags,
    }
    run = client.create_run(experiment, start_time=_milliseconds(step.started), run_name=step.name, tags=tags)
    _parameters(client, run.info.run_id, step.parameters, known={})
    _metrics(client, run.info.run_id, step)
    for name, text in step.reports.items():
        client.log_text(run.info.run_id, text, name)
    _close(client, run.info.run_id, step.status, step.ended, step.failure)


def _parameters(client: MlflowClient, run: str, parameters: Mapping[str, str], known: Mapping[str, str]) -> None:
    from mlflow.entities import Param

    given = {_key(name): value[:_PARAMETER_LENGTH] for name, value in parameters.items()}
    new = [Param(name, value) for name, value in given.items() if name not in known]
    for first in range(0, len(new), _MOST_PARAMETERS):
        client.log_batch(run, params=new[first : first + _MOST_PARAMETERS])


def _metrics(client: MlflowClient, run: str, step: StepRun) -> None:
    from mlflow.entities import Metric

    time = _milliseconds(step.ended) or 0
    given = [Metric(_key(name), value, time, 0) for name, value in step.metrics.items() if not isinf(value)]
    for first in range(0, len(given), _MOST_METRICS):
        client.log_batch(run, metrics=given[first : first + _MOST_METRICS])


def _metrics_of(steps: Sequence[StepRun]) -> dict[str, float]:
    """So that executions can be compared in one table: every step's numbers, under the step's name."""
    found = {_key(f"{step.name}.{name}"): value for step in steps for name, value in step.metrics.items()}
    return {name: value for name, value in found.items() if not isinf(value)}


def _close(client: MlflowClient, run: str, status: str, ended: datetime | None, failure: str | None) -> None:
    if failure:
        client.set_tag(run, "mlops.failure", failure[:_TAG_LENGTH])
    client.set_terminated(run, _STATUS.get(status, "FAILED"), end_time=_milliseconds(ended))
    client.set_tag(run, COMPLETE, status)


def _found(client: MlflowClient, experiment: str, arn: str) -> Run | None:
    found = client.search_runs([experiment], f"tags.`{STANDS_FOR}` = '{arn}'", max_results=1)
    return found[0] if found else None


def _experiment(client: MlflowClient, tracking: Tracking) -> str:
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(tracking.experiment)
    if found is None:
        try:
            return str(client.create_experiment(tracking.experiment, artifact_location=tracking.artifacts))
        except MlflowException:  # somebody else was first
            found = client.get_experiment_by_name(tracking.experiment)
            if found is None:
                raise
    if found.lifecycle_stage == "deleted":
        raise AccountError(
            f"the MLflow experiment {tracking.experiment!r} was deleted", hint="restore it, or name another one"
        )
    return str(found.experiment_id)


def _key(name: str) -> str:
    return _ILLEGAL_IN_KEY.sub("_", name)[:_KEY_LENGTH]


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)


@contextlib.contextmanager
def _answers(tracking: Tracking, execution: ExecutionRun) -> Iterator[None]:
    try:
        yield
    except MlopsError:
        raise
    except Exception as error:
        # Its own, requests', SQLAlchemy's over a file that is damaged: whatever it is, the execution has ended.
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise not_recorded(tracking, said, execution.arn.rpartition("/")[2]) from error


def not_recorded(tracking: Tracking, reason: str, execution: str) -> AccountError:
    """``execution`` is its id."""
    return AccountError(
        _shown(f"the execution could not be recorded to MLflow at {tracking.uri}: {reason}"),
        hint=f"`mlops executions record {execution}` does it again",
    )


def _shown(text: str) -> str:
    """Without the password that a server's address may hold."""
    return re.sub(r"//[^/@\s]*@", "//", text)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Telemetry off, no word of database migrations among the user's lines, and no four minutes for a server that does
    not answer: what the user has set of mlflow's own patience stays."""
    settings = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_LOGGING_LEVEL": "ERROR", "GIT_PYTHON_REFRESH": "quiet"}
    settings |= {name: os.environ.get(name, value) for name, value in _PATIENCE.items()}
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    # Whoever imported mlflow before us has its loggers made.
    loggers = [logging.getLogger(name) for name in ("alembic", "mlflow")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
