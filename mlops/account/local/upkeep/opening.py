"""Look around where a step ran: its ``/opt/ml``, its environment, its sandbox.

A step that failed has left its folders, and they are opened as they are. Of one that succeeded they are made anew, by
the action that ran it and from the request that is on record; they go when the command ends.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from mlops.account.local.images.shelf import Shelf
from mlops.account.local.process.ports import LocalObjects, LocalRegistry
from mlops.account.local.services.sagemaker import pipelines, resources
from mlops.account.local.settling import settle
from mlops.account.local.state import ACCOUNT_ID, State
from mlops.check import step_types
from mlops.check.shapes import shape
from mlops.ir import Refusal, Step, UsageError
from mlops.ir.hiding import hide
from mlops.run.beneath import remove
from mlops.run.outcome import Task
from mlops.run.pace import Pace
from mlops.run.ports import Child, Execution, Ports, StepRecord
from mlops.run.work import Prepared, Work

_STILL_RUNNING = ("Starting", "Executing", "Stopping")


class _Unwritten:
    """A registry and a journal that change nothing: what is prepared again is not a job."""

    def __init__(self, state: State) -> None:
        self._registry = LocalRegistry(state, "")
        self._objects = LocalObjects(state)
        self._images = Shelf(state.folder)

    def ports(self) -> Ports:
        return Ports(self._objects, self, self, images=self._images)

    def describe(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._registry.describe(operation, request)

    def identical(self, request: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return None

    def latest_approved(self, group: str) -> Mapping[str, Any] | None:
        return self._registry.latest_approved(group)

    def create(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        raise Refusal(f"{operation} is not done when a step is opened")

    def record_job(self, kind: str, name: str, description: Mapping[str, Any]) -> None:
        return None

    def record_child(self, kind: str, name: str, child: Child) -> None:
        return None

    def steps(self, records: Sequence[StepRecord]) -> None:
        return None

    def execution(self, status: str, failure: str | None = None) -> None:
        return None

    def stop_requested(self) -> bool:
        return False

    def jobs_to_stop(self) -> frozenset[str]:
        return frozenset()


def open_step(
    state: State,
    execution: str,
    name: str,
    command: Sequence[str],
    say: Callable[[str], None],
    *,
    debug: bool = False,
) -> int:
    """Run ``command``, a shell where it is empty, where the last attempt of the step ran; with ``debug`` the step's own
    under the debugger. Answers its exit status. Raises UsageError for a step that was not run here, Refusal for one
    that still runs."""
    settle(state, execution)
    step = _last_attempt(state, execution, name, follow=debug)
    if step["status"] in _STILL_RUNNING:
        raise Refusal(f"{name} still runs", hint=f"wait for it, or `mlops executions stop {execution}`")
    attempt = Path(step["log"]).parent
    folder = Path(tempfile.mkdtemp(prefix="opened-", dir=attempt))
    try:
        return _open(state, step, attempt, folder, command, say, debug)
    finally:
        remove(folder)


def _open(
    state: State,
    step: sqlite3.Row,
    attempt: Path,
    folder: Path,
    command: Sequence[str],
    say: Callable[[str], None],
    debug: bool,
) -> int:
    from mlops.run.debugger import debugged
    from mlops.run.sandbox import Box
    from mlops.run.terminal import run

    work, start = _work(state, step, folder)
    prepared = _prepare(work, start)
    if debug:
        command = debugged(step["name"], prepared.command)
    ran = shlex.join(hide([*prepared.command]))
    box = work.box(network=_network(work.request), python=prepared.python)
    if (attempt / "ml").is_dir():
        box = Box(attempt / "ml", attempt / "scratch", box.isolation, box.network, box.secret, box.python)
        say(f"/opt/ml as attempt {step['attempt']} of {step['name']} left it, in {attempt}; it ran: {ran}")
    else:
        say(f"/opt/ml as attempt {step['attempt']} of {step['name']} found it; it ran: {ran}")
    shell = [shutil.which("bash") or "/bin/sh"]
    return run(command or shell, box, environment=prepared.environment, cwd=prepared.cwd, log=work.log)


def _last_attempt(state: State, execution: str, name: str, *, follow: bool) -> sqlite3.Row:
    """``follow``: of one that was served from the cache that of the execution which ran it."""
    row = state.store.one(
        "SELECT * FROM step WHERE execution = ? AND name = ? ORDER BY attempt DESC LIMIT 1", execution, name
    )
    if row is None:
        known = state.store.all("SELECT DISTINCT name FROM step WHERE execution = ? ORDER BY started", execution)
        raise UsageError(
            f"execution {execution} ran no step {name!r}",
            hint=f"it ran {', '.join(item['name'] for item in known) or 'none'}",
        )
    if row["cache_source"]:
        source = str(row["cache_source"]).rpartition("/")[2]
        if follow:
            return _last_attempt(state, source, name, follow=follow)
        raise UsageError(
            f"{name} was not run in {execution}: its result is that of {source}",
            hint=f"`mlops executions open {name} --execution {source}`",
        )
    types = step_types()
    if row["type"] not in types or not types[row["type"]].opens:
        can = " and ".join(sorted(found.type for found in types.values() if found.opens))
        raise UsageError(f"{name} is a {row['type']} step; only {can} steps can be opened")
    if not row["job"] or not row["log"]:
        raise UsageError(f"{name} of {execution} never came as far as its command", hint=f"it says: {row['failure']}")
    return row


def _work(state: State, step: sqlite3.Row, folder: Path) -> tuple[Work, Callable[[Work], Task]]:
    from mlops.run.actions import action_of
    from mlops.run.sandbox import probe

    execution = state.store.one("SELECT * FROM execution WHERE id = ?", step["execution"])
    kind, _, job = step["job"].partition("/")
    description = resources.find(state, kind, job)
    version = execution and state.store.one(
        "SELECT definition FROM pipeline_version WHERE pipeline = ? AND version = ?",
        execution["pipeline"],
        execution["version"],
    )
    if execution is None or version is None or description is None:
        raise UsageError(f"the records of {step['name']} are not complete any more")
    body = json.loads(execution["body"])
    asked = shape("sagemaker", f"Create{kind}Request")
    checked = pipelines.checked(version["definition"])
    step_type = checked.step_types.get(step["type"])
    work = Work(
        step=Step(step["name"], step["type"]),
        step_type=step_type,
        request={member: value for member, value in description.items() if asked is None or member in asked.members},
        execution=Execution(
            pipeline_name=execution["pipeline"],
            pipeline_arn=pipelines.arn(state, execution["pipeline"]),
            execution_id=execution["id"],
            execution_arn=pipelines.execution_arn(state, execution["pipeline"], execution["id"]),
            started=datetime.fromisoformat(execution["created"]),
            region=state.region,
            account=ACCOUNT_ID,
            parameters=body["Parameters"],
            folder=folder,
        ),
        ports=_Unwritten(state).ports(),
        folder=folder,
        log=folder / "log.txt",
        name=job,
        isolation=probe(),
        pace=Pace(grace=0.0),
        checked=checked,
        only_prepare=True,
    )
    return work, action_of(step_type, step["type"])


def _prepare(work: Work, start: Callable[[Work], Task]) -> Prepared:
    try:
        outcome = start(work).poll()
    except Prepared as prepared:
        return prepared
    raise Refusal(
        f"{work.step.name} cannot be opened: {outcome.failure if outcome else 'its action started something else'}",
        hint="inputs may have been removed since; run the step again with `mlops run TARGET --only`",
    )


def _network(request: Mapping[str, Any]) -> bool:
    return not (
        request.get("EnableNetworkIsolation") or (request.get("NetworkConfig") or {}).get("EnableNetworkIsolation")
    )
