"""``mlops emit``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops.cli import options
from mlops.cli.listening import refuse_errors
from mlops.cli.printing import talk
from mlops.ir import UsageError
from mlops.ir.discovery import Found, discovered
from mlops.ir.plugins import TARGETS, told

if TYPE_CHECKING:
    from mlops.check.sources import Opened
    from mlops.ir.target import Source, Target


def _found() -> Mapping[str, Found]:
    from mlops.emit import targets

    return discovered(targets, TARGETS)


class _Targets(click.Group):
    """The targets of :mod:`mlops.emit.targets`, and those of other packages; each is loaded when it is asked for."""

    def list_commands(self, context: click.Context) -> list[str]:
        return [*_found()]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        found = _found().get(name)
        return _command(found) if found is not None else None


def _command(found: Found) -> click.Command:
    help = _target(found).help if found.plugin is None else f"TARGET as {found.plugin.package} writes it."

    @click.command(found.name, help=help)
    @click.argument("target")
    @options.environment
    @click.option("-o", "--output", metavar="FILE", help="Where to. Default: standard output.")
    def emitted(target: str, environment: str, output: str | None) -> None:
        from mlops.check.sources import open_one

        written = _target(found)
        opened = open_one(target, environment)
        refuse_errors(opened.findings, doing="emit")
        text = _text(found, written, _source(opened, environment))
        _write(text, output, opened.pipelines[0].definition.name)

    return emitted


def _target(found: Found) -> Target:
    """Raises UsageError for a plug-in that names none."""
    from mlops.ir.target import Target

    if found.plugin is None:
        own: Target = found.load().TARGET
        return own
    plugin, value = found.plugin, found.plugin.value
    if isinstance(value, Target):
        return value
    if plugin.broken is not None or not callable(value):
        raise UsageError(f"{plugin.label} does not work: {plugin.broken or 'it names no target and no function'}")
    return Target("", lambda source: value(source.checked))


def _source(opened: Opened, environment: str) -> Source:
    from mlops.check.programs import compile_program
    from mlops.declare.constructors import constructors
    from mlops.ir.surroundings import Surroundings
    from mlops.ir.target import Language, Source

    def around() -> Surroundings:
        from mlops.project.environments import read_project
        from mlops.project.surroundings import surroundings

        return surroundings(read_project(opened.root).environment(environment))

    return Source(opened.pipelines[0], around, Language(compile_program, constructors))


def _text(found: Found, target: Target, source: Source) -> str:
    plugin = found.plugin
    if plugin is None:
        return target.write(source)
    try:
        text: object = target.write(source)
    except Exception as error:  # whatever somebody else's code does
        raise UsageError(f"{plugin.label} does not work: {told(error)}") from error
    if not isinstance(text, str):
        raise UsageError(f"{plugin.label} does not work: it gave {type(text).__name__}, not text")
    return text


@click.group("emit", cls=_Targets)
def command() -> None:
    """Write a pipeline in another form."""


def _write(text: str, output: str | None, name: str | None) -> None:
    from mlops.project.files import write_text

    if output is None or output == "-":
        click.echo(text.encode(), nl=False)
    else:
        write_text(Path(output), text)
        talk(f"{name}: {output}")
