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
    """The model registry: list, show, compare, approve, reject, history."""


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


@command.command()
@click.argument("group")
@click.argument("old", type=int, metavar="VERSION")
@click.argument("new", type=int, metavar="VERSION")
@options.environment
@options.as_json
def compare(group: str, old: int, new: int, environment: str, format_: str) -> None:
    """Two versions of GROUP side by side: approval, artefacts, the numbers of their reports."""
    from mlops.use_cases import models

    found = models.compare(environment, group, old, new)
    if format_ == "json":
        print_json(
            {
                "old": models.as_dictionary(found.old),
                "new": models.as_dictionary(found.new),
                "metrics": {name: {"old": old, "new": new} for name, (old, new) in found.metrics.items()},
            }
        )
        return
    rows = [("approval", found.old.version.approval, found.new.version.approval, "")]
    for label, member in (("image", "Image"), ("model", "ModelDataUrl")):
        before, after = (str((item.containers or ({},))[0].get(member, "")) for item in (found.old, found.new))
        rows.append((label, before, after if after != before else "the same", ""))
    for name, (before_, after_) in found.metrics.items():
        change = f"{after_ - before_:+g}" if before_ is not None and after_ is not None else ""
        first, second = (f"{item:g}" if item is not None else "-" for item in (before_, after_))
        rows.append((name, first, second, change))
    table(("", f"VERSION {old}", f"VERSION {new}", "CHANGE"), rows)


@command.command()
@click.argument("group")
@click.argument("number", type=int, metavar="VERSION")
@options.environment
@options.as_json
def history(group: str, number: int, environment: str, format_: str) -> None:
    """Who decided what on VERSION of GROUP, when and why."""
    from dataclasses import asdict

    from mlops.use_cases import models

    found = models.history(environment, group, number)
    if format_ == "json":
        print_json([asdict(item) for item in found])
        return
    table(
        ("AT", "DECISION", "BY", "REASON"),
        [(item.at, item.status, item.by or "somebody unknown", item.reason or "") for item in found],
    )


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
