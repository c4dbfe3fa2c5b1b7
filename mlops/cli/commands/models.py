"""``mlops models``."""

from __future__ import annotations

from typing import Literal

import click

from mlops.cli import options
from mlops.cli.printing import print_json, table, talk
from mlops.ir.hiding import hide, hide_text


@click.group()
def command() -> None:
    """The model registry: list, show, approve, reject."""


@command.command("list")
@click.argument("group", required=False)
@options.environment
@options.as_json
def list_(group: str | None, environment: str, format_: str) -> None:
    """Versions of GROUP, or of every group; newest first."""
    from mlops.deploy.models.registry import groups, versions
    from mlops.use_cases.connecting import connect_here

    account = connect_here(environment).account
    found = [version for name in ([group] if group else groups(account)) for version in versions(account, name)]
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
    from mlops.deploy.models.registry import metrics, version
    from mlops.use_cases.connecting import connect_here

    account = connect_here(environment).account
    found = version(account, group, number)
    measured = metrics(account, found)
    if format_ == "json":
        details = {key: value for key, value in found.details.items() if key != "ResponseMetadata"}
        print_json(hide({**details, "Metrics": measured}))
        return
    click.echo(f"{found.group} version {found.number}: {found.approval}")
    reason = found.details.get("ApprovalDescription")
    if reason:
        click.echo(f"  reason    {hide_text(reason)}")
    click.echo(f"  arn       {found.arn}")
    for container in (found.details.get("InferenceSpecification") or {}).get("Containers", []):
        click.echo(f"  model     {hide_text(container.get('ModelDataUrl', ''))}")
        click.echo(f"  image     {hide_text(container.get('Image', ''))}")
    for name, value in measured.items():
        click.echo(f"  metric    {name} = {value:g}")


@command.command()
@click.argument("group")
@click.argument("number", type=int, metavar="VERSION")
@options.environment
@click.option("--reason", help="Kept with the version.")
def approve(group: str, number: int, environment: str, reason: str | None) -> None:
    """Approve VERSION of GROUP: it may be promoted."""
    _decide(group, number, environment, "Approved", reason)


@command.command()
@click.argument("group")
@click.argument("number", type=int, metavar="VERSION")
@options.environment
@click.option("--reason", help="Kept with the version.")
def reject(group: str, number: int, environment: str, reason: str | None) -> None:
    """Reject VERSION of GROUP: it can no longer be promoted."""
    _decide(group, number, environment, "Rejected", reason)


def _decide(
    group: str, number: int, environment: str, status: Literal["Approved", "Rejected"], reason: str | None
) -> None:
    from mlops.deploy.models.registry import decide, version
    from mlops.use_cases.connecting import connect_here

    connected = connect_here(environment)
    found = version(connected.account, group, number)
    changed = decide(connected.account, connected.environment, found, status, reason)
    click.echo(f"{group} version {number}: {status}")
    if not changed:
        talk("it was before")
