"""``mlops run --only STEP --from EXECUTION``: a step of a past execution here, with what it was given there."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlops.cli.listening import refuse_errors
from mlops.cli.printing import talk
from mlops.ir import AccountError, UsageError
from mlops.use_cases.connecting import Connected, connect_here

if TYPE_CHECKING:
    from mlops.deploy.executions.following import ExecutionState, StepState
    from mlops.ir import Checked


_NOT_RUN = ("Condition", "Fail")
"""Kinds of steps that run nothing."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What is to be started in the local account. ``selective`` is a SelectiveExecutionConfig."""

    connected: Connected
    checked: Checked
    values: Mapping[str, str]
    selective: Mapping[str, Any] | None


def open_replay(
    target: str | None, only: Sequence[str], execution: str, environment: str, given: Mapping[str, str]
) -> Replay:
    """Without a TARGET the definition and code that ran there are taken, else those of the source as it is now. Raises
    UsageError and Refusal."""
    from mlops.check.sources import open_one
    from mlops.deploy.executions.following import describe, find
    from mlops.deploy.executions.parameters import judge
    from mlops.deploy.executions.replay import past, source_of, values_of
    from mlops.deploy.executions.selection import select, selective_config
    from mlops.project.environments import LOCAL

    opened = None
    if target is not None:
        opened = open_one(target, LOCAL)
        refuse_errors(opened.findings, doing="run")
    there = connect_here(environment, opened.root if opened else None)
    state = describe(there.account, find(there.account, execution))
    if opened is not None:
        checked = opened.pipelines[0]
        values = values_of(there.account, state, checked.definition)
    else:
        ran = past(there.account, state)
        checked, values = ran.checked, dict(ran.values)
        refuse_errors(checked.findings, doing="run")
    values = {**values, **given}
    judge(checked.definition, values)
    selection = select(checked, only)
    if there.environment.is_local:
        # A suffix may be part of its name.
        checked = replace(checked, definition=replace(checked.definition, name=state.pipeline))
        source = source_of(there.account, state, selection) if selection.needed else None
        return Replay(there, checked, values, selective_config(selection, source))
    if len(selection.steps) != 1:
        raise UsageError("of another account one step is replayed at a time", hint="give --only once")
    return brought_here(there, checked, state, selection.steps[0], values)


def brought_here(
    there: Connected, checked: Checked, state: ExecutionState, step: str, values: Mapping[str, str]
) -> Replay:
    """A step of another account as a pipeline of the local one, its inputs copied as far as the credentials go."""
    from mlops.account import confirm_account
    from mlops.deploy.executions.replay import alone, copy, inputs
    from mlops.deploy.pipelines.assets import split_uri
    from mlops.project.environments import LOCAL

    confirm_account(there.account, there.environment)
    here = connect_here(LOCAL, there.root)
    found = alone(there.account, checked, state, step, values)
    refuse_errors(found.findings, doing="run")
    needed = inputs(found)
    for uri in needed.uris:
        if split_uri(uri)[0] == here.environment.bucket:
            continue
        try:
            count, size = copy(there.account, here.account, uri, manifest=uri in needed.manifests)
        except AccountError as error:
            talk(f"{uri} could not be copied, the step does not find it here: {error.message}")
            continue
        talk(f"{uri}: {f'{count} objects, {size:,} bytes copied' if count else 'is here already, or empty'}")
    return Replay(here, found, {}, None)


def replay_command(state: ExecutionState, step: StepState, environment: str, target: str | None) -> str | None:
    """What runs a failed step again; None for any other, and where there is nothing to run. ``target`` is what the user
    started, where that is a file."""
    if step.status != "Failed" or step.kind in _NOT_RUN:
        return None
    words = ["mlops", "run", *([target] if target else []), "--only", step.name]
    elsewhere = environment != "local"
    words += ["--from", state.arn, "--from-env", environment] if elsewhere else ["--from", state.id]
    return shlex.join(words)


def need_target(target: str | None, only: Sequence[str], execution: str | None, environment: str | None) -> None:
    """What does not go together. Raises UsageError."""
    if execution is None and target is None:
        raise UsageError("there is nothing to run", hint="give a TARGET, or --only STEP --from EXECUTION")
    if execution is not None and not only:
        raise UsageError("--from goes with --only STEP", hint="`mlops executions show` names the steps")
    if environment is not None and execution is None:
        raise UsageError("--from-env goes with --from EXECUTION")
