"""Options that several commands share."""

from __future__ import annotations

import click

from mlops.ir import UsageError

environment = click.option(
    "--env", "environment", default="local", show_default=True, help="Environment of mlops.toml."
)
as_json = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people or programs.",
)
parameters = click.option(
    "-p",
    "--parameter",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="A pipeline parameter; may be repeated.",
)

suffix = click.option(
    "--suffix", metavar="TEXT", help="Put the pipelines under names of their own, NAME-TEXT: per person or branch."
)
alias = click.option(
    "--alias", "aliases", multiple=True, metavar="NAME", help="Give the new version this alias; may be repeated."
)
changed_since = click.option(
    "--changed-since", metavar="REF", help="Only pipelines that the changes since this Git commit touch."
)


def named_values(pairs: tuple[str, ...]) -> dict[str, str]:
    """``("A=1", "B=x=y")`` to ``{"A": "1", "B": "x=y"}``."""
    values: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"{pair!r} is no parameter", hint="write it as NAME=VALUE")
        if name in values:
            raise UsageError(f"the parameter {name} is given twice")
        values[name] = value
    return values
