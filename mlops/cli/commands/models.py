"""``mlops models``."""

from __future__ import annotations

from typing import Literal

import click

from mlops.cli import asking, options
from mlops.cli.printing import print_json, table, talk


@click.group()
def command() -> None:
    """The model registry: list, show, approve, reject."""


@command.command("list")
@click.argument("group", required=False)
@options.environment
@options.as_json
def list_(group: str | None, environment: str, format_: str) -> None:
    """Versions of GROUP, or of every group; newest first."""
    from mlops.use_cases.models import listed

    found = listed(environment, group)
    if format_ == "json":
        print_json(
            [
                {
                    "group": version.group,
                    "version": version.number,
                    "approval": version.approval,
                    "created": version.created and version.created.isoformat(),
                    "arn": version.arn,
                }
                for version in found
            ]
        )
        return
    table(
        ("GROUP", "VERSION", "APPROVAL", "CREATED"),
        [
            (
                version.group,
                str(version.number),
                version.approval,
                f"{version.created:%Y-%m-%d %H:%M:%S}" if version.created else "",
            )
            for version in found
        ],
    )


@command.command()
@click.argument("group")
@click.argument("number", type=int, required=False, metavar="[VERSION]")
@options.environment
@options.as_json
def show(group: str, number: int | None, environment: str, format_: str) -> None:
    """A VERSION of GROUP, the newest without: approval, metrics, artefacts."""
    from mlops.use_cases import models

    shown = models.show(environment, group, number)
    found, details = shown.version, shown.described
    if format_ == "json":
        print_json({**details, "Metrics": shown.metrics})
        return
    click.echo(f"{found.group} version {found.number}: {found.approval}")
    reason = details.get("ApprovalDescription")
    if reason:
        click.echo(f"  reason    {reason}")
    click.echo(f"  arn       {found.arn}")
    for container in (details.get("InferenceSpecification") or {}).get("Containers", []):
        click.echo(f"  model     {container.get('ModelDataUrl', '')}")
        click.echo(f"  image     {container.get('Image', '')}")
    for name, value in shown.metrics.items():
        click.echo(f"  metric    {name} = {value:g}")


@command.command()
@click.argument("group")
@click.argument("number", type=int, metavar="VERSION")
@options.environment
@click.option("--reason", help="Kept with the version.")
@asking.yes
def approve(group: str, number: int, environment: str, reason: str | None, yes: bool) -> None:
    """Approve VERSION of GROUP: it may be promoted."""
    _decide(group, number, environment, "Approved", reason, yes=yes)


@command.command()
@click.argument("group")
@click.argument("number", type=int, metavar="VERSION")
@options.environment
@click.option("--reason", help="Kept with the version.")
@asking.yes
def reject(group: str, number: int, environment: str, reason: str | None, yes: bool) -> None:
    """Reject VERSION of GROUP: it can no longer be promoted. What serves it goes on, and is told."""
    _decide(group, number, environment, "Rejected", reason, yes=yes)


def _decide(
    group: str, number: int, environment: str, status: Literal["Approved", "Rejected"], reason: str | None, *, yes: bool
) -> None:
    from mlops.cli.listening import hear
    from mlops.use_cases.models import Decision, decide

    changed = decide(environment, Decision(group, number, status, reason), hear, asking.consent(yes))
    click.echo(f"{group} version {number}: {status}")
    if not changed:
        talk("it was before")
