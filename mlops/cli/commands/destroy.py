"""``mlops destroy``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlops.cli import asking, options
from mlops.cli.printing import print_json, talk
from mlops.ir import Event

if TYPE_CHECKING:
    from mlops.deploy.declared.destroy import Removal as ResourceRemoval
    from mlops.deploy.pipelines.destroy import Removal


_ELSEWHERE = "; a declared endpoint, model or configuration is removed with --resources"


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@options.environment
@options.suffix
@click.option("--force", is_flag=True, help="Also where somebody else changed or made it.")
@click.option(
    "--resources",
    is_flag=True,
    help="NAME is of declared resources: an endpoint and what it serves, an alarm.",
)
@asking.yes
@options.as_json
def command(
    names: tuple[str, ...],
    environment: str,
    suffix: str | None,
    yes: bool,
    force: bool,
    resources: bool,
    format_: str,
) -> None:
    """Remove the pipelines NAME and what upserts made with them: schedules, triggers, the record.

    They are listed, and removed with a yes. Code and data in the bucket stay; `mlops assets prune` removes what nobody
    needs any more.
    """
    from mlops.use_cases.destroy import WasRemoved, destroy, plan

    if resources:
        if suffix is not None or force:
            raise click.UsageError("--resources goes without --suffix and --force: what is not ours is not removed")
        _resources(names, environment, yes=yes, format_=format_)
        return

    def told(event: Event) -> None:
        if isinstance(event, WasRemoved):
            _tell(event.removal, "removed", environment, format_, _ELSEWHERE)

    removals, consent = plan(environment, names, suffix), asking.consent(yes)
    if not yes:
        for removal in removals.planned:
            _tell(removal, "would remove", environment, format_, _ELSEWHERE)
    removing = consent.possible or removals.connected.environment.approval
    if removing:
        destroy(removals, told, consent, force=force)
    if format_ == "json":
        listed = [{"pipeline": item.name, "removed": removing, "what": list(item.labels)} for item in removals.planned]
        print_json(listed)
    if not removing and any(removal.labels for removal in removals.planned):
        talk("nothing was removed; --yes does it")


def _resources(names: tuple[str, ...], environment: str, *, yes: bool, format_: str) -> None:
    from mlops.use_cases.destroy import ResourcesWereRemoved, destroy_resources, plan_resources

    def told(event: Event) -> None:
        if isinstance(event, ResourcesWereRemoved):
            _tell_resources(event.removal, "removed", environment, format_)

    removals, consent = plan_resources(environment, names), asking.consent(yes)
    if not yes:
        for removal in removals.planned:
            _tell_resources(removal, "would remove", environment, format_)
    for stays in (item for removal in removals.planned for item in removal.serving):
        talk(f"{stays}, and stays; remove that endpoint first")
    for stays in (item for removal in removals.planned for item in removal.stays):
        talk(stays)
    for unseen in (item for removal in removals.planned for item in removal.unseen):
        talk(unseen)
    removing = consent.possible or removals.connected.environment.approval
    if removing:
        destroy_resources(removals, told, consent)
    if format_ == "json":
        listed = [{"resources": item.name, "removed": removing, "what": list(item.labels)} for item in removals.planned]
        print_json(listed)
    if not removing and any(removal.labels for removal in removals.planned):
        talk("nothing was removed; --yes does it")


def _tell_resources(removal: ResourceRemoval, verb: str, environment: str, format_: str) -> None:
    """What stays is told by itself, and is not nothing."""
    if removal.labels or not (removal.serving or removal.stays or removal.unseen):
        _tell(removal, verb, environment, format_)


def _tell(removal: Removal | ResourceRemoval, verb: str, environment: str, format_: str, beside: str = "") -> None:
    if format_ != "text":
        return
    for label in removal.labels:
        click.echo(f"{verb} {label}")
    if not removal.labels:
        talk(f"there is nothing of {removal.name} in {environment}{beside}")
