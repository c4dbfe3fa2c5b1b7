"""The training jobs of a tuning job."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from mlops.account.local.refusal import invalid
from mlops.account.local.services.sagemaker import jobs
from mlops.account.local.state import State
from mlops.check.job_kinds import by_name

_PAGE = 100
_TUNING, _TRAINING = "HyperParameterTuningJob", "TrainingJob"
_OF_THE_JOB = (
    "TrainingJobName",
    "TrainingJobArn",
    "TrainingStartTime",
    "TrainingEndTime",
    "TrainingJobStatus",
    "FailureReason",
)


def list_training_jobs(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    kind = by_name(_TUNING)
    if kind is None:
        raise invalid("There are no tuning jobs here.")
    name = request["HyperParameterTuningJobName"]
    jobs.found(kind, state, name)
    rows = state.store.all(
        "SELECT job.name, job.body AS told, resource.body, resource.created FROM job "
        "JOIN resource ON resource.kind = job.kind AND resource.name = job.name WHERE job.parent = ? AND job.kind = ?",
        name,
        _TRAINING,
    )
    listed = [_summary(row) for row in rows]
    if request.get("StatusEquals"):
        listed = [item for item in listed if item["TrainingJobStatus"] == request["StatusEquals"]]
    by = request.get("SortBy") or "Name"
    best_first = by == "FinalObjectiveMetricValue"
    if best_first:  # as the guide has it: those without one are not listed
        listed = [item for item in listed if _value(item) is not None]
    key = {
        "Name": lambda item: item["TrainingJobName"],
        "CreationTime": lambda item: (item["CreationTime"], item["TrainingJobName"]),
        "Status": lambda item: (item["TrainingJobStatus"], item["TrainingJobName"]),
        "FinalObjectiveMetricValue": lambda item: (_value(item), item["TrainingJobName"]),
    }[by]
    listed.sort(key=key, reverse=request.get("SortOrder") == "Descending")
    start = _start(request.get("NextToken"))
    most = request.get("MaxResults") or _PAGE
    following = str(start + most) if len(listed) > start + most else None
    return {"TrainingJobSummaries": listed[start : start + most], "NextToken": following}


def _summary(row: sqlite3.Row) -> dict[str, Any]:
    described, told = json.loads(row["body"]), json.loads(row["told"])
    own = {member: described[member] for member in _OF_THE_JOB if described.get(member) is not None}
    summary = {"CreationTime": described.get("CreationTime") or row["created"], **told, **own}
    if summary.get("ObjectiveStatus") == "Pending" and summary["TrainingJobStatus"] not in ("InProgress", "Stopping"):
        summary["ObjectiveStatus"] = "Failed"
    return summary


def _value(summary: Mapping[str, Any]) -> float | None:
    value: float | None = (summary.get("FinalHyperParameterTuningJobObjectiveMetric") or {}).get("Value")
    return value


def _start(token: str | None) -> int:
    if not token:
        return 0
    if not (token.isascii() and token.isdigit() and len(token) < 10):
        raise invalid("NextToken was not made by this list")
    return int(token)


OPERATIONS = {"ListTrainingJobsForHyperParameterTuningJob": list_training_jobs}
