"""Compile, check, upsert, start and watch a pipeline on this machine, or steps of a past execution."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from mlops.account.local.ownership import start_ahead
from mlops.ir import Checked, Listener, UsageError
from mlops.ir.choices import instead
from mlops.ir.dataclass import dataclass
from mlops.run.limits import asked_memory
from mlops.run.sandbox import need_asked

if TYPE_CHECKING:
    from mlops.deploy.executions.following import ExecutionState


@dataclass(frozen=True, slots=True)
class Run:
    """``only`` are steps to be run on the results of ``execution``, of the account of ``environment`` (the local one
    without); without it on the newest that there are. ``interrupt`` are STEP or STEP=SECONDS, ``stubs`` STEP=FILE.
    ``debug`` is a step that is looked at when it has ended. ``parameters_of`` is the environment whose parameters count
    where none is given; nothing goes to its account. ``events``: they are searched meanwhile."""

    target: str | None
    parameters: Mapping[str, str] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    execution: str | None = None
    environment: str | None = None
    cache: bool = True
    interrupt: tuple[str, ...] = ()
    parameters_of: str = "local"
    stubs: tuple[str, ...] = ()
    debug: str | None = None
    events: bool = False


def run(request: Run, listener: Listener) -> ExecutionState:
    """How it ended, whatever that is. Raises Refusal where the pipeline has errors. Ctrl-C stops it gently."""
    # The run's own process reads both; a mistake is to be told here.
    asked_memory(os.environ)
    need_asked()
    _judge(request)
    start_ahead()
    # Loads while the runner does.
    from mlops.deploy.executions.interruptions import judge, parsed
    from mlops.project.environments import LOCAL
    from mlops.use_cases.running import Manner, carry_out, open_source
    from mlops.use_cases.targets import project_target

    target = request.target
    if request.execution is None:
        target = target or project_target()
        chosen = open_source(target, request.parameters, request.only, listener, request.parameters_of)
    else:
        from mlops.use_cases.replaying import Past, open_replay

        past = Past(request.execution, request.only, request.environment or LOCAL)
        chosen = open_replay(request.target, past, request.parameters, listener)
    if request.debug is not None:
        _need_step(chosen.checked, request.debug, request.only)
    interruptions = judge(chosen.checked.definition, parsed(request.interrupt))
    stubs = {}
    if request.stubs:
        from mlops.use_cases import stubs as standing  # few runs have any

        stubs = standing.read(chosen.checked, standing.parsed(request.stubs))
    manner = Manner(request.cache and request.execution is None, target, interruptions, stubs)
    if not request.events:
        return carry_out(chosen, manner, listener)
    from mlops.use_cases.search import beside

    with beside(chosen.connected, listener):
        return carry_out(chosen, manner, listener)


def _need_step(checked: Checked, name: str, only: Collection[str]) -> None:
    """Raises UsageError where it would not run, or is no one command: the run may take hours before that is seen."""
    steps = {placed.step.name: placed.step for placed in checked.definition.placed()}
    known = only or [*steps]
    if name not in known:
        raise UsageError(f"there is no step {name!r} to debug{instead(name, known, 'the steps are')}")
    step_type = checked.step_types.get(steps[name].type) if name in steps else None
    if step_type is not None and not step_type.opens:
        can = sorted(item.type for item in checked.step_types.values() if item.opens)
        raise UsageError(f"{name} is a {step_type.type} step; only {' and '.join(can)} steps can be debugged")


def _judge(request: Run) -> None:
    """What does not go together. Raises UsageError."""
    if request.execution is not None and not request.only:
        raise UsageError("--from goes with --only STEP", hint="`mlops executions show` names the steps")
    if request.environment is not None and request.execution is None:
        raise UsageError("--from-env goes with --from EXECUTION")
    if request.parameters_of != "local" and request.execution is not None:
        raise UsageError(
            "--from takes the parameters of that execution", hint="leave --env out; -p changes one of them"
        )
