"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from mlops.ir import UsageError
from mlops.ir.choices import near

F = TypeVar("F", bound=Callable[..., Any])


class Choice(click.Choice):  # type: ignore[type-arg]
    """Tells what was probably meant, too."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            guess = near(str(value), map(str, self.choices))
            if guess is None:
                raise
            raise click.BadParameter(f"{error.message} Did you mean {guess!r}?", ctx, param) from None


class Duration(click.ParamType):  # type: ignore[type-arg]
    """``90s``, ``10m`` or ``1h 30m``, and a number of seconds: seconds, at least so many."""

    name = "duration"

    def __init__(self, least: float = 0.0) -> None:
        self._least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from mlops.ir.duration import said, typed

        try:
            seconds = typed(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if seconds < self._least:
            self.fail(f"{value} is less than {said(self._least)}", param, ctx)
        return seconds


class Renamed(click.Option):
    """``old`` are spellings that documents once had: they are taken, and no help tells of them."""

    def __init__(self, *args: Any, old: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.old = old

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        super().add_to_parser(parser, ctx)
        shown, self.opts = self.opts, list(self.old)
        try:
            super().add_to_parser(parser, ctx)
        finally:
            self.opts = shown


environment = click.option(
    "--env", "environment", default="local", show_default=True, help="Environment of mlops.toml."
)
environment_of_shift = click.option(
    "--env", "environment", help="Environment of mlops.toml; by default the one that the shift was begun with."
)
as_json = click.option(
    "--format",
    "format_",
    type=Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people or programs.",
)
parameters = click.option(
    "-p",
    "--parameter",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="A pipeline parameter; may be repeated.",
)

version = click.option(
    "--version",
    "number",
    type=click.IntRange(min=1),
    metavar="NUMBER",
    help="This version instead of the newest approved one.",
)
suffix = click.option(
    "--suffix", metavar="TEXT", help="Put the pipelines under names of their own, NAME-TEXT: per person or branch."
)
alias = click.option(
    "--alias", "aliases", multiple=True, metavar="NAME", help="Give the new version this alias; may be repeated."
)


def since(help: str) -> Callable[[F], F]:
    return click.option("--since", metavar="TIME", help=f"{help}: 7d ago, or 2026-11-29T09:00:00Z.")


def until(help: str) -> Callable[[F], F]:
    return click.option("--until", metavar="TIME", help=help)


changed_since = click.option(
    "--changed-since", metavar="REF", help="Only pipelines that the changes since this Git commit touch."
)
terraform_state = click.option(
    "--terraform-state",
    "terraform_state",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Leave alone what this state of Terraform says it made: `terraform state pull`, or `terraform show -json`.",
)


def output_path(name: str, old: str, help: str, metavar: str = "FILE") -> Callable[[F], F]:
    """Of what is beside the command's answer, or is none for a terminal; given as ``name``."""
    return click.option(
        "-o",
        "--output",
        name,
        cls=Renamed,
        old=(old,),
        type=click.Path(dir_okay=False, path_type=Path),
        metavar=metavar,
        help=help,
    )


def limit(name: str, old: str, help: str, *, least: int = 0, default: int | None = None) -> Callable[[F], F]:
    return click.option(
        "--limit",
        name,
        cls=Renamed,
        old=(old,),
        type=click.IntRange(min=least),
        default=default,
        show_default=True,
        help=help,
    )


def dry_run(help: str) -> Callable[[F], F]:
    return click.option("--dry-run", "dry", cls=Renamed, old=("--plan",), is_flag=True, help=help)


output = click.option("-o", "--output", metavar="FILE", help="Where to. Default: standard output.")
overwriting = click.option("--force", is_flag=True, help="Write over a FILE that holds something else.")
execution = click.option(
    "--execution", metavar="ID", help="EXECUTION, as an option: its id, the beginning of it, its ARN, or `last`."
)
execution_and_step = click.argument("place", nargs=-1, required=True, metavar="[EXECUTION] STEP")
"""In the order of all commands; with ``execution`` beside it for those who give the option."""


def placed(place: tuple[str, ...], execution: str | None) -> tuple[str, str]:
    """The execution, the newest where none is given, and the step."""
    if len(place) > (2 if execution is None else 1):
        told = f"{len(place)} words" if execution is None else f"{len(place)} words and --execution"
        raise UsageError(f"give [EXECUTION] STEP; these are {told}", hint="a command stands behind --")
    return (place[0] if len(place) == 2 else execution or "last"), place[-1]


class WithCommand(click.Command):
    """What stands behind ``--`` is another program's, and goes to the parameter ``words`` as it is."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        cut = args.index("--") if "--" in args else len(args)
        left = super().parse_args(context, args[:cut])
        context.params["words"] = tuple(args[cut + 1 :])
        return left

    def collect_usage_pieces(self, context: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(context), "[-- COMMAND...]"]


def named_values(pairs: tuple[str, ...], noun: str = "parameter") -> dict[str, str]:
    """``("A=1", "B=x=y")`` to ``{"A": "1", "B": "x=y"}``."""
    values: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"{pair!r} is no {noun}", hint="write it as NAME=VALUE")
        if name in values:
            raise UsageError(f"the {noun} {name} is given twice")
        values[name] = value
    return values
