"""``mlops destroy``."""

from __future__ import annotations

import click

from mlops.cli import options
from mlops.cli.printing import print_json, talk


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@options.environment
@options.suffix
@click.option("--yes", is_flag=True, help="Remove it; without this it is only listed.")
@click.option("--force", is_flag=True, help="Also where somebody else changed or made it.")
@options.as_json
def command(names: tuple[str, ...], environment: str, suffix: str | None, yes: bool, force: bool, format_: str) -> None:
    """Remove the pipelines NAME and what upserts made with them: schedules, triggers, the record.

    Code and data in the bucket stay; `mlops assets prune` removes what nobody needs any more.
    """
    from mlops.deploy.pipelines.destroy import destroy, plan_removal
    from mlops.use_cases.connecting import connect_here
    from mlops.use_cases.judging import judge_names

    judge_names(suffix, ())
    connected = connect_here(environment)
    removals = [
        plan_removal(connected.account, connected.environment, f"{name}-{suffix}" if suffix else name) for name in names
    ]
    verb = "removed" if yes else "would remove"
    for removal in removals:
        if yes:
            destroy(connected.account, connected.environment, removal, force=force)
        if format_ == "text":
            for label in removal.labels:
                click.echo(f"{verb} {label}")
            if not removal.labels:
                talk(f"there is nothing of {removal.name} in {environment}")
    if format_ == "json":
        print_json([{"pipeline": item.name, "removed": yes, "what": list(item.labels)} for item in removals])
    if not yes and any(removal.labels for removal in removals):
        talk("nothing was removed; --yes does it")
