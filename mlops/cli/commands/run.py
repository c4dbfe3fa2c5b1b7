"""``mlops run``."""

from __future__ import annotations

import os

import click

from mlops.cli import options
from mlops.cli.printing import refuse_errors, talk


@click.command()
@click.argument("target")
@options.parameters
@click.option("--only", multiple=True, metavar="STEP", help="Run this step, on results of an earlier run; repeatable.")
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
    target: str,
    parameters: tuple[str, ...],
    only: tuple[str, ...],
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
    from mlops.cli.here import connect_here
    from mlops.cli.running import need_recording, watch
    from mlops.deploy.executions import start
    from mlops.deploy.interruptions import judge as judge_interruptions
    from mlops.deploy.interruptions import parsed
    from mlops.deploy.parameters import judge
    from mlops.deploy.selection import select, selective_config
    from mlops.deploy.upsert import upsert
    from mlops.project.environments import LOCAL
    from mlops.run.limits import asked_memory

    values = options.named_values(parameters)
    asked_memory(os.environ)  # the run's own process reads it; a mistake is to be told here
    start_ahead()
    opened = open_one(target, LOCAL)
    refuse_errors(opened.findings, doing="run")
    judge(opened.pipelines[0].definition, values)
    interruptions = judge_interruptions(opened.pipelines[0].definition, parsed(interrupt_spot))
    selection = select(opened.pipelines[0], only) if only else None
    connected = connect_here(LOCAL, opened.root)
    need_recording(connected.environment, opened.pipelines[0].definition)
    if isinstance(connected.account, LocalAccount):
        connected.account.directly = True
        connected.account.state.use_cache = not (no_cache or interruptions)
        connected.account.state.interruptions = interruptions
    name = opened.pipelines[0].definition.name or ""
    selective = selective_config(connected.account, name, selection) if selection else None
    # Nobody else writes here but other commands of the same person.
    upserted = upsert(connected.account, connected.environment, opened.pipelines[0], force=True)
    arn = start(connected.account, connected.environment, upserted.name, values, selective)
    talk(f"{upserted.name}: execution {arn.rpartition('/')[2]}")
    watch(connected, arn, as_json=format_ == "json")
