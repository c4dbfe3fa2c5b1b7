"""A pipeline in the local account: what is to be started, and starting it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import partial
from typing import TYPE_CHECKING, Any

from mlops.account import RunOptions
from mlops.check.given_values import concerning, misfits
from mlops.check.sources import open_one
from mlops.deploy.executions import interruptions
from mlops.deploy.executions.awaited import awaited
from mlops.deploy.executions.following import ExecutionState, start
from mlops.deploy.executions.selection import newest_source, select, selective_config
from mlops.deploy.pipelines.upsert import upsert
from mlops.emit.targets.definition_json import emit_compact
from mlops.ir import Checked, Definition, Listener, UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.start_values import as_text, judge
from mlops.project.environments import LOCAL, Environment
from mlops.use_cases.approval import GIVEN, need_consent
from mlops.use_cases.commits import note_commit
from mlops.use_cases.connecting import Connected, connect_here
from mlops.use_cases.execution_news import Awaits, Began
from mlops.use_cases.judging import need_sound
from mlops.use_cases.local_data import placed, with_files
from mlops.use_cases.local_datasets import placed as place_datasets
from mlops.use_cases.local_functions import known
from mlops.use_cases.local_functions import placed as place_functions
from mlops.use_cases.local_secrets import brought as bring_secrets
from mlops.use_cases.runnable import need_runnable
from mlops.use_cases.watching import need_recording, watch

if TYPE_CHECKING:
    from mlops.check.stubs import Given


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is to be started in the local account. ``selective`` is a SelectiveExecutionConfig."""

    connected: Connected
    checked: Checked
    values: Mapping[str, str]
    selective: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Manner:
    """How it runs. ``interruptions`` are seconds without spot instances by step; then, as without ``cache``, every step
    runs. ``file`` is what the user named. ``stubs`` stand for steps that are not to run."""

    cache: bool = True
    file: str | None = None
    interruptions: Mapping[str, float] = field(default_factory=dict)
    stubs: Mapping[str, Given] = field(default_factory=dict)


def open_source(
    target: str, values: Mapping[str, str], only: Sequence[str], listener: Listener, parameters_of: str = LOCAL
) -> Chosen:
    """The pipeline as its source is now, or the steps ``only`` of it on the newest results that there are. What
    ``values`` leave out is as the environment ``parameters_of`` has it."""
    opened = open_one(target, LOCAL)
    findings = opened.findings
    if values and len(opened.pipelines) == 1:
        findings = concerning(findings, opened.pipelines[0].definition, values)
    need_sound(findings, listener, doing="run")
    (checked,) = opened.pipelines
    if parameters_of != LOCAL:
        values = {**_parameters(opened.project.environment(parameters_of), checked.definition), **values}
    selection = select(checked, only) if only else None
    connected = connect_here(LOCAL, opened.project)
    judge(checked.definition, with_files(connected.environment, connected.root, checked.definition, values))
    if values and (wrong := misfits(checked, values)):
        raise UsageError("\n".join(wrong))
    selective = None
    if selection is not None:
        source = newest_source(connected.account, checked.definition.name or "", selection)
        selective = selective_config(selection, source)
    return Chosen(connected, checked, values, selective)


def _parameters(environment: Environment, definition: Definition) -> dict[str, str]:
    """Those of an environment that this pipeline takes: its table may serve others too."""
    taken = {parameter.name for parameter in definition.parameters}
    return {name: as_text(value) for name, value in environment.parameters.items() if name in taken}


def begin(chosen: Chosen, manner: Manner, listener: Listener) -> str:
    """The ARN of the execution."""
    definition, connected = chosen.checked.definition, chosen.connected
    values = with_files(connected.environment, connected.root, definition, chosen.values)
    judge(definition, values)
    interruptions.judge(definition, manner.interruptions)
    selected = [item["StepName"] for item in (chosen.selective or {}).get("SelectedSteps", ())]
    knows = partial(known, connected.environment, lambda: connected.account)
    stubs, without = manner.stubs, frozenset[str]()
    if stubs:
        from mlops.use_cases import stubs as standing  # few runs have any

        without = standing.judge(chosen.checked, stubs, selected)
    bring_secrets(connected, definition)
    need_runnable(
        chosen.checked, selected, listener, knows, without, values, connected.account.here, connected.environment
    )
    # Nobody else writes here but other commands of the same person, who asked for it.
    need_consent(connected, f"run {definition.name}", GIVEN)
    place_functions(connected, listener)
    place_datasets(connected)
    values = placed(connected, definition, values, listener)
    brought = standing.brought(connected, chosen.checked, stubs) if stubs else {}
    options = RunOptions(manner.cache and not manner.interruptions, manner.interruptions, brought)
    upserted = upsert(connected.account, connected.environment, chosen.checked, force=True)
    arn = start(connected.account, connected.environment, upserted.name, values, chosen.selective, options=options)
    note_commit(connected, emit_compact(definition), listener)
    listener(Began(about=upserted.name, arn=arn, file=manner.file))
    listener(Awaits(about=arn, steps=awaited(definition, selected)))
    return arn


def carry_out(chosen: Chosen, manner: Manner, listener: Listener) -> ExecutionState:
    """Start it and follow it to its end, whatever that is; from the command line and from a notebook alike. Ctrl-C
    stops it gently."""
    need_recording(chosen.connected.environment, chosen.checked.definition)
    if chosen.connected.account.here is not None:
        chosen.connected.account.here.expect_run()
    if not chosen.connected.environment.account_in_steps:
        return watch(chosen.connected, begin(chosen, manner, listener), listener, stopping=True)
    from mlops.use_cases.local_server import answering_steps  # few projects let their steps ask

    with answering_steps(chosen.connected.environment):
        return watch(chosen.connected, begin(chosen, manner, listener), listener, stopping=True)
