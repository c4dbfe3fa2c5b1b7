"""Executions of pipelines: start, watch, stop, retry. The work itself is done by the runner's process."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import string
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from mlops.account.local import events, ownership
from mlops.account.local.caller import user_context
from mlops.account.local.listing import Query
from mlops.account.local.refusal import Refusal, conflict, invalid, not_found
from mlops.account.local.services.sagemaker import pipelines, resources
from mlops.account.local.services.sagemaker.parameters import resolve
from mlops.account.local.services.sagemaker.selection import select
from mlops.account.local.settling import RUNNING, end_steps, ready_to_end, settle, settle_all
from mlops.account.local.state import ACCOUNT_ID, State, dump, moment, now
from mlops.account.run_options import AS_THERE, RunOptions
from mlops.ir import Definition
from mlops.ir.execution_events import PROCESS_GONE, execution_event
from mlops.ir.reader import read
from mlops.ir.values import to_json
from mlops.run.schedule import refusal

_ALPHABET = string.ascii_lowercase + string.digits
_ID_LENGTH = 12
_WAIT_SECONDS = 2.0
_CALLER = user_context(ACCOUNT_ID)


def start_pipeline_execution(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return start(state, request, AS_THERE)


def start(state: State, request: Mapping[str, Any], options: RunOptions) -> Mapping[str, Any]:
    name = resources.last_segment(request["PipelineName"], "pipeline")
    execution = "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH))
    started = False
    read_before: dict[int, tuple[Definition, Definition]] = {}

    def asked() -> tuple[Mapping[str, Any], sqlite3.Row, Definition]:
        pipeline = resources.find(state, pipelines.KIND, name)
        if pipeline is None:
            raise not_found(f"Pipeline '{pipelines.arn(state, name)}'")
        version = pipelines.chosen_version(state, name, pipeline["Version"], request)
        if version["version"] not in read_before:  # a version never changes
            read_before[version["version"]] = _to_run(state, name, version, request)
        whole, running = read_before[version["version"]]
        if (reason := refusal(running)) is not None:
            raise invalid(f"Pipeline {name} cannot run in this account: {reason}")
        return pipeline, version, whole

    def begin() -> Mapping[str, Any]:
        nonlocal started
        pipeline, version, definition = asked()
        body = {
            "PipelineExecutionDisplayName": f"execution-{execution}",
            **_asked(definition, pipeline, request, options, pipelines.unfit_defaults(version)),
        }
        time, arn = datetime.now(UTC), pipelines.execution_arn(state, name, execution)
        state.store.write(
            "INSERT INTO execution VALUES (?, ?, ?, 'Executing', 0, ?, ?, NULL, ?)",
            execution,
            name,
            version["version"],
            moment(time),
            moment(time),
            dump(body),
        )
        events.append(state.store, execution_event(arn, "Executing", time, by=state.user))
        started = True
        return {"PipelineExecutionArn": arn}

    if state.store.one("SELECT 1 FROM resource WHERE kind = 'Mount' LIMIT 1") is not None:
        from mlops.account.local import mounts  # few accounts have any

        mounts.refresh(state)
    # What takes time is done while nobody waits for it. A refusal is none yet: the token may have been there before.
    with suppress(Refusal):
        asked()
    folder = state.execution_folder(execution)
    descriptor = ownership.take(folder)
    if descriptor is None:
        raise conflict(f"Execution {execution} is run by another process.")
    try:
        reply = resources.once(state, "StartPipelineExecution", request["ClientRequestToken"], request, begin)
    finally:
        if not started:
            os.close(descriptor)
            (folder / ownership.OWNER).unlink()
            folder.rmdir()
    if started:
        ownership.hand_over(descriptor, state.folder, state.region, "execution", execution, folder)
    return reply


def _to_run(state: State, name: str, version: sqlite3.Row, request: Mapping[str, Any]) -> tuple[Definition, Definition]:
    """The whole definition, and what of it is to run."""
    # It was checked when it was stored.
    definition, _ = read(version["definition"])
    if definition is None:
        raise invalid(f"The definition of pipeline {name} cannot be read.")
    config = request.get("SelectiveExecutionConfig")
    if config is None:
        return definition, definition
    return definition, select(state, name, version["definition"], config).checked.definition


def _asked(
    definition: Definition,
    pipeline: Mapping[str, Any],
    request: Mapping[str, Any],
    options: RunOptions,
    unfit: Mapping[str, str],
) -> dict[str, Any]:
    """Of an execution's body what its start decides."""
    name = request.get("PipelineExecutionDisplayName")
    return {
        **({"PipelineExecutionDisplayName": name} if name else {}),
        "PipelineExecutionDescription": request.get("PipelineExecutionDescription"),
        "ParallelismConfiguration": request.get("ParallelismConfiguration") or pipeline.get("ParallelismConfiguration"),
        "SelectiveExecutionConfig": request.get("SelectiveExecutionConfig"),
        "RoleArn": request.get("RoleArn") or pipeline.get("RoleArn"),
        "Parameters": resolve(definition, request.get("PipelineParameters") or (), unfit),
        "MLflowConfig": _mlflow(definition, request.get("MlflowExperimentName")),
        "UseCache": options.use_cache,
        "Interruptions": dict(options.interruptions) or None,
        "Stubs": {step: stub.as_dictionary() for step, stub in options.stubs.items()} or None,
    }


def _mlflow(definition: Definition, experiment: str | None) -> Mapping[str, Any] | None:
    """The definition writes MlflowConfig, the replies MLflowConfig."""
    config = definition.members.get("MlflowConfig")
    if not isinstance(config, Mapping):
        return None
    return {
        **{str(name): to_json(value) for name, value in config.items()},
        **({"MlflowExperimentName": experiment} if experiment else {}),
    }


def describe_pipeline_execution(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return told(state, _settled(state, request))


def told(state: State, row: sqlite3.Row) -> Mapping[str, Any]:
    """What Describe says of an execution, by its row."""
    return {
        **json.loads(row["body"]),
        "PipelineArn": pipelines.arn(state, row["pipeline"]),
        "PipelineExecutionArn": pipelines.execution_arn(state, row["pipeline"], row["id"]),
        "PipelineExecutionStatus": row["status"],
        "FailureReason": row["failure"],
        "CreationTime": row["created"],
        "LastModifiedTime": row["modified"],
        "CreatedBy": _CALLER,
        "LastModifiedBy": _CALLER,
        "PipelineVersionId": row["version"],
    }


def list_pipeline_executions(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = resources.last_segment(request["PipelineName"], "pipeline")
    if resources.find(state, pipelines.KIND, name) is None:
        raise not_found(f"Pipeline '{pipelines.arn(state, name)}'")
    settle_all(state, name)
    order = ("id",) if request.get("SortBy") == "PipelineExecutionArn" else ("created", "id")
    found = Query("execution", order, request.get("SortOrder") != "Ascending").where("pipeline = ?", name)
    found.created_between(request, "CreatedAfter", "CreatedBefore")
    rows, token = found.page(state.store, request)
    summaries = [
        {
            **json.loads(row["body"]),
            "PipelineExecutionArn": pipelines.execution_arn(state, name, row["id"]),
            "StartTime": row["created"],
            "PipelineExecutionStatus": row["status"],
            "PipelineExecutionFailureReason": row["failure"],
        }
        for row in rows
    ]
    return {"PipelineExecutionSummaries": summaries, "NextToken": token}


def list_pipeline_execution_steps(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    row = _settled(state, request)
    found = Query("step", ("started", "name"), request.get("SortOrder") != "Ascending")
    found.where("execution = ?", row["id"])
    found.where(
        "attempt = (SELECT max(attempt) FROM step AS other WHERE other.execution = step.execution "
        "AND other.name = step.name)"
    )
    rows, token = found.page(state.store, request)
    texts = _step_texts(state, row)
    return {"PipelineExecutionSteps": [_told_step(step, texts) for step in rows], "NextToken": token}


def list_pipeline_parameters_for_execution(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"PipelineParameters": parameter_list(_settled(state, request))}


def parameter_list(row: sqlite3.Row) -> list[Mapping[str, str]]:
    return [{"Name": name, "Value": value} for name, value in _parameters(row).items()]


def parameters(state: State, executions: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
    """By the ids of those that are there."""
    asked = "SELECT id, body FROM execution WHERE id IN (SELECT value FROM json_each(?))"
    return {row["id"]: _parameters(row) for row in state.store.all(asked, json.dumps([*executions]))}


def _parameters(row: sqlite3.Row) -> Mapping[str, str]:
    return {name: _text(value) for name, value in json.loads(row["body"])["Parameters"].items()}


def describe_pipeline_definition_for_execution(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    row = _settled(state, request)
    version = state.store.one(
        "SELECT * FROM pipeline_version WHERE pipeline = ? AND version = ?", row["pipeline"], row["version"]
    )
    if version is None:
        raise not_found(f"Version {row['version']} of pipeline {row['pipeline']}")
    return {"PipelineDefinition": version["definition"], "CreationTime": version["created"]}


def update_pipeline_execution(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    members = ("PipelineExecutionDescription", "PipelineExecutionDisplayName", "ParallelismConfiguration")
    _settled(state, request)
    with state.store.transaction():
        row = _settled(state, request)
        changes = {member: request[member] for member in members if request.get(member) is not None}
        state.store.write(
            "UPDATE execution SET body = ?, modified = ? WHERE id = ?",
            dump({**json.loads(row["body"]), **changes}),
            now(),
            row["id"],
        )
    return _named(request)


def stop_pipeline_execution(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    def stop() -> Mapping[str, Any]:
        row = _settled(state, request)
        if row["status"] not in RUNNING:
            raise conflict(f"Only an execution that runs can be stopped; {row['id']} is {row['status']}.")
        time = datetime.now(UTC)
        state.store.write(
            "UPDATE execution SET stop_requested = 1, status = 'Stopping', modified = ? WHERE id = ?",
            moment(time),
            row["id"],
        )
        if row["status"] != "Stopping":
            told = execution_event(request["PipelineExecutionArn"], "Stopping", time, by=state.user)
            events.append(state.store, told)
        return _named(request)

    settle(state, request["PipelineExecutionArn"].rpartition("/")[2])
    return resources.once(state, "StopPipelineExecution", request["ClientRequestToken"], request, stop)


def retry_pipeline_execution(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    execution = _found(state, request)["id"]
    folder = state.execution_folder(execution)
    started = False

    def retry() -> Mapping[str, Any]:
        nonlocal started
        row = _found(state, request)
        # Our own hold on the lock hides whether somebody else holds it: nobody does, or we had not got it.
        if row["status"] not in ("Failed", "Stopped", "CompletedWithFailures", *RUNNING):
            raise conflict(f"Only a failed or stopped execution can be retried; {row['id']} is {row['status']}.")
        if state.store.one("SELECT 1 FROM step WHERE execution = ? AND type = 'Fail' AND status = 'Failed'", execution):
            raise conflict(f"Execution {execution} was ended by a Fail step and cannot be retried.")
        time = datetime.now(UTC)
        arn = pipelines.execution_arn(state, row["pipeline"], execution)
        # It may have died between our last look and our taking of the lock.
        end_steps(state, arn, "Failed", PROCESS_GONE, time)
        body = json.loads(row["body"])
        if request.get("ParallelismConfiguration"):
            body["ParallelismConfiguration"] = request["ParallelismConfiguration"]
        state.store.write(
            "UPDATE execution SET status = 'Executing', stop_requested = 0, failure = NULL, modified = ?, body = ? "
            "WHERE id = ?",
            moment(time),
            dump(body),
            execution,
        )
        events.append(state.store, execution_event(arn, "Executing", time, retried=True, by=state.user))
        started = True
        return _named(request)

    settle(state, execution)
    descriptor = ownership.take(folder, _WAIT_SECONDS)
    if descriptor is None:
        raise conflict(f"Execution {execution} still runs.")
    ready_to_end(state, execution)
    try:
        reply = resources.once(state, "RetryPipelineExecution", request["ClientRequestToken"], request, retry)
    finally:
        if not started:
            os.close(descriptor)
    if started:
        ownership.hand_over(descriptor, state.folder, state.region, "execution", execution, folder)
    return reply


def _named(request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"PipelineExecutionArn": request["PipelineExecutionArn"]}


def _found(state: State, request: Mapping[str, Any]) -> sqlite3.Row:
    arn = request.get("PipelineExecutionArn") or ""
    row = state.store.one("SELECT * FROM execution WHERE id = ?", arn.rpartition("/")[2])
    if row is None or arn != pipelines.execution_arn(state, row["pipeline"], row["id"]):
        raise not_found(f"Pipeline execution '{arn}'")
    return row


def _settled(state: State, request: Mapping[str, Any]) -> sqlite3.Row:
    settle(state, _found(state, request)["id"])
    return _found(state, request)


def _step_texts(state: State, row: sqlite3.Row) -> dict[str, Mapping[str, Any]]:
    """DisplayName and Description by step, from the definition."""
    version = state.store.one(
        "SELECT definition FROM pipeline_version WHERE pipeline = ? AND version = ?", row["pipeline"], row["version"]
    )
    if version is None or ("DisplayName" not in version["definition"] and "Description" not in version["definition"]):
        return {}
    definition, _ = read(version["definition"])
    return {placed.step.name: placed.step.members for placed in definition.placed()} if definition else {}


def _told_step(row: sqlite3.Row, texts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    told = texts.get(row["name"], {})
    return {
        "StepName": row["name"],
        "StepDisplayName": told.get("DisplayName"),
        "StepDescription": told.get("Description"),
        "StartTime": row["started"],
        "EndTime": row["ended"],
        "StepStatus": row["status"],
        "CacheHitResult": {"SourcePipelineExecutionArn": row["cache_source"]} if row["cache_source"] else None,
        "FailureReason": row["failure"],
        "Metadata": json.loads(row["metadata"]),
        "AttemptCount": row["attempt"],
    }


def _text(value: str | int | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


OPERATIONS = {
    "DescribePipelineDefinitionForExecution": describe_pipeline_definition_for_execution,
    "DescribePipelineExecution": describe_pipeline_execution,
    "ListPipelineExecutionSteps": list_pipeline_execution_steps,
    "ListPipelineExecutions": list_pipeline_executions,
    "ListPipelineParametersForExecution": list_pipeline_parameters_for_execution,
    "RetryPipelineExecution": retry_pipeline_execution,
    "StartPipelineExecution": start_pipeline_execution,
    "StopPipelineExecution": stop_pipeline_execution,
    "UpdatePipelineExecution": update_pipeline_execution,
}
