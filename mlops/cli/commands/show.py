"""``mlops show``."""

from __future__ import annotations

import click

from mlops.cli import options


@click.command()
@click.argument("target")
@options.environment
def command(target: str, environment: str) -> None:
    """Draw the steps of TARGET in the terminal, and what each waits for."""
    from mlops.cli.listening import hear
    from mlops.use_cases.show import outlines

    for outline in outlines(target, environment, hear):
        click.echo(outline, nl=False)
