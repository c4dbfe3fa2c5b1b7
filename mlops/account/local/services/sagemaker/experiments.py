"""Experiments, trials and trial components, as the service makes them of the executions of pipelines: nothing of them
is stored, all is read from the executions."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import Any

from mlops.account.local.caller import user_context
from mlops.account.local.refusal import Refusal, not_found
from mlops.account.local.services.sagemaker import pipelines
from mlops.account.local.state import ACCOUNT_ID, State
from mlops.check import step_types
from mlops.ir.dataclass import dataclass
from mlops.ir.reader import read
from mlops.ir.values import Join, Ref, Value
from mlops.run.resolve import as_text

_CALLER = user_context(ACCOUNT_ID)
_PAGE = 500
_STATUS = {"Succeeded": "Completed", "Executing": "InProgress", "Starting": "InProgress"}


@dataclass(frozen=True, slots=True)
class _Trial:
    experiment: str
    name: str
    execution: sqlite3.Row


def describe_trial(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return _told_trial(state, _trial(state, request["TrialName"]))


def _told_trial(state: State, trial: _Trial) -> Mapping[str, Any]:
    return {
        "TrialName": trial.name,
        "TrialArn": state.arn(f"experiment-trial/{trial.name.lower()}"),
        "DisplayName": trial.name,
        "ExperimentName": trial.experiment,
        "Source": _source(state, trial),
        **_times(trial.execution),
    }


def describe_experiment(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["ExperimentName"]
    trial = next((found for found in _trials(state) if found.experiment == name), None)
    if trial is None:
        raise not_found(f"Experiment {name}")
    return _told_experiment(state, trial)


def _told_experiment(state: State, trial: _Trial) -> Mapping[str, Any]:
    return {
        "ExperimentName": trial.experiment,
        "ExperimentArn": state.arn(f"experiment/{trial.experiment.lower()}"),
        "DisplayName": trial.experiment,
        "Source": _source(state, trial),
        **_times(trial.execution),
    }


def list_trial_components(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Those of one trial: the jobs that its execution has started, the newest first."""
    trial = _trial(state, request.get("TrialName") or "")
    found = [*_components(state, trial)]
    if request.get("SortOrder") == "Ascending":
        found.reverse()
    return {"TrialComponentSummaries": found}


def every_experiment(state: State) -> Iterator[Mapping[str, Any]]:
    """As Describe tells them, each once."""
    told: set[str] = set()
    for trial in _trials(state):
        if trial.experiment not in told:
            told.add(trial.experiment)
            yield _told_experiment(state, trial)


def every_trial(state: State) -> Iterator[Mapping[str, Any]]:
    return (_told_trial(state, trial) for trial in _trials(state))


def every_component(state: State) -> Iterator[Mapping[str, Any]]:
    """Of all trials, each with the one that it belongs to."""
    for trial in _trials(state):
        parents = [{"TrialName": trial.name, "ExperimentName": trial.experiment}]
        for told in _components(state, trial):
            yield {**told, "Source": told["TrialComponentSource"], "Parents": parents}


def _components(state: State, trial: _Trial) -> Iterator[dict[str, Any]]:
    steps = state.store.all("SELECT * FROM step WHERE execution = ? ORDER BY started DESC", trial.execution["id"])
    return (told for step in steps if (told := _component(state, trial, step)) is not None)


def _component(state: State, trial: _Trial, step: sqlite3.Row) -> dict[str, Any] | None:
    """None for a step that is no job."""
    metadata: Mapping[str, Any] = json.loads(step["metadata"] or "{}")
    found = step_types().get(step["type"])
    kind = found.job if found is not None else None
    if kind is None:
        return None
    arn = str((metadata.get(kind.member) or {}).get("Arn") or "")
    words = "-".join(re.findall("[A-Z][a-z]*", kind.name)).lower()
    job = arn.rpartition("/")[2] or f"pipelines-{trial.execution['id']}-{step['name']}"
    name = f"{job}-aws-{words}"
    return {
        "TrialComponentName": name,
        "TrialComponentArn": state.arn(f"experiment-trial-component/{name.lower()}"),
        "DisplayName": step["name"],
        "TrialComponentSource": {"SourceArn": arn, "SourceType": f"SageMaker{kind.name}"} if arn else None,
        "Status": {
            "PrimaryStatus": _STATUS.get(step["status"], step["status"]),
            "Message": step["failure"],
        },
        "StartTime": step["started"],
        "EndTime": step["ended"],
        "CreationTime": step["started"],
        "CreatedBy": _CALLER,
        "LastModifiedTime": step["ended"] or step["started"],
        "LastModifiedBy": _CALLER,
    }


def _trial(state: State, name: str) -> _Trial:
    if not name:
        raise Refusal("ValidationException", "The local account lists the components of one trial: give TrialName.")
    # Mostly the id of its execution is, or is a part of, its name: then no other one is looked at.
    named = state.store.all("SELECT * FROM execution WHERE instr(?, id) > 0", name)
    for rows in (named, None):
        found = next((trial for trial in _trials(state, rows) if trial.name == name), None)
        if found is not None:
            return found
    raise not_found(f"Trial {name}")


def _trials(state: State, rows: Iterable[sqlite3.Row] | None = None) -> Iterator[_Trial]:
    """Of all executions, the newest first, unless some are given."""
    if rows is None:
        rows = _executions(state)
    known: dict[tuple[str, int], tuple[Value, Value] | None] = {}
    for row in rows:
        version = (row["pipeline"], row["version"])
        if version not in known:
            known[version] = _declared(state, *version)
        names = known[version]
        if names is None:
            continue
        parameters = json.loads(row["body"]).get("Parameters") or {}
        values = {
            "Execution.PipelineName": row["pipeline"],
            "Execution.PipelineArn": pipelines.arn(state, row["pipeline"]),
            "Execution.PipelineExecutionId": row["id"],
            "Execution.PipelineExecutionArn": pipelines.execution_arn(state, row["pipeline"], row["id"]),
            **{f"Parameters.{name}": value for name, value in parameters.items()},
        }
        experiment, trial = (_text(value, values) for value in names)
        if experiment and trial:
            yield _Trial(experiment, trial, row)


def _executions(state: State) -> Iterator[sqlite3.Row]:
    """A page at a time: there may be a hundred thousand."""
    for page in count():
        rows = state.store.all(
            "SELECT * FROM execution ORDER BY created DESC, id LIMIT ? OFFSET ?", _PAGE, page * _PAGE
        )
        yield from rows
        if len(rows) < _PAGE:
            return


def _declared(state: State, pipeline: str, number: int) -> tuple[Value, Value] | None:
    """What a version calls its experiment and trial; None where it wants none."""
    version = state.store.one(
        "SELECT definition FROM pipeline_version WHERE pipeline = ? AND version = ?", pipeline, number
    )
    definition, _ = read(version["definition"]) if version is not None else (None, ())
    config = definition.members.get("PipelineExperimentConfig") if definition is not None else None
    if not isinstance(config, Mapping):
        return None
    return config.get("ExperimentName"), config.get("TrialName")


def _text(value: Value, values: Mapping[str, Any]) -> str | None:
    match value:
        case Ref():
            found = values.get(value.expression)
            return None if found is None else as_text(found)
        case Join():
            parts = [_text(part, values) for part in value.values]
            return None if None in parts else value.on.join(part or "" for part in parts)
        case str():
            return value
    return None


def _source(state: State, trial: _Trial) -> dict[str, str]:
    arn = pipelines.execution_arn(state, trial.execution["pipeline"], trial.execution["id"])
    return {"SourceArn": arn, "SourceType": "SageMakerPipeline"}


def _times(execution: sqlite3.Row) -> dict[str, Any]:
    return {
        "CreationTime": execution["created"],
        "CreatedBy": _CALLER,
        "LastModifiedTime": execution["created"],
        "LastModifiedBy": _CALLER,
    }


OPERATIONS = {
    "DescribeExperiment": describe_experiment,
    "DescribeTrial": describe_trial,
    "ListTrialComponents": list_trial_components,
}
