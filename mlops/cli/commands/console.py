"""``mlops console``."""

from __future__ import annotations

import sys

import click

from mlops.cli import options
from mlops.ir import ConfigurationError


@click.command()
@options.environment
@click.option("--port", type=click.IntRange(0, 65535), help="Listen there. Default: 4600, or a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen there: who reaches it can try to come in.")
@click.option("--allow-changes", is_flag=True, help="Let an account that is not on this machine be changed, too.")
@click.option("--read-only", is_flag=True, help="Show, and change nothing.")
@click.option(
    "--behind", "names", multiple=True, metavar="NAME", help="A proxy asks by this Host, as it is; may be repeated."
)
@click.option("--user-header", metavar="HEADER", help="Believe the proxy's HEADER on who somebody is.")
def command(
    environment: str,
    port: int | None,
    host: str,
    allow_changes: bool,
    read_only: bool,
    names: tuple[str, ...],
    user_header: str | None,
) -> None:
    """Pages in a browser: pipelines, executions with graph, logs, files and metrics, comparisons, findings.

    It listens on this machine alone and prints the address that lets a browser in. Ctrl-C ends it.
    """
    try:
        from mlops.console.serving import Wanted, ready
    except ModuleNotFoundError as error:
        hint = "install mlops again from where it came from, with its extra `console`"
        raise ConfigurationError(f"the console needs {error.name}", hint=hint) from None
    from mlops.cli.printing import talk
    from mlops.use_cases.connecting import connect_here

    connected = connect_here(environment)
    may_change = not read_only and (connected.environment.is_local or allow_changes)
    program = (sys.executable, "-m", "mlops")
    wanted = Wanted(host, port, may_change, names, user_header, program)
    found = ready(connected, wanted, talk)
    click.echo(found.address)
    found.run()
