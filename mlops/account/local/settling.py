"""Executions whose process is gone say so: before anybody is told of an execution, its state is brought in line."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime

from mlops.account.local import events, ownership
from mlops.account.local.state import State, dump, moment
from mlops.ir.execution_events import execution_event, step_event

GONE = "the process that ran it is gone"
RUNNING = ("Executing", "Stopping")


def settle(state: State, execution: str) -> None:
    row = state.store.one("SELECT status FROM execution WHERE id = ?", execution)
    if row is None or row["status"] not in RUNNING or ownership.owned(state.execution_folder(execution)):
        return
    time = datetime.now(UTC)
    # The owner commits its last word before it lets go, so whatever still runs here will never change by itself.
    with state.store.transaction() as connection:
        row = connection.execute("SELECT status, pipeline FROM execution WHERE id = ?", (execution,)).fetchone()
        if row is None or row["status"] not in RUNNING or ownership.owned(state.execution_folder(execution)):
            return
        stopped = row["status"] == "Stopping"
        status, failure = ("Stopped", None) if stopped else ("Failed", GONE)
        connection.execute(
            "UPDATE execution SET status = ?, failure = ?, modified = ? WHERE id = ?",
            (status, failure, moment(time), execution),
        )
        arn = state.arn(f"pipeline/{row['pipeline']}/execution/{execution}")
        end_steps(state, arn, status, failure, time)
        events.append(state.store, execution_event(arn, status, time, failure))


def end_steps(state: State, arn: str, status: str, failure: str | None, time: datetime) -> None:
    """Inside the caller's transaction: steps and jobs of the execution that nobody runs any more do not look alive."""
    with state.store.transaction() as connection:
        steps = _end_steps(connection, arn.rpartition("/")[2], status, failure, moment(time))
    told = [
        step_event(
            arn,
            step["name"],
            status,
            time,
            attempt=step["attempt"],
            metadata=json.loads(step["metadata"]),
            failure=failure,
            seconds=(time - datetime.fromisoformat(step["started"])).total_seconds(),
        )
        for step in steps
    ]
    events.append(state.store, *told)


def _end_steps(
    connection: sqlite3.Connection, execution: str, status: str, failure: str | None, time: str
) -> list[sqlite3.Row]:
    """Those that were alive."""
    steps = connection.execute(
        "SELECT name, attempt, started, metadata FROM step "
        "WHERE execution = ? AND status IN ('Starting', 'Executing', 'Stopping')",
        (execution,),
    ).fetchall()
    if not steps:
        return steps
    connection.execute(
        "UPDATE step SET status = ?, failure = ?, ended = ? "
        "WHERE execution = ? AND status IN ('Starting', 'Executing', 'Stopping')",
        (status, failure, time, execution),
    )
    # Only here: to know all kinds of job is to load all types of step.
    from mlops.check.job_kinds import kinds_here
    from mlops.run.work import job_name

    # Only the end of a job's name is ours alone; the step may have died before it wrote down which job it had.
    ends = tuple(job_name(execution, step["name"], step["attempt"]).rpartition("-")[2] for step in steps)
    kinds = {kind.name: kind for kind in kinds_here()}
    alive = connection.execute("SELECT * FROM resource WHERE status IN ('InProgress', 'Stopping')").fetchall()
    for job in alive:
        kind = kinds.get(job["kind"])
        if kind is not None and job["name"].endswith(ends):
            told = {kind.status_member: status, kind.end_member: time}
            if failure:
                told["FailureReason"] = failure
            connection.execute(
                "UPDATE resource SET status = ?, modified = ?, body = ? WHERE kind = ? AND name = ?",
                (status, time, dump({**json.loads(job["body"]), **told}), job["kind"], job["name"]),
            )
    return steps


def settle_all(state: State, pipeline: str) -> None:
    for row in state.store.all(
        "SELECT id FROM execution WHERE pipeline = ? AND status IN ('Executing', 'Stopping')", pipeline
    ):
        settle(state, row["id"])
