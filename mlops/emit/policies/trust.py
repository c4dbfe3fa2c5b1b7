"""Who may take a role on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from mlops.emit.policies.approvals import starts_promotions
from mlops.emit.policies.arns import account_of
from mlops.emit.policies.batches import starts_batches
from mlops.emit.policies.delivery import STREAM, roles_of
from mlops.emit.policies.feeding import fed_by
from mlops.emit.policies.notebooks import restarts
from mlops.emit.policies.replicating import is_copied_as
from mlops.emit.policies.watching import is_scheduled, is_watched_as
from mlops.ir import Checked
from mlops.ir.surroundings import Start, Surroundings


def trust(pipeline: str | None, around: Surroundings, parts: Sequence[Checked]) -> dict[str, Any]:
    """SageMaker, what starts the pipeline where that takes the same role on, and streams and monitors among ``parts``,
    which are the pipeline and what its file declares."""
    asked = bool(around.feedback(pipeline or ""))
    return _trust(around.starts(pipeline or ""), around, parts, asked=asked)


def trust_of_all(around: Surroundings, parts: Sequence[Checked]) -> dict[str, Any]:
    """Whichever pipeline is started."""
    return _trust((*around.schedules, *around.triggers), around, parts, asked=bool(around.machines))


def _trust(
    all_starts: Iterable[Start], around: Surroundings, parts: Sequence[Checked], *, asked: bool
) -> dict[str, Any]:
    """``asked``: feedback starts a state machine."""
    steps = [step for each in parts if each.definition.of_resources for step in each.definition.steps]
    delivers = any(around.role in roles_of(step) for step in steps if step.type == STREAM)
    watches = any(is_watched_as(step, around.role) and is_scheduled(step) for step in steps)
    starts = [start for start in all_starts if start.role == around.role]
    services = {"scheduler" if start.expression is not None else "events" for start in starts}
    if asked:
        services |= {"events", "states"}
    if watches or any(starts_batches(step, around.role) or restarts(step, around.role) for step in steps):
        services.add("scheduler")
    if any(starts_promotions(step, around.role) for step in steps):
        services.add("events")
    services |= {service for step in steps if (service := fed_by(step, around.role)) is not None}
    if any(is_copied_as(step, around.role) for step in steps):
        services.add("s3")
    found: list[dict[str, Any]] = [_statement("SageMaker", "sagemaker")]
    for service in sorted(services):
        found.append(
            {
                **_statement(service.capitalize(), service),
                "Condition": {"StringEquals": {"aws:SourceAccount": account_of(around)}},
            }
        )
    if delivers:
        found.append(_firehose(around))
    return {"Version": "2012-10-17", "Statement": found}


def delivery_trust(around: Surroundings) -> dict[str, Any]:
    """Data Firehose alone: of a stream's own role."""
    return {"Version": "2012-10-17", "Statement": [_firehose(around)]}


def _firehose(around: Surroundings) -> dict[str, Any]:
    """For nobody else's streams."""
    condition = {"StringEquals": {"sts:ExternalId": account_of(around)}}
    return {**_statement("Firehose", "firehose"), "Condition": condition}


def _statement(sid: str, service: str) -> dict[str, Any]:
    principal = {"Service": f"{service}.amazonaws.com"}
    return {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
