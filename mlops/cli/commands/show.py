"""``mlops show``."""

from __future__ import annotations

import click

from mlops.cli import options
from mlops.cli.listening import refuse_errors


@click.command()
@click.argument("target")
@options.environment
def command(target: str, environment: str) -> None:
    """Draw the steps of TARGET in the terminal, and what each waits for."""
    from mlops.check.sources import open_targets
    from mlops.emit.targets.outline import emit

    opened = open_targets([target], environment)
    refuse_errors(opened.findings, doing="show")
    for checked in opened.pipelines:
        click.echo(emit(checked), nl=False)
