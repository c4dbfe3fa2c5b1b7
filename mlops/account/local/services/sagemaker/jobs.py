"""Training, processing and transform jobs, as the runs of this account have recorded them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from mlops.account.local.refusal import Refusal
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import State, dump, now

KINDS = ("TrainingJob", "ProcessingJob", "TransformJob")
_LISTS = {
    "TrainingJob": "TrainingJobSummaries",
    "ProcessingJob": "ProcessingJobSummaries",
    "TransformJob": "TransformJobSummaries",
}
_DESCENDING = frozenset({"TransformJob"})


def describe(kind: str, state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    body = resources.find(state, kind, request[f"{kind}Name"])
    if body is None:
        if kind == "TrainingJob":
            raise Refusal("ValidationException", "Requested resource not found.")
        raise Refusal("ValidationException", f"Could not find requested job with name: {request[f'{kind}Name']}")
    return body


def list_jobs(kind: str, state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    found = resources.query(kind, request, descending=kind in _DESCENDING)
    rows, token = found.page(state.store, request)
    return {_LISTS[kind]: [resources.body_of(row) for row in rows], "NextToken": token}


def record(state: State, kind: str, name: str, description: Mapping[str, Any]) -> None:
    """Make or replace what is told of a job."""
    body = {member: value for member, value in description.items() if member != "LastModifiedTime"}
    time = now()
    state.store.write(
        "INSERT INTO resource VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (kind, name) DO UPDATE "
        "SET modified = excluded.modified, status = excluded.status, body = excluded.body",
        kind,
        name,
        time,
        time,
        str(description.get(f"{kind}Status", "")),
        dump(body),
    )


OPERATIONS = {
    **{f"Describe{kind}": partial(describe, kind) for kind in KINDS},
    **{f"List{kind}s": partial(list_jobs, kind) for kind in KINDS},
}
