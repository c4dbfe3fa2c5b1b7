"""What the steps of an execution gave: where their jobs wrote, and the values that functions and callbacks answered."""

from __future__ import annotations

from typing import Any

from mlops.account import Account
from mlops.deploy.executions.details import jobs_of
from mlops.deploy.executions.following import ExecutionState


def outputs(account: Account, state: ExecutionState) -> dict[str, dict[str, Any]]:
    """By step and name, in the order of the steps; a step that gave nothing is left out."""
    jobs = jobs_of(account, state)
    found: dict[str, dict[str, Any]] = {}
    for step in state.steps:
        described, kind = jobs.get(step.name), step.job_kind
        given: dict[str, Any] = {}
        if described is not None and kind is not None and step.status == "Succeeded":
            given = {name: uri for _, name, uri in kind.uris(kind.outputs, described)}
        told = step.metadata.get(step.kind) or {}
        given |= {item["Name"]: item["Value"] for item in told.get("OutputParameters") or ()}
        if given:
            found[step.name] = given
    return found
