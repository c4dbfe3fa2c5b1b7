"""``mlops emit``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from mlops.cli import options
from mlops.cli.emit_targets import found_targets
from mlops.cli.group import Group
from mlops.cli.printing import talk
from mlops.cli.writing import put
from mlops.ir.discovery import Found
from mlops.ir.target import Apart, Choice, Compared, Further, Parts, Target

F = TypeVar("F", bound=Callable[..., Any])


class _Targets(Group):
    """The targets of :mod:`mlops.emit.targets`, and those of other packages; each is loaded when it is asked for."""

    def list_commands(self, context: click.Context) -> list[str]:
        return [*found_targets()]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        found = found_targets().get(name)
        return _command(found) if found is not None else None


def _command(found: Found) -> click.Command:
    choice, further, parts, apart, compares = None, None, None, None, False
    if found.plugin is None:
        ours: Target = found.load().TARGET
        help, choice, further, parts, apart = ours.help, ours.choice, ours.further, ours.parts, ours.apart
        compares = ours.compare is not None
    else:  # may be just a function, and is loaded where it is asked for
        help = f"TARGET as {found.plugin.package} writes it."

    @click.command(found.name, help=help)
    @click.argument("target", required=False)
    @options.environment
    @_choosing(choice)
    @_asking(further)
    @_dividing(parts)
    @_laying_apart(apart)
    @options.output
    @options.overwriting
    @_comparing(compares)
    def emitted(
        target: str | None,
        environment: str,
        output: str | None,
        force: bool,
        chosen: str | None = None,
        beside: str | None = None,
        further: str | None = None,
        part: int | None = None,
        folder: str | None = None,
    ) -> None:
        from mlops.cli.listening import hear
        from mlops.project.files import write_text
        from mlops.use_cases.emit import compare, emit

        if target is None:
            from mlops.use_cases.targets import project_target

            target = project_target()
        if beside is not None:
            _show(compare(found, target, environment, hear, chosen, Path(beside)), beside)
            return
        if part is not None and folder is not None and parts is not None and apart is not None:
            raise click.UsageError(f"use {parts.option} or {apart.option}, not both")
        written = emit(found, target, environment, hear, chosen, further, part, apart=folder is not None)
        for name, text in written.files.items():
            write_text(Path(folder or ".") / name, text)
        put(written.text, output, written.name, force=force)

    return emitted


def _choosing(choice: Choice | None) -> Callable[[F], F]:
    if choice is None:
        return lambda command: command
    return click.option(
        choice.option,
        "chosen",
        type=options.Choice(choice.values),
        default=choice.values[0],
        show_default=True,
        help=choice.help,
    )


def _asking(further: Further | None) -> Callable[[F], F]:
    """Its value may be left out, where it is the last word or another option follows."""
    if further is None:
        return lambda command: command
    return click.option(
        further.option,
        "further",
        is_flag=False,
        flag_value="",
        default=None,
        metavar=f"[{further.metavar}]",
        help=further.help,
    )


def _dividing(parts: Parts | None) -> Callable[[F], F]:
    if parts is None:
        return lambda command: command
    return click.option(parts.option, "part", type=click.IntRange(min=1), metavar="N", help=parts.help)


def _laying_apart(apart: Apart | None) -> Callable[[F], F]:
    if apart is None:
        return lambda command: command
    return click.option(apart.option, "folder", type=click.Path(file_okay=False), metavar="FOLDER", help=apart.help)


def _comparing(compares: bool) -> Callable[[F], F]:
    if not compares:
        return lambda command: command
    return click.option(
        "--compare",
        "beside",
        metavar="FILE",
        help="Write nothing: show what a role's policies, as JSON, lack and have without need. Ends with 1 where "
        "something is missing.",
    )


def _show(compared: Compared, beside: str) -> None:
    for word, lines in (
        ("missing", compared.missing),
        ("conditional", compared.conditional),
        ("excess", compared.excess),
    ):
        for line in lines:
            click.echo(f"{word}: {line}")
    if not (compared.missing or compared.conditional or compared.excess):
        talk(f"{beside} allows what is needed, and nothing else")
    if compared.missing:
        click.get_current_context().exit(1)


@click.group("emit", cls=_Targets)
def command() -> None:
    """Write a pipeline in another form."""
