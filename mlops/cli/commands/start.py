"""``mlops start``."""

from __future__ import annotations

import click

from mlops.cli import options
from mlops.cli.printing import print_json, talk


@click.command()
@click.argument("name")
@options.environment
@options.parameters
@click.option("--watch", "watching", is_flag=True, help="Follow it; end with 1 where it fails.")
@options.as_json
def command(name: str, environment: str, parameters: tuple[str, ...], watching: bool, format_: str) -> None:
    """Start the pipeline NAME that was upserted before."""
    from mlops.cli.here import connect_here
    from mlops.cli.running import watch
    from mlops.deploy.executions import definition_of, start
    from mlops.deploy.parameters import judge

    values = options.named_values(parameters)
    connected = connect_here(environment)
    judge(definition_of(connected.account, name), values)
    arn = start(connected.account, connected.environment, name, values)
    if watching:
        talk(f"{name}: execution {arn.rpartition('/')[2]}")
        watch(connected, arn, as_json=format_ == "json")
    elif format_ == "json":
        print_json({"arn": arn})
    else:
        click.echo(arn)
