"""``mlops assets``."""

from __future__ import annotations

import click

from mlops.cli import asking, options
from mlops.cli.group import Group
from mlops.cli.printing import print_json, table, talk
from mlops.ir.counted import counted


@click.group(cls=Group)
def command() -> None:
    """Code, data and large definitions in an account's bucket: list, prune."""


@command.command("list")
@options.environment
@options.as_json
def list_(environment: str, format_: str) -> None:
    """Every object, and whether a pipeline refers to it."""
    from mlops.use_cases.assets import listed

    found = listed(environment)
    if format_ == "json":
        print_json(
            [
                {"key": item.key, "bytes": item.size, "modified": item.modified, "referenced": item.referenced}
                for item in found
            ]
        )
        return
    rows = [
        (item.key, f"{item.size}", f"{item.modified:%Y-%m-%d}", "yes" if item.referenced else "no") for item in found
    ]
    table(("OBJECT", "BYTES", "MODIFIED", "IN USE"), rows)


@command.command()
@options.environment
@click.option(
    "--older-than",
    "days",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    metavar="DAYS",
    help="Leave what is younger: executions of earlier versions may still be retried.",
)
@click.option(
    "--apply",
    cls=options.Renamed,
    old=("--delete",),
    is_flag=True,
    help="Remove them; without this they are only listed.",
)
@asking.yes
@options.as_json
def prune(environment: str, days: float, apply: bool, yes: bool, format_: str) -> None:
    """What no pipeline of the account refers to any more."""
    from mlops.use_cases import assets

    found = assets.prune(environment, days, asking.consent(yes), deleting=apply)
    size = sum(item.size for item in found)
    if format_ == "json":
        print_json({"deleted": apply, "bytes": size, "objects": [item.key for item in found]})
        return
    for item in found:
        click.echo(item.key)
    if not found:
        talk("nothing to remove")
        return
    done = "removed" if apply else "could be removed; --apply does it"
    talk(f"{counted(len(found), 'object')}, {size:,} bytes {done}")
