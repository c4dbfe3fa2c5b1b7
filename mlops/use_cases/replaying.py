"""A step of a past execution here, with what it was given there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mlops.account import confirm_account
from mlops.check.sources import open_one
from mlops.deploy.executions.following import ExecutionState, describe, find
from mlops.deploy.executions.replay import alone, copy, inputs, past, source_of, values_of
from mlops.deploy.executions.selection import select, selective_config
from mlops.ir import AccountError, Checked, Listener, UsageError
from mlops.ir.counted import counted
from mlops.ir.dataclass import dataclass
from mlops.ir.s3_uri import split_uri
from mlops.ir.start_values import judge
from mlops.project.environments import LOCAL
from mlops.use_cases.approval import GIVEN, need_consent
from mlops.use_cases.connecting import Connected, connect_here
from mlops.use_cases.judging import need_sound
from mlops.use_cases.news import Said
from mlops.use_cases.running import Chosen


@dataclass(frozen=True, slots=True)
class Past:
    """``steps`` of ``execution``, of the account of ``environment``."""

    execution: str
    steps: tuple[str, ...]
    environment: str = LOCAL


def open_replay(target: str | None, of: Past, given: Mapping[str, str], listener: Listener) -> Chosen:
    """Without a TARGET the definition and code that ran there are taken, else those of the source as it is now. Raises
    UsageError and Refusal."""
    opened = None
    if target is not None:
        opened = open_one(target, LOCAL)
        need_sound(opened.findings, listener, doing="run")
    there = connect_here(of.environment, opened.project if opened else None)
    state = describe(there.account, find(there.account, of.execution))
    if opened is not None:
        checked = opened.pipelines[0]
        values = values_of(there.account, state, checked.definition)
    else:
        ran = past(there.account, state)
        checked, values = ran.checked, dict(ran.values)
        need_sound(checked.findings, listener, doing="run")
        told = f"{', '.join(of.steps)} {'runs' if len(of.steps) == 1 else 'run'} with the code of execution {state.id}"
        listener(Said(text=f"{told}; name the pipeline file to run what your files say now"))
    values = {**values, **given}
    judge(checked.definition, values)
    selection = select(checked, of.steps)
    if there.environment.is_local:
        # A suffix may be part of its name.
        checked = replace(checked, definition=replace(checked.definition, name=state.pipeline))
        source = source_of(there.account, state, selection) if selection.needed else None
        return Chosen(there, checked, values, selective_config(selection, source))
    if len(selection.steps) != 1:
        raise UsageError("of another account one step is replayed at a time", hint="give --only once")
    return brought_here(there, PastStep(checked, state, selection.steps[0], values), listener)


@dataclass(frozen=True, slots=True)
class PastStep:
    """The step ``name`` of an execution, as ``checked`` has it, with the parameters' ``values``."""

    checked: Checked
    state: ExecutionState
    name: str
    values: Mapping[str, str]


def brought_here(there: Connected, step: PastStep, listener: Listener) -> Chosen:
    """A step of another account as a pipeline of the local one, its inputs copied as far as the credentials go."""
    confirm_account(there.account, there.environment)
    found = alone(there.account, step.checked, step.state, step.name, step.values)
    need_sound(found.findings, listener, doing="run")
    here = connect_here(LOCAL, there.root)
    need_consent(here, "run it here", GIVEN)
    needed = inputs(found)
    for uri in needed.uris:
        if split_uri(uri)[0] == here.environment.bucket:
            continue
        try:
            count, size = copy(there.account, here.account, uri, manifest=uri in needed.manifests)
        except AccountError as error:
            listener(Said(text=f"{uri} could not be copied, the step does not find it here: {error.message}"))
            continue
        told = f"{counted(count, 'object')}, {size:,} bytes copied" if count else "is here already, or empty"
        listener(Said(text=f"{uri}: {told}"))
    return Chosen(here, found, {})
