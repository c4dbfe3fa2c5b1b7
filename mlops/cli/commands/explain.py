"""``mlops explain``."""

from __future__ import annotations

import click

from mlops.cli import options
from mlops.cli.printing import print_json


@click.command()
@click.argument("code")
@options.as_json
def command(code: str, format_: str) -> None:
    """Why the rule CODE is there, with a bad and a good example."""
    from mlops.check.explain import explain, find_story

    if format_ == "json":
        print_json(find_story(code).as_dictionary())
    else:
        click.echo(explain(code), nl=False)
