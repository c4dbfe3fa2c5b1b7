"""``mlops check``."""

from __future__ import annotations

import sys

import click

from mlops.cli import options
from mlops.cli.printing import talk
from mlops.ir import Severity

FORMATS = ("text", "json", "sarif", "github", "junit")


@click.command()
@click.argument("targets", nargs=-1, required=True)
@options.environment
@click.option("--format", "format_", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--select", multiple=True, metavar="CODES", help="Tell only these codes, or families by their beginning.")
@click.option("--ignore", multiple=True, metavar="CODES", help="Do not tell these; comma lists, may be repeated.")
def command(
    targets: tuple[str, ...], environment: str, format_: str, select: tuple[str, ...], ignore: tuple[str, ...]
) -> None:
    """All findings on TARGETS: pipeline files, folders, definitions in JSON; - reads one from standard input.

    Ends with 1 where there is an error.
    """
    import importlib

    from mlops.check.sources import open_targets

    opened = open_targets(targets, environment, select=select, ignore=ignore)
    report = importlib.import_module(f"mlops.check.reports.{format_}")
    if format_ == "text":
        if opened.findings:
            click.echo(report.render(opened.findings, colour=sys.stdout.isatty()), nl=False)
        many = f"{len(opened.pipelines)} {'pipeline' if len(opened.pipelines) == 1 else 'pipelines'} checked"
        talk(many if opened.findings else f"{many}: nothing to say")
    elif format_ == "json":
        click.echo(report.render(opened.findings, files=len(opened.files)), nl=False)
    else:
        click.echo(report.render(opened.findings), nl=False)
    if any(finding.severity is Severity.ERROR for finding in opened.findings):
        raise click.exceptions.Exit(1)
