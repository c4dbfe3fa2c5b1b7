"""What the steps of an execution gave: where their jobs wrote, what they made, and the values that functions, callbacks
and conditions answered."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from mlops.account import Account, answers
from mlops.account.missing import unless_missing
from mlops.check.job_kinds import by_name
from mlops.deploy.executions.details import jobs_of
from mlops.deploy.executions.following import ExecutionState, StepState
from mlops.ir import JobKind

_CHECK = (
    "CalculatedBaselineStatistics",
    "CalculatedBaselineConstraints",
    "BaselineUsedForDriftCheckStatistics",
    "BaselineUsedForDriftCheckConstraints",
    "ViolationReport",
)
_TOLD: Mapping[str, tuple[str, ...]] = {
    "Athena": ("QueryExecutionId", "S3OutputLocation"),
    "ClarifyCheck": _CHECK,
    "Condition": ("Outcome",),
    "EMR": ("ClusterId", "StepId", "LogFilePath"),
    "EMRServerless": ("ApplicationId", "JobRunId", "LogFilePath"),
    "HubContent": ("HubArn", "HubContentArn"),
    "Lineage": ("ActionArns", "ArtifactArns", "ContextArns"),
    "QualityCheck": _CHECK,
}
"""Members of a step's Metadata that others may go on with; of what is made by other kinds, its ARN."""
_NOTHING_MADE = frozenset({"Callback", "Cleanup", "Fail", "ForEach", "Lambda"})


def outputs(account: Account, state: ExecutionState) -> dict[str, dict[str, Any]]:
    """By step and name, in the order of the steps; a step that gave nothing is left out."""
    jobs = jobs_of(account, state)
    found: dict[str, dict[str, Any]] = {}
    for step in state.steps:
        given = _made(account, step, jobs.get(step.name)) if step.status == "Succeeded" else {}
        told = step.metadata.get(step.kind) or {}
        given |= {item["Name"]: item["Value"] for item in told.get("OutputParameters") or ()}
        if given:
            found[step.name] = given
    return found


def _made(account: Account, step: StepState, described: Mapping[str, Any] | None) -> dict[str, Any]:
    kind, given = step.job_kind, dict[str, Any]()
    if described is not None and kind is not None:
        given = {name: uri for _, name, uri in kind.uris(kind.outputs, described)}
        if kind.starts is not None:
            given |= _best(account, kind, described)
    made = ("Arn",) if kind is None and step.kind not in _NOTHING_MADE else ()
    told = step.metadata.get(step.kind) or {}
    return given | {name: told[name] for name in _TOLD.get(step.kind, made) if told.get(name)}


def _best(account: Account, kind: JobKind, described: Mapping[str, Any]) -> dict[str, Any]:
    """Of a job that starts others: the name of the best, and what that wrote."""
    name = (described.get("BestTrainingJob") or {}).get("TrainingJobName")
    started = by_name(kind.starts or "")
    if name is None or started is None:
        return {}
    describe = getattr(account.client("sagemaker"), started.describe_method)
    with answers():
        found = unless_missing(partial(describe, **{started.name_member: name}))
    wrote = {} if found is None else {called: uri for _, called, uri in started.uris(started.outputs, found)}
    return {"BestTrainingJob": name, **wrote}
