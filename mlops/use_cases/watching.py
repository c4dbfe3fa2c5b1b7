"""Follow an execution to its end, and what then is due: its MLflow run, the notices."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mlops.deploy.executions.following import ExecutionState, StepState, describe, follow, log_tail
from mlops.deploy.executions.following import stop as stop_gently
from mlops.ir import AccountError, Definition, Listener, MlopsError
from mlops.project.environments import Environment
from mlops.use_cases.connecting import Connected
from mlops.use_cases.execution_news import Ended, Looked
from mlops.use_cases.news import Said


def watch(
    connected: Connected,
    arn: str,
    listener: Listener,
    *,
    stopping: bool = False,
    before: ExecutionState | None = None,
) -> ExecutionState:
    """How it ended, whatever that is. It is told first; then it is recorded and notices are sent where somebody asks
    for that, which is only told where it fails: the execution is what it is. ``before`` is how a try ended that is gone
    on with."""
    state = follow_to_its_end(connected, arn, listener, stopping=stopping, before=before)
    try:
        listener(Ended(about=arn, connected=connected, state=state))
        _tell_repeated_versions(connected, state, listener)
        _record_lineage(connected, state, listener)
    finally:
        try:
            record(connected, state, listener)
        except MlopsError as error:
            listener(Said(text=error.message if error.hint is None else f"{error.message}\n  help: {error.hint}"))
        finally:
            _notify(connected, state, listener)
    return state


def _tell_repeated_versions(connected: Connected, state: ExecutionState, listener: Listener) -> None:
    if connected.account.here is None or not any(step.kind == "RegisterModel" for step in state.steps):
        return
    for found in connected.account.here.repeated_versions(state.id):
        if found.number is None:
            same = f"version {found.earlier} of {found.group} is made of the same, so nothing was registered"
            listener(Said(text=f"{same}; --no-cache registers anew"))
        else:
            same = f"version {found.number} of {found.group} names the same model data and image as {found.earlier}"
            listener(Said(text=same))


def _record_lineage(connected: Connected, state: ExecutionState, listener: Listener) -> None:
    """Of the versions that it registered, while what they were made of is still there."""
    arns = [step.metadata.get("RegisterModel", {}).get("Arn") for step in state.steps if step.status == "Succeeded"]
    if not any(arns):
        return
    from mlops.deploy.models import lineage
    from mlops.deploy.models.registry import described

    for arn in filter(None, arns):
        try:
            # Also where a rerun found it; a package without a group is no version.
            if not lineage.is_recorded(connected.account, connected.environment, arn) and arn.count("/") > 1:
                lineage.record(connected.account, connected.environment, described(connected.account, arn))
        except MlopsError as error:
            listener(Said(text=f"what {arn.rpartition(':')[2]} is made of could not be recorded: {error.message}"))


def goes_on(connected: Connected, arn: str) -> str:
    """Of an execution that is no longer followed."""
    execution, elsewhere = arn.rpartition("/")[2], connected.environment.option
    return (
        f"the execution goes on; `mlops executions show {execution}{elsewhere} --watch` follows it again, "
        f"`mlops executions stop {execution}{elsewhere}` stops it"
    )


def follow_to_its_end(
    connected: Connected,
    arn: str,
    listener: Listener,
    *,
    stopping: bool = False,
    before: ExecutionState | None = None,
) -> ExecutionState:
    """The listener hears of what it and its steps do. Ctrl-C ends the following only; with ``stopping`` it stops the
    execution gently and waits for that."""

    def looked(state: ExecutionState) -> None:
        listener(Looked(about=arn, connected=connected, state=state))

    try:
        return follow(connected.account, arn, listener, looked=looked, before=before)
    except AccountError as error:
        error.hint = f"{error.hint}; {goes_on(connected, arn)}" if error.hint else goes_on(connected, arn)
        raise
    except KeyboardInterrupt as interrupt:
        if stopping:
            _stop(connected, arn, listener, looked, interrupt)
        else:
            interrupt.add_note(goes_on(connected, arn))
        raise


def _stop(
    connected: Connected,
    arn: str,
    listener: Listener,
    looked: Callable[[ExecutionState], None],
    interrupt: KeyboardInterrupt,
) -> None:
    """Gently, and to its end; what is to be said of it becomes notes of ``interrupt``."""
    execution, elsewhere = arn.rpartition("/")[2], connected.environment.option
    show = f"`mlops executions show {execution}{elsewhere}`"
    listener(Said(text=f"stopping {execution}: its steps get SIGTERM now and SIGKILL in two minutes"))
    listener(Said(text=f"interrupt again to leave it to that; {show} tells how it ended"))
    again = f"`mlops executions retry {execution}{elsewhere}` goes on where it was"
    try:
        stop_gently(connected.account, arn)
        state = follow(connected.account, arn, listener, looked=looked)
    except AccountError as error:  # it may have ended in this moment
        state = describe(connected.account, arn)
        if not state.ended:
            interrupt.add_note(f"execution {execution} could not be stopped: {error.message}")
            interrupt.add_note(goes_on(connected, arn))
            return
    except KeyboardInterrupt:
        interrupt.add_note(f"execution {execution} is stopping; {show} tells how it ended, then {again}")
        return
    if state.status == "Succeeded":
        interrupt.add_note(f"execution {execution} of {state.pipeline} succeeded before it could be stopped")
    else:
        interrupt.add_note(f"execution {execution} of {state.pipeline} is {state.status}; {again}")


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
