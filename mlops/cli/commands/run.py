"""``mlops run``."""

from __future__ import annotations

import click

from mlops.cli import options
from mlops.cli.printing import refuse_errors, talk


@click.command()
@click.argument("target")
@options.parameters
@options.as_json
def command(target: str, parameters: tuple[str, ...], format_: str) -> None:
    """Compile, check, upsert, start and watch TARGET in the local account: on this machine, without Docker.

    Ends with 1 where the execution fails.
    """
    from mlops.check.sources import open_one
    from mlops.cli.here import connect_here
    from mlops.cli.running import watch
    from mlops.deploy.executions import start
    from mlops.deploy.parameters import judge
    from mlops.deploy.upsert import upsert
    from mlops.project.environments import LOCAL

    values = options.named_values(parameters)
    opened = open_one(target, LOCAL)
    refuse_errors(opened.findings, doing="run")
    judge(opened.pipelines[0].definition, values)
    connected = connect_here(LOCAL, opened.root)
    upserted = upsert(connected.account, connected.environment, opened.pipelines[0])
    arn = start(connected.account, connected.environment, upserted.name, values)
    talk(f"{upserted.name}: execution {arn.rpartition('/')[2]}")
    watch(connected, arn, as_json=format_ == "json")
