"""``mlops models``."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import click

from mlops.cli import asking, options
from mlops.cli.group import Group
from mlops.cli.printing import print_json, table, talk


@click.group(cls=Group)
def command() -> None:
    """The model registry: list, show, approve, reject."""


@command.command("list")
@click.argument("group", required=False)
@options.environment
@options.as_json
def list_(group: str | None, environment: str, format_: str) -> None:
    """Versions of GROUP, or of every group; newest first."""
    from mlops.use_cases.models import in_short, listed

    found = listed(environment, group)
    if format_ == "json":
        print_json([in_short(version) for version in found])
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
    """A VERSION of GROUP, the newest without: approval, who changed it when, description, metrics, artefacts."""
    from mlops.use_cases import models

    shown = models.show(environment, group, number)
    if format_ == "json":
        print_json(models.as_dictionary(shown))
        return
    found, details = shown.version, shown.described
    click.echo(f"{found.group} version {found.number}: {found.approval}")
    told = [
        ("reason", details.get("ApprovalDescription")),
        ("about", details.get("ModelPackageDescription")),
        ("created", _when(found.created, shown.created_by)),
        ("changed", _when(details.get("LastModifiedTime"), shown.changed_by)),
        ("arn", found.arn),
    ]
    for container in shown.containers:
        told += [("model", container.get("ModelDataUrl")), ("image", container.get("Image"))]
    told += [("metric", f"{name} = {value:g}") for name, value in shown.metrics.items()]
    told += [
        ("metadata", f"{name} = {value}") for name, value in (details.get("CustomerMetadataProperties") or {}).items()
    ]
    for name, value in told:
        if value:
            click.echo(f"  {name:8}  {value}")


def _when(time: datetime | None, person: str | None) -> str:
    if time is None:
        return ""
    return f"{time:%Y-%m-%d %H:%M:%S}{f' by {person}' if person else ''}"


@command.command()
@click.argument("group")
@click.argument("number", type=int, metavar="VERSION")
@options.environment
@click.option("--reason", help="Kept with the version.")
@asking.yes
@options.as_json
def approve(group: str, number: int, environment: str, reason: str | None, yes: bool, format_: str) -> None:
    """Approve VERSION of GROUP: it may be promoted."""
    _decide(group, number, environment, "Approved", reason, format_, yes=yes)


@command.command()
@click.argument("group")
@click.argument("number", type=int, metavar="VERSION")
@options.environment
@click.option("--reason", help="Kept with the version.")
@asking.yes
@options.as_json
def reject(group: str, number: int, environment: str, reason: str | None, yes: bool, format_: str) -> None:
    """Reject VERSION of GROUP: it can no longer be promoted. What serves it goes on, and is told."""
    _decide(group, number, environment, "Rejected", reason, format_, yes=yes)


def _decide(
    group: str,
    number: int,
    environment: str,
    status: Literal["Approved", "Rejected"],
    reason: str | None,
    format_: str,
    *,
    yes: bool,
) -> None:
    from mlops.cli.listening import hear
    from mlops.use_cases.models import Decision, decide

    changed = decide(environment, Decision(group, number, status, reason), hear, asking.consent(yes))
    if format_ == "json":
        print_json({"group": group, "version": number, "approval": status, "changed": changed})
        return
    click.echo(f"{group} version {number}: {status}")
    if not changed:
        talk("it was before")
