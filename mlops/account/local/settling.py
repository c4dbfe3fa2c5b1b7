"""Executions and jobs whose process is gone say so: before anybody is told of one, its state is brought in line."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mlops.account.local import events, ownership
from mlops.account.local.state import State, dump, moment
from mlops.ir.execution_events import PROCESS_GONE, execution_event, job_event, step_event

RUNNING = ("Executing", "Stopping")
ALIVE = ("InProgress", "Stopping")
_JOBS, _OBJECTIVES = "TrainingJobStatusCounters", "ObjectiveStatusCounters"
_STEP_IS_ALIVE = "status IN ('Starting', 'Executing', 'Stopping')"
_ARE_ALIVE = "resource.status IN ('InProgress', 'Stopping')"
"""As the index of those has it."""


def settle(state: State, execution: str) -> None:
    row = state.store.one("SELECT status FROM execution WHERE id = ?", execution)
    if row is None or row["status"] not in RUNNING or ownership.owned(state.execution_folder(execution)):
        return
    ready_to_end(state, execution)
    remove_containers()
    time = datetime.now(UTC)
    # The owner commits its last word before it lets go, so whatever still runs here will never change by itself.
    with state.store.transaction() as connection:
        row = connection.execute("SELECT status, pipeline FROM execution WHERE id = ?", (execution,)).fetchone()
        if row is None or row["status"] not in RUNNING or ownership.owned(state.execution_folder(execution)):
            return
        stopped = row["status"] == "Stopping"
        status, failure = ("Stopped", None) if stopped else ("Failed", PROCESS_GONE)
        connection.execute(
            "UPDATE execution SET status = ?, failure = ?, modified = ? WHERE id = ?",
            (status, failure, moment(time), execution),
        )
        arn = state.arn(f"pipeline/{row['pipeline']}/execution/{execution}")
        end_steps(state, arn, status, failure, time)
        events.append(state.store, execution_event(arn, status, time, failure))


def ready_to_end(state: State, execution: str) -> None:
    """Before the transaction of :func:`end_steps`: what that needs is loaded while nobody waits for it. That is what
    knows all kinds of job, so nothing where no step is alive."""
    if state.store.one(f"SELECT 1 FROM step WHERE execution = ? AND {_STEP_IS_ALIVE}", execution) is not None:  # noqa: S608
        _load()


def remove_containers() -> None:
    """Those that a process which is gone has left."""
    from mlops.run.abandoned_containers import remove_abandoned

    remove_abandoned()


def _load() -> None:
    import mlops.ir.hiding
    import mlops.run.work  # noqa: F401
    from mlops.check.job_kinds import kinds_here

    kinds_here()


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
        f"SELECT name, attempt, started, metadata FROM step WHERE execution = ? AND {_STEP_IS_ALIVE}",  # noqa: S608
        (execution,),
    ).fetchall()
    if not steps:
        return steps
    connection.execute(
        f"UPDATE step SET status = ?, failure = ?, ended = ? WHERE execution = ? AND {_STEP_IS_ALIVE}",  # noqa: S608
        (status, failure, time, execution),
    )
    # Only here: to know all kinds of job is to load all types of step.
    from mlops.check.job_kinds import kinds_here
    from mlops.run.work import job_name

    # Only the end of a job's name is ours alone; the step may have died before it wrote down which job it had.
    ends = tuple(job_name(execution, step["name"], step["attempt"]).rpartition("-")[2] for step in steps)
    children = connection.execute(
        "SELECT kind, name, parent FROM job WHERE execution = ? AND execution != ''", (execution,)
    ).fetchall()
    own = {(row["kind"], row["name"]) for row in children} | {(None, row["parent"]) for row in children}
    names = {kind.name for kind in kinds_here()}
    alive = connection.execute(f"SELECT * FROM resource WHERE {_ARE_ALIVE}").fetchall()  # noqa: S608
    _end_jobs(
        connection,
        [
            job
            for job in alive
            if job["kind"] in names
            and (job["name"].endswith(ends) or (job["kind"], job["name"]) in own or (None, job["name"]) in own)
        ],
        status,
        failure,
        time,
    )
    return steps


def _end_jobs(
    connection: sqlite3.Connection, alive: Sequence[sqlite3.Row], status: str, failure: str | None, time: str
) -> None:
    from mlops.check.job_kinds import kinds_here

    kinds = {kind.name: kind for kind in kinds_here()}
    for job in alive:
        kind = kinds.get(job["kind"])
        if kind is None:
            continue
        told = {kind.status_member: status, kind.end_member: time}
        if kind.stages:
            told["SecondaryStatus"] = status
        if failure:
            told["FailureReason"] = failure
        body = json.loads(job["body"])
        if kind.starts is not None:
            told |= _counted(body, "Stopped" if status == "Stopped" else "NonRetryableError")
        connection.execute(
            "UPDATE resource SET status = ?, modified = ?, body = ? WHERE kind = ? AND name = ?",
            (status, time, dump({**body, **told}), job["kind"], job["name"]),
        )


def _counted(body: Mapping[str, Any], ended: str) -> dict[str, Any]:
    """The counters of a job whose own jobs end with it."""
    jobs, objectives = ({**(body.get(name) or {})} for name in (_JOBS, _OBJECTIVES))
    jobs[ended] = jobs.get(ended, 0) + jobs.pop("InProgress", 0)
    objectives["Failed"] = objectives.get("Failed", 0) + objectives.pop("Pending", 0)
    return {_JOBS: {**jobs, "InProgress": 0}, _OBJECTIVES: {**objectives, "Pending": 0}}


def settle_job(state: State, kind: str, name: str) -> None:
    """A job looks alive only while somebody runs it: the owner of its execution, of its parent, or of itself."""
    row = state.store.one("SELECT status FROM resource WHERE kind = ? AND name = ?", kind, name)
    if row is None or row["status"] not in ALIVE:
        return
    job = state.store.one("SELECT execution, parent FROM job WHERE kind = ? AND name = ?", kind, name)
    if job is None or job["execution"]:
        step = state.store.one("SELECT execution FROM step WHERE job = ?", f"{kind}/{name}") if job is None else job
        if step is not None:
            settle(state, step["execution"])
        return
    _settle_created(state, *(_starter(state, kind, job["parent"]) or (kind, name)))


def _starter(state: State, kind: str, parent: str) -> tuple[str, str] | None:
    """The created job ``parent`` that starts jobs of ``kind``: one of another kind may have the same name."""
    from mlops.check.job_kinds import by_name

    rows = state.store.all("SELECT kind FROM job WHERE name = ? AND execution = '' AND parent = ''", parent)
    kinds = (by_name(row["kind"]) for row in rows)
    return next(((found.name, parent) for found in kinds if found is not None and found.starts == kind), None)


def settle_jobs(state: State, kind: str) -> None:
    """All of a kind."""
    for row in state.store.all(f"SELECT name FROM resource WHERE kind = ? AND {_ARE_ALIVE}", kind):  # noqa: S608
        settle_job(state, kind, row["name"])


def _settle_created(state: State, kind: str, name: str) -> None:
    """With what it started, also where it has said its own last word."""
    from mlops.check.job_kinds import by_name

    known = by_name(kind)
    if known is None or ownership.owned(folder := state.job_folder(known.segment, name)):
        return
    _load()
    remove_containers()
    with state.store.transaction() as connection:
        alive = connection.execute(
            f"SELECT * FROM resource WHERE kind = ? AND name = ? AND {_ARE_ALIVE}",  # noqa: S608
            (kind, name),
        ).fetchall()
        alive += connection.execute(
            "SELECT resource.* FROM job JOIN resource ON resource.kind = job.kind AND resource.name = job.name "  # noqa: S608
            f"WHERE job.parent = ? AND job.kind = ? AND job.execution = '' AND {_ARE_ALIVE}",
            (name, known.starts or ""),
        ).fetchall()
        if not alive or ownership.owned(folder):
            return
        asked = state.store.one("SELECT stop_requested FROM job WHERE kind = ? AND name = ?", kind, name)
        stopped = asked is not None and asked["stop_requested"]
        status, failure = ("Stopped", None) if stopped else ("Failed", PROCESS_GONE)
        time = datetime.now(UTC)
        _end_jobs(connection, alive, status, failure, moment(time))
        if (kind, name) in {(row["kind"], row["name"]) for row in alive}:
            arn = state.arn(f"{known.segment}/{name}")
            events.append(state.store, job_event(arn, known.member, status, time, failure))


def settle_all(state: State, pipeline: str) -> None:
    for row in state.store.all(
        "SELECT id FROM execution WHERE pipeline = ? AND status IN ('Executing', 'Stopping')", pipeline
    ):
        settle(state, row["id"])
