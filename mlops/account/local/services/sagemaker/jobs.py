"""Jobs of every kind that runs here, as the runs of this account have recorded them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeAlias

from mlops.account.local.refusal import Refusal
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.settling import settle_job, settle_jobs
from mlops.account.local.state import State, dump, now
from mlops.check.job_kinds import kinds_here
from mlops.ir import JobKind
from mlops.ir.members import get
from mlops.run.ports import Child

_Answer: TypeAlias = Callable[[State, Mapping[str, Any]], Mapping[str, Any]]


NO_JOBS = {
    "TrainingJobStatusCounters": dict.fromkeys(
        ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped"), 0
    ),
    "ObjectiveStatusCounters": dict.fromkeys(("Succeeded", "Pending", "Failed"), 0),
}
"""What is told of one that starts jobs, also where it failed before its first."""


def describe(kind: JobKind, state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    body = found(kind, state, request[kind.name_member])
    return body if kind.starts is None else {**NO_JOBS, **body}


def found(kind: JobKind, state: State, name: str) -> dict[str, Any]:
    """As it is now; one whose process is gone says so."""
    settle_job(state, kind.name, name)
    body = resources.find(state, kind.name, name)
    if body is None:
        raise Refusal("ValidationException", kind.missing.format(name=name))
    return body


def list_jobs(kind: JobKind, state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    settle_jobs(state, kind.name)
    found = resources.query(kind.name, request, descending=kind.newest_first)
    rows, token = found.page(state.store, request)
    return {kind.summaries: [_summary(kind, resources.body_of(row)) for row in rows], "NextToken": token}


def _summary(kind: JobKind, body: Mapping[str, Any]) -> Mapping[str, Any]:
    body = body if kind.starts is None else {**NO_JOBS, **body}
    return {**body, **{member: get(body, *path) for member, path in kind.summarized.items()}}


def record(state: State, kind: str, name: str, description: Mapping[str, Any]) -> None:
    """Make or replace what is told of a job. One that somebody stops tells that until it has ended."""
    body = {member: value for member, value in description.items() if member != "LastModifiedTime"}
    status = str(description.get(f"{kind}Status", ""))
    if status == "InProgress" and _is_being_stopped(state, kind, name):
        status = body[f"{kind}Status"] = "Stopping"
    time = now()
    state.store.write(
        "INSERT INTO resource VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (kind, name) DO UPDATE "
        "SET modified = excluded.modified, status = excluded.status, body = excluded.body",
        kind,
        name,
        time,
        time,
        status,
        dump(body),
    )


def _is_being_stopped(state: State, kind: str, name: str) -> bool:
    row = state.store.one("SELECT stop_requested FROM job WHERE kind = ? AND name = ?", kind, name)
    return row is not None and bool(row["stop_requested"])


def record_child(state: State, execution: str, kind: str, name: str, child: Child) -> None:
    """``execution`` is empty where the parent is no step's job."""
    state.store.write(
        "INSERT INTO job (kind, name, execution, parent, log, body) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (kind, name) DO UPDATE SET log = excluded.log, body = excluded.body",
        kind,
        name,
        execution,
        child.parent,
        str(child.log),
        dump(child.told),
    )


class _Operations(Mapping[str, _Answer]):
    """Those of a kind, made when they are asked for: to know all kinds is to load all types of step."""

    _NAME = re.compile(r"(?:Describe|List)\w+Job(?:s|V\d)?")

    def __getitem__(self, operation: str) -> _Answer:
        if self._NAME.fullmatch(operation):
            for kind in kinds_here():
                if operation == kind.describe:
                    return partial(describe, kind)
                if operation == kind.list_operation:
                    return partial(list_jobs, kind)
        raise KeyError(operation)

    def __iter__(self) -> Iterator[str]:
        return iter([name for kind in kinds_here() for name in (kind.describe, kind.list_operation)])

    def __len__(self) -> int:
        return 2 * len(kinds_here())


OPERATIONS = _Operations()
