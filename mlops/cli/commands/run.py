"""``mlops run``."""

from __future__ import annotations

import os

import click

from mlops.cli import options
from mlops.cli.listening import refuse_errors
from mlops.cli.printing import talk


@click.command()
@click.argument("target", required=False)
@options.parameters
@click.option("--only", multiple=True, metavar="STEP", help="Run this step, on results of an earlier run; repeatable.")
@click.option(
    "--from",
    "execution",
    metavar="EXECUTION",
    help="With --only: on the results and parameters of this execution (its id, the beginning of it, its ARN, or "
    "`last`); without TARGET also its definition and code.",
)
@click.option(
    "--from-env", metavar="ENV", help="The environment whose account has EXECUTION; its inputs are copied here."
)
@click.option("--no-cache", is_flag=True, help="Run every step, also where an earlier result would serve.")
@click.option(
    "--interrupt-spot",
    multiple=True,
    metavar="STEP[=SECONDS]",
    help="Take the instances of this step of managed spot training away, once its first checkpoint is stored, and give "
    "it others after SECONDS (0). Runs every step; repeatable.",
)
@options.as_json
def command(
    target: str | None,
    parameters: tuple[str, ...],
    only: tuple[str, ...],
    execution: str | None,
    from_env: str | None,
    no_cache: bool,
    interrupt_spot: tuple[str, ...],
    format_: str,
) -> None:
    """Compile, check, upsert, start and watch TARGET in the local account: on this machine, without Docker.

    Ends with 1 where the execution fails.
    """
    from mlops.account.local import LocalAccount
    from mlops.account.local.ownership import start_ahead
    from mlops.check.sources import open_one
    from mlops.cli.replaying import Replay, need_target, open_replay
    from mlops.cli.running import need_recording, watch
    from mlops.deploy.executions.following import start
    from mlops.deploy.executions.interruptions import judge as judge_interruptions
    from mlops.deploy.executions.interruptions import parsed
    from mlops.deploy.executions.parameters import judge
    from mlops.deploy.executions.selection import newest_source, select, selective_config
    from mlops.deploy.pipelines.upsert import upsert
    from mlops.project.environments import LOCAL
    from mlops.run.limits import asked_memory
    from mlops.use_cases.connecting import connect_here

    values = options.named_values(parameters)
    asked_memory(os.environ)  # the run's own process reads it; a mistake is to be told here
    need_target(target, only, execution, from_env)
    start_ahead()
    if execution is not None:
        chosen = open_replay(target, only, execution, from_env or LOCAL, values)
    else:
        opened = open_one(target or "", LOCAL)
        refuse_errors(opened.findings, doing="run")
        judge(opened.pipelines[0].definition, values)
        selection = select(opened.pipelines[0], only) if only else None
        connected = connect_here(LOCAL, opened.root)
        name = opened.pipelines[0].definition.name or ""
        selective = None
        if selection is not None:
            selective = selective_config(selection, newest_source(connected.account, name, selection))
        chosen = Replay(connected, opened.pipelines[0], values, selective)
    definition = chosen.checked.definition
    interruptions = judge_interruptions(definition, parsed(interrupt_spot))
    connected = chosen.connected
    need_recording(connected.environment, definition)
    if isinstance(connected.account, LocalAccount):
        connected.account.directly = True
        connected.account.state.use_cache = not (no_cache or interruptions or execution)
        connected.account.state.interruptions = interruptions
    # Nobody else writes here but other commands of the same person.
    upserted = upsert(connected.account, connected.environment, chosen.checked, force=True)
    arn = start(connected.account, connected.environment, upserted.name, chosen.values, chosen.selective)
    if format_ == "text":
        talk(f"{upserted.name}: execution {arn.rpartition('/')[2]}")
    watch(connected, arn, as_json=format_ == "json", target=target, stopping=True)
