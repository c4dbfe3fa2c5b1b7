"""A monitor's schedule: its job here wants files that only a client can list, and somebody who tells what it found. So
`mlops monitor run` is started for the window, in a process of its own.

Of one monitor one runs at a time. Until the events say that the window was looked at, the delivery is tried again: a
process that was killed meanwhile is followed by another one, which goes on with the same job.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import mlops
from mlops.account.local import events, ownership
from mlops.account.local.process.clock.ports import MONITOR
from mlops.account.local.process.clock.target import Delivery, Target
from mlops.account.local.process.clock.targets import operation
from mlops.account.local.refusal import Refusal, invalid
from mlops.account.local.state import ACCOUNT_ID, State
from mlops.ir import Event
from mlops.ir.duration import seconds_of
from mlops.ir.resource import SHORT_NAME
from mlops.project.files import write_bytes
from mlops.project.private import FILE, opener

ENDED, FAILED = "monitor.ended", "monitor.failed"
_ARN = re.compile(r"arn:aws[\w-]*:scheduler:::aws-sdk:sagemaker:createProcessingJob")
_NAME, _AT = "MLOPS_MONITOR", "MLOPS_MONITOR_UNTIL"
_CALLED = re.compile(SHORT_NAME)
"""It becomes a folder and a word of a command, and anybody may make a schedule."""
_ORIGIN, _ENVIRONMENT = "mlops:origin", re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]*")
_SETTLED = timedelta(seconds=10)
"""What is captured is written five seconds later."""
_PACKAGE = Path(mlops.__file__).parent.parent


def _deliver(state: State, delivery: Delivery) -> Mapping[str, str]:
    try:
        request = json.loads(delivery.text or "{}")
        variables = request.get("Environment") or {}
        name, at = variables.get(_NAME), variables.get(_AT)
        since, until = _window(request, at) if name and at else ("", "")
    except (ValueError, TypeError, AttributeError, RecursionError, LookupError, ArithmeticError) as error:
        raise invalid(f"The input of the schedule starts no monitor: {error}") from None
    if name is None or not since:
        return operation.deliver(state, delivery)
    if not _CALLED.fullmatch(str(name)):
        raise invalid(f"{str(name)[:80]!r} is no name of a monitor")
    told = _told(state, str(name), since, until)
    if told is None and datetime.now(UTC) >= datetime.fromisoformat(until) + _SETTLED:
        _run(state, str(name), since, until)
    if told is None:
        raise Refusal("ThrottlingException", f"the monitor {name} looks at {since} to {until}")
    if told.kind == FAILED:
        raise invalid(f"the monitor {name} failed: {told.detail.get('reason')}")
    return {key: value for key, value in told.ids.items() if key in ("monitor", "job")}


def _window(request: Mapping[str, Any], at: str) -> tuple[str, str]:
    """The last one that had ended when the schedule was due."""
    _, *parts = request["AppSpecification"]["ContainerArguments"]
    size = seconds_of(json.loads("".join(parts)).get("window") or "1h")
    end = datetime.fromisoformat(at).timestamp() // size * size
    first, last = (f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}" for moment in (end - size, end))
    return first, last


def _told(state: State, name: str, since: str, until: str) -> Event | None:
    """That the window was looked at, by whomever; or that what was started here for it failed."""
    began = _began(state.folder / "monitors" / name, f"{since} {until}")
    found, after = None, 0
    while page := events.read(state.store, after, kinds=(ENDED, FAILED), ids={"monitor": name}):
        for event in page:
            after = event.sequence or after
            if (event.detail.get("since"), event.detail.get("until")) != (since, until):
                continue
            if event.kind == ENDED:
                return event
            if began is not None and after > began:
                found = event
    return found


def _began(folder: Path, window: str) -> int | None:
    """The last event before the run for that window was started; None where none was."""
    try:
        of, _, sequence = (folder / "began").read_text().rpartition(" ")
    except FileNotFoundError:
        return None
    return int(sequence) if of == window else None


def environment_of(state: State, name: str) -> str | None:
    """Of several environments of this account the one that declared it, whose bucket is its own: the tags of its group
    say so, behind the file. None where nobody has."""
    arn = f"arn:aws:scheduler:{state.region}:{ACCOUNT_ID}:schedule-group/mlops-monitor-{name}"
    row = state.store.one("SELECT value FROM tag WHERE arn = ? AND key = ?", arn, _ORIGIN)
    _, of, environment = str(row["value"]).rpartition(" in ") if row is not None else ("", "", "")
    return environment if of and _ENVIRONMENT.fullmatch(environment) else None


def _run(state: State, name: str, since: str, until: str) -> None:
    """Start it where none runs."""
    folder = state.folder / "monitors" / name
    lock = ownership.take(folder)
    if lock is None:
        return
    try:
        if _told(state, name, since, until) is not None:
            return  # it ended a moment ago
        window = f"{since} {until}"
        if _began(folder, window) is None:
            write_bytes(folder / "began", f"{window} {events.last(state.store)}".encode(), mode=FILE)
        words = [*MONITOR.get(), name, "--since", since, "--until", until, "--once", "--yes"]
        if (environment := environment_of(state, name)) is not None:
            words += ["--env", environment]
        path = os.pathsep.join(filter(None, (str(_PACKAGE), os.environ.get("PYTHONPATH"))))
        with open(folder / "run.log", "wb", opener=opener) as log:
            process = subprocess.Popen(
                [sys.executable, "-P", *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=state.folder.parent,
                env={**os.environ, "PYTHONPATH": path},
                pass_fds=(lock,),
                start_new_session=True,
            )
    finally:
        os.close(lock)
    ownership.reap(process)


TARGET = Target(_ARN, _deliver)
