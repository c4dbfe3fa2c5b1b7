"""Executions that an account has: look at them, stop them, go on with them.

An execution is named by its id, the beginning of it, its ARN or ``last``; None is the newest.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mlops.check import step_types
from mlops.deploy.executions import following
from mlops.deploy.executions.awaited import awaited
from mlops.deploy.executions.curves import Curves, Measured
from mlops.deploy.executions.details import definition_of_execution
from mlops.deploy.executions.following import ExecutionState, StepState, describe, find, log_lines
from mlops.deploy.executions.iterations import meant
from mlops.deploy.executions.log_following import Printed
from mlops.ir import Listener, StepType, UsageError
from mlops.ir.choices import instead
from mlops.ir.dataclass import dataclass
from mlops.ir.execution_events import PROCESS_GONE
from mlops.ir.hiding import hide
from mlops.use_cases import watching
from mlops.use_cases.approval import NOBODY, Consent, need_consent
from mlops.use_cases.connecting import Connected, connect_here
from mlops.use_cases.execution_news import Awaits, Looked
from mlops.use_cases.watching import goes_on

_RUN_NOTHING = ("Condition", "Fail")
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
    """A step that failed: its reason, the end of its log, and the command that runs it again on this machine, with the
    code as it is now where it names a file, else as it ran."""

    step: StepState
    log: tuple[str, ...]
    replay: str | None
    is_as_it_is_now: bool = False


@dataclass(frozen=True, slots=True)
class LogLine:
    step: str
    text: str


@dataclass(frozen=True, slots=True)
class Log:
    """``could_print``: some of the steps are jobs or call functions. ``unstarted`` failed before they had either."""

    lines: Iterator[LogLine]
    could_print: bool
    unstarted: tuple[str, ...] = ()


def listed(environment: str, pipeline: str | None = None, most: int | None = None) -> tuple[Mapping[str, Any], ...]:
    """Summaries, newest first; of all pipelines where none is named."""
    return following.listed(connect_here(environment).account, pipeline, most)


def as_list(summaries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, object]]:
    """For programs."""
    return [
        {
            "arn": item["PipelineExecutionArn"],
            "id": str(item["PipelineExecutionArn"]).rpartition("/")[2],
            "pipeline": item["PipelineName"],
            "status": item["PipelineExecutionStatus"],
            "started": item["StartTime"],
            "failure": item.get("PipelineExecutionFailureReason"),
            "display_name": item.get("PipelineExecutionDisplayName"),
            "description": item.get("PipelineExecutionDescription"),
        }
        for item in summaries
    ]


def found(environment: str, execution: str | None) -> Found:
    connected = connect_here(environment)
    return Found(connected, find(connected.account, execution))


def failures(connected: Connected, state: ExecutionState, target: str | None = None) -> Iterator[Failure]:
    """``target`` is what the user started, where that is a file."""
    commands = replay_commands(connected, state, target)
    for step in state.steps:
        if step.status == "Failed":
            log = tuple(log_lines(connected.account, step))[-LOG_END:]
            yield Failure(step, log, commands.get(step.name), bool(target))


def replay_commands(connected: Connected, state: ExecutionState, target: str | None = None) -> Mapping[str, str]:
    """What runs a failed step again on this machine, by step; only of those that can run here. ``target`` is what the
    user started, where that is a file."""
    failed = [step for step in state.steps if step.status == "Failed"]
    if not failed:
        return {}
    runs_here = {name for found in _run_here() for name in (found.type, found.job.member if found.job else found.type)}
    unknown = [step for step in failed if not step.kind]
    if unknown:  # it failed before it began, so the account tells nothing of it
        definition, _ = definition_of_execution(connected.account, state.arn)
        types = {found.type for found in _run_here()}
        declared = {step.name: definition.step(step.name) for step in unknown}
        able = {name for name, step in declared.items() if step is not None and step.type in types}
    else:
        able = set()
    able |= {step.name for step in failed if step.kind in runs_here}
    elsewhere = not connected.environment.is_local
    past = ["--from", state.arn, "--from-env", connected.environment.name] if elsewhere else ["--from", state.id]
    words = ["mlops", "run", *([target] if target else [])]
    return {step.name: shlex.join([*words, "--only", step.name, *past]) for step in failed if step.name in able}


def _run_here() -> Iterator[StepType]:
    """Types of steps that do something on this machine."""
    return (found for found in step_types().values() if found.action is not None and found.type not in _RUN_NOTHING)


def as_dictionary(connected: Connected, state: ExecutionState, target: str | None = None) -> Mapping[str, object]:
    """For programs. ``replay`` is the command that runs a failed step again on this machine."""
    commands = replay_commands(connected, state, target)
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
                "stub": step.stub,
                "replay": commands.get(step.name),
            }
            for step in state.steps
        ],
    }


def watch(
    execution: Found, listener: Listener, *, stopping: bool = False, before: ExecutionState | None = None
) -> ExecutionState:
    """As :func:`mlops.use_cases.watching.watch` does, of an execution that goes on already."""
    connected, arn = execution.connected, execution.arn
    definition, _ = definition_of_execution(connected.account, arn)
    listener(Awaits(about=arn, steps=awaited(definition)))
    return watching.watch(connected, arn, listener, stopping=stopping, before=before)


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
    """What the steps printed, or only ``step``: of a loop all of its body, of one of that all iterations. Raises
    UsageError where there is no such step."""
    state, account = execution.state, execution.connected.account
    is_meant = _meant(execution, state, step)
    chosen = [item for item in state.steps if is_meant(item.name)]
    if step is not None and not chosen:
        known = [item.name for item in state.steps]
        raise UsageError(f"execution {state.id} has no step {step!r}{instead(step, known, 'it has')}")
    lines = (LogLine(item.name, line) for item in chosen for line in log_lines(account, item))
    # Only a step that did something has told what it is.
    unstarted = tuple(item.name for item in chosen if item.status == "Failed" and not item.kind)
    return Log(lines, any(item.job or item.function for item in chosen), unstarted)


def logged_elsewhere(execution: Found, step: str | None = None) -> Mapping[str, str]:
    """The log groups of the functions that the steps called, or only ``step``, by step, where their lines cannot be
    told apart from those of others."""
    account = execution.connected.account
    if account.here is not None:
        return {}
    called = (item for item in execution.state.steps if item.function is not None and step in (None, item.name))
    return {item.name: item.log_group for item in called if item.log_group is not None}


def log_until_the_end(execution: Found, step: str | None = None) -> Log:
    """The same, and what they print until the execution has ended, as it comes. A ``step`` may be one that has not
    begun yet. Ctrl-C ends the following only."""
    return Log(_printed(execution, _need_step(execution, step)), could_print=True)


def _printed(execution: Found, is_meant: Callable[[str], bool]) -> Iterator[LogLine]:
    account = execution.connected.account
    printed = Printed(account)
    try:
        while True:
            state = execution.state
            for item in state.steps:
                if is_meant(item.name):
                    yield from (LogLine(item.name, line) for line in printed.since(item))
            if state.ended:
                return
            account.rest(execution.arn, 0.2)
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(goes_on(execution.connected, execution.arn))
        raise


def metrics(execution: Found, step: str | None = None, *, following: bool = False) -> Iterator[Measured]:
    """What the training jobs, or that of ``step``, have measured so far, in the order of their logs; ``following``
    until the execution has ended."""
    state, account = execution.state, execution.connected.account
    is_meant = _meant(execution, state, step)
    curves = Curves(account)
    try:
        while True:
            for item in state.steps:
                if is_meant(item.name):
                    yield from curves.since(item)
            if state.ended or not following:
                return
            account.rest(execution.arn, 0.2)
            state = execution.state
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(goes_on(execution.connected, execution.arn))
        raise


def _meant(execution: Found, state: ExecutionState, step: str | None) -> Callable[[str], bool]:
    if step is not None and any(item.name == step and item.kind not in ("", "ForEach") for item in state.steps):
        return step.__eq__
    return _need_step(execution, step)


def _need_step(execution: Found, step: str | None) -> Callable[[str], bool]:
    """Which are meant; one may not have begun yet."""
    if step is None:
        return lambda name: True
    definition, _ = definition_of_execution(execution.connected.account, execution.arn)
    found = meant(definition, step)
    if found is None:
        there = instead(step, [placed.step.name for placed in definition.placed()], "it has")
        raise UsageError(f"execution {execution.arn.rpartition('/')[2]} has no step {step!r}{there}")
    return found


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


def way_on(state: ExecutionState, elsewhere: str = "") -> str | None:
    """Of one that ended and that nothing was wrong with. ``elsewhere`` is the option of its environment."""
    if state.status == "Stopped" or (state.status == "Failed" and state.failure == PROCESS_GONE):
        return f"`mlops executions retry {state.id}{elsewhere}` goes on behind what had ended"
    return None


def retry(execution: Found, consent: Consent = NOBODY) -> ExecutionState:
    """Go on where it failed or was stopped; steps that succeeded are not repeated. Gives what was before."""
    connected = execution.connected
    before = following.need_retriable(connected.account, connected.environment, execution.arn)
    need_consent(connected, f"go on with the execution {execution.arn.rpartition('/')[2]}", consent)
    following.retry(connected.account, connected.environment, execution.arn)
    return before
