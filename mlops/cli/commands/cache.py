"""``mlops cache``."""

from __future__ import annotations

import click

from mlops.cli import options
from mlops.cli.printing import print_json


@click.group()
def command() -> None:
    """Results of earlier local runs that serve again."""


@command.command()
@click.argument("step")
@click.option("--execution", metavar="ID", help="Its id or the beginning of it; the newest execution without.")
@options.as_json
def explain(step: str, execution: str | None, format_: str) -> None:
    """Why STEP ran in a local execution, or whose result served."""
    import dataclasses

    from mlops.use_cases.local_account import explain_cache

    told = explain_cache(step, execution)
    if format_ == "json":
        print_json(dataclasses.asdict(told))
    elif told.source is not None:
        click.echo(f"{told.step} was not run in execution {told.execution}: the result of {told.source} served")
    else:
        click.echo(f"{told.step} was run in execution {told.execution}:")
        for reason in told.reasons:
            click.echo(f"  {reason}")
