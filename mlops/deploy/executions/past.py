"""What ended executions did, as events, of an account that keeps none: made of what it tells of them, the same each
time it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from mlops.account import Account
from mlops.deploy.executions.following import describe, listed
from mlops.ir import Event
from mlops.ir.execution_events import execution_event, step_event

MOST = 200
"""Executions that are asked for, the newest: each is two calls and more."""


def past_events(account: Account, since: datetime) -> Iterator[Event]:
    """Of the newest executions that began after ``since`` and have ended. Attempts before the last are not told."""
    for summary in listed(account, None, MOST):
        began = summary["StartTime"].astimezone(UTC)
        if began < since:
            return
        state = describe(account, str(summary["PipelineExecutionArn"]))
        if not state.ended:
            continue
        yield execution_event(state.arn, "Executing", began)
        last = began
        for step in state.steps:
            if step.ended is None:
                continue
            last = max(last, step.ended.astimezone(UTC))
            yield step_event(
                state.arn,
                step.name,
                step.status,
                step.ended.astimezone(UTC),
                attempt=step.attempt,
                metadata=step.metadata,
                failure=step.failure,
                cached=step.cached,
                seconds=step.seconds,
            )
        yield execution_event(state.arn, state.status, last, state.failure)
