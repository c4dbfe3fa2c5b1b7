"""``mlops endpoints``."""

from __future__ import annotations

import base64
import sys
from pathlib import Path

import click

from mlops.cli import asking, options
from mlops.cli.group import Group
from mlops.cli.printing import print_json, table, talk


@click.group(cls=Group)
def command() -> None:
    """What serves: list, show, invoke, delete."""


@command.command("list")
@options.environment
@options.as_json
def list_(environment: str, format_: str) -> None:
    """All endpoints."""
    from mlops.use_cases.endpoints import as_list, listed

    found = listed(environment)
    if format_ == "json":
        print_json(as_list(found))
        return
    table(("ENDPOINT", "STATUS"), [(str(item["EndpointName"]), str(item["EndpointStatus"])) for item in found])


@command.command()
@click.argument("name")
@options.environment
@options.as_json
def show(name: str, environment: str, format_: str) -> None:
    """One endpoint: its state, and which model each variant serves."""
    from mlops.use_cases import endpoints

    found = endpoints.show(environment, name)
    if format_ == "json":
        print_json(endpoints.as_dictionary(found))
        return
    reason = found.get("FailureReason")
    click.echo(f"{name}: {found['EndpointStatus']}{f' ({reason})' if reason else ''}")
    click.echo(f"  configuration  {found['EndpointConfigName']}")
    for variant, model in found["Models"].items():
        click.echo(f"  {variant}  {model}")


@command.command()
@click.argument("name")
@click.argument("request", required=False, metavar="[FILE]")
@options.environment
@click.option("--data", help="The request itself instead of a file.")
@click.option("--content-type", default="text/csv", show_default=True)
@click.option("--accept", help="The content type of the answer.")
@options.as_json
def invoke(
    name: str,
    request: str | None,
    environment: str,
    data: str | None,
    content_type: str,
    accept: str | None,
    format_: str,
) -> None:
    """Send FILE (- is standard input) to an endpoint and print its answer."""
    from mlops.use_cases import endpoints

    if (request is None) == (data is None):
        raise click.UsageError("give either a file or --data")
    if data is not None:
        body = data.encode()
    elif request == "-":
        body = sys.stdin.buffer.read()
    else:
        file = Path(str(request))
        if not file.is_file():
            raise click.UsageError(f"{file} is a folder" if file.is_dir() else f"there is no file {file}")
        body = file.read_bytes()
    reply = endpoints.invoke(environment, name, body, content_type=content_type, accept=accept)
    if format_ == "json":
        print_json(
            {"endpoint": name, "variant": reply.variant, "content_type": reply.content_type, **_body(reply.body)}
        )
        return
    click.echo(reply.body, nl=not reply.body.endswith(b"\n"))
    talk(f"{reply.variant} answered {reply.content_type}")


@command.command()
@click.argument("name")
@options.environment
@asking.yes
@options.as_json
def delete(name: str, environment: str, yes: bool, format_: str) -> None:
    """Delete an endpoint; its configuration and its model stay. Asks, but in the local account."""
    from mlops.use_cases import endpoints

    endpoints.delete(environment, name, asking.consent(yes))
    if format_ == "json":
        print_json({"endpoint": name, "deleted": True})
    else:
        click.echo(f"{name}: deleted")


def _body(body: bytes) -> dict[str, str]:
    """As text where it is text."""
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}
