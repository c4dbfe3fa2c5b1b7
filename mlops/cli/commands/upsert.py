"""``mlops upsert``."""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

from mlops.cli import asking, options
from mlops.cli.printing import print_json


@click.command()
@click.argument("targets", nargs=-1, metavar="[TARGET...]")
@options.environment
@options.suffix
@options.alias
@options.changed_since
@options.terraform_state
@click.option("--force", is_flag=True, help="Overwrite what somebody else changed or made.")
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Apply this saved plan; refuses where account or source have moved since.",
)
@asking.yes
@options.as_json
def command(
    targets: tuple[str, ...],
    environment: str,
    suffix: str | None,
    aliases: tuple[str, ...],
    changed_since: str | None,
    terraform_state: Path | None,
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
    wanted = Wanted(targets, environment, suffix, aliases, changed_since, terraform_state)
    request = Upsert(wanted, plan_file, saved_for=environment if given else None, force=force)
    with UpsertProgress(results=format_ == "text") as progress:
        found = upsert(request, progress, asking.consent(yes))
    if format_ == "json":
        print_json(
            [
                {"name": result.name, "arn": result.arn, "action": result.action, "uploaded": list(result.uploaded)}
                for result in found.done
            ]
            + [
                {"resources": made.name, "action": "upserted" if made.done else "unchanged", "done": list(made.done)}
                for made in found.resources
            ]
        )
    if found.failure is not None:
        raise found.failure
