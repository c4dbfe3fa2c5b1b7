"""``mlops upsert``."""

from __future__ import annotations

import click

from mlops.cli import options
from mlops.cli.printing import print_json, refuse_errors, talk


@click.command()
@click.argument("target")
@options.environment
@options.as_json
def command(target: str, environment: str, format_: str) -> None:
    """Make the pipelines of TARGET what the source says, in an account. Does nothing the second time."""
    from mlops.check.sources import open_targets
    from mlops.cli.here import connect_here
    from mlops.deploy.upsert import upsert

    opened = open_targets([target], environment, definitions=False)
    refuse_errors(opened.findings, doing="upsert")
    connected = connect_here(environment, opened.root)
    done = []
    for checked in opened.pipelines:
        result = upsert(connected.account, connected.environment, checked, uploaded=lambda uri: talk(f"uploaded {uri}"))
        done.append(result)
        if format_ == "text":
            click.echo(f"{result.name}: {result.action} in {environment}")
    if format_ == "json":
        print_json(
            [
                {"name": result.name, "arn": result.arn, "action": result.action, "uploaded": list(result.uploaded)}
                for result in done
            ]
        )
