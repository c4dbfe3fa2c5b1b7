"""``mlops rules``."""

from __future__ import annotations

import click

from mlops.cli import options
from mlops.cli.printing import print_json, table


@click.command()
@click.option(
    "--format",
    "format_",
    type=options.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="For people, programs or a documentation.",
)
def command(format_: str) -> None:
    """All codes that a finding can have."""
    from mlops.check.explain import page, stories

    if format_ == "markdown":
        click.echo(page(), nl=False)
        return
    if format_ == "json":
        print_json([story.as_dictionary() for story in stories().values()])
        return
    table(
        ("CODE", "SEVERITY", "NAME"), [(story.code, story.severity.value, story.name) for story in stories().values()]
    )
