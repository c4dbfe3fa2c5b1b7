"""``mlops explain``."""

from __future__ import annotations

import click


@click.command()
@click.argument("code")
def command(code: str) -> None:
    """Why the rule CODE is there, with a bad and a good example."""
    from mlops.check.explain import explain

    click.echo(explain(code), nl=False)
