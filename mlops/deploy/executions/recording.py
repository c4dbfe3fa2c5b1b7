"""Whether an execution is to be recorded to MLflow, where, and what is told of it there.

The service itself records what runs on AWS where the definition has an MlflowConfig; so there ``mlops.toml`` alone
decides. The local account stands in for the service: for it both count, and an ARN means the project's own SQLite file.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlops.account import Account, answers
from mlops.account.answers import Refused
from mlops.deploy.bounded import TookTooLong, within
from mlops.deploy.executions.details import definition_text, jobs_of, parameters_of
from mlops.deploy.executions.following import ExecutionState, StepState
from mlops.deploy.models.registry import described, metrics, numbers
from mlops.ir import ConfigurationError
from mlops.ir.hiding import hide
from mlops.ir.s3_uri import split_uri
from mlops.observe.experiments import ExecutionRun, StepRun, Tracking, not_recorded, record
from mlops.project.environments import Environment
from mlops.project.private import UMASK, opener, private_folder

_LONGEST_SECONDS, _STEP_SECONDS = 60.0, 10.0
"""A server that answers nothing is given up by its first request; these are for one that answers drop by drop."""
LARGEST_REPORT = 1_000_000
"""Bytes; a larger property file is no report."""


def tracking(environment: Environment, config: Mapping[str, Any] | None, pipeline: str) -> Tracking | None:
    """None where nothing is to be recorded. ``config`` is the pipeline's MlflowConfig."""
    wanted, config = environment.mlflow, config or {}
    if not wanted and not (environment.is_local and config.get("MlflowResourceArn")):
        return None
    experiment = str(config.get("MlflowExperimentName") or pipeline)
    if isinstance(wanted, str) and not (environment.is_local and wanted.startswith("arn:")):
        return Tracking(wanted, experiment)
    if not environment.is_local or environment.state is None:
        raise ConfigurationError(
            f"environment {environment.name!r} has `mlflow = true`, which names no server",
            hint="give the ARN of a SageMaker-managed MLflow server, or a tracking URI",
        )
    folder = Path(environment.state, "mlflow")
    return Tracking(f"sqlite:///{folder / 'mlflow.db'}", experiment, (folder / "artifacts").as_uri())


def record_execution(account: Account, environment: Environment, state: ExecutionState) -> str | None:
    """The id of the MLflow run; None where nothing is to be recorded, or the execution still runs."""
    if not state.ended:
        return None
    where = tracking(environment, state.mlflow, state.pipeline)
    if where is None:
        return None
    seconds = _LONGEST_SECONDS + _STEP_SECONDS * len(state.steps)
    try:
        return within(seconds, lambda: _record(account, environment, state, where))
    except (TookTooLong, OSError) as error:  # of our own files: a disk that is full, a folder that is another's
        raise not_recorded(where, str(error), state.id) from None


def _record(account: Account, environment: Environment, state: ExecutionState, where: Tracking) -> str:
    execution = as_run(account, state)
    if where.artifacts is None or environment.state is None:
        return record(execution, where)
    with _alone(Path(environment.state, "mlflow")):
        return record(execution, where)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One writer at a time: mlflow makes the tables of a new file without asking whether somebody else just does."""
    import fcntl

    private_folder(folder)
    with open(folder / "writer.lock", "w", opener=opener) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = os.umask(UMASK)  # mlflow makes its files by it
        try:
            yield
        finally:
            os.umask(before)


def as_run(account: Account, state: ExecutionState) -> ExecutionRun:
    """All that is told of it, with what looks like a secret hidden."""
    definition = definition_text(account, state.arn)
    jobs = jobs_of(account, state)
    reports = _property_files(json.loads(definition).get("Steps") or [])
    return ExecutionRun(
        arn=state.arn,
        pipeline=state.pipeline,
        status=state.status,
        started=state.created,
        ended=max((step.ended for step in state.steps if step.ended), default=None),
        failure=state.failure,
        parameters=hide(parameters_of(account, state.arn)),
        definition=definition,
        steps=tuple(
            _step(account, state, step, jobs.get(step.name, {}), reports.get(step.name, ())) for step in state.steps
        ),
    )


def _step(
    account: Account,
    state: ExecutionState,
    step: StepState,
    job: Mapping[str, Any],
    property_files: tuple[Mapping[str, Any], ...],
) -> StepRun:
    documents = dict(_reports(account, step, job, property_files)) if step.status == "Succeeded" else {}
    outcome = step.metadata.get("Condition", {}).get("Outcome")
    return StepRun(
        name=step.name,
        arn=f"{state.arn}/{step.name}/{step.started.isoformat() if step.started else ''}",
        status=step.status,
        started=step.started,
        ended=step.ended,
        failure=step.failure,
        parameters={str(name): str(value) for name, value in hide(job.get("HyperParameters") or {}).items()},
        metrics={
            **{str(item["MetricName"]): float(item["Value"]) for item in job.get("FinalMetricDataList") or ()},
            **{name: value for text in documents.values() for name, value in numbers(_document(text))},
            **_registered(account, step),
        },
        artifacts=hide(dict(_artifacts(step, job))),
        reports=documents,
        tags={
            name: value
            for name, value in (
                ("mlops.kind", step.kind),
                ("mlops.job", step.job),
                ("mlops.cached_from", step.cached),
                ("mlops.outcome", outcome),
            )
            if value
        },
    )


def _artifacts(step: StepState, job: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    kind = step.job_kind
    for place in kind.outputs if kind is not None else ():
        for name, uri in place.uris(job):
            yield place.recorded or name, uri
    package = step.metadata.get("RegisterModel", {}).get("Arn")
    if package:
        yield "model-package", str(package)


def _registered(account: Account, step: StepState) -> Mapping[str, float]:
    package = step.metadata.get("RegisterModel", {}).get("Arn")
    if package is None:
        return {}
    try:
        return metrics(account, described(account, package))
    except Refused:  # the version was deleted since, or its report cannot be read
        return {}


def _reports(
    account: Account, step: StepState, job: Mapping[str, Any], property_files: tuple[Mapping[str, Any], ...]
) -> Iterator[tuple[str, str]]:
    kind = step.job_kind
    outputs = {name: uri for place in (kind.outputs if kind is not None else ()) for name, uri in place.uris(job)}
    for item in property_files:
        uri = outputs.get(str(item.get("OutputName")))
        if not isinstance(uri, str):
            continue
        bucket, prefix = split_uri(uri)
        key = "/".join(filter(None, (prefix.rstrip("/"), str(item.get("FilePath")))))
        try:
            with answers():
                body = account.client("s3").get_object(Bucket=bucket, Key=key)["Body"]
                content: bytes = body.read(LARGEST_REPORT + 1)
        except Refused:  # the step wrote no such file, which fails whoever reads it, not this
            continue
        if len(content) <= LARGEST_REPORT:
            yield f"{item.get('PropertyFileName')}.json", content.decode("utf-8", "replace")


def _document(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _property_files(steps: list[Any]) -> dict[str, tuple[Mapping[str, Any], ...]]:
    found: dict[str, tuple[Mapping[str, Any], ...]] = {}
    waiting = [*steps]
    while waiting:
        step = waiting.pop()
        if not isinstance(step, dict):
            continue
        listed = step.get("PropertyFiles")
        if isinstance(listed, list):
            found[str(step.get("Name"))] = tuple(item for item in listed if isinstance(item, dict))
        arguments = step.get("Arguments")
        if isinstance(arguments, dict):
            waiting += [inner for nested in arguments.values() if isinstance(nested, list) for inner in nested]
    return found
