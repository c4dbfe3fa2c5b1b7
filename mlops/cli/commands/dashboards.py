"""``mlops dashboards``."""

from __future__ import annotations

import click

from mlops.cli import asking, options
from mlops.cli.group import Group
from mlops.cli.printing import print_json, talk


@click.group(cls=Group)
def command() -> None:
    """Boards in OpenSearch Dashboards: push. `mlops emit dashboards` writes them."""


@command.command()
@click.argument("target")
@options.environment
@click.option("--dry-run", "dry", is_flag=True, help="Only show what would be done.")
@asking.yes
@options.as_json
def push(target: str, environment: str, dry: bool, yes: bool, format_: str) -> None:
    """Bring the boards of TARGET into the environment's OpenSearch Dashboards, where they are not as they should be."""
    from mlops.cli.listening import hear
    from mlops.use_cases import dashboards

    told = dashboards.push(target, environment, asking.consent(yes), hear, dry=dry)
    if format_ == "json":
        print_json({"url": told.url, "changes": list(told.changes), "objects": told.objects, "dry_run": told.dry})
        return
    for label in told.changes:
        click.echo(f"{'would ' if told.dry else ''}{label}")
    if not told.changes:
        talk("nothing to do")
