"""``mlops upsert``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from mlops.cli import options
from mlops.cli.printing import print_json
from mlops.ir import Refusal

if TYPE_CHECKING:
    from mlops.use_cases.plan import Planned


@click.command()
@click.argument("targets", nargs=-1, metavar="[TARGET...]")
@options.environment
@options.suffix
@options.alias
@options.changed_since
@click.option("--force", is_flag=True, help="Overwrite what somebody else changed or made.")
@click.option("--yes", is_flag=True, help="Do not ask, also where the environment wants an approval.")
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Apply this saved plan; refuses where account or source have moved since.",
)
@options.as_json
def command(
    targets: tuple[str, ...],
    environment: str,
    suffix: str | None,
    aliases: tuple[str, ...],
    changed_since: str | None,
    force: bool,
    yes: bool,
    plan_file: Path | None,
    format_: str,
) -> None:
    """Make the pipelines of TARGET what the source says, in an account: exactly what `mlops plan` shows.

    Does nothing the second time. What somebody else changed since the last upsert is refused.
    """
    from mlops.cli.upserting import UpsertProgress
    from mlops.use_cases.plan import Wanted
    from mlops.use_cases.upsert import Upsert, upsert

    # The default is nobody's wish.
    given = click.get_current_context().get_parameter_source("environment") is ParameterSource.COMMANDLINE
    wanted = Wanted(targets, environment, suffix, aliases, changed_since)
    request = Upsert(wanted, plan_file, saved_for=environment if given else None, force=force, approved=yes)
    with UpsertProgress(results=format_ == "text") as progress:
        found = upsert(request, progress, approve=_ask)
    if format_ == "json":
        print_json(
            [
                {"name": result.name, "arn": result.arn, "action": result.action, "uploaded": list(result.uploaded)}
                for result in found.done
            ]
        )
    if found.failure is not None:
        raise found.failure


def _ask(planned: Planned) -> None:
    from mlops.use_cases.upsert import nobody

    if not sys.stdin.isatty():
        nobody(planned)
    if not click.confirm(f"Write this to {planned.connected.environment.name}?", err=True):
        raise Refusal("not approved; nothing was written")
