"""``mlops cache``."""

from __future__ import annotations

import click

from mlops.cli import options
from mlops.cli.group import Group
from mlops.cli.printing import print_json


@click.group(cls=Group)
def command() -> None:
    """Results of earlier local runs that serve again."""


@command.command()
@options.execution_and_step
@options.execution
@options.as_json
def explain(place: tuple[str, ...], execution: str | None, format_: str) -> None:
    """Why STEP ran in a local EXECUTION (the newest without), or whose result served."""
    import dataclasses

    from mlops.use_cases.local_account import explain_cache

    chosen, step = options.placed(place, execution)
    told = explain_cache(step, chosen)
    if format_ == "json":
        print_json(dataclasses.asdict(told))
    elif told.source is not None:
        click.echo(f"{told.step} was not run in execution {told.execution}: the result of {told.source} served")
    else:
        click.echo(f"{told.step} was run in execution {told.execution}:")
        for reason in told.reasons:
            click.echo(f"  {reason}")
