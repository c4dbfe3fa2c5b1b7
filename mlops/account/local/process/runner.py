"""The process that owns one execution, job, endpoint or stream, or the clock of the account.

It is ``python -m mlops.account.local.process.runner STATE KIND ID``.

It is started by StartPipelineExecution, CreateEndpoint, PutRecord or what creates a job, has a session of its own, and
lives as long as its work. A second one for the same ends at once. With ``--wait`` alone it loads what an execution
needs and then takes the rest of its arguments from the socket that is its standard input.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import socket
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from mlops.account.local import datasets, ownership, reserve
from mlops.account.local.images.shelf import Shelf
from mlops.account.local.process.ports import (
    LocalCache,
    LocalCallbacks,
    LocalFunctions,
    LocalJobJournal,
    LocalJournal,
    LocalObjects,
    LocalRegistry,
    local_secret,
)
from mlops.account.local.services.sagemaker import pipelines
from mlops.account.local.services.sagemaker.selection import select
from mlops.account.local.settling import RUNNING, end_steps
from mlops.account.local.state import ACCOUNT_ID, State
from mlops.account.local.step_records import succeeded
from mlops.ir import ConfigurationError, MlopsError, full_disk
from mlops.ir.stub import Stub
from mlops.project.private import UMASK
from mlops.run.outcome import REASON_LIMIT

ALREADY_OWNED = 75  # EX_TEMPFAIL
_LONGEST_ORDER = 65_536
_LONGEST_REASON = 1300  # botocore: PipelineExecutionFailureReason
_JOB = "job"
"""What a job on its own is called as a step."""
_LAST_TRIES, _LAST_SECONDS = 20, 0.25
_log = logging.getLogger("mlops.runner")


def main(arguments: list[str] | None = None) -> int:
    if (sys.argv[1:] if arguments is None else arguments) == [ownership.WAIT]:
        arguments = _told()
        if arguments is None:
            return 0
    parser = argparse.ArgumentParser(prog="python -m mlops.account.local.process.runner")
    parser.add_argument("state", type=Path)
    parser.add_argument("kind", choices=("execution", "endpoint", "job", "stream", "clock"))
    parser.add_argument("id")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--lock", type=int, help="an inherited descriptor that holds the lock already")
    given = parser.parse_args(arguments)
    os.umask(UMASK)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    state = State(given.state, given.region)
    folder = _folder(state, given.kind, given.id)
    lock = given.lock
    if lock is not None:
        # Steps and model servers must not keep the lock when this process is gone.
        os.set_inheritable(lock, False)
    elif (lock := ownership.take(folder)) is None:
        _log.info("%s %s is run by another process", given.kind, given.id)
        return ALREADY_OWNED
    # Where this process was started is nobody's business, and may vanish.
    os.chdir(folder)
    if given.kind == "execution":
        run_execution(state, given.id, folder)
    elif given.kind == "job":
        run_job(state, given.id, folder)
    elif given.kind == "stream":
        from mlops.account.local.process.delivering import deliver

        deliver(state, given.id, lock)
    elif given.kind == "clock":
        # Nor does it need what ticks.
        from mlops.account.local.process.clock.ticking import run_clock

        run_clock(state, lock)
    else:
        # An execution needs no server.
        from mlops.account.local.process.serving.endpoint import serve

        serve(state, given.id, folder)
    return 0


def _folder(state: State, kind: str, name: str) -> Path:
    """A job is named by its kind, as in an ARN, and its name."""
    match kind:
        case "execution":
            return state.execution_folder(name)
        case "job":
            segment, _, job = name.partition("/")
            return state.job_folder(segment, job)
        case "stream":
            # With the forms and compressions that only streams need.
            from mlops.account.local.services.firehose import streams

            return streams.folder_of(state, name)
        case "clock":
            return state.clock_folder
    return state.endpoint_folder(name)


def _told() -> list[str] | None:
    """None where whoever started this process ahead needs it no more."""
    import mlops.run.execute  # noqa: F401 - loaded while nobody waits
    from mlops.check import step_types

    tuple(step_types())  # each is loaded when it is first asked for
    with socket.socket(fileno=0) as orders:
        text, descriptors, _, _ = socket.recv_fds(orders, _LONGEST_ORDER, 2)
    if not text:
        return None
    lock, log = descriptors
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, place in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(descriptor, place)
    os.close(log)
    return [*json.loads(text), "--lock", str(lock)]


def run_execution(state: State, execution_id: str, folder: Path) -> None:
    """Whatever happens, the execution is not left running in the store when nothing runs it."""
    row = state.store.one("SELECT * FROM execution WHERE id = ?", execution_id)
    if row is None or row["status"] not in RUNNING:
        _log.info("execution %s has nothing to run", execution_id)
        return
    journal = LocalJournal(state, execution_id)
    reserve.keep(state.folder)
    reserve.keep(folder, reserve.LAST_WORD_SIZE)
    try:
        _log.info("execution %s: %s", execution_id, _carried_out(state, row, folder, journal))
    except Exception as error:
        with suppress(OSError):  # the log may be what has no place
            traceback.print_exc()
        reserve.give_back(folder)
        _say(partial(_last_word, state, row["pipeline"], execution_id, _reason(error, folder)))
    finally:
        reserve.give_back(folder)


def _carried_out(state: State, row: sqlite3.Row, folder: Path, journal: LocalJournal) -> str:
    """How it ended. Raises what kept it from ending so."""
    from mlops.run.execute import execute
    from mlops.run.limits import asked_memory
    from mlops.run.ports import Execution, Ports

    body = json.loads(row["body"])
    version = state.store.one(
        "SELECT definition, body FROM pipeline_version WHERE pipeline = ? AND version = ?",
        row["pipeline"],
        row["version"],
    )
    if version is None:
        raise LookupError(f"version {row['version']} of pipeline {row['pipeline']} is gone")
    finished = succeeded(state, row["id"])
    if body.get("SelectiveExecutionConfig"):
        selection = select(state, row["pipeline"], version["definition"], body["SelectiveExecutionConfig"])
        checked, finished = selection.checked, {**selection.finished, **finished}
    else:
        checked = pipelines.bound(version)
    arn = pipelines.execution_arn(state, row["pipeline"], row["id"])
    return execute(
        checked,
        Execution(
            pipeline_name=row["pipeline"],
            pipeline_arn=pipelines.arn(state, row["pipeline"]),
            execution_id=row["id"],
            execution_arn=arn,
            started=datetime.fromisoformat(row["created"]),
            region=state.region,
            account=ACCOUNT_ID,
            parameters=body["Parameters"],
            folder=folder,
            max_parallel=(body.get("ParallelismConfiguration") or {}).get("MaxParallelExecutionSteps"),
            finished=finished,
            use_cache=body.get("UseCache", True),
            interruptions=body.get("Interruptions") or {},
            memory_limit=asked_memory(os.environ),
            stubs={name: Stub.of(given) for name, given in (body.get("Stubs") or {}).items()},
        ),
        Ports(
            LocalObjects(state),
            LocalRegistry(state, arn, journal),
            journal,
            LocalCache(state, row["pipeline"]),
            LocalFunctions(state),
            LocalCallbacks(state, arn),
            partial(local_secret, state),
            partial(datasets.place_of, state),
            Shelf(state.folder),
        ),
    )


def run_job(state: State, named: str, folder: Path) -> None:
    """A job on its own runs as a step would that is alone in its pipeline. Whatever happens, it is not left running."""
    from mlops.account.local.services.sagemaker import created_jobs
    from mlops.check import step_types
    from mlops.check.job_kinds import by_segment
    from mlops.ir import Checked, Definition, Step
    from mlops.run.execute import execute
    from mlops.run.limits import asked_memory
    from mlops.run.ports import Execution, Ports

    segment, _, name = named.partition("/")
    kind = by_segment(segment)
    step_type = created_jobs.type_of(kind) if kind is not None else None
    request = created_jobs.requested(state, kind, name) if kind is not None else None
    if kind is None or step_type is None or request is None:
        _log.info("%s has nothing to run", named)
        return
    journal = LocalJobJournal(state, kind, name)
    step = Step(_JOB, step_type.type, _as_written(json.loads(request)))
    checked = Checked(Definition(name, steps=(step,)), (), step_types(), {_JOB: frozenset()}, (_JOB,))
    reserve.keep(state.folder)
    reserve.keep(folder, reserve.LAST_WORD_SIZE)
    try:
        status = execute(
            checked,
            Execution(
                pipeline_name=name,
                pipeline_arn="",
                execution_id=name,
                execution_arn=state.arn(f"{segment}/{name}"),
                started=datetime.now(UTC),
                region=state.region,
                account=ACCOUNT_ID,
                parameters={},
                folder=folder,
                memory_limit=asked_memory(os.environ),
                job_names={_JOB: name},
            ),
            Ports(
                LocalObjects(state),
                LocalRegistry(state, "", journal),
                journal,
                secret=partial(local_secret, state),
                dataset=partial(datasets.place_of, state),
                images=Shelf(state.folder),
            ),
        )
        _log.info("%s: %s", named, status)
    except Exception as error:
        with suppress(OSError):
            traceback.print_exc()
        reserve.give_back(folder)
        _say(partial(journal.execution, "Failed", _reason(error, folder)[:REASON_LIMIT]))
    finally:
        reserve.give_back(folder)


def _as_written(value: Any) -> Any:
    """As a definition has it; nothing in a request is an expression."""
    match value:
        case dict():
            return {name: _as_written(item) for name, item in value.items()}
        case list():
            return tuple(map(_as_written, value))
    return value


def _reason(error: Exception, folder: Path) -> str:
    if full_disk.is_full(error):
        return f"{full_disk.told(folder)}: {full_disk.HINT}"
    if isinstance(error, MlopsError):
        return f"{error.message}: {error.hint}" if error.hint else error.message
    return f"the runner failed: {error!r}; see {folder / ownership.RUNNER_LOG}"


def _last_word(state: State, pipeline: str, execution_id: str, reason: str) -> None:
    """Neither the execution nor its steps look alive any more."""
    with state.store.transaction():
        LocalJournal(state, execution_id).execution("Failed", reason[:_LONGEST_REASON])
        arn = pipelines.execution_arn(state, pipeline, execution_id)
        end_steps(state, arn, "Failed", reason[:REASON_LIMIT], datetime.now(UTC))


def _say(last_word: Callable[[], None]) -> None:
    """A disk that is full may have place in a moment."""
    for left in reversed(range(_LAST_TRIES)):
        try:
            last_word()
            return
        except ConfigurationError:
            if not left:
                raise
            time.sleep(_LAST_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
