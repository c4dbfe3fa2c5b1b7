"""Follow an execution to its end, and what then is due: its MLflow run, the notices."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.deploy.executions.following import ExecutionState, StepState, follow, log_tail
from mlops.deploy.executions.following import stop as stop_gently
from mlops.ir import AccountError, Definition, Listener, MlopsError
from mlops.project.environments import Environment
from mlops.use_cases.connecting import Connected
from mlops.use_cases.news import Ended, Looked, Said


def watch(connected: Connected, arn: str, listener: Listener, *, stopping: bool = False) -> ExecutionState:
    """How it ended, whatever that is. It is told first; then it is recorded and notices are sent where somebody asks
    for that, which is only told where it fails: the execution is what it is."""
    state = follow_to_its_end(connected, arn, listener, stopping=stopping)
    try:
        listener(Ended(about=arn, connected=connected, state=state))
    finally:
        try:
            record(connected, state, listener)
        except MlopsError as error:
            listener(Said(text=error.message if error.hint is None else f"{error.message}\n  help: {error.hint}"))
        finally:
            _notify(connected, state, listener)
    return state


def follow_to_its_end(connected: Connected, arn: str, listener: Listener, *, stopping: bool = False) -> ExecutionState:
    """The listener hears of what it and its steps do. Ctrl-C ends the following only; with ``stopping`` it stops the
    execution gently and waits for that."""
    execution, elsewhere = arn.rpartition("/")[2], connected.environment.option
    goes_on = (
        f"the execution goes on; `mlops executions show {execution}{elsewhere} --watch` follows it again, "
        f"`mlops executions stop {execution}{elsewhere}` stops it"
    )

    def looked(state: ExecutionState) -> None:
        listener(Looked(about=arn, connected=connected, state=state))

    try:
        return follow(connected.account, arn, listener, looked=looked)
    except AccountError as error:
        error.hint = f"{error.hint}; {goes_on}" if error.hint else goes_on
        raise
    except KeyboardInterrupt as interrupt:
        if not stopping:
            interrupt.add_note(goes_on)
            raise
        listener(Said(text=f"stopping {execution}: its steps get SIGTERM now and SIGKILL in two minutes"))
        again = f"interrupt again to leave it to that; `mlops executions show {execution}` tells how it ended"
        listener(Said(text=again))
        stop_gently(connected.account, arn)
        follow(connected.account, arn, listener, looked=looked)
        raise


def tail(connected: Connected, step: StepState, lines: int) -> tuple[str, ...]:
    """The last that a running step printed."""
    try:
        return log_tail(connected.account, step, lines)
    except AccountError as error:  # the execution goes on without its log, and is followed on
        return (f"(its log cannot be read: {error.message})",)


def need_recording(environment: Environment, definition: Definition) -> None:
    """Raises ConfigurationError before anything runs where recording is asked for and cannot be done."""
    config = definition.members.get("MlflowConfig")
    if environment.mlflow or (config and environment.is_local):
        from mlops.deploy.executions.recording import tracking  # only where recording is asked for
        from mlops.observe.experiments import need_mlflow

        where = tracking(environment, config if isinstance(config, Mapping) else None, definition.name or "")
        if where is not None:
            need_mlflow(where)


def record(connected: Connected, state: ExecutionState, listener: Listener) -> str | None:
    """The MLflow run of an execution that ended, where it is to have one."""
    if not connected.environment.mlflow and not (state.mlflow and connected.environment.is_local):
        return None
    from mlops.deploy.executions.recording import record_execution  # only where recording is asked for

    run = record_execution(connected.account, connected.environment, state)
    if run is not None:
        listener(Said(text=f"recorded to MLflow as run {run}"))
    return run


def _notify(connected: Connected, state: ExecutionState, listener: Listener) -> None:
    if connected.environment.notify is None:
        return
    from mlops.deploy.bounded import TookTooLong, within  # only where somebody wants to hear
    from mlops.deploy.notify import LONGEST_SECONDS, notices, tell_all

    try:
        found = within(LONGEST_SECONDS, lambda: notices(connected.account, connected.environment, state))
    except (AccountError, TookTooLong) as error:
        listener(Said(text=f"what to tell could not be asked: {error}"))
        return
    for failure in tell_all(connected.account, connected.environment, found, connected.root):
        listener(Said(text=failure))
