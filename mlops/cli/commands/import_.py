"""``mlops import``."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops.cli import options
from mlops.cli.listening import refuse_errors
from mlops.cli.printing import talk
from mlops.ir import UsageError

if TYPE_CHECKING:
    from mlops.ir import Definition


@click.command("import")
@click.argument("file", required=False, metavar="[FILE.json]")
@click.option(
    "--from-account", "pipeline", metavar="NAME", help="A pipeline of the account of --env, instead of a file."
)
@options.environment
@click.option("--name", help="The pipeline's name. Default: the file's.")
@click.option("-o", "--output", metavar="FILE", help="Where to. Default: standard output.")
def command(file: str | None, pipeline: str | None, environment: str, name: str | None, output: str | None) -> None:
    """Write Python that compiles to the same definition; FILE.json may be whoever's, - reads standard input.

    Code that the definition names by its S3 URI stays there; nothing is downloaded.
    """
    from mlops.check.programs import compile_program
    from mlops.declare.constructors import constructors
    from mlops.emit.targets.python import emit
    from mlops.project.files import write_text

    if (file is None) == (pipeline is None):
        raise UsageError("give a definition in JSON, or --from-account NAME", hint="mlops import definition.json")
    definition = _read(file) if file is not None else _fetch(pipeline or "", environment)
    if name is not None:
        definition = replace(definition, name=name)
    text = emit(definition, compile_program, constructors())
    if output is None or output == "-":
        click.echo(text.encode(), nl=False)
    else:
        write_text(Path(output), text)
        talk(f"{definition.name}: {output}")


def _read(file: str) -> Definition:
    from mlops.ir.reader import read

    if file == "-":
        content = sys.stdin.buffer.read()
    elif Path(file).is_file():
        content = Path(file).read_bytes()
    else:
        raise UsageError(f"there is no file {file!r}", hint="`mlops import` takes a definition in JSON")
    definition, findings = read(content, file)
    refuse_errors(findings, doing="import")
    if definition is None:
        raise UsageError(f"{file} holds no definition")
    return replace(definition, name="pipeline" if file == "-" else Path(file).stem)


def _fetch(name: str, environment: str) -> Definition:
    from mlops.deploy.pipelines.fetch import fetch
    from mlops.use_cases.connecting import connect_here

    definition, findings = fetch(connect_here(environment).account, name)
    refuse_errors(findings, doing="import")
    if definition is None:
        raise UsageError(f"the account's {name!r} holds no definition")
    return definition
