"""``mlops doctor``."""

from __future__ import annotations

import click

from mlops.cli import options
from mlops.cli.printing import print_json


@click.command()
@options.as_json
def command(format_: str) -> None:
    """What works on this machine and in this project, and what is missing. Ends with 1 where something is broken."""
    from mlops.use_cases.doctor import examine

    found = list(examine())
    if format_ == "json":
        print_json([item._asdict() for item in found])
    else:
        for item in found:
            click.echo(f"{item.state:<8}{item.what:<14}{item.text}")
    if any(item.state == "broken" for item in found):
        raise click.exceptions.Exit(1)
