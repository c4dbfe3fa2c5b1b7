"""``mlops show``."""

from __future__ import annotations

import click

from mlops.cli import options
from mlops.cli.printing import print_json


@click.command()
@click.argument("target")
@options.environment
@options.as_json
def command(target: str, environment: str, format_: str) -> None:
    """Draw the steps of TARGET in the terminal, and what each waits for."""
    from mlops.cli.listening import hear
    from mlops.use_cases.show import as_dictionary, opened, outline

    pipelines = opened(target, environment, hear)
    if format_ == "json":
        print_json([as_dictionary(checked) for checked in pipelines])
        return
    for checked in pipelines:
        click.echo(outline(checked), nl=False)
