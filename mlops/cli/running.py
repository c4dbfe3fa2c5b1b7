"""Start an execution, follow it, and say how it ended: shared by ``run`` and ``start --watch``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mlops.cli.printing import print_json, printable, table, talk
from mlops.cli.progress import Events, Progress, summary
from mlops.cli.replaying import replay_command
from mlops.ir import AccountError, Refusal
from mlops.ir.hiding import hide

if TYPE_CHECKING:
    from mlops.deploy.executions.following import ExecutionState, StepState
    from mlops.ir import Definition
    from mlops.project.environments import Environment
    from mlops.use_cases.connecting import Connected

_TAIL = 3
"""Lines of a running step's log that are shown on a terminal."""
LOG_END = 20
"""Lines of a failed step's log that are shown."""


def watch(connected: Connected, arn: str, *, as_json: bool, target: str | None = None, stopping: bool = False) -> None:
    """``target`` is what was started, where that is a file. Raises Refusal where the execution did not succeed. Ctrl-C
    ends the watching only; with ``stopping`` it stops the execution gently and waits for that."""
    from mlops.deploy.executions.following import follow, stop

    execution, elsewhere = arn.rpartition("/")[2], connected.environment.option
    goes_on = (
        f"the execution goes on; `mlops executions show {execution}{elsewhere} --watch` follows it again, "
        f"`mlops executions stop {execution}{elsewhere}` stops it"
    )
    with Events() if as_json else Progress(lambda step: _tail(connected, step)) as progress:
        try:
            state = follow(connected.account, arn, progress, looked=progress.looked)
        except AccountError as error:
            error.hint = f"{error.hint}; {goes_on}" if error.hint else goes_on
            raise
        except KeyboardInterrupt as interrupt:
            if not stopping:
                interrupt.add_note(goes_on)
                raise
            talk(f"stopping {execution}: its steps get SIGTERM now and SIGKILL in two minutes")
            talk(f"interrupt again to leave it to that; `mlops executions show {execution}` tells how it ended")
            stop(connected.account, arn)
            follow(connected.account, arn, progress, looked=progress.looked)
            raise
    record(connected, state)
    try:
        tell(connected, state, as_json=as_json, target=target)
    finally:
        # A channel may take its time.
        sys.stdout.flush()
        _notify(connected, state)


def _notify(connected: Connected, state: ExecutionState) -> None:
    if connected.environment.notify is None:
        return
    from mlops.deploy.notify import notices, tell_all

    try:
        found = notices(connected.account, connected.environment, state)
    except AccountError as error:
        talk(f"what to tell could not be asked: {error.message}")
        return
    for failure in tell_all(connected.account, connected.environment, found, connected.root):
        talk(failure)


def _tail(connected: Connected, step: StepState) -> tuple[str, ...]:
    from mlops.deploy.executions.following import log_tail

    try:
        return log_tail(connected.account, step, _TAIL)
    except AccountError as error:  # the execution goes on without its log, and is followed on
        return (f"(its log cannot be read: {error.message})",)


def need_recording(environment: Environment, definition: Definition) -> None:
    """Raises ConfigurationError before anything runs where recording is asked for and cannot be done."""
    config = definition.members.get("MlflowConfig")
    if environment.mlflow or (config and environment.is_local):
        from mlops.deploy.executions.recording import tracking
        from mlops.observe.experiments import need_mlflow

        where = tracking(environment, config if isinstance(config, Mapping) else None, definition.name or "")
        if where is not None:
            need_mlflow(where)


def record(connected: Connected, state: ExecutionState) -> str | None:
    """The MLflow run of an execution that ended, where it is to have one."""
    if not connected.environment.mlflow and not (state.mlflow and connected.environment.is_local):
        return None
    from mlops.deploy.executions.recording import record_execution

    run = record_execution(connected.account, connected.environment, state)
    if run is not None:
        talk(f"recorded to MLflow as run {run}")
    return run


def tell(connected: Connected, state: ExecutionState, *, as_json: bool, target: str | None) -> None:
    """The steps on standard output, the reason of a failure on standard error."""
    if as_json:
        print_json(as_dictionary(state, connected.environment.name, target))
    else:
        table(("STEP", "TYPE", "STATUS", "SECONDS"), summary(state))
    failed = [step for step in state.steps if step.status == "Failed"]
    for step in failed:
        tell_failure(connected, state, step, target)
    if state.status != "Succeeded":
        reason = f": {state.failure}" if state.failure else ""
        raise Refusal(
            f"execution {state.id} of {state.pipeline} is {state.status}{reason}",
            hint=f"`mlops executions logs {state.id} STEP{connected.environment.option}` shows the whole log"
            if any(step.job for step in failed)
            else None,
        )
    if not as_json:
        talk(f"execution {state.id} of {state.pipeline} succeeded")


def as_dictionary(state: ExecutionState, environment: str, target: str | None = None) -> Mapping[str, object]:
    """``replay`` is the command that runs a failed step again on this machine."""
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


def _without_log(reason: Sequence[str], shown: Sequence[str]) -> Sequence[str]:
    """The reason may quote the end of the log, which follows anyway; of that its last line says most."""
    first, last = reason[0], reason[-1]
    quoted = next((line for line in shown if first.endswith(f": {line}")), None)
    if len(reason) == 1 or quoted is None or last not in shown:
        return [line for line in reason if line not in shown] or reason
    return [first.removesuffix(quoted) + last, *(line for line in reason[1:] if line not in shown)]


def tell_failure(connected: Connected, state: ExecutionState, step: StepState, target: str | None = None) -> None:
    """The reason, the log's end, and the command that runs the step again on this machine."""
    from mlops.deploy.executions.following import log_lines

    shown = [printable(line) for line in list(log_lines(connected.account, step))[-LOG_END:]]
    reason = [printable(line) for line in (step.failure or "no reason was given").splitlines()]
    talk(f"{step.name} failed: " + "\n  ".join(_without_log(reason, shown)))
    for line in shown:
        talk(f"  | {line}")
    again = replay_command(state, step, connected.environment.name, target)
    if again is not None:
        talk(f"  replay it here: {again}")
    sys.stderr.flush()
