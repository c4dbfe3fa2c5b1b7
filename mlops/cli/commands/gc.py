"""``mlops gc``."""

from __future__ import annotations

import click

from mlops.cli import asking, options
from mlops.cli.printing import print_json, table, talk


@click.command()
@options.environment
@click.option(
    "--older-than",
    type=click.FloatRange(min=0),
    default=7.0,
    show_default=True,
    metavar="DAYS",
    help="Leave models and configurations that are younger.",
)
@click.option(
    "--idle",
    type=click.FloatRange(min=0, min_open=True),
    metavar="DAYS",
    help="Also endpoints that nobody invoked for so many days.",
)
@click.option("--apply", is_flag=True, help="Remove them; without this they are only listed.")
@click.option("--reason", help="Why, for the records.")
@asking.yes
@options.as_json
def command(
    environment: str,
    older_than: float,
    idle: float | None,
    apply: bool,
    reason: str | None,
    yes: bool,
    format_: str,
) -> None:
    """Models and endpoint configurations of promotions that nothing needs any more, and with --idle endpoints that
    nobody uses. What a rollback goes back to stays."""
    from mlops.cli.listening import hear
    from mlops.use_cases.gc import Cleaning, clean

    request = Cleaning(environment, older_than, idle, apply, reason)
    cleaned = clean(request, hear, asking.consent(yes))
    if format_ == "json":
        listed = [{"kind": item.kind, "name": item.name, "why": item.why} for item in cleaned.removals]
        print_json({"removed": cleaned.removed, "found": listed})
        return
    if not cleaned.removals:
        talk("nothing to remove")
        return
    if not cleaned.removed:
        table(("WHAT", "NAME", "WHY"), [(item.kind, item.name, item.why) for item in cleaned.removals])
        talk("nothing was removed; --apply does it")
