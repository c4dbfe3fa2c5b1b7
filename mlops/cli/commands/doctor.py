"""``mlops doctor``."""

from __future__ import annotations

import click

from mlops.cli import options
from mlops.cli.printing import print_json


@click.command()
@click.option("--strict", is_flag=True, help="End with 1 also where something is missing.")
@options.as_json
def command(strict: bool, format_: str) -> None:
    """What works on this machine and in this project, and what is missing.

    Ends with 1 where something is broken. What is missing is needed for what it names alone.
    """
    from mlops.use_cases.doctor import examine

    found = list(examine())
    if format_ == "json":
        print_json([item._asdict() for item in found])
    else:
        for item in found:
            click.echo(f"{item.state:<8}{item.what:<14}{item.text}")
    wrong = ("broken", "missing") if strict else ("broken",)
    if any(item.state in wrong for item in found):
        raise click.exceptions.Exit(1)
