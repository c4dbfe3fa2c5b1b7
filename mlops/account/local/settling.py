"""Executions whose process is gone say so: before anybody is told of an execution, its state is brought in line."""

from __future__ import annotations

from mlops.account.local import ownership
from mlops.account.local.state import State, now

GONE = "the process that ran it is gone"
RUNNING = ("Executing", "Stopping")


def settle(state: State, execution: str) -> None:
    row = state.store.one("SELECT status FROM execution WHERE id = ?", execution)
    if row is None or row["status"] not in RUNNING or ownership.owned(state.execution_folder(execution)):
        return
    time = now()
    # The owner commits its last word before it lets go, so whatever still runs here will never change by itself.
    with state.store.transaction() as connection:
        row = connection.execute("SELECT status FROM execution WHERE id = ?", (execution,)).fetchone()
        if row is None or row["status"] not in RUNNING or ownership.owned(state.execution_folder(execution)):
            return
        stopped = row["status"] == "Stopping"
        status, failure = ("Stopped", None) if stopped else ("Failed", GONE)
        connection.execute(
            "UPDATE execution SET status = ?, failure = ?, modified = ? WHERE id = ?",
            (status, failure, time, execution),
        )
        connection.execute(
            "UPDATE step SET status = ?, failure = ?, ended = ? "
            "WHERE execution = ? AND status IN ('Starting', 'Executing', 'Stopping')",
            (status, failure, time, execution),
        )


def settle_all(state: State, pipeline: str) -> None:
    for row in state.store.all(
        "SELECT id FROM execution WHERE pipeline = ? AND status IN ('Executing', 'Stopping')", pipeline
    ):
        settle(state, row["id"])
