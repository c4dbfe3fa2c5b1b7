"""``mlops emit``."""

from __future__ import annotations

from pathlib import Path

import click

from mlops.cli import options
from mlops.cli.printing import refuse_errors, talk


@click.group("emit")
def command() -> None:
    """Write a pipeline in another form."""


@command.command()
@click.argument("target")
@options.environment
@click.option("-o", "--output", metavar="FILE", help="Where to. Default: standard output.")
def python(target: str, environment: str, output: str | None) -> None:
    """Python that compiles to the same definition as TARGET, with what the environment gave written out."""
    from mlops.check.programs import compile_program
    from mlops.check.sources import open_one
    from mlops.emit.targets.python import emit
    from mlops.project.files import write_text

    opened = open_one(target, environment)
    refuse_errors(opened.findings, doing="emit")
    definition = opened.pipelines[0].definition
    text = emit(definition, compile_program)
    if output is None or output == "-":
        click.echo(text.encode(), nl=False)
    else:
        write_text(Path(output), text)
        talk(f"{definition.name}: {output}")
