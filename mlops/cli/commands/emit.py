"""``mlops emit``."""

from __future__ import annotations

from pathlib import Path

import click

from mlops.cli import options
from mlops.cli.printing import refuse_errors, talk
from mlops.ir import UsageError
from mlops.ir.plugins import TARGETS, Plugin, plugins, told


class _Targets(click.Group):
    """The targets here, and those of other packages. A plug-in names a function of a checked pipeline to its text."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted({*super().list_commands(context), *(plugin.name for plugin in plugins(TARGETS))})

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        own = super().get_command(context, name)
        found = next((plugin for plugin in plugins(TARGETS) if plugin.name == name), None)
        return own if own is not None or found is None else _of_package(found)


def _of_package(plugin: Plugin) -> click.Command:
    @click.command(plugin.name, help=f"TARGET as {plugin.package} writes it.")
    @click.argument("target")
    @options.environment
    @_output
    def emitted(target: str, environment: str, output: str | None) -> None:
        from mlops.check.sources import open_one

        if plugin.broken is not None or not callable(plugin.value):
            raise UsageError(f"{plugin.label} does not work: {plugin.broken or 'it names no function'}")
        opened = open_one(target, environment)
        refuse_errors(opened.findings, doing="emit")
        try:
            text = plugin.value(opened.pipelines[0])
        except Exception as error:  # whatever somebody else's code does
            raise UsageError(f"{plugin.label} does not work: {told(error)}") from error
        if not isinstance(text, str):
            raise UsageError(f"{plugin.label} does not work: it gave {type(text).__name__}, not text")
        _write(text, output, opened.pipelines[0].definition.name)

    return emitted


_output = click.option("-o", "--output", metavar="FILE", help="Where to. Default: standard output.")


@click.group("emit", cls=_Targets)
def command() -> None:
    """Write a pipeline in another form."""


@command.command()
@click.argument("target")
@options.environment
@_output
def python(target: str, environment: str, output: str | None) -> None:
    """Python that compiles to the same definition as TARGET, with what the environment gave written out."""
    from mlops.check.programs import compile_program
    from mlops.check.sources import open_one
    from mlops.declare.constructors import constructors
    from mlops.emit.targets.python import emit

    opened = open_one(target, environment)
    refuse_errors(opened.findings, doing="emit")
    definition = opened.pipelines[0].definition
    _write(emit(definition, compile_program, constructors()), output, definition.name)


def _write(text: str, output: str | None, name: str | None) -> None:
    from mlops.project.files import write_text

    if output is None or output == "-":
        click.echo(text.encode(), nl=False)
    else:
        write_text(Path(output), text)
        talk(f"{name}: {output}")
