"""Executions that an account has: look at them, stop them, go on with them.

An execution is named by its id, the beginning of it, its ARN or ``last``; None is the newest.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlops.deploy.executions import following
from mlops.deploy.executions.following import ExecutionState, StepState, describe, find, log_lines
from mlops.ir import Listener, UsageError
from mlops.ir.hiding import hide
from mlops.project.environments import LOCAL
from mlops.use_cases import watching
from mlops.use_cases.approval import NOBODY, Consent, need_consent
from mlops.use_cases.connecting import Connected, connect_here
from mlops.use_cases.news import Looked

_NOT_RUN = ("Condition", "Fail")
"""Kinds of steps that run nothing."""
LOG_END = 20
"""Lines of a failed step's log that belong to its failure."""


@dataclass(frozen=True, slots=True)
class Found:
    """An execution, and whose it is."""

    connected: Connected
    arn: str

    @property
    def state(self) -> ExecutionState:
        """As it is now."""
        return describe(self.connected.account, self.arn)


@dataclass(frozen=True, slots=True)
class Failure:
    """A step that failed: its reason, the end of its log, and the command that runs it again on this machine."""

    step: StepState
    log: tuple[str, ...]
    replay: str | None


@dataclass(frozen=True, slots=True)
class LogLine:
    step: str
    text: str


@dataclass(frozen=True, slots=True)
class Log:
    """``has_jobs``: some of the steps could have printed something. ``unstarted`` failed before they had a job."""

    lines: Iterator[LogLine]
    has_jobs: bool
    unstarted: tuple[str, ...] = ()


def listed(environment: str, pipeline: str | None = None, most: int | None = None) -> tuple[Mapping[str, Any], ...]:
    """Summaries, newest first; of all pipelines where none is named."""
    return following.listed(connect_here(environment).account, pipeline, most)


def found(environment: str, execution: str | None) -> Found:
    connected = connect_here(environment)
    return Found(connected, find(connected.account, execution))


def failures(connected: Connected, state: ExecutionState, target: str | None = None) -> Iterator[Failure]:
    """``target`` is what the user started, where that is a file."""
    for step in state.steps:
        if step.status == "Failed":
            log = tuple(log_lines(connected.account, step))[-LOG_END:]
            yield Failure(step, log, replay_command(state, step, connected.environment.name, target))


def replay_command(state: ExecutionState, step: StepState, environment: str, target: str | None) -> str | None:
    """What runs a failed step again; None for any other, and where there is nothing to run. ``target`` is what the user
    started, where that is a file."""
    if step.status != "Failed" or step.kind in _NOT_RUN:
        return None
    words = ["mlops", "run", *([target] if target else []), "--only", step.name]
    elsewhere = environment != LOCAL
    words += ["--from", state.arn, "--from-env", environment] if elsewhere else ["--from", state.id]
    return shlex.join(words)


def as_dictionary(state: ExecutionState, environment: str, target: str | None = None) -> Mapping[str, object]:
    """For programs. ``replay`` is the command that runs a failed step again on this machine."""
    return {
        "arn": state.arn,
        "id": state.id,
        "pipeline": state.pipeline,
        "status": state.status,
        "failure": state.failure,
        "steps": [
            {
                "name": step.name,
                "type": step.kind or None,
                "status": step.status,
                "started": step.started and step.started.isoformat(),
                "seconds": step.seconds,
                "failure": step.failure,
                "metadata": hide(step.metadata),
                "cached": step.cached,
                "replay": replay_command(state, step, environment, target),
            }
            for step in state.steps
        ],
    }


def record(execution: Found, listener: Listener) -> str:
    """The MLflow run, made or found. Raises UsageError where the execution still runs or nobody asks for one."""
    connected, state = execution.connected, execution.state
    if not state.ended:
        raise UsageError(f"execution {state.id} of {state.pipeline} still runs ({state.status})")
    run = watching.record(connected, state, listener)
    if run is None:
        raise UsageError(
            f"neither {state.pipeline} nor the environment {connected.environment.name!r} asks for MLflow",
            hint="write `mlflow = true` (local), a tracking URI or an ARN below [env.NAME] in mlops.toml",
        )
    return run


def log(execution: Found, step: str | None = None) -> Log:
    """What the steps printed, or only ``step``. Raises UsageError where there is no such step."""
    state, account = execution.state, execution.connected.account
    chosen = [item for item in state.steps if step is None or item.name == step]
    if step is not None and not chosen:
        known = ", ".join(item.name for item in state.steps)
        raise UsageError(f"execution {state.id} has no step {step!r}; it has {known}")
    lines = (LogLine(item.name, line) for item in chosen for line in log_lines(account, item))
    # Only a step that did something has told what it is.
    unstarted = tuple(item.name for item in chosen if item.status == "Failed" and not item.kind)
    return Log(lines, any(item.job for item in chosen), unstarted)


def stop(execution: Found, listener: Listener, consent: Consent = NOBODY, *, watching_it: bool) -> ExecutionState:
    """No step starts any more, those that run get SIGTERM; with ``watching_it`` its state when all have ended."""
    connected = execution.connected
    following.need_running(connected.account, execution.arn)
    need_consent(connected, f"stop the execution {execution.arn.rpartition('/')[2]}", consent)
    following.request_stop(connected.account, connected.environment, execution.arn)
    if watching_it:

        def looked(state: ExecutionState) -> None:
            listener(Looked(about=execution.arn, connected=connected, state=state))

        following.follow(connected.account, execution.arn, listener, looked=looked)
    return execution.state


def retry(execution: Found, consent: Consent = NOBODY) -> None:
    """Go on where it failed or was stopped; steps that succeeded are not repeated."""
    connected = execution.connected
    following.need_retriable(connected.account, connected.environment, execution.arn)
    need_consent(connected, f"go on with the execution {execution.arn.rpartition('/')[2]}", consent)
    following.retry(connected.account, connected.environment, execution.arn)
